//! Risk: a weighted mean of parts from 0 to 100, each visible.

use super::rules::RiskRules;
use crate::city_live::archive::{Risk, RiskPart};
use crate::city_live::features::Features;

/// What the risk is made of.
#[derive(Clone, Debug, Default)]
pub struct RiskInputs<'a> {
    /// Of now.
    pub features: Features,
    /// Hours of demand known, and the highest of them, MWh.
    pub demand_history: Option<(u32, f64)>,
    /// Percent above its reference of a grid alert that holds now.
    pub grid_alert_pct: Option<f64>,
    /// Hours of call counts known, and their mean.
    pub calls_history: Option<(u32, f64)>,
    /// By part: what to add to its reason about the age of its input (`measured 3.0 h ago`).
    pub ages: Vec<(&'static str, &'a str)>,
}

/// The level of a score.
pub fn level(score: f64, rules: &RiskRules) -> &'static str {
    match score {
        score if score >= rules.severe => "severe",
        score if score >= rules.high => "high",
        score if score >= rules.moderate => "moderate",
        _ => "low",
    }
}

/// The risk. What is not known leaves its weight to the others; where nothing is, the level is `unknown` and the score 0.
pub fn judge(inputs: &RiskInputs<'_>, rules: &RiskRules) -> Risk {
    let weights = &rules.weights;
    let parts = [
        ("weather", weights.weather, weather(&inputs.features, rules)),
        ("air", weights.air, air(&inputs.features, rules)),
        ("traffic", weights.traffic, traffic(&inputs.features, rules)),
        ("power", weights.power, power(inputs, rules)),
        ("calls311", weights.calls311, calls(inputs, rules)),
    ];
    let known = parts.iter().filter(|(_, weight, part)| part.is_some() && *weight > 0.0);
    let sum: f64 = known.map(|(_, weight, _)| weight).sum();
    let parts: Vec<RiskPart> = parts
        .into_iter()
        .filter_map(|(name, weight, part)| {
            let (score, mut reason) = part?;
            if let Some((_, age)) = inputs.ages.iter().find(|(part, _)| *part == name) {
                reason.push_str(", ");
                reason.push_str(age);
            }
            let weight = if sum > 0.0 { weight / sum } else { 0.0 };
            Some(RiskPart { name: name.to_owned(), score, weight, reason })
        })
        .collect();
    if sum <= 0.0 {
        return Risk { score: 0.0, level: "unknown".to_owned(), parts };
    }
    let score = parts.iter().map(|part| part.score * part.weight).sum::<f64>().clamp(0.0, 100.0);
    Risk { score, level: level(score, rules).to_owned(), parts }
}

/// The felt temperature where the source has it, else the measured one, °C.
pub fn felt(features: &Features) -> Option<f64> {
    features.get("apparent_temperature_c").or_else(|| features.get("temperature_c"))
}

type Part = Option<(f64, String)>;

/// The worst of heat, cold, wind and rain.
fn weather(features: &Features, rules: &RiskRules) -> Part {
    let felt = felt(features);
    let get = |name: &str| features.get(name);
    let candidates = [
        felt.map(|felt| (rules.heat.score(felt), format!("heat: feels like {felt:.1} °C"))),
        felt.map(|felt| (rules.cold.score(felt), format!("cold: feels like {felt:.1} °C"))),
        get("wind_speed_ms").map(|wind| (rules.wind.score(wind), format!("wind of {wind:.1} m/s"))),
        get("precipitation_mm").map(|rain| (rules.rain.score(rain), format!("{rain:.1} mm of rain in an hour"))),
    ];
    // Of equals the first, so that calm weather is told by its temperature.
    candidates.into_iter().flatten().reduce(|worst, next| if next.0 > worst.0 { next } else { worst }).map(
        |(score, reason)| match felt {
            Some(felt) if score == 0.0 => (0.0, format!("calm: feels like {felt:.1} °C")),
            _ => (score, reason),
        },
    )
}

fn air(features: &Features, rules: &RiskRules) -> Part {
    let of = |name: &str, ramp: super::rules::Ramp, text: &str| {
        features.get(name).map(|index| (ramp.score(index), format!("{text} {index:.0}")))
    };
    of("us_aqi", rules.us_aqi, "US AQI").or_else(|| of("european_aqi", rules.european_aqi, "European AQI"))
}

fn traffic(features: &Features, rules: &RiskRules) -> Part {
    let ratio = features.get("congestion_ratio")?;
    Some((rules.congestion.score(ratio), format!("{:.0} % slower than free flow", ratio * 100.0)))
}

fn power(inputs: &RiskInputs<'_>, rules: &RiskRules) -> Part {
    let demand = inputs.features.get("demand_mwh");
    let load = demand.zip(inputs.demand_history).and_then(|(demand, (hours, highest))| {
        let score = rules.load.score(demand / highest);
        let reason = format!(
            "demand {demand:.1} MWh is {:.0} % of the highest of {hours} hours ({highest:.1} MWh)",
            demand / highest * 100.0
        );
        (hours >= rules.min_samples && highest > 0.0).then_some((score, reason))
    });
    let Some(excess) = inputs.grid_alert_pct else { return load };
    let alert = format!("a grid alert holds: {excess:.1} % above its reference");
    Some(match load {
        Some((score, reason)) => (score.max(rules.grid_alert), format!("{reason}; {alert}")),
        None => (rules.grid_alert, alert),
    })
}

fn calls(inputs: &RiskInputs<'_>, rules: &RiskRules) -> Part {
    let calls = inputs.features.get("calls_311")?;
    let (hours, mean) = inputs.calls_history.filter(|(hours, _)| *hours >= rules.min_samples)?;
    // Below one call a day a single call would be many times the usual.
    let score = rules.calls.score(calls / mean.max(1.0));
    Some((score, format!("{calls:.0} calls in 24 h, {mean:.1} are usual ({hours} hours of history)")))
}
