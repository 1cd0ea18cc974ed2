//! The map at `/` in a real browser, against the real server: what a person sees when things happen.
//!
//! The deadlines are those of a released server on a machine that has nothing else to do, times [`SLACK`]; the scripts print
//! what they measured. `cargo test --release --test it web_map` holds the page to them more strictly.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::common::{
    city::city_file_on_disk,
    kafka::{Record, produce},
    node, ports,
    server::Server,
};

/// The other tests run at the same time, on as many cores as there are, and Chromium draws in software. A server that was built
/// without optimisation takes some ten times as long for a snapshot.
const SLACK: &str = if cfg!(debug_assertions) { "60" } else { "1" };
const READY: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn the_first_view_shows_the_whole_city_and_any_view_what_is_in_it() {
    let _turn = node::browser_turn().await;
    let server = Server::start_command(&["demo"], &[]).await;
    server.ready(READY).await;
    println!("{}", node::run("web_first_view.mjs", &[&server.url(""), SLACK], "").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_in_view_is_counted_in_squares() {
    let _turn = node::browser_turn().await;
    let server = Server::start_command(&["demo"], &[("LIVE_CELLS_ABOVE", "300")]).await;
    server.ready(READY).await;
    node::run("web_cells.mjs", &[&server.url("")], "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_follows_messages_and_outlives_the_server() {
    let _turn = node::browser_turn().await;
    let port = ports::free();
    let mut server = Server::start_command(&["demo"], &[("KAFKA_EMBEDDED_PORT", &port.to_string())]).await;
    server.ready(READY).await;
    let url = server.url("");
    let said =
        node::converse("web_live.mjs", &[&url, SLACK], async |wish| match wish.split(' ').collect::<Vec<_>>()[..] {
            ["stop"] => server.stop_cleanly(),
            ["start"] => server.start_again().await,
            ["gps", bus, latitude, longitude] => {
                let at = [latitude, longitude].map(|degrees| degrees.parse::<f64>().expect("degrees"));
                produce(&format!("127.0.0.1:{port}"), [gps(bus, at)]).await;
            }
            _ => panic!("the script asks for {wish:?}"),
        })
        .await;
    println!("{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_city_costs_the_page_little() {
    let _turn = node::browser_turn().await;
    let (_folder, city) = city_file_on_disk(&grid());
    let port = ports::free();
    let settings = [
        ("KAFKA_BROKERS", "embedded"),
        ("KAFKA_EMBEDDED_PORT", &*port.to_string()),
        ("REDIS_URL", "embedded"),
        ("CITY_FILE", &*city),
    ];
    let server = Server::start_ready(&settings).await;
    let brokers = format!("127.0.0.1:{port}");
    // Once before anybody looks: what is in view is all there.
    produce(&brokers, traffic(0)).await;
    let over = AtomicBool::new(false);
    let drive = async {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for round in 1.. {
            second.tick().await;
            if over.load(Ordering::Relaxed) {
                return;
            }
            produce(&brokers, traffic(round)).await;
        }
    };
    let watch = async {
        println!("{}", node::run("web_load.mjs", &[&server.url(""), SLACK], "").await);
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(drive, watch);
}

/// A bus where it is.
fn gps(bus: &str, [latitude, longitude]: [f64; 2]) -> Record {
    let value = json!({
        "busId": bus, "currentLocation": { "latitude": latitude, "longitude": longitude },
        "status": "in_service", "speed": 30, "heading": 45,
    });
    Record::new("transport.gps", bus, &value.to_string())
}

const ROWS: usize = 75;
const COLUMNS: usize = 200;
const BUSES: usize = 2000;

/// The place of a crossing of the grid: about 60 m from one to the next.
fn crossing(row: usize, column: usize) -> [f64; 2] {
    [42.32 + row as f64 * 0.000_6, 13.30 + column as f64 * 0.000_8]
}

/// A city of 15,000 roads.
fn grid() -> Value {
    let edges: Vec<Value> = (0..ROWS * COLUMNS)
        .map(|i| {
            let (row, column) = (i / COLUMNS, i % COLUMNS);
            let ([south, west], [north, east]) = (crossing(row, column), crossing(row + i % 2, column + (i + 1) % 2));
            json!({
                "edgeId": format!("e{i}"), "name": format!("Via {row}"), "class": "residential", "speedLimit": 50,
                "geometry": { "type": "LineString", "coordinates": [[west, south], [east, north]] },
            })
        })
        .collect();
    let ([south, west], [north, east]) = (crossing(0, 0), crossing(ROWS, COLUMNS));
    json!({
        "cityId": "grid", "name": "Grid",
        "districts": [{
            "districtId": "all", "name": "All of it",
            "location": {
                "centerLatitude": f64::midpoint(south, north), "centerLongitude": f64::midpoint(west, east),
                "boundaries": { "north": north, "south": south, "east": east, "west": west },
            },
            "sensors": [], "buildings": [], "weatherStations": [],
            "cityGraph": { "nodes": [], "edges": edges },
        }],
    })
}

/// One event of every road and of every bus.
fn traffic(round: usize) -> Vec<Record> {
    let roads = (0..ROWS * COLUMNS).map(move |i| {
        let level = ["low", "moderate", "high", "severe"][(i + round) % 4];
        let conditions = json!({
            "averageSpeed": 10 + (i + round) % 40, "congestionLevel": level, "vehicleCount": (i + round) % 30,
            "travelTime": 20, "incidents": [],
        });
        let id = format!("e{i}");
        Record::new("traffic.graph", &id, &json!({ "edgeId": id, "trafficConditions": conditions }).to_string())
    });
    let buses = (0..BUSES).map(move |i| {
        let [latitude, longitude] = crossing(i % ROWS, (i * 7) % COLUMNS);
        gps(&format!("bus-{i}"), [latitude, longitude + (round % 10) as f64 * 0.000_05])
    });
    roads.chain(buses).collect()
}
