//! The zones of a city.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{
    alert::{LiveAlert, LiveAlertStatus, alerts},
    args::beginning,
    history::LiveHistory,
    output::LiveModelOutput,
    processed::LiveProcessed,
    raw::LiveRaw,
    source::failed,
};
use crate::{
    city_live::{
        CityLive,
        board::Board,
        catalogue::{Polygon, Zone},
    },
    graphql::{
        context::snapshot,
        entity::District,
        place::Location,
        scalar::{DateTime, Json},
    },
    twin::geo::Position,
};

/// What is not percent-encoded in a part of an id: letters, digits and `-._~`, as in the twin's.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An id over all kinds: `live-zone/nyc/manhattan-1`.
pub fn global_id(kind: &str, parts: &[&str]) -> ID {
    let mut id = kind.to_owned();
    for part in parts {
        id.push('/');
        id.extend(utf8_percent_encode(part, PART));
    }
    ID(id)
}

/// A zone of a city.
#[derive(Clone)]
pub struct LiveZone {
    board: Arc<Board>,
    at: usize,
}

impl LiveZone {
    /// All zones of a city, in the order of the catalogue.
    pub fn all(board: &Arc<Board>) -> impl Iterator<Item = Self> + use<'_> {
        (0..board.city.zones.len()).map(|at| Self { board: Arc::clone(board), at })
    }

    /// The zone of that id.
    pub fn of(board: &Arc<Board>, id: &str) -> Option<Self> {
        let at = board.city.zones.iter().position(|zone| zone.id == id)?;
        Some(Self { board: Arc::clone(board), at })
    }

    /// The zone of that id in the city of that id, as it is now; null where the catalogue has none.
    pub async fn find(live: Option<&Arc<CityLive>>, city: &str, id: Option<&str>) -> Result<Option<Self>> {
        let (Some(live), Some(id)) = (live, id) else { return Ok(None) };
        let Some(city) = live.city(city) else { return Ok(None) };
        let board = live.boards().now(city).await.map_err(failed)?;
        Ok(Self::of(&board, id))
    }

    /// What the catalogue says of it.
    pub fn zone(&self) -> &Zone {
        &self.board.city.zones[self.at]
    }
}

/// The zones that cover a district, of all cities of the catalogue; none where there is no City Live.
pub async fn zones_of_district(live: Option<&Arc<CityLive>>, district: &str) -> Result<Vec<LiveZone>> {
    let mut zones = Vec::new();
    let Some(live) = live else { return Ok(zones) };
    let covers = |zone: &Zone| zone.districts.iter().any(|id| id == district);
    for city in live.cities().iter().filter(|city| city.zones.iter().any(covers)) {
        let board = live.boards().now(city).await.map_err(failed)?;
        zones.extend(LiveZone::all(&board).filter(|zone| covers(zone.zone())));
    }
    Ok(zones)
}

/// A zone of a city: what the catalogue says of it, what came in, and what was made of it.
#[Object]
impl LiveZone {
    /// `live-zone/<cityId>/<zoneId>`, its parts percent-encoded.
    async fn id(&self) -> ID {
        global_id("live-zone", &[&self.board.city.id, &self.zone().id])
    }

    /// Its id, unique in its city.
    async fn zone_id(&self) -> &str {
        &self.zone().id
    }

    /// The `cityId` of its city.
    async fn city_id(&self) -> &str {
        &self.board.city.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.zone().name
    }

    /// Where weather, air and traffic are asked for.
    async fn centre(&self) -> Location {
        self.zone().centre.into()
    }

    /// Its outline as a GeoJSON geometry, a `MultiPolygon`; null where only its centre is known.
    async fn shape(&self) -> Option<Json> {
        multi_polygon(&self.zone().shape).map(|shape| Json::ready(shape.to_string().as_bytes()))
    }

    /// Its share of the city's power demand, relative to that of the other zones.
    async fn weight(&self) -> f64 {
        self.zone().weight
    }

    /// The ids of the twin's districts that it covers, as the catalogue says.
    async fn district_ids(&self) -> &[String] {
        &self.zone().districts
    }

    /// Those of them that the twin has.
    #[graphql(complexity = "1 + 5 * child_complexity")]
    async fn districts(&self, ctx: &Context<'_>) -> Result<Vec<District>> {
        let city = snapshot(ctx)?;
        Ok(self.zone().districts.iter().filter_map(|id| District::find(&city, id)).collect())
    }

    /// The latest value of each kind, as it came.
    async fn raw(&self) -> LiveRaw {
        LiveRaw { board: Arc::clone(&self.board), zone: Some(self.zone().id.clone()) }
    }

    /// What the last run made of them; null before the first.
    async fn processed(&self) -> Result<Option<LiveProcessed>> {
        let processed = self.board.processed().await.map_err(failed)?;
        Ok(processed.get(&self.zone().id).map(|zone| LiveProcessed(Arc::clone(zone))))
    }

    /// Its alerts, newest first.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in one of these states; `OPEN` and `ACKNOWLEDGED` where it is absent.")]
        status: Option<Vec<LiveAlertStatus>>,
        #[graphql(
            desc = "At most so many, from 0 to the server's `GRAPHQL_MAX_PAGE` (1000 unless set); 100 where it is \
            absent."
        )]
        first: Option<i32>,
    ) -> Result<Vec<LiveAlert>> {
        alerts(ctx, &self.board, Some(&self.zone().id), status, first).await
    }

    /// What the models say, the chosen one first.
    #[graphql(complexity = "1 + 3 * child_complexity")]
    async fn models(&self) -> Result<Vec<LiveModelOutput>> {
        let outputs = self.board.outputs().await.map_err(failed)?;
        Ok(outputs.get(&self.zone().id).into_iter().flatten().cloned().map(LiveModelOutput).collect())
    }

    /// What it was, for charts: as far back as the server keeps it.
    async fn history(
        &self,
        #[graphql(desc = "From this moment on.")] since: Option<DateTime>,
        #[graphql(desc = "The last so many hours, from 1 to 2160; 24 where both are absent. Not beside `since`.")]
        last_hours: Option<i32>,
    ) -> Result<LiveHistory> {
        let since = beginning(since, last_hours)?;
        Ok(LiveHistory { board: Arc::clone(&self.board), zone: Some(self.zone().id.clone()), since })
    }
}

/// A shape as a GeoJSON geometry (RFC 7946: longitude first); `None` for no shape.
fn multi_polygon(shape: &[Polygon]) -> Option<serde_json::Value> {
    let ring = |ring: &Vec<Position>| -> Vec<[f64; 2]> {
        ring.iter().map(|position| [position.longitude, position.latitude]).collect()
    };
    let polygon = |polygon: &Polygon| -> Vec<Vec<[f64; 2]>> {
        std::iter::once(&polygon.outer).chain(&polygon.holes).map(ring).collect()
    };
    let coordinates: Vec<_> = shape.iter().map(polygon).collect();
    (!coordinates.is_empty()).then(|| json!({"type": "MultiPolygon", "coordinates": coordinates}))
}
