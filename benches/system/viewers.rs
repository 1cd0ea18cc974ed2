//! A thousand maps over a city of 100,000 entities with 5,000 updates a second: how late each sees them, what a delivery
//! costs, and whether one who takes nothing is in the others' way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use citytwin::simulator::SimEvent;
use serde_json::{Value, json};

use crate::{
    cities,
    common::{
        kafka::{Kafka, Topic, create_topics},
        redis::Redis,
        server::Server,
    },
    events::TOPICS,
    machine,
    produce::{self, Paced, now_ms},
    report::Figure,
    wire::{Crowd, Wire, ages_of_updates, places},
};

/// So many demo cities have some 100,000 entities.
const COPIES: usize = 5;
const VIEWERS: usize = 1000;
/// Each of them reports once a second.
const MOVERS: usize = 5000;
/// One viewer in so many reads each frame as it comes and looks into it; the rest are a crowd that only counts them.
const LOOKS: usize = 20;
/// Of each topic. A producer sends a request for each partition that it has something for, and with six of them nearly each of the
/// updates would be a request of its own: half a core for the broker alone.
const PARTITIONS: i32 = 1;
/// How often a viewer pans, by a fifth of its view.
const PAN: Duration = Duration::from_secs(10);
const WINDOW: Duration = Duration::from_secs(20);

/// The city that all of it is in, five of the demo's side by side: degrees north, east. Movers and views are spread evenly over
/// it, so that a view holds some 1,000 entities, 44 of which move.
const SOUTH_WEST: (f64, f64) = (42.335, 13.327);
const SIZE: (f64, f64) = (0.043, 0.157 + cities::APART * (COPIES - 1) as f64);
/// A view of streets: 1.7 by 1.6 km.
const VIEW: (f64, f64) = (0.015, 0.02);

const QUERY: &str = "subscription($filter: EntityFilter!) { twinChanges(filter: $filter, compact: true, zoom: 15) { cursor \
    subscription viewport mode snapshot complete reason changes { kind id reason patch } cells { id count } } }";
const MOVE: &str =
    "mutation($id: ID!, $filter: EntityFilter!) { moveViewport(subscription: $id, filter: $filter, zoom: 15) }";

pub async fn run() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("city.json");
    std::fs::write(&file, cities::copies(COPIES)).expect("the folder is ours");
    let (kafka, redis) = (Kafka::fresh().await, Redis::start());
    create_topics(&kafka.brokers(), &TOPICS.map(|name| Topic::for_recording(name, PARTITIONS))).await;
    let settings = [
        ("KAFKA_BROKERS", kafka.brokers()),
        ("REDIS_URL", redis.url()),
        ("CITY_FILE", file.display().to_string()),
        ("LOG_LEVEL", "warn".to_owned()),
    ];
    let mut server = crate::server(&settings.each_ref().map(|(name, value)| (*name, value.as_str())));
    server.start_again().await;
    server.ready(Duration::from_secs(60)).await;
    let load = Paced::start(&kafka.brokers(), reports());
    produce::warm(&kafka).await;
    let alone = share(&server).await;

    let stall = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(Seen::default());
    let crowd = Arc::new(Crowd::new(Arc::clone(&seen.frames)));
    let viewers: Vec<_> = (0..VIEWERS)
        .map(|n| {
            let does = match n {
                _ if n.is_multiple_of(LOOKS) => Does::Look,
                1 => Does::Stall(Arc::clone(&stall)),
                _ => Does::Count(Arc::clone(&crowd)),
            };
            tokio::spawn(view(server.port(), n, Arc::clone(&seen), does))
        })
        .collect();
    // All have their snapshot, those who came late have caught up, and each has panned some times: the first of these frames make the
    // kernel give each socket's buffers their pages.
    tokio::time::sleep(Duration::from_secs(40)).await;
    let quiet = seen.window(&server).await;
    stall.store(true, Ordering::Release);
    let stalled = seen.window(&server).await;
    let mut joined = 0;
    for viewer in viewers {
        // Those who look or stall never end by themselves; the rest have joined the crowd.
        if viewer.is_finished() {
            viewer.await.expect("a viewer");
            joined += 1;
        } else {
            viewer.abort();
        }
    }
    assert_eq!(joined, VIEWERS - VIEWERS / LOOKS - 1, "viewers in the crowd");
    drop(crowd);
    load.stop();

    let name = format!("{VIEWERS} moving views of {MOVERS} updates/s");
    let note = format!(
        "100,000 entities, open loop from the intended send through Kafka ({PARTITIONS} partition) to the frame; each pans a fifth \
        every {} s; one viewer in {LOOKS} looks; all processes share the two cores; {:.0} frames/s with {:.0} changes/s",
        PAN.as_secs(),
        quiet.frames,
        quiet.changes
    );
    vec![
        Figure::new(format!("{name}: p50 of the age"), quiet.p50, "ms").note(&note),
        Figure::new(format!("{name}: p99 of the age"), quiet.p99, "ms").at_most(50.0).note("the same"),
        Figure::new(format!("{name}: CPU a delivery"), (quiet.cpu - alone) * 1e6 / quiet.changes, "us CPU")
            .note(format!("{:.0} % of a core, less {:.0} % without viewers", quiet.cpu * 100.0, alone * 100.0)),
        Figure::new(format!("{name}, one takes nothing: p99 of the others"), stalled.p99, "ms")
            .at_most((quiet.p99 * 1.1).max(quiet.p99 + 1.0))
            .note(format!("{:.0} % of a core", stalled.cpu * 100.0)),
    ]
}

/// The share of a core that the server takes.
async fn share(server: &Server) -> f64 {
    let (cpu, began) = (machine::cpu(server.pid()), Instant::now());
    tokio::time::sleep(Duration::from_secs(5)).await;
    machine::cpu(server.pid()).saturating_sub(cpu).as_secs_f64() / began.elapsed().as_secs_f64()
}

/// Every mover in its turn, evenly spaced: on a circle of its own, some of them across the edges of views.
fn reports() -> impl FnMut(i64) -> Vec<SimEvent> + Send + 'static {
    let (mut at, mut turn) = (now_ms(), 0_usize);
    move |until| {
        let mut events = Vec::new();
        while at < until as f64 {
            let (mover, round) = (turn % MOVERS, turn / MOVERS);
            let spread = |prime: usize| (mover * prime % 10_007) as f64 / 10_007.0;
            let angle = round as f64 * 0.05 + mover as f64;
            let latitude = SOUTH_WEST.0 + SIZE.0 * spread(7919) + 0.002 * angle.sin();
            let longitude = SOUTH_WEST.1 + SIZE.1 * spread(104_729) + 0.002 * angle.cos();
            let time = jiff::Timestamp::from_millisecond(at as i64).expect("a time of today");
            events.push(SimEvent {
                topic: "transport.gps",
                key: format!("mover-{mover}"),
                timestamp_ms: at as i64,
                value: format!(
                    r#"{{"busId":"mover-{mover}","routeId":"R{}","currentLocation":{{"latitude":{latitude:.6},"longitude":{longitude:.6}}},"heading":{},"speed":{}.5,"passengerCount":12,"status":"in_service","lastUpdated":"{time:.3}"}}"#,
                    mover % 40,
                    turn % 360,
                    10 + round % 40,
                ),
            });
            turn += 1;
            at += 1000.0 / MOVERS as f64;
        }
        events
    }
}

/// What the viewers have seen since it was last asked.
#[derive(Default)]
struct Seen {
    frames: Arc<AtomicU64>,
    /// Of those who look.
    ages: std::sync::Mutex<Vec<f64>>,
}

/// What was seen in a while.
struct Window {
    p50: f64,
    p99: f64,
    /// A second.
    frames: f64,
    /// A second, by those who look.
    changes: f64,
    /// The server's share of a core.
    cpu: f64,
}

impl Seen {
    async fn window(&self, server: &Server) -> Window {
        self.frames.store(0, Ordering::Relaxed);
        self.ages.lock().expect("no viewer panics").clear();
        let (cpu, began) = (machine::cpu(server.pid()), Instant::now());
        tokio::time::sleep(WINDOW).await;
        let took = began.elapsed().as_secs_f64();
        let cpu = machine::cpu(server.pid()).saturating_sub(cpu).as_secs_f64() / took;
        let mut ages = std::mem::take(&mut *self.ages.lock().expect("no viewer panics"));
        ages.sort_by(f64::total_cmp);
        let age = |q: f64| ages.get(((ages.len().max(1) - 1) as f64 * q) as usize).copied().unwrap_or(f64::NAN);
        Window {
            p50: age(0.5),
            p99: age(0.99),
            frames: self.frames.load(Ordering::Relaxed) as f64 / took,
            changes: ages.len() as f64 * LOOKS as f64 / took,
            cpu,
        }
    }
}

fn filter(n: usize, round: usize) -> Value {
    let spread = |prime: usize| (n * prime % 1009) as f64 / 1009.0;
    // There and back again.
    let shift = VIEW.1 / 5.0 * (round % 2) as f64;
    let south = SOUTH_WEST.0 + (SIZE.0 - VIEW.0) * spread(367);
    let west = SOUTH_WEST.1 + (SIZE.1 - 1.2 * VIEW.1) * spread(541) + shift;
    json!({ "box": { "south": south, "west": west, "north": south + VIEW.0, "east": west + VIEW.1 } })
}

/// What a viewer does with what it gets.
enum Does {
    /// Reads each frame as it comes, and looks how old the changes are.
    Look,
    /// The same without looking, and from some time on reads no more.
    Stall(Arc<AtomicBool>),
    /// Is one of many.
    Count(Arc<Crowd>),
}

/// The pans of a viewer: one each time that this is asked for.
fn pans(n: usize, id: String) -> impl FnMut() -> (&'static str, Value) + Send {
    let mut round = 0;
    move || {
        round += 1;
        (MOVE, json!({ "id": id, "filter": filter(n, round) }))
    }
}

/// One viewer, until it is aborted.
async fn view(port: u16, n: usize, seen: Arc<Seen>, does: Does) {
    // They do not come all at once, nor pan all at once.
    tokio::time::sleep(Duration::from_millis(n as u64 * 10)).await;
    let mut wire = Wire::subscribe(port, QUERY, json!({ "filter": filter(n, 0) })).await.expect("a subscription");
    let first = wire.next().await.expect("the server keeps the socket");
    let key = br#""subscription":""#;
    let at = places(first, key).next().expect("its id") + key.len();
    let mut pans = pans(n, String::from_utf8_lossy(&first[at..at + 32]).into_owned());
    let mut pan = Instant::now() + PAN;
    let stall = match does {
        Does::Count(crowd) => {
            let asks = move |now| {
                (now >= pan).then(|| {
                    pan += PAN;
                    pans()
                })
            };
            return crowd.join(wire, Box::new(asks));
        }
        Does::Stall(stall) => Some(stall),
        Does::Look => None,
    };
    loop {
        let Ok(frame) = tokio::time::timeout_at(pan.into(), wire.next()).await else {
            pan += PAN;
            let (query, variables) = pans();
            wire.run(query, variables).await.expect("an open socket");
            continue;
        };
        let frame = frame.expect("the server keeps the socket");
        seen.frames.fetch_add(1, Ordering::Relaxed);
        match &stall {
            None => seen.ages.lock().expect("no viewer panics").extend(ages_of_updates(frame)),
            Some(stall) if stall.load(Ordering::Acquire) => std::future::pending::<()>().await,
            Some(_) => {}
        }
    }
}
