//! The cases of `docs/city-live.md`, computed by hand, against the code.

use std::collections::BTreeMap;

use super::super::{
    advice::{AdviceInputs, advise},
    alerts::{Condition, Finding, find, find_grid, transition},
    anomaly,
    backtest::{Compared, error},
    features::congestion,
    forecast::{Profile, banded, response, shares},
    freshness::{Input, judge},
    risk::{self, RiskInputs},
    rules::Rules,
    series::{Calendar, HOUR_MS, Series},
};
use crate::{
    city_live::{
        archive::{Alert, AlertStatus, Forecast, ForecastHour, Severity},
        features::Features,
        message::{GridAlert, GridAlertKind, Traffic},
    },
    twin::time::Time,
};

/// A row of a table: cells by the heads of their columns.
pub(super) type Row = BTreeMap<String, String>;

pub(super) fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/city-live.md")).expect("docs/city-live.md")
}

/// The rows of the table after `<!-- cases: name -->`, at least `least` of them.
fn cases(name: &str, least: usize) -> Vec<Row> {
    let page = page();
    let marker = format!("<!-- cases: {name} -->\n");
    let (_, table) = page.split_once(&marker).unwrap_or_else(|| panic!("docs/city-live.md has no cases `{name}`"));
    let cells = |line: &str| -> Vec<String> {
        line.trim()
            .trim_start_matches('|')
            .trim_end_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut lines = table.lines().take_while(|line| line.starts_with('|'));
    let heads = cells(lines.next().expect("a head"));
    let rows: Vec<Row> = lines
        .skip_while(|line| line.starts_with("| ---"))
        .map(|line| {
            let cells = cells(line);
            assert_eq!(cells.len(), heads.len(), "{name}: {line}");
            heads.iter().cloned().zip(cells).collect()
        })
        .collect();
    assert!(rows.len() >= least, "{name}: {} rows", rows.len());
    rows
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// Whether a value is what the page says, to the last digit that stands there; `none`: there is none.
#[track_caller]
fn agrees(value: Option<f64>, told: &str, row: &Row) {
    match (value, told) {
        (None, "none") => {}
        (Some(value), told) if told != "none" => {
            let digits = told.split_once('.').map_or(0, |(_, digits)| digits.len());
            let told = number(told);
            assert!((value - told).abs() <= 0.5001 * 10_f64.powi(-(digits as i32)), "{value}, not {told}: {row:?}");
        }
        (value, told) => panic!("{value:?}, not {told}: {row:?}"),
    }
}

/// `a=1 b=2`, without those words that have no `=`.
fn features(text: &str) -> Features {
    let pairs = text.split_whitespace().filter_map(|word| word.split_once('='));
    pairs.map(|(name, value)| (name, number(value))).collect()
}

#[test]
fn congestion_is_what_the_page_says() {
    for row in cases("congestion", 6) {
        let traffic = Traffic {
            current_speed_kmh: number(&row["current km/h"]),
            free_flow_speed_kmh: number(&row["free km/h"]),
            current_travel_time_s: None,
            free_flow_travel_time_s: None,
            confidence: None,
            road_closure: row["closed"] == "yes",
        };
        agrees(congestion(&traffic), &row["ratio"], &row);
    }
}

#[test]
fn freshness_is_what_the_page_says() {
    let now = Time(1_790_000_000_000);
    for row in cases("freshness", 8) {
        let input = Input::ALL.into_iter().find(|input| input.name() == row["input"]).expect("an input");
        let minutes = row["age"].strip_suffix(" min").map(|minutes| minutes.parse::<i64>().unwrap());
        let judged = judge(input, minutes.map(|age| Time(now.0 - age * 60_000)), now, &Rules::default().freshness);
        let state = serde_json::to_value(judged.state).unwrap();
        assert_eq!(state, row["state"], "{row:?}");
        assert_eq!(judged.age_s, minutes.map(|age| (age * 60).max(0)));
    }
}

#[test]
fn shares_are_what_the_page_says() {
    for row in cases("share", 3) {
        let weights: Vec<f64> = row["weights"].split(", ").map(number).collect();
        let told: Vec<&str> = row["shares"].split(", ").collect();
        let found = shares(&weights);
        assert_eq!(found.len(), told.len());
        for (share, told) in found.iter().zip(told) {
            agrees(Some(*share), told, &row);
        }
    }
}

#[test]
fn the_response_to_temperature_is_what_the_page_says() {
    for row in cases("response", 7) {
        agrees(Some(response(number(&row["°C"]), &Rules::default().forecast)), &row["r"], &row);
    }
}

#[test]
fn forecasts_are_what_the_page_says() {
    let rules = Rules::default().forecast;
    for row in cases("forecast", 5) {
        let samples: Vec<(f64, Option<f64>)> = row["demand MWh @ °C"]
            .split(", ")
            .map(|sample| sample.split_once(" @ ").expect("demand @ temperature"))
            .map(|(demand, temperature)| (number(demand), temperature.parse().ok()))
            .collect();
        // Hour of day 12 of as many days as there are samples.
        let hours = 24 * samples.len() as i64;
        let demand = Series::new(
            (0..hours).map(|hour| (hour, if hour % 24 == 12 { samples[(hour / 24) as usize].0 } else { 50.0 })),
        );
        let noon =
            |(day, (_, temperature)): (usize, &(f64, Option<f64>))| Some((day as i64 * 24 + 12, (*temperature)?));
        let temperature = Series::new(samples.iter().enumerate().filter_map(noon));
        let days = Calendar::new("UTC", 0, hours);
        let profile = Profile::new(&demand, &temperature, &days, hours - 1, &rules).expect("enough history");
        agrees(Some(profile.at(12, row["°C of the forecast"].parse().ok(), &rules)), &row["MWh"], &row);
        agrees(Some(profile.at(3, None, &rules)), "50.00", &row);
    }
}

#[test]
fn bands_are_what_the_page_says() {
    let rules = Rules::default().forecast;
    for row in cases("band", 3) {
        let hour = banded(Time(0), number(&row["MWh"]), number(&row["d"]), &rules);
        agrees(Some(hour.low), &row["low"], &row);
        agrees(Some(hour.high), &row["high"], &row);
    }
    let (of_first, of_second) = ("every hour of day 1", "of day 2");
    for row in cases("deviation", 3) {
        let demand =
            Series::new((0..48).map(|hour| (hour, number(&row[if hour < 24 { of_first } else { of_second }]))));
        let days = Calendar::new("UTC", 0, 48);
        let profile = Profile::new(&demand, &Series::default(), &days, 47, &rules).unwrap();
        agrees(Some(profile.deviation), &row["d"], &row);
        // One hour less, and it is assumed.
        let profile = Profile::new(&demand, &Series::default(), &days, 46, &rules).unwrap();
        assert_eq!(profile.deviation, rules.band_assumed);
    }
}

#[test]
fn anomalies_are_what_the_page_says() {
    for row in cases("anomaly", 5) {
        let runs = row["history"].split(", ").map(|run| run.split_once(" × ").expect("count × value"));
        let history: Vec<f64> =
            runs.flat_map(|(count, value)| vec![number(value); count.parse::<usize>().unwrap()]).collect();
        let judged = anomaly::judge("us_aqi", number(&row["value"]), &history, &Rules::default().anomaly);
        agrees(judged.as_ref().map(|judged| judged.mean), &row["mean"], &row);
        agrees(judged.as_ref().map(|judged| judged.deviation), &row["s"], &row);
        agrees(judged.as_ref().map(|judged| judged.z), &row["z"], &row);
        let anomalous = judged.as_ref().map_or("none", |judged| if judged.anomalous { "yes" } else { "no" });
        assert_eq!(anomalous, row["anomalous"], "{row:?}");
        assert!(judged.is_none_or(|judged| judged.samples as usize == history.len()));
    }
}

fn risk_inputs(text: &str) -> RiskInputs<'static> {
    // What is no feature is among them under a name that the rules do not know.
    let features = features(text);
    let told = |name: &str| features.get(name);
    let (highest, hours, grid, usual) = (told("highest"), told("hours"), told("grid"), told("usual"));
    let hours = hours.map(|hours| hours as u32);
    RiskInputs {
        demand_history: hours.zip(highest),
        grid_alert_pct: grid,
        calls_history: hours.zip(usual),
        features,
        ages: Vec::new(),
    }
}

#[test]
fn risks_are_what_the_page_says() {
    let rules = Rules::default().risk;
    for row in cases("part", 23) {
        let risk = risk::judge(&risk_inputs(&row["inputs"]), &rules);
        let part = risk.parts.iter().find(|part| part.name == row["part"]);
        agrees(part.map(|part| part.score), &row["score"], &row);
    }
    for row in cases("risk", 6) {
        let risk = risk::judge(&risk_inputs(&row["inputs"]), &rules);
        agrees(Some(risk.score), &row["score"], &row);
        assert_eq!(risk.level, row["level"], "{row:?}");
        let weights: f64 = risk.parts.iter().map(|part| part.weight).sum();
        assert!(risk.parts.is_empty() || (weights - 1.0).abs() < 1e-12, "{weights}");
    }
}

#[test]
fn advice_is_what_the_page_says() {
    for row in cases("advice", 11) {
        let features = features(&row["inputs"]);
        let highest = features.get("highest");
        let hour = |value| ForecastHour { ts: Time(0), value, low: value, high: value };
        let forecast = features.get("peak").map(|peak| Forecast {
            model: "heuristic".to_owned(),
            hours: vec![hour(peak / 2.0), hour(peak), hour(peak / 3.0)],
            reason: String::new(),
        });
        let inputs = AdviceInputs {
            features: &features,
            road_closed: row["inputs"].starts_with("closed"),
            forecast: forecast.as_ref(),
            highest,
            anomalies: &[],
            top_call: None,
            freshness: &[],
        };
        let given = advise(&inputs, &Rules::default().advice);
        let told: Vec<String> = given.iter().map(|advice| format!("{} {}", advice.rule, advice.priority)).collect();
        assert_eq!(told.join(", "), row["rules"], "{row:?}");
        let with_number = |reason: &str| reason.contains(|c: char| c.is_ascii_digit()) || reason.contains("is closed");
        assert!(given.iter().all(|advice| with_number(&advice.reason)), "{given:?}");
    }
}

#[test]
fn alerts_are_what_the_page_says() {
    let limits = Rules::default().alerts;
    for row in cases("alert", 4) {
        let limit = match row["rule"].as_str() {
            "heat" => limits.heat,
            "cold" => limits.cold,
            "congestion" => limits.congestion,
            other => panic!("{other}"),
        };
        let mut standing: Vec<Alert> = Vec::new();
        let mut written = Vec::new();
        for (run, value) in row["values"].split(", ").enumerate() {
            let finding = find(value.parse().ok(), limit, |value| format!("{value}"));
            let condition = Condition { zone_id: Some("a".to_owned()), rule: row["rule"].clone(), finding };
            let upserts = transition("nyc", &standing, &[condition], Time(run as i64 * 300_000));
            assert!(upserts.len() <= 1, "{upserts:?}");
            written.push(match upserts.first() {
                None => ".",
                Some(alert) if alert.status == AlertStatus::Cleared => "x",
                Some(alert) if alert.raised_at == alert.updated_at => "+",
                Some(_) => "=",
            });
            for alert in upserts {
                standing.retain(|other| other.alert_id != alert.alert_id);
                standing.extend((alert.status != AlertStatus::Cleared).then_some(alert));
            }
        }
        assert_eq!(written.join(" "), row["written"], "{row:?}");
    }
}

#[test]
fn grid_alerts_are_what_the_page_says() {
    let demand = Time(500 * HOUR_MS);
    for row in cases("grid", 5) {
        let alert = GridAlert {
            kind: GridAlertKind::AboveForecast,
            region: "NYIS".to_owned(),
            demand_mwh: 20_000.0,
            reference_mwh: 19_000.0,
            excess_pct: number(&row["excess %"]),
        };
        let since = row["hours of demand since"].parse::<i64>().ok();
        let newest = since.map(|hours| (Time(demand.0 - hours * HOUR_MS), &alert));
        let finding = |fresh| find_grid(newest, Some(demand), fresh, 2, 10.0);
        let severity = |severity: &Severity| serde_json::to_value(severity).unwrap().as_str().unwrap().to_owned();
        let told = match finding(true) {
            Finding::Raise(how, _) => format!("raise {}", severity(&how)),
            Finding::Keep(how, _) => format!("keep {}", severity(&how)),
            Finding::Clear => "clear".to_owned(),
            Finding::Unknown => "unknown".to_owned(),
        };
        assert_eq!(told, row["finding"], "{row:?}");
        assert_eq!(finding(false), Finding::Unknown);
    }
}

#[test]
fn errors_and_the_choice_of_a_model_are_what_the_page_says() {
    for row in cases("error", 4) {
        let list = |name: &str| row[name].split(", ").map(number).collect::<Vec<f64>>();
        let pairs: Vec<(f64, f64)> = list("said").into_iter().zip(list("was")).collect();
        agrees(error(&pairs).map(|(error, _)| error), &row["error"], &row);
    }
    for row in cases("choice", 4) {
        let compared = Compared {
            model: number(&row["model"]),
            heuristic: number(&row["heuristic"]),
            hours: row["hours"].parse().unwrap(),
        };
        let chosen = super::town::chosen_with(compared);
        assert_eq!(if chosen { "yes" } else { "no" }, row["chosen"], "{row:?}");
    }
}
