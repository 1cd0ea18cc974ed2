//! Who is to look again when something changes where.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    index::{Area, Kinds, LEVEL, Spot, Touched},
    turnstile::{Ear, Turnstile},
};
use crate::twin::tile::Tile;

/// The squares by which listeners are found are twice as wide as the index's: a view meets fewer of them.
const COARSER: u8 = LEVEL - 1;

/// Whoever looks at more of these squares is asked by itself: some 13 km across.
const MOST_SQUARES: u64 = 256;

/// Everyone who listens.
#[derive(Debug, Default)]
pub struct Listeners {
    table: Mutex<Table>,
    turnstile: Turnstile,
}

#[derive(Debug, Default)]
struct Table {
    listeners: HashMap<u64, Listener>,
    given: u64,
    /// By the squares that they look at.
    by_square: HashMap<(u32, u32), Vec<u64>>,
    /// Those who look at more than that.
    far_seeing: Vec<u64>,
}

#[derive(Debug)]
struct Listener {
    ear: Arc<Ear>,
    kinds: Kinds,
    area: Area,
}

/// A place among the listeners, left when it is dropped.
#[derive(Debug)]
pub struct Listening {
    listeners: Arc<Listeners>,
    number: u64,
}

impl Listeners {
    /// Listens for changes of these kinds in an area.
    pub fn enter(self: &Arc<Self>, ear: Arc<Ear>, kinds: Kinds, area: Area) -> Listening {
        let mut table = self.lock();
        table.given += 1;
        let number = table.given;
        table.enlist(number, &area);
        table.listeners.insert(number, Listener { ear, kinds, area });
        Listening { listeners: Arc::clone(self), number }
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.lock().listeners.is_empty()
    }

    /// Tells those whom it may concern that something changed, from a revision on.
    pub fn tell(&self, touched: &Touched, from: u64) {
        let table = self.lock();
        let mut concerned: Vec<&Listener> = Vec::new();
        if touched.wide {
            concerned.extend(table.listeners.values());
        } else {
            let mut last = None;
            for spot in &touched.spots {
                let square = square(*spot);
                // They are in order by column: most that share a square follow each other. Who is told twice looks once.
                if last.replace(square) != Some(square) {
                    let numbers = table.by_square.get(&square).into_iter().flatten();
                    concerned.extend(numbers.filter_map(|number| table.listeners.get(number)));
                }
            }
            let far_seeing = table.far_seeing.iter().filter_map(|number| table.listeners.get(number));
            concerned.extend(far_seeing.filter(|listener| listener.area.meets(&touched.spots)));
        }
        let concerned = concerned.into_iter().filter(|listener| listener.kinds.meets(touched.kinds));
        self.turnstile.tell(concerned.map(|listener| &listener.ear), from);
    }

    /// Through which all of them go.
    pub fn turnstile(&self) -> &Turnstile {
        &self.turnstile
    }

    /// The revision of the oldest change that somebody was told of and has not looked at; `None` where there is none.
    pub fn oldest_untaken(&self) -> Option<u64> {
        let table = self.lock();
        table.listeners.values().map(|listener| listener.ear.untaken()).filter(|revision| *revision > 0).min()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn square(spot: Spot) -> (u32, u32) {
    let tile = Tile::from(spot);
    (tile.x >> (LEVEL - COARSER), tile.y >> (LEVEL - COARSER))
}

impl Table {
    fn enlist(&mut self, number: u64, area: &Area) {
        match area.squares() {
            None => self.far_seeing.push(number),
            Some(squares) => squares.for_each(|square| self.by_square.entry(square).or_default().push(number)),
        }
    }

    fn delist(&mut self, number: u64, area: &Area) {
        let Some(squares) = area.squares() else { return self.far_seeing.retain(|other| *other != number) };
        for square in squares {
            let Some(numbers) = self.by_square.get_mut(&square) else { continue };
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_square.remove(&square);
            }
        }
    }
}

impl Area {
    /// The squares by which who looks there is found; `None` where these are too many.
    fn squares(&self) -> Option<impl Iterator<Item = (u32, u32)> + use<>> {
        let Self::Within(range) = self else { return None };
        let range = range.at_level(COARSER);
        (range.count() <= MOST_SQUARES).then(|| {
            let squares: Vec<_> = range.iter().map(|tile| (tile.x, tile.y)).collect();
            squares.into_iter()
        })
    }

    fn meets(&self, spots: &[Spot]) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Within(range) => spots.iter().any(|spot| range.contains((*spot).into())),
        }
    }
}

impl Listening {
    /// Listens elsewhere from now on.
    pub fn turn(&self, kinds: Kinds, area: Area) {
        let mut table = self.listeners.lock();
        let Some(mut listener) = table.listeners.remove(&self.number) else { return };
        if listener.area != area {
            table.delist(self.number, &listener.area);
            table.enlist(self.number, &area);
        }
        (listener.kinds, listener.area) = (kinds, area);
        table.listeners.insert(self.number, listener);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut table = self.listeners.lock();
        if let Some(listener) = table.listeners.remove(&self.number) {
            table.delist(self.number, &listener.area);
            drop(table);
            self.listeners.turnstile.leave(&listener.ear);
        }
    }
}
