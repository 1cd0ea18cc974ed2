//! City Live among the subscriptions: what each of them reads at a revision is in [`super::changes`].

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_graphql::{Context, Result, Subscription};
use futures_util::Stream;

use super::{
    args::page,
    changes::{AlertChanges, CityChanges, FeedChanges, LiveAlertBatch, LiveFeedBatch, LiveZoneBatch, ZoneChanges},
    city::LiveCity,
    feed::LiveTopic,
    follow::follow,
    source::{Watched, live},
};
use crate::{
    city_live::archive::FeedQuery,
    graphql::subscription::{interval, running},
};

/// The most messages that `liveFeed` begins with, and those where nobody says.
const MOST_LAST: i32 = 1000;
const USUAL_LAST: usize = 50;

/// City Live among the subscriptions.
#[derive(Default)]
pub struct CityLiveSubscription;

/// City Live. Without a `cityId` a subscription follows the choice: when another city is chosen, it goes on with that one.
#[Subscription]
impl CityLiveSubscription {
    /// Follows how far City Live is with a city: first as it is, then again whenever its `status`, `selectedAt`,
    /// `processedAt` or `chosen` has changed. So a page sees `LOADING`, and then the data. Where no city is named and none
    /// was chosen yet, it waits for that.
    #[graphql(complexity = "1 + child_complexity")]
    async fn city_live_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `cityId` of the city; the chosen city, whichever it is, where it is absent.")]
        city_id: Option<String>,
        #[graphql(
            desc = "Whether it comes as well whenever a latest value (`raw`) of the city or of one of its zones has \
            changed; not where it is absent or null."
        )]
        inputs: Option<bool>,
        #[graphql(
            desc = "At least so many milliseconds lie between two of them, in [0, 60000]; 0, and where it is absent \
            or null, as soon as something changes."
        )]
        min_interval_ms: Option<i32>,
    ) -> Result<impl Stream<Item = LiveCity> + use<>> {
        let (live, interval) = (live(ctx)?, interval(min_interval_ms, Duration::ZERO)?);
        let changes = CityChanges::new(Watched::new(live, city_id)?, inputs.unwrap_or(false));
        Ok(running(ctx, follow(live, interval, changes).await?))
    }

    /// Follows the feed: first the newest messages that there are, then each new message, once and in the order of taking
    /// in. Who reads slowly is given up to 500 messages in a batch.
    #[graphql(complexity = "1 + child_complexity")]
    async fn live_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of this city, by its `cityId`; of all where it is absent.")] city_id: Option<
            String,
        >,
        #[graphql(desc = "Only those of this topic.")] topic: Option<LiveTopic>,
        #[graphql(desc = "Only those of the zones of this `zoneId`.")] zone_id: Option<String>,
        #[graphql(desc = "The most messages of the beginning, from 0 to 1000; 50 where it is absent.")] last: Option<
            i32,
        >,
        #[graphql(
            desc = "At least so many milliseconds lie between two batches, in [0, 60000]; 0, and where it is absent \
            or null, as soon as something comes. What does not fit one batch follows at once."
        )]
        min_interval_ms: Option<i32>,
    ) -> Result<impl Stream<Item = LiveFeedBatch> + use<>> {
        let (live, interval) = (live(ctx)?, interval(min_interval_ms, Duration::ZERO)?);
        let limit = page("last", last, USUAL_LAST, MOST_LAST)?;
        let query = FeedQuery { city_id, topic: topic.map(Into::into), zone_id, limit, ..FeedQuery::default() };
        let changes = FeedChanges::new(Arc::clone(live.archive()), query);
        Ok(running(ctx, follow(live, interval, changes).await?))
    }

    /// Follows what is made of the zones of a city: first all that were processed, then those that a run made anew. What the
    /// client holds after a batch is exactly what the archive held at that moment. Where no city is named and none was
    /// chosen yet, it waits for that.
    #[graphql(complexity = "1 + child_complexity")]
    async fn zone_processed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `cityId` of the city; the chosen city, whichever it is, where it is absent.")]
        city_id: Option<String>,
        #[graphql(desc = "Only these zones, by their `zoneId`; all where it is absent.")] zone_ids: Option<Vec<String>>,
        #[graphql(
            desc = "At least so many milliseconds lie between two batches, in [0, 60000]; 0, and where it is absent \
            or null, as soon as a run is done."
        )]
        min_interval_ms: Option<i32>,
    ) -> Result<impl Stream<Item = LiveZoneBatch> + use<>> {
        let (live, interval) = (live(ctx)?, interval(min_interval_ms, Duration::ZERO)?);
        let zones = zone_ids.map(|ids| ids.into_iter().collect::<HashSet<_>>());
        let changes = ZoneChanges::new(Watched::new(live, city_id)?, zones);
        Ok(running(ctx, follow(live, interval, changes).await?))
    }

    /// Follows the alerts of a city: first all that are not cleared, then each that is raised, changes, is acknowledged or
    /// cleared. What the client holds after a batch, without what is `CLEARED`, is exactly what the archive held at that
    /// moment. Where no city is named and none was chosen yet, it waits for that.
    #[graphql(complexity = "1 + child_complexity")]
    async fn alert_raised(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `cityId` of the city; the chosen city, whichever it is, where it is absent.")]
        city_id: Option<String>,
        #[graphql(desc = "Only those of the zone of this `zoneId`; all where it is absent.")] zone_id: Option<String>,
        #[graphql(
            desc = "At least so many milliseconds lie between two batches, in [0, 60000]; 0, and where it is absent \
            or null, as soon as something changes."
        )]
        min_interval_ms: Option<i32>,
    ) -> Result<impl Stream<Item = LiveAlertBatch> + use<>> {
        let (live, interval) = (live(ctx)?, interval(min_interval_ms, Duration::ZERO)?);
        let changes = AlertChanges::new(Watched::new(live, city_id)?, zone_id);
        Ok(running(ctx, follow(live, interval, changes).await?))
    }
}
