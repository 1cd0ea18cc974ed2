//! Flushes: what is dirty goes to the store, with the offsets that it stands for, in one atomic step.

use std::{collections::HashMap, sync::Arc, time::Instant};

use crate::{
    ingest::{Fold, Rejects},
    kafka::Position,
    store::{Commit, Row, StoreError, TwinStore},
    telemetry::{self, FlushFailure},
    twin::{
        city::{Progress, Progresses},
        event::Topic,
        time::Time,
    },
};

use super::rows::{SCHEMA, all_rows, city_field, city_row, dirty_rows, json_text, offset_row};

/// Why a flush did not reach the store.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    /// Another instance has taken the token: nothing more is to be written.
    #[error("the lease is lost: {0}")]
    Fenced(StoreError),
    /// The store holds no token: it was emptied.
    #[error("the store was emptied")]
    Emptied,
    /// It may have been done or not; what was dirty is dirty again.
    #[error(transparent)]
    Unavailable(StoreError),
}

/// Writes what is dirty, under one token.
pub struct Flusher {
    store: Arc<dyn TwinStore>,
    fold: Arc<Fold>,
    rejects: Arc<Rejects>,
    city_id: String,
    cluster: String,
    token: u64,
    /// Counts imports and removals.
    model_version: u64,
    /// Offsets as the last acknowledged flush wrote them.
    stored: HashMap<(Topic, i32), (i64, Option<Time>)>,
    /// The boundary and the model version that the last acknowledged flush wrote.
    facts: Option<(Option<Time>, u64)>,
    /// Whether the next flush writes everything there is, in place of all that the store holds.
    everything: bool,
}

impl Flusher {
    /// `everything`: whether the first flush replaces all that the store holds.
    pub fn new(
        store: Arc<dyn TwinStore>,
        fold: Arc<Fold>,
        rejects: Arc<Rejects>,
        cluster: String,
        token: u64,
        model_version: u64,
        everything: bool,
    ) -> Self {
        let city_id = fold.view().city_id.to_string();
        let (stored, facts) = (HashMap::new(), None);
        Self { store, fold, rejects, city_id, cluster, token, model_version, stored, facts, everything }
    }

    /// Something changed that is not in the topics: the others are to load the model anew.
    pub fn model_changed(&mut self) {
        self.model_version += 1;
    }

    /// Goes on under another token; the store holds what it was given under the one before.
    pub fn go_on(&mut self, token: u64) {
        self.token = token;
    }

    /// Goes on under another token, and writes everything anew: the store was emptied.
    pub fn start_over(&mut self, token: u64) {
        self.token = token;
        self.everything = true;
        self.stored.clear();
        self.facts = None;
    }

    /// Writes what changed since the last acknowledged flush. `boundary` is the last acknowledged one.
    ///
    /// # Errors
    /// See [`FlushError`]; whatever it is, nothing is forgotten.
    pub async fn flush(&mut self, boundary: Option<Time>) -> Result<(), FlushError> {
        let start = Instant::now();
        let everything = self.everything;
        let (dirty, view, progress) = self.fold.with(|city| {
            let dirty = if everything { city.all_dirty() } else { city.take_dirty() };
            (dirty, city.view().clone(), city.progress().clone())
        });
        let mut rows = if everything { all_rows(&view) } else { dirty_rows(&dirty, &view) };
        if everything {
            // `all_rows` has the entities; what operators removed is only in the dirty set.
            let removals = crate::twin::change::Dirty { removals: dirty.removals.clone(), ..Default::default() };
            rows.extend(dirty_rows(&removals, &view));
        }
        let offsets = self.offsets(&progress);
        let facts = (boundary, self.model_version);
        if rows.is_empty() && offsets.is_empty() && !dirty.name && self.facts == Some(facts) && !everything {
            return Ok(());
        }
        let commit = Commit { rows, tail: self.tail(&offsets, facts, &view.name), replace: everything };
        match self.store.commit(self.token, &commit).await {
            Ok(()) => {
                self.everything = false;
                self.facts = Some(facts);
                self.stored.extend(offsets.iter().map(|(at, offset, p)| (*at, (*offset, p.newest))));
                let bytes: usize = commit.rows.iter().filter_map(|row| row.value.as_ref()).map(bytes::Bytes::len).sum();
                telemetry::flush_seconds().record(start.elapsed().as_secs_f64());
                telemetry::flush_rows().record(commit.rows.len() as f64);
                telemetry::flush_bytes().record(bytes as f64);
                Ok(())
            }
            Err(error) => {
                // It may have landed all the same: what it named is written again, with what it then is.
                self.fold.with(|city| city.restore_dirty(dirty));
                let (reason, error) = match error {
                    StoreError::Fenced { .. } => (FlushFailure::Fenced, FlushError::Fenced(error)),
                    StoreError::Emptied => (FlushFailure::Emptied, FlushError::Emptied),
                    StoreError::Foreign { .. } => (FlushFailure::Foreign, FlushError::Unavailable(error)),
                    StoreError::Unavailable { .. } | StoreError::Setting { .. } => {
                        (FlushFailure::Unavailable, FlushError::Unavailable(error))
                    }
                };
                telemetry::flush_failures(reason).increment(1);
                Err(error)
            }
        }
    }

    /// The partitions whose offset differs from the stored one, never past what `twin.dead-letter` has not acknowledged.
    fn offsets(&self, progress: &Progresses) -> Vec<((Topic, i32), i64, Progress)> {
        progress
            .iter()
            .map(|(at, progress)| (*at, self.rejects.safe_offset(at.0, at.1, progress.next), *progress))
            .filter(|(at, offset, progress)| self.stored.get(at) != Some(&(*offset, progress.newest)))
            .collect()
    }

    fn tail(
        &self,
        offsets: &[((Topic, i32), i64, Progress)],
        (boundary, model_version): (Option<Time>, u64),
        name: &str,
    ) -> Vec<Row> {
        let mut tail: Vec<Row> = offsets
            .iter()
            .map(|((topic, partition), offset, progress)| {
                offset_row(*topic, *partition, *offset, *progress, &self.cluster)
            })
            .collect();
        tail.push(city_row(city_field::SCHEMA, SCHEMA.into()));
        tail.push(city_row(city_field::ID, json_text(&self.city_id)));
        tail.push(city_row(city_field::NAME, json_text(name)));
        tail.push(city_row(city_field::MODEL_VERSION, model_version.to_string().into()));
        if let Some(boundary) = boundary {
            tail.push(city_row(city_field::BOUNDARY, json_text(&boundary.to_string())));
        }
        tail
    }

    /// Where the store holds each partition, for lag tools.
    pub fn stored_positions(&self) -> Vec<Position> {
        let position = |((topic, partition), (offset, _)): (&(Topic, i32), &(i64, Option<Time>))| {
            Position::new(topic.name(), *partition, *offset)
        };
        self.stored.iter().map(position).collect()
    }
}
