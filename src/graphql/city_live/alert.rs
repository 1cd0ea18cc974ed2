//! Alerts.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, ID, Result, SimpleObject};

use super::{
    args::page,
    source::{failed, running},
    zone::{LiveZone, global_id},
};
use crate::{
    city_live::{
        archive::{self, Alert, AlertQuery, AlertStatus},
        board::Board,
    },
    graphql::{context::max_page, scalar::DateTime},
};

/// Where an alert is in its life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "archive::AlertStatus")]
pub enum LiveAlertStatus {
    /// What it warns of holds.
    Open,
    /// It holds, and somebody has seen the alert.
    Acknowledged,
    /// It holds no longer. The alert stays for the time of retention.
    Cleared,
}

/// How bad it is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "archive::Severity")]
pub enum LiveSeverity {
    /// To know.
    Info,
    /// To watch.
    Warning,
    /// To act on.
    Critical,
}

/// Something in a zone, or in the whole city, that somebody should know of. Of one rule there is at most one alert in a
/// zone that is not cleared.
#[derive(SimpleObject, Clone)]
#[graphql(complex)]
pub struct LiveAlert {
    /// What `acknowledgeAlert` takes.
    alert_id: String,
    /// The `cityId` of its city.
    city_id: String,
    /// The `zoneId` of its zone; null: the whole city.
    zone_id: Option<String>,
    /// The rule that raised it, a name that stays.
    rule: String,
    /// How bad it is.
    severity: LiveSeverity,
    /// Where it is in its life.
    status: LiveAlertStatus,
    /// What is wrong, with the numbers.
    reason: String,
    /// Since when it holds.
    raised_at: DateTime,
    /// When it was last found to hold, or changed.
    updated_at: DateTime,
    /// When somebody saw it; null: nobody yet.
    acknowledged_at: Option<DateTime>,
    /// Since when it holds no longer; null: it holds.
    cleared_at: Option<DateTime>,
}

/// Where it is.
#[ComplexObject]
impl LiveAlert {
    /// `live-alert/<alertId>`, its part percent-encoded.
    async fn id(&self) -> ID {
        global_id("live-alert", &[&self.alert_id])
    }

    /// Its zone; null for the whole city, and where the catalogue no longer has the zone.
    async fn zone(&self, ctx: &Context<'_>) -> Result<Option<LiveZone>> {
        LiveZone::find(running(ctx), &self.city_id, self.zone_id.as_deref()).await
    }
}

impl From<&Alert> for LiveAlert {
    fn from(alert: &Alert) -> Self {
        Self {
            alert_id: alert.alert_id.clone(),
            city_id: alert.city_id.clone(),
            zone_id: alert.zone_id.clone(),
            rule: alert.rule.clone(),
            severity: alert.severity.into(),
            status: alert.status.into(),
            reason: alert.reason.clone(),
            raised_at: DateTime(alert.raised_at),
            updated_at: DateTime(alert.updated_at),
            acknowledged_at: alert.acknowledged_at.map(DateTime),
            cleared_at: alert.cleared_at.map(DateTime),
        }
    }
}

/// Entries of a list of alerts where `first` is absent.
pub const USUAL: usize = 100;

/// The alerts that the arguments of a list ask for, newest first; `zone: None`: of all zones and of the city as a whole.
pub async fn alerts(
    ctx: &Context<'_>,
    board: &Arc<Board>,
    zone: Option<&str>,
    status: Option<Vec<LiveAlertStatus>>,
    first: Option<i32>,
) -> Result<Vec<LiveAlert>> {
    let first = page("first", first, USUAL, max_page(ctx))?;
    let status: Option<Vec<AlertStatus>> = status.map(|status| status.into_iter().map(AlertStatus::from).collect());
    let open = |status: &AlertStatus| *status != AlertStatus::Cleared;
    if status.as_ref().is_none_or(|status| status.iter().all(open)) {
        let alerts = board.open_alerts().await.map_err(failed)?.iter();
        let wanted = alerts.filter(|alert| {
            (zone.is_none() || alert.zone_id.as_deref() == zone)
                && status.as_ref().is_none_or(|status| status.contains(&alert.status))
        });
        return Ok(wanted.take(first).map(|alert| LiveAlert::from(&**alert)).collect());
    }
    let query = AlertQuery {
        city_id: board.city.id.clone(),
        zone_id: zone.map(str::to_owned),
        status: status.unwrap_or_default(),
        limit: first,
    };
    let alerts = board.archive().alerts(&query).await.map_err(failed)?;
    Ok(alerts.iter().map(LiveAlert::from).collect())
}
