//! What a run made of a zone.

use std::sync::Arc;

use async_graphql::{Enum, Object, Result, SimpleObject};

use super::source::int;
use crate::{
    city_live::{
        archive::{self, ProcessedZone},
        features::Features,
    },
    graphql::{error::coded, scalar::DateTime},
};

/// What a run made of a zone.
pub struct LiveProcessed(pub Arc<ProcessedZone>);

/// What a run made of a zone. Nothing of it is computed when it is asked for.
#[Object]
impl LiveProcessed {
    /// The run.
    async fn run_id(&self) -> &str {
        &self.0.run_id
    }

    /// When it was made.
    async fn processed_at(&self) -> DateTime {
        DateTime(self.0.processed_at)
    }

    /// The features it was made of, each with its unit in its name (`temperature_c`, `us_aqi`, `congestion_ratio`,
    /// `demand_mwh`, `calls_311`), in the order of their names.
    #[graphql(complexity = "1 + 20 * child_complexity")]
    async fn features(&self) -> Vec<LiveFeature<'_>> {
        features(&self.0.features)
    }

    /// The demand of the next hours; null where there is nothing to forecast it from.
    async fn forecast(&self) -> Option<LiveForecast<'_>> {
        self.0.forecast.as_ref().map(LiveForecast)
    }

    /// The features with enough history to tell, anomalous or not.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn anomalies(&self) -> Vec<LiveAnomaly> {
        self.0.anomalies.iter().map(LiveAnomaly::from).collect()
    }

    /// Its risk.
    async fn risk(&self) -> LiveRisk<'_> {
        LiveRisk(&self.0.risk)
    }

    /// What to do, the most urgent first.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn recommendations(&self) -> Vec<LiveRecommendation> {
        self.0.recommendations.iter().map(LiveRecommendation::from).collect()
    }

    /// How fresh each input was.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn freshness(&self) -> Vec<LiveFreshness> {
        self.0.freshness.iter().map(LiveFreshness::from).collect()
    }

    /// Whether any of its inputs is simulated.
    async fn simulated(&self) -> bool {
        self.0.simulated
    }
}

/// Features in the order of their names.
pub fn features(values: &Features) -> Vec<LiveFeature<'_>> {
    values.iter().map(|(name, value)| LiveFeature { name, value }).collect()
}

/// One number that a zone is judged by.
pub struct LiveFeature<'a> {
    name: &'a str,
    value: f64,
}

/// One number that a zone is judged by.
#[Object]
impl LiveFeature<'_> {
    /// Its name, with the unit at its end.
    async fn name(&self) -> &str {
        self.name
    }

    /// Its value, in the unit that the name tells.
    async fn value(&self) -> f64 {
        self.value
    }
}

/// A zone's power demand in the next hours.
pub struct LiveForecast<'a>(&'a archive::Forecast);

/// A zone's power demand in the next hours.
#[Object]
impl LiveForecast<'_> {
    /// The model that made it: `heuristic`, or a model's name.
    async fn model(&self) -> &str {
        &self.0.model
    }

    /// The next 24 hours, ascending. MWh in the hour.
    #[graphql(complexity = "1 + 24 * child_complexity")]
    async fn hours(&self) -> Vec<LiveForecastHour> {
        self.0.hours.iter().map(LiveForecastHour::from).collect()
    }

    /// Why, with the numbers.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
}

/// One hour of a forecast.
#[derive(SimpleObject)]
pub struct LiveForecastHour {
    /// The beginning of the hour.
    ts: DateTime,
    /// The value.
    value: f64,
    /// The lower end of its band.
    low: f64,
    /// The upper end of its band.
    high: f64,
}

impl From<&archive::ForecastHour> for LiveForecastHour {
    fn from(hour: &archive::ForecastHour) -> Self {
        Self { ts: DateTime(hour.ts), value: hour.value, low: hour.low, high: hour.high }
    }
}

/// How far a feature is from what is usual in its zone.
#[derive(SimpleObject)]
pub struct LiveAnomaly {
    /// Which feature.
    feature: String,
    /// Its value now, in the unit that its name tells.
    value: f64,
    /// The mean of the zone's own history, in the same unit.
    mean: f64,
    /// Its standard deviation, in the same unit.
    deviation: f64,
    /// `(value - mean) / deviation`, without a unit.
    z: f64,
    /// Out of how many samples.
    samples: i32,
    /// Whether it is so far away that it counts as an anomaly.
    anomalous: bool,
}

impl From<&archive::Anomaly> for LiveAnomaly {
    fn from(anomaly: &archive::Anomaly) -> Self {
        Self {
            feature: anomaly.feature.clone(),
            value: anomaly.value,
            mean: anomaly.mean,
            deviation: anomaly.deviation,
            z: anomaly.z,
            samples: int(anomaly.samples),
            anomalous: anomaly.anomalous,
        }
    }
}

/// How high a risk is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveRiskLevel {
    /// Nothing out of the ordinary.
    Low,
    /// Worth a look.
    Moderate,
    /// Somebody should act.
    High,
    /// Somebody should act at once.
    Severe,
    /// Nothing is known that it could be judged by; the score is 0.
    Unknown,
}

/// A zone's risk.
pub struct LiveRisk<'a>(&'a archive::Risk);

/// A zone's risk.
#[Object]
impl LiveRisk<'_> {
    /// 0 to 100: the weighted mean of its parts.
    async fn score(&self) -> f64 {
        self.0.score
    }

    /// The same in a word.
    async fn level(&self) -> Result<LiveRiskLevel> {
        match self.0.level.as_str() {
            "low" => Ok(LiveRiskLevel::Low),
            "moderate" => Ok(LiveRiskLevel::Moderate),
            "high" => Ok(LiveRiskLevel::High),
            "severe" => Ok(LiveRiskLevel::Severe),
            "unknown" => Ok(LiveRiskLevel::Unknown),
            other => Err(coded("INTERNAL_SERVER_ERROR", format!("the archive has a risk level {other:?}"))),
        }
    }

    /// Those of which something is known.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn parts(&self) -> Vec<LiveRiskPart> {
        self.0.parts.iter().map(LiveRiskPart::from).collect()
    }
}

/// One part of a risk.
#[derive(SimpleObject)]
pub struct LiveRiskPart {
    /// `weather`, `air`, `traffic`, `power` or `calls311`.
    name: String,
    /// 0 to 100 by itself.
    score: f64,
    /// Its weight among the parts that are known: they add up to 1.
    weight: f64,
    /// Why, with the numbers.
    reason: String,
}

impl From<&archive::RiskPart> for LiveRiskPart {
    fn from(part: &archive::RiskPart) -> Self {
        Self { name: part.name.clone(), score: part.score, weight: part.weight, reason: part.reason.clone() }
    }
}

/// Advice.
#[derive(SimpleObject)]
pub struct LiveRecommendation {
    /// The rule that gave it, a name that stays.
    rule: String,
    /// 1 is the most urgent.
    priority: i32,
    /// What to do.
    text: String,
    /// Why, with the numbers.
    reason: String,
}

impl From<&archive::Recommendation> for LiveRecommendation {
    fn from(advice: &archive::Recommendation) -> Self {
        Self {
            rule: advice.rule.clone(),
            priority: int(advice.priority),
            text: advice.text.clone(),
            reason: advice.reason.clone(),
        }
    }
}

/// How fresh an input is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "archive::Freshness")]
pub enum LiveFreshnessState {
    /// Young enough for its kind.
    Fresh,
    /// Older than its kind allows; it was still used.
    Stale,
    /// Never seen.
    Missing,
}

/// How fresh an input was when the zone was processed.
#[derive(SimpleObject)]
pub struct LiveFreshness {
    /// `weather`, `aqi`, `traffic`, `power` or `calls311`.
    input: String,
    /// What it is.
    state: LiveFreshnessState,
    /// When it was measured; null where it is missing.
    ts: Option<DateTime>,
    /// How many seconds before the run that was; null where it is missing.
    age_seconds: Option<i32>,
    /// Beyond how many seconds it is stale.
    limit_seconds: i32,
}

impl From<&archive::InputFreshness> for LiveFreshness {
    fn from(input: &archive::InputFreshness) -> Self {
        Self {
            input: input.input.clone(),
            state: input.state.into(),
            ts: input.ts.map(DateTime),
            age_seconds: input.age_s.map(int),
            limit_seconds: int(input.limit_s),
        }
    }
}
