//! The live map's subscription: entities of all kinds.

use async_graphql::{Context, Result, Subscription};
use futures_util::Stream;

use super::{batch::ChangeBatch, start::follow};
use crate::graphql::{entity::TwinEntity, filter::EntityFilter};

/// The live map's subscription.
#[derive(Default)]
pub struct TwinSubscription;

/// Entities of all kinds.
#[Subscription]
impl TwinSubscription {
    /// Follows whatever the filter chooses, as a live map does. First come batches with all that is chosen as `ENTERED`
    /// (`snapshot`), then, whenever something changes, a batch of what changed, at most once per `minIntervalMs`.
    ///
    /// Nothing is missed between the snapshot and the changes, nor later: after each batch with `complete`, the
    /// `ENTERED` and `UPDATED` entities without those that have `LEFT` are exactly what the city holds at that moment and
    /// the filter chooses. Changes are merged by entity: who reads slowly, or asks for an interval, gets fewer, later
    /// batches, in which a value that went there and back may be missing, but never a last value. A batch's `cursor`
    /// names its moment; it belongs to this instance of the server and to its epoch.
    async fn twin_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to follow; everything where it is absent.")] filter: Option<EntityFilter>,
        #[graphql(
            default,
            desc = "At least so many milliseconds lie between two batches, in [0, 60000]; 0 is as soon as something \
                changes. What changes meanwhile is merged."
        )]
        min_interval_ms: i32,
    ) -> Result<impl Stream<Item = ChangeBatch<TwinEntity>> + use<>> {
        let selection = filter.map(|filter| filter.selection()).transpose()?.unwrap_or_default();
        follow(ctx, selection, min_interval_ms)
    }
}
