//! Bad input: each record once in `twin.dead-letter`, byte for byte, and never in the way of the good ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::{
    eventually,
    kafka::{self, Kafka, Record, Topic},
    redis::Redis,
    server::Server,
    town,
};

const TOPICS: [&str; 9] = [
    "sensors.environmental",
    "sensors.traffic",
    "buildings.occupancy",
    "buildings.sensors",
    "weather.stations",
    "traffic.graph",
    "transport.gps",
    "transport.stations",
    "emergency.incidents",
];
const CODES: [&str; 10] = [
    "too_large",
    "empty",
    "not_utf8",
    "not_json",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "bad_time",
    "future",
    "unknown_entity",
];
const BAD: usize = 10_000;
/// Smaller than the default, so that records above it need not be large.
const MAX_EVENT_BYTES: usize = 20_000;
/// Kafka's default for a topic.
const LETTER_BYTES: usize = 1_048_588;
const DEADLINE: Duration = Duration::from_secs(120);

/// One way to be wrong.
struct Bad {
    topic: &'static str,
    code: &'static str,
    value: Option<Vec<u8>>,
    /// What the header `error` must name.
    names: Vec<String>,
}

/// An event that every rule allows; entities of the city model are those of the town.
fn good(topic: &str, id: &str) -> Value {
    match topic {
        "sensors.environmental" | "sensors.traffic" => {
            json!({"districtId": "north", "sensorId": id, "type": "noise", "value": 1.5, "status": "active",
                "location": {"latitude": 42.0, "longitude": 13.0}, "metadata": {"a": 1}})
        }
        "buildings.sensors" => {
            json!({"districtId": "north", "sensorId": id, "buildingId": "b0", "type": "energy", "value": 1})
        }
        "buildings.occupancy" => {
            json!({"districtId": "north", "buildingId": "b0", "currentOccupancy": 7, "totalCapacity": 10})
        }
        "weather.stations" => json!({"districtId": "north", "stationId": "w0", "readings": {"temperature": 7}}),
        "traffic.graph" => {
            json!({"edgeId": "e-north-0", "trafficConditions": {"averageSpeed": 7, "congestionLevel": "low"}})
        }
        "transport.gps" => {
            json!({"busId": id, "currentLocation": {"latitude": 42.0, "longitude": 13.0}, "heading": 1, "status": "in_service"})
        }
        "transport.stations" => json!({"stationId": id, "waitingPassengers": 3, "nextArrivals": []}),
        _ => json!({"incidentId": id, "severity": "low", "status": "reported", "assignedUnits": ["u"]}),
    }
}

/// The fields without which an event of the topic means nothing.
fn required(topic: &str) -> &'static [&'static str] {
    match topic {
        "sensors.environmental" | "sensors.traffic" | "buildings.sensors" => {
            &["districtId", "sensorId", "type", "value"]
        }
        "buildings.occupancy" => &["districtId", "buildingId", "currentOccupancy"],
        "weather.stations" => &["districtId", "stationId", "readings"],
        "traffic.graph" => &["edgeId", "trafficConditions"],
        "transport.gps" => &["busId", "currentLocation"],
        "transport.stations" => &["stationId"],
        _ => &["incidentId"],
    }
}

fn id_field(topic: &str) -> &'static str {
    match topic {
        "sensors.environmental" | "sensors.traffic" | "buildings.sensors" => "sensorId",
        "buildings.occupancy" => "buildingId",
        "weather.stations" | "transport.stations" => "stationId",
        "traffic.graph" => "edgeId",
        "transport.gps" => "busId",
        _ => "incidentId",
    }
}

/// Fields of the topic with values that are of a wrong type, and others that are out of range.
fn wrong_values(topic: &str) -> (Vec<(&'static str, Value)>, Vec<(&'static str, Value)>) {
    let far = json!({"latitude": 90.5, "longitude": 13.0});
    match topic {
        "sensors.environmental" | "sensors.traffic" => (
            vec![
                ("value", json!("12")),
                ("type", json!(5)),
                ("unit", json!({})),
                ("status", json!(true)),
                ("location", json!([1, 2])),
                ("metadata", json!("m")),
            ],
            vec![("status", json!("broken")), ("location", far)],
        ),
        "buildings.sensors" => {
            (vec![("buildingId", json!(7)), ("value", json!([1]))], vec![("status", json!("")), ("location", far)])
        }
        "buildings.occupancy" => (
            vec![("currentOccupancy", json!("7")), ("totalCapacity", json!(true))],
            vec![
                ("currentOccupancy", json!(7.5)),
                ("currentOccupancy", json!(-1)),
                ("totalCapacity", json!(2_147_483_648_u64)),
            ],
        ),
        "weather.stations" => (
            vec![("readings", json!(["hot"])), ("readings", json!({"temperature": "hot"})), ("status", json!(1))],
            vec![("status", json!("sunny"))],
        ),
        "traffic.graph" => (
            vec![
                ("trafficConditions", json!("jam")),
                ("trafficConditions", json!({"averageSpeed": "fast"})),
                ("trafficConditions", json!({"incidents": {}})),
            ],
            vec![
                ("trafficConditions", json!({"congestionLevel": "total"})),
                ("trafficConditions", json!({"vehicleCount": 1.25})),
            ],
        ),
        "transport.gps" => (
            vec![("currentLocation", json!("here")), ("heading", json!("north")), ("passengerCount", json!({}))],
            vec![
                ("heading", json!(360)),
                ("heading", json!(-0.5)),
                ("passengerCount", json!(-3)),
                ("status", json!("lost")),
                ("currentLocation", json!({"latitude": 1, "longitude": -180.001})),
            ],
        ),
        "transport.stations" => (
            vec![("nextArrivals", json!({"0": 1})), ("nextArrivals", json!(["soon"])), ("name", json!(4))],
            vec![("waitingPassengers", json!(0.5)), ("location", far)],
        ),
        _ => (
            vec![
                ("assignedUnits", json!("u")),
                ("assignedUnits", json!([1])),
                ("description", json!([])),
                ("severity", json!(3)),
            ],
            vec![("severity", json!("terrible")), ("status", json!("open")), ("location", far)],
        ),
    }
}

/// Every way of `topic` to be wrong; `stamp` is the time of the records that carry them.
fn forms(topic: &'static str, stamp: i64) -> Vec<Bad> {
    let mut forms = Vec::new();
    let mut bad = |code, value: Option<Vec<u8>>, names: &[&str]| {
        forms.push(Bad { topic, code, value, names: names.iter().map(|&name| name.to_owned()).collect() });
    };
    let with = |field: &str, value: Value| {
        let mut event = good(topic, "never");
        event[field] = value;
        Some(event.to_string().into_bytes())
    };
    let text = good(topic, "never").to_string();
    // One whose rest is in order, as only its size is not.
    bad("too_large", with("padding", json!("x".repeat(MAX_EVENT_BYTES))), &["bytes", &MAX_EVENT_BYTES.to_string()]);
    bad("too_large", Some(vec![0xff; MAX_EVENT_BYTES + 1]), &[&(MAX_EVENT_BYTES + 1).to_string()]);
    bad("empty", None, &["null"]);
    bad("empty", Some(Vec::new()), &["0 bytes"]);
    for bytes in [&[0xff][..], &[0xc0, 0xaf], &[0xed, 0xa0, 0x80], &[0xe2, 0x82]] {
        let mut value = text.trim_end_matches('}').as_bytes().to_vec();
        value.extend_from_slice(b",\"unknown\":\"");
        value.extend_from_slice(bytes);
        value.extend_from_slice(b"\"}");
        bad("not_utf8", Some(value), &[&format!("0x{:02x}", bytes[0])]);
    }
    for broken in [
        "[]",
        "42",
        "null",
        "\"text\"",
        "{",
        " ",
        "{} {}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "\u{feff}{}",
    ] {
        bad("not_json", Some(broken.as_bytes().to_vec()), &["JSON"]);
    }
    let end = text.trim_end_matches('}');
    for twice in [
        format!("{end},\"x\":1,\"x\":2}}"),
        format!("{end},\"x\":{{\"y\":1,\"y\":1}}}}"),
        format!("{end},\"x\":[{{\"\\u0079\":1,\"y\":1}}]}}"),
    ] {
        bad("not_json", Some(twice.into_bytes()), &[]);
    }
    bad("not_json", Some(format!("{end},\"x\":{}{}}}", "[".repeat(1000), "]".repeat(1000)).into_bytes()), &[]);
    for field in required(topic) {
        let mut event = good(topic, "never");
        event.as_object_mut().unwrap().remove(*field);
        bad("missing_field", Some(event.to_string().into_bytes()), &[field]);
        bad("missing_field", with(field, Value::Null), &[field]);
    }
    // What comes first in the order of the codes is named, whatever else is wrong.
    bad("missing_field", Some(br#"{"lastUpdated": "never"}"#.to_vec()), &[required(topic)[0]]);
    let (types, ranges) = wrong_values(topic);
    for (code, values) in [("wrong_type", types), ("out_of_range", ranges)] {
        for (field, value) in values {
            let inside = value.as_object().and_then(|object| object.values().next()).cloned().unwrap_or(value.clone());
            let inside = if field == "nextArrivals" { value.get(0).cloned().unwrap_or(inside) } else { inside };
            let shown = inside.to_string();
            // An object of two coordinates is right in one of them; which value is shown, the core's tests check.
            let names = if value["longitude"].is_null() { vec![field, &shown] } else { vec![field] };
            bad(code, with(field, value.clone()), &names);
        }
    }
    let id = id_field(topic);
    bad("wrong_type", with(id, json!(7)), &[id, "7"]);
    for wrong in ["", "_t", "__proto__", "constructor", "prototype", "tab\t", "\u{0}", &"i".repeat(257)] {
        bad("out_of_range", with(id, json!(wrong)), &[id]);
    }
    for time in ["yesterday", "2026-01-05", "2026-01-05T00:00:00", "2026-02-30T00:00:00Z", ""] {
        bad("bad_time", with("lastUpdated", json!(time)), &["lastUpdated", &format!("{time:?}")]);
    }
    bad("wrong_type", with("lastUpdated", json!(1_767_571_200_000_i64)), &["lastUpdated"]);
    if topic == "emergency.incidents" {
        bad("bad_time", with("reportedAt", json!("now")), &["reportedAt", "\"now\""]);
    }
    for ahead in [300_001, 86_400_000] {
        let time = jiff::Timestamp::from_millisecond(stamp + ahead).unwrap().to_string();
        bad("future", with("lastUpdated", json!(time)), &["lastUpdated", "300000 ms"]);
    }
    match topic {
        "buildings.occupancy" | "weather.stations" => {
            bad("unknown_entity", with(id, json!("never-heard-of")), &["never-heard-of"]);
            bad("unknown_entity", with("districtId", json!("nowhere")), &["nowhere"]);
        }
        "traffic.graph" => bad("unknown_entity", with(id, json!("never-heard-of")), &["never-heard-of"]),
        _ => {}
    }
    forms
}

/// Too large for the dead-letter topic: random, as what compresses would fit.
fn giant(size: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(size as u64);
    (0..size).map(|_| rng.u8(..)).collect()
}

fn key(number: usize) -> Option<Vec<u8>> {
    match number % 4 {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(format!("key-{number}").into_bytes()),
        _ => Some(vec![0xff, 0x00, (number % 251) as u8]),
    }
}

const NUMBER: &str = "number";

fn numbered(record: Record, number: usize) -> Record {
    Record { headers: vec![(NUMBER.to_owned(), Some(number.to_string().into_bytes()))], ..record }
}

async fn create_topics(brokers: &str, letter_bytes: usize) {
    let bytes = letter_bytes.to_string();
    let mut topics: Vec<Topic<'_>> = TOPICS.iter().map(|name| Topic::for_recording(name, 2)).collect();
    topics.push(Topic { name: "twin.dead-letter", partitions: 1, config: vec![("max.message.bytes", &bytes)] });
    kafka::create_topics(brokers, &topics).await;
}

/// The sum of a counter over all its labels.
async fn counted(server: &Server, name: &str) -> Result<u64, String> {
    let text = server.get("/metrics").await.map_err(|error| error.to_string())?.text().await;
    let text = text.map_err(|error| error.to_string())?;
    let of_it = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    Ok(of_it.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum::<f64>() as u64)
}

async fn wait_for_letters(server: &Server, count: usize) {
    eventually(DEADLINE, || async {
        let letters = counted(server, "citytwin_dead_letters_total").await?;
        if letters >= count as u64 { Ok(()) } else { Err(format!("{letters} of {count} dead letters")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_bad_records_each_arrive_once_byte_for_byte() {
    let started = jiff::Timestamp::now().as_millisecond();
    // A day old, so that no time of a good event is ahead of the server's clock.
    let stamp = started - 86_400_000;
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    create_topics(&kafka.brokers(), LETTER_BYTES).await;
    let bytes = MAX_EVENT_BYTES.to_string();
    let settings = [("MAX_EVENT_BYTES", bytes.as_str()), ("LOG_FORMAT", "json"), ("BATCH_SIZE", "500")];
    let mut server = town::server(&kafka.brokers(), &redis.url(), &settings);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let since = Instant::now();

    let mut all: Vec<Bad> = TOPICS.iter().flat_map(|topic| forms(topic, stamp)).collect();
    let seen: BTreeSet<_> = all.iter().map(|bad| (bad.topic, bad.code)).collect();
    for topic in TOPICS {
        for code in CODES {
            let has = code != "unknown_entity"
                || ["buildings.occupancy", "weather.stations", "traffic.graph"].contains(&topic);
            assert_eq!(seen.contains(&(topic, code)), has, "{topic} {code}");
        }
    }
    fastrand::Rng::with_seed(3).shuffle(&mut all);
    let mut records = Vec::new();
    let mut good_ids: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for number in 0..BAD {
        let form = &all[number % all.len()];
        let value = match number {
            100 | 5_000 => Some(giant(2_000_000)),
            // This one fits, as it compresses.
            200 => Some(vec![b' '; 3_000_000]),
            _ => form.value.clone(),
        };
        let record = Record {
            topic: form.topic.to_owned(),
            partition: Some((number / 7 % 2) as i32),
            key: key(number),
            value,
            timestamp: Some(stamp),
            ..Record::default()
        };
        records.push(numbered(record, number));
        if number % 5 == 0 {
            let topic = TOPICS[number / 5 % 9];
            let id = format!("good-{number}");
            records.push(Record::new(topic, &id, &good(topic, &id).to_string()).at(stamp));
            good_ids.entry(topic).or_default().insert(id);
        }
    }
    kafka::produce(&kafka.brokers(), records).await;
    wait_for_letters(&server, BAD).await;

    let mut sent: BTreeMap<(String, i32, i64), (usize, Record)> = BTreeMap::new();
    for topic in TOPICS {
        for record in kafka::read_all(&kafka.brokers(), topic).await {
            if let Some(number) = record.header(NUMBER).and_then(|number| number.parse().ok()) {
                sent.insert((topic.to_owned(), record.partition.unwrap(), record.offset), (number, record));
            }
        }
    }
    assert_eq!(sent.len(), BAD);
    let letters = kafka::read_all(&kafka.brokers(), "twin.dead-letter").await;
    assert_eq!(letters.len(), BAD, "each once");
    let now = jiff::Timestamp::now().as_millisecond();
    for letter in &letters {
        let header =
            |name: &str| letter.header(name).unwrap_or_else(|| panic!("no header {name}: {:?}", letter.headers));
        let source = (
            header("source-topic").to_owned(),
            header("source-partition").parse().unwrap(),
            header("source-offset").parse().unwrap(),
        );
        let (number, record) = sent.remove(&source).unwrap_or_else(|| panic!("{source:?} is no bad record, or twice"));
        let (form, error) = (&all[number % all.len()], header("error"));
        let mut names =
            vec!["error-code", "error", "source-topic", "source-partition", "source-offset", "source-timestamp"];
        assert_eq!(header("source-timestamp"), stamp.to_string());
        assert!((started..=now).contains(&letter.timestamp.unwrap()), "the time of now");
        assert_eq!(letter.key, record.key);
        if let 100 | 5_000 = number {
            names.push("truncated");
            assert_eq!((header("error-code"), header("truncated")), ("too_large", "2000000"));
            let (cut, whole) = (letter.value.as_ref().unwrap(), record.value.as_ref().unwrap());
            assert!(cut.len() > 500_000 && whole.starts_with(cut), "{} bytes", cut.len());
        } else {
            assert_eq!(letter.value, record.value, "{source:?}");
            let code = if number == 200 { "too_large" } else { form.code };
            assert_eq!(
                header("error-code"),
                code,
                "{error}: {:?}",
                record.value.as_deref().map(String::from_utf8_lossy)
            );
            for name in form.names.iter().filter(|_| number != 200) {
                assert!(error.contains(name.as_str()), "{code}: {error:?} does not name {name:?}");
            }
            assert!(
                code == "not_utf8" || error.contains("accepted") || ["not_json", "unknown_entity"].contains(&code),
                "{error}"
            );
        }
        assert_eq!(letter.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    }
    assert!(sent.is_empty());
    all_good_ones_are_applied(&server, &good_ids).await;

    // One line a second at most, which tell of all of them in the end.
    let told = || {
        let log = server.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["message"] == "records refused")
            .filter_map(|line| line["records"].as_u64())
            .collect::<Vec<_>>()
    };
    let lines = eventually(Duration::from_secs(10), || async {
        let lines = told();
        let sum: u64 = lines.iter().sum();
        if sum == BAD as u64 { Ok(lines.len()) } else { Err(format!("the log tells of {sum}")) }
    })
    .await;
    assert!(lines as u64 <= since.elapsed().as_secs() + 2, "{lines} lines in {:?}", since.elapsed());
    assert_eq!(counted(&server, "citytwin_rejects_total").await, Ok(BAD as u64));
    server.stop_cleanly();
}

async fn all_good_ones_are_applied(server: &Server, good: &BTreeMap<&str, BTreeSet<String>>) {
    let state = eventually(DEADLINE, || async {
        let state = server.get_json("/api/state").await;
        let buses = state["publicTransport"]["buses"].as_array().map_or(0, Vec::len);
        if buses == good["transport.gps"].len() { Ok(state) } else { Err(format!("{buses} buses")) }
    })
    .await;
    let ids = |list: &Value, field: &str| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
    };
    let north = &state["districts"][0];
    let sensors: BTreeSet<String> = ["sensors.environmental", "sensors.traffic", "buildings.sensors"]
        .iter()
        .flat_map(|topic| good[topic].clone())
        .collect();
    assert_eq!(ids(&north["sensors"], "sensorId"), sensors);
    assert_eq!(ids(&state["publicTransport"]["buses"], "busId"), good["transport.gps"]);
    assert_eq!(ids(&state["publicTransport"]["stations"], "stationId"), good["transport.stations"]);
    assert_eq!(ids(&state["emergencyServices"]["incidents"], "incidentId"), good["emergency.incidents"]);
    assert_eq!(north["buildings"][0]["currentOccupancy"], 7);
    assert_eq!(north["weatherStations"][0]["readings"], json!({"temperature": 7}));
    assert_eq!(north["cityGraph"]["edges"][0]["trafficConditions"]["averageSpeed"], 7);
    assert_eq!(state["districts"].as_array().unwrap().len(), 2, "a bad event created a district");
}

/// The stored offset of a partition; 0 where none is stored.
fn stored_offset(redis: &Redis, topic: &str, partition: i32) -> i64 {
    let row = redis.cli(&["HGET", "twin:{town}:offsets", &format!("{topic}/{partition}")]);
    serde_json::from_str::<Value>(&row).map_or(0, |row| row["offset"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_offset_is_stored_past_a_dead_letter_that_the_topic_does_not_take() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    // So small that not even the headers fit.
    create_topics(&brokers, 100).await;
    let mut server = town::server(&brokers, &redis.url(), &[("FLUSH_INTERVAL_MS", "100"), ("LEASE_MS", "1000")]);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let to = |partition, record: Record| Record { partition: Some(partition), ..record };
    let mut records: Vec<Record> = (0..10).map(|n| to(0, town::bus("held", n))).collect();
    // More than may wait, so the partition pauses; the other one goes on.
    records.extend((0..12_000).map(|n| to(0, Record::new("transport.gps", "bad", &format!("[{n}]")))));
    records.push(to(0, town::bus("behind", 1)));
    records.extend((0..50).map(|n| to(1, town::bus("free", n))));
    kafka::produce(&brokers, records).await;
    eventually(DEADLINE, || async {
        let offset = stored_offset(&redis, "transport.gps", 1);
        if offset == 50 { Ok(()) } else { Err(format!("the good partition is stored up to {offset}")) }
    })
    .await;
    eventually(DEADLINE, || async {
        let body = server.get_json("/readyz").await;
        let paused = body["degraded"].as_array().unwrap().iter().find(|fault| fault["state"] == "paused").cloned();
        match paused {
            Some(fault)
                if fault["what"] == "twin.dead-letter"
                    && fault["message"].as_str().unwrap().contains("transport.gps/0") =>
            {
                Ok(())
            }
            _ => Err(format!("readiness says {body}")),
        }
    })
    .await;
    assert_eq!(stored_offset(&redis, "transport.gps", 0), 10, "past what is not acknowledged");
    // Good events go on by all other partitions, also new ones.
    kafka::produce(
        &brokers,
        [to(1, town::bus("later", 1)), Record::new("sensors.traffic", "s", &good("sensors.traffic", "s").to_string())],
    )
    .await;
    eventually(DEADLINE, || async {
        let state = server.get_json("/api/state").await;
        let buses = state["publicTransport"]["buses"].to_string();
        if buses.contains("\"later\"") && state["districts"][0]["sensors"][0]["sensorId"] == "s" {
            Ok(())
        } else {
            Err(buses)
        }
    })
    .await;

    // Neither is anything lost over a crash.
    server.kill();
    server.start_again().await;
    eventually(DEADLINE, || async {
        let rejects = counted(&server, "citytwin_rejects_total").await?;
        if rejects >= 10_000 { Ok(()) } else { Err(format!("{rejects} refused again")) }
    })
    .await;
    assert_eq!(stored_offset(&redis, "transport.gps", 0), 10);
    kafka::configure_topic(&brokers, "twin.dead-letter", &[("max.message.bytes", "1048588")]).await;
    eventually(DEADLINE, || async {
        let offset = stored_offset(&redis, "transport.gps", 0);
        if offset == 12_011 { Ok(()) } else { Err(format!("stored up to {offset}")) }
    })
    .await;
    let letters = kafka::read_all(&brokers, "twin.dead-letter").await;
    let offsets: Vec<i64> =
        letters.iter().map(|letter| letter.header("source-offset").unwrap().parse().unwrap()).collect();
    assert_eq!(offsets, (10..12_010).collect::<Vec<_>>(), "each once and in order");
    assert!(letters.iter().all(|letter| letter.header("truncated").is_none()), "none was cut");
    assert_eq!(letters[7].value.as_deref(), Some(&b"[7]"[..]));
    server.ready(DEADLINE).await;
    eventually(DEADLINE, || async {
        let body = server.get_json("/readyz").await;
        if body["degraded"].as_array().unwrap().iter().all(|fault| fault["what"] != "twin.dead-letter") {
            Ok(())
        } else {
            Err(body.to_string())
        }
    })
    .await;
    eventually(DEADLINE, || async {
        let buses = server.get_json("/api/state").await["publicTransport"]["buses"].to_string();
        if buses.contains("\"behind\"") { Ok(()) } else { Err(buses) }
    })
    .await;
}
