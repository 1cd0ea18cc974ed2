//! The day's rhythm, and the road's class in it.

use super::*;

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
