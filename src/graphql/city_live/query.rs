//! City Live among the query roots.

use async_graphql::{Context, Object, Result};

use super::{
    args::page,
    city::LiveCity,
    feed::{LiveFeedConnection, LiveFeedItem, LiveTopic},
    source::{failed, live},
};
use crate::{
    city_live::{archive::FeedQuery, feed_page},
    graphql::{
        connection::list_cost,
        context::{DEFAULT_PAGE, max_page},
        error::bad_input,
        scalar::DateTime,
    },
};

/// City Live among the query roots.
#[derive(Default)]
pub struct CityLiveQueries;

/// City Live.
#[Object]
impl CityLiveQueries {
    /// The cities of City Live's catalogue, in its order. Errors of all fields of City Live: `CITY_LIVE_OFF` where this
    /// server runs without it, `CITY_LIVE_DOWN` where its archive does not answer.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn cities(&self, ctx: &Context<'_>) -> Result<Vec<LiveCity>> {
        let live = live(ctx)?;
        let selection = live.archive().selection().await.map_err(failed)?;
        let mut cities = Vec::new();
        for city in live.cities() {
            let board = live.boards().now(city).await.map_err(failed)?;
            cities.push(LiveCity::new(live, board, selection.clone()));
        }
        Ok(cities)
    }

    /// City Live's view of a city: its zones with their latest values, and what was made of them. Null where the
    /// catalogue has no such city, and where none is named and none was chosen yet.
    async fn city_live(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its `cityId`; the chosen city where it is absent.")] city_id: Option<String>,
    ) -> Result<Option<LiveCity>> {
        let live = live(ctx)?;
        let selection = live.archive().selection().await.map_err(failed)?;
        let id = city_id.as_deref().or(selection.as_ref().map(|selection| selection.city_id.as_str()));
        let Some(city) = id.and_then(|id| live.city(id)) else { return Ok(None) };
        let board = live.boards().now(city).await.map_err(failed)?;
        Ok(Some(LiveCity::new(live, board, selection)))
    }

    /// The messages as they came in, the newest first, in the order of taking in. Pages stay where they are while new
    /// messages come. Messages are kept for the time of retention.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn live_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of this city, by its `cityId`; of all where it is absent.")] city_id: Option<
            String,
        >,
        #[graphql(desc = "Only those of this topic.")] topic: Option<LiveTopic>,
        #[graphql(desc = "Only those of the zones of this `zoneId`.")] zone_id: Option<String>,
        #[graphql(desc = "Only those measured at this moment or after it.")] since: Option<DateTime>,
        #[graphql(
            desc = "The most messages of this page: from 0 to the server's `GRAPHQL_MAX_PAGE` (1000 unless set); \
            100 where it is absent."
        )]
        first: Option<i32>,
        #[graphql(desc = "A cursor of this list: the page begins behind it.")] after: Option<String>,
    ) -> Result<LiveFeedConnection> {
        let live = live(ctx)?;
        let limit = page("first", first, DEFAULT_PAGE as usize, max_page(ctx))?;
        let before = after.as_deref().map(cursor).transpose()?;
        let since = since.map(|since| since.0);
        let query = FeedQuery { city_id, topic: topic.map(Into::into), zone_id, since, before, after: None, limit };
        let page = feed_page::page(&**live.archive(), query).await.map_err(failed)?;
        let items = page.items.into_iter().map(LiveFeedItem).collect();
        Ok(LiveFeedConnection { items, more: page.more, behind: before.is_some() })
    }
}

fn cursor(after: &str) -> Result<i64> {
    feed_page::parse_cursor(after)
        .ok_or_else(|| bad_input("after", format!("{after:?}"), "a cursor that `liveFeed` gave"))
}
