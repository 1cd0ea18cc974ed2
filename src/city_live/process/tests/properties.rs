//! What holds for all inputs.

use proptest::prelude::*;

use super::{
    super::{Rules, series::HOUR_MS},
    town::{Given, NOW, city, grid, inputs, item, power, process, raw},
};
use crate::{
    city_live::{
        archive::{AlertStatus, Processed},
        message::{Aqi, Payload, Traffic, Weather},
    },
    twin::time::Time,
};

fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        4 => (-100.0..500.0_f64).prop_map(Some),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(1e300), Just(-1e300), Just(f64::MIN_POSITIVE)].prop_map(Some),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)].prop_map(Some),
    ]
}

prop_compose! {
    fn weather()(t in value(), felt in value(), wind in value(), rain in value()) -> Payload {
        Payload::Weather(Weather {
            temperature_c: t,
            apparent_temperature_c: felt,
            wind_speed_ms: wind,
            precipitation_mm: rain,
            ..Weather::default()
        })
    }
}

prop_compose! {
    fn traffic()(now in value(), free in value(), closed in any::<bool>()) -> Payload {
        Payload::Traffic(Traffic {
            current_speed_kmh: now.unwrap_or(30.0),
            free_flow_speed_kmh: free.unwrap_or(50.0),
            current_travel_time_s: None,
            free_flow_travel_time_s: None,
            confidence: None,
            road_closure: closed,
        })
    }
}

fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        weather(),
        traffic(),
        (value(), value()).prop_map(|(us, eu)| Payload::Aqi(Aqi { us_aqi: us, european_aqi: eu, ..Aqi::default() })),
    ]
}

prop_compose! {
    /// Any values at any times, over a history that may be short.
    fn any_inputs()(
        raws in prop::collection::vec((0..3_usize, -200..5_i64, payload()), 0..12),
        demand in prop::collection::vec((-400..3_i64, value()), 0..60),
        own in prop::collection::vec((0..3_usize, -60..3_i64, value()), 0..10),
        grids in prop::collection::vec((-4..2_i64, -10.0..50.0_f64), 0..3),
        history in 0.0..1.0_f64,
    ) -> Given {
        let city = city(3);
        let mut inputs = inputs(&city, NOW);
        let count = (inputs.history.len() as f64 * history) as usize;
        inputs.history.truncate(count);
        for (zone, minutes, payload) in raws {
            let ts = Time(NOW.0 + minutes * 60_000);
            let kind = std::mem::discriminant(&payload);
            let id = city.zones[zone].id.as_str();
            // As the archive holds it: one value of a kind and zone.
            inputs.raw.retain(|raw| {
                raw.zone_id.as_deref() != Some(id) || std::mem::discriminant(&raw.payload) != kind
            });
            inputs.raw.push(raw(Some(id), ts, "any", payload));
        }
        for (seq, (hours, value)) in demand.into_iter().enumerate() {
            let ts = Time(NOW.0 + hours * HOUR_MS);
            inputs.feed.push(item(seq as i64, None, ts, power(value.unwrap_or(1.0))));
        }
        for (seq, (zone, hours, value)) in own.into_iter().enumerate() {
            let (id, ts) = (city.zones[zone].id.as_str(), Time(NOW.0 + hours * HOUR_MS));
            inputs.feed.push(item(1000 + seq as i64, Some(id), ts, power(value.unwrap_or(1.0))));
        }
        for (hours, excess) in grids {
            inputs.feed.push(grid(Time(NOW.0 + hours * HOUR_MS), excess));
        }
        inputs
    }
}

fn debug(processed: &Processed) -> String {
    format!("{processed:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_in_range_and_no_number_is_missing_its_value(inputs in any_inputs()) {
        let processed = process(&city(3), &inputs, NOW, &Rules::default());
        prop_assert_eq!(processed.zones.len(), 3);
        for zone in &processed.zones {
            prop_assert!((0.0..=100.0).contains(&zone.risk.score));
            prop_assert!(zone.risk.parts.iter().all(|part| (0.0..=100.0).contains(&part.score)));
            let weights: f64 = zone.risk.parts.iter().map(|part| part.weight).sum();
            prop_assert!(zone.risk.parts.is_empty() || (weights - 1.0).abs() < 1e-9);
            for hour in zone.forecast.iter().flat_map(|forecast| &forecast.hours) {
                prop_assert!(0.0 <= hour.low && hour.low <= hour.value && hour.value <= hour.high, "{:?}", hour);
            }
        }
        // JSON has no NaN and no infinity: serde_json writes them as null, and nothing here is an absent number.
        let documents = debug(&processed);
        prop_assert!(!documents.contains("NaN") && !documents.contains(": inf") && !documents.contains(": -inf"));
    }

    #[test]
    fn the_order_of_zones_and_documents_does_not_matter(inputs in any_inputs(), seed in any::<u64>()) {
        let straight = process(&city(3), &inputs, NOW, &Rules::default());
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut city, mut mixed) = (city(3), inputs);
        random.shuffle(&mut city.zones);
        random.shuffle(&mut mixed.raw);
        random.shuffle(&mut mixed.calls);
        random.shuffle(&mut mixed.history);
        random.shuffle(&mut mixed.feed);
        prop_assert_eq!(debug(&process(&city, &mixed, NOW, &Rules::default())), debug(&straight));
    }

    #[test]
    fn what_was_raised_is_cleared_when_all_is_well_again_and_a_repeated_run_makes_the_same(inputs in any_inputs()) {
        let city = city(3);
        let rules = Rules::default();
        let raised = process(&city, &inputs, NOW, &rules);
        prop_assert_eq!(debug(&process(&city, &inputs, NOW, &rules)), debug(&raised));
        // Written, the same run at the same time raises nothing twice.
        let mut again = inputs;
        again.alerts.clone_from(&raised.alerts);
        let repeated = process(&city, &again, NOW, &rules);
        let ids = |processed: &Processed| processed.alerts.iter().map(|alert| alert.alert_id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&repeated), ids(&raised));
        // A calm city an hour later: everything is known and usual.
        let later = Time(NOW.0 + HOUR_MS);
        let mut calm = super::town::inputs(&city, later);
        calm.alerts.clone_from(&raised.alerts);
        let cleared = process(&city, &calm, later, &rules);
        for alert in &raised.alerts {
            let after = cleared.alerts.iter().find(|other| other.alert_id == alert.alert_id);
            prop_assert_eq!(after.map(|after| after.status), Some(AlertStatus::Cleared), "{:?}", alert);
        }
    }
}

#[test]
fn a_thousand_zones_take_no_time_that_grows_with_their_square() {
    let city = city(1000);
    let mut inputs = inputs(&city, NOW);
    let day = Time(NOW.0 - 24 * HOUR_MS);
    inputs.history.retain(|document| document.zone_id.is_none() || document.hour >= day);
    let begun = std::time::Instant::now();
    let processed = process(&city, &inputs, NOW, &Rules::default());
    let took = begun.elapsed();
    assert_eq!(processed.zones.len(), 1000);
    // Generous, for a machine that does other things: what it is for is an accidental square of the zones.
    assert!(took.as_secs_f64() < 10.0, "{took:?}");
}
