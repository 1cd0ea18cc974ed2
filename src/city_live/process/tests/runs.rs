//! Whole runs over a small city.

use super::{
    super::{ModelRun, Rules, backtest::Compared, series::HOUR_MS},
    town::{
        Given, NOW, call, city, demand, grid, hour, inputs, item, model_run, power, process, process_with, raw, weather,
    },
};
use crate::{
    city_live::{
        archive::{AlertStatus, Freshness, Processed, ProcessedZone},
        message::{Aqi, Payload},
    },
    twin::time::Time,
};

const THIS_HOUR: i64 = NOW.0.div_euclid(HOUR_MS);

fn run(zones: usize, change: impl FnOnce(&mut Given)) -> Processed {
    let city = city(zones);
    let mut inputs = inputs(&city, NOW);
    change(&mut inputs);
    process(&city, &inputs, NOW, &Rules::default())
}

fn run_with(model: ModelRun) -> Processed {
    let city = city(2);
    process_with(&city, &inputs(&city, NOW), &[model], NOW, &Rules::default())
}

fn state(zone: &ProcessedZone, input: &str) -> Freshness {
    zone.freshness.iter().find(|entry| entry.input == input).expect("every input is listed").state
}

#[test]
fn a_zone_gets_everything_that_its_inputs_allow() {
    let processed = run(3, |_| {});
    assert_eq!(processed.zones.len(), 3);
    let zone = &processed.zones[1];
    assert_eq!((zone.zone_id.as_str(), zone.run_id.as_str()), ("z0001", "nyc-1794237600000"));
    assert!((zone.features["congestion_ratio"] - 0.2).abs() < 1e-12);
    assert_eq!(zone.features["calls_311"], 4.0);
    // Weights 1, 2, 3: two sixths of the city's.
    assert!((zone.features["demand_mwh"] - demand(THIS_HOUR - 1) / 3.0).abs() < 1e-6);
    assert!(zone.freshness.iter().all(|entry| entry.state == Freshness::Fresh), "{:?}", zone.freshness);
    let parts: Vec<&str> = zone.risk.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(parts, ["weather", "air", "traffic", "power", "calls311"]);
    assert_eq!(zone.anomalies.len(), 6);
    assert!(!zone.simulated);
    let forecast = zone.forecast.as_ref().unwrap();
    assert_eq!((forecast.model.as_str(), forecast.hours.len()), ("heuristic", 24));
    assert_eq!(forecast.hours[0].ts, Time((THIS_HOUR + 1) * HOUR_MS));
    assert!(forecast.reason.contains("33.33 %"), "{}", forecast.reason);
    // The demand has the same rhythm each day, so the forecast is that rhythm, but for the small part of period seven.
    for hour in &forecast.hours {
        let told = demand(hour.ts.0 / HOUR_MS) / 3.0;
        assert!(
            (hour.value / told - 1.0).abs() < 0.05 && hour.low <= hour.value && hour.value <= hour.high,
            "{hour:?}"
        );
    }
}

#[test]
fn without_a_power_feed_there_is_no_forecast_and_it_says_why() {
    let processed = run(2, |inputs| {
        inputs.raw.retain(|raw| !matches!(raw.payload, Payload::PowerDemand(_)));
        inputs.history.retain(|hour| hour.zone_id.is_some());
    });
    let zone = &processed.zones[0];
    assert_eq!(zone.forecast, None);
    assert_eq!(state(zone, "power"), Freshness::Missing);
    assert!(!zone.features.has("demand_mwh"));
    assert!(zone.risk.parts.iter().all(|part| part.name != "power"));
    let weights: f64 = zone.risk.parts.iter().map(|part| part.weight).sum();
    assert!((weights - 1.0).abs() < 1e-9, "the others have its weight: {weights}");
    let output = &processed.outputs[0];
    assert_eq!(output.problem.as_deref(), Some("no power demand is known here: no feed gives it"));
    assert!(output.hours.is_empty());
    assert!(processed.features.iter().all(|document| document.zone_id.is_some()));
}

#[test]
fn a_zones_own_demand_stands_above_its_share() {
    let processed = run(2, |inputs| {
        for number in THIS_HOUR - 60..THIS_HOUR {
            inputs.feed.push(item(number, Some("z0001"), Time(number * HOUR_MS), power(7.0)));
        }
    });
    assert_eq!(processed.zones[1].features["demand_mwh"], 7.0);
    let forecast = processed.zones[1].forecast.as_ref().unwrap();
    assert!(forecast.hours.iter().all(|hour| (hour.value - 7.0).abs() < 0.5), "{forecast:?}");
    assert!(forecast.reason.contains("the zone's own demand"), "{}", forecast.reason);
    // Every hour that the feed told is kept, not only the newest.
    let own = processed.features.iter().filter(|document| document.zone_id.as_deref() == Some("z0001"));
    let told = own.filter(|document| document.values.get("demand_mwh") == Some(7.0)).count();
    assert_eq!(told, 60);
    assert!((processed.zones[0].features["demand_mwh"] - demand(THIS_HOUR - 1) / 3.0).abs() < 1e-6);
}

#[test]
fn a_value_is_kept_in_the_hour_of_its_measurement_over_what_stands_there() {
    let city = city(1);
    let mut given = inputs(&city, NOW);
    // Air measured in the hour before, which has other features already.
    given.raw.retain(|raw| !matches!(raw.payload, Payload::Aqi(_)));
    let before = Time((THIS_HOUR - 1) * HOUR_MS + 1000);
    let aqi = Aqi { us_aqi: Some(77.0), ..Aqi::default() };
    given.raw.push(raw(Some("z0000"), before, "open-meteo", Payload::Aqi(aqi)));
    let processed = process(&city, &given, NOW, &Rules::default());
    let document = |number: i64| {
        let hour = Time(number * HOUR_MS);
        processed.features.iter().find(|document| document.hour == hour && document.zone_id.is_some()).unwrap()
    };
    let values = &document(THIS_HOUR - 1).values;
    assert_eq!(values["us_aqi"], 77.0);
    assert!(values.has("calls_311") && values.has("pm2_5_ugm3"), "{values:?}");
    assert_eq!(document(THIS_HOUR).values["temperature_c"], 12.0);
    // Written, the same run has nothing to add.
    let mut again = given.clone();
    for document in &processed.features {
        again.history.retain(|other| (&other.zone_id, other.hour) != (&document.zone_id, document.hour));
        again.history.push(document.clone());
    }
    assert_eq!(process(&city, &again, NOW, &Rules::default()).features, []);
    // An hour before the history that was read is left alone: what stands there is not known.
    given.first_hour = THIS_HOUR;
    let late = process(&city, &given, NOW, &Rules::default());
    assert!(late.features.iter().all(|document| document.hour == Time(THIS_HOUR * HOUR_MS)), "{:?}", late.features);
}

#[test]
fn old_inputs_are_used_and_said_to_be_old_but_raise_and_clear_nothing() {
    let hot = |minutes: i64| {
        move |inputs: &mut Given| {
            inputs.raw.retain(|raw| !matches!(raw.payload, Payload::Weather(_)));
            let ts = Time(NOW.0 - minutes * 60_000);
            inputs.raw.push(raw(Some("z0000"), ts, "open-meteo", weather(39.0, NOW)));
        }
    };
    let heat = |processed: &Processed| processed.alerts.iter().filter(|alert| alert.rule == "heat").count();
    let fresh = run(1, hot(10));
    assert_eq!(heat(&fresh), 1);
    let stale = run(1, hot(180));
    assert_eq!(heat(&stale), 0);
    let zone = &stale.zones[0];
    assert_eq!(state(zone, "weather"), Freshness::Stale);
    let part = zone.risk.parts.iter().find(|part| part.name == "weather").unwrap();
    assert!(part.reason.contains("39.0 °C") && part.reason.ends_with("measured 3.0 h ago"), "{}", part.reason);
    assert!(zone.recommendations.iter().any(|advice| advice.rule == "data-check-feeds"));
    assert!(zone.anomalies.iter().all(|anomaly| anomaly.feature != "temperature_c"));
    // An alert that stands is not cleared by a feed that fell silent.
    let silent = run(1, |inputs| {
        hot(180)(inputs);
        inputs.alerts.clone_from(&fresh.alerts);
    });
    assert_eq!(heat(&silent), 0, "{:?}", silent.alerts);
}

#[test]
fn a_flat_history_is_no_anomaly_and_a_jump_is_one_with_an_alert() {
    let air = |usual: fn(i64) -> f64| {
        run(1, |inputs| {
            for document in &mut inputs.history {
                if document.zone_id.is_some() {
                    let number = document.hour.0 / HOUR_MS;
                    document.values.insert("us_aqi", usual(number));
                }
            }
        })
    };
    let flat = air(|_| 20.0);
    let judged = flat.zones[0].anomalies.iter().find(|anomaly| anomaly.feature == "us_aqi").unwrap();
    assert_eq!((judged.z, judged.anomalous), (0.0, false));
    let moving = air(|number| 20.0 + (number % 2) as f64);
    let judged = moving.zones[0].anomalies.iter().find(|anomaly| anomaly.feature == "us_aqi").unwrap();
    assert!(judged.anomalous && judged.z > 3.0, "{judged:?}");
    let alert = moving.alerts.iter().find(|alert| alert.rule == "anomaly-us_aqi").unwrap();
    assert!(alert.reason.contains("55.00") && alert.reason.contains("20.50"), "{}", alert.reason);
    assert!(flat.alerts.iter().all(|alert| alert.rule != "anomaly-us_aqi"));
}

#[test]
fn an_acknowledged_alert_stays_so_and_one_of_a_zone_that_is_gone_is_cleared() {
    let hot = |inputs: &mut Given| {
        for raw in &mut inputs.raw {
            if let Payload::Weather(weather) = &mut raw.payload {
                weather.temperature_c = Some(39.0);
            }
        }
    };
    let raised = run(2, hot);
    let mut standing = raised.alerts;
    let heat: Vec<usize> = (0..standing.len()).filter(|place| standing[*place].rule == "heat").collect();
    assert_eq!(heat.len(), 2);
    standing[heat[0]].status = AlertStatus::Acknowledged;
    standing[heat[0]].acknowledged_at = Some(NOW);
    standing[heat[1]].zone_id = Some("gone".to_owned());
    standing[heat[1]].alert_id.push_str("-gone");
    let mut double = standing[heat[0]].clone();
    double.alert_id.push_str("-double");
    double.raised_at = Time(NOW.0 + 1);
    standing.push(double);
    let kept = run(2, |inputs| {
        hot(inputs);
        inputs.alerts.clone_from(&standing);
    });
    let of = |id: &str| kept.alerts.iter().find(|alert| alert.alert_id == id).unwrap();
    assert_eq!(of(&standing[heat[0]].alert_id).status, AlertStatus::Acknowledged);
    assert_eq!(of(&standing[heat[1]].alert_id).status, AlertStatus::Cleared);
    assert_eq!(of(&format!("{}-double", standing[heat[0]].alert_id)).status, AlertStatus::Cleared);
}

#[test]
fn grid_alerts_are_the_citys_and_raise_the_zones_power_risk() {
    let newest = Time((THIS_HOUR - 1) * HOUR_MS);
    let processed = run(2, |inputs| inputs.feed.push(grid(newest, 5.3)));
    let alert = processed.alerts.iter().find(|alert| alert.rule == "grid-above-forecast").unwrap();
    assert_eq!((alert.zone_id.as_deref(), alert.status), (None, AlertStatus::Open));
    assert!(alert.reason.contains("20000 MWh") && alert.reason.contains("5.3 %"), "{}", alert.reason);
    for zone in &processed.zones {
        let power = zone.risk.parts.iter().find(|part| part.name == "power").unwrap();
        assert!(power.score >= 70.0 && power.reason.contains("5.3 %"), "{power:?}");
    }
    // Two hours of demand later it is cleared.
    let later = run(2, |inputs| {
        inputs.feed.push(grid(Time(newest.0 - 2 * HOUR_MS), 5.3));
        inputs.alerts.clone_from(&processed.alerts);
    });
    let cleared = later.alerts.iter().find(|other| other.alert_id == alert.alert_id).unwrap();
    assert_eq!(cleared.status, AlertStatus::Cleared);
}

#[test]
fn a_silent_311_feed_is_not_0_calls_and_a_zone_without_calls_is() {
    let quiet = run(2, |inputs| inputs.calls.truncate(1));
    assert_eq!(quiet.zones[1].features["calls_311"], 0.0);
    assert_eq!(state(&quiet.zones[1], "calls311"), Freshness::Fresh);
    let silent = run(2, |inputs| {
        inputs.calls.truncate(1);
        inputs.calls[0].calls = vec![call(Time(NOW.0 - 25 * HOUR_MS), "1", "Noise")];
    });
    for zone in &silent.zones {
        assert!(!zone.features.has("calls_311"));
        assert_eq!(state(zone, "calls311"), Freshness::Stale);
    }
    let none = run(2, |inputs| inputs.calls.clear());
    assert_eq!(state(&none.zones[0], "calls311"), Freshness::Missing);
}

#[test]
fn a_models_output_is_shared_among_the_zones_and_one_that_does_not_reach_says_so() {
    let better = Compared { model: 0.05, heuristic: 0.1, hours: 144 };
    let processed = run_with(model_run(Some(better)));
    let output =
        |zone: &str| processed.outputs.iter().find(|output| output.zone_id == zone && output.model == "other").unwrap();
    assert!((output("z0000").hours[0].value - 500.0 / 3.0).abs() < 1e-9);
    assert!((output("z0001").hours[0].value - 1000.0 / 3.0).abs() < 1e-9);
    let told =
        (output("z0000").ran.as_str(), output("z0000").version.as_str(), output("z0000").error, output("z0000").chosen);
    assert_eq!(told, ("remote", "7", Some(0.05), true));
    let mut short = model_run(Some(better));
    short.hours.truncate(20);
    let short = run_with(short);
    let output = short.outputs.iter().find(|output| output.model == "other").unwrap();
    assert!(output.problem.as_deref().unwrap().contains("does not reach"), "{output:?}");
    assert!(!output.chosen && output.hours.is_empty());
    assert_eq!(short.zones[0].forecast.as_ref().unwrap().model, "heuristic");
}

#[test]
fn simulated_inputs_are_said_to_be_simulated() {
    for place in 0..3 {
        let processed = run(1, |inputs| inputs.raw[place].source.push_str("-simulated"));
        assert!(processed.zones[0].simulated, "{place}");
    }
    let power = run(1, |inputs| {
        inputs.raw.iter_mut().filter(|raw| raw.zone_id.is_none()).for_each(|raw| {
            raw.source.push_str("-simulated");
        });
    });
    assert!(power.zones[0].simulated);
}

#[test]
fn measurements_from_a_far_future_are_left_out() {
    let processed = run(1, |inputs| {
        let ts = Time(NOW.0 + 400 * 24 * HOUR_MS);
        inputs.feed.push(item(1, None, ts, power(1e9)));
        inputs.history.push(hour(Some("z0000"), ts.0 / HOUR_MS, &[("us_aqi", 1e9)]));
    });
    assert!(processed.zones[0].features["demand_mwh"] < 1e6);
    assert!(processed.zones[0].anomalies.iter().all(|anomaly| anomaly.mean < 1e6));
}
