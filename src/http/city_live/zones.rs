//! `GET /api/city/{id}/zones` and `GET /api/city/{id}/zones/{zone}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;

use super::{
    AppState, board, ok, or_refused,
    refusal::{Answer, Refusal},
};
use crate::{
    city_live::{
        archive::{
            Alert, Anomaly, CallEntry, Forecast, InputFreshness, ModelOutput, Raw311, RawKind, RawValue,
            Recommendation, Risk,
        },
        board::{Board, ByZone},
        catalogue::Zone,
        message::Payload,
    },
    twin::{json::cut, time::Time},
};

/// All zones of a city.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Zones<'a> {
    city_id: &'a str,
    processed_at: Option<Time>,
    /// The run that was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
    #[serde(rename = "zones")]
    bodies: Vec<ZoneBody<'a>>,
}

/// One zone: what came in, and what was made of it. Lists are empty and the rest is `null` as long as it was not processed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ZoneBody<'a> {
    zone_id: &'a str,
    name: &'a str,
    raw: Raw<'a>,
    forecast: Option<&'a Forecast>,
    anomaly: &'a [Anomaly],
    risk: Option<&'a Risk>,
    recommendations: &'a [Recommendation],
    alerts: Vec<&'a Alert>,
    freshness: &'a [InputFreshness],
    simulated: bool,
    run_id: Option<&'a str>,
    processed_at: Option<Time>,
}

/// The latest value of each kind.
#[derive(Serialize)]
struct Raw<'a> {
    weather: Option<Value<'a>>,
    aqi: Option<Value<'a>>,
    traffic: Option<Value<'a>>,
    power: Option<Value<'a>>,
    grid_alert: Option<Value<'a>>,
    calls311: Option<Calls<'a>>,
}

/// A value as it came, with its fields beside its source.
#[derive(Serialize)]
struct Value<'a> {
    ts: Time,
    source: &'a str,
    ingested_at: Time,
    /// `null`: it is the whole city's.
    zone_id: Option<&'a str>,
    #[serde(flatten)]
    payload: &'a Payload,
}

impl<'a> From<&'a RawValue> for Value<'a> {
    fn from(value: &'a RawValue) -> Self {
        Self {
            ts: value.ts,
            source: &value.source,
            ingested_at: value.ingested_at,
            zone_id: value.zone_id.as_deref(),
            payload: &value.payload,
        }
    }
}

/// The 311 calls of the last 24 h.
#[derive(Serialize)]
struct Calls<'a> {
    ts: Time,
    source: &'a str,
    count: usize,
    by_type: &'a std::collections::BTreeMap<String, u32>,
    /// Each of them, where one zone is asked for.
    #[serde(rename = "calls", skip_serializing_if = "Option::is_none")]
    each: Option<&'a [CallEntry]>,
}

/// One zone with what only its own page needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneZone<'a> {
    city_id: &'a str,
    #[serde(flatten)]
    body: ZoneBody<'a>,
    centre: Centre,
    districts: &'a [String],
    weight: f64,
    models: &'a [ModelOutput],
}

#[derive(Serialize)]
struct Centre {
    latitude: f64,
    longitude: f64,
}

/// `GET /api/city/{id}/zones`.
pub(in crate::http) async fn zones(State(app): State<AppState>, Path(id): Path<String>) -> Response {
    let answer = async {
        let board = board(&app, &id).await?;
        all(&board, None).await
    };
    or_refused(answer.await)
}

/// `GET /api/city/{id}/zones/{zone}`.
pub(in crate::http) async fn zone(
    State(app): State<AppState>,
    Path((id, zone_id)): Path<(String, String)>,
) -> Response {
    let answer = async {
        let board = board(&app, &id).await?;
        let zone = board.city.zones.iter().find(|zone| zone.id == zone_id).ok_or_else(|| {
            let message = format!("the city {id} has no zone {:?}", cut(&zone_id, 80));
            Refusal::new(StatusCode::NOT_FOUND, "UNKNOWN_ZONE", message)
        })?;
        let sources = Sources::read(&board).await?;
        let outputs = board.outputs().await?;
        let body = OneZone {
            city_id: &board.city.id,
            body: sources.zone(zone, true),
            centre: Centre { latitude: zone.centre.latitude, longitude: zone.centre.longitude },
            districts: &zone.districts,
            weight: zone.weight,
            models: outputs.get(&zone.id).map_or(&[], Vec::as_slice),
        };
        ok(StatusCode::OK, &body)
    };
    or_refused(answer.await)
}

/// All zones of a city as they are now.
pub(super) async fn all(board: &Board, run_id: Option<&str>) -> Answer {
    let sources = Sources::read(board).await?;
    let zones = board.city.zones.iter().map(|zone| sources.zone(zone, false)).collect();
    let processed_at = board.processed_at().await?;
    ok(StatusCode::OK, &Zones { city_id: &board.city.id, processed_at, run_id, bodies: zones })
}

/// What zones are described from.
struct Sources<'a> {
    weather: &'a ByZone<RawValue>,
    aqi: &'a ByZone<RawValue>,
    traffic: &'a ByZone<RawValue>,
    power: &'a ByZone<RawValue>,
    grid_alert: &'a ByZone<RawValue>,
    calls: &'a ByZone<Raw311>,
    processed: &'a std::collections::HashMap<String, Arc<crate::city_live::archive::ProcessedZone>>,
    alerts: &'a [Arc<Alert>],
}

impl<'a> Sources<'a> {
    async fn read(board: &'a Board) -> Result<Self, Refusal> {
        Ok(Self {
            weather: board.raw(RawKind::Weather).await?,
            aqi: board.raw(RawKind::Aqi).await?,
            traffic: board.raw(RawKind::Traffic).await?,
            power: board.raw(RawKind::PowerDemand).await?,
            grid_alert: board.raw(RawKind::GridAlert).await?,
            calls: board.calls().await?,
            processed: board.processed().await?,
            alerts: board.open_alerts().await?,
        })
    }

    fn zone(&self, zone: &'a Zone, with_calls: bool) -> ZoneBody<'a> {
        let id = zone.id.as_str();
        let own = |values: &'a ByZone<RawValue>| values.zone(id).map(Value::from);
        // Power is known of the whole city only, as a rule.
        let own_or_whole = |values: &'a ByZone<RawValue>| values.zone(id).or(values.whole.as_ref()).map(Value::from);
        let calls = self.calls.zone(id).map(|calls| Calls {
            ts: calls.ts,
            source: &calls.source,
            count: calls.calls.len(),
            by_type: &calls.by_type,
            each: with_calls.then_some(calls.calls.as_slice()),
        });
        let made = self.processed.get(id);
        ZoneBody {
            zone_id: id,
            name: &zone.name,
            raw: Raw {
                weather: own(self.weather),
                aqi: own(self.aqi),
                traffic: own(self.traffic),
                power: own_or_whole(self.power),
                grid_alert: own_or_whole(self.grid_alert),
                calls311: calls,
            },
            forecast: made.and_then(|made| made.forecast.as_ref()),
            anomaly: made.map_or(&[], |made| made.anomalies.as_slice()),
            risk: made.map(|made| &made.risk),
            recommendations: made.map_or(&[], |made| made.recommendations.as_slice()),
            alerts: self
                .alerts
                .iter()
                .filter(|alert| alert.zone_id.as_deref() == Some(id))
                .map(|alert| &**alert)
                .collect(),
            freshness: made.map_or(&[], |made| made.freshness.as_slice()),
            simulated: made.is_some_and(|made| made.simulated),
            run_id: made.map(|made| made.run_id.as_str()),
            processed_at: made.map(|made| made.processed_at),
        }
    }
}
