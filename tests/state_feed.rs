//! The consumers of `docs/state-feed.md`, as they stand there, against a server that is restarted and killed.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Child,
};

use crate::{
    chain::{QUICK, live, settled},
    common::{kafka::Kafka, node, redis::Redis, root, town},
};

const DEADLINE: Duration = Duration::from_secs(90);
const PROGRAMS: [&str; 3] = ["fulls.mjs", "incrementals_with_fulls.mjs", "incrementals_with_http.mjs"];

/// Writes each JavaScript block of the page that begins with a file name into a file of that name; gives the names.
fn extract(page: &str, folder: &Path) -> Vec<String> {
    let blocks = page.split("```js\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut names = Vec::new();
    for block in blocks {
        let name = block
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("// "))
            .expect("a block begins with its file's name");
        std::fs::write(folder.join(name), block).unwrap();
        names.push(name.to_owned());
    }
    names
}

fn start(module: &Path, brokers: &str, url: &str) -> Child {
    let mut command = node::command("state_feed_run.mjs", &[&module.display().to_string(), brokers, url]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts")
}

async fn finish(name: &str, mut child: Child, until: &str) -> Value {
    child.stdin.as_mut().expect("piped").write_all(format!("until {until}\n").as_bytes()).await.expect("it reads");
    let mut output = String::new();
    let mut stdout = child.stdout.take().expect("piped");
    let read = tokio::time::timeout(DEADLINE, stdout.read_to_string(&mut output)).await;
    read.unwrap_or_else(|_| panic!("{name} does not come to {until}")).expect("it prints");
    assert!(child.wait().await.expect("it ended").success(), "{name} ends with another state");
    // kafkajs writes its own log there, too.
    serde_json::from_str(output.lines().last().unwrap_or_default()).expect("a report")
}

/// A `kafkajs` that hands out what it is given, so that a test can choose the order of two topics.
const HANDED_OUT: &str = "export class Kafka {
  consumer = () => ({
    connect() {}, disconnect() {},
    subscribe({ topics }) { globalThis.topics = topics; },
    run({ eachMessage }) { globalThis.take = eachMessage; },
  });
}";

#[tokio::test]
async fn the_consumers_of_the_documentation_remember_the_highest_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let modules = folder.path().join("node_modules");
    std::fs::create_dir_all(modules.join("kafkajs")).unwrap();
    std::fs::write(modules.join("kafkajs/package.json"), r#"{"type": "module", "exports": "./index.js"}"#).unwrap();
    std::fs::write(modules.join("kafkajs/index.js"), HANDED_OUT).unwrap();
    let library = "jsondiffpatch";
    std::os::unix::fs::symlink(root().join("tests/node/node_modules").join(library), modules.join(library)).unwrap();
    let page = std::fs::read_to_string(root().join("docs/state-feed.md")).unwrap();
    extract(&page, folder.path());
    for (program, states) in [(PROGRAMS[1], r#"["1","2","3","7"]"#), (PROGRAMS[2], r#"["1","3","7"]"#)] {
        let module = folder.path().join(program).display().to_string();
        let printed = node::run("state_feed_epochs.mjs", &[&module], "").await;
        assert_eq!(printed.trim(), states, "{program}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consumers_of_the_documentation_end_with_the_servers_state() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("tests/node/node_modules"), folder.path().join("node_modules")).unwrap();
    let page = std::fs::read_to_string(root().join("docs/state-feed.md")).unwrap();
    assert_eq!(extract(&page, folder.path()), PROGRAMS);

    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    let brokers = kafka.brokers();
    let mut server = town::server(&brokers, &redis.url(), &QUICK);
    server.start_again().await;
    server.ready(DEADLINE).await;
    let mut rng = fastrand::Rng::with_seed(21);
    live(&brokers, &server, &mut rng, 5).await;
    let running = PROGRAMS.map(|name| start(&folder.path().join(name), &brokers, &server.url("")));
    live(&brokers, &server, &mut rng, 30).await;
    server.stop_cleanly();
    server.start_again().await;
    server.ready(DEADLINE).await;
    live(&brokers, &server, &mut rng, 15).await;
    server.kill();
    live(&brokers, &server, &mut rng, 3).await;
    server.start_again().await;
    server.ready(DEADLINE).await;
    live(&brokers, &server, &mut rng, 20).await;
    let until = settled(&server).await;
    for (name, child) in PROGRAMS.into_iter().zip(running) {
        let report = finish(name, child, &until).await;
        let least = if name == PROGRAMS[0] { 3 } else { 8 };
        assert!(report["states"].as_u64() >= Some(least), "{name}: {report}");
    }
    server.stop_cleanly();
}
