//! The lease of the one writer: kept while it is held, given up when it is lost.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::store::{Lease, LeaseRequest, StoreError, TwinStore};

/// How the lease stands, as far as this instance knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Held under this token, when the store was last heard.
    Held { token: u64 },
    /// The store does not answer. That is no refusal: the writer goes on until it sees a higher epoch.
    Unheard { token: u64, since_ms: i64, message: String },
    /// The store holds no token any more: it was emptied.
    Emptied { token: u64 },
    /// In the hands of another, or given back.
    Lost,
}

impl LeaseState {
    /// Whether the writer may still send.
    pub fn is_writer(&self) -> bool {
        !matches!(self, Self::Lost)
    }

    /// The token that it stands under; `None` where it is lost.
    fn token(&self) -> Option<u64> {
        match self {
            Self::Held { token } | Self::Unheard { token, .. } | Self::Emptied { token } => Some(*token),
            Self::Lost => None,
        }
    }
}

/// Renews a lease until it is lost or given back.
pub struct LeaseKeeper {
    store: Arc<dyn TwinStore>,
    holder: String,
    state: watch::Sender<LeaseState>,
    task: JoinHandle<()>,
}

impl LeaseKeeper {
    /// Keeps a lease that was just taken under `token`. Renews three times in its life.
    pub fn start(store: Arc<dyn TwinStore>, holder: &str, address: &str, ttl: Duration, token: u64) -> Self {
        let (state, _) = watch::channel(LeaseState::Held { token });
        let task = tokio::spawn({
            let (store, state) = (Arc::clone(&store), state.clone());
            let (holder, address) = (holder.to_owned(), address.to_owned());
            async move { keep(&*store, &state, &holder, &address, ttl).await }
        });
        Self { store, holder: holder.to_owned(), state, task }
    }

    /// How the lease stands.
    pub fn state(&self) -> watch::Receiver<LeaseState> {
        self.state.subscribe()
    }

    /// A new token was taken under the same lease.
    pub fn renewed(&self, token: u64) {
        self.state.send_replace(LeaseState::Held { token });
    }

    /// A higher epoch was seen: another is the writer.
    pub fn lose(&self) {
        self.state.send_replace(LeaseState::Lost);
    }

    /// Gives the lease back, so that another can take it at once.
    pub async fn release(self) {
        self.task.abort();
        let Some(token) = self.state.borrow().token() else { return };
        self.state.send_replace(LeaseState::Lost);
        if let Err(error) = self.store.release(&self.holder, token).await {
            tracing::warn!(%error, "lease not given back, it will run out");
        }
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(store: &dyn TwinStore, state: &watch::Sender<LeaseState>, holder: &str, address: &str, ttl: Duration) {
    let mut turn = tokio::time::interval(ttl / 3);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    turn.tick().await;
    loop {
        turn.tick().await;
        let Some(token) = state.borrow().token() else { return };
        let request = LeaseRequest { holder, address, ttl, token: Some(token), above: 0 };
        let next = match store.lease(&request).await {
            Ok(Lease::Held { token }) => LeaseState::Held { token },
            Ok(Lease::Other { holder, .. }) => {
                tracing::warn!(holder, "the lease is in other hands");
                LeaseState::Lost
            }
            Ok(Lease::Free { .. }) | Err(StoreError::Emptied) => LeaseState::Emptied { token },
            Err(StoreError::Fenced { theirs, .. }) => {
                tracing::warn!(token = theirs, "a newer writer has taken the token");
                LeaseState::Lost
            }
            Err(error) => {
                let since_ms = match &*state.borrow() {
                    LeaseState::Unheard { since_ms, .. } => *since_ms,
                    _ => jiff::Timestamp::now().as_millisecond(),
                };
                LeaseState::Unheard { token, since_ms, message: error.to_string() }
            }
        };
        state.send_if_modified(|now| {
            // Lost is lost, whatever an answer that was under way says; where the next token was taken meanwhile, the
            // answer is about the one before it, and the store may well refuse that one. That the store is empty is said
            // until something was done about it: the next token may not have been taken at once.
            let said = *now == next && !matches!(next, LeaseState::Emptied { .. });
            if now.token() != Some(token) || said {
                return false;
            }
            *now = next;
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::embedded::EmbeddedStore;

    #[tokio::test]
    async fn an_emptied_store_is_told_until_something_was_done_about_it() {
        let folder = tempfile::tempdir().unwrap();
        // It has never held a token.
        let store = Arc::new(EmbeddedStore::open(folder.path(), "c"));
        let keeper = LeaseKeeper::start(store, "holder", "", Duration::from_millis(30), 7);
        let mut state = keeper.state();
        for _ in 0..3 {
            state.changed().await.unwrap();
            assert_eq!(*state.borrow_and_update(), LeaseState::Emptied { token: 7 });
        }
    }
}
