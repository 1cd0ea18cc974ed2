//! One subscriber of the twin.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use tokio::sync::OnceCell;

use super::{
    batch::{Batch, CellChange, Change, LeftReason, SnapshotReason},
    cells::{Counts, Grids, is_counted},
    index::Index,
    lens::{Importance, Lens, Mode},
    recent::Noted,
    share::{Stand, Step},
    undo::Undo,
};
use crate::twin::{
    change::Marks,
    entity::{Entity, Handle},
    model::Kind,
    selection::Selection,
    tile::Tile,
    view::View,
};

/// What bounds a feed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most changes of one batch, and the most cells.
    pub page: usize,
    /// With more points and movers in view than this, cells stand for them.
    pub cells_above: usize,
    /// With more roads in view than this, the less important ones are left out beside cells.
    pub roads_above: usize,
}

/// Back from cells to entities at this share of the limit, in percent: so that one who stands at it does not flicker.
const BACK_AT: usize = 90;

/// The city as feeds look at it: one moment for all who look at the same time.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub view: &'a Arc<View>,
    /// Of this very view.
    pub index: &'a Index,
    pub grids: &'a Grids,
}

impl<'a> Scene<'a> {
    /// Whether an entity may be shown to one who looks so; one of which that is not said is surely not.
    fn may_show(&self, lens: &Lens, handle: Handle) -> bool {
        self.index.may_stand(handle, &lens.area)
    }

    /// All entities that were selected, each once.
    fn selected(self, lens: &Lens) -> Vec<&'a Entity> {
        let (view, matches) = (self.view, |entity: &&Entity| lens.selection.matches(entity));
        match self.index.standing(&lens.area) {
            Some(handles) => handles.into_iter().filter_map(|handle| view.entity(handle)).filter(matches).collect(),
            None => view.entities(&lens.kinds()).filter(matches).collect(),
        }
    }
}

/// One subscriber of the twin: what it looks at, a revision, and a bit for each entity that its client has. Changes
/// are merged by entity until they are taken, so that it never holds more than the city does, however slow it is.
#[derive(Debug)]
pub struct Feed {
    lens: Lens,
    limits: Limits,
    /// All changes up to this are in `pending` or were given.
    revision: u64,
    /// Everything that its client has is at least as new as this revision.
    base: u64,
    /// What its client has by itself.
    held: Marks,
    /// How many of these are points and movers.
    held_points: usize,
    /// The cells that its client has.
    cells: Arc<BTreeMap<Tile, Arc<Counts>>>,
    /// What is to be looked at, with the fields that changed.
    pending: BTreeMap<Handle, u16>,
    /// Where the next page of what does not fit one begins, so that busy entities keep no others waiting.
    position: Handle,
    /// The revision of the oldest change in `pending`.
    oldest: Option<u64>,
    /// Whether `pending` must be found anew: it looks at something else, or its client has something else.
    astray: bool,
    /// Why it gives a snapshot, until its first batch has said so.
    reason: Option<SnapshotReason>,
    /// The number of the snapshot's last batch.
    snapshot_end: Option<u64>,
    /// Whether a client that lost a part of the snapshot may go on with the rest.
    snapshot_resumes: bool,
    is_complete: bool,
    viewport: i32,
    /// Where it stands among those who look at the same; `None` where nobody else can stand.
    stand: Option<Stand>,
    undo: Undo,
}

impl Feed {
    /// A subscriber whose client has nothing yet, and why.
    pub fn new(selection: Selection, level: Option<u8>, reason: SnapshotReason, limits: Limits) -> Self {
        Self {
            lens: Lens::new(selection, level),
            limits: Limits { page: limits.page.max(1), ..limits },
            revision: 0,
            base: 0,
            held: Marks::default(),
            held_points: 0,
            cells: Arc::default(),
            pending: BTreeMap::new(),
            position: Handle(0),
            oldest: None,
            astray: true,
            reason: Some(reason),
            snapshot_end: None,
            snapshot_resumes: reason == SnapshotReason::Start,
            is_complete: false,
            viewport: 0,
            stand: Some(Stand::Start(reason)),
            undo: Undo::default(),
        }
    }

    /// Looks at something else from now on. Gives the move's number; batches that know of it name it.
    pub fn look_at(&mut self, selection: Selection, level: Option<u8>) -> i32 {
        self.lens.turn(selection, level);
        self.viewport += 1;
        self.go_astray();
        self.viewport
    }

    /// Goes back to what its client had after a batch, and on from there with another selection; `false` where that is
    /// no longer held.
    pub fn resume(&mut self, after: u64, selection: Selection, level: Option<u8>) -> bool {
        let within_snapshot = self.snapshot_end.is_none_or(|end| after < end);
        if within_snapshot && !self.snapshot_resumes {
            // Its client still has to drop what this snapshot did not bring, and may have forgotten that.
            return false;
        }
        let Some((differs, base)) = self.undo.since(after) else { return false };
        let handles: Vec<_> = differs.iter().collect();
        self.held.toggle(handles.iter().copied());
        self.base = base;
        // Its client drops the cells it has: whether it had just these nobody knows.
        self.cells = Arc::default();
        self.undo.note(&handles, base);
        self.lens.turn(selection, level);
        self.reason = None;
        self.snapshot_end.get_or_insert(0);
        self.go_astray();
        true
    }

    /// From now on something else is to be given, and be it only the word that this is nothing.
    fn go_astray(&mut self) {
        self.astray = true;
        self.is_complete = false;
        self.stand = None;
    }

    /// All changes up to this were looked at.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Where it stands among those who look at the same; `None` where nobody else can stand.
    pub fn stand(&self) -> Option<Stand> {
        self.stand
    }

    /// What it looks at, and how.
    pub fn lens(&self) -> &Lens {
        &self.lens
    }

    /// How much memory it takes while nobody reads it.
    pub fn bytes(&self) -> usize {
        let pending = self.pending.len() * (size_of::<(Handle, u16)>() + size_of::<usize>());
        self.held.bytes() + pending + self.undo.bytes() + size_of::<Self>()
    }

    /// What the client does not know yet of the city as `scene` has it; at first everything selected, and at least one
    /// batch even where that is nothing. `None` where there is nothing to tell.
    ///
    /// Scenes must be of one city and never go back. After a batch that is not complete, the next call goes on with
    /// the rest.
    pub fn next(&mut self, scene: Scene<'_>) -> Option<(u64, Step)> {
        let (view, from) = (scene.view, self.stand);
        // What it holds stands where it looks, and so does what may come: anything else it may leave out.
        if !self.astray && !self.note_near(scene) && !self.note_history(scene) {
            self.note_revisions(scene);
        }
        self.revision = view.revision;
        let mut toggled = Vec::new();
        let mut seen = self.cells_in_view(scene);
        let selected = self.astray.then(|| scene.selected(&self.lens));
        let mode = self.choose_mode(scene, seen.as_ref(), selected.as_deref());
        if mode != self.lens.mode {
            self.lens.mode = mode;
            self.cells = Arc::default();
            self.go_astray();
            seen = self.cells_in_view(scene);
        }
        if self.astray {
            let selected = selected.unwrap_or_else(|| scene.selected(&self.lens));
            self.find(scene, &selected, &mut toggled);
        }
        let oldest = self.oldest.filter(|_| self.snapshot_end.is_some());
        let changes = self.take_page(view, &mut toggled);
        let (cells, all_cells) = self.take_cells(seen.unwrap_or_default());
        let was_complete = self.is_complete;
        self.is_complete = self.pending.is_empty() && all_cells;
        if self.is_complete {
            self.base = view.revision;
            self.oldest = None;
            self.position = Handle(0);
        }
        if changes.is_empty() && cells.is_empty() && was_complete {
            return None;
        }
        let batch = Batch {
            view: Arc::clone(view),
            changes,
            cells,
            mode,
            viewport: self.viewport,
            snapshot: self.snapshot_end.is_none(),
            reason: self.reason.take(),
            complete: self.is_complete,
            oldest,
            text: OnceCell::new(),
        };
        let to = if self.is_complete {
            Stand::Complete { revision: view.revision, mode, roads: self.lens.roads }
        } else {
            Stand::midway()
        };
        self.stand = Some(to).filter(|_| self.viewport == 0);
        let number = self.note_batch(&batch, &toggled);
        let step = Step {
            from,
            to,
            batch: Arc::new(batch),
            toggled,
            base: self.base,
            held_points: self.held_points,
            roads: self.lens.roads,
            cells: Arc::clone(&self.cells),
        };
        Some((number, step))
    }

    /// Takes a step that another feed has taken from where this one stands; gives the number of its batch.
    pub fn follow(&mut self, step: &Step) -> u64 {
        let batch = &step.batch;
        self.held.toggle(step.toggled.iter().copied());
        self.revision = batch.view.revision;
        self.base = step.base;
        self.held_points = step.held_points;
        self.cells = Arc::clone(&step.cells);
        (self.lens.mode, self.lens.roads) = (batch.mode, step.roads);
        self.pending.clear();
        self.oldest = None;
        self.is_complete = batch.complete;
        // What the other one still has to give is not known here, and found where it is not given to this one, too.
        self.astray = !batch.complete;
        self.reason = None;
        self.stand = Some(step.to);
        self.note_batch(batch, &step.toggled)
    }

    fn note_batch(&mut self, batch: &Batch, toggled: &[Handle]) -> u64 {
        let number = self.undo.note(toggled, self.base);
        if batch.snapshot && batch.complete {
            self.snapshot_end = Some(number);
        }
        number
    }

    /// Notes what changed where it looks since the last look, if that is known.
    fn note_near(&mut self, scene: Scene<'_>) -> bool {
        let area = self.lens.area.clone();
        let Some(changes) = scene.index.changes_since(self.revision, &area) else { return false };
        for Noted { handle, fields, number } in changes {
            self.note(scene, handle, fields, number);
        }
        true
    }

    /// Notes what the history has since the last look; `false` where it does not reach back.
    fn note_history(&mut self, scene: Scene<'_>) -> bool {
        let Some(entries) = scene.view.history.since(self.revision) else { return false };
        for (entry, number) in entries.zip(self.revision + 1..) {
            self.note(scene, entry.handle, entry.fields, number);
        }
        true
    }

    /// Notes everything that changed since the last look, by the revisions that entities carry.
    fn note_revisions(&mut self, scene: Scene<'_>) {
        for handle in (0..scene.view.handles()).map(Handle) {
            let Some(slot) = scene.view.slot(handle) else { continue };
            if slot.entity.revision().max(slot.gone) > self.revision {
                self.note(scene, handle, u16::MAX, self.revision + 1);
            }
        }
    }

    fn note(&mut self, scene: Scene<'_>, handle: Handle, fields: u16, number: u64) {
        let view = scene.view;
        // A road that came or went may let others in or out.
        self.astray |= self.lens.mode == Mode::Cells
            && fields == u16::MAX
            && view.slot(handle).is_some_and(|slot| slot.entity.kind() == Kind::Edge);
        // Most of what changes is nothing to this client, and the index alone can tell.
        let held = self.held.has(handle);
        if !held && !scene.may_show(&self.lens, handle) {
            return;
        }
        match self.pending.entry(handle) {
            Entry::Occupied(mut noted) => *noted.get_mut() |= fields,
            Entry::Vacant(vacant) => {
                // Its client has it, or should. The handle of a renaming is nobody's.
                if held || view.entity(handle).is_some_and(|entity| self.lens.shows(entity)) {
                    vacant.insert(fields);
                    // By area they come in no order.
                    self.oldest = Some(self.oldest.map_or(number, |oldest| oldest.min(number)));
                }
            }
        }
    }

    /// Goes on as if the history no longer reached back.
    #[cfg(test)]
    pub(super) fn without_history(&mut self, scene: Scene<'_>) {
        if !self.astray {
            self.note_revisions(scene);
            self.revision = scene.view.revision;
        }
    }

    /// Finds all that there is to be looked at: what the client has and should not, what it should have and has not, and
    /// what has changed since it is as it has it.
    fn find(&mut self, scene: Scene<'_>, selected: &[&Entity], toggled: &mut Vec<Handle>) {
        let view = scene.view;
        let is_point = |handle: &Handle| view.slot(*handle).is_some_and(|slot| is_counted(slot.entity.kind()));
        let points: Vec<_> = self.held.iter().filter(is_point).collect();
        self.held_points = points.len();
        if self.lens.mode == Mode::Cells {
            // Its client drops those by itself.
            points.iter().for_each(|handle| _ = self.held.unset(*handle));
            toggled.extend(points);
            self.held_points = 0;
            self.lens.roads = Importance::LEAST;
            let roads = selected.iter().copied().filter(|entity| entity.kind() == Kind::Edge);
            self.lens.roads = Importance::limit(roads, self.limits.roads_above);
        }
        if self.undo.newest() == 0 {
            // Before the first batch: whatever comes is at least this new.
            self.base = view.revision;
        }
        self.pending.clear();
        self.revision = self.base;
        if !self.note_history(scene) {
            self.note_revisions(scene);
        }
        let mut shown = Marks::default();
        for entity in selected.iter().filter(|entity| self.lens.shows_singly(entity)) {
            shown.set(entity.handle());
            if !self.held.has(entity.handle()) {
                self.pending.insert(entity.handle(), u16::MAX);
            }
        }
        for handle in self.held.iter().filter(|handle| !shown.has(*handle)) {
            self.pending.entry(handle).or_insert(u16::MAX);
        }
        self.revision = view.revision;
        self.astray = false;
        // What a move or a return brings is not late.
        self.oldest = None;
    }

    /// Cells or entities, by how many points and movers are in view.
    fn choose_mode(
        &self,
        scene: Scene<'_>,
        seen: Option<&BTreeMap<Tile, Arc<Counts>>>,
        selected: Option<&[&Entity]>,
    ) -> Mode {
        let most = self.limits.cells_above;
        if self.lens.level.is_none() {
            return Mode::Entities;
        }
        let points = match (seen, selected) {
            (Some(cells), _) => cells.values().map(|counts| counts.count() as usize).sum(),
            (None, Some(selected)) => selected.iter().filter(|entity| is_counted(entity.kind())).count(),
            (None, None) if self.held_points + self.pending.len() <= most => return Mode::Entities,
            (None, None) => self.points_after(scene.view),
        };
        let least = match self.lens.mode {
            Mode::Entities => most,
            Mode::Cells => most * BACK_AT / 100,
        };
        if points > least { Mode::Cells } else { Mode::Entities }
    }

    /// How many points and movers its client will have once it has taken all.
    fn points_after(&self, view: &View) -> usize {
        let counts = |handle: Handle| view.entity(handle).is_some_and(|entity| self.lens.counts(entity));
        let is_point = |handle: Handle| view.slot(handle).is_some_and(|slot| is_counted(slot.entity.kind()));
        let pending = || self.pending.keys().copied();
        let entering = pending().filter(|handle| !self.held.has(*handle) && counts(*handle)).count();
        let leaving =
            pending().filter(|handle| self.held.has(*handle) && is_point(*handle) && !counts(*handle)).count();
        self.held_points + entering - leaving
    }

    /// The cells of what is looked at; none where it is shown by entities.
    fn cells_in_view(&self, scene: Scene<'_>) -> Option<BTreeMap<Tile, Arc<Counts>>> {
        let level = self.lens.level.filter(|_| self.lens.mode == Mode::Cells)?;
        Some(scene.grids.cells(scene.view, &self.lens.selection, level))
    }

    fn take_page(&mut self, view: &View, toggled: &mut Vec<Handle>) -> Vec<Change> {
        let mut changes = Vec::with_capacity(self.pending.len().min(self.limits.page));
        while changes.len() < self.limits.page {
            let next = self.pending.range(self.position..).next().or_else(|| self.pending.first_key_value());
            let Some((&handle, &fields)) = next else { break };
            self.pending.remove(&handle);
            self.position = Handle(handle.0 + 1);
            let Some(change) = self.change(view, handle, fields) else { continue };
            match &change {
                Change::Updated { .. } => {}
                Change::Entered(entity) => {
                    self.held_points += usize::from(is_counted(entity.kind()));
                    toggled.push(handle);
                }
                Change::Left { last, .. } => {
                    self.held_points -= usize::from(is_counted(last.kind()));
                    toggled.push(handle);
                }
            }
            changes.push(change);
        }
        changes
    }

    /// What there is to tell of one entity.
    fn change(&mut self, view: &View, handle: Handle, fields: u16) -> Option<Change> {
        let slot = view.slot(handle)?;
        let entity = &slot.entity;
        if slot.gone == 0 && self.lens.shows(entity) {
            let entity = Entity::clone(entity);
            let entered = self.held.set(handle);
            return Some(if entered { Change::Entered(entity) } else { Change::Updated { entity, fields } });
        }
        let reason = if slot.gone == 0 { LeftReason::MovedOut } else { LeftReason::Removed };
        self.held.unset(handle).then(|| Change::Left { last: entity.clone(), reason })
    }

    /// The cells that differ from what the client has, and whether these are all of them.
    fn take_cells(&mut self, seen: BTreeMap<Tile, Arc<Counts>>) -> (Vec<CellChange>, bool) {
        let is_new = |(tile, counts): &(&Tile, &Arc<Counts>)| {
            self.cells.get(tile).is_none_or(|had| !Arc::ptr_eq(had, counts) && had != *counts)
        };
        let new = seen.iter().filter(is_new).map(|(tile, counts)| (*tile, Some(Arc::clone(counts))));
        let gone = self.cells.keys().filter(|tile| !seen.contains_key(tile)).map(|tile| (*tile, None));
        let mut all: Vec<_> = gone.chain(new).map(|(tile, counts)| CellChange { tile, counts }).collect();
        let fits = all.len() <= self.limits.page;
        all.truncate(self.limits.page);
        if fits {
            self.cells = Arc::new(seen);
        } else {
            let has = Arc::make_mut(&mut self.cells);
            for CellChange { tile, counts } in &all {
                match counts {
                    Some(counts) => has.insert(*tile, Arc::clone(counts)),
                    None => has.remove(tile),
                };
            }
        }
        (all, fits)
    }
}
