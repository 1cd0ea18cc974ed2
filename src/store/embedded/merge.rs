//! Segments on their way into base rows, in steps short enough that no flush waits long.
//!
//! Until the last step has removed the segments, a load lays them over whatever steps have already written: it reads the
//! same before, between and after. So a step may be lost or repeated, and a merge is simply begun anew after a restart.

use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::OptionalExtension;

use super::{
    disk::{Disk, corrupt, put, stored_token},
    segment::{self, Entry},
};
use crate::store::StoreError;

/// Segments of this many bytes together are worth a merge: the more at once, the more rows were overwritten meanwhile
/// and need no writing. It bounds what a merge holds in memory, too.
const MERGE_BYTES: i64 = 32 << 20;

/// As many segments are merged however small they are: a load reads them all.
const MERGE_SEGMENTS: i64 = 64;

/// Rows of one step.
const STEP_ROWS: usize = 2000;

/// A merge under way.
pub(super) struct Merge {
    /// The writer's token: a process that has lost it must not write what it once read.
    token: u64,
    /// The last segment that is merged.
    last: i64,
    /// The newest value of each row, sorted by table and field.
    entries: Vec<Entry>,
    /// How many of them are written.
    written: usize,
    /// Bytes of the segments.
    bytes: i64,
}

impl Merge {
    /// Begins a merge if enough has gathered.
    ///
    /// # Errors
    /// `Unavailable`, `Foreign`.
    pub(super) fn due(disk: &mut Disk, token: u64) -> Result<Option<Self>, StoreError> {
        let mut merge = None;
        disk.write(|transaction| {
            let (count, bytes): (i64, i64) = transaction.query_row(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM segment",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            if bytes < MERGE_BYTES && count < MERGE_SEGMENTS {
                return Ok(Ok(()));
            }
            let mut newest: HashMap<(Bytes, Bytes), Option<Bytes>> = HashMap::new();
            let (mut last, mut read) = (0, 0);
            let mut select = transaction.prepare_cached("SELECT seq, body FROM segment ORDER BY seq")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                last = row.get(0)?;
                let body = Bytes::from(row.get::<_, Vec<u8>>(1)?);
                read += body.len() as i64;
                let keep = |entry: Entry| drop(newest.insert((entry.table, entry.field), entry.value));
                segment::decode(body, keep).ok_or_else(corrupt)?;
                if read >= MERGE_BYTES {
                    break;
                }
            }
            let mut entries: Vec<Entry> =
                newest.into_iter().map(|((table, field), value)| Entry { table, field, value }).collect();
            entries.sort_unstable_by(|a, b| (&a.table, &a.field).cmp(&(&b.table, &b.field)));
            merge = Some(Self { token, last, entries, written: 0, bytes: read });
            Ok(Ok(()))
        })?;
        Ok(merge)
    }
}

impl Disk {
    /// Does what is due between two jobs: a step, and more the further flushes run ahead, so that a writer who never
    /// pauses waits a little each time instead of filling the disk with segments.
    pub(super) fn merge_some(&mut self) {
        for _ in 0..=(4 * self.unmerged / MERGE_BYTES).clamp(0, 64) {
            self.merge_step();
        }
    }

    /// Does one step of the merge under way, if there is one; begins the next when it ends and enough is left.
    fn merge_step(&mut self) {
        let Some(mut merge) = self.merge.take() else { return };
        match self.merged(&mut merge) {
            Ok(Step::More) => self.merge = Some(merge),
            Ok(Step::Done) => {
                self.unmerged -= merge.bytes;
                self.merge = Merge::due(self, merge.token).unwrap_or(None);
            }
            Ok(Step::Void) => {}
            // The next flush begins it anew.
            Err(error) => tracing::warn!(%error, "could not merge segments of the embedded store"),
        }
    }

    fn merged(&mut self, merge: &mut Merge) -> Result<Step, StoreError> {
        let step = self.write(|transaction| {
            let there = transaction
                .prepare_cached("SELECT 1 FROM segment WHERE seq = ?1")?
                .query_row([merge.last], |_| Ok(()))
                .optional()?;
            if there.is_none() || stored_token(transaction)? != Some(merge.token) {
                return Ok(Ok(Step::Void));
            }
            let end = (merge.written + STEP_ROWS).min(merge.entries.len());
            for Entry { table, field, value } in &merge.entries[merge.written..end] {
                let text = |bytes: &Bytes| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| corrupt());
                put(transaction, &text(table)?, &text(field)?, value.as_deref())?;
            }
            if end < merge.entries.len() {
                return Ok(Ok(Step::More));
            }
            transaction.execute("DELETE FROM segment WHERE seq <= ?1", [merge.last])?;
            Ok(Ok(Step::Done))
        })?;
        merge.written += STEP_ROWS;
        Ok(step)
    }
}

/// What one step came to.
enum Step {
    More,
    Done,
    /// Another process writes now, or the segments were dropped.
    Void,
}
