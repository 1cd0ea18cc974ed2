//! Feeds as streams that work only when they are polled: a slow reader simply gets fewer, later, merged changes.

use std::{sync::Arc, time::Duration};

use async_stream::stream;
use futures_util::Stream;
use tokio::{sync::watch, time::Instant};

use super::{
    feed::{Batch, Feed},
    hub::Hub,
};
use crate::twin::{selection::Selection, view::View};

/// When a reader may look again: at once at first, then when the city has changed, at most once in an interval.
struct Pace {
    revisions: watch::Receiver<u64>,
    interval: Duration,
    due: Instant,
}

impl Pace {
    fn new(hub: &Hub, interval: Duration) -> Self {
        let mut revisions = hub.fold().revisions();
        revisions.mark_changed();
        Self { revisions, interval, due: Instant::now() }
    }

    /// Waits until there may be something new. `false` where there can be nothing any more.
    async fn wait(&mut self) -> bool {
        let open = self.revisions.changed().await.is_ok();
        // A timer takes a millisecond even where it is due.
        if self.due > Instant::now() {
            tokio::time::sleep_until(self.due).await;
        }
        open
    }

    /// The city as it is now. Changes that come while this looks are seen now, and waited for in vain at worst.
    fn look(&mut self, hub: &Hub) -> Arc<View> {
        self.revisions.mark_unchanged();
        hub.fold().view()
    }

    /// From now on the interval runs.
    fn gave(&mut self) {
        self.due = Instant::now() + self.interval;
    }
}

/// What is selected, and then what changes in it, at most once in an interval; zero is as soon as it changes. The pages
/// of what does not fit one batch follow each other without waiting.
pub fn changes(hub: Arc<Hub>, selection: Selection, interval: Duration) -> impl Stream<Item = Batch> + Send + use<> {
    stream! {
        let mut feed = Feed::new(selection);
        let mut pace = Pace::new(&hub, interval);
        let mut complete = true;
        while !complete || pace.wait().await {
            let Some(batch) = feed.next(&pace.look(&hub)) else { continue };
            if complete {
                pace.gave();
            }
            complete = batch.complete;
            hub.taken(&batch);
            yield batch;
        }
    }
}

/// The city as it is, and again whenever it has changed, at most once in an interval.
pub fn views(hub: Arc<Hub>, interval: Duration) -> impl Stream<Item = Arc<View>> + Send + use<> {
    stream! {
        let mut pace = Pace::new(&hub, interval);
        while pace.wait().await {
            let view = pace.look(&hub);
            pace.gave();
            yield view;
        }
    }
}
