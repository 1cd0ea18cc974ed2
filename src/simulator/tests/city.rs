//! The city as laid out: counts, connectivity, geometry, and its file.

use super::*;

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
    assert_eq!(city["cityId"], "laquila-dt-001-seed-42", "other streets than those of the first seed");
    assert_eq!(DemoCity::laquila(1).id(), "laquila-dt-001");
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
