//! A thousand subscriptions that start at random moments of a busy city.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_graphql::Request;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{data, schema};
use crate::{
    graphql::{at_one_moment, tests::TestSchema},
    ingest::Fold,
    live::tests::city::{RandomCity, act},
    publish::Chain,
    twin::{
        entity::Entity,
        geo::{BoundingBox, Position},
        model::Kind,
        selection::{Circle, Selection},
        view::View,
    },
};

const SUBSCRIBERS: u64 = 1000;

/// How long the city is busy, and subscribers start.
const BUSY: Duration = Duration::from_millis(1500);

/// What a client holds: each entity by its id, as it was told last.
type Holds = BTreeMap<String, Value>;

/// All that [`act`] changes, of each kind of entities. An alias begins with the field's name in `state.full`.
const FIELDS: [(&str, &str); 4] = [
    ("Bus", "currentLocation { latitude longitude } speed"),
    ("Sensor", "value location { latitude longitude } status_of_sensor: status"),
    ("RoadEdge", "trafficConditions { congestionLevel }"),
    ("Incident", "location { latitude longitude } status_of_incident: status"),
];

/// What subscribers ask for, and what that chooses.
fn operations() -> Vec<(&'static str, Selection)> {
    let kinds = |kinds: &[Kind]| Some(kinds.iter().copied().collect());
    let statuses = Some(["active".to_owned(), "low".to_owned()].into());
    let area = Some(BoundingBox { north: 42.6, south: 42.2, east: 13.7, west: 13.3 });
    let center = Position { latitude: 42.5, longitude: 13.5 };
    vec![
        ("twinChanges", Selection::default()),
        (
            "twinChanges(filter: {box: {north: 42.6, south: 42.2, east: 13.7, west: 13.3}})",
            Selection { area, ..Selection::default() },
        ),
        (
            "twinChanges(filter: {kinds: [SENSOR, EDGE], statuses: [\"active\", \"low\"]}, minIntervalMs: 50)",
            Selection { kinds: kinds(&[Kind::Sensor, Kind::Edge]), statuses, ..Selection::default() },
        ),
        (
            "busChanges(filter: {near: {latitude: 42.5, longitude: 13.5, radius: 30000}}, minIntervalMs: 200)",
            Selection {
                kinds: kinds(&[Kind::Bus]),
                near: Some(Circle { center, radius: 30_000.0 }),
                ..Selection::default()
            },
        ),
        (
            "sensorChanges(filter: {districts: [\"d1\"]})",
            Selection {
                kinds: kinds(&[Kind::Sensor]),
                districts: Some(["d1".to_owned()].into()),
                ..Selection::default()
            },
        ),
        ("incidentChanges", Selection { kinds: kinds(&[Kind::Incident]), ..Selection::default() }),
    ]
}

/// What is asked of an entity.
fn fields(subscription: &str) -> String {
    let of = |kind: &str, fields: &str| {
        let own = subscription.starts_with(&kind.replace("RoadEdge", "Edge").to_lowercase());
        // A subscription of one kind knows no other.
        if own || subscription.starts_with("twin") { format!("... on {kind} {{ {fields} }} ") } else { String::new() }
    };
    FIELDS.iter().map(|(kind, fields)| of(kind, fields)).collect::<String>() + "id lastUpdated"
}

/// Whether a client holds exactly what is chosen, with all that it asked for.
fn is_right(holds: &Holds, view: &View, selection: &Selection) -> bool {
    let is_held = |entity: &&Entity| {
        let whole: Value = serde_json::from_slice(entity.json()).expect("JSON");
        holds.get(&entity.global_id()).is_some_and(|held| agrees(held, &whole))
    };
    let matching: Vec<&Entity> = view.entities(&Kind::ALL).filter(|entity| selection.matches(entity)).collect();
    matching.len() == holds.len() && matching.iter().all(is_held)
}

/// Whether what was told agrees with an entity of `state.full`, where enums are in lower case.
fn agrees(told: &Value, whole: &Value) -> bool {
    match (told, whole) {
        (Value::Object(told), Value::Object(whole)) => {
            told.iter().filter(|(name, _)| *name != "id").all(|(name, told)| {
                let name = name.split('_').next().unwrap_or_default();
                agrees(told, whole.get(name).unwrap_or(&Value::Null))
            })
        }
        (Value::String(told), Value::String(whole)) => told.eq_ignore_ascii_case(whole),
        (Value::Number(told), Value::Number(whole)) => told.as_f64() == whole.as_f64(),
        _ => told == whole,
    }
}

/// Takes a batch as a client does.
fn take(holds: &mut Holds, batch: &Value) {
    for change in batch["changes"].as_array().unwrap() {
        let id = change["id"].as_str().unwrap();
        let entity = &change["entity"];
        let held = match change["kind"].as_str().unwrap() {
            "LEFT" => {
                assert!(entity.is_null());
                assert!(holds.remove(id).is_some(), "{id} left, but was not there");
                continue;
            }
            kind => (kind == "UPDATED", entity["id"].as_str() == Some(id)),
        };
        let before = holds.insert(id.to_owned(), entity.clone());
        assert_eq!((before.is_some(), true), held, "{change}");
    }
}

/// One subscriber: starts some time, reads slowly, and must end with what the city holds.
async fn subscriber(schema: TestSchema, fold: Arc<Fold>, quiet: Arc<AtomicBool>, seed: u64) -> usize {
    let mut random = fastrand::Rng::with_seed(seed);
    let (field, selection) = random.choice(operations()).unwrap();
    sleep(BUSY.mul_f64(random.f64())).await;
    let batch = format!("snapshot complete changes {{ kind id changedFields reason entity {{ {} }} }}", fields(field));
    let request = Request::new(format!("subscription {{ {field} {{ {batch} }} }}"));
    let mut stream = schema.execute_stream(at_one_moment(request));
    let slowness = random.u64(20..400);
    let (mut holds, mut batches) = (Holds::new(), 0);
    loop {
        let is_quiet = quiet.load(Ordering::Acquire);
        if is_quiet && batches > 0 && is_right(&holds, &fold.view(), &selection) {
            return batches;
        }
        let patience = Duration::from_secs(if is_quiet { 20 } else { 2 });
        match timeout(patience, stream.next()).await {
            Ok(response) => {
                take(&mut holds, &data(response.expect("no end")));
                batches += 1;
            }
            Err(_late) if is_quiet => panic!("{field} of seed {seed} is stale: {holds:?}"),
            Err(_) => {}
        }
        if !is_quiet {
            sleep(Duration::from_millis(slowness)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_subscribers_end_with_what_the_city_holds() {
    let RandomCity { city, mut now, .. } = RandomCity::new(42);
    let fold = Fold::new(city);
    let schema = schema(&fold, &Arc::new(Chain::default()), &crate::config::Config::defaults().live);
    let quiet = Arc::new(AtomicBool::new(false));
    let subscribers: Vec<_> = (0..SUBSCRIBERS)
        .map(|seed| tokio::spawn(subscriber(schema.clone(), Arc::clone(&fold), Arc::clone(&quiet), seed)))
        .collect();
    let writer = std::thread::spawn({
        let (fold, quiet) = (Arc::clone(&fold), Arc::clone(&quiet));
        move || {
            let mut random = fastrand::Rng::with_seed(42);
            let began = std::time::Instant::now();
            while began.elapsed() < BUSY {
                // As it comes from Kafka: some events at once, then nothing for a moment.
                let burst = random.u32(1..20);
                fold.with(|city| (0..burst).for_each(|_| act(city, &mut now, &mut random)));
                std::thread::sleep(Duration::from_micros(random.u64(100..3000)));
            }
            quiet.store(true, Ordering::Release);
        }
    });
    let mut batches = 0;
    for subscriber in subscribers {
        batches += subscriber.await.expect("a subscriber that ends right");
    }
    writer.join().expect("a writer that ends right");
    assert!(batches > SUBSCRIBERS as usize, "{batches} batches are too few to have tried anything");
    assert!(fold.view().revision > 500, "{} changes are too few to have tried anything", fold.view().revision);
}
