//! Buses keep to their streets and to what stations announce.

use super::*;

#[test]
fn a_bus_is_never_over_ten_metres_from_a_street() {
    let mut seen = BTreeMap::<&str, (usize, Point, f64)>::new();
    for (event, value) in hour_of("transport.gps") {
        let at = point(&value["currentLocation"]);
        let off = NEARBY.distance(&CITY.network, at);
        assert!(off <= 1.0, "{} is {off} m from any street", event.key);
        let entry = seen.entry(&event.key).or_insert((0, at, 0.0));
        *entry = (entry.0 + 1, at, entry.2 + entry.1.distance(at));
    }
    assert_eq!(seen.len(), 40);
    for (bus, (reports, _, driven)) in seen {
        assert!(reports >= 3590, "{bus} reported {reports} times in an hour");
        assert!((6000.0..45_000.0).contains(&driven), "{bus} drove {driven} m in an hour");
    }
}

#[test]
fn a_bus_glides_and_looks_where_it_goes() {
    let mut last: HashMap<&str, (Point, i64, f64)> = HashMap::new();
    let mut straight = 0;
    for (event, value) in hour_of("transport.gps") {
        let (at, heading) = (point(&value["currentLocation"]), value["heading"].as_f64().expect("heading"));
        if let Some((from, ms, before)) = last.insert(&event.key, (at, event.timestamp_ms, heading)) {
            let seconds = (event.timestamp_ms - ms) as f64 / 1000.0;
            assert!(seconds <= 1.6, "{} was silent for {seconds} s", event.key);
            assert!(from.distance(at) <= 55.0 / 3.6 * seconds + 0.5, "{} jumped", event.key);
            if from.distance(at) > 3.0 && before == heading {
                let off = (from.heading(at) - heading).abs();
                assert!(off.min(360.0 - off) < 25.0, "{} goes {} and looks {heading}", event.key, from.heading(at));
                straight += 1;
            }
        }
    }
    assert!(straight > 20_000, "{straight}");
}

/// Announced arrivals are exact in the plan; buses report once a second, so a report within 1.1 s shows the bus at the stop.
const ARRIVAL_TOLERANCE_MS: i64 = 1100;

/// Checks all announcements in these events whose moment lies before `until`; returns how many there were.
fn check_arrivals<'a>(events: impl Iterator<Item = (&'a SimEvent, &'a Value)> + Clone, until: i64) -> usize {
    let mut reports: HashMap<&str, Vec<(i64, Point, f64)>> = HashMap::new();
    for (event, value) in events.clone().filter(|(e, _)| e.topic == "transport.gps") {
        let speed = value["speed"].as_f64().expect("speed");
        reports.entry(&event.key).or_default().push((event.timestamp_ms, point(&value["currentLocation"]), speed));
    }
    let mut checked = 0;
    for (event, value) in events.filter(|(e, _)| e.topic == "transport.stations") {
        let at = point(&value["location"]);
        let mut before = event.timestamp_ms;
        for arrival in value["nextArrivals"].as_array().expect("nextArrivals") {
            let text = arrival["estimatedArrival"].as_str().expect("estimatedArrival");
            let moment = text.parse::<jiff::Timestamp>().expect("time").as_millisecond();
            assert!(moment >= before, "soonest first, and none that has passed");
            before = moment;
            if moment + ARRIVAL_TOLERANCE_MS >= until {
                continue;
            }
            let of_bus = &reports[arrival["busId"].as_str().expect("busId")];
            let next = of_bus.partition_point(|r| r.0 < moment);
            let there = of_bus[next..].iter().take_while(|r| r.0 <= moment + ARRIVAL_TOLERANCE_MS);
            assert!(there.clone().any(|r| r.1.distance(at) <= 10.0 && r.2 == 0.0), "{} misses {arrival}", event.key);
            if let Some(earlier) = next.checked_sub(1).map(|i| of_bus[i]).filter(|r| r.0 < moment) {
                assert!(earlier.2 > 0.0 || earlier.1.distance(at) > 10.0, "{arrival} was there before its time");
            }
            checked += 1;
        }
    }
    checked
}

#[test]
fn announced_arrivals_come_true() {
    let checked = check_arrivals(AN_HOUR.iter().map(|(e, v)| (e, v)), MONDAY + HOUR);
    assert!(checked > 50_000, "{checked}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// At any seed and any hour of the week, rush hours too.
    #[test]
    fn arrivals_come_true_at_any_time(seed in 0u64..1000, minute in 0i64..7 * 24 * 60) {
        let start = MONDAY + minute * 60_000;
        let mut events = Vec::new();
        Simulation::new(&CITY, start, seed).step(start + 400_000, &mut events);
        events.retain(|e| e.topic.starts_with("transport."));
        let values: Vec<Value> = events.iter().map(|e| serde_json::from_str(&e.value).expect("JSON")).collect();
        prop_assert!(check_arrivals(events.iter().zip(&values), start + 400_000) > 300);
    }
}
