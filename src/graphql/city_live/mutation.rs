//! What changes City Live.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::{
    alert::LiveAlert,
    city::LiveCity,
    source::{failed, int, live, not_done},
};
use crate::{
    city_live,
    graphql::{context::require_change, error::coded, scalar::DateTime},
    twin::json::cut,
};

/// What changes City Live.
#[derive(Default)]
pub struct CityLiveMutation;

/// A run of the processing.
#[derive(SimpleObject)]
pub struct ProcessRun {
    /// Names the run: zones have it as their `runId`.
    run_id: String,
    /// The `cityId` of its city.
    city_id: String,
    /// Whether it is done; false where it was not waited for.
    done: bool,
    /// When it was made; null where it is not done.
    processed_at: Option<DateTime>,
    /// How many zones it processed; null where it is not done.
    zones: Option<i32>,
}

impl From<city_live::Run> for ProcessRun {
    fn from(run: city_live::Run) -> Self {
        Self {
            run_id: run.run_id,
            city_id: run.city_id,
            done: run.done.is_some(),
            processed_at: run.done.as_ref().map(|done| DateTime(done.processed_at)),
            zones: run.done.as_ref().map(|done| int(done.zones)),
        }
    }
}

/// What changes City Live.
#[Object]
impl CityLiveMutation {
    /// Chooses the city that City Live looks at, for everybody; the choice stays when the server restarts. It answers at
    /// once; the data comes through Kafka, and `cityLiveChanged` tells when it is there. To choose the chosen city again
    /// asks for its data anew. Errors: `UNKNOWN_CITY`, `CITY_LIVE_OFF`, `CITY_LIVE_DOWN`, `UNAUTHENTICATED`, `FORBIDDEN`.
    async fn select_city(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `cityId`.")] city_id: String,
    ) -> Result<LiveCity> {
        require_change(ctx)?;
        let live = live(ctx)?;
        let selection = live.select(&city_id).await.map_err(|error| not_done(live, &error))?;
        let city = live.city(&selection.city_id).ok_or_else(|| coded("UNKNOWN_CITY", "the catalogue has changed"))?;
        let board = live.boards().now(city).await.map_err(failed)?;
        Ok(LiveCity::new(live, board, Some(selection)))
    }

    /// Makes forecasts, risks, advice and alerts of what the archive holds now, as the server does by itself every few
    /// minutes. It calls no API. Errors: `UNKNOWN_CITY` (also where none is named and none was chosen yet), `NOT_WRITER`
    /// where another instance runs City Live, `CITY_LIVE_OFF`, `CITY_LIVE_DOWN`, `UNAUTHENTICATED`, `FORBIDDEN`.
    async fn process_city(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `cityId`; the chosen city where it is absent.")] city_id: Option<String>,
        #[graphql(desc = "Whether to answer when the run is done; at once where it is absent or null.")] wait: Option<
            bool,
        >,
    ) -> Result<ProcessRun> {
        require_change(ctx)?;
        let live = live(ctx)?;
        let run = live.process(city_id.as_deref(), wait.unwrap_or(false)).await;
        Ok(run.map_err(|error| not_done(live, &error))?.into())
    }

    /// Notes that somebody has seen an alert. One that is acknowledged or cleared stays as it is. Errors: `UNKNOWN_ALERT`,
    /// `CITY_LIVE_OFF`, `CITY_LIVE_DOWN`, `UNAUTHENTICATED`, `FORBIDDEN`.
    async fn acknowledge_alert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `alertId`.")] alert_id: String,
    ) -> Result<LiveAlert> {
        require_change(ctx)?;
        let alert = live(ctx)?.acknowledge(&alert_id).await.map_err(failed)?;
        let unknown = || coded("UNKNOWN_ALERT", format!("there is no alert {:?}", cut(&alert_id, 80)));
        Ok(LiveAlert::from(&alert.ok_or_else(unknown)?))
    }
}
