//! Subscriptions: first what is, then what changes.

use std::sync::Arc;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::WatchStream;

use super::{entity::Bus, error::internal};
use crate::{
    ingest::Fold,
    twin::{entity::Entity, model::Kind},
};

/// What can be followed.
#[derive(Default)]
pub struct Subscription;

/// What can be followed.
#[Subscription]
impl Subscription {
    /// All buses, and again all of them whenever the city has changed.
    async fn bus_changes(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Vec<Bus>> + use<>> {
        let fold = ctx.data_opt::<Arc<Fold>>().ok_or_else(|| internal("the schema was given no city"))?;
        let fold = Arc::clone(fold);
        Ok(WatchStream::new(fold.revisions()).map(move |_| {
            let view = fold.view();
            let buses = view.entities(&[Kind::Bus]).filter_map(|entity| match entity {
                Entity::Bus(item) => Some(Bus::new(Arc::clone(&view), Arc::clone(item))),
                _ => None,
            });
            buses.collect()
        }))
    }
}
