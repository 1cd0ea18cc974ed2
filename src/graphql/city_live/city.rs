//! The cities of the catalogue.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};

use super::{
    alert::{LiveAlert, LiveAlertStatus, alerts},
    args::beginning,
    history::{LiveHistory, LiveSeries, Series},
    output::LiveModelOutput,
    raw::LiveRaw,
    source::{failed, int},
    zone::{LiveZone, global_id},
};
use crate::{
    city_live::{self, CityLive, archive::Selection, board::Board},
    graphql::scalar::DateTime,
};

/// How far City Live is with a city.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "city_live::Status")]
pub enum LiveStatus {
    /// Nothing of it was processed yet: the data is on its way.
    Loading,
    /// There is data, and it is young enough.
    Ready,
    /// There is data, but the last run is too long ago.
    Stale,
}

/// A city of the catalogue.
pub struct LiveCity {
    live: Arc<CityLive>,
    board: Arc<Board>,
    /// Present where it is the chosen city.
    selection: Option<Selection>,
}

impl LiveCity {
    /// A city; `selection` is what is chosen now, be it this one or another.
    pub fn new(live: &Arc<CityLive>, board: Arc<Board>, selection: Option<Selection>) -> Self {
        let selection = selection.filter(|selection| selection.city_id == board.city.id);
        Self { live: Arc::clone(live), board, selection }
    }
}

/// A city of the catalogue, and what City Live knows of it.
#[Object]
impl LiveCity {
    /// `live-city/<cityId>`, its part percent-encoded.
    async fn id(&self) -> ID {
        global_id("live-city", &[&self.board.city.id])
    }

    /// Its id, unique in the catalogue.
    async fn city_id(&self) -> &str {
        &self.board.city.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.board.city.name
    }

    /// Its time zone, an IANA name such as `America/New_York`: hours of the day are counted in it.
    async fn time_zone(&self) -> &str {
        &self.board.city.time_zone
    }

    /// EIA's code of the region whose power demand stands for its own, such as `NYIS`; null where it has none.
    async fn power_region(&self) -> Option<&str> {
        self.board.city.eia_region.as_deref()
    }

    /// Whether there is a source of its 311 calls.
    async fn has311(&self) -> bool {
        self.board.city.calls311.is_some()
    }

    /// Whether it is the chosen city.
    async fn chosen(&self) -> bool {
        self.selection.is_some()
    }

    /// How far City Live is with it.
    async fn status(&self) -> Result<LiveStatus> {
        let selected_at = self.selection.as_ref().map(|selection| selection.selected_at);
        let processed_at = self.board.processed_at().await.map_err(failed)?;
        Ok(self.live.status(selected_at, processed_at).into())
    }

    /// When it was chosen; null where it is not the chosen city.
    async fn selected_at(&self) -> Option<DateTime> {
        self.selection.as_ref().map(|selection| DateTime(selection.selected_at))
    }

    /// When its zones were last processed; null before the first run.
    async fn processed_at(&self) -> Result<Option<DateTime>> {
        Ok(self.board.processed_at().await.map_err(failed)?.map(DateTime))
    }

    /// How many zones it has.
    async fn zone_count(&self) -> i32 {
        int(self.board.city.zones.len())
    }

    /// Its zones, in the order of the catalogue.
    #[graphql(complexity = "1 + child_complexity * zone_ids.as_ref().map_or(100, Vec::len)")]
    async fn zones(
        &self,
        #[graphql(desc = "Only these, by their `zoneId`; all where it is absent. Unknown ones are left out.")]
        zone_ids: Option<Vec<String>>,
    ) -> Vec<LiveZone> {
        let wanted = |zone: &LiveZone| zone_ids.as_ref().is_none_or(|ids| ids.contains(&zone.zone().id));
        LiveZone::all(&self.board).filter(wanted).collect()
    }

    /// The zone of that id; null where there is none.
    async fn zone(&self, #[graphql(desc = "Its `zoneId`.")] zone_id: String) -> Option<LiveZone> {
        LiveZone::of(&self.board, &zone_id)
    }

    /// Latest values of the whole city: power demand, grid alerts, and the 311 calls that lie in no zone.
    async fn raw(&self) -> LiveRaw {
        LiveRaw { board: Arc::clone(&self.board), zone: None }
    }

    /// The alerts of its zones and its own, newest first.
    #[graphql(complexity = "1 + child_complexity * first.unwrap_or(100).max(0) as usize")]
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
        alerts(ctx, &self.board, None, status, first).await
    }

    /// What the models say of each of its zones, in the order of the zones, the chosen model first.
    #[graphql(complexity = "1 + 300 * child_complexity")]
    async fn models(&self) -> Result<Vec<LiveModelOutput>> {
        let outputs = self.board.outputs().await.map_err(failed)?;
        let zones = self.board.city.zones.iter().filter_map(|zone| outputs.get(&zone.id));
        Ok(zones.flatten().cloned().map(LiveModelOutput).collect())
    }

    /// What the whole city was (its power demand), for charts: as far back as the server keeps it.
    async fn history(
        &self,
        #[graphql(desc = "From this moment on.")] since: Option<DateTime>,
        #[graphql(desc = "The last so many hours, from 1 to 2160; 24 where both are absent. Not beside `since`.")]
        last_hours: Option<i32>,
    ) -> Result<LiveHistory> {
        Ok(LiveHistory { board: Arc::clone(&self.board), zone: None, since: beginning(since, last_hours)? })
    }

    /// One hourly feature of all its zones, to compare them: a series for each zone that has it, whose `name` is the
    /// `zoneId`, in the order of the catalogue.
    #[graphql(complexity = "10 + 100 * child_complexity")]
    async fn compare(
        &self,
        #[graphql(desc = "The feature's name, such as `temperature_c`.")] feature: String,
        #[graphql(desc = "From this moment on.")] since: Option<DateTime>,
        #[graphql(desc = "The last so many hours, from 1 to 2160; 24 where both are absent. Not beside `since`.")]
        last_hours: Option<i32>,
    ) -> Result<Vec<LiveSeries>> {
        let since = beginning(since, last_hours)?;
        let board = &self.board;
        let hours = board.archive().features(&board.city.id, None, since).await.map_err(failed)?;
        let mut series = Series::default();
        for hour in &hours {
            if let (Some(zone), Some(value)) = (&hour.zone_id, hour.values.get(&feature)) {
                series.add(zone, hour.hour, value);
            }
        }
        let mut series = series.into_list();
        let place = |id: &str| board.city.zones.iter().position(|zone| zone.id == id);
        series.retain(|series| place(&series.name).is_some());
        series.sort_by_key(|series| place(&series.name));
        Ok(series)
    }
}
