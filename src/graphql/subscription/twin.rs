//! The live map's subscription: entities of all kinds.

use std::time::Duration;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt};

use super::{
    item::Item,
    start::{hub, interval, operation, running},
    twin_batch::TwinChanges,
};
use crate::{
    graphql::{caller::Caller, error::bad_input, express::express, filter::EntityFilter},
    live::{self, Cursor, Wish},
};

/// The live map's subscription.
#[derive(Default)]
pub struct TwinSubscription;

/// Entities of all kinds.
#[Subscription]
impl TwinSubscription {
    /// Follows whatever the filter chooses, as a live map does. First come batches with all that is chosen as `ENTERED`
    /// (`snapshot`), then, whenever something changes, a batch of what changed, at most once per `minIntervalMs`.
    ///
    /// Guaranteed: nothing is missed between the snapshot and the changes, nor later. After each batch with `complete`,
    /// the `ENTERED` and `UPDATED` entities without those that have `LEFT` are exactly what the city holds at that moment
    /// and the filter chooses. What moves into the box enters, what moves out of it or is removed leaves. Changes are
    /// merged by entity: who reads slowly, or asks for an interval, gets fewer, later batches, in which a value that went
    /// there and back may be missing, but never a last value. Who takes nothing at all for 30 seconds is cut off (a socket
    /// with 4008), and may come back.
    ///
    /// After a reconnect, `resumeFrom` goes on after the last batch that the client took, complete or not: there is no
    /// snapshot, and the batches up to `complete` bring exactly what differs between what the client held then and what is
    /// chosen now, also where the filter is another one. The server holds what that takes for 5 minutes, and 64 MiB for all
    /// clients (settings). Where it does not hold it, a snapshot comes, and its `reason` says why. A stream that is still
    /// open ends when another one goes on with its subscription.
    ///
    /// `moveViewport` changes the filter of the running subscription.
    async fn twin_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to follow; everything where it is absent.")] filter: Option<EntityFilter>,
        #[graphql(
            desc = "At least so many milliseconds lie between two batches, in [0, 60000]; 0, and where it is absent or \
                null, as soon as something changes. What changes meanwhile is merged. What a move brings comes at once."
        )]
        min_interval_ms: Option<i32>,
        #[graphql(desc = "The `cursor` of the last batch that the client took, to go on after it.")]
        resume_from: Option<String>,
        #[graphql(desc = "Whether changes bring a `patch`, and updates no `entity`; not where it is absent or null.")]
        compact: Option<bool>,
        #[graphql(
            desc = "The map's zoom, in [0, 24], for tiles of 512 pixels. Where it is given, more than 5,000 points \
            and movers in view (a setting; all kinds but EDGE, NODE and DISTRICT) come as cells, at least a second \
            apart, and as entities again from 90 % of that on down; roads are then thinned by class beyond 50,000."
        )]
        zoom: Option<f64>,
    ) -> Result<impl Stream<Item = Item<TwinChanges>> + use<>> {
        let selection = filter.map(|filter| filter.selection()).transpose()?.unwrap_or_default();
        let (hub, interval, level) = (hub(ctx)?, interval(min_interval_ms, Duration::ZERO)?, level(zoom)?);
        let resume = match &resume_from {
            Some(text) => Some(Cursor::parse(text).ok_or_else(|| {
                bad_input("resumeFrom", format!("{text:?}"), "the `cursor` of a batch of `twinChanges`")
            })?),
            None => None,
        };
        let socket = ctx.data_opt::<Caller>().and_then(|caller| caller.socket);
        let wish = Wish { selection, level, operation: operation(ctx, Some("resumeFrom")) };
        let seat = hub.subscribe(wish, resume, socket);
        let (batches, compact) = (live::follow(hub, seat, interval), compact.unwrap_or(false));
        Ok(express(ctx, running(ctx, batches.map(move |given| Item::new(given, compact)))))
    }
}

/// The level of the cells of a map's zoom.
///
/// # Errors
/// `BAD_USER_INPUT` outside of 0 to 24.
pub fn level(zoom: Option<f64>) -> Result<Option<u8>> {
    match zoom {
        Some(zoom) if !(0.0..=live::MAX_ZOOM).contains(&zoom) => {
            Err(bad_input("zoom", zoom, &format!("a map's zoom, in [0, {}]", live::MAX_ZOOM)))
        }
        zoom => Ok(zoom.map(live::level_of)),
    }
}
