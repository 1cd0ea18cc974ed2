//! How subscriptions of City Live follow the archive.

use std::{sync::Arc, time::Duration};

use async_graphql::Result;
use async_stream::stream;
use futures_util::Stream;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::source::failed;
use crate::city_live::CityLive;

/// How long a subscription waits before it asks an archive again that did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// Something that is read again at each revision of the archive.
pub trait Follow: Send + 'static {
    /// What a subscriber is given.
    type Item: Send;

    /// How often it is read although nothing was written, where time alone changes it.
    const TICK: Option<Duration> = None;

    /// What is there (at first), or has changed since it was last read; `None`: nothing. `revision` was seen before: what it
    /// stands for is read now, and maybe more.
    fn read(&mut self, revision: i64) -> impl Future<Output = Result<Option<Self::Item>>> + Send;

    /// Whether there is more to read at once, for want of place in the last item.
    fn has_more(&self) -> bool {
        false
    }
}

/// First what is, then what changes, at least an interval apart. The revision is noted before the archive is read, so nothing is
/// missed between; nothing is read before the subscriber takes it, so a slow one gets what changed meanwhile in one item, and
/// nothing is kept for it. While the archive does not answer nothing comes.
///
/// # Errors
/// The first reading's.
pub async fn follow<F: Follow>(
    live: &Arc<CityLive>,
    interval: Duration,
    mut followed: F,
) -> Result<impl Stream<Item = F::Item> + use<F>> {
    let mut revisions = live.revisions();
    revisions.mark_unchanged();
    // Of its receiver the first value may be an old one.
    let revision = live.archive().revision().await.map_err(failed)?;
    let mut item = followed.read(revision).await?;
    Ok(stream! {
        loop {
            let due = Instant::now() + interval;
            if let Some(item) = item.take() {
                yield item;
            }
            if !followed.has_more() {
                let changed = revisions.changed();
                let ended = match F::TICK {
                    // A tick that is over is as good as a change.
                    Some(tick) => timeout(tick, changed).await.is_ok_and(|changed| changed.is_err()),
                    None => changed.await.is_err(),
                };
                if ended {
                    break;
                }
                sleep_until(due).await;
            }
            item = loop {
                let revision = *revisions.borrow_and_update();
                match followed.read(revision).await {
                    Ok(item) => break item,
                    Err(error) => {
                        tracing::debug!(error = error.message, "City Live's archive is asked again");
                        sleep(RETRY).await;
                    }
                }
            };
        }
    })
}
