//! What a consumer of `state.full` and `state.incremental` does with each record, without any I/O.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::kafka::patch::{Difference, PatchError, difference, patch, reverse};

/// How many applied incrementals are kept, so that a full which they overtook can still be checked: the writer does not wait
/// for a full before it goes on, so this covers a full that is sixty-four intervals late.
const KEPT: usize = 64;

/// Which of the two topics a record is from.
#[allow(missing_docs)] // The variants are the topics' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateTopic {
    Full,
    Incremental,
}

/// A record of a state topic with the headers that make the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainRecord {
    /// `epoch`, where there is one that is a decimal number.
    pub epoch: Option<u64>,
    /// `previousTimestamp`; incrementals only.
    pub previous: Option<String>,
    /// The record's value.
    pub value: Vec<u8>,
}

/// What became of a record, or of one that had waited for it.
#[allow(missing_docs)] // The fields say what their names say: timestamps are of boundaries.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The incremental led from the held state to this timestamp.
    Applied { timestamp: String },
    /// Nothing to do: an older epoch, no epoch, or at or before the held state.
    Skipped { why: &'static str },
    /// An incremental starts at a state that is not held: the next full is needed.
    Gap { held: Option<String>, previous: String },
    /// The state was taken from a full.
    Reset { timestamp: String, epoch: u64 },
    /// The full equals what was built from the incrementals.
    Verified { timestamp: String },
    /// The full and what was built differ: first difference, *expected* being the full.
    Broken { timestamp: String, difference: Difference },
    /// An incremental does not fit the state that it names.
    Misfit { timestamp: String, error: PatchError },
    /// The value is not what the topic promises.
    Malformed { topic: StateTopic, reason: String },
}

impl Step {
    /// Whether the chain's promise was broken here.
    pub fn is_break(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Misfit { .. } | Self::Malformed { .. })
    }
}

/// Holds one city's state and takes it along the chain.
///
/// The two topics are read independently, so a full may come before the incremental that leads to it and the other way
/// round. At most one record of each topic then waits; [`Follower::wants`] says which topic may be read on, and that is all the
/// memory there is.
#[derive(Debug, Default)]
pub struct Follower {
    verify: bool,
    epoch: Option<u64>,
    state: Option<State>,
    /// A full ahead of the state: the incrementals that lead to it are still to come.
    full: Option<State>,
    /// An incremental that starts at a state not held: a full is needed.
    incremental: Option<Incremental>,
    /// With `verify`: the incrementals that led to the state, the last ones, oldest first.
    applied: VecDeque<Incremental>,
}

#[derive(Debug, Clone)]
struct State {
    timestamp: String,
    value: Value,
}

#[derive(Debug)]
struct Incremental {
    previous: String,
    timestamp: String,
    delta: Value,
}

#[derive(Deserialize)]
struct IncrementalValue<'a> {
    timestamp: String,
    #[serde(borrow)]
    delta: &'a RawValue,
}

impl Follower {
    /// A follower without a state. With `verify` each full is compared with what was built, and each old value that a
    /// delta names is checked; without, a full that is ahead is simply taken.
    pub fn new(verify: bool) -> Self {
        Self { verify, ..Self::default() }
    }

    /// The state held, as the JSON of `state.full`.
    pub fn state(&self) -> Option<&Value> {
        self.state.as_ref().map(|state| &state.value)
    }

    /// The timestamp of the state held.
    pub fn timestamp(&self) -> Option<&str> {
        self.state.as_ref().map(|state| state.timestamp.as_str())
    }

    /// The highest epoch seen.
    pub fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Whether records of this topic can be taken now; if not, offer some of the other topic first.
    pub fn wants(&self, topic: StateTopic) -> bool {
        match topic {
            StateTopic::Full => self.full.is_none(),
            StateTopic::Incremental => self.incremental.is_none(),
        }
    }

    /// Takes one record of a topic that is wanted, and tells what became of it and of those that had waited for it.
    pub fn offer(&mut self, topic: StateTopic, record: &ChainRecord) -> Vec<Step> {
        let Some(epoch) = record.epoch else { return vec![Step::Skipped { why: "no epoch" }] };
        let mut steps = Vec::new();
        match self.epoch {
            Some(seen) if epoch < seen => return vec![Step::Skipped { why: "older epoch" }],
            Some(seen) if epoch == seen => {}
            // A new writer begins a new chain with a full: what is held belongs to the old one.
            _ => {
                self.epoch = Some(epoch);
                (self.state, self.full, self.incremental) = (None, None, None);
                self.applied.clear();
            }
        }
        match topic {
            StateTopic::Full => match read_full(&record.value) {
                Ok(full) => self.full = Some(full),
                Err(reason) => return vec![Step::Malformed { topic, reason }],
            },
            StateTopic::Incremental => match self.read_incremental(record) {
                Ok(Some(incremental)) => self.incremental = Some(incremental),
                Ok(None) => return vec![Step::Skipped { why: "already held" }],
                Err(reason) => return vec![Step::Malformed { topic, reason }],
            },
        }
        self.settle(&mut steps, false);
        steps
    }

    /// Says that the incremental topic holds nothing more that was written before the waiting full: the incrementals that
    /// would lead to it are not there. The full is then taken as it is.
    pub fn incrementals_exhausted(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        self.settle(&mut steps, true);
        steps
    }

    /// Moves on as far as what waits allows.
    fn settle(&mut self, steps: &mut Vec<Step>, exhausted: bool) {
        loop {
            let before = steps.len();
            self.settle_incremental(steps);
            self.settle_full(steps, exhausted);
            if steps.len() == before {
                return;
            }
        }
    }

    fn settle_incremental(&mut self, steps: &mut Vec<Step>) {
        let (Some(state), Some(waiting)) = (&mut self.state, &self.incremental) else { return };
        if !is_after(&waiting.timestamp, &state.timestamp) {
            self.incremental = None;
            steps.push(Step::Skipped { why: "already held" });
            return;
        }
        if waiting.previous != state.timestamp {
            return;
        }
        let Some(incremental) = self.incremental.take() else { return };
        let timestamp = incremental.timestamp.clone();
        if let Err(error) = patch(&mut state.value, &incremental.delta, self.verify) {
            self.state = None;
            self.applied.clear();
            steps.push(Step::Misfit { timestamp, error });
            return;
        }
        state.timestamp.clone_from(&timestamp);
        if self.verify {
            self.applied.push_back(incremental);
            if self.applied.len() > KEPT {
                self.applied.pop_front();
            }
        }
        let inside = state.value.get("timestamp").and_then(Value::as_str).unwrap_or_default();
        if inside == timestamp {
            steps.push(Step::Applied { timestamp });
        } else {
            let difference = Difference {
                path: "$.timestamp".into(),
                expected: Some(timestamp.as_str().into()),
                found: Some(inside.into()),
            };
            steps.push(Step::Broken { timestamp, difference });
        }
    }

    fn settle_full(&mut self, steps: &mut Vec<Step>, exhausted: bool) {
        let Some(full) = &self.full else { return };
        if let Some(state) = &self.state {
            let ahead = is_after(&full.timestamp, &state.timestamp);
            let gap = self.incremental.as_ref().filter(|waiting| waiting.previous != state.timestamp);
            if ahead && self.verify && gap.is_none() && !exhausted {
                return;
            }
            if !ahead {
                if self.verify && full.timestamp != state.timestamp {
                    steps.push(self.check_overtaken());
                    self.full = None;
                    return;
                }
                let same_time = full.timestamp == state.timestamp;
                let found = if same_time && self.verify { difference(&full.value, &state.value) } else { None };
                let timestamp = full.timestamp.clone();
                steps.push(match found {
                    Some(difference) => Step::Broken { timestamp, difference },
                    None if same_time && self.verify => Step::Verified { timestamp },
                    None => Step::Skipped { why: "already held" },
                });
                if same_time {
                    self.state = self.full.take();
                }
                self.full = None;
                return;
            }
            if self.verify {
                steps.push(Step::Gap {
                    held: Some(state.timestamp.clone()),
                    previous: gap.map_or_else(|| full.timestamp.clone(), |waiting| waiting.previous.clone()),
                });
            }
        }
        self.state = self.full.take();
        self.applied.clear();
        if let (Some(state), Some(epoch)) = (&self.state, self.epoch) {
            steps.push(Step::Reset { timestamp: state.timestamp.clone(), epoch });
        }
    }

    /// Checks a full of a boundary that the state has gone past: back to it, compared, and forth again.
    fn check_overtaken(&mut self) -> Step {
        let skipped = Step::Skipped { why: "already held" };
        let (Some(full), Some(state)) = (&self.full, &mut self.state) else { return skipped };
        let Some(first) = self.applied.iter().position(|incremental| incremental.previous == full.timestamp) else {
            return skipped;
        };
        let timestamp = full.timestamp.clone();
        let past: Vec<&Incremental> = self.applied.range(first..).collect();
        let back = past.iter().rev().try_for_each(|past| patch(&mut state.value, &reverse(&past.delta), true));
        let found = back.map(|()| difference(&full.value, &state.value));
        let forth = past.iter().try_for_each(|past| patch(&mut state.value, &past.delta, true));
        match (found, forth) {
            (Ok(None), Ok(())) => Step::Verified { timestamp },
            (Ok(Some(difference)), Ok(())) => Step::Broken { timestamp, difference },
            (Err(error), _) | (_, Err(error)) => {
                self.state = None;
                Step::Misfit { timestamp, error }
            }
        }
    }

    fn read_incremental(&self, record: &ChainRecord) -> Result<Option<Incremental>, String> {
        let value: IncrementalValue<'_> = serde_json::from_slice(&record.value).map_err(|error| error.to_string())?;
        let previous = record.previous.clone().ok_or("no header previousTimestamp")?;
        // Most records of a long topic are skipped at the start: their deltas are not parsed.
        if self.state.as_ref().is_some_and(|state| !is_after(&value.timestamp, &state.timestamp)) {
            return Ok(None);
        }
        let delta = serde_json::from_str(value.delta.get()).map_err(|error| error.to_string())?;
        Ok(Some(Incremental { previous, timestamp: value.timestamp, delta }))
    }
}

fn read_full(bytes: &[u8]) -> Result<State, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match value.get("timestamp").and_then(Value::as_str) {
        Some(timestamp) => Ok(State { timestamp: timestamp.to_owned(), value }),
        None => Err("no timestamp".into()),
    }
}

/// Whether one boundary comes after another. Timestamps have one form (UTC, milliseconds), so their text is in the order of
/// time; the length comes first for years past 9999.
fn is_after(a: &str, b: &str) -> bool {
    (a.len(), a) > (b.len(), b)
}

#[cfg(test)]
mod tests;
