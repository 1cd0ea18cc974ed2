//! The live city: one writer applies events to it, readers take views of it.

use std::{
    collections::{BTreeSet, HashMap},
    hash::BuildHasher,
    sync::Arc,
};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{
    change::{ChangeSet, Dirty, Marks, RowKey},
    entity::{Entity, Handle, Variant, global_id},
    event::{Body, Event, Topic},
    history,
    model::{Building, Bus, District, Edge, Incident, IncidentStatus, Kind, Sensor, Station, Unit, WeatherStation},
    reject::{Code, Reject},
    rules,
    time::Time,
    view::{Slot, View},
};

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It changed something.
    Applied,
    /// It said what was known.
    Unchanged,
    /// It was older than what it speaks of.
    Stale,
}

/// How far a partition was folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The offset of the next record.
    pub next: i64,
    /// The newest time of an accepted event.
    pub newest: Option<Time>,
}

/// How far each partition was folded. It is looked up for every event, hence the fast hash: nobody chooses partitions to
/// slow it down.
pub type Progresses = HashMap<(Topic, i32), Progress, DefaultHashBuilder>;

/// The whole city, as it is now.
#[derive(Debug)]
pub struct City {
    view: View,
    /// Every handle that was ever given, by what it is of.
    index: HashTable<Handle>,
    hasher: DefaultHashBuilder,
    /// How long a resolved incident stays, in milliseconds; `None` is for ever.
    retention_ms: Option<i64>,
    progress: Progresses,
    /// Resolved incidents by partition, the longest untouched first.
    resolved: HashMap<i32, BTreeSet<(Time, Handle)>>,
    /// What an operator removed, by global id: events not newer than this do not bring it back.
    removed: HashMap<String, Time>,
    /// Whether store and publisher are told what changes; only a writer has them.
    tracked: bool,
    dirty: Dirty,
    dirty_marks: Marks,
    changes: ChangeSet,
    change_marks: Marks,
}

impl City {
    /// A city without anything in it. `retention_ms`: how long a resolved incident stays; `None` is for ever.
    pub fn new(city_id: &str, name: &str, retention_ms: Option<i64>) -> Self {
        Self {
            view: View::new(city_id, name),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            retention_ms,
            progress: Progresses::default(),
            resolved: HashMap::new(),
            removed: HashMap::new(),
            tracked: false,
            dirty: Dirty::default(),
            dirty_marks: Marks::default(),
            changes: ChangeSet::default(),
            change_marks: Marks::default(),
        }
    }

    /// The city as it is now, for reading.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Applies one event of a partition.
    ///
    /// # Errors
    /// `unknown_entity`, where it speaks of something that only the city file can bring.
    pub fn apply(&mut self, partition: i32, event: Event<'_>) -> Result<Outcome, Reject> {
        let Event { topic, time, body, .. } = event;
        if topic == Topic::EmergencyIncidents {
            self.expire(partition, time);
        }
        let outcome = match body {
            Body::Sensor(e) => {
                let before = self.current(Kind::Sensor, &e.district, &e.id);
                if before.is_none() && !self.may_come(Kind::Sensor, Some(&e.district), &e.id, time) {
                    return Ok(self.accepted(topic, partition, time, Outcome::Stale));
                }
                if before.is_none() {
                    self.ensure_district(&e.district);
                }
                self.fold::<Sensor>(before, time, |before| rules::sensor(before, e, time))
            }
            Body::Occupancy(e) => {
                let before = self.known(Kind::Building, &e.district, &e.id, "buildingId")?;
                self.fold_known::<Building>(before, time, |before| rules::occupancy(before, &e, time))
            }
            Body::Weather(e) => {
                let before = self.known(Kind::WeatherStation, &e.district, &e.id, "stationId")?;
                self.fold_known::<WeatherStation>(before, time, |before| rules::weather(before, e, time))
            }
            Body::Edge(e) => {
                let before = self.known(Kind::Edge, "", &e.id, "edgeId")?;
                self.fold_known::<Edge>(before, time, |before| rules::edge(before, e, time))
            }
            Body::Bus(e) => match self.coming(Kind::Bus, &e.id, time) {
                Some(before) => self.fold::<Bus>(before, time, |before| rules::bus(before, e, time)),
                None => Outcome::Stale,
            },
            Body::Station(e) => match self.coming(Kind::Station, &e.id, time) {
                Some(before) => self.fold::<Station>(before, time, |before| rules::station(before, e, time)),
                None => Outcome::Stale,
            },
            Body::Incident(e) => match self.coming(Kind::Incident, &e.id, time) {
                Some(before) => {
                    self.fold::<Incident>(before, time, |before| rules::incident(before, e, time, partition))
                }
                None => Outcome::Stale,
            },
            Body::Unit(e) => match self.coming(Kind::Unit, &e.id, time) {
                Some(before) => self.fold::<Unit>(before, time, |before| rules::unit(before, e, time)),
                None => Outcome::Stale,
            },
        };
        Ok(self.accepted(topic, partition, time, outcome))
    }

    fn accepted(&mut self, topic: Topic, partition: i32, time: Time, outcome: Outcome) -> Outcome {
        let progress = self.progress.entry((topic, partition)).or_default();
        progress.newest = progress.newest.max(Some(time));
        outcome
    }

    /// What an entity of the city file is now.
    fn known(&self, kind: Kind, district: &str, id: &str, field: &str) -> Result<Entity, Reject> {
        self.current(kind, district, id).ok_or_else(|| {
            let of = if district.is_empty() { String::new() } else { format!(" of the district {district:?}") };
            let message = format!("{field} is {id:?}; accepted: one{of} that the city file has");
            Reject::new(Code::UnknownEntity, message)
        })
    }

    /// What an entity is now, for one that comes with its first event; `None` where an operator removed it and this
    /// event is not newer than what it was then.
    #[allow(clippy::option_option)] // outer: may the event be applied; inner: what it finds
    fn coming(&mut self, kind: Kind, id: &str, time: Time) -> Option<Option<Entity>> {
        match self.current(kind, "", id) {
            Some(before) => Some(Some(before)),
            None => self.may_come(kind, None, id, time).then_some(None),
        }
    }

    /// Whether an event may bring an entity into being, unlike one that an operator removed later than it happened.
    fn may_come(&mut self, kind: Kind, district: Option<&str>, id: &str, time: Time) -> bool {
        if self.removed.is_empty() {
            return true;
        }
        let global = global_id(kind, district, id);
        match self.removed.get(&global) {
            Some(at) if time <= *at => false,
            Some(_) => {
                self.forget_removal(&global);
                true
            }
            None => true,
        }
    }

    fn forget_removal(&mut self, global: &str) {
        if let Some((global, _)) = self.removed.remove_entry(global)
            && self.tracked
        {
            self.dirty.removals.push((global, None));
        }
    }

    fn fold<T: Variant>(&mut self, before: Option<Entity>, time: Time, rule: impl FnOnce(Option<&T>) -> T) -> Outcome {
        if before.as_ref().and_then(Entity::last_updated).is_some_and(|last| time < last) {
            return Outcome::Stale;
        }
        let after = rule(before.as_ref().and_then(T::unwrap).map(|item| &item.value));
        if self.replace(before, after) { Outcome::Applied } else { Outcome::Unchanged }
    }

    fn fold_known<T: Variant>(&mut self, before: Entity, time: Time, rule: impl FnOnce(&T) -> T) -> Outcome {
        if before.last_updated().is_some_and(|last| time < last) {
            return Outcome::Stale;
        }
        // `before` was looked up by its kind.
        let Some(item) = T::unwrap(&before) else { return Outcome::Unchanged };
        let after = rule(&item.value);
        if self.replace(Some(before), after) { Outcome::Applied } else { Outcome::Unchanged }
    }

    /// Removes the resolved incidents of a partition that have been untouched for too long at a moment.
    fn expire(&mut self, partition: i32, now: Time) {
        let Some(retention) = self.retention_ms else { return };
        while let Some((last, handle)) = self.resolved.get(&partition).and_then(|due| due.first().copied()) {
            if now.0.saturating_sub(last.0) <= retention {
                return;
            }
            // Taken off the list here, so that the loop ends whatever the city says of it.
            if let Some(due) = self.resolved.get_mut(&partition) {
                due.pop_first();
            }
            self.take_out(handle);
        }
    }

    fn ensure_district(&mut self, id: &str) {
        if self.current(Kind::District, id, id).is_none() {
            self.set(District { id: id.into(), name: id.into(), area: None });
        }
    }

    /// Writes an entity's value, be it new or not; `false` where it changes nothing.
    pub(super) fn set<T: Variant>(&mut self, value: T) -> bool {
        let before = self.current(T::KIND, value.district().unwrap_or_default(), value.id());
        self.replace(before, value)
    }

    fn replace<T: Variant>(&mut self, before: Option<Entity>, value: T) -> bool {
        let Some(old) = before.as_ref().and_then(T::unwrap) else {
            self.create(value);
            return true;
        };
        let moved = old.district() != value.district();
        let fields = if moved { u16::MAX } else { value.changed(&old.value) };
        let handle = old.handle;
        if fields == 0 {
            // Only what the fold alone knows may differ; the store is told, readers are not.
            if old.value != value {
                let entity = Entity::new(handle, old.revision, value);
                self.note_incident(before.as_ref(), Some(&entity));
                self.view.put(Slot { entity, gone: 0 });
                self.mark_dirty(handle);
            }
            return false;
        }
        if moved && let Some(before) = &before {
            self.view.delist(before);
            self.row_gone(before);
        }
        let entity = Entity::new(handle, self.view.revision + 1, value);
        self.note_incident(before.as_ref(), Some(&entity));
        self.view.put(Slot { entity, gone: 0 });
        if moved {
            self.view.enlist(handle);
        }
        self.record(handle, before, fields);
        true
    }

    fn create<T: Variant>(&mut self, value: T) {
        let (kind, district) = (T::KIND, value.district().unwrap_or_default());
        let hash = self.hash(kind, district, value.id());
        // One that returns keeps its handle.
        let known = self.lookup(hash, kind, district, value.id());
        // It may return in another district, while its former row is not yet gone for sure.
        if let Some(last) = known.and_then(|handle| self.view.slot(handle)).map(|slot| slot.entity.clone())
            && last.district() != value.district()
        {
            self.row_gone(&last);
        }
        let handle = known.unwrap_or_else(|| {
            let handle = self.view.give_handle();
            let (hasher, view) = (&self.hasher, &self.view);
            self.index.insert_unique(hash, handle, |handle| {
                view.slot(*handle).map_or(0, |slot| {
                    let entity = &slot.entity;
                    hash_of(hasher, entity.kind(), entity.district().unwrap_or_default(), entity.id())
                })
            });
            handle
        });
        let entity = Entity::new(handle, self.view.revision + 1, value);
        self.note_incident(None, Some(&entity));
        self.view.put(Slot { entity, gone: 0 });
        self.view.enlist(handle);
        self.record(handle, None, u16::MAX);
    }

    /// Takes an entity out, a district with all that is in it.
    pub(super) fn take_out(&mut self, handle: Handle) {
        let Some(before) = self.view.entity(handle).cloned() else { return };
        if let Entity::District(district) = &before {
            let members = self.view.district(&district.id).map(|entry| entry.members.clone()).unwrap_or_default();
            for kind in super::view::Members::KINDS {
                for member in members.list(kind) {
                    self.take_out(*member);
                }
            }
        }
        self.note_incident(Some(&before), None);
        self.view.delist(&before);
        self.view.put(Slot { entity: before.clone(), gone: self.view.revision + 1 });
        self.record(handle, Some(before), u16::MAX);
    }

    fn record(&mut self, handle: Handle, before: Option<Entity>, fields: u16) {
        self.view.revision += 1;
        self.view.history.push(history::Entry { handle, fields });
        self.mark_dirty(handle);
        if self.tracked && self.change_marks.set(handle) {
            self.changes.befores.push((handle, before));
        }
    }

    fn mark_dirty(&mut self, handle: Handle) {
        if self.tracked && self.dirty_marks.set(handle) {
            self.dirty.handles.push(handle);
        }
    }

    fn row_gone(&mut self, entity: &Entity) {
        if self.tracked {
            self.dirty.rows_gone.push(RowKey::of(entity));
        }
    }

    /// Keeps the list of resolved incidents right.
    fn note_incident(&mut self, before: Option<&Entity>, after: Option<&Entity>) {
        let due = |entity: Option<&Entity>| match entity {
            Some(Entity::Incident(incident)) if incident.status == Some(IncidentStatus::Resolved) => {
                Some((incident.partition?, (incident.last_updated?, incident.handle)))
            }
            _ => None,
        };
        let (before, after) = (due(before), due(after));
        if let Some((partition, entry)) = before
            && let Some(entries) = self.resolved.get_mut(&partition)
        {
            entries.remove(&entry);
        }
        if let Some((partition, entry)) = after {
            self.resolved.entry(partition).or_default().insert(entry);
        }
    }

    /// Takes out what an operator names; events not newer than its `lastUpdated` do not bring it back. `false` where
    /// there is no such thing.
    pub fn remove(&mut self, kind: Kind, district: Option<&str>, id: &str) -> bool {
        let Some(entity) = self.current(kind, district.unwrap_or_default(), id) else { return false };
        let mut going = vec![entity.clone()];
        if let Entity::District(district) = &entity {
            let sensors = self.view.list(Kind::Sensor, Some(&district.id));
            going.extend(sensors.iter().filter_map(|handle| self.view.entity(*handle).cloned()));
        }
        for entity in going {
            if let (true, Some(at)) = (entity.kind().by_event(), entity.last_updated()) {
                self.remember_removal(entity.global_id(), at);
            }
        }
        self.take_out(entity.handle());
        true
    }

    /// Notes that an operator removed something, as the store has it.
    pub fn remember_removal(&mut self, global: String, at: Time) {
        if self.tracked {
            self.dirty.removals.push((global.clone(), Some(at)));
        }
        self.removed.insert(global, at);
    }

    /// What operators removed, by global id.
    #[cfg(test)]
    pub(crate) fn clone_removals(&self) -> HashMap<String, Time> {
        self.removed.clone()
    }

    /// Becomes what another city is, by the changes that this takes: take-over, restart and the reload of a model.
    ///
    /// Handles, revisions and readers of this city go on. `other` was loaded from the store: dirty is then what it has
    /// changed since, and nothing that the store told it. The next chain begins with a full, so publishers need no changes.
    pub fn become_like(&mut self, other: Self) {
        let tracked = self.tracked;
        self.track(false);
        let dirty: Vec<_> = other.dirty.handles.iter().filter_map(|handle| other.view.slot(*handle)).collect();
        let gone: Vec<_> = self
            .view
            .entities(&Kind::ALL)
            .filter(|entity| other.current(entity.kind(), entity.district().unwrap_or_default(), entity.id()).is_none())
            .map(Entity::handle)
            .collect();
        for entity in other.view.entities(&Kind::ALL) {
            self.set_entity(entity);
        }
        for handle in gone {
            self.take_out(handle);
        }
        self.rename(&other.view.name);
        self.progress = other.progress;
        self.removed = other.removed;
        if !tracked {
            return;
        }
        self.tracked = true;
        for slot in dirty {
            let entity = &slot.entity;
            let (kind, district) = (entity.kind(), entity.district().unwrap_or_default());
            match self.lookup(self.hash(kind, district, entity.id()), kind, district, entity.id()) {
                Some(handle) => {
                    // The store may have its row in another district than this city had it.
                    if self.view.slot(handle).is_some_and(|slot| slot.entity.district() != entity.district()) {
                        self.row_gone(entity);
                    }
                    self.mark_dirty(handle);
                }
                None => self.row_gone(entity),
            }
        }
        self.dirty.rows_gone.extend(other.dirty.rows_gone);
        self.dirty.name = other.dirty.name;
        // What it has noted is written as it now is.
        let noted = other.dirty.removals.into_iter();
        self.dirty.removals = noted
            .map(|(global, _)| {
                let at = self.removed.get(&global).copied();
                (global, at)
            })
            .collect();
    }

    fn set_entity(&mut self, entity: &Entity) {
        match entity {
            Entity::District(item) => self.set(item.value.clone()),
            Entity::Sensor(item) => self.set(item.value.clone()),
            Entity::Building(item) => self.set(item.value.clone()),
            Entity::WeatherStation(item) => self.set(item.value.clone()),
            Entity::Node(item) => self.set(item.value.clone()),
            Entity::Edge(item) => self.set(item.value.clone()),
            Entity::Bus(item) => self.set(item.value.clone()),
            Entity::Station(item) => self.set(item.value.clone()),
            Entity::Incident(item) => self.set(item.value.clone()),
            Entity::Unit(item) => self.set(item.value.clone()),
        };
    }

    /// Gives the city another name.
    pub fn rename(&mut self, name: &str) {
        if *self.view.name == *name {
            return;
        }
        if self.tracked {
            self.dirty.name = true;
            self.changes.name_before.get_or_insert_with(|| Arc::clone(&self.view.name));
        }
        self.view.name = name.into();
        self.view.revision += 1;
        self.view.history.push(history::Entry { handle: Handle(u32::MAX), fields: u16::MAX });
    }

    /// The entity of that kind and id, as it is now.
    pub(super) fn current(&self, kind: Kind, district: &str, id: &str) -> Option<Entity> {
        let handle = self.lookup(self.hash(kind, district, id), kind, district, id)?;
        self.view.entity(handle).cloned()
    }

    fn lookup(&self, hash: u64, kind: Kind, district: &str, id: &str) -> Option<Handle> {
        let is = |handle: &Handle| {
            self.view.slot(*handle).is_some_and(|slot| {
                let entity = &slot.entity;
                entity.id() == id
                    && entity.kind() == kind
                    && (!kind.by_district() || entity.district().unwrap_or_default() == district)
            })
        };
        self.index.find(hash, is).copied()
    }

    fn hash(&self, kind: Kind, district: &str, id: &str) -> u64 {
        hash_of(&self.hasher, kind, district, id)
    }

    /// How far each partition was folded.
    pub fn progress(&self) -> &Progresses {
        &self.progress
    }

    /// Notes up to where a partition was folded, rejected records included.
    pub fn advance(&mut self, topic: Topic, partition: i32, next: i64) {
        self.progress.entry((topic, partition)).or_default().next = next;
    }

    /// Sets a partition's progress, as the store has it.
    pub fn set_progress(&mut self, topic: Topic, partition: i32, progress: Progress) {
        self.progress.insert((topic, partition), progress);
    }

    /// Whether changes are kept for store and publisher from now on. What was kept before is dropped.
    pub fn track(&mut self, tracked: bool) {
        self.tracked = tracked;
        self.dirty = Dirty::default();
        self.dirty_marks.clear();
        self.changes = ChangeSet::default();
        self.change_marks.clear();
    }

    /// Takes what is dirty since the last call.
    pub fn take_dirty(&mut self) -> Dirty {
        for handle in &self.dirty.handles {
            self.dirty_marks.unset(*handle);
        }
        std::mem::take(&mut self.dirty)
    }

    /// Gives back what a flush did not write for sure: it is dirty again.
    pub fn restore_dirty(&mut self, dirty: Dirty) {
        for handle in dirty.handles {
            self.mark_dirty(handle);
        }
        self.dirty.rows_gone.extend(dirty.rows_gone);
        // What happened since comes after.
        let newer = std::mem::replace(&mut self.dirty.removals, dirty.removals);
        self.dirty.removals.extend(newer);
        self.dirty.name |= dirty.name;
    }

    /// Everything there is, as dirty: for a store that was emptied.
    pub fn all_dirty(&mut self) -> Dirty {
        self.take_dirty();
        Dirty {
            handles: self.view.entities(&Kind::ALL).map(Entity::handle).collect(),
            rows_gone: Vec::new(),
            removals: self.removed.iter().map(|(global, at)| (global.clone(), Some(*at))).collect(),
            name: true,
        }
    }

    /// Takes what changed since the last call, for a boundary at this moment's view.
    pub fn take_changes(&mut self) -> ChangeSet {
        self.change_marks.clear();
        std::mem::take(&mut self.changes)
    }

    /// Gives back changes whose boundary was not published: the next one tells them too.
    pub fn restore_changes(&mut self, older: ChangeSet) {
        let newer = std::mem::take(&mut self.changes);
        self.changes = older.then(newer);
        for (handle, _) in &self.changes.befores {
            self.change_marks.set(*handle);
        }
    }
}

fn hash_of(hasher: &DefaultHashBuilder, kind: Kind, district: &str, id: &str) -> u64 {
    hasher.hash_one((kind as u8, if kind.by_district() { district } else { "" }, id))
}

#[cfg(test)]
mod tests;
