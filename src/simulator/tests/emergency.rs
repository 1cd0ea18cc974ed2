//! Incidents are seen to by units that drive there.

use super::*;

#[test]
fn incidents_are_reported_handled_and_resolved() {
    let order = ["reported", "dispatched", "in_progress", "resolved"];
    let mut incidents: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (event, value) in hour_of("emergency.incidents").filter(|(_, v)| v.get("incidentId").is_some()) {
        incidents.entry(&event.key).or_default().push(value);
    }
    let resolved = incidents.values().filter(|l| l.len() == 4).count();
    assert!(resolved >= 25, "{resolved} of {} are resolved within the hour", incidents.len());
    assert!(incidents.len() - resolved <= 6);
    for (id, life) in &incidents {
        for (step, value) in life.iter().enumerate() {
            assert_eq!(value["status"], order[step], "{id}");
            assert_eq!(value["reportedAt"], life[0]["lastUpdated"]);
            assert_eq!(value["assignedUnits"].as_array().expect("units").is_empty(), step == 0);
        }
    }
    let kinds: BTreeSet<_> = incidents.values().map(|l| l[0]["type"].as_str().expect("type")).collect();
    assert_eq!(kinds.len(), 4);
}

#[test]
fn units_drive_along_the_streets_to_their_incidents() {
    let mut units: BTreeMap<&str, Vec<(i64, &Value)>> = BTreeMap::new();
    let mut places: HashMap<&str, Point> = HashMap::new();
    for (event, value) in hour_of("emergency.incidents") {
        if value.get("unitId").is_some() {
            units.entry(&event.key).or_default().push((event.timestamp_ms, value));
        } else {
            places.insert(&event.key, point(&value["location"]));
        }
    }
    assert_eq!(units.len(), 20);
    let mut arrived = 0;
    for (unit, reports) in units {
        for pair in reports.windows(2) {
            let [before, now] = [pair[0].1, pair[1].1];
            let statuses = (before["status"].as_str().expect("status"), now["status"].as_str().expect("status"));
            let allowed = [("available", "dispatched"), ("dispatched", "on_scene"), ("on_scene", "available")];
            assert!(statuses.0 == statuses.1 || allowed.contains(&statuses), "{unit}: {statuses:?}");
            let at = point(&now["currentLocation"]);
            assert!(NEARBY.distance(&CITY.network, at) <= 1.0, "{unit} is off the streets");
            let seconds = (pair[1].0 - pair[0].0) as f64 / 1000.0;
            let moved = point(&before["currentLocation"]).distance(at);
            assert!(moved <= 70.0 * 1.25 / 3.6 * seconds + 0.5, "{unit} jumped {moved} m in {seconds} s");
            if statuses == ("dispatched", "on_scene") {
                let incident = places[now["assignedIncident"].as_str().expect("incident")];
                assert!(at.distance(incident) < 1.0, "{unit} is where it is needed");
                arrived += 1;
            }
        }
    }
    assert!(arrived >= 30, "{arrived}");
}

#[test]
fn a_run_after_another_resolves_what_that_left_open() {
    let mut told = Vec::new();
    let mut first = Simulation::new(&CITY, MONDAY, 42);
    first.step(MONDAY + HOUR / 6, &mut told);
    let left = first.left();
    assert!(!left.open.is_empty() && left.open.iter().all(|&number| number <= left.last), "{left:?}");
    let again = MONDAY + HOUR;
    let mut second = Simulation::new(&CITY, again, 42);
    second.begin_after(&left, &mut told);
    second.step(again + HOUR / 6, &mut told);
    // Of each incident, over both runs, what it is at the end; nobody's second life.
    let (mut last, mut reported) = (BTreeMap::new(), BTreeSet::new());
    for event in told.iter().filter(|event| event.topic == "emergency.incidents" && event.key.starts_with("incident")) {
        let value: Value = serde_json::from_str(&event.value).expect("JSON");
        let number = incident_number(&event.key).expect("a number");
        assert!(value["status"] != "reported" || reported.insert(number), "{value}");
        last.insert(number, (event.timestamp_ms, value["status"].clone()));
    }
    for number in &left.open {
        assert_eq!(last[number], (again, Value::from("resolved")));
    }
    assert!(second.left().open.iter().all(|&number| number > left.last));
    assert_eq!(incident_number("incident-12345"), Some(12345));
    assert_eq!(incident_number("fire-1"), None);
}

#[test]
fn an_incident_obstructs_its_street() {
    let mut obstructed = 0;
    for (_, value) in hour_of("traffic.graph") {
        let now = &value["trafficConditions"];
        if let Some(incident) = now["incidents"].get(0) {
            assert!(["fire", "accident"].contains(&incident["type"].as_str().expect("type")));
            assert!(["high", "severe"].contains(&now["congestionLevel"].as_str().expect("level")), "{value}");
            obstructed += 1;
        }
    }
    assert!(obstructed >= 1);
}
