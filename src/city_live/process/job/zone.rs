//! What is made of one zone.

use std::collections::BTreeMap;

use super::{Demand, ModelRun, city::Whole, run_id};
use crate::{
    city_live::{
        archive::{
            Anomaly, Forecast, ForecastHour, Freshness, InputFreshness, ModelOutput, ProcessedZone, Raw311, RawKind,
            RawValue, Risk,
        },
        catalogue::{LiveCity, Zone},
        features::{Features, Name},
        message::Payload,
        process::{
            advice::{AdviceInputs, advise},
            alerts::{Condition, Finding, find},
            anomaly,
            features::{self, CALLS_MS},
            forecast::{HEURISTIC, HOURS, Heuristic, Profile, banded, first_hour},
            freshness::{self, Input},
            risk::{self, RiskInputs, felt},
            rules::Rules,
            series::{Series, hour_number, hour_start},
        },
    },
    twin::time::Time,
};

/// All about one zone.
pub(super) struct ZoneInputs<'a> {
    pub city: &'a LiveCity,
    pub zone: &'a Zone,
    pub raw: &'a [&'a RawValue],
    pub calls: Option<&'a Raw311>,
    pub runs: &'a [ModelRun],
    pub demand: &'a Demand<'a>,
    pub whole: &'a Whole,
}

/// What was made of it.
pub(super) struct Made {
    pub zone: ProcessedZone,
    /// Hour, name and value of each feature to be kept.
    pub hours: Vec<(i64, Name, f64)>,
    pub conditions: Vec<Condition>,
    pub outputs: Vec<ModelOutput>,
}

/// The features of a zone: what they are, when and by which input they were measured.
#[derive(Default)]
struct Measured {
    features: Features,
    origin: BTreeMap<String, (Input, i64)>,
    seen: Vec<(Input, Time)>,
    simulated: bool,
}

impl Measured {
    fn take(&mut self, input: Input, ts: Time, values: Features) {
        self.seen.push((input, ts));
        self.origin.extend(values.iter().map(|(name, _)| (name.to_owned(), (input, hour_number(ts)))));
        self.features.extend(values);
    }
}

pub(super) fn process(of: &ZoneInputs<'_>, now: Time, rules: &Rules) -> Made {
    let (series, share) = of.demand.of(&of.zone.id);
    let measured = measure(of, &series, share, now);
    let freshness: Vec<InputFreshness> = Input::ALL
        .into_iter()
        .map(|input| {
            let ts = measured.seen.iter().find(|(seen, _)| *seen == input).map(|(_, ts)| *ts);
            freshness::judge(input, ts, now, &rules.freshness)
        })
        .collect();
    let fresh =
        |input: Input| freshness.iter().any(|entry| entry.input == input.name() && entry.state == Freshness::Fresh);

    let none = Series::default();
    let temperature = of.demand.temperature.get(of.zone.id.as_str()).unwrap_or(&none);
    let heuristic = Heuristic { demand: &series, temperature, calendar: &of.demand.calendar, share };
    let heuristic = heuristic.forecast(now, &rules.forecast);
    let (outputs, forecast) = outputs(of, heuristic, share, now, rules);

    let past = |name: &str, but: i64| -> Vec<f64> {
        let known = if name == "demand_mwh" { Some(&series) } else { of.demand.history.series(&of.zone.id, name) };
        let known = known.into_iter().flat_map(Series::known);
        known.filter(|(hour, _)| *hour != but).map(|(_, value)| value).collect()
    };
    let anomalies: Vec<Anomaly> = rules
        .anomaly
        .features
        .iter()
        .filter_map(|name| {
            let (input, hour) = *measured.origin.get(name)?;
            // An old value says nothing of what is unusual now.
            let value = measured.features.get(name).filter(|_| fresh(input))?;
            anomaly::judge(name, value, &past(name, hour), &rules.anomaly)
        })
        .collect();

    let demand_history = series.last().map(|last| past("demand_mwh", last));
    let highest = demand_history.as_ref().and_then(|past| past.iter().copied().reduce(f64::max));
    let calls_history = past("calls_311", hour_number(now));
    let ages: Vec<(&'static str, String)> = part_inputs()
        .into_iter()
        .filter_map(|(part, input)| {
            let entry = freshness.iter().find(|entry| entry.input == input.name())?;
            (entry.state == Freshness::Stale)
                .then(|| (part, format!("measured {} ago", freshness::age(entry.age_s.unwrap_or_default()))))
        })
        .collect();
    let risk = risk::judge(
        &RiskInputs {
            features: measured.features.clone(),
            demand_history: demand_history.map(|past| past.len() as u32).zip(highest),
            grid_alert_pct: share.and(of.whole.grid_pct),
            calls_history: (!calls_history.is_empty())
                .then(|| (calls_history.len() as u32, calls_history.iter().sum::<f64>() / calls_history.len() as f64)),
            ages: ages.iter().map(|(part, age)| (*part, age.as_str())).collect(),
        },
        &rules.risk,
    );
    let road_closed =
        of.raw.iter().any(|raw| matches!(&raw.payload, Payload::Traffic(traffic) if traffic.road_closure));
    let recommendations = advise(
        &AdviceInputs {
            features: &measured.features,
            road_closed,
            forecast: forecast.as_ref(),
            highest,
            anomalies: &anomalies,
            top_call: of.calls.and_then(|calls| features::top_type(calls, now)),
            freshness: &freshness,
        },
        &rules.advice,
    );
    let conditions = conditions(of, &measured.features, &risk, &anomalies, &fresh, rules);
    let zone = ProcessedZone {
        city_id: of.city.id.clone(),
        zone_id: of.zone.id.clone(),
        name: of.zone.name.clone(),
        run_id: run_id(&of.city.id, now),
        processed_at: now,
        features: measured.features.clone(),
        forecast,
        anomalies,
        risk,
        recommendations,
        freshness,
        simulated: measured.simulated,
    };
    Made { zone, hours: hours(&measured, &series, share), conditions, outputs }
}

/// The input that each part of the risk is made of.
fn part_inputs() -> [(&'static str, Input); 5] {
    [
        ("weather", Input::Weather),
        ("air", Input::Aqi),
        ("traffic", Input::Traffic),
        ("power", Input::Power),
        ("calls311", Input::Calls311),
    ]
}

fn measure(of: &ZoneInputs<'_>, series: &Series, share: Option<f64>, now: Time) -> Measured {
    let mut measured = Measured::default();
    let simulated = |raw: &RawValue| raw.source.ends_with("-simulated");
    let kinds = [(RawKind::Weather, Input::Weather), (RawKind::Aqi, Input::Aqi), (RawKind::Traffic, Input::Traffic)];
    for (kind, input) in kinds {
        let raw = of.raw.iter().filter(|raw| RawKind::of(&raw.payload) == Some(kind));
        if let Some(raw) = raw.max_by_key(|raw| (raw.ts, raw.ingested_at)) {
            measured.simulated |= simulated(raw);
            measured.take(input, raw.ts, features::of_raw(raw));
        }
    }
    if let Some((hour, value)) = series.last().and_then(|hour| Some((hour, series.get(hour)?))) {
        measured.simulated |= match share {
            Some(_) => of.whole.demand_simulated,
            None => of.raw.iter().any(|raw| RawKind::of(&raw.payload) == Some(RawKind::PowerDemand) && simulated(raw)),
        };
        measured.take(Input::Power, hour_start(hour), Features::from([("demand_mwh", value)]));
    }
    // The newest call of any zone tells whether the feed is alive: a zone without calls has none because nobody called. Where the
    // whole feed has been silent for a day, nothing is known, which is not 0 calls.
    if let Some(ts) = of.whole.calls_ts {
        measured.simulated |= of.whole.calls_simulated;
        measured.seen.push((Input::Calls311, ts));
        if ts.0 > now.0 - CALLS_MS {
            let calls = f64::from(features::calls_within(of.calls, now));
            measured.features.insert("calls_311", calls);
            measured.origin.insert("calls_311".to_owned(), (Input::Calls311, hour_number(now)));
        }
    }
    measured
}

/// Each feature in the hour in which it was measured; of a demand of its own every hour, for a source sends several at once.
fn hours(measured: &Measured, series: &Series, share: Option<f64>) -> Vec<(i64, Name, f64)> {
    let values = measured.features.iter();
    let mut hours: Vec<(i64, Name, f64)> =
        values.filter_map(|(name, value)| Some((measured.origin.get(name)?.1, name.into(), value))).collect();
    if share.is_none() {
        hours.extend(series.known().map(|(hour, value)| (hour, "demand_mwh".into(), value)));
    }
    hours
}

/// The outputs of the heuristic and of the models, and the forecast that counts.
fn outputs(
    of: &ZoneInputs<'_>,
    heuristic: Result<(Forecast, Profile), String>,
    share: Option<f64>,
    now: Time,
    rules: &Rules,
) -> (Vec<ModelOutput>, Option<Forecast>) {
    let own = share.is_none().then_some(of.zone.id.as_str());
    let (mut forecast, problem) = match heuristic {
        Ok((forecast, _)) => (Some(forecast), None),
        Err(problem) => (None, Some(problem)),
    };
    let error = of.whole.heuristic_error;
    let mut outputs = vec![ModelOutput {
        city_id: of.city.id.clone(),
        zone_id: of.zone.id.clone(),
        model: HEURISTIC.to_owned(),
        version: "1".to_owned(),
        ts: now,
        unit: "MWh".to_owned(),
        hours: forecast.as_ref().map(|forecast| forecast.hours.clone()).unwrap_or_default(),
        ran: "local".to_owned(),
        error: error.map(|(error, _)| error),
        error_hours: error.map_or(0, |(_, hours)| hours),
        chosen: true,
        problem,
    }];
    let mut runs: Vec<&ModelRun> = of.runs.iter().filter(|run| run.zone_id.as_deref() == own).collect();
    runs.sort_by(|a, b| a.model.cmp(&b.model));
    for run in runs {
        let made = scaled(run, share.unwrap_or(1.0), now, rules);
        let chosen = of.whole.model.as_deref() == Some(run.model.as_str()) && made.is_ok();
        if let (true, Ok(hours)) = (chosen, &made) {
            outputs[0].chosen = false;
            let compared = run.compared.map(|compared| {
                format!(
                    ": error {:.1} % on {} hours of this city's own history, the heuristic's {:.1} %",
                    compared.model * 100.0,
                    compared.hours,
                    compared.heuristic * 100.0
                )
            });
            let reason = format!("model {} {}{}", run.model, run.version, compared.unwrap_or_default());
            forecast = Some(Forecast { model: run.model.clone(), hours: hours.clone(), reason });
        }
        let (hours, problem) = match made {
            Ok(hours) => (hours, None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        outputs.push(ModelOutput {
            city_id: of.city.id.clone(),
            zone_id: of.zone.id.clone(),
            model: run.model.clone(),
            version: run.version.clone(),
            ts: now,
            unit: run.unit.clone(),
            hours,
            ran: run.ran.clone(),
            error: run.compared.map(|compared| compared.model),
            error_hours: run.compared.map_or(0, |compared| compared.hours),
            chosen,
            problem,
        });
    }
    (outputs, forecast)
}

/// The next 24 hours of a run, times the zone's share.
fn scaled(run: &ModelRun, share: f64, now: Time, rules: &Rules) -> Result<Vec<ForecastHour>, String> {
    if let Some(problem) = &run.problem {
        return Err(problem.clone());
    }
    let first = first_hour(now);
    let by_hour: BTreeMap<i64, f64> = run.hours.iter().map(|(ts, value)| (hour_number(*ts), *value)).collect();
    (first..first + HOURS)
        .map(|hour| {
            let value = by_hour.get(&hour).filter(|value| value.is_finite());
            let value = value.ok_or_else(|| {
                format!(
                    "the newest known hour of demand is too old: the model's output does not reach {}",
                    hour_start(hour)
                )
            })?;
            Ok(banded(hour_start(hour), value * share, run.deviation, &rules.forecast))
        })
        .collect()
}

/// What the alert rules find. Values that are not fresh count as unknown.
fn conditions(
    of: &ZoneInputs<'_>,
    values: &Features,
    risk: &Risk,
    anomalies: &[Anomaly],
    fresh: &dyn Fn(Input) -> bool,
    rules: &Rules,
) -> Vec<Condition> {
    let limits = &rules.alerts;
    let value = |name: &str, input: Input| values.get(name).filter(|_| fresh(input));
    let felt = felt(values).filter(|_| fresh(Input::Weather));
    let any_fresh =
        part_inputs().iter().any(|(part, input)| fresh(*input) && risk.parts.iter().any(|p| p.name == *part));
    let worst = risk
        .parts
        .iter()
        .reduce(|worst, part| if part.score * part.weight > worst.score * worst.weight { part } else { worst });
    let worst = worst.map(|part| format!(", most of it {} {:.0}: {}", part.name, part.score, part.reason));
    let worst = worst.unwrap_or_default();
    let feels = |felt: f64| format!("feels like {felt:.1} °C");
    let mut found: Vec<(String, Finding)> = vec![
        (
            "risk-high".to_owned(),
            find(Some(risk.score).filter(|_| any_fresh), limits.risk, |score| format!("risk {score:.0} of 100{worst}")),
        ),
        ("air-unhealthy".to_owned(), find(value("us_aqi", Input::Aqi), limits.air, |aqi| format!("US AQI {aqi:.0}"))),
        ("heat".to_owned(), find(felt, limits.heat, feels)),
        ("cold".to_owned(), find(felt, limits.cold, feels)),
        (
            "wind-storm".to_owned(),
            find(value("wind_speed_ms", Input::Weather), limits.wind, |wind| format!("wind of {wind:.1} m/s")),
        ),
        (
            "congestion".to_owned(),
            find(value("congestion_ratio", Input::Traffic), limits.congestion, |ratio| {
                format!("congestion ratio {ratio:.2}: traffic is {:.0} % slower than free flow", ratio * 100.0)
            }),
        ),
    ];
    for feature in &rules.anomaly.features {
        let judged = anomalies.iter().find(|anomaly| anomaly.feature == *feature);
        let finding = find(judged.map(|judged| judged.z.abs()), limits.anomaly, |z| {
            judged.map_or_else(String::new, |judged| {
                format!(
                    "{feature} is {:.2}, {:.2} ± {:.2} is usual over {} hours: |z| {z:.1}",
                    judged.value, judged.mean, judged.deviation, judged.samples
                )
            })
        });
        found.push((format!("anomaly-{feature}"), finding));
    }
    let zone_id = Some(of.zone.id.clone());
    found.into_iter().map(|(rule, finding)| Condition { zone_id: zone_id.clone(), rule, finding }).collect()
}
