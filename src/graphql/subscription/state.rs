//! The published chain.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, Subscription};
use futures_util::{Stream, StreamExt};

use super::start::{hub, running};
use crate::{
    graphql::scalar::{DateTime, Json},
    live::{self, FullReason},
};

/// The published chain among the subscriptions.
#[derive(Default)]
pub struct StateSubscription;

/// The published chain.
#[Subscription]
impl StateSubscription {
    /// Follows the chain of `state.full` and `state.incremental`, message by message. With `from`, the timestamp of a
    /// state that the subscriber has, it starts with the incrementals missed since then, if the server still holds
    /// them (ten minutes); else, and without `from`, with one whole state. Then comes each incremental when the broker
    /// has it.
    ///
    /// There is never a gap: each incremental leads on from the state before it (`previousTimestamp`). Where the server no
    /// longer holds what a slow subscriber needs next, or another writer begins a new chain, one whole state comes
    /// instead, with the `reason`.
    async fn state_delta(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `timestamp` of the state that the subscriber has; absent where it has none.")]
        from: Option<DateTime>,
    ) -> Result<impl Stream<Item = StateDelta> + use<>> {
        let chain = Arc::clone(hub(ctx)?.chain());
        let steps = live::state_deltas(chain, from.map(|from| from.0)).map(StateDelta);
        Ok(running(ctx, steps))
    }
}

/// Why a whole state comes.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "FullReason")]
pub enum FullStateReason {
    /// The subscriber named no state to start from.
    Start,
    /// `from` is no boundary of this epoch, or what followed it is no longer held.
    NotHeld,
    /// The subscriber was so slow that what follows its state is no longer held, or this instance missed some of it.
    FellBehind,
    /// Another writer began a new chain.
    NewEpoch,
}

/// One step of the published chain: either a whole state, which replaces what the subscriber has, or an incremental.
pub struct StateDelta(live::StateDelta);

/// One step of the published chain: either a whole state, which replaces what the subscriber has, or an incremental.
#[Object]
impl StateDelta {
    /// The epoch of the chain, a decimal number as in the header `epoch` of the topics.
    async fn epoch(&self) -> String {
        match &self.0 {
            live::StateDelta::Full { state, .. } => state.epoch.to_string(),
            live::StateDelta::Incremental { epoch, .. } => epoch.to_string(),
        }
    }

    /// The boundary whose state the subscriber has after this step.
    async fn timestamp(&self) -> DateTime {
        match &self.0 {
            live::StateDelta::Full { state, .. } => DateTime(state.timestamp),
            live::StateDelta::Incremental { incremental, .. } => DateTime(incremental.timestamp),
        }
    }

    /// Of an incremental: the boundary from which it leads on.
    async fn previous_timestamp(&self) -> Option<DateTime> {
        match &self.0 {
            live::StateDelta::Full { .. } => None,
            live::StateDelta::Incremental { incremental, .. } => Some(DateTime(incremental.previous)),
        }
    }

    /// The whole state, as in `state.full`; null in an incremental.
    async fn full(&self) -> Option<Json> {
        match &self.0 {
            live::StateDelta::Full { state, .. } => Some(Json::ready(&state.json)),
            live::StateDelta::Incremental { .. } => None,
        }
    }

    /// The message of `state.incremental`: `{cityId, timestamp, delta}`, where `delta` is of the npm library
    /// jsondiffpatch; null in a whole state.
    async fn incremental(&self) -> Option<Json> {
        match &self.0 {
            live::StateDelta::Full { .. } => None,
            live::StateDelta::Incremental { incremental, .. } => Some(Json::ready(&incremental.message)),
        }
    }

    /// Why a whole state comes; null in an incremental.
    async fn reason(&self) -> Option<FullStateReason> {
        match &self.0 {
            live::StateDelta::Full { reason, .. } => Some((*reason).into()),
            live::StateDelta::Incremental { .. } => None,
        }
    }
}
