//! Alerts: raised, kept and cleared, with room between raising and clearing so that a value at the limit does not flicker.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::rules::Limit;
use crate::{
    city_live::{
        archive::{Alert, AlertStatus, Severity},
        message::{GridAlert, GridAlertKind},
    },
    twin::time::Time,
};

/// What a rule finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The condition holds: an alert is raised or kept.
    Raise(Severity, String),
    /// Between the two limits: an alert is kept, none is raised.
    Keep(Severity, String),
    /// The condition does not hold: an alert is cleared.
    Clear,
    /// Nothing fresh to go by: nothing is raised, and nothing cleared, for silence is no recovery.
    Unknown,
}

/// One rule's finding about one zone, or the whole city.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The zone; `None`: the whole city.
    pub zone_id: Option<String>,
    /// Stable name: `risk-high`, `air-unhealthy`, `heat`, `cold`, `wind-storm`, `congestion`, `anomaly-<feature>`,
    /// `grid-above-forecast`, `grid-above-peak`.
    pub rule: String,
    /// What it finds.
    pub finding: Finding,
}

/// A value against a limit. Where `raise` is below `clear`, small values are the bad ones. `text` gets the limit appended.
pub fn find(value: Option<f64>, limit: Limit, text: impl Fn(f64) -> String) -> Finding {
    let Some(value) = value.filter(|value| value.is_finite()) else { return Finding::Unknown };
    // Turned around, so that greater is worse.
    let sign = if limit.raise < limit.clear || limit.critical < limit.raise { -1.0 } else { 1.0 };
    let (bad, raise, clear, critical) = (value * sign, limit.raise * sign, limit.clear * sign, limit.critical * sign);
    let severity = if bad >= critical { Severity::Critical } else { Severity::Warning };
    let reason = || format!("{} (raised at {}, cleared short of {})", text(value), limit.raise, limit.clear);
    if bad >= raise {
        Finding::Raise(severity, reason())
    } else if bad >= clear {
        Finding::Keep(severity, reason())
    } else {
        Finding::Clear
    }
}

/// The rule of a grid alert.
pub const fn grid_rule(kind: GridAlertKind) -> &'static str {
    match kind {
        GridAlertKind::AboveForecast => "grid-above-forecast",
        GridAlertKind::AbovePeak => "grid-above-peak",
    }
}

/// A grid alert of one kind against the newest hour of demand: it holds while fewer than `clear_hours` hours came after it
/// without one. Without any demand, or where that is no longer fresh, nothing is known.
pub fn find_grid(
    newest: Option<(Time, &GridAlert)>,
    demand: Option<Time>,
    fresh: bool,
    clear_hours: u32,
    critical_pct: f64,
) -> Finding {
    let Some(demand) = demand.filter(|_| fresh) else { return Finding::Unknown };
    let Some((ts, alert)) = newest else { return Finding::Clear };
    let hours_since = (demand.0 - ts.0).div_euclid(super::series::HOUR_MS);
    if hours_since >= i64::from(clear_hours) {
        return Finding::Clear;
    }
    let severity = if alert.excess_pct >= critical_pct { Severity::Critical } else { Severity::Warning };
    let above = match alert.kind {
        GridAlertKind::AboveForecast => "EIA's own forecast",
        GridAlertKind::AbovePeak => "the day's highest hour before",
    };
    let reason = format!(
        "{} demanded {:.0} MWh in the hour of {ts}, {:.1} % above {above} ({:.0} MWh)",
        alert.region, alert.demand_mwh, alert.excess_pct, alert.reference_mwh
    );
    if hours_since <= 0 { Finding::Raise(severity, reason) } else { Finding::Keep(severity, reason) }
}

/// What is to be written: alerts raised, kept and cleared.
///
/// `standing` are the alerts of the city that are not cleared. Of one (zone, rule) at most one stays: a second is cleared.
/// An acknowledged alert stays acknowledged while its condition holds. An alert of a zone or rule that is no more is cleared.
/// The same inputs make the same documents: an alert's id is made of city, zone, rule and when it was raised.
pub fn transition(city_id: &str, standing: &[Alert], conditions: &[Condition], now: Time) -> Vec<Alert> {
    let mut alive: BTreeMap<(Option<&str>, &str), &Alert> = BTreeMap::new();
    let mut cleared = Vec::new();
    let mut sorted: Vec<&Alert> = standing.iter().filter(|alert| alert.status != AlertStatus::Cleared).collect();
    sorted.sort_by(|a, b| (a.raised_at, &a.alert_id).cmp(&(b.raised_at, &b.alert_id)));
    for alert in sorted {
        let key = (alert.zone_id.as_deref(), alert.rule.as_str());
        match alive.entry(key) {
            Entry::Occupied(_) => cleared.push(clear(alert, now)),
            Entry::Vacant(free) => drop(free.insert(alert)),
        }
    }
    let mut written = Vec::new();
    let mut judged = BTreeSet::new();
    for condition in conditions {
        let key = (condition.zone_id.as_deref(), condition.rule.as_str());
        if !judged.insert(key) {
            continue;
        }
        match (alive.get(&key), &condition.finding) {
            (None, Finding::Raise(severity, reason)) => {
                written.push(raise(city_id, condition, *severity, reason, now));
            }
            (Some(alert), Finding::Raise(severity, reason) | Finding::Keep(severity, reason)) => {
                written.push(Alert {
                    severity: *severity,
                    reason: reason.clone(),
                    updated_at: now,
                    ..(*alert).clone()
                });
            }
            (Some(alert), Finding::Clear) => written.push(clear(alert, now)),
            (None, Finding::Keep(..) | Finding::Clear) | (_, Finding::Unknown) => {}
        }
    }
    let gone = alive.iter().filter(|(key, _)| !judged.contains(*key)).map(|(_, alert)| clear(alert, now));
    written.extend(gone);
    written.extend(cleared);
    written.sort_by(|a, b| a.alert_id.cmp(&b.alert_id));
    written
}

fn raise(city_id: &str, condition: &Condition, severity: Severity, reason: &str, now: Time) -> Alert {
    let zone = condition.zone_id.as_deref().unwrap_or_default();
    Alert {
        alert_id: format!("{city_id}/{zone}/{}/{now}", condition.rule),
        city_id: city_id.to_owned(),
        zone_id: condition.zone_id.clone(),
        rule: condition.rule.clone(),
        severity,
        status: AlertStatus::Open,
        reason: reason.to_owned(),
        raised_at: now,
        updated_at: now,
        acknowledged_at: None,
        cleared_at: None,
    }
}

fn clear(alert: &Alert, now: Time) -> Alert {
    Alert { status: AlertStatus::Cleared, updated_at: now, cleared_at: Some(now), ..alert.clone() }
}
