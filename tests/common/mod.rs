//! What the tests stand on: real servers on free ports, each of which dies with the test process.

// Each behaviour uses its own part of the harness; what none of them uses at the moment is still part of it.
#![allow(dead_code)]

pub mod certificates;
pub mod city;
pub mod data;
pub mod events;
pub mod kafka;
pub mod mongod;
pub mod node;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod server;
pub mod socket;
pub mod town;

use std::{
    future::Future,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Where `make test` puts what it fetches and builds (Kafka's jars, mongod); git-ignored.
pub fn services() -> PathBuf {
    root().join(".services")
}

/// Asks `probe` every 50 ms until it gives `Ok`, and returns that value.
///
/// Panics after `deadline` with the last `Err`, so that the message tells what was still wrong.
pub async fn eventually<T, E, F, Fut>(deadline: Duration, mut probe: F) -> T
where
    E: std::fmt::Display,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let start = Instant::now();
    loop {
        match probe().await {
            Ok(value) => return value,
            Err(still) if start.elapsed() >= deadline => panic!("not within {deadline:?}: {still}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// As [`eventually`], for starts that happen once and block: before there is a runtime, or in a `OnceLock`.
pub fn eventually_blocking<T, E: std::fmt::Display>(
    deadline: Duration,
    mut probe: impl FnMut() -> Result<T, E>,
) -> Result<T, String> {
    let start = Instant::now();
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(still) if start.elapsed() >= deadline => return Err(format!("not within {deadline:?}: {still}")),
            Err(_) => std::thread::sleep(Duration::from_millis(25)),
        }
    }
}
