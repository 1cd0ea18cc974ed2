//! Every message is valid, in time, and the same for the same seed; the rate can be set.

use super::*;

#[test]
fn every_event_is_valid_and_in_time_order() {
    let edges: BTreeMap<String, Value> =
        serde_json::from_str::<Value>(&CITY.city_file(MONDAY)).expect("JSON")["districts"]
            .as_array()
            .expect("districts")
            .iter()
            .flat_map(|d| d["cityGraph"]["edges"].as_array().expect("edges").clone())
            .map(|e| (e["edgeId"].as_str().expect("edgeId").to_owned(), e))
            .collect();
    let mut last = MONDAY;
    let mut topics = BTreeSet::new();
    for (event, value) in AN_HOUR.iter() {
        assert!(event.timestamp_ms >= last && event.timestamp_ms < MONDAY + HOUR);
        last = event.timestamp_ms;
        topics.insert(event.topic);
        let text = |key: &str| value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"));
        let one_of = |key: &str, set: &[&str]| assert!(set.contains(&text(key)), "{key} in {value}");
        let mut stamp = String::new();
        crate::simulator::write::time(&mut stamp, event.timestamp_ms);
        assert_eq!(format!("\"{}\"", text("lastUpdated")), stamp);
        let position = |key: &str| {
            let at = point(&value[key]);
            assert!((42.3..42.4).contains(&at.latitude) && (13.3..13.5).contains(&at.longitude), "{value}");
        };
        let in_district = |id: &str| assert_eq!(event.key, format!("{}/{}", text("districtId"), text(id)));
        match event.topic {
            "sensors.environmental" | "sensors.traffic" | "buildings.sensors" => {
                in_district("sensorId");
                let (kinds, buildings): (&[&str], bool) = match event.topic {
                    "sensors.environmental" => (&["air_quality", "noise", "temperature"], false),
                    "sensors.traffic" => (&["traffic_flow"], false),
                    _ => (&["energy_consumption"], true),
                };
                one_of("type", kinds);
                one_of("status", &["active", "inactive", "maintenance"]);
                assert_eq!(value.get("buildingId").is_some(), buildings);
                let reading = value["value"].as_f64().expect("value");
                let sane = match text("type") {
                    "air_quality" => 0.0..300.0,
                    "noise" => 25.0..95.0,
                    "temperature" => -25.0..45.0,
                    _ => 0.0..6000.0,
                };
                assert!(sane.contains(&reading), "{value}");
                position("location");
            }
            "buildings.occupancy" => {
                in_district("buildingId");
                assert!(value["currentOccupancy"].as_u64() <= value["totalCapacity"].as_u64());
            }
            "weather.stations" => {
                in_district("stationId");
                let r = &value["readings"];
                let reading = |key: &str| r[key].as_f64().expect("reading");
                assert!(
                    (0.0..=100.0).contains(&reading("humidity")) && (0.0..360.0).contains(&reading("windDirection"))
                );
                assert!((950.0..1060.0).contains(&reading("pressure")) && reading("precipitation") >= 0.0);
                assert!(reading("windSpeed") >= 0.0 && reading("temperature").abs() < 45.0);
                one_of("status", &["active"]);
            }
            "traffic.graph" => {
                assert_eq!(event.key, text("edgeId"));
                check_conditions(&value["trafficConditions"], &edges[&event.key]);
            }
            "transport.gps" => {
                assert_eq!(event.key, text("busId"));
                one_of("status", &["in_service"]);
                assert!((0.0..360.0).contains(&value["heading"].as_f64().expect("heading")));
                assert!((0.0..=55.0).contains(&value["speed"].as_f64().expect("speed")));
                assert!(value["passengerCount"].as_u64().expect("passengers") <= 80);
                position("currentLocation");
            }
            "transport.stations" => {
                assert_eq!(event.key, text("stationId"));
                assert!(value["waitingPassengers"].as_u64().expect("waiting") <= 120);
                assert!(!value["nextArrivals"].as_array().expect("nextArrivals").is_empty(), "{value}");
                position("location");
            }
            "emergency.incidents" if value.get("incidentId").is_some() => {
                assert_eq!(event.key, text("incidentId"));
                one_of("type", &["fire", "medical", "accident", "security"]);
                one_of("severity", &["critical", "high", "medium", "low"]);
                one_of("status", &["reported", "dispatched", "in_progress", "resolved"]);
                position("location");
            }
            "emergency.incidents" => {
                assert_eq!(event.key, text("unitId"));
                one_of("type", &["fire_truck", "ambulance", "police"]);
                one_of("status", &["available", "dispatched", "on_scene"]);
                assert_eq!(value["assignedIncident"].is_null(), text("status") == "available");
                position("currentLocation");
            }
            other => panic!("unknown topic {other}"),
        }
    }
    assert_eq!(topics.len(), 9);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    /// However the time is cut into steps, the same events come.
    #[test]
    fn steps_of_any_length_give_the_same_events(steps in proptest::collection::vec(1i64..900, 1..40)) {
        let until = MONDAY + steps.iter().sum::<i64>();
        let (mut whole, mut cut) = (Vec::new(), Vec::new());
        Simulation::new(&CITY, MONDAY, 7).step(until, &mut whole);
        let mut simulation = Simulation::new(&CITY, MONDAY, 7);
        let mut now = MONDAY;
        for step in steps {
            now += step;
            simulation.step(now, &mut cut);
        }
        prop_assert_eq!(whole, cut);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let run = |seed| {
        let mut events = Vec::new();
        Simulation::new(&DemoCity::laquila(seed), MONDAY, seed).step(MONDAY + 60_000, &mut events);
        events
    };
    let (a, b, c) = (run(3), run(3), run(4));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn all_that_moves_or_measures_reports_within_three_seconds() {
    for events_per_second in [50.0, 500.0, 20_000.0] {
        let config = SimulationConfig { events_per_second, ..SimulationConfig::default() };
        let mut events = Vec::new();
        Simulation::with_config(&CITY, MONDAY, 42, config).step(MONDAY + 3000, &mut events);
        let keys = |topics: &[&str]| {
            let own = events.iter().filter(|e| topics.contains(&e.topic) && !e.key.starts_with("incident"));
            own.map(|e| &e.key).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(keys(&["sensors.environmental", "sensors.traffic", "buildings.sensors"]), 250);
        assert_eq!(keys(&["transport.gps"]), 40);
        assert_eq!(keys(&["transport.stations"]), CITY.stations.len());
        assert_eq!(keys(&["emergency.incidents"]), 20);
    }
}

#[test]
fn the_rate_can_be_set() {
    for (events_per_second, seconds) in [(5.0, 300), (500.0, 60), (5000.0, 20), (20_000.0, 5)] {
        let config = SimulationConfig { events_per_second, ..SimulationConfig::default() };
        let mut simulation = Simulation::with_config(&CITY, MONDAY, 42, config);
        let mut events = Vec::new();
        simulation.step(MONDAY + 10_000, &mut events);
        events.clear();
        simulation.step(MONDAY + 10_000 + seconds * 1000, &mut events);
        // Arrivals, departures and incidents come in their own time: some four a second.
        let rate = events.len() as f64 / seconds as f64;
        assert!(rate > 0.95 * events_per_second, "{rate} of {events_per_second}");
        assert!(rate < 1.05 * events_per_second + 35.0, "{rate} of {events_per_second}");
    }
}

#[test]
fn a_rate_that_makes_no_sense_is_bounded() {
    for events_per_second in [0.0, -3.0, f64::NAN, f64::INFINITY] {
        let config = SimulationConfig { events_per_second, incident_interval_ms: -5 };
        let mut events = Vec::new();
        Simulation::with_config(&CITY, MONDAY, 42, config).step(MONDAY + 4000, &mut events);
        assert!((300..5000).contains(&events.len()), "{}", events.len());
    }
}

#[test]
fn numbers_and_times_are_written_in_their_shortest_form() {
    let number = |value, decimals| {
        let mut out = String::new();
        crate::simulator::write::number(&mut out, value, decimals);
        out
    };
    assert_eq!(number(42.35, 6), "42.35");
    assert_eq!(number(13.4, 6), "13.4");
    assert_eq!(number(42.000_001, 6), "42.000001");
    assert_eq!(number(-0.04, 1), "0");
    assert_eq!(number(-12.34, 1), "-12.3");
    assert_eq!(number(7.0, 2), "7");
    assert_eq!(number(1013.205, 1), "1013.2");
    for (ms, text) in [(0, "1970-01-01T00:00:00.000Z"), (1_772_323_199_999, "2026-02-28T23:59:59.999Z")] {
        let mut out = String::new();
        crate::simulator::write::time(&mut out, ms);
        assert_eq!(out, format!("\"{text}\""));
    }
    assert_eq!(civil(19_782), (2024, 2, 29));
}
