//! Redis as a person reads it with `redis-cli`.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::common::{
    city::{self, bus, event, incident, row, rows, sensor},
    eventually,
    kafka::{self, Kafka},
    redis::Redis,
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn key(name: &str) -> String {
    format!("twin:{{{}}}:{name}", city::CITY)
}

async fn start(kafka: &Kafka, redis: &Redis, file: &str) -> Server {
    Server::start_ready(&[
        ("KAFKA_BROKERS", &kafka.brokers()),
        ("REDIS_URL", &redis.url()),
        ("CITY_FILE", file),
        ("FLUSH_INTERVAL_MS", "100"),
        ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "200"),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hashes_are_named_and_filled_as_the_contract_says() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    city::create_topics(&kafka.brokers(), 6).await;
    let (_folder, file) = city::city_file_on_disk(&city::city_file());
    let server = start(&kafka, &redis, &file).await;
    let unit = json!({ "unitId": "u1", "type": "engine", "status": "available" });
    let stop = json!({ "stationId": "st1", "name": "Stop" });
    let traffic = json!({ "edgeId": "e1", "trafficConditions": { "averageSpeed": 31.5, "congestionLevel": "low" } });
    let occupancy = json!({ "districtId": "centro", "buildingId": "town-hall", "currentOccupancy": 20 });
    let mut records = vec![
        bus("b1", 1, 42.5),
        sensor("centro", "s1", 2, 1.5),
        sensor("elsewhere", "s2", 3, 2.0),
        incident("i1", 4, "reported"),
        event("emergency.incidents", "u1", 5, unit),
        event("transport.stations", "st1", 6, stop),
        event("traffic.graph", "e1", 7, traffic),
        event("buildings.occupancy", "town-hall", 8, occupancy),
    ];
    records[3].partition = Some(4);
    kafka::produce(&kafka.brokers(), records).await;
    eventually(PATIENCE, || async {
        let stored = city::stored_offsets(&redis, city::CITY).await;
        if stored == 8 { Ok(()) } else { Err(format!("offsets for {stored} records")) }
    })
    .await;

    let keys: BTreeSet<String> = redis.cli(&["KEYS", "*"]).lines().map(str::to_owned).collect();
    let expected: BTreeSet<String> = [
        "token",
        "lease",
        "sequence",
        "tables",
        "city",
        "offsets",
        "districts",
        "buses",
        "stations",
        "incidents",
        "units",
        "district:centro:sensors",
        "district:centro:buildings",
        "district:centro:weather-stations",
        "district:centro:nodes",
        "district:centro:edges",
        "district:elsewhere:sensors",
    ]
    .map(key)
    .into();
    assert_eq!(keys, expected);

    let facts = rows(&redis, city::CITY, "city").await;
    assert_eq!(facts["cityId"], city::CITY);
    assert_eq!(facts["name"], "Small City");
    let districts = rows(&redis, city::CITY, "districts").await;
    assert_eq!(districts.keys().collect::<Vec<_>>(), ["centro", "elsewhere", "torrione"]);
    assert_eq!(districts["elsewhere"]["name"], "elsewhere");

    // Values are the JSON of `state.full`, byte for byte, with what only the fold needs behind it.
    let raw = |table: &str, field: &str| redis.cli(&["HGET", &key(table), field]);
    eventually(PATIENCE, || async {
        let state = city::state_text(&server).await;
        let whole =
            ["sensors", "edges", "nodes", "weather-stations"].into_iter().zip(["s1", "e1", "n1", "centro-weather"]);
        let mut values: Vec<String> = whole.map(|(kind, id)| raw(&format!("district:centro:{kind}"), id)).collect();
        values.extend([raw("buses", "b1"), raw("stations", "st1"), raw("units", "u1")]);
        values.push(raw("district:centro:buildings", "town-hall").replace(",\"capacityByEvent\":true", ""));
        values.push(raw("incidents", "i1").replace(",\"partition\":4", ""));
        values
            .iter()
            .find(|value| !state.contains(value.as_str()))
            .map_or(Ok(()), |value| Err(format!("{value} in {state}")))
    })
    .await;
    assert_eq!(row(&redis, city::CITY, "incidents", "i1").await["partition"], 4);
    let offsets = rows(&redis, city::CITY, "offsets").await;
    assert_eq!(offsets["emergency.incidents/4"]["offset"], 1);
    assert_eq!(offsets["emergency.incidents/4"]["eventTime"], city::time(4));
    assert!(offsets["emergency.incidents/4"]["cluster"].as_str().is_some_and(|id| !id.is_empty()));

    // Each flush stores the last boundary.
    eventually(PATIENCE, || async {
        let boundary = row(&redis, city::CITY, "city", "boundary").await;
        let published = server.get_json("/api/state").await["timestamp"].clone();
        if boundary == published && boundary != Value::Null { Ok(()) } else { Err(format!("{boundary}, {published}")) }
    })
    .await;
}

/// Every command that Redis gets from now on, one line each.
struct Monitor {
    child: std::process::Child,
    lines: mpsc::Receiver<String>,
}

impl Monitor {
    fn start(redis: &Redis) -> Self {
        let address = redis.address();
        let (host, port) = address.split_once(':').expect("host:port");
        let mut child = Command::new("redis-cli")
            .args(["-h", host, "-p", port, "MONITOR"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-cli is installed");
        let output = child.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let monitor = Self { child, lines };
        // Its first line is OK.
        monitor.lines.recv_timeout(PATIENCE).expect("MONITOR begins");
        monitor
    }

    /// What was written into hashes since the last call, each as `table field`.
    fn written(&self) -> Vec<String> {
        let written = self.lines.try_iter().filter_map(|line| {
            let mut words = line.split('"').skip(1).step_by(2);
            let command = words.next()?.to_ascii_uppercase();
            let table = words.next()?.strip_prefix(&key(""))?.to_owned();
            let field = words.next().unwrap_or_default();
            ["HSET", "HDEL"].contains(&command.as_str()).then(|| format!("{command} {table} {field}"))
        });
        written.filter(|line| !line.contains(" lease ")).collect()
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_writes_only_what_changed() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    city::create_topics(&kafka.brokers(), 6).await;
    let (_folder, file) = city::city_file_on_disk(&city::city_file());
    let mut server = start(&kafka, &redis, &file).await;
    kafka::produce(&kafka.brokers(), (0..100).map(|i| bus(&format!("b{i}"), 0, 42.0))).await;
    eventually(PATIENCE, || async {
        let count = redis.cli(&["HLEN", &key("buses")]);
        if count == "100" { Ok(()) } else { Err(count) }
    })
    .await;
    // The boundary after it is stored as well, then there is nothing to write any more.
    let monitor = Monitor::start(&redis);
    eventually(PATIENCE, || async {
        monitor.written();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let idle = monitor.written();
        if idle.is_empty() { Ok(()) } else { Err(format!("written while nothing changes: {idle:?}")) }
    })
    .await;

    kafka::produce(&kafka.brokers(), [bus("b7", 1, 42.7), bus("b7", 2, 42.8)]).await;
    let mut written = Vec::new();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        written.extend(monitor.written());
        if written.iter().any(|line| line.contains("b7")) {
            break;
        }
    }
    let buses: BTreeSet<&String> = written.iter().filter(|line| line.contains("buses")).collect();
    assert_eq!(buses.into_iter().collect::<Vec<_>>(), ["HSET buses b7"], "{written:?}");
    let offsets: BTreeSet<&String> = written.iter().filter(|line| line.contains("offsets")).collect();
    assert_eq!(offsets.len(), 1, "{written:?}");
    assert!(
        written.iter().all(|line| ["buses", "offsets", "city"].contains(&line.split(' ').nth(1).unwrap_or(""))),
        "{written:?}"
    );

    // Nor does a start write what it has just read.
    server.stop_cleanly();
    monitor.written();
    server.start_again().await;
    server.ready(PATIENCE).await;
    eventually(PATIENCE, || async {
        let boundary = row(&redis, city::CITY, "city", "boundary").await;
        let published = server.get_json("/api/state").await["timestamp"].clone();
        if boundary == published { Ok(()) } else { Err(format!("{boundary}, {published}")) }
    })
    .await;
    let written = monitor.written();
    assert!(written.iter().any(|line| line.contains(" city ")), "{written:?}");
    assert!(written.iter().all(|line| line.contains(" city ") || line.contains(" offsets ")), "{written:?}");
}
