//! `/api/city/…` and `/api/live-stream`: City Live over plain HTTP. `docs/city-live-api.md` tells its users.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    response::Response,
};
use serde::Serialize;
use serde_json::json;

use super::{AppState, media::Media, problem::with_type};
use crate::{
    city_live::{
        CityLive,
        archive::{AlertQuery, FeedItem, FeedQuery, Selection},
        board::Board,
        catalogue::LiveCity,
        feed_page,
        message::Payload,
    },
    twin::time::Time,
};

mod query;
mod refusal;
mod zones;

#[cfg(test)]
mod tests;

use query::Query;
use refusal::{Answer, Refusal};
pub(super) use zones::{zone, zones};

const JSON: &str = Media::Json.content_type();

/// The body of `GET /api/city/current`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Current<'a> {
    city_id: &'a str,
    name: &'a str,
    status: &'static str,
    /// How many it has.
    zones: usize,
    selected_at: Option<Time>,
    processed_at: Option<Time>,
}

/// `GET /api/city/current`.
pub(super) async fn current(State(app): State<AppState>) -> Response {
    let answer = async {
        let live = live(&app)?;
        let selection = live.archive().selection().await?.ok_or_else(Refusal::none_chosen)?;
        describe(live, &selection, StatusCode::OK).await
    };
    or_refused(answer.await)
}

/// `POST /api/city/select/{id}`.
pub(super) async fn select(State(app): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        may_change(&app, &parts)?;
        let live = live(&app)?;
        let selection = live.select(&id).await.map_err(|error| Refusal::operation(live, &error))?;
        describe(live, &selection, StatusCode::ACCEPTED).await
    };
    or_refused(answer.await)
}

async fn describe(live: &Arc<CityLive>, selection: &Selection, status: StatusCode) -> Answer {
    let city = city(live, &selection.city_id)?;
    let processed_at = live.boards().now(city).await?.processed_at().await?;
    let selected_at = Some(selection.selected_at);
    let current = Current {
        city_id: &city.id,
        name: &city.name,
        status: live.status(selected_at, processed_at).name(),
        zones: city.zones.len(),
        selected_at,
        processed_at,
    };
    ok(status, &current)
}

/// `POST /api/city/process/from-kafka`.
pub(super) async fn process(State(app): State<AppState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let answer = async {
        may_change(&app, &parts)?;
        let live = Arc::clone(live(&app)?);
        let query = Query::of(&parts.uri);
        let (wait, id) = (query.flag("wait")?, query.text("city").map(str::to_owned));
        // It goes on when the client hangs up: it is the same run as the server's own.
        let run = {
            let live = Arc::clone(&live);
            tokio::spawn(async move { live.process(id.as_deref(), wait).await })
        };
        let run = run.await.map_err(|error| {
            tracing::error!(%error, "a run of City Live failed");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "internal error")
        })?;
        let run = run.map_err(|error| Refusal::operation(&live, &error))?;
        if run.done.is_none() {
            return ok(StatusCode::ACCEPTED, &json!({"runId": run.run_id}));
        }
        let board = live.boards().now(city(&live, &run.city_id)?).await?;
        zones::all(&board, Some(&run.run_id)).await
    };
    or_refused(answer.await)
}

/// One message of the live stream.
#[derive(Serialize)]
struct Item<'a> {
    topic: &'a str,
    ts: Time,
    ingested_at: Time,
    source: &'a str,
    payload: &'a Payload,
    city_id: &'a str,
    zone_id: Option<&'a str>,
}

impl<'a> From<&'a FeedItem> for Item<'a> {
    fn from(item: &'a FeedItem) -> Self {
        Self {
            topic: &item.topic,
            ts: item.ts,
            ingested_at: item.ingested_at,
            source: &item.source,
            payload: &item.payload,
            city_id: &item.city_id,
            zone_id: item.zone_id.as_deref(),
        }
    }
}

/// A page of the live stream.
#[derive(Serialize)]
struct Page<'a> {
    items: Vec<Item<'a>>,
    /// The cursor of the next page; `None`: this is the last.
    next: Option<String>,
}

/// `GET /api/live-stream`.
pub(super) async fn live_stream(State(app): State<AppState>, uri: Uri) -> Response {
    let answer = async {
        let live = live(&app)?;
        let query = Query::of(&uri);
        let wanted = FeedQuery {
            city_id: query.text("city").map(str::to_owned),
            topic: query.topic("topic")?,
            zone_id: query.text("zone").map(str::to_owned),
            since: query.time("since")?,
            before: query.cursor("cursor")?,
            after: None,
            limit: query.limit(app.graphql.max_page)?,
        };
        let page = feed_page::page(&**live.archive(), wanted).await?;
        let next = page.items.last().filter(|_| page.more).map(|item| feed_page::cursor(item.seq));
        ok(StatusCode::OK, &Page { items: page.items.iter().map(Item::from).collect(), next })
    };
    or_refused(answer.await)
}

/// `GET /api/city/{id}/alerts`.
pub(super) async fn alerts(State(app): State<AppState>, Path(id): Path<String>, uri: Uri) -> Response {
    let answer = async {
        let live = live(&app)?;
        let city = city(live, &id)?;
        let query = Query::of(&uri);
        let wanted = AlertQuery {
            city_id: city.id.clone(),
            zone_id: query.text("zone").map(str::to_owned),
            status: query.alert_status("status")?,
            limit: query.limit(app.graphql.max_page)?,
        };
        let alerts = live.archive().alerts(&wanted).await?;
        ok(StatusCode::OK, &json!({"cityId": city.id, "alerts": alerts}))
    };
    or_refused(answer.await)
}

/// Any other method than a path has.
pub(super) async fn other_method(request: Request) -> Response {
    let message = format!("{} is not accepted here", request.method());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message).into()
}

fn or_refused(answer: Answer) -> Response {
    answer.unwrap_or_else(Response::from)
}

fn live(app: &AppState) -> Result<&Arc<CityLive>, Refusal> {
    let off = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "CITY_LIVE_OFF", "this server runs without City Live");
    app.city_live.as_ref().ok_or_else(off)
}

fn city<'a>(live: &'a CityLive, id: &str) -> Result<&'a Arc<LiveCity>, Refusal> {
    live.city(id).ok_or_else(|| Refusal::unknown_city(live, id))
}

/// The city of a path as it is now.
async fn board(app: &AppState, id: &str) -> Result<Arc<Board>, Refusal> {
    let live = live(app)?;
    Ok(live.boards().now(city(live, id)?).await?)
}

/// An answer that is of this moment: nobody keeps it.
fn ok(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).map_err(|error| {
        tracing::error!(%error, "an answer of City Live could not be encoded");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "internal error")
    })?;
    let mut response = with_type(status, JSON, body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Refuses who may not change anything.
fn may_change(app: &AppState, parts: &Parts) -> Result<(), Refusal> {
    let caller = app.auth.caller(parts);
    let Some(reason) = caller.refusal() else { return Ok(()) };
    let code = caller.refusal_code();
    let status = if code == "FORBIDDEN" { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
    Err(Refusal::new(status, code, reason))
}
