//! The live city as the process shares it: one lock for those who write, views for those who read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::twin::{city::City, view::View};

/// A city that is being folded.
///
/// Writers hold the lock for a batch that is already decoded, so for some tens of microseconds; readers take it only
/// to make the view of a revision that nobody has asked for yet.
#[derive(Debug)]
pub struct Fold {
    city: Mutex<City>,
    /// The view that was made last.
    view: Mutex<Arc<View>>,
    /// The newest revision.
    revision: watch::Sender<u64>,
}

impl Fold {
    pub fn new(city: City) -> Arc<Self> {
        let view = Arc::new(city.view().clone());
        let (revision, _) = watch::channel(view.revision);
        Arc::new(Self { city: Mutex::new(city), view: Mutex::new(view), revision })
    }

    /// The city as it is now. Cheap: readers of one revision share one view.
    pub fn view(&self) -> Arc<View> {
        let mut view = lock(&self.view);
        if view.revision != *self.revision.borrow() {
            // Taken from the city itself, so it is never older than the revision that was announced.
            *view = Arc::new(lock(&self.city).view().clone());
        }
        Arc::clone(&view)
    }

    /// Does something to the city, and announces its new revision if that changed it.
    pub fn with<R>(&self, act: impl FnOnce(&mut City) -> R) -> R {
        let (result, revision) = {
            let mut city = lock(&self.city);
            let result = act(&mut city);
            (result, city.view().revision)
        };
        self.revision.send_if_modified(|last| {
            let newer = revision > *last;
            *last = revision.max(*last);
            newer
        });
        result
    }

    /// Tells when there is a newer revision.
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }
}

/// A lock whose holder panicked is taken all the same: no rule of the fold leaves a city half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
