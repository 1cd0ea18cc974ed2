//! Feeds as streams that work only when they are polled: a slow reader simply gets fewer, later, merged changes.

use std::{sync::Arc, time::Duration};

use async_stream::stream;
use futures_util::Stream;
use tokio::{sync::watch, time::Instant};

use super::{
    batch::Batch,
    hub::Hub,
    lens::Mode,
    sessions::{Look, Seat},
};
use crate::twin::{selection::Selection, view::View};

/// The shortest time between two batches of cells: one counts much of the city.
const CELLS: Duration = Duration::from_secs(1);

/// When a reader may look again: when the city has changed, at most once in an interval.
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

    /// Changes that come from now on are waited for; those that come while the reader looks are at worst waited for in
    /// vain.
    fn looks(&mut self) {
        self.revisions.mark_unchanged();
    }

    /// From now on an interval runs, of so much at least.
    fn gave(&mut self, least: Duration) {
        self.due = Instant::now() + self.interval.max(least);
    }
}

/// What a subscription brings, at most once in an interval; zero is as soon as something changes. The pages of what does
/// not fit one batch follow each other without waiting, and so does what a move brings.
pub fn follow(hub: Arc<Hub>, seat: Seat, interval: Duration) -> impl Stream<Item = Batch> + Send + use<> {
    stream! {
        let mut pace = Pace::new(&hub, interval);
        let mut complete = true;
        loop {
            pace.looks();
            match hub.look(&seat) {
                Look::Batch(batch) => {
                    if complete {
                        pace.gave(if batch.mode == Mode::Cells { CELLS } else { Duration::ZERO });
                    }
                    complete = batch.complete;
                    yield batch;
                }
                Look::Nothing => {}
                Look::Over => return,
            }
            if complete {
                tokio::select! {
                    biased;
                    () = seat.steered() => {}
                    open = pace.wait() => if !open { return },
                }
            }
        }
    }
}

/// What is selected, and then what changes in it: a subscription that cannot be steered.
pub fn changes(hub: Arc<Hub>, selection: Selection, interval: Duration) -> impl Stream<Item = Batch> + Send + use<> {
    let seat = hub.subscribe_alone(selection);
    follow(hub, seat, interval)
}

/// The city as it is, and again whenever it has changed, at most once in an interval.
pub fn views(hub: Arc<Hub>, interval: Duration) -> impl Stream<Item = Arc<View>> + Send + use<> {
    stream! {
        let mut pace = Pace::new(&hub, interval);
        while pace.wait().await {
            pace.looks();
            let view = hub.fold().view();
            pace.gave(Duration::ZERO);
            yield view;
        }
    }
}
