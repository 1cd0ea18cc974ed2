//! Several instances of one city: one writes, any answers, and another one takes over.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{
    city::{self, bus, incident, row, sensor, without_timestamp},
    eventually,
    kafka::{self, Kafka, Record},
    proxy::{Fault, Proxy},
    redis::Redis,
    server::Server,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// What every instance of one city shares.
struct Site {
    kafka: Kafka,
    redis: Redis,
    file: String,
    lease_ms: &'static str,
    _folder: TempDir,
}

impl Site {
    async fn new(lease_ms: &'static str) -> Self {
        let (folder, file) = city::city_file_on_disk(&city::city_file());
        let kafka = Kafka::fresh().await;
        city::create_topics(&kafka.brokers(), 6).await;
        Self { kafka, redis: Redis::start(), file, lease_ms, _folder: folder }
    }

    /// An instance that finds Redis there, and is ready.
    async fn instance(&self, redis_url: &str) -> Server {
        Server::start_ready(&[
            ("KAFKA_BROKERS", &self.kafka.brokers()),
            ("REDIS_URL", redis_url),
            ("CITY_FILE", &self.file),
            ("LEASE_MS", self.lease_ms),
            ("FLUSH_INTERVAL_MS", "100"),
            ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "200"),
            ("FULL_STATE_PUBLISH_INTERVAL_MS", "1000"),
        ])
        .await
    }

    async fn send(&self, records: Vec<Record>) {
        kafka::produce(&self.kafka.brokers(), records).await;
    }

    fn token(&self) -> u64 {
        self.redis.cli(&["GET", &format!("twin:{{{}}}:token", city::CITY)]).parse().expect("a token")
    }
}

async fn readiness(server: &Server) -> Value {
    let answer = server.get("/readyz").await.expect("an answer");
    serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
}

/// Waits until the server has that role, and gives its readiness.
async fn has_role(server: &Server, role: &str, deadline: Duration) -> Value {
    eventually(deadline, || async {
        let now = readiness(server).await;
        if now["role"] == role && now["ready"] == true { Ok(now) } else { Err(format!("no {role}: {now}")) }
    })
    .await
}

fn epoch(readiness: &Value) -> u64 {
    readiness["epoch"].as_u64().unwrap_or_else(|| panic!("no epoch: {readiness}"))
}

/// What is live in an instance.
async fn dump(server: &Server) -> Value {
    let query = "{
        city { name }
        districts { nodes { districtId name } }
        sensors { nodes { id type value lastUpdated } }
        buildings { nodes { id name totalCapacity lastUpdated } }
        weatherStations { nodes { id status } }
        edges { nodes { id trafficConditions { averageSpeed } } }
        buses { nodes { id speed currentLocation { latitude longitude } lastUpdated } }
        incidents { nodes { id status lastUpdated } }
        units { nodes { id status } }
    }";
    server.graphql(query, json!({})).await
}

/// Waits until two instances hold the same live city, and answer with the same bytes for the same boundary.
async fn agree(one: &Server, other: &Server) -> String {
    eventually(PATIENCE, || async {
        let (a, b) = (dump(one).await, dump(other).await);
        if let Some(difference) = city::difference("", &a, &b) {
            return Err(format!("live: {difference}"));
        }
        let (a, b) = (city::state_text(one).await, city::state_text(other).await);
        if a == b { Ok(a) } else { Err("/api/state: not the same bytes".to_owned()) }
    })
    .await
}

async fn put_city(server: &Server, file: &Value) -> (u16, Value) {
    let answer = server.http().put(server.url("/api/city")).json(file).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON"))
}

const REMOVE: &str = "mutation ($id: ID!) { removeEntity(id: $id) { removed } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_answers_follows_the_model_and_takes_over() {
    let site = Site::new("5000").await;
    let mut writer = site.instance(&site.redis.url()).await;
    let replica = site.instance(&site.redis.url()).await;
    let first = has_role(&writer, "writer", PATIENCE).await;
    has_role(&replica, "replica", PATIENCE).await;
    site.send(vec![
        bus("b1", 0, 42.0),
        bus("b2", 0, 42.1),
        sensor("centro", "s1", 0, 50.0),
        incident("i1", 0, "reported"),
    ])
    .await;
    eventually(PATIENCE, || async {
        let state = agree(&writer, &replica).await;
        if ["b1", "b2", "s1", "i1"].iter().all(|id| state.contains(id)) { Ok(()) } else { Err(state) }
    })
    .await;

    // A replica changes nothing, and says who does.
    let address = format!("http://127.0.0.1:{}", writer.port());
    let (status, answer) = put_city(&replica, &city::city_file()).await;
    assert_eq!((status, &answer["writer"]), (503, &json!(address)), "{answer}");
    let refused = replica.graphql_answer(REMOVE, json!({ "id": "bus/b2" })).await;
    let extensions = &refused["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["writer"]), (&json!("NOT_WRITER"), &json!(address)), "{refused}");

    // What is not in the topics reaches it by the model's version.
    let mut file = city::city_file();
    file["districts"][0]["buildings"][0]["name"] = json!("Palazzo");
    file["districts"][1]["buildings"] = json!([{ "buildingId": "school", "name": "School", "totalCapacity": 90 }]);
    let (status, answer) = put_city(&writer, &file).await;
    assert_eq!(status, 200, "{answer}");
    let removed = writer.graphql(REMOVE, json!({ "id": "bus/b2" })).await;
    assert_eq!(removed["removeEntity"]["removed"], true);
    let state = agree(&writer, &replica).await;
    assert!(state.contains("Palazzo") && state.contains("School") && !state.contains("b2"), "{state}");
    // Both know of the removal: what is not newer does not bring it back.
    site.send(vec![bus("b2", 0, 42.5), bus("b3", 0, 42.2)]).await;
    eventually(PATIENCE, || async {
        let state = agree(&writer, &replica).await;
        if state.contains("b3") { Ok(()) } else { Err("not there yet") }
    })
    .await;
    assert!(!city::state_text(&replica).await.contains("b2"));

    let before = without_timestamp(&city::state_text(&replica).await);
    let fulls = kafka::read_all(&site.kafka.brokers(), "state.full").await.len();
    writer.kill();
    let killed = Instant::now();
    let lease = Duration::from_secs(10);
    eventually(PATIENCE, || async { if site.token() > epoch(&first) { Ok(()) } else { Err("the old token") } }).await;
    assert!(killed.elapsed() <= lease, "the lease was taken {:?} after the kill", killed.elapsed());
    let taken = eventually(PATIENCE, || async {
        let records = kafka::read_all(&site.kafka.brokers(), "state.full").await;
        let newer = records.into_iter().skip(fulls).find(|record| {
            record.header("epoch").and_then(|epoch| epoch.parse::<u64>().ok()).is_some_and(|now| now > epoch(&first))
        });
        newer.ok_or("no full of a new epoch")
    })
    .await;
    // The broker and this process share the wall clock: when it was produced, and not when it was found.
    let after = jiff::Timestamp::now().as_millisecond() - taken.timestamp.expect("a time");
    let needed = killed.elapsed().saturating_sub(Duration::from_millis(after.max(0) as u64));
    assert!(needed <= Duration::from_secs(10), "the first full came {needed:?} after the kill");
    let now = has_role(&replica, "writer", PATIENCE).await;
    assert!(epoch(&now) > epoch(&first), "{now}");
    let full = String::from_utf8(taken.value.expect("a value")).expect("UTF-8");
    assert!(without_timestamp(&full) == before, "the city changed by the take-over: {full}");

    // The killed one comes back as a replica, and both are the same.
    writer.start_again().await;
    has_role(&writer, "replica", PATIENCE).await;
    site.send(vec![bus("b1", 5000, 42.7), incident("i1", 5000, "in_progress")]).await;
    eventually(PATIENCE, || async {
        let state = agree(&writer, &replica).await;
        if state.contains("42.7") { Ok(()) } else { Err("not there yet") }
    })
    .await;
}

/// What no topic holds and the replica has not followed yet: only the load of the take-over brings it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_and_a_removal_that_were_answered_outlive_the_writer() {
    let site = Site::new("1000").await;
    let mut writer = site.instance(&site.redis.url()).await;
    let mut replica = site.instance(&site.redis.url()).await;
    has_role(&replica, "replica", PATIENCE).await;
    site.send(vec![bus("b1", 0, 42.0), bus("b2", 0, 42.1)]).await;
    eventually(PATIENCE, || async {
        let state = agree(&writer, &replica).await;
        if state.contains("b1") && state.contains("b2") { Ok(()) } else { Err(state) }
    })
    .await;
    let mut file = city::city_file();
    file["districts"][0]["buildings"][0]["name"] = json!("Palazzo");
    replica.signal("STOP");
    assert_eq!(put_city(&writer, &file).await.0, 200);
    let removed = writer.graphql(REMOVE, json!({ "id": "bus/b2" })).await;
    assert_eq!(removed["removeEntity"]["removed"], true);
    writer.kill();
    replica.signal("CONT");
    has_role(&replica, "writer", PATIENCE).await;
    let state = eventually(PATIENCE, || async {
        let state = city::state_text(&replica).await;
        if state.contains("Palazzo") { Ok(state) } else { Err(state) }
    })
    .await;
    assert!(state.contains("b1") && !state.contains("b2"), "{state}");
    // The removal holds there too, and a restart finds both.
    site.send(vec![bus("b2", 0, 42.5), bus("b3", 0, 42.2)]).await;
    writer.start_again().await;
    has_role(&writer, "replica", PATIENCE).await;
    eventually(PATIENCE, || async {
        let state = agree(&writer, &replica).await;
        if state.contains("b3") && state.contains("Palazzo") && !state.contains("b2") { Ok(()) } else { Err(state) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_slept_through_the_take_over_writes_nothing_more() {
    let site = Site::new("1000").await;
    let mut old = site.instance(&site.redis.url()).await;
    let new = site.instance(&site.redis.url()).await;
    let first = has_role(&old, "writer", PATIENCE).await;
    site.send(vec![bus("b1", 0, 42.0)]).await;
    eventually(PATIENCE, || async {
        let state = agree(&old, &new).await;
        if state.contains("b1") { Ok(()) } else { Err(state) }
    })
    .await;
    // Something on its way into the store when it falls asleep.
    site.send((1..200).map(|i| bus("b1", i, 42.0 + i as f64 / 1000.0)).collect()).await;
    old.signal("STOP");
    let taken = has_role(&new, "writer", PATIENCE).await;
    assert!(epoch(&taken) > epoch(&first), "{taken}");
    let removed = new.graphql(REMOVE, json!({ "id": "bus/b1" })).await;
    assert_eq!(removed["removeEntity"]["removed"], true);
    let token = site.token();
    assert_eq!(token, epoch(&taken));

    old.signal("CONT");
    has_role(&old, "replica", PATIENCE).await;
    assert_eq!(site.token(), token, "the token was taken once more");
    // It would have written the bus again, which only the new writer knows to be removed.
    assert_eq!(row(&site.redis, city::CITY, "buses", "b1").await, Value::Null);
    site.send(vec![bus("b2", 1000, 42.9)]).await;
    eventually(PATIENCE, || async {
        let state = agree(&old, &new).await;
        if state.contains("b2") { Ok(()) } else { Err("not there yet") }
    })
    .await;
    assert_eq!(row(&site.redis, city::CITY, "buses", "b1").await, Value::Null);
    let sequence = site.redis.cli(&["GET", &format!("twin:{{{}}}:sequence", city::CITY)]);
    assert!(sequence.starts_with(&format!("{token}/")), "the last to write was not the new writer: {sequence}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_cut_off_from_the_store_goes_on_until_it_sees_a_higher_epoch() {
    let site = Site::new("1000").await;
    let proxy = Proxy::start(&site.redis.address());
    let old = site.instance(&format!("redis://{}", proxy.address())).await;
    let first = has_role(&old, "writer", PATIENCE).await;
    proxy.set(Fault::Refuse);
    eventually(PATIENCE, || async {
        let now = readiness(&old).await;
        let said = now["degraded"]
            .as_array()
            .is_some_and(|list| list.iter().any(|fault| fault["what"] == "store" && fault["state"] == "down"));
        if said && now["ready"] == true && now["role"] == "writer" { Ok(()) } else { Err(format!("{now}")) }
    })
    .await;
    // Far longer than its lease: nobody else has taken it, so it publishes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    site.send(vec![bus("b1", 0, 42.25)]).await;
    eventually(PATIENCE, || async {
        let records = kafka::read_all(&site.kafka.brokers(), "state.incremental").await;
        let told = records.iter().any(|record| {
            record.header("epoch") == Some(&epoch(&first).to_string()) && record.json().to_string().contains("42.25")
        });
        if told { Ok(()) } else { Err("the bus is not published") }
    })
    .await;
    assert_eq!(row(&site.redis, city::CITY, "buses", "b1").await, Value::Null, "the store was to be cut off");

    let new = site.instance(&site.redis.url()).await;
    let taken = has_role(&new, "writer", PATIENCE).await;
    assert!(epoch(&taken) > epoch(&first), "{taken}");
    eventually(PATIENCE, || async {
        let now = readiness(&old).await;
        if now["role"] == "replica" && epoch(&now) == epoch(&taken) { Ok(()) } else { Err(format!("{now}")) }
    })
    .await;
    proxy.set(Fault::None);
    agree(&old, &new).await;
    assert_eq!(site.token(), epoch(&taken));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_store_gets_the_city_back_from_whoever_still_has_it() {
    let site = Site::new("1000").await;
    let mut writer = site.instance(&site.redis.url()).await;
    let replica = site.instance(&site.redis.url()).await;
    has_role(&writer, "writer", PATIENCE).await;
    has_role(&replica, "replica", PATIENCE).await;
    // No topic holds the import.
    let mut file = city::city_file();
    file["districts"][0]["buildings"][0]["name"] = json!("Palazzo");
    assert_eq!(put_city(&writer, &file).await.0, 200);
    site.send(vec![bus("b1", 0, 42.1)]).await;
    let before = eventually(PATIENCE, || async {
        let state = without_timestamp(&agree(&writer, &replica).await);
        if state.contains("b1") && state.contains("Palazzo") { Ok(state) } else { Err(state) }
    })
    .await;
    for turn in 1..=3 {
        let token = site.token();
        site.redis.flush_all();
        let written = |table: &'static str, field: &'static str| row(&site.redis, city::CITY, table, field);
        eventually(PATIENCE, || async {
            if written("city", "schema").await == Value::Null { Err("not written anew yet") } else { Ok(()) }
        })
        .await;
        // The chain of the new token is begun before the store is emptied once more.
        eventually(PATIENCE, || async {
            let fulls = kafka::read_all(&site.kafka.brokers(), "state.full").await;
            let newest = fulls.last().and_then(|full| full.header("epoch")?.parse::<u64>().ok()).unwrap_or(0);
            if newest > token { Ok(()) } else { Err(format!("the newest full has the epoch {newest}")) }
        })
        .await;
        assert!(site.token() > token);
        assert_eq!(written("district:centro:buildings", "town-hall").await["name"], "Palazzo", "turn {turn}");
        assert_eq!(without_timestamp(&agree(&writer, &replica).await), before);
    }
    // Without a writer the replica has it, and everything that it folded.
    writer.kill();
    site.redis.flush_all();
    site.send(vec![bus("b2", 1, 42.2)]).await;
    has_role(&replica, "writer", PATIENCE).await;
    eventually(PATIENCE, || async {
        let row = row(&site.redis, city::CITY, "buses", "b2").await;
        if row == Value::Null { Err("not stored yet") } else { Ok(()) }
    })
    .await;
    assert_eq!(row(&site.redis, city::CITY, "district:centro:buildings", "town-hall").await["name"], "Palazzo");
    writer.start_again().await;
    has_role(&writer, "replica", PATIENCE).await;
    // The full that begins its chain comes after what it stored.
    eventually(PATIENCE, || async {
        let after = agree(&writer, &replica).await;
        if ["Palazzo", "b1", "b2"].iter().all(|id| after.contains(id)) { Ok(()) } else { Err(after) }
    })
    .await;
}
