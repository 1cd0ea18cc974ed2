//! `citytwin demo` as a user starts it.

use std::time::{Duration, Instant};

use crate::{catch_up::until_ready, common::server::Server, living::share, machine, report::Figure, scrape::Scrape};

const WINDOW: Duration = Duration::from_secs(26);

pub async fn run() -> Vec<Figure> {
    let mut server = Server::new(&["demo"], &[]);
    let began = Instant::now();
    server.launch();
    until_ready(&server, Duration::from_millis(20)).await;
    let ready = began.elapsed();
    // The first incremental holds the city's waking up.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let before = Scrape::of(&server).await;
    let (cpu, began) = (machine::cpu(server.pid()), Instant::now());
    tokio::time::sleep(WINDOW).await;
    let (cpu, took) = (machine::cpu(server.pid()) - cpu, began.elapsed());
    let after = Scrape::of(&server).await;
    let rate = (after.sum("citytwin_events_total", "") - before.sum("citytwin_events_total", "")) / took.as_secs_f64();
    let mut figures = vec![
        Figure::new("demo: time to ready", ready.as_secs_f64(), "s wall").at_most(10.0).note("an empty data folder"),
        Figure::new("demo: share of a core", cpu.as_secs_f64() / took.as_secs_f64() * 100.0, "%")
            .note(format!("broker, city, stores and server in one process; {rate:.0} events/s")),
    ];
    figures.extend(share("demo: incremental as a share of the full", &before, &after));
    figures
}
