//! The one document that says who writes, how far it got, and which city was chosen.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use mongodb::{
    bson::{Bson, Document, doc},
    options::ReturnDocument,
};

use super::link::{Link, STATE, unavailable};
use crate::city_live::archive::{ArchiveError, Lease, Result};

/// Its `_id`.
const RUNNER: &str = "runner";

/// What another's lease looked like, and since when it looks like that.
#[derive(Default)]
pub(super) struct Watched(Mutex<Option<(i64, i64, Instant)>>);

impl Watched {
    /// How long this token has had this beat, as far as we have seen.
    fn for_how_long(&self, token: i64, beat: i64) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((t, b, since)) if (t, b) == (token, beat) => since.elapsed(),
            _ => {
                *seen = Some((token, beat, Instant::now()));
                Duration::ZERO
            }
        }
    }
}

impl Link {
    /// The document, if it is there.
    pub(super) async fn state(&self) -> Result<Option<Document>> {
        self.find_one(STATE, doc! {"_id": RUNNER}).await
    }

    /// Changes the document where it fits the condition; what it then is. `None`: it does not fit.
    pub(super) async fn change_state(&self, condition: Document, update: Document) -> Result<Option<Document>> {
        let mut filter = doc! {"_id": RUNNER};
        filter.extend(condition);
        let state = self.database().await?.collection::<Document>(STATE);
        let changed = state.find_one_and_update(filter, update).return_document(ReturnDocument::After).await;
        changed.map_err(|error| unavailable(&error))
    }

    /// Makes the document where there is none.
    pub(super) async fn make_state(&self) -> Result<()> {
        let none = doc! {"_id": RUNNER, "token": 0_i64, "beat": 0_i64, "holder": Bson::Null, "revision": 0_i64,
        "selection": Bson::Null, "offsets": {}};
        self.add(STATE, vec![none]).await.map(drop)
    }

    /// Whether this token is the lease's.
    ///
    /// # Errors
    /// `Fenced`: it is not.
    pub(super) async fn check(&self, token: i64) -> Result<()> {
        match self.state().await? {
            Some(state) if number(&state, "token") == token => Ok(()),
            _ => Err(ArchiveError::Fenced),
        }
    }

    /// The last step of a write: under the token, what it changes in the document, and the next revision.
    ///
    /// # Errors
    /// `Fenced`: the token is no longer the lease's.
    pub(super) async fn seal(&self, token: i64, set: Document, revised: bool) -> Result<()> {
        let mut update = doc! {};
        if !set.is_empty() {
            update.insert("$set", set);
        }
        update.insert("$inc", doc! {"revision": i64::from(revised)});
        self.change_state(doc! {"token": token}, update).await?.map(drop).ok_or(ArchiveError::Fenced)
    }

    /// The next revision, whoever writes.
    pub(super) async fn revise(&self, set: Document) -> Result<()> {
        let mut update = doc! {"$inc": {"revision": 1_i64}};
        if !set.is_empty() {
            update.insert("$set", set);
        }
        if self.change_state(doc! {}, update.clone()).await?.is_none() {
            self.make_state().await?;
            self.change_state(doc! {}, update).await?;
        }
        Ok(())
    }

    /// Takes, renews or refuses the lease.
    pub(super) async fn lease(
        &self,
        watched: &Watched,
        holder: &str,
        ttl: Duration,
        ours: Option<i64>,
    ) -> Result<Lease> {
        if let Some(token) = ours {
            let renewed =
                self.change_state(doc! {"token": token, "holder": holder}, doc! {"$inc": {"beat": 1_i64}}).await?;
            return renewed.map(|_| Lease::Held { token }).ok_or(ArchiveError::Fenced);
        }
        let state = if let Some(state) = self.state().await? {
            state
        } else {
            self.make_state().await?;
            self.state().await?.unwrap_or_default()
        };
        let (token, beat) = (number(&state, "token"), number(&state, "beat"));
        let still = watched.for_how_long(token, beat);
        let free = state.get_str("holder").map_or(true, |theirs| theirs == holder || still >= ttl);
        if !free {
            return Ok(Lease::Other);
        }
        // Who claimed a token and died before the document said so leaves it claimed: each time to live that nothing moves makes
        // one more to be had.
        let times = still.as_millis() / ttl.as_millis().max(1);
        let next = token + 1 + i64::try_from(times).unwrap_or(0);
        if !self.claim(next, holder).await? {
            return Ok(Lease::Other);
        }
        let taken = self
            .change_state(
                doc! {"token": token, "beat": beat},
                doc! {"$set": {"holder": holder, "token": next}, "$inc": {"beat": 1_i64}},
            )
            .await?;
        Ok(taken.map_or(Lease::Other, |_| Lease::Held { token: next }))
    }

    /// Claims a token: of all who try, the one whose document is added first has it. A key that is unique holds also on
    /// servers whose `findAndModify` is not atomic (FerretDB 1.24: of eight who took the lease so, three got it).
    async fn claim(&self, token: i64, holder: &str) -> Result<bool> {
        let claim = doc! {"_id": format!("claim-{token}"), "token": token, "holder": holder};
        let added = self.add(STATE, vec![claim]).await?.is_empty();
        if added {
            // Claims of the past say nothing any more.
            self.delete(STATE, doc! {"_id": {"$ne": RUNNER}, "token": {"$lt": token - 100}}).await?;
        }
        Ok(added)
    }

    /// Gives the lease back, if it is still this one's.
    pub(super) async fn release(&self, holder: &str, token: i64) -> Result<()> {
        let condition = doc! {"token": token, "holder": holder};
        self.change_state(condition, doc! {"$set": {"holder": Bson::Null}}).await.map(drop)
    }
}

/// A whole number of the document's; 0 where it has none.
pub(super) fn number(document: &Document, field: &str) -> i64 {
    match document.get(field) {
        Some(Bson::Int64(number)) => *number,
        Some(Bson::Int32(number)) => i64::from(*number),
        Some(Bson::Double(number)) => *number as i64,
        _ => 0,
    }
}
