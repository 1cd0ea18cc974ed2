//! What changed, in the forms that the store and the publisher need; both merged by entity, so that neither ever
//! holds more than the city does.

use std::sync::Arc;

use super::{
    entity::{Entity, Handle},
    model::Kind,
    time::Time,
};

/// A bit per handle.
#[derive(Clone, Debug, Default)]
pub struct Marks(Vec<u64>);

impl Marks {
    /// Sets a bit; `false` where it was set.
    pub fn set(&mut self, handle: Handle) -> bool {
        let (word, bit) = (handle.0 as usize / 64, 1 << (handle.0 % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let was = self.0[word] & bit;
        self.0[word] |= bit;
        was == 0
    }

    /// Clears a bit; `false` where it was clear.
    pub fn unset(&mut self, handle: Handle) -> bool {
        let (word, bit) = (handle.0 as usize / 64, 1 << (handle.0 % 64));
        let Some(word) = self.0.get_mut(word) else { return false };
        let was = *word & bit;
        *word &= !bit;
        was != 0
    }

    /// Sets the bits of those that are clear, and clears those that are set.
    pub fn toggle(&mut self, handles: impl Iterator<Item = Handle>) {
        for handle in handles {
            if !self.set(handle) {
                self.unset(handle);
            }
        }
    }

    /// Whether a bit is set.
    pub fn has(&self, handle: Handle) -> bool {
        self.0.get(handle.0 as usize / 64).is_some_and(|word| word & (1 << (handle.0 % 64)) != 0)
    }

    /// Clears all bits.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The handles whose bits are set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Handle> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(Handle(at as u32 * 64 + bit))
            })
        })
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        self.0.len() * size_of::<u64>()
    }

    /// How many bits are set.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// Where an entity's row stands in the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowKey {
    pub kind: Kind,
    /// The district it belongs to; empty for kinds that belong to none.
    pub district: String,
    pub id: String,
}

impl RowKey {
    /// The row of an entity.
    pub fn of(entity: &Entity) -> Self {
        let district = if entity.kind() == Kind::District { None } else { entity.district() };
        Self { kind: entity.kind(), district: district.unwrap_or_default().to_owned(), id: entity.id().to_owned() }
    }
}

/// What the store must be told since the last acknowledged flush: only which, never what. A flush writes present
/// values, and never elides: one whose answer was lost may have landed, and a value that went there and back must be
/// written again.
#[derive(Debug, Default)]
pub struct Dirty {
    /// Entities to write, or to remove where they are gone.
    pub handles: Vec<Handle>,
    /// Rows to remove because their entity now stands in another district.
    pub rows_gone: Vec<RowKey>,
    /// Operators' removals by global id: to remember, or (`None`) to forget; in order.
    pub removals: Vec<(String, Option<Time>)>,
    /// Whether the city's name changed.
    pub name: bool,
}

impl Dirty {
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty() && self.rows_gone.is_empty() && self.removals.is_empty() && !self.name
    }
}

/// What changed since the last acknowledged boundary: for each entity its value before, the first one. The values
/// after stand in the view of the next boundary; what went there and back vanishes when the two are compared.
#[derive(Debug, Default)]
pub struct ChangeSet {
    /// `None`: it was not there.
    pub befores: Vec<(Handle, Option<Entity>)>,
    /// The city's name before, where it changed.
    pub name_before: Option<Arc<str>>,
}

impl ChangeSet {
    pub fn is_empty(&self) -> bool {
        self.befores.is_empty() && self.name_before.is_none()
    }

    /// These changes and then `newer` ones, as one set: the first value before wins.
    pub fn then(mut self, newer: Self) -> Self {
        let mut marks = Marks::default();
        for (handle, _) in &self.befores {
            marks.set(*handle);
        }
        self.befores.extend(newer.befores.into_iter().filter(|(handle, _)| marks.set(*handle)));
        self.name_before = self.name_before.or(newer.name_before);
        self
    }
}

#[cfg(test)]
mod tests;
