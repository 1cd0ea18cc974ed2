//! The latest changes in the order in which they came, for readers that ask what is new since a revision.

use std::{collections::VecDeque, sync::Arc};

use super::entity::Handle;

/// Changes of one segment: copied when a view still holds the segment that is being written.
const SEGMENT: usize = 1024;

/// The most segments kept: 4 million changes are 32 MiB, and some 13 minutes at 5,000 changes a second. A reader that
/// is further behind compares the whole city's revisions instead.
const SEGMENTS: usize = 4096;

/// One change: which entity, and which of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub handle: Handle,
    /// A bit for each field; all of them where it was created, removed or is another kind's.
    pub fields: u16,
}

/// The changes from some revision on. The change number `n` made the city's revision `n`.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The revision before the first change that is held.
    before: u64,
    full: Arc<VecDeque<Arc<[Entry]>>>,
    last: Arc<Vec<Entry>>,
}

impl History {
    pub(super) fn push(&mut self, entry: Entry) {
        Arc::make_mut(&mut self.last).push(entry);
        if self.last.len() == SEGMENT {
            let full = Arc::make_mut(&mut self.full);
            full.push_back(self.last.as_slice().into());
            self.last = Arc::new(Vec::with_capacity(SEGMENT));
            if full.len() > SEGMENTS {
                full.pop_front();
                self.before += SEGMENT as u64;
            }
        }
    }

    /// The changes after a revision, oldest first; `None` where they are no longer all held.
    pub fn since(&self, revision: u64) -> Option<impl Iterator<Item = Entry> + '_> {
        let skip = usize::try_from(revision.checked_sub(self.before)?).ok()?;
        let segments = self.full.iter().skip(skip / SEGMENT);
        let in_last = skip.saturating_sub(self.full.len() * SEGMENT).min(self.last.len());
        let in_full = if skip / SEGMENT < self.full.len() { skip % SEGMENT } else { 0 };
        let full = segments.flat_map(|segment| segment.iter().copied()).skip(in_full);
        Some(full.chain(self.last[in_last..].iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_any_revision() {
        let mut history = History::default();
        for n in 0..5000_u32 {
            history.push(Entry { handle: Handle(n), fields: 1 });
        }
        for revision in [0, 1, 1023, 1024, 1025, 3000, 4095, 4096, 4097, 4999, 5000] {
            let handles: Vec<_> = history.since(revision).unwrap().map(|entry| u64::from(entry.handle.0)).collect();
            assert_eq!(handles, (revision..5000).collect::<Vec<_>>(), "since {revision}");
        }
    }

    #[test]
    fn what_is_too_old_is_no_longer_held() {
        let mut history = History::default();
        let all = (SEGMENTS + 2) * SEGMENT;
        for n in 0..all {
            history.push(Entry { handle: Handle(n as u32), fields: 1 });
        }
        assert!(history.since(0).is_none());
        assert!(history.since(2 * SEGMENT as u64 - 1).is_none());
        assert_eq!(history.since(2 * SEGMENT as u64).unwrap().count(), SEGMENTS * SEGMENT);
        assert_eq!(history.since(all as u64 - 3).unwrap().count(), 3);
    }
}
