//! The weights and thresholds of the rules: each a default that a file can change (`CITY_LIVE_RULES`).

use serde::{Deserialize, Serialize};

/// All weights and thresholds. Read from TOML; what is left out keeps its default, an unknown name is an error.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// When an input counts as old.
    pub freshness: FreshnessRules,
    /// The forecast of demand.
    pub forecast: ForecastRules,
    /// What is unusual.
    pub anomaly: AnomalyRules,
    /// The parts of the risk and how much each counts.
    pub risk: RiskRules,
    /// When advice is given.
    pub advice: AdviceRules,
    /// When alerts are raised and cleared.
    pub alerts: AlertRules,
}

/// Ages beyond which an input is stale, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FreshnessRules {
    /// Weather is asked for every 15 minutes, less often with many zones.
    pub weather_s: i64,
    /// Air quality is hourly, and told of the hour's beginning.
    pub aqi_s: i64,
    /// Traffic.
    pub traffic_s: i64,
    /// EIA publishes an hour of demand one to three hours after its beginning.
    pub power_s: i64,
    /// 311 calls: the newest call of the whole city counts, for a zone without calls is no broken feed.
    pub calls311_s: i64,
}

impl Default for FreshnessRules {
    fn default() -> Self {
        Self { weather_s: 3600, aqi_s: 3 * 3600, traffic_s: 1800, power_s: 6 * 3600, calls311_s: 6 * 3600 }
    }
}

/// How demand is forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastRules {
    /// How many days before the newest hour the averages are taken over.
    pub history_days: u32,
    /// With fewer known hours of demand there is no forecast.
    pub min_hours: u32,
    /// Above it people cool, °C.
    pub cool_above_c: f64,
    /// More demand per °C above that, as a fraction.
    pub cool_per_c: f64,
    /// Below it people heat, °C.
    pub heat_below_c: f64,
    /// More demand per °C below that, as a fraction.
    pub heat_per_c: f64,
    /// The response is never more than this.
    pub response_max: f64,
    /// The band is the value times 1 ± this many relative deviations: 1.28 holds 80 % of a normal distribution.
    pub band_deviations: f64,
    /// The band's spread is measured from this many hours on.
    pub band_min_hours: u32,
    /// The relative deviation that is assumed before.
    pub band_assumed: f64,
    /// A model replaces the heuristic when both were compared on at least this many hours of the city …
    pub model_min_hours: u32,
    /// … and its error is less than this part of the heuristic's.
    pub model_margin: f64,
}

impl Default for ForecastRules {
    fn default() -> Self {
        Self {
            history_days: 14,
            min_hours: 24,
            cool_above_c: 22.0,
            cool_per_c: 0.02,
            heat_below_c: 15.0,
            heat_per_c: 0.01,
            response_max: 1.5,
            band_deviations: 1.28,
            band_min_hours: 48,
            band_assumed: 0.15,
            model_min_hours: 120,
            model_margin: 0.95,
        }
    }
}

/// What counts as unusual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnomalyRules {
    /// With fewer hours of history nothing is said.
    pub min_samples: u32,
    /// |z| from which a value is anomalous.
    pub z: f64,
    /// The features that are judged.
    pub features: Vec<String>,
}

impl Default for AnomalyRules {
    fn default() -> Self {
        let features = ["temperature_c", "us_aqi", "pm2_5_ugm3", "congestion_ratio", "calls_311", "demand_mwh"];
        Self { min_samples: 48, z: 3.0, features: features.map(str::to_owned).into() }
    }
}

/// How much each part of the risk counts, relative to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskWeights {
    /// Heat, cold, wind and rain.
    pub weather: f64,
    /// Air quality.
    pub air: f64,
    /// Congestion.
    pub traffic: f64,
    /// Power demand.
    pub power: f64,
    /// 311 calls.
    pub calls311: f64,
}

impl Default for RiskWeights {
    fn default() -> Self {
        Self { weather: 0.25, air: 0.25, traffic: 0.2, power: 0.2, calls311: 0.1 }
    }
}

/// From where on a value scores above 0, and where it scores 100; linear between.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Scores 0.
    pub from: f64,
    /// Scores 100.
    pub to: f64,
}

impl Ramp {
    /// 0 to 100.
    pub fn score(self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0) * 100.0
    }
}

/// The parts of the risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskRules {
    /// How much each part counts.
    pub weights: RiskWeights,
    /// Felt temperature, °C.
    pub heat: Ramp,
    /// Felt temperature, °C: `from` is the warmer end.
    pub cold: Ramp,
    /// m/s.
    pub wind: Ramp,
    /// mm/h.
    pub rain: Ramp,
    /// US AQI.
    pub us_aqi: Ramp,
    /// European AQI, where there is no US one.
    pub european_aqi: Ramp,
    /// Congestion ratio.
    pub congestion: Ramp,
    /// Demand relative to the highest hour of its history.
    pub load: Ramp,
    /// What a grid alert scores at least.
    pub grid_alert: f64,
    /// Calls of the last 24 h relative to their usual number.
    pub calls: Ramp,
    /// With fewer hours of history power and calls have nothing to be measured by.
    pub min_samples: u32,
    /// Score from which the level is `moderate`.
    pub moderate: f64,
    /// `high`.
    pub high: f64,
    /// `severe`.
    pub severe: f64,
}

impl Default for RiskRules {
    fn default() -> Self {
        let ramp = |from, to| Ramp { from, to };
        Self {
            weights: RiskWeights::default(),
            heat: ramp(27.0, 41.0),
            cold: ramp(0.0, -20.0),
            wind: ramp(8.0, 25.0),
            rain: ramp(2.0, 20.0),
            us_aqi: ramp(0.0, 300.0),
            european_aqi: ramp(0.0, 150.0),
            congestion: ramp(0.1, 0.7),
            load: ramp(0.7, 1.05),
            grid_alert: 70.0,
            calls: ramp(1.0, 3.0),
            min_samples: 24,
            moderate: 25.0,
            high: 50.0,
            severe: 75.0,
        }
    }
}

/// From where on advice is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdviceRules {
    /// US AQI: unhealthy for sensitive groups.
    pub air: f64,
    /// US AQI: unhealthy for all; more urgent.
    pub air_urgent: f64,
    /// Felt temperature, °C.
    pub heat_c: f64,
    /// Felt temperature, °C; more urgent.
    pub heat_urgent_c: f64,
    /// Felt temperature, °C, at or below.
    pub cold_c: f64,
    /// m/s.
    pub wind_ms: f64,
    /// mm/h.
    pub rain_mm: f64,
    /// Congestion ratio.
    pub congestion: f64,
    /// The forecast's peak relative to the highest hour of the history.
    pub peak: f64,
}

impl Default for AdviceRules {
    fn default() -> Self {
        Self {
            air: 101.0,
            air_urgent: 151.0,
            heat_c: 32.0,
            heat_urgent_c: 38.0,
            cold_c: -5.0,
            wind_ms: 15.0,
            rain_mm: 8.0,
            congestion: 0.5,
            peak: 0.95,
        }
    }
}

/// Where a condition begins, where it ends, and where it is critical. Between `raise` and `clear` an alert stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// At or beyond it an alert is raised.
    pub raise: f64,
    /// Short of it an alert is cleared.
    pub clear: f64,
    /// At or beyond it the alert is critical.
    pub critical: f64,
}

/// When alerts are raised and cleared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertRules {
    /// Risk score.
    pub risk: Limit,
    /// US AQI.
    pub air: Limit,
    /// Felt temperature, °C.
    pub heat: Limit,
    /// Felt temperature, °C; beyond is below.
    pub cold: Limit,
    /// m/s.
    pub wind: Limit,
    /// Congestion ratio.
    pub congestion: Limit,
    /// |z| of an anomaly.
    pub anomaly: Limit,
    /// Hours of demand without a grid alert after which it is cleared.
    pub grid_clear_hours: u32,
    /// Percent above its reference from which a grid alert is critical.
    pub grid_critical_pct: f64,
}

impl Default for AlertRules {
    fn default() -> Self {
        let limit = |raise, clear, critical| Limit { raise, clear, critical };
        Self {
            risk: limit(60.0, 50.0, 75.0),
            air: limit(151.0, 141.0, 201.0),
            heat: limit(38.0, 36.0, 41.0),
            cold: limit(-15.0, -13.0, -25.0),
            wind: limit(20.0, 17.0, 28.0),
            congestion: limit(0.7, 0.6, 0.9),
            anomaly: limit(3.0, 2.0, 5.0),
            grid_clear_hours: 2,
            grid_critical_pct: 10.0,
        }
    }
}

/// Why rules were refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RulesError {
    /// No TOML, an unknown name, or a value of the wrong kind.
    #[error("{0}")]
    Form(String),
    /// A value that makes no sense.
    #[error("`{field}` is {value}: {accepted}")]
    Value {
        /// Its path, such as `risk.weights.air`.
        field: String,
        /// What it is.
        value: f64,
        /// What is accepted.
        accepted: &'static str,
    },
}

impl Rules {
    /// Reads TOML and checks it.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(text).map_err(|error| RulesError::Form(error.to_string()))?;
        rules.check()?;
        Ok(rules)
    }

    /// Whether every value makes sense.
    pub fn check(&self) -> Result<(), RulesError> {
        let refuse =
            |field: &str, value: f64, accepted| Err(RulesError::Value { field: field.to_owned(), value, accepted });
        let FreshnessRules { weather_s, aqi_s, traffic_s, power_s, calls311_s } = self.freshness;
        let ages = [
            ("freshness.weather_s", weather_s),
            ("freshness.aqi_s", aqi_s),
            ("freshness.traffic_s", traffic_s),
            ("freshness.power_s", power_s),
            ("freshness.calls311_s", calls311_s),
        ];
        for (field, age) in ages {
            if age < 1 {
                return refuse(field, age as f64, "at least 1 s is accepted");
            }
        }
        let weights = &self.risk.weights;
        let weights = [
            ("risk.weights.weather", weights.weather),
            ("risk.weights.air", weights.air),
            ("risk.weights.traffic", weights.traffic),
            ("risk.weights.power", weights.power),
            ("risk.weights.calls311", weights.calls311),
        ];
        for (field, weight) in weights {
            if !(weight.is_finite() && weight >= 0.0) {
                return refuse(field, weight, "0 or more is accepted");
            }
        }
        if weights.iter().all(|(_, weight)| *weight == 0.0) {
            return refuse("risk.weights", 0.0, "at least one weight above 0 is accepted");
        }
        let risk = &self.risk;
        let ramps = [
            ("risk.heat", risk.heat),
            ("risk.cold", risk.cold),
            ("risk.wind", risk.wind),
            ("risk.rain", risk.rain),
            ("risk.us_aqi", risk.us_aqi),
            ("risk.european_aqi", risk.european_aqi),
            ("risk.congestion", risk.congestion),
            ("risk.load", risk.load),
            ("risk.calls", risk.calls),
        ];
        for (field, ramp) in ramps {
            if !((ramp.to - ramp.from).is_finite() && ramp.to != ramp.from) {
                return refuse(field, ramp.to, "`to` must differ from `from`");
            }
        }
        if !(0.0..=100.0).contains(&risk.grid_alert) {
            return refuse("risk.grid_alert", risk.grid_alert, "0 to 100 is accepted");
        }
        if !(0.0 < risk.moderate && risk.moderate < risk.high && risk.high < risk.severe) {
            return refuse("risk.high", risk.high, "moderate < high < severe is accepted");
        }
        let alerts = &self.alerts;
        let above = [
            ("alerts.risk", alerts.risk),
            ("alerts.air", alerts.air),
            ("alerts.heat", alerts.heat),
            ("alerts.wind", alerts.wind),
            ("alerts.congestion", alerts.congestion),
            ("alerts.anomaly", alerts.anomaly),
        ];
        for (field, limit) in above {
            if !(limit.clear <= limit.raise && limit.raise <= limit.critical) {
                return refuse(field, limit.raise, "clear <= raise <= critical is accepted");
            }
        }
        if !(alerts.cold.clear >= alerts.cold.raise && alerts.cold.raise >= alerts.cold.critical) {
            return refuse("alerts.cold", alerts.cold.raise, "clear >= raise >= critical is accepted");
        }
        let positive = [
            ("alerts.grid_critical_pct", alerts.grid_critical_pct),
            ("anomaly.z", self.anomaly.z),
            ("forecast.band_deviations", self.forecast.band_deviations),
            ("forecast.band_assumed", self.forecast.band_assumed),
            ("forecast.model_margin", self.forecast.model_margin),
        ];
        for (field, value) in positive {
            if !(value.is_finite() && value > 0.0) {
                return refuse(field, value, "a number above 0 is accepted");
            }
        }
        let forecast = &self.forecast;
        for (field, value) in
            [("forecast.cool_per_c", forecast.cool_per_c), ("forecast.heat_per_c", forecast.heat_per_c)]
        {
            if !(0.0..=1.0).contains(&value) {
                return refuse(field, value, "0 to 1 is accepted");
            }
        }
        if !(1.0..=10.0).contains(&forecast.response_max) {
            return refuse("forecast.response_max", forecast.response_max, "1 to 10 is accepted");
        }
        if forecast.cool_above_c < forecast.heat_below_c {
            return refuse("forecast.cool_above_c", forecast.cool_above_c, "at least heat_below_c is accepted");
        }
        let counts = [
            ("forecast.history_days", forecast.history_days, 1, "1 to 90 is accepted"),
            ("forecast.min_hours", forecast.min_hours, 1, "1 or more is accepted"),
            ("anomaly.min_samples", self.anomaly.min_samples, 2, "2 or more is accepted"),
            ("risk.min_samples", risk.min_samples, 1, "1 or more is accepted"),
            ("alerts.grid_clear_hours", alerts.grid_clear_hours, 1, "1 or more is accepted"),
        ];
        for (field, count, least, accepted) in counts {
            if count < least || (field == "forecast.history_days" && count > 90) {
                return refuse(field, f64::from(count), accepted);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_accepted_and_a_file_changes_single_values() {
        assert_eq!(Rules::default().check(), Ok(()));
        let text = "[risk.weights]\nair = 0.5\n\n[alerts.heat]\nraise = 35\nclear = 33\ncritical = 40\n";
        let rules = Rules::parse(text).unwrap();
        assert_eq!((rules.risk.weights.air, rules.risk.weights.weather), (0.5, 0.25));
        assert_eq!(rules.alerts.heat, Limit { raise: 35.0, clear: 33.0, critical: 40.0 });
        assert_eq!(rules.anomaly, AnomalyRules::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let cases = [
            ("[risk.weights]\nair = -1", "`risk.weights.air` is -1: 0 or more is accepted"),
            ("[risk.weights]\nweather = 0\nair = 0\ntraffic = 0\npower = 0\ncalls311 = 0", "`risk.weights` is 0"),
            ("[freshness]\nweather_s = 0", "`freshness.weather_s` is 0: at least 1 s is accepted"),
            ("[risk]\nheat = { from = 30, to = 30 }", "`risk.heat` is 30"),
            ("[alerts]\nheat = { raise = 35, clear = 36, critical = 40 }", "`alerts.heat` is 35"),
            ("[alerts]\ncold = { raise = -15, clear = -16, critical = -20 }", "`alerts.cold` is -15"),
            ("[anomaly]\nmin_samples = 1", "`anomaly.min_samples` is 1: 2 or more is accepted"),
            ("[anomaly]\nz = nan", "`anomaly.z` is NaN"),
            ("[forecast]\nhistory_days = 91", "`forecast.history_days` is 91"),
            ("[risk]\nheta = 3", "unknown field `heta`"),
        ];
        for (text, expected) in cases {
            let error = Rules::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
