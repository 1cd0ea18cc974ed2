//! The commands as a user runs them: exit codes, what is printed, and what they do to a server and to a store.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::common::{
    eventually,
    kafka::{Kafka, Record, produce},
    ports,
    redis::Redis,
    root,
    server::{self, Server, citytwin},
};

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What the command printed; panics where it failed.
async fn done(args: &[&str], settings: &[(&str, &str)]) -> String {
    let output = citytwin(args, settings, "").await;
    assert!(output.status.success(), "{args:?}: {}\n{}{}", output.status, stdout(&output), stderr(&output));
    stdout(&output)
}

/// What it said on standard error; panics unless it ended with that code.
async fn failed(code: i32, args: &[&str], settings: &[(&str, &str)]) -> String {
    let output = citytwin(args, settings, "").await;
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}{}", stdout(&output), stderr(&output));
    stderr(&output)
}

/// A city with one district and these buildings.
fn city(id: &str, buildings: &[&str]) -> Value {
    let buildings: Vec<Value> =
        buildings.iter().map(|id| json!({"buildingId": id, "name": id, "totalCapacity": 10})).collect();
    json!({"cityId": id, "name": "A city", "districts": [{"districtId": "d", "name": "D", "buildings": buildings}]})
}

fn written(folder: &Path, name: &str, city: &Value) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, city.to_string()).expect("the folder is ours");
    path
}

/// The counts of one line of the table that `import` prints.
fn counts(table: &str, kind: &str) -> Vec<u32> {
    let line = table.lines().find(|line| line.starts_with(kind)).unwrap_or_else(|| panic!("no {kind} in\n{table}"));
    line[kind.len()..].split_whitespace().map(|count| count.parse().expect("a number")).collect()
}

async fn buildings(server: &Server) -> Vec<String> {
    let state = server.get_json("/api/state").await;
    let list = state["districts"].as_array().into_iter().flatten().filter_map(|d| d["buildings"].as_array().cloned());
    list.flatten().map(|building| building["buildingId"].as_str().expect("an id").to_owned()).collect()
}

const QUICK: [(&str, &str); 2] =
    [("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "100"), ("FULL_STATE_PUBLISH_INTERVAL_MS", "500")];

#[tokio::test]
async fn a_wrong_value_is_exit_64_and_one_line_that_names_it() {
    let said = failed(64, &["config"], &[("BATCH_SIZE", "many")]).await;
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in ["BATCH_SIZE", "\"many\"", "accepted"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let said = failed(64, &["serve", "--http-addr", "nowhere"], &[]).await;
    assert!(said.lines().count() == 1 && said.contains("--http-addr"), "{said}");
    let said = failed(64, &["offsets", "reset", "--to", "end", "--topic", "no.such"], &[]).await;
    assert!(said.contains("transport.gps"), "{said}");
    failed(64, &["serve", "--no-such-flag"], &[]).await;
    failed(64, &["import"], &[]).await;
}

/// What only the store, the city file or librdkafka finds out.
#[tokio::test]
async fn a_wrong_value_that_shows_late_is_exit_64_and_one_line_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (missing, broken, twice) = (at("missing"), at("broken.json"), at("twice.json"));
    std::fs::write(&broken, "no json").expect("ours");
    written(folder.path(), "twice.json", &city("c", &["a", "a"]));
    let other = written(folder.path(), "other.json", &city("elsewhere", &[])).display().to_string();
    let contradiction = at("contradiction.toml");
    std::fs::write(&contradiction, "[kafka.producer]\nacks = \"1\"\n").expect("ours");
    let no_user = [("KAFKA_SASL_MECHANISM", "PLAIN"), ("KAFKA_SECURITY_PROTOCOL", "sasl_plaintext")];
    let no_ca = format!("rediss://h?ca={missing}");
    let cases: &[(&[&str], &[(&str, &str)], &[&str])] = &[
        (&["serve"], &[("REDIS_URL", "redis://localhost:6379/many")], &["REDIS_URL", "/many", "redis://"]),
        (&["serve"], &[("REDIS_URL", "redis://a:1,b:2")], &["REDIS_URL", "redis://a:1,b:2"]),
        (&["serve"], &[("REDIS_URL", &no_ca)], &["REDIS_URL", &missing]),
        (&["offsets", "show"], &[("REDIS_URL", "redis://localhost:6379/many")], &["REDIS_URL"]),
        (&["serve"], &[("CITY_FILE", &missing)], &["CITY_FILE", &missing, "No such file", "accepted"]),
        (&["serve"], &[("CITY_FILE", &broken)], &["CITY_FILE", &broken, "JSON", "accepted"]),
        (&["serve"], &[("CITY_FILE", &twice)], &["CITY_FILE", &twice, "districts.0.buildings.1", "accepted"]),
        (&["offsets", "show"], &[("CITY_FILE", &broken)], &["CITY_FILE", &broken, "accepted"]),
        (&["serve"], &[("CITY_FILE", &other), ("CITY_ID", "c")], &["CITY_ID", "\"c\"", "elsewhere", "accepted"]),
        (&["serve", "--config", &contradiction], &[], &["`acks`", "must be set to `all`"]),
        (&["serve"], &no_user, &["sasl.username"]),
        (&["record", "new.ndjson"], &no_user, &["sasl.username"]),
        (&["serve"], &[("KAFKA_SSL_CA_LOCATION", &missing), ("KAFKA_SECURITY_PROTOCOL", "ssl")], &["ssl.ca.location"]),
    ];
    for (args, settings, parts) in cases {
        let address = ("HTTP_ADDR", "127.0.0.1:0");
        let data = at("data");
        let mut all =
            vec![address, ("DATA_DIR", data.as_str()), ("KAFKA_BROKERS", "127.0.0.1:1"), ("REDIS_URL", "embedded")];
        all.extend_from_slice(settings);
        let said = failed(64, args, &all).await;
        let line = said.lines().last().unwrap_or_default();
        assert!(line.starts_with("citytwin: "), "{args:?} {settings:?}: {said}");
        for part in *parts {
            assert!(line.contains(part), "{args:?} {settings:?}: {part} in {said}");
        }
    }
}

#[tokio::test]
async fn a_cause_is_said_once() {
    let said = failed(1, &["replay", "no-such.ndjson"], &[("KAFKA_BROKERS", "127.0.0.1:1")]).await;
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(server::binary())
        .args(["config", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("citytwin starts");
    // `head -1` reads a line and goes.
    let mut line = String::new();
    let mut out = BufReader::with_capacity(16, child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    drop(out);
    let status = child.wait().expect("it ends");
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert!(status.success() && said.is_empty(), "{status}: {said}");
}

#[tokio::test]
async fn every_command_has_help_and_a_script_for_each_shell_is_there() {
    let help = done(&["--help"], &[]).await;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    for name in ["demo", "serve", "import", "record", "replay", "follow", "offsets", "schema", "config", "completions"]
    {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for name in names.into_iter().filter(|name| *name != "help") {
        let help = done(&[name, "--help"], &[]).await;
        assert!(help.contains("Usage: citytwin ") && help.contains("Examples:"), "{name}: {help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(done(&["completions", shell], &[]).await.contains("citytwin"), "{shell}");
    }
    assert!(done(&["--version"], &[]).await.starts_with("citytwin "));
}

#[tokio::test]
async fn the_schema_is_that_of_the_repository() {
    let file = std::fs::read_to_string(root().join("schema.graphql")).expect("schema.graphql");
    let same = done(&["schema"], &[]).await == file;
    assert!(same, "schema.graphql lags behind: `citytwin schema > schema.graphql`");
}

#[tokio::test]
async fn import_replaces_the_city_of_a_running_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = written(folder.path(), "first.json", &city("c", &["a", "b"]));
    let second = written(folder.path(), "second.json", &city("c", &["b", "c", "d"]));
    let settings = [("KAFKA_BROKERS", "embedded"), ("REDIS_URL", "embedded"), ("ADMIN_TOKEN", "hunter2")];
    let first = first.display().to_string();
    let mut all = settings.to_vec();
    all.extend(QUICK);
    all.push(("CITY_FILE", &first));
    let server = Server::start_ready(&all).await;
    assert_eq!(buildings(&server).await, ["a", "b"]);

    let (second, address) = (second.display().to_string(), format!("127.0.0.1:{}", server.port()));
    let said = failed(1, &["import", &second], &[("HTTP_ADDR", &address)]).await;
    assert!(said.contains("401"), "{said}");
    let said = failed(1, &["import", &second, "--token", "wrong"], &[("HTTP_ADDR", &address)]).await;
    assert!(said.contains("401") && !said.contains("wrong"), "{said}");
    assert_eq!(buildings(&server).await, ["a", "b"]);

    let table = done(&["import", &second], &[("HTTP_ADDR", &address), ("ADMIN_TOKEN", "hunter2")]).await;
    assert_eq!(counts(&table, "buildings"), [2, 0, 1], "{table}");
    eventually(Duration::from_secs(20), || async {
        let now = buildings(&server).await;
        if now == ["b", "c", "d"] { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;

    // The same again, packed, by the server's URL: nothing changes.
    let packed = pack(Path::new(&second));
    let url = server.url("");
    let table = done(&["import", &packed.display().to_string(), "--url", &url, "--token", "hunter2"], &[]).await;
    assert_eq!(counts(&table, "buildings"), [0, 0, 0], "{table}");

    let other = written(folder.path(), "other.json", &city("elsewhere", &["x"])).display().to_string();
    let said = failed(1, &["import", &other, "--url", &url, "--token", "hunter2"], &[]).await;
    assert!(said.contains("409") && said.contains("elsewhere"), "{said}");
}

#[tokio::test]
async fn the_citys_name_is_the_stores_else_the_files_else_the_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let named = written(folder.path(), "named.json", &city("c", &[])).display().to_string();
    let nameless =
        written(folder.path(), "nameless.json", &json!({"cityId": "c", "districts": []})).display().to_string();
    let settings = |file| {
        [("KAFKA_BROKERS", "embedded"), ("REDIS_URL", "embedded"), ("CITY_FILE", file), ("CITY_NAME", "By the setting")]
    };
    let name = async |server: &Server| server.graphql("{ city { name } }", json!({})).await["city"]["name"].clone();
    let server = Server::start_ready(&settings(named.as_str())).await;
    assert_eq!(name(&server).await, "A city");
    let mut server = Server::start_ready(&settings(nameless.as_str())).await;
    assert_eq!(name(&server).await, "By the setting");
    // What the store has stays, whatever file and setting say later.
    server.stop_cleanly();
    server.set("CITY_NAME", "Another");
    server.set("CITY_FILE", &named);
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    assert_eq!(name(&server).await, "By the setting");
}

#[tokio::test]
async fn import_goes_on_to_the_writer_that_a_replica_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let (brokers, url) = (kafka.brokers(), redis.url());
    let mut settings = vec![("KAFKA_BROKERS", brokers.as_str()), ("REDIS_URL", url.as_str()), ("CITY_ID", "c")];
    settings.extend(QUICK);
    let writer = Server::start_ready(&settings).await;
    let replica = Server::start_ready(&settings).await;
    assert_eq!(replica.get_json("/readyz").await["role"], "replica");
    let file = written(folder.path(), "city.json", &city("c", &["a"])).display().to_string();
    let table = done(&["import", &file, "--url", &replica.url("")], &[]).await;
    assert_eq!(counts(&table, "buildings"), [1, 0, 0], "{table}");
    for server in [&writer, &replica] {
        eventually(Duration::from_secs(30), || async {
            let now = buildings(server).await;
            if now == ["a"] { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await;
    }
}

/// The file as gzip beside it.
fn pack(path: &Path) -> PathBuf {
    let status = Command::new("gzip").args(["-k", "-f"]).arg(path).status().expect("gzip is there");
    assert!(status.success());
    PathBuf::from(format!("{}.gz", path.display()))
}

#[tokio::test]
async fn a_bad_city_file_prints_all_its_errors_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let nowhere = format!("127.0.0.1:{}", ports::free());
    let settings = [("REDIS_URL", "embedded"), ("DATA_DIR", data.as_str()), ("HTTP_ADDR", nowhere.as_str())];
    let mut bad = city("c", &["a", "a"]);
    bad["districts"][0]["buildings"][0]["totalCapacity"] = json!(-1);
    bad["districts"][0]["name"] = json!(7);
    let bad = written(folder.path(), "bad.json", &bad).display().to_string();
    let said = failed(1, &["import", &bad], &settings).await;
    for path in ["districts.0.name ", "districts.0.buildings.0.totalCapacity ", "districts.0.buildings.1 "] {
        assert!(said.contains(path), "{path} in {said}");
    }
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(said.contains("3 errors, nothing was imported"), "{said}");
    assert!(!Path::new(&data).exists(), "the store was touched");

    std::fs::write(&bad, "no json").expect("ours");
    assert!(failed(1, &["import", &bad], &settings).await.contains("is no JSON"));
    assert!(failed(1, &["import", "no/such.json"], &settings).await.contains("no/such.json"));
}

/// Into a store without a server; then a server finds it; while that runs, and nothing answers at the URL, it is refused.
async fn imports_without_a_server(redis_url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data").display().to_string();
    let nowhere = format!("127.0.0.1:{}", ports::free());
    let store = [("REDIS_URL", redis_url), ("DATA_DIR", data.as_str())];
    let offline = [store[0], store[1], ("HTTP_ADDR", nowhere.as_str())];
    let first = written(folder.path(), "first.json", &city("c", &["a"])).display().to_string();
    let second = written(folder.path(), "second.json", &city("c", &["b"])).display().to_string();

    assert_eq!(counts(&done(&["import", &first], &offline).await, "buildings"), [1, 0, 0]);
    assert_eq!(counts(&done(&["import", &second], &offline).await, "buildings"), [1, 0, 1]);
    let said = failed(1, &["import", &first, "--url", &format!("http://{nowhere}")], &offline).await;
    assert!(said.contains("no server answers"), "{said}");
    let mut other = offline.to_vec();
    other.push(("CITY_ID", "elsewhere"));
    assert!(failed(1, &["import", &first], &other).await.contains("elsewhere"));

    let mut settings = vec![("KAFKA_BROKERS", "embedded"), ("CITY_ID", "c")];
    settings.extend(store);
    settings.extend(QUICK);
    let mut server = Server::start_ready(&settings).await;
    assert_eq!(buildings(&server).await, ["b"]);
    let said = failed(1, &["import", &first], &offline).await;
    let address = server.url("");
    assert!(said.contains("lease") && said.contains(&address), "{said} names {address}");
    assert_eq!(buildings(&server).await, ["b"]);

    // The lease is given back at a stop, so the store can be written at once.
    server.stop_cleanly();
    assert_eq!(counts(&done(&["import", &first], &offline).await, "buildings"), [1, 0, 1]);
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    assert_eq!(buildings(&server).await, ["a"]);
}

#[tokio::test]
async fn import_writes_the_embedded_store_where_no_server_runs() {
    imports_without_a_server("embedded").await;
}

#[tokio::test]
async fn import_writes_redis_where_no_server_runs() {
    let redis = Redis::start();
    imports_without_a_server(&redis.url()).await;
}

/// A bus somewhere, as an event.
fn gps(bus: u32, passengers: u32, at_ms: i64) -> Record {
    let value = json!({
        "busId": format!("bus-{bus}"), "passengerCount": passengers,
        "currentLocation": {"latitude": 42.35, "longitude": 13.4},
    });
    Record::new("transport.gps", &format!("bus-{bus}"), &value.to_string()).at(at_ms)
}

async fn shown(settings: &[(&str, &str)]) -> Vec<Value> {
    let json = done(&["offsets", "show", "--format", "json"], settings).await;
    let all: Vec<Value> = serde_json::from_str(&json).expect("an array");
    all.into_iter().filter(|shown| shown["topic"] == "transport.gps").collect()
}

fn sum(shown: &[Value], field: &str) -> i64 {
    shown.iter().map(|shown| shown[field].as_i64().unwrap_or_default()).sum()
}

#[tokio::test]
async fn offsets_are_shown_and_moved_while_no_server_runs() {
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let (brokers, url) = (kafka.brokers(), redis.url());
    let settings = [("KAFKA_BROKERS", brokers.as_str()), ("REDIS_URL", url.as_str()), ("CITY_ID", "c")];
    let mut all = settings.to_vec();
    all.extend(QUICK);
    all.push(("FLUSH_INTERVAL_MS", "50"));
    let mut server = Server::start_ready(&all).await;
    let start = jiff::Timestamp::now().as_millisecond() - 100_000;
    produce(&brokers, (0..100).map(move |n| gps(n % 10, n, start + i64::from(n) * 1000))).await;
    let shown_now = eventually(Duration::from_secs(20), || async {
        let shown = shown(&settings).await;
        if sum(&shown, "offset") == 100 { Ok(shown) } else { Err(format!("{shown:?}")) }
    })
    .await;
    assert_eq!((sum(&shown_now, "end"), sum(&shown_now, "lag")), (100, 0));
    assert!(shown_now.iter().any(|shown| shown["eventTime"].as_str().is_some_and(|time| time.ends_with('Z'))));
    let table = done(&["offsets", "show"], &settings).await;
    assert!(table.starts_with("topic ") && table.contains("transport.gps"), "{table}");

    let said = failed(1, &["offsets", "reset", "--to", "earliest"], &settings).await;
    assert!(said.contains("lease") && said.contains(&server.url("")), "{said}");
    server.stop_cleanly();

    // Back: all of them are folded once more, and the city stays as it is.
    let reset = citytwin(&["offsets", "reset", "--to", "earliest"], &settings, "").await;
    assert!(reset.status.success(), "{}", stderr(&reset));
    assert!(stderr(&reset).contains("100 records will be folded once more"), "{}", stderr(&reset));
    let after = shown(&settings).await;
    assert_eq!((sum(&after, "offset"), sum(&after, "lag")), (0, 100));
    let times = |shown: &[Value]| shown.iter().map(|shown| shown["eventTime"].clone()).collect::<Vec<_>>();
    assert_eq!(times(&after), times(&shown_now), "what was seen stays seen");

    // To a time: the newer half is left, over all partitions.
    let time = jiff::Timestamp::from_millisecond(start + 50_000).expect("a time").to_string();
    done(&["offsets", "reset", "--to", &time, "--topic", "transport.gps"], &settings).await;
    assert_eq!(sum(&shown(&settings).await, "lag"), 50);

    // One partition to its end: its records are never folded.
    let reset =
        citytwin(&["offsets", "reset", "--to", "end", "--topic", "transport.gps", "--partition", "0"], &settings, "")
            .await;
    assert!(reset.status.success(), "{}", stderr(&reset));
    assert_eq!(shown(&settings).await[0]["lag"], json!(0));
    let said =
        failed(1, &["offsets", "reset", "--to", "end", "--topic", "transport.gps", "--partition", "77"], &settings)
            .await;
    assert!(said.contains("77"), "{said}");

    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    eventually(Duration::from_secs(20), || async {
        let lag = sum(&shown(&settings).await, "lag");
        if lag == 0 { Ok(()) } else { Err(format!("lag {lag}")) }
    })
    .await;
}

#[tokio::test]
async fn a_broker_inside_another_process_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("day.ndjson");
    std::fs::write(&file, "{\"topic\":\"transport.gps\",\"key\":\"a\",\"timestamp\":1,\"value\":\"{}\"}\n")
        .expect("ours");
    let file = file.display().to_string();
    for args in [
        &["follow"][..],
        &["record", "new.ndjson"],
        &["replay", &file],
        &["offsets", "show"],
        &["offsets", "reset", "--to", "end"],
    ] {
        let said = failed(1, args, &[("KAFKA_BROKERS", "embedded"), ("REDIS_URL", "embedded")]).await;
        for part in ["KAFKA_BROKERS=embedded", "--kafka-embedded-port", "--kafka-brokers 127.0.0.1:"] {
            assert!(said.contains(part), "{args:?}: {part} in {said}");
        }
    }
}
