//! What the whole system costs, on real servers: `make bench`, or `cargo bench --bench system -- [--markdown] [PART…]`.
//!
//! Kafka and Redis run on the same machine, on free ports, and end with the bench. Costs are CPU times of the server's
//! process wherever that can be told; wall times on a machine that does other work are upper bounds, and the load
//! average stands beside each figure. `--markdown` writes the tables into `docs/performance.md`.

#[path = "../../tests/common/mod.rs"]
mod common;

mod catch_up;
mod cities;
mod city_live;
mod core;
mod demo;
mod events;
mod large;
mod living;
mod machine;
mod produce;
mod report;
mod scrape;
mod stores;
mod viewers;
mod wire;

use std::{future::Future, pin::Pin, process::ExitCode, time::Duration};

use common::server::Server;
use report::Figure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// No part takes this long; one that does hangs.
const LONGEST: Duration = Duration::from_secs(300);

/// The server under test with these settings, not started yet. `CITYTWIN_BENCH_CONFIG` names a settings file for it, to
/// try settings out.
fn server(settings: &[(&str, &str)]) -> Server {
    let file = std::env::var("CITYTWIN_BENCH_CONFIG").ok();
    let command: Vec<&str> = ["serve"].into_iter().chain(file.iter().flat_map(|file| ["--config", file])).collect();
    Server::new(&command, settings)
}

type Part = Pin<Box<dyn Future<Output = Vec<Figure>> + Send>>;

const PARTS: [(&str, &str); 12] = [
    ("core", "The core"),
    ("stores", "The stores"),
    ("catch-up", "Catching up from Kafka"),
    ("living", "10,000 events/s"),
    ("subscribers", "Many subscribers"),
    ("viewers", "A thousand maps"),
    ("large", "100,000 entities"),
    ("demo", "The demo"),
    ("live-page", "City Live: pages"),
    ("live-intake", "City Live: the consumer"),
    ("live-process", "City Live: processing"),
    ("live-first", "City Live: first data"),
];

fn part(name: &str) -> Part {
    match name {
        "core" => Box::pin(async { tokio::task::spawn_blocking(core::run).await.expect("the core") }),
        "stores" => Box::pin(stores::run()),
        "catch-up" => Box::pin(catch_up::run()),
        "living" => Box::pin(living::run()),
        "subscribers" => Box::pin(living::subscribers()),
        "viewers" => Box::pin(viewers::run()),
        "large" => Box::pin(large::run()),
        "live-page" => Box::pin(city_live::page()),
        "live-intake" => Box::pin(city_live::intake()),
        "live-process" => Box::pin(city_live::processing()),
        "live-first" => Box::pin(city_live::first_data()),
        _ => Box::pin(demo::run()),
    }
}

fn main() -> ExitCode {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let markdown = args.iter().any(|arg| arg == "--markdown");
    let wanted: Vec<&str> = args.iter().map(String::as_str).filter(|arg| !arg.starts_with("--")).collect();
    if let Some(unknown) = wanted.iter().find(|name| PARTS.iter().all(|(part, _)| part != *name)) {
        eprintln!("{unknown}: no such part; accepted: {}", PARTS.map(|(part, _)| part).join(", "));
        return ExitCode::from(64);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let machine = machine::describe();
    println!("Measured on {machine}.\n");
    let mut failed = false;
    for (name, title) in PARTS.into_iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        println!("## {title}\n");
        let figures = runtime.block_on(async { tokio::time::timeout(LONGEST, tokio::spawn(part(name))).await });
        let figures = match figures {
            Ok(Ok(figures)) => figures,
            Ok(Err(error)) => {
                eprintln!("{name}: {error}");
                failed = true;
                continue;
            }
            Err(_) => {
                eprintln!("{name}: not done within {LONGEST:?}");
                failed = true;
                continue;
            }
        };
        let table = report::table(&figures);
        println!("{table}");
        if markdown && !write(name, &format!("{}.\n\n{table}", machine::describe())) {
            eprintln!("{name}: docs/performance.md has no place for it");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Writes a part's table into the page; `false` where that has no markers for it.
fn write(part: &str, text: &str) -> bool {
    let path = common::root().join("docs/performance.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    report::replace(&page, part, text).is_some_and(|page| std::fs::write(&path, page).is_ok())
}
