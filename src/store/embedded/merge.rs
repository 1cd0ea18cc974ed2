//! Segments on their way into base rows, in steps short enough that no flush waits long.
//!
//! Until the last step has removed the segments, a load lays them over whatever steps have already written: it reads the
//! same before, between and after. So a step may be lost or repeated, and a merge is simply begun anew after a restart.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::{OptionalExtension, Transaction};

use super::{
    disk::{Disk, corrupt, put},
    lease::stored_token,
    segment,
};
use crate::store::StoreError;

/// Segments of this many bytes together are worth a merge: the more at once, the more rows were overwritten meanwhile
/// and need no writing. It bounds what a merge holds in memory, too.
const MERGE_BYTES: i64 = 32 << 20;

/// As many segments are merged however small they are: a load reads them all.
const MERGE_SEGMENTS: i64 = 64;

/// Rows that one step writes: some 10 ms.
const STEP_ROWS: usize = 2000;

/// How much stands in `segment`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unmerged {
    pub(super) segments: i64,
    pub(super) bytes: i64,
}

impl Unmerged {
    fn is_enough(self) -> bool {
        self.bytes >= MERGE_BYTES || self.segments >= MERGE_SEGMENTS
    }
}

/// A merge under way: it gathers segments, one a step, and then writes the newest value of each row, in their order.
pub(super) struct Merge {
    /// The writer's token: a process that has lost it must not write what it once read.
    token: u64,
    /// The last segment that was gathered.
    last: i64,
    gathered: Unmerged,
    /// Table and field -> value, the rows that are not written yet.
    rows: BTreeMap<(Bytes, Bytes), Option<Bytes>>,
    /// Whether everything is gathered.
    writing: bool,
}

impl Merge {
    /// Begins a merge if enough has come together.
    pub(super) fn due(token: u64, unmerged: Unmerged) -> Option<Self> {
        unmerged.is_enough().then(|| Self {
            token,
            last: 0,
            gathered: Unmerged::default(),
            rows: BTreeMap::new(),
            writing: false,
        })
    }

    fn step(&mut self, transaction: &Transaction<'_>) -> Result<Step, rusqlite::Error> {
        if stored_token(transaction)? != Some(self.token) {
            return Ok(Step::Void);
        }
        if self.writing { self.write(transaction) } else { self.gather(transaction) }
    }

    fn gather(&mut self, transaction: &Transaction<'_>) -> Result<Step, rusqlite::Error> {
        let mut next =
            transaction.prepare_cached("SELECT seq, body FROM segment WHERE seq > ?1 ORDER BY seq LIMIT 1")?;
        let found = next.query_row([self.last], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).optional()?;
        let Some((seq, body)) = found else {
            self.writing = true;
            return Ok(if self.gathered.segments == 0 { Step::Void } else { Step::More });
        };
        self.last = seq;
        self.gathered.segments += 1;
        self.gathered.bytes += body.len() as i64;
        segment::decode(Bytes::from(body), |entry| drop(self.rows.insert((entry.table, entry.field), entry.value)))
            .ok_or_else(corrupt)?;
        self.writing = self.gathered.is_enough();
        Ok(Step::More)
    }

    fn write(&mut self, transaction: &Transaction<'_>) -> Result<Step, rusqlite::Error> {
        let there = transaction
            .prepare_cached("SELECT 1 FROM segment WHERE seq = ?1")?
            .query_row([self.last], |_| Ok(()))
            .optional()?;
        if there.is_none() {
            return Ok(Step::Void);
        }
        for _ in 0..STEP_ROWS {
            let Some(((table, field), value)) = self.rows.pop_first() else {
                transaction.execute("DELETE FROM segment WHERE seq <= ?1", [self.last])?;
                return Ok(Step::Done);
            };
            let text = |bytes| std::str::from_utf8(bytes).map_err(|_| corrupt());
            put(transaction, text(&table)?, text(&field)?, value.as_deref())?;
        }
        Ok(Step::More)
    }
}

impl Disk {
    /// Does what is due between two jobs: a step, and more the further flushes run ahead, so that a writer who never
    /// pauses waits a little each time instead of filling the disk with segments.
    pub(super) fn merge_some(&mut self) {
        for _ in 0..(self.unmerged.bytes / MERGE_BYTES).clamp(1, 64) {
            self.merge_step();
        }
    }

    /// Does one step of the merge under way, if there is one; begins the next when it ends and enough is left.
    fn merge_step(&mut self) {
        let Some(mut merge) = self.merge.take() else { return };
        let step: Result<Step, StoreError> = self.write(|transaction| merge.step(transaction).map(Ok));
        match step {
            Ok(Step::More) => self.merge = Some(merge),
            Ok(Step::Done) => {
                self.unmerged.segments -= merge.gathered.segments;
                self.unmerged.bytes -= merge.gathered.bytes;
                self.merge = Merge::due(merge.token, self.unmerged);
            }
            Ok(Step::Void) => {}
            // The rows of this step are lost to the merge, but not to the segments: the next flush begins it anew.
            Err(error) => tracing::warn!(%error, "could not merge segments of the embedded store"),
        }
    }
}

/// What one step came to.
enum Step {
    More,
    Done,
    /// Another process writes now, or the segments were dropped.
    Void,
}
