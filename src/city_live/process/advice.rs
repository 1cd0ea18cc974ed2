//! Recommendations: rules with stable names, whose reasons name the numbers.

use super::{risk::felt, rules::AdviceRules};
use crate::city_live::features::Features;
use crate::{
    city_live::archive::{Anomaly, Forecast, Freshness, InputFreshness, Recommendation},
    twin::time::Time,
};

/// What advice is made of.
#[derive(Clone, Copy, Debug)]
pub struct AdviceInputs<'a> {
    /// Of now.
    pub features: &'a Features,
    /// Whether the road is closed.
    pub road_closed: bool,
    /// The chosen forecast.
    pub forecast: Option<&'a Forecast>,
    /// The highest known hour of demand, MWh.
    pub highest: Option<f64>,
    /// Of the zone.
    pub anomalies: &'a [Anomaly],
    /// The most frequent type of 311 call in 24 h, and how many.
    pub top_call: Option<(&'a str, u32)>,
    /// Of each input.
    pub freshness: &'a [InputFreshness],
}

/// All advice, most urgent first; of the same urgency by name.
///
/// `air-limit-outdoors`, `heat-open-cooling`, `cold-open-shelters`, `wind-secure`, `rain-clear-drains`, `traffic-closure`,
/// `traffic-reroute`, `power-shift-load`, `calls-send-crews`, `data-check-feeds`.
pub fn advise(inputs: &AdviceInputs<'_>, rules: &AdviceRules) -> Vec<Recommendation> {
    let mut advice = Vec::new();
    let mut give = |rule: &str, priority: u32, text: &str, reason: String| {
        advice.push(Recommendation { rule: rule.to_owned(), priority, text: text.to_owned(), reason });
    };
    let get = |name: &str| inputs.features.get(name);

    if let Some(aqi) = get("us_aqi").filter(|aqi| *aqi >= rules.air) {
        let urgent = aqi >= rules.air_urgent;
        let text = if urgent { "Ask everybody to stay indoors" } else { "Ask sensitive groups to stay indoors" };
        let from = if urgent { rules.air_urgent } else { rules.air };
        give(
            "air-limit-outdoors",
            if urgent { 1 } else { 2 },
            text,
            format!("US AQI {aqi:.0}, advised from {from:.0} on"),
        );
    }
    if let Some(felt) = felt(inputs.features) {
        if felt >= rules.heat_c {
            let priority = if felt >= rules.heat_urgent_c { 1 } else { 2 };
            let reason = format!("feels like {felt:.1} °C, advised from {:.1} °C on", rules.heat_c);
            give("heat-open-cooling", priority, "Open cooling centres and check on the frail", reason);
        }
        if felt <= rules.cold_c {
            let reason = format!("feels like {felt:.1} °C, advised from {:.1} °C down", rules.cold_c);
            give("cold-open-shelters", 2, "Open warm shelters and salt the roads", reason);
        }
    }
    if let Some(wind) = get("wind_speed_ms").filter(|wind| *wind >= rules.wind_ms) {
        let reason = format!("wind of {wind:.1} m/s, advised from {:.1} m/s on", rules.wind_ms);
        give("wind-secure", 2, "Secure cranes, scaffolds and market stalls", reason);
    }
    if let Some(rain) = get("precipitation_mm").filter(|rain| *rain >= rules.rain_mm) {
        let reason = format!("{rain:.1} mm in an hour, advised from {:.1} mm on", rules.rain_mm);
        give("rain-clear-drains", 2, "Clear the drains and watch underpasses", reason);
    }
    if inputs.road_closed {
        give("traffic-closure", 1, "Lead traffic around the closed road", "the nearest main road is closed".to_owned());
    } else if let Some(ratio) = get("congestion_ratio").filter(|ratio| *ratio >= rules.congestion) {
        let (slower, from) = (ratio * 100.0, rules.congestion * 100.0);
        let reason = format!("traffic is {slower:.0} % slower than free flow, advised from {from:.0} % on");
        give("traffic-reroute", 3, "Lead traffic around and lengthen green times", reason);
    }
    if let Some((peak, highest)) = peak(inputs.forecast).zip(inputs.highest)
        && peak.1 >= rules.peak * highest
        && highest > 0.0
    {
        let (at, value) = peak;
        let part = value / highest * 100.0;
        let reason = format!(
            "demand is forecast at {value:.1} MWh at {at}, {part:.0} % of the highest known hour ({highest:.1} MWh); advised \
             from {:.0} % on",
            rules.peak * 100.0
        );
        give("power-shift-load", 2, "Move load away from the peak hour", reason);
    }
    if let Some(calls) = inputs.anomalies.iter().find(|a| a.feature == "calls_311" && a.anomalous && a.z > 0.0) {
        let most =
            inputs.top_call.map(|(name, count)| format!(", most of them `{name}` ({count})")).unwrap_or_default();
        let reason = format!("{:.0} calls in 24 h, {:.1} are usual (z {:.1}){most}", calls.value, calls.mean, calls.z);
        give("calls-send-crews", 3, "Send crews to the calls of this zone", reason);
    }
    let old: Vec<String> = inputs
        .freshness
        .iter()
        .filter(|input| input.state == Freshness::Stale)
        .map(|input| format!("{} is {} old", input.input, super::freshness::age(input.age_s.unwrap_or_default())))
        .collect();
    if !old.is_empty() {
        give("data-check-feeds", 4, "Check the feeds: this zone is computed from old data", old.join(", "));
    }
    advice.sort_by(|a, b| (a.priority, &a.rule).cmp(&(b.priority, &b.rule)));
    advice
}

/// The hour of the greatest value; of equals the first.
fn peak(forecast: Option<&Forecast>) -> Option<(Time, f64)> {
    let hours = forecast?.hours.iter().map(|hour| (hour.ts, hour.value));
    hours.reduce(|peak, hour| if hour.1 > peak.1 { hour } else { peak })
}
