//! What the demo city promises: exact counts, a network one can drive, buses on their streets and in time, incidents that are
//! seen to, a day's rhythm, valid messages, and the same bytes for the same seed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use serde_json::Value;

use super::conditions::{Conditions, Demand};
use super::geo::{Point, Polyline};
use super::network::RoadNetwork;
use super::rhythm::{LocalTime, civil};
use super::{DemoCity, SimEvent, Simulation, SimulationConfig};

/// Monday 2025-12-01 15:00 in L'Aquila.
const MONDAY: i64 = 1_764_597_600_000;
const HOUR: i64 = 3_600_000;

static CITY: LazyLock<DemoCity> = LazyLock::new(|| DemoCity::laquila(42));

/// An hour of the city at the default rate.
static AN_HOUR: LazyLock<Vec<(SimEvent, Value)>> = LazyLock::new(|| {
    let mut events = Vec::new();
    Simulation::new(&CITY, MONDAY, 42).step(MONDAY + HOUR, &mut events);
    // Edges, sensors and buildings of ten minutes are as good as those of an hour.
    let long = ["transport.gps", "transport.stations", "emergency.incidents"];
    events.retain(|e| e.timestamp_ms < MONDAY + HOUR / 6 || long.contains(&e.topic));
    events.into_iter().map(|e| (e.clone(), serde_json::from_str(&e.value).expect("JSON"))).collect()
});

fn hour_of(topic: &str) -> impl Iterator<Item = &'static (SimEvent, Value)> {
    AN_HOUR.iter().filter(move |(e, _)| e.topic == topic)
}

fn point(value: &Value) -> Point {
    Point {
        latitude: value["latitude"].as_f64().expect("latitude"),
        longitude: value["longitude"].as_f64().expect("longitude"),
    }
}

/// Metres from `at` to the nearest point of the line.
fn distance_to_line(line: &Polyline, at: Point) -> f64 {
    let shrink = at.latitude.to_radians().cos();
    let flat = |p: Point| [(p.longitude - at.longitude) * shrink * 111_195.0, (p.latitude - at.latitude) * 111_195.0];
    line.points()
        .windows(2)
        .map(|w| {
            let (a, b) = (flat(w[0]), flat(w[1]));
            let d = [b[0] - a[0], b[1] - a[1]];
            let t = (-(a[0] * d[0] + a[1] * d[1]) / (d[0] * d[0] + d[1] * d[1]).max(1e-9)).clamp(0.0, 1.0);
            (a[0] + d[0] * t).hypot(a[1] + d[1] * t)
        })
        .fold(f64::MAX, f64::min)
}

/// A grid of edges by place, to find those near a point.
struct Nearby {
    cells: HashMap<(i64, i64), Vec<u32>>,
}

impl Nearby {
    fn cell(at: Point) -> (i64, i64) {
        ((at.latitude * 1000.0).floor() as i64, (at.longitude * 1000.0).floor() as i64)
    }

    fn new(network: &RoadNetwork) -> Self {
        let mut cells: HashMap<_, Vec<u32>> = HashMap::new();
        for (e, edge) in network.edges.iter().enumerate() {
            let mut metres = 0.0;
            while metres <= edge.line.length() + 20.0 {
                let list = cells.entry(Self::cell(edge.line.at(metres).0)).or_default();
                if list.last() != Some(&(e as u32)) {
                    list.push(e as u32);
                }
                metres += 20.0;
            }
        }
        Self { cells }
    }

    fn distance(&self, network: &RoadNetwork, at: Point) -> f64 {
        let (x, y) = Self::cell(at);
        let mut best = f64::MAX;
        for cell in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (x + dx, y + dy))) {
            for &e in self.cells.get(&cell).into_iter().flatten() {
                best = best.min(distance_to_line(&network.edge(e).line, at));
            }
        }
        best
    }
}

static NEARBY: LazyLock<Nearby> = LazyLock::new(|| Nearby::new(&CITY.network));

/// How many nodes can be reached from the first, forwards along edges or backwards.
fn reached(network: &RoadNetwork, backwards: bool) -> usize {
    let mut next: Vec<Vec<u32>> = vec![Vec::new(); network.nodes.len()];
    for edge in &network.edges {
        let (a, b) = if backwards { (edge.to, edge.from) } else { (edge.from, edge.to) };
        next[a as usize].push(b);
    }
    let mut seen = vec![false; network.nodes.len()];
    seen[0] = true;
    let (mut stack, mut count) = (vec![0usize], 0);
    while let Some(node) = stack.pop() {
        count += 1;
        for &n in &next[node] {
            if !std::mem::replace(&mut seen[n as usize], true) {
                stack.push(n as usize);
            }
        }
    }
    count
}

fn check_network(city: &DemoCity) {
    let network = &city.network;
    for d in 0..5 {
        assert_eq!(network.edges.iter().filter(|e| e.district == d).count(), 3000);
        assert_eq!(city.buildings.iter().filter(|b| b.district == d).count(), 100);
        assert_eq!(city.sensors.iter().filter(|s| s.district == d).count(), 50);
        assert!(city.weather_stations.iter().any(|w| w.district == d));
        assert!(network.edges.iter().filter(|e| e.district == d && e.twin.is_none()).count() > 200);
    }
    // Everybody can drive from everywhere to everywhere.
    assert_eq!(reached(network, false), network.nodes.len());
    assert_eq!(reached(network, true), network.nodes.len());
    let mut streets = vec![0; network.nodes.len()];
    let mut segments = BTreeSet::new();
    for edge in &network.edges {
        if segments.insert(edge.segment) {
            streets[edge.from as usize] += 1;
            streets[edge.to as usize] += 1;
        }
    }
    let three_or_four = streets.iter().filter(|s| (3..=4).contains(*s)).count();
    assert!(three_or_four * 100 > streets.len() * 80, "{three_or_four} of {}", streets.len());
    assert!(city.lines.iter().all(|l| l.stops.iter().flatten().count() >= 6 && l.edges.len() >= 40));
    for line in &city.lines {
        for (i, &e) in line.edges.iter().enumerate() {
            let next = line.edges[(i + 1) % line.edges.len()];
            assert_eq!(network.edge(e).to, network.edge(next).from, "{} is a closed loop", line.id);
        }
    }
}

#[test]
fn every_seed_gives_exact_counts_and_a_connected_network() {
    for seed in 0..6 {
        check_network(&DemoCity::laquila(seed));
    }
    check_network(&CITY);
}

#[test]
fn streets_are_curved_and_measured() {
    let edges = &CITY.network.edges;
    let curved = edges.iter().filter(|e| e.line.points().len() > 2).count();
    assert!(curved * 100 > edges.len() * 50, "{curved} of {}", edges.len());
    for edge in edges {
        let measured: f64 = edge.line.points().windows(2).map(|w| w[0].distance(w[1])).sum();
        assert!((measured - edge.length).abs() < 0.06);
        assert!((5.0..600.0).contains(&edge.length), "{}", edge.length);
        let ends = [edge.from, edge.to].map(|n| CITY.network.nodes[n as usize].at);
        assert!(edge.line.points()[0].distance(ends[0]) < 0.2);
        assert!(edge.line.points()[edge.line.points().len() - 1].distance(ends[1]) < 0.2);
        if let Some(twin) = edge.twin {
            let twin = CITY.network.edge(twin);
            assert_eq!((twin.from, twin.to, twin.segment), (edge.to, edge.from, edge.segment));
        }
    }
    for class in ["primary", "secondary", "tertiary", "residential"] {
        assert!(edges.iter().filter(|e| e.class.name() == class).count() > 100, "{class}");
    }
}

#[test]
fn the_city_file_is_a_canonical_state() {
    let text = CITY.city_file(MONDAY);
    assert_eq!(text, DemoCity::laquila(42).city_file(MONDAY), "the same seed, the same bytes");
    assert_ne!(text, DemoCity::laquila(43).city_file(MONDAY));
    let city: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(city["cityId"], "laquila-dt-001");
    assert_eq!(city["name"], "L'Aquila Digital Twin");
    assert_eq!(city["timestamp"], "2025-12-01T14:00:00.000Z");
    let mut ids = BTreeSet::new();
    let mut nodes = BTreeSet::new();
    let sorted = |list: &Value, key: &str| {
        let ids: Vec<&str> = list.as_array().expect(key).iter().map(|v| v[key].as_str().expect(key)).collect();
        assert!(ids.windows(2).all(|w| w[0] < w[1]), "{key} in order");
        ids.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    sorted(&city["districts"], "districtId");
    for district in city["districts"].as_array().expect("districts") {
        let bounds = &district["location"]["boundaries"];
        let centre = &district["location"];
        let inside = |lat: f64, lon: f64| {
            lat <= bounds["north"].as_f64().expect("north")
                && lat >= bounds["south"].as_f64().expect("south")
                && lon <= bounds["east"].as_f64().expect("east")
                && lon >= bounds["west"].as_f64().expect("west")
        };
        assert!(inside(
            centre["centerLatitude"].as_f64().expect("latitude"),
            centre["centerLongitude"].as_f64().expect("longitude")
        ));
        assert_eq!(district["sensors"], serde_json::json!([]));
        for building in district["buildings"].as_array().expect("buildings") {
            let at = point(&building["location"]);
            assert!(inside(at.latitude, at.longitude));
            let rate = building["currentOccupancy"].as_f64().expect("occupancy")
                / building["totalCapacity"].as_f64().expect("capacity");
            assert_eq!(building["occupancyRate"].as_f64(), Some(rate));
        }
        for list in [("buildings", "buildingId"), ("weatherStations", "stationId")] {
            ids.extend(sorted(&district[list.0], list.1));
        }
        nodes.extend(sorted(&district["cityGraph"]["nodes"], "nodeId"));
        ids.extend(sorted(&district["cityGraph"]["edges"], "edgeId"));
    }
    assert_eq!(ids.len(), 5 * (3000 + 100 + 2), "ids are unique over the city");
    for district in city["districts"].as_array().expect("districts") {
        for edge in district["cityGraph"]["edges"].as_array().expect("edges") {
            assert!(nodes.contains(edge["fromNode"].as_str().expect("fromNode")));
            assert!(nodes.contains(edge["toNode"].as_str().expect("toNode")));
            check_conditions(&edge["trafficConditions"], edge);
        }
    }
}

/// `trafficConditions` agree with the edge (an object of the city file) and among themselves.
fn check_conditions(now: &Value, edge: &Value) {
    let speed = now["averageSpeed"].as_f64().expect("averageSpeed");
    let (limit, length) = (edge["speedLimit"].as_f64().expect("limit"), edge["length"].as_f64().expect("length"));
    assert!(speed > 0.0 && speed <= limit, "{now}");
    assert!((now["travelTime"].as_f64().expect("travelTime") - length / speed * 3.6).abs() <= 0.051, "{now}");
    let level = match speed / limit {
        r if r >= 0.75 => "low",
        r if r >= 0.5 => "moderate",
        r if r >= 0.3 => "high",
        _ => "severe",
    };
    assert_eq!(now["congestionLevel"], level);
    assert!(now["vehicleCount"].as_u64().expect("vehicleCount") < 1000);
}

#[test]
fn every_event_is_valid_and_in_time_order() {
    let edges: BTreeMap<String, Value> = serde_json::from_str::<Value>(&CITY.city_file(MONDAY)).expect("JSON")["districts"]
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
        super::write::time(&mut stamp, event.timestamp_ms);
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
                assert!((0.0..=100.0).contains(&reading("humidity")) && (0.0..360.0).contains(&reading("windDirection")));
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
                assert!(value["waitingPassengers"].as_u64().expect("waiting") < 500);
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
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// At any seed and any hour of the week, rush hours too.
    #[test]
    fn arrivals_come_true_at_any_time(seed in 0u64..1000, minute in 0i64..7 * 24 * 60) {
        let start = MONDAY + minute * 60_000;
        let mut events = Vec::new();
        Simulation::new(&CITY, start, seed).step(start + 600_000, &mut events);
        events.retain(|e| e.topic.starts_with("transport."));
        let values: Vec<Value> = events.iter().map(|e| serde_json::from_str(&e.value).expect("JSON")).collect();
        prop_assert!(check_arrivals(events.iter().zip(&values), start + 600_000) > 500);
    }

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
    assert!(obstructed > 5);
}

#[test]
fn rush_hours_are_slower_louder_and_dirtier_than_the_night() {
    // Local 03:30, 07:45 and 11:00 of a Tuesday.
    let [night, rush, late] = [12.5, 16.75, 20.0].map(|h| MONDAY + (h * HOUR as f64) as i64);
    let mean_speed = |at: i64| {
        let demand = Demand::at(at);
        let edges = CITY.network.edges.iter().enumerate().filter(|(_, e)| e.class.name() != "residential");
        let ratios: Vec<f64> = edges
            .map(|(n, e)| Conditions::of(e, n as u32, 42, demand, at, false).average_speed / f64::from(e.speed_limit))
            .collect();
        ratios.iter().sum::<f64>() / ratios.len() as f64
    };
    assert!(mean_speed(night) > 0.93);
    assert!(mean_speed(rush) < 0.8 * mean_speed(night), "{} {}", mean_speed(rush), mean_speed(night));
    assert!(mean_speed(late) > mean_speed(rush));
    let mean = |kind: &str, at: i64| {
        let moment = CITY.moment(42, at);
        let own = CITY.sensors.iter().enumerate().filter(|(_, s)| s.sensing.names().0 == kind);
        let values: Vec<f64> = own.map(|(n, s)| moment.value(s, n)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!(mean("noise", rush) > mean("noise", night) + 12.0);
    assert!(mean("air_quality", rush) > mean("air_quality", night) + 10.0);
    assert!(mean("traffic_flow", rush) > 5.0 * mean("traffic_flow", night));
    assert!(mean("energy_consumption", late) > 1.2 * mean("energy_consumption", night));
    let people = |kind: &str, at: i64| {
        let own = CITY.buildings.iter().filter(|b| b.kind == kind);
        own.map(|b| b.occupancy(LocalTime::at(at), 1, at)).sum::<u32>()
    };
    assert!(people("residential", night) > people("residential", late));
    assert!(people("office", late) > 10 * people("office", night));
    assert!(people("school", late) > 10 * people("school", night));
    // Saturday has no morning rush.
    assert!(mean_speed(rush + 4 * 24 * HOUR) > mean_speed(rush));
}

#[test]
fn traffic_follows_the_class_of_the_road() {
    let at = MONDAY + 3 * HOUR;
    let flow = |class: &str| {
        let own = CITY.network.edges.iter().enumerate().filter(|(_, e)| e.class.name() == class);
        let flows: Vec<f64> =
            own.map(|(n, e)| Conditions::of(e, n as u32, 42, Demand::at(at), at, false).flow).collect();
        flows.iter().sum::<f64>() / flows.len() as f64
    };
    assert!(flow("primary") > flow("secondary"));
    assert!(flow("secondary") > flow("tertiary"));
    assert!(flow("tertiary") > flow("residential"));
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
        super::write::number(&mut out, value, decimals);
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
        super::write::time(&mut out, ms);
        assert_eq!(out, format!("\"{text}\""));
    }
    assert_eq!(civil(19_782), (2024, 2, 29));
}

#[test]
fn local_time_is_that_of_italy() {
    let hour = |text: &str| LocalTime::at(text.parse::<jiff::Timestamp>().expect("time").as_millisecond()).hour;
    assert_eq!(hour("2026-01-15T12:00:00Z"), 13.0);
    assert_eq!(hour("2026-07-15T12:00:00Z"), 14.0);
    assert_eq!(hour("2026-03-29T00:30:00Z"), 1.5);
    assert_eq!(hour("2026-03-29T01:30:00Z"), 3.5);
    assert_eq!(hour("2026-10-25T00:30:00Z"), 2.5);
    assert_eq!(hour("2026-10-25T01:30:00Z"), 2.5);
    assert_eq!(hour("2026-10-31T12:00:00Z"), 13.0);
    assert_eq!(hour("2026-03-30T12:00:00Z"), 14.0);
}
