//! The chain of boundaries, as consumers of the state topics and of `/api/state` see it.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Child,
};

use crate::common::{
    eventually,
    kafka::{self, Kafka, Record, Topic},
    node,
    redis::Redis,
    server::Server,
    town,
};

const DEADLINE: Duration = Duration::from_secs(90);
/// Boundaries and fulls come quickly, and so do take-overs.
pub const QUICK: [(&str, &str); 5] = [
    ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "500"),
    ("FULL_STATE_PUBLISH_INTERVAL_MS", "2000"),
    ("FLUSH_INTERVAL_MS", "200"),
    ("LEASE_MS", "1000"),
    ("INCIDENT_RETENTION", "2s"),
];

/// A running `follow_chain.mjs`.
struct Follower(Child);

impl Follower {
    fn start(brokers: &str, server: &Server, drop: usize) -> Self {
        let mut command = node::command("follow_chain.mjs", &[brokers, &server.url(""), &drop.to_string()]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        Self(command.spawn().expect("node starts"))
    }

    /// Lets it follow until this boundary, and gives its report; panics where it found a difference.
    async fn finish(mut self, until: &str) -> Value {
        let mut input = self.0.stdin.take().expect("piped");
        input.write_all(format!("until {until}\n").as_bytes()).await.expect("it reads");
        let mut output = String::new();
        let mut stdout = self.0.stdout.take().expect("piped");
        tokio::time::timeout(DEADLINE, stdout.read_to_string(&mut output)).await.expect("it ends").expect("it prints");
        assert!(self.0.wait().await.expect("it ended").success(), "{output}");
        serde_json::from_str(&output).expect("a report")
    }
}

/// Produces random events for a while, and now and then removes something by a mutation. The server may be down.
pub async fn live(brokers: &str, server: &Server, rng: &mut fastrand::Rng, turns: usize) {
    for turn in 0..turns {
        let events: Vec<Record> = (0..rng.usize(20..60)).map(|_| town::event(rng)).collect();
        kafka::produce(brokers, events).await;
        if turn % 3 == 0 {
            let n = rng.u8(..10);
            let ids = [format!("bus/bus-{n}"), format!("sensor/north/air-{n}"), format!("station/stop-{n}")];
            let query = json!({
                "query": "mutation($id: ID!) { removeEntity(id: $id) { removed } }",
                "variables": {"id": ids[rng.usize(..ids.len())]},
            });
            // It is not there while it restarts.
            let _ = server.http().post(server.url("/graphql")).json(&query).send().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The timestamp of the boundary that holds everything produced so far: one that came after it and is the newest for a while.
pub async fn settled(server: &Server) -> String {
    let mut last = String::new();
    let mut same = 0;
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let Ok(answer) = server.get("/api/state").await else { continue };
        let Some(now) = answer.headers().get("citytwin-state-timestamp") else { continue };
        let now = now.to_str().unwrap().to_owned();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        // Six incremental intervals without a change.
        if same >= 12 {
            return last;
        }
    }
    panic!("the city never comes to rest; last boundary {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_consumer_follows_the_chain_through_restarts() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    let mut server = town::server(&brokers, &redis.url(), &QUICK);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let (careful, forgetful) = (Follower::start(&brokers, &server, 0), Follower::start(&brokers, &server, 5));
    let mut rng = fastrand::Rng::with_seed(11);
    live(&brokers, &server, &mut rng, 40).await;
    server.stop_cleanly();
    live(&brokers, &server, &mut rng, 3).await;
    server.start_again().await;
    server.ready(DEADLINE).await;
    live(&brokers, &server, &mut rng, 30).await;
    server.kill();
    live(&brokers, &server, &mut rng, 3).await;
    server.start_again().await;
    server.ready(DEADLINE).await;
    live(&brokers, &server, &mut rng, 30).await;
    let until = settled(&server).await;

    let report = careful.finish(&until).await;
    let count = |report: &Value, name: &str| report[name].as_u64().unwrap();
    assert!(count(&report, "fulls") >= 4 && count(&report, "incrementals") >= 12, "{report}");
    assert!(report["epochs"].as_array().unwrap().len() >= 3, "{report}");
    assert_eq!(count(&report, "byDeltas"), 0, "a gap within an epoch: {report}");
    let report = forgetful.finish(&until).await;
    assert!(count(&report, "dropped") >= 2 && count(&report, "byDeltas") + count(&report, "byState") >= 2, "{report}");
    the_topic_is_one_chain(&brokers).await;
}

/// Within each epoch the incrementals of the topic lead from one to the next, from the epoch's first full on, each once;
/// epochs and timestamps only rise. Gives the incrementals.
async fn the_topic_is_one_chain(brokers: &str) -> Vec<Record> {
    let fulls = kafka::read_all(brokers, "state.full").await;
    let incrementals = kafka::read_all(brokers, "state.incremental").await;
    let epoch = |record: &Record| record.header("epoch").unwrap().parse::<u64>().unwrap();
    let timestamp = |record: &Record| record.json()["timestamp"].as_str().unwrap().to_owned();
    assert!(
        fulls.windows(2).all(|pair| epoch(&pair[0]) <= epoch(&pair[1]) && timestamp(&pair[0]) <= timestamp(&pair[1]))
    );
    let mut at = (0, String::new());
    for incremental in &incrementals {
        let (epoch_, to) = (epoch(incremental), timestamp(incremental));
        if epoch_ != at.0 {
            assert!(epoch_ > at.0, "epochs rise");
            let first = fulls.iter().find(|full| epoch(full) == epoch_).expect("a chain begins with a full");
            assert!(timestamp(first) > at.1, "timestamps rise over epochs");
            at = (epoch_, timestamp(first));
        }
        assert_eq!(incremental.header("previousTimestamp"), Some(at.1.as_str()));
        assert!(to > at.1);
        let keys: Vec<String> = incremental.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.len(), 3, "{keys:?}");
        assert!(incremental.value.as_ref().unwrap().starts_with(br#"{"cityId":"town","timestamp":""#));
        assert_eq!(incremental.key.as_deref(), Some(&b"town"[..]));
        at.1 = to;
    }
    incrementals
}

#[tokio::test(flavor = "multi_thread")]
async fn boundaries_fulls_and_missed_incrementals_by_http() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    let mut server = town::server(&brokers, &redis.url(), &QUICK);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let first: String = server.get_json("/api/state").await["timestamp"].as_str().unwrap().to_owned();
    let mut rng = fastrand::Rng::with_seed(12);
    for _ in 0..6 {
        kafka::produce(&brokers, (0..100).map(|_| town::event(&mut rng)).collect::<Vec<_>>()).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    let last = settled(&server).await;

    // The state of the last boundary, with its names.
    let answer = server.get("/api/state").await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let (tag, epoch) = (header("etag"), header("citytwin-epoch"));
    assert_eq!(header("citytwin-state-timestamp"), last);
    let millis = last.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(tag, format!("W/\"{epoch}-{millis}\""));
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    let body = answer.bytes().await.unwrap();
    let state: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(state["timestamp"], last.as_str());
    for (sent, status) in [(tag.as_str(), 304), ("*", 304), ("W/\"0-0\", \"x\"", 200), (&format!("\"a\", {tag}"), 304)]
    {
        let answer = server.http().get(server.url("/api/state")).header("if-none-match", sent).send().await.unwrap();
        assert_eq!(answer.status(), status, "{sent}");
        assert_eq!(answer.headers()["etag"], tag.as_str());
        assert_eq!(answer.bytes().await.unwrap().is_empty(), status == 304);
    }

    // A quiet city has no incrementals, and fulls that repeat the last boundary.
    let incrementals = the_topic_is_one_chain(&brokers).await;
    assert!(incrementals.len() >= 3);
    let repeated = eventually(DEADLINE, || async {
        let fulls = kafka::read_all(&brokers, "state.full").await;
        let repeated: Vec<Record> =
            fulls.into_iter().filter(|full| full.json()["timestamp"] == last.as_str()).collect();
        if repeated.len() >= 3 { Ok(repeated) } else { Err(format!("{} fulls of {last}", repeated.len())) }
    })
    .await;
    assert_eq!(kafka::read_all(&brokers, "state.incremental").await.len(), incrementals.len());
    for full in &repeated {
        // Byte for byte what `/api/state` says.
        assert_eq!(full.value.as_deref(), Some(&body[..]));
        assert_eq!(full.key.as_deref(), Some(&b"town"[..]));
        let headers: Vec<_> =
            full.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref().unwrap())).collect();
        let epoch = epoch.as_bytes();
        assert_eq!(headers, [("type", &b"full-state"[..]), ("version", b"1.0"), ("epoch", epoch)]);
    }

    // From any boundary the missed incrementals lead to the newest.
    let mut boundaries = vec![first.clone()];
    boundaries.extend(incrementals.iter().map(|record| record.json()["timestamp"].as_str().unwrap().to_owned()));
    assert_eq!(boundaries.last(), Some(&last));
    for (i, from) in boundaries.iter().enumerate() {
        let answer = server.get_json(&format!("/api/state/deltas?since={from}")).await;
        assert_eq!((&answer["epoch"], &answer["timestamp"]), (&json!(epoch.parse::<u64>().unwrap()), &json!(last)));
        let deltas = answer["deltas"].as_array().unwrap();
        assert_eq!(deltas.len(), boundaries.len() - 1 - i, "since {from}");
        for (delta, record) in deltas.iter().zip(&incrementals[i..]) {
            let mut expected = record.json();
            expected["previousTimestamp"] = json!(record.header("previousTimestamp").unwrap());
            assert_eq!(*delta, expected);
        }
    }
    let begin = kafka::read_all(&brokers, "state.full")
        .await
        .into_iter()
        .find(|full| full.json()["timestamp"] == first.as_str());
    let mut built = begin.expect("the first full").json();
    for delta in server.get_json(&format!("/api/state/deltas?since={first}")).await["deltas"].as_array().unwrap() {
        let input = json!({"state": built, "delta": delta["delta"]}).to_string();
        built = serde_json::from_str(&node::run("patch.mjs", &[], &input).await).unwrap();
    }
    assert_eq!(built, state);

    for gone in ["2020-01-01T00:00:00.000Z", "2030-01-01T00:00:00Z", &last.replace('Z', "1Z")] {
        assert_eq!(status(&server, &format!("/api/state/deltas?since={gone}")).await, 410, "{gone}");
    }
    for bad in
        ["", "?since=", "?since=yesterday", "?since=2026-01-01", "?since=1767571200000", "?until=2026-01-01T00:00:00Z"]
    {
        assert_eq!(status(&server, &format!("/api/state/deltas{bad}")).await, 400, "{bad}");
    }
    // Another form of the same moment names the same boundary.
    assert_eq!(status(&server, &format!("/api/state/deltas?since={}", last.replace('Z', "%2B00:00"))).await, 200);

    // A boundary of an older epoch is none any more.
    server.stop_cleanly();
    server.start_again().await;
    server.ready(DEADLINE).await;
    assert_eq!(status(&server, &format!("/api/state/deltas?since={last}")).await, 410);
    let next = server.get("/api/state").await.unwrap();
    assert!(next.headers()["citytwin-epoch"].to_str().unwrap().parse::<u64>().unwrap() > epoch.parse().unwrap());
    let mut next: Value = next.json().await.unwrap();
    assert!(next["timestamp"].as_str().unwrap() > last.as_str());
    next["timestamp"] = json!(last);
    assert_eq!(next, state, "a restart from the store changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_late_holds_the_incrementals_that_its_writer_holds() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    let mut writer = town::server(&brokers, &redis.url(), &QUICK);
    writer.start_again().await;
    writer.ready(DEADLINE).await;
    let first = writer.get_json("/api/state").await["timestamp"].as_str().unwrap().to_owned();
    let since_first = format!("/api/state/deltas?since={first}");
    let mut rng = fastrand::Rng::with_seed(14);
    live(&brokers, &writer, &mut rng, 30).await;
    settled(&writer).await;
    let held = writer.get_json(&since_first).await;
    let newest_full = kafka::read_all(&brokers, "state.full").await.last().unwrap().json()["timestamp"].clone();
    assert!(held["deltas"].as_array().unwrap().len() >= 4 && newest_full == held["timestamp"], "{held}");

    // It begins with the newest full, and yet has what led to it.
    let mut replica = town::server(&brokers, &redis.url(), &QUICK);
    replica.start_again().await;
    assert_eq!(replica.ready(DEADLINE).await["role"], "replica");
    let same = async || {
        eventually(DEADLINE, || async {
            let mut answers = Vec::new();
            for server in [&writer, &replica] {
                let answer = server.get(&since_first).await.map_err(|error| error.to_string())?;
                answers.push((answer.status(), answer.text().await.map_err(|error| error.to_string())?));
            }
            if answers[0] == answers[1] { Ok(answers.remove(0).1) } else { Err(format!("{:?}", answers[1])) }
        })
        .await
    };
    let deltas = |text: &str| serde_json::from_str::<Value>(text).unwrap()["deltas"].as_array().unwrap().len();
    assert_eq!(deltas(&same().await), held["deltas"].as_array().unwrap().len());
    // The fulls that come while it follows take nothing away.
    live(&brokers, &writer, &mut rng, 30).await;
    settled(&writer).await;
    assert!(deltas(&same().await) >= held["deltas"].as_array().unwrap().len() + 4);
}

async fn status(server: &Server, path: &str) -> u16 {
    server.get(path).await.unwrap().status().as_u16()
}

/// Waits until readiness names (or no longer names) a part.
async fn readiness_names(server: &Server, what: &str, named: bool) {
    eventually(DEADLINE, || async {
        let answer = server.get("/readyz").await.map_err(|error| error.to_string())?;
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        let found = body["degraded"].as_array().is_some_and(|faults| faults.iter().any(|fault| fault["what"] == what));
        if found == named { Ok(()) } else { Err(format!("named {what}: {found}: {body}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_a_frozen_broker_heal_and_never_break_the_chain() {
    let (mut kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    let settings = [QUICK.as_slice(), &[("LEASE_MS", "5000")]].concat();
    let big = [("max.message.bytes", "67108864")];
    let topic = |name| Topic { name, partitions: 1, config: big.to_vec() };
    kafka::create_topics(&brokers, &[topic("state.full"), topic("state.incremental")]).await;
    let mut server = town::server(&brokers, &redis.url(), &settings);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let follower = Follower::start(&brokers, &server, 0);
    let mut rng = fastrand::Rng::with_seed(13);
    live(&brokers, &server, &mut rng, 10).await;
    settled(&server).await;

    // Scripts drop a table only where the whole store is replaced.
    let dropped = || {
        let stats = redis.cli(&["INFO", "commandstats"]);
        stats
            .lines()
            .find(|line| line.starts_with("cmdstat_unlink:"))
            .and_then(|line| line.split(',').next().map(str::to_owned))
    };
    let (dropped_before, epoch) = (dropped(), server.ready(DEADLINE).await["epoch"].as_u64());
    // Incrementals are refused; fulls are not.
    kafka::configure_topic(&brokers, "state.incremental", &[("max.message.bytes", "150")]).await;
    kafka::produce(&brokers, (0..20).map(|n| town::bus(&format!("refused-{n}"), n)).collect::<Vec<_>>()).await;
    readiness_names(&server, "state.incremental", true).await;
    assert!(server.log().contains("incremental refused"));
    live(&brokers, &server, &mut rng, 10).await;
    // It stays so through new chains, as long as nothing fits. The store is well, and is not written anew.
    readiness_names(&server, "state.incremental", true).await;
    eventually(DEADLINE, || async {
        let now = server.ready(DEADLINE).await;
        if now["epoch"].as_u64() > epoch { Ok(()) } else { Err(format!("no new chain: {now}")) }
    })
    .await;
    assert_eq!(dropped(), dropped_before);
    kafka::configure_topic(&brokers, "state.incremental", &big).await;
    kafka::produce(&brokers, [town::bus("after", 1)]).await;
    readiness_names(&server, "state.incremental", false).await;
    settled(&server).await;
    let state = server.get_json("/api/state").await.to_string();
    assert!(state.contains("\"refused-19\"") && state.contains("\"after\""));

    // A full that does not fit: the incrementals go on, and so does /api/state.
    kafka::configure_topic(&brokers, "state.full", &[("max.message.bytes", "150")]).await;
    readiness_names(&server, "state.full", true).await;
    kafka::produce(&brokers, [town::bus("without-full", 1)]).await;
    settled(&server).await;
    assert!(server.get_json("/api/state").await.to_string().contains("\"without-full\""));
    assert_eq!(server.get("/readyz").await.unwrap().status(), 200, "readers are served");
    kafka::configure_topic(&brokers, "state.full", &big).await;
    readiness_names(&server, "state.full", false).await;

    // A broker that hangs: what was under way is there once, in order.
    kafka::produce(&brokers, (0..500).map(|_| town::event(&mut rng)).collect::<Vec<_>>()).await;
    kafka.freeze();
    readiness_names(&server, "publish", true).await;
    kafka.thaw();
    live(&brokers, &server, &mut rng, 10).await;
    readiness_names(&server, "publish", false).await;
    let until = settled(&server).await;
    let report = follower.finish(&until).await;
    assert!(report["fulls"].as_u64() >= Some(3), "{report}");
    the_topic_is_one_chain(&brokers).await;
    server.stop_cleanly();
}
