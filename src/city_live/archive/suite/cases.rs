//! What every archive does.

use super::*;
use crate::city_live::features::Features;

/// Makes a test of each case for one kind of place.
macro_rules! suite {
    ($place:expr) => {
        suite!(
            $place,
            an_unwritten_archive_is_empty,
            the_lease_is_taken_renewed_refused_and_released,
            a_lease_runs_out,
            of_many_who_ask_one_gets_the_lease,
            an_old_token_writes_nothing,
            a_repeated_intake_changes_nothing,
            the_newest_value_holds,
            the_feed_is_paged_and_filtered,
            calls_come_back_with_odd_types,
            the_selection_is_kept_and_told,
            a_run_is_written_and_read,
            an_acknowledgement_outlives_the_next_run,
            what_is_old_goes,
            numbers_go_on_where_all_rows_are_gone,
            old_hours_go_into_those_that_are_there
        );
    };
    ($place:expr, $($case:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::city_live::archive::suite::cases::$case(&$place).await;
            }
        )*
    };
}
pub(super) use suite;

pub(super) async fn an_unwritten_archive_is_empty(place: &dyn Place) {
    let archive = place.open();
    archive.revision().await.unwrap();
    assert_eq!(archive.last_seq().await.unwrap(), 0);
    assert_eq!(archive.offsets().await.unwrap(), []);
    assert_eq!(archive.selection().await.unwrap(), None);
    assert_eq!(archive.raw("nyc", RawKind::Weather).await.unwrap(), []);
    assert_eq!(archive.calls("nyc").await.unwrap(), []);
    assert_eq!(archive.processed("nyc").await.unwrap(), []);
    assert_eq!(archive.feed(&FeedQuery { limit: 10, ..FeedQuery::default() }).await.unwrap(), []);
    assert_eq!(archive.acknowledge("x", NOON).await.unwrap(), None);
}

pub(super) async fn the_lease_is_taken_renewed_refused_and_released(place: &dyn Place) {
    let (a, b) = (place.open(), place.open());
    let first = take(&*a, "a", MINUTE).await;
    assert!(first > 0);
    assert_eq!(a.lease("a", MINUTE, Some(first)).await.unwrap(), Lease::Held { token: first });
    assert_eq!(b.lease("b", MINUTE, None).await.unwrap(), Lease::Other);
    // Another's release is none.
    b.release("b", first).await.unwrap();
    assert_eq!(b.lease("b", MINUTE, None).await.unwrap(), Lease::Other);
    a.release("a", first).await.unwrap();
    let second = take(&*b, "b", MINUTE).await;
    assert!(second > first);
    assert!(is_fenced(&a.lease("a", MINUTE, Some(first)).await));
    assert_eq!(a.lease("a", MINUTE, None).await.unwrap(), Lease::Other);
}

pub(super) async fn a_lease_runs_out(place: &dyn Place) {
    let (a, b) = (place.open(), place.open());
    let ttl = Duration::from_millis(600);
    let asked = std::time::Instant::now();
    let first = take(&*a, "a", ttl).await;
    let second = take_over(&*b, "b", ttl).await;
    assert!(asked.elapsed() >= Duration::from_millis(400), "{:?}", asked.elapsed());
    assert!(second > first);
    assert!(is_fenced(&a.lease("a", ttl, Some(first)).await));
}

pub(super) async fn of_many_who_ask_one_gets_the_lease(place: &dyn Place) {
    let asking = (0..8).map(|n| {
        let archive = place.open();
        async move { archive.lease(&format!("holder-{n}"), MINUTE, None).await.unwrap() }
    });
    let answers = futures_util::future::join_all(asking).await;
    let held: Vec<_> = answers.iter().filter(|answer| matches!(answer, Lease::Held { .. })).collect();
    assert_eq!(held.len(), 1, "{answers:?}");
}

pub(super) async fn an_old_token_writes_nothing(place: &dyn Place) {
    let (a, b) = (place.open(), place.open());
    let old = take(&*a, "a", MINUTE).await;
    a.release("a", old).await.unwrap();
    let token = take(&*b, "b", MINUTE).await;
    let intake = Intake {
        items: vec![item(1, "nyc", Some("z0"), samples::weather(1.0))],
        raw: vec![raw("nyc", Some("z0"), NOON, 1.0)],
        calls: Vec::new(),
        hours: Vec::new(),
        offsets: vec![offset(0, 5)],
    };
    assert!(is_fenced(&a.take_in(old, &intake).await));
    let processed = Processed { city_id: "nyc".to_owned(), ..Processed::default() };
    assert!(is_fenced(&a.put_processed(old, &processed).await));
    assert!(is_fenced(&a.put_zones(old, &samples::city("nyc", 1)).await));
    assert!(is_fenced(&a.expire(old, NOON, NOON).await));
    assert_eq!(b.last_seq().await.unwrap(), 0);
    assert_eq!(b.offsets().await.unwrap(), []);
    b.take_in(token, &intake).await.unwrap();
    assert_eq!(a.last_seq().await.unwrap(), 1);
}

pub(super) async fn a_repeated_intake_changes_nothing(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let mut intake = Intake {
        items: (1..=5).map(|seq| item(seq, "nyc", Some("z0"), samples::weather(seq as f64))).collect(),
        raw: vec![raw("nyc", Some("z0"), NOON, 1.0), raw("nyc", None, NOON, 2.0)],
        calls: Vec::new(),
        hours: Vec::new(),
        offsets: vec![offset(0, 5), offset(1, 7)],
    };
    let before = archive.revision().await.unwrap();
    archive.take_in(token, &intake).await.unwrap();
    let after = archive.revision().await.unwrap();
    assert_ne!(before, after);
    // The answer was lost, and the same is written again.
    archive.take_in(token, &intake).await.unwrap();
    let all = FeedQuery { limit: 100, ..FeedQuery::default() };
    let feed = archive.feed(&all).await.unwrap();
    assert_eq!(feed.len(), 5);
    assert_eq!(feed[0], intake.items[4]);
    // A new holder reads the same records, with one more, and numbers them anew.
    intake.items.push(item(6, "nyc", Some("z0"), samples::weather(6.0)));
    for item in &mut intake.items {
        item.seq += 10;
    }
    intake.offsets = vec![offset(0, 6)];
    place.open().take_in(token, &intake).await.unwrap();
    let again = archive.feed(&all).await.unwrap();
    assert_eq!(again[1..], feed[..]);
    assert_eq!(again[0], intake.items[5]);
    assert_eq!(archive.last_seq().await.unwrap(), 16);
    assert_eq!(archive.offsets().await.unwrap(), [offset(0, 6), offset(1, 7)]);
    assert_eq!(archive.raw("nyc", RawKind::Weather).await.unwrap().len(), 2);
    let asked = ["key-1".to_owned(), "nobody".to_owned(), "key-6".to_owned()];
    assert_eq!(archive.known(&asked).await.unwrap(), ["key-1", "key-6"]);
    // Offsets alone are no news.
    let seen = archive.revision().await.unwrap();
    archive.take_in(token, &Intake { offsets: vec![offset(0, 9)], ..Intake::default() }).await.unwrap();
    assert_eq!(archive.revision().await.unwrap(), seen);
    assert_eq!(archive.offsets().await.unwrap()[0], offset(0, 9));
}

pub(super) async fn the_newest_value_holds(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let later = Time(NOON.0 + 1);
    for (ts, temperature) in [(NOON, 1.0), (later, 2.0), (NOON, 3.0), (later, 4.0)] {
        let intake = Intake {
            raw: vec![raw("nyc", Some("z1"), ts, temperature), raw("nyc", Some("z2"), later, temperature)],
            ..Intake::default()
        };
        archive.take_in(token, &intake).await.unwrap();
    }
    let values = archive.raw("nyc", RawKind::Weather).await.unwrap();
    assert_eq!(values, [raw("nyc", Some("z1"), later, 4.0), raw("nyc", Some("z2"), later, 4.0)]);
}

pub(super) async fn the_feed_is_paged_and_filtered(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let items: Vec<_> = (1..=12)
        .map(|seq| {
            let city = if seq % 2 == 0 { "nyc" } else { "laquila" };
            let zone = ["z0", "z1", "z2"][seq as usize % 3];
            let payload = if seq % 4 == 0 { samples::call("c") } else { samples::weather(1.0) };
            item(seq, city, Some(zone), payload)
        })
        .collect();
    archive.take_in(token, &Intake { items: items.clone(), ..Intake::default() }).await.unwrap();
    let of = |query: FeedQuery| {
        let archive = Arc::clone(&archive);
        async move { archive.feed(&query).await.unwrap().iter().map(|item| item.seq).collect::<Vec<_>>() }
    };
    let query = FeedQuery { limit: 100, ..FeedQuery::default() };
    assert_eq!(of(FeedQuery { limit: 3, ..query.clone() }).await, [12, 11, 10]);
    assert_eq!(of(FeedQuery { limit: 3, before: Some(10), ..query.clone() }).await, [9, 8, 7]);
    assert_eq!(of(FeedQuery { limit: 3, after: Some(4), ..query.clone() }).await, [5, 6, 7]);
    assert_eq!(of(FeedQuery { limit: 0, ..query.clone() }).await, Vec::<i64>::new());
    let nyc = FeedQuery { city_id: Some("nyc".to_owned()), ..query.clone() };
    assert_eq!(of(nyc.clone()).await, [12, 10, 8, 6, 4, 2]);
    assert_eq!(of(FeedQuery { zone_id: Some("z0".to_owned()), ..nyc.clone() }).await, [12, 6]);
    assert_eq!(of(FeedQuery { topic: Some(LiveTopic::IncidentText), ..query.clone() }).await, [12, 8, 4]);
    assert_eq!(of(FeedQuery { topic: Some(LiveTopic::AqiStream), ..nyc }).await, [10, 6, 2]);
    assert_eq!(of(FeedQuery { since: Some(items[9].ts), ..query }).await, [12, 11, 10]);
}

pub(super) async fn calls_come_back_with_odd_types(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let Payload::Call311(call) = samples::call("c1") else { unreachable!() };
    let document = |zone: Option<&str>, count| Raw311 {
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
        ts: NOON,
        source: "socrata".to_owned(),
        by_type: BTreeMap::from([("N.Y.P.D. $5".to_owned(), count), ("Noise - Street/Sidewalk".to_owned(), 1)]),
        calls: vec![CallEntry { ts: NOON, call: call.clone() }],
    };
    for count in [1, 2] {
        let intake = Intake { calls: vec![document(None, count), document(Some("z0"), count)], ..Intake::default() };
        archive.take_in(token, &intake).await.unwrap();
    }
    assert_eq!(archive.calls("nyc").await.unwrap(), [document(None, 2), document(Some("z0"), 2)]);
}

pub(super) async fn the_selection_is_kept_and_told(place: &dyn Place) {
    let (a, b) = (place.open(), place.open());
    let selection = |city: &str| Selection { city_id: city.to_owned(), selected_at: NOON };
    a.select(&selection("nyc")).await.unwrap();
    let seen = b.revision().await.unwrap();
    assert_eq!(b.selection().await.unwrap(), Some(selection("nyc")));
    // The lease is nothing that readers see.
    let token = take(&*b, "b", MINUTE).await;
    assert_eq!(b.revision().await.unwrap(), seen);
    b.select(&selection("laquila")).await.unwrap();
    assert_ne!(a.revision().await.unwrap(), seen);
    assert_eq!(a.selection().await.unwrap(), Some(selection("laquila")));
    a.put_zones(token, &samples::city("nyc", 3)).await.unwrap();
    a.put_zones(token, &samples::city("nyc", 2)).await.unwrap();
}

pub(super) fn zone(id: &str, run: &str, at: Time, score: f64) -> ProcessedZone {
    let part = |name: &str, score| RiskPart { name: name.to_owned(), score, weight: 0.5, reason: "why".to_owned() };
    let ts = Some(Time(at.0 - 1000));
    ProcessedZone {
        city_id: "nyc".to_owned(),
        zone_id: id.to_owned(),
        name: id.to_uppercase(),
        run_id: run.to_owned(),
        processed_at: at,
        features: Features::from([("temperature_c", 20.0)]),
        forecast: Some(Forecast {
            model: "heuristic".to_owned(),
            hours: vec![ForecastHour { ts: at, value: 1.0, low: 0.0, high: 2.5 }],
            reason: "why".to_owned(),
        }),
        anomalies: vec![Anomaly {
            feature: "us_aqi".to_owned(),
            value: 9.0,
            mean: 4.0,
            deviation: 2.0,
            z: 2.5,
            samples: 48,
            anomalous: false,
        }],
        risk: Risk { score, level: "low".to_owned(), parts: vec![part("weather", score), part("air", score)] },
        recommendations: vec![Recommendation {
            rule: "r".to_owned(),
            priority: 1,
            text: "t".to_owned(),
            reason: "w".to_owned(),
        }],
        freshness: vec![InputFreshness {
            input: "weather".to_owned(),
            state: Freshness::Stale,
            ts,
            age_s: Some(1),
            limit_s: 1,
        }],
        simulated: true,
    }
}

pub(super) async fn a_run_is_written_and_read(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let feature = |zone: Option<&str>, hour: Time, value: f64| FeatureHour {
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
        hour,
        values: Features::from([("us_aqi", value)]),
    };
    let output = |zone: &str, model: &str, at: Time| ModelOutput {
        city_id: "nyc".to_owned(),
        zone_id: zone.to_owned(),
        model: model.to_owned(),
        version: "1".to_owned(),
        ts: at,
        unit: "MWh".to_owned(),
        hours: vec![ForecastHour { ts: at, value: 1.0, low: 0.5, high: 1.5 }],
        ran: "local".to_owned(),
        error: Some(0.125),
        error_hours: 24,
        chosen: model == "heuristic",
        problem: None,
    };
    let later = Time(NOON.0 + 300_000);
    let run = |run: &str, at: Time, score, zones: &[&str]| Processed {
        city_id: "nyc".to_owned(),
        zones: zones.iter().map(|id| zone(id, run, at, score)).collect(),
        features: vec![feature(Some("z0"), NOON, score), feature(None, NOON, score)],
        alerts: vec![samples::alert("air", "z0", NOON)],
        outputs: vec![output("z0", "heuristic", at), output("z0", "lstm", at), output("z1", "heuristic", at)],
    };
    let before = archive.revision().await.unwrap();
    archive.put_processed(token, &run("r1", NOON, 10.0, &["z1", "z0", "z2"])).await.unwrap();
    assert_ne!(archive.revision().await.unwrap(), before);
    for _ in 0..2 {
        archive.put_processed(token, &run("r2", later, 20.0, &["z1", "z0"])).await.unwrap();
    }
    let zones = archive.processed("nyc").await.unwrap();
    assert_eq!(zones, [zone("z0", "r2", later, 20.0), zone("z1", "r2", later, 20.0)]);
    let scores = archive.risk_scores("nyc", "z0", NOON).await.unwrap();
    assert_eq!(scores.iter().map(|risk| (risk.ts, risk.score)).collect::<Vec<_>>(), [(NOON, 10.0), (later, 20.0)]);
    assert_eq!(scores[1], RiskScore::of(&zones[0]));
    assert_eq!(archive.risk_scores("nyc", "z0", later).await.unwrap().len(), 1);
    let hours = archive.features("nyc", None, NOON).await.unwrap();
    assert_eq!(hours, [feature(None, NOON, 20.0), feature(Some("z0"), NOON, 20.0)]);
    assert_eq!(archive.features("nyc", Some("z0"), NOON).await.unwrap(), hours[1..]);
    assert_eq!(archive.features("nyc", Some("z0"), later).await.unwrap(), []);
    assert_eq!(
        archive.outputs("nyc", Some("z0")).await.unwrap(),
        [output("z0", "heuristic", later), output("z0", "lstm", later)]
    );
    assert_eq!(archive.outputs("nyc", None).await.unwrap().len(), 3);
    let query = AlertQuery { city_id: "nyc".to_owned(), zone_id: None, status: Vec::new(), limit: 10 };
    assert_eq!(archive.alerts(&query).await.unwrap(), [samples::alert("air", "z0", NOON)]);
}

pub(super) async fn an_acknowledgement_outlives_the_next_run(place: &dyn Place) {
    let (archive, other) = (place.open(), place.open());
    let token = take(&*archive, "a", MINUTE).await;
    let mut alert = samples::alert("air", "z0", NOON);
    let newer = samples::alert("heat", "z1", Time(NOON.0 + 1));
    let run = |alerts: Vec<Alert>| Processed { city_id: "nyc".to_owned(), alerts, ..Processed::default() };
    archive.put_processed(token, &run(vec![alert.clone(), newer.clone()])).await.unwrap();
    let at = Time(NOON.0 + 60_000);
    let seen = archive.revision().await.unwrap();
    let acknowledged = other.acknowledge(&alert.alert_id, at).await.unwrap().unwrap();
    assert_eq!((acknowledged.status, acknowledged.acknowledged_at), (AlertStatus::Acknowledged, Some(at)));
    assert_ne!(archive.revision().await.unwrap(), seen);
    assert_eq!(other.acknowledge(&alert.alert_id, Time(at.0 + 1)).await.unwrap(), Some(acknowledged.clone()));
    // The run began before that, and knows nothing of it.
    alert.updated_at = Time(NOON.0 + 120_000);
    archive.put_processed(token, &run(vec![alert.clone()])).await.unwrap();
    let query = |status: &[AlertStatus]| AlertQuery {
        city_id: "nyc".to_owned(),
        zone_id: None,
        status: status.to_vec(),
        limit: 10,
    };
    let stored = archive.alerts(&query(&[AlertStatus::Acknowledged])).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].acknowledged_at, stored[0].updated_at), (Some(at), alert.updated_at));
    assert_eq!(archive.alerts(&query(&[])).await.unwrap(), [newer.clone(), stored[0].clone()]);
    let of_zone = AlertQuery { zone_id: Some("z1".to_owned()), ..query(&[]) };
    assert_eq!(archive.alerts(&of_zone).await.unwrap(), [newer]);
    alert.status = AlertStatus::Cleared;
    alert.cleared_at = Some(Time(NOON.0 + 180_000));
    archive.put_processed(token, &run(vec![alert.clone()])).await.unwrap();
    let cleared = other.acknowledge(&alert.alert_id, at).await.unwrap().unwrap();
    assert_eq!((cleared.status, cleared.acknowledged_at), (AlertStatus::Cleared, Some(at)));
    assert_eq!(archive.alerts(&query(&[AlertStatus::Open, AlertStatus::Acknowledged])).await.unwrap().len(), 1);
}

pub(super) async fn what_is_old_goes(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let now = samples::now();
    let hour = 3_600_000;
    let mut items: Vec<_> = (1..=4).map(|seq| item(seq, "nyc", Some("z0"), samples::weather(1.0))).collect();
    for item in &mut items {
        item.ingested_at = Time(now.0 - (5 - item.seq) * hour);
    }
    archive.take_in(token, &Intake { items, ..Intake::default() }).await.unwrap();
    let cleared = |name: &str, at: i64| Alert {
        status: AlertStatus::Cleared,
        cleared_at: Some(Time(at)),
        ..samples::alert(name, "z0", Time(at - hour))
    };
    let processed = Processed {
        city_id: "nyc".to_owned(),
        zones: vec![zone("z0", "r", Time(now.0 - 5 * hour), 1.0)],
        features: [2, 9]
            .map(|hours| FeatureHour {
                city_id: "nyc".to_owned(),
                zone_id: None,
                hour: Time(now.0 - hours * hour),
                values: Features::new(),
            })
            .to_vec(),
        alerts: vec![
            samples::alert("old", "z0", Time(now.0 - 90 * hour)),
            cleared("a", now.0 - 9 * hour),
            cleared("b", now.0),
        ],
        outputs: Vec::new(),
    };
    archive.put_processed(token, &processed).await.unwrap();
    let dropped = archive.expire(token, Time(now.0 - 5 * hour / 2), Time(now.0 - 4 * hour)).await.unwrap();
    // Two rows, one hour, one score, one alert.
    assert_eq!(dropped, 5);
    let left = archive.feed(&FeedQuery { limit: 10, ..FeedQuery::default() }).await.unwrap();
    assert_eq!(left.iter().map(|item| item.seq).collect::<Vec<_>>(), [4, 3]);
    assert_eq!(archive.features("nyc", None, Time(0)).await.unwrap().len(), 1);
    assert_eq!(archive.risk_scores("nyc", "z0", Time(0)).await.unwrap(), []);
    assert_eq!(archive.processed("nyc").await.unwrap().len(), 1);
    let query = AlertQuery { city_id: "nyc".to_owned(), zone_id: None, status: Vec::new(), limit: 10 };
    let rules: Vec<_> = archive.alerts(&query).await.unwrap().into_iter().map(|alert| alert.rule).collect();
    assert_eq!(rules, ["b", "old"]);
    let seen = archive.revision().await.unwrap();
    assert_eq!(archive.expire(token, Time(now.0 - 5 * hour / 2), Time(now.0 - 4 * hour)).await.unwrap(), 0);
    assert_eq!(archive.revision().await.unwrap(), seen);
}

/// Hours that are too old for the feed are history all the same.
pub(super) async fn old_hours_go_into_those_that_are_there(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let hour = |zone: Option<&str>, hour: i64, values: &[(&str, f64)]| FeatureHour {
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
        hour: Time(NOON.0 + hour * 3_600_000),
        values: values.iter().copied().collect(),
    };
    let there =
        vec![hour(None, 0, &[("demand_mwh", 1.0), ("forecast_mwh", 2.0)]), hour(Some("z0"), 0, &[("us_aqi", 3.0)])];
    let processed = Processed { city_id: "nyc".to_owned(), features: there.clone(), ..Processed::default() };
    archive.put_processed(token, &processed).await.unwrap();
    let seen = archive.revision().await.unwrap();
    let hours = vec![hour(None, 0, &[("demand_mwh", 4.0)]), hour(None, 1, &[("demand_mwh", 5.5)])];
    for _ in 0..2 {
        archive.take_in(token, &Intake { hours: hours.clone(), ..Intake::default() }).await.unwrap();
    }
    assert_ne!(archive.revision().await.unwrap(), seen);
    let merged = hour(None, 0, &[("demand_mwh", 4.0), ("forecast_mwh", 2.0)]);
    assert_eq!(archive.features("nyc", None, NOON).await.unwrap(), [merged, hours[1].clone(), there[1].clone()]);
    assert_eq!(archive.feed(&FeedQuery { limit: 10, ..FeedQuery::default() }).await.unwrap(), []);
}

/// Subscribers have seen all up to a number: what comes after an empty feed must not be given a smaller one.
pub(super) async fn numbers_go_on_where_all_rows_are_gone(place: &dyn Place) {
    let archive = place.open();
    let token = take(&*archive, "a", MINUTE).await;
    let items = (1..=7).map(|seq| item(seq, "nyc", Some("z0"), samples::weather(1.0))).collect();
    archive.take_in(token, &Intake { items, ..Intake::default() }).await.unwrap();
    archive.take_in(token, &Intake { offsets: vec![offset(0, 5)], ..Intake::default() }).await.unwrap();
    assert_eq!(archive.expire(token, Time(NOON.0 + 60_000), Time(0)).await.unwrap(), 7);
    assert_eq!(archive.feed(&FeedQuery { limit: 10, ..FeedQuery::default() }).await.unwrap(), []);
    assert_eq!(archive.last_seq().await.unwrap(), 7);
    assert_eq!(place.open().last_seq().await.unwrap(), 7);
}
