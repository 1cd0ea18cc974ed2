//! Feeds as streams that work only when they are polled: a slow reader simply gets fewer, later, merged changes.

use std::{sync::Arc, time::Duration};

use async_stream::stream;
use futures_util::Stream;
use tokio::time::Instant;

use super::{batch::Given, hub::Hub, lens::Mode, sessions::Seat};
use crate::twin::view::View;

/// The shortest time between two batches of cells: one counts much of the city.
const CELLS: Duration = Duration::from_secs(1);

/// What a subscription brings, at most once in an interval; zero is as soon as something changes. The pages of what does
/// not fit one batch follow each other without waiting, and so does what a move brings.
pub fn follow(hub: Arc<Hub>, seat: Seat, interval: Duration) -> impl Stream<Item = Given> + Send + use<> {
    stream! {
        let (mut due, mut complete) = (Instant::now(), true);
        while let Ok(found) = hub.look(&seat) {
            if let Some(given) = found {
                if complete {
                    let least = if given.batch.mode == Mode::Cells { CELLS } else { Duration::ZERO };
                    due = hub.due(due, interval.max(least));
                }
                complete = given.batch.complete;
                yield given;
            }
            if complete {
                hub.wait(&seat, due).await;
            }
        }
    }
}

/// The city as it is, and again whenever it has changed, at most once in an interval.
pub fn views(hub: Arc<Hub>, interval: Duration) -> impl Stream<Item = Arc<View>> + Send + use<> {
    stream! {
        let mut revisions = hub.fold().revisions();
        revisions.mark_changed();
        let mut due = Instant::now();
        while revisions.changed().await.is_ok() {
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            // Changes that come while this looks are seen now, and waited for in vain at worst.
            revisions.mark_unchanged();
            let view = hub.fold().view();
            due = Instant::now() + interval;
            yield view;
        }
    }
}
