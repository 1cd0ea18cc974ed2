//! One subscriber of the twin.

use std::{collections::BTreeMap, sync::Arc};

use crate::twin::{
    change::Marks,
    entity::{Entity, Handle},
    model::Kind,
    selection::Selection,
    view::View,
};

/// The most changes of one batch: some hundred kilobytes of JSON, so that one subscriber of a whole city neither holds
/// much memory at once nor keeps its socket from other operations for long.
pub const PAGE: usize = 1000;

/// What a subscriber is told of one entity.
#[derive(Clone, Debug)]
pub enum Change {
    /// It came into the selection: it was created, or moved or changed into it. Each one of a snapshot is such.
    Entered(Entity),
    /// It is in the selection, as it was, and changed. `fields` has a bit for each field of
    /// [`Entity::field_names`] that may differ from what the client holds; none that differs is left out.
    Updated { entity: Entity, fields: u16 },
    /// It is no longer in the selection; its last value.
    Left { last: Entity, reason: LeftReason },
}

/// Why an entity left a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftReason {
    /// It is still there, but no longer what was selected.
    MovedOut,
    /// It is gone.
    Removed,
}

impl Change {
    /// The present value of the entity, or the last one where it left.
    pub fn entity(&self) -> &Entity {
        match self {
            Self::Entered(entity) | Self::Updated { entity, .. } | Self::Left { last: entity, .. } => entity,
        }
    }

    /// Top-level names of `state.full` that an update may have changed; none where it is no update.
    pub fn changed_fields(&self) -> impl Iterator<Item = &'static str> + '_ {
        let (names, fields) = match self {
            Self::Updated { entity, fields } => (entity.field_names(), *fields),
            Self::Entered(_) | Self::Left { .. } => (&[][..], 0),
        };
        names.iter().enumerate().filter(move |(i, _)| fields & (1 << i) != 0).map(|(_, name)| *name)
    }
}

/// Changes of one moment.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The moment: all values stand in it.
    pub view: Arc<View>,
    /// At most [`PAGE`], no two of one entity.
    pub changes: Vec<Change>,
    /// Whether it belongs to what there was at the beginning.
    pub snapshot: bool,
    /// Whether the client now holds exactly what is selected in `view`. Where it is not, the rest follows.
    pub complete: bool,
    /// The revision of the last moment that the client held completely; 0 before there is one.
    pub revision: u64,
    /// The revision of the oldest change that it brings; `None` in a snapshot.
    pub oldest: Option<u64>,
}

/// One subscriber of the twin: what it looks at, a revision, and a bit for each entity that its client has. Changes
/// are merged by entity until they are taken, so that it never holds more than the city does, however slow it is.
#[derive(Debug)]
pub struct Feed {
    selection: Selection,
    /// The most changes of one batch.
    page: usize,
    /// All changes up to this are in `pending` or were given; `None` before the first call.
    revision: Option<u64>,
    /// The revision of the last complete batch.
    complete: u64,
    /// What its client has.
    held: Marks,
    /// What is to be looked at, with the fields that changed.
    pending: BTreeMap<Handle, u16>,
    /// Where the next page of what does not fit one begins, so that busy entities keep no others waiting.
    position: Handle,
    /// The revision of the oldest change in `pending`.
    oldest: Option<u64>,
    /// Whether all that there was at the beginning was given.
    snapshot_done: bool,
    /// Whether the last batch was complete.
    is_complete: bool,
}

impl Feed {
    /// A subscriber whose client has nothing yet.
    pub fn new(selection: Selection) -> Self {
        Self::with_page(selection, PAGE)
    }

    pub(super) fn with_page(selection: Selection, page: usize) -> Self {
        Self {
            selection,
            page: page.max(1),
            revision: None,
            complete: 0,
            held: Marks::default(),
            pending: BTreeMap::new(),
            position: Handle(0),
            oldest: None,
            snapshot_done: false,
            is_complete: false,
        }
    }

    /// What the client does not know yet of the city as `view` has it; at first everything selected, and at least one
    /// batch even where that is nothing. `None` where there is nothing to tell.
    ///
    /// Views must be of one city and never go back. After a batch that is not complete, the next call goes on with
    /// the rest.
    pub fn next(&mut self, view: &Arc<View>) -> Option<Batch> {
        match self.revision {
            None => self.note_all(view),
            Some(revision) => {
                if !self.note_history(revision, view) {
                    self.note_revisions(revision, view);
                }
            }
        }
        self.revision = Some(view.revision);
        let oldest = self.oldest.filter(|_| self.snapshot_done);
        let changes = self.take_page(view);
        let (was_complete, complete) = (self.is_complete, self.pending.is_empty());
        if complete {
            self.complete = view.revision;
            self.oldest = None;
            self.position = Handle(0);
        }
        if changes.is_empty() && was_complete {
            return None;
        }
        let snapshot = !self.snapshot_done;
        self.snapshot_done |= complete;
        self.is_complete = complete;
        Some(Batch { view: Arc::clone(view), changes, snapshot, complete, revision: self.complete, oldest })
    }

    /// Notes everything selected.
    fn note_all(&mut self, view: &View) {
        let kinds = kinds(&self.selection);
        let all = view.entities(&kinds).filter(|entity| self.selection.matches(entity));
        self.pending = all.map(|entity| (entity.handle(), u16::MAX)).collect();
    }

    /// Notes what the history has since a revision; `false` where it does not reach back.
    fn note_history(&mut self, revision: u64, view: &View) -> bool {
        let Some(entries) = view.history.since(revision) else { return false };
        for (entry, number) in entries.zip(revision + 1..) {
            if let Some(fields) = self.pending.get_mut(&entry.handle) {
                *fields |= entry.fields;
            } else if self.concerns(view, entry.handle) {
                self.pending.insert(entry.handle, entry.fields);
                self.oldest.get_or_insert(number);
            }
        }
        true
    }

    /// Notes everything that changed since a revision, by the revisions that entities carry.
    fn note_revisions(&mut self, revision: u64, view: &View) {
        for handle in (0..view.handles()).map(Handle) {
            let Some(slot) = view.slot(handle) else { continue };
            if slot.entity.revision().max(slot.gone) > revision && self.concerns(view, handle) {
                self.pending.insert(handle, u16::MAX);
                self.oldest.get_or_insert(revision + 1);
            }
        }
    }

    /// Goes on as if the history no longer reached back.
    #[cfg(test)]
    pub(super) fn without_history(&mut self, view: &View) {
        if let Some(revision) = self.revision.replace(view.revision) {
            self.note_revisions(revision, view);
        }
    }

    /// Whether the client has it, or should. The handle of a renaming is nobody's.
    fn concerns(&self, view: &View, handle: Handle) -> bool {
        self.held.has(handle) || view.entity(handle).is_some_and(|entity| self.selection.matches(entity))
    }

    fn take_page(&mut self, view: &View) -> Vec<Change> {
        let mut changes = Vec::with_capacity(self.pending.len().min(self.page));
        while changes.len() < self.page {
            let next = self.pending.range(self.position..).next().or_else(|| self.pending.first_key_value());
            let Some((&handle, &fields)) = next else { break };
            self.pending.remove(&handle);
            self.position = Handle(handle.0 + 1);
            changes.extend(self.change(view, handle, fields));
        }
        changes
    }

    /// What there is to tell of one entity.
    fn change(&mut self, view: &View, handle: Handle, fields: u16) -> Option<Change> {
        let slot = view.slot(handle)?;
        let entity = &slot.entity;
        if slot.gone == 0 && self.selection.matches(entity) {
            let entity = entity.clone();
            let entered = self.held.set(handle);
            return Some(if entered { Change::Entered(entity) } else { Change::Updated { entity, fields } });
        }
        let reason = if slot.gone == 0 { LeftReason::MovedOut } else { LeftReason::Removed };
        self.held.unset(handle).then(|| Change::Left { last: entity.clone(), reason })
    }
}

/// The kinds that a selection can match, for a snapshot that need not look at all others.
fn kinds(selection: &Selection) -> Vec<Kind> {
    let wanted = |kind: &Kind| selection.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
    Kind::ALL.into_iter().filter(wanted).collect()
}
