//! A city from far away: how many of what stand in each square of a grid, and their means.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use compact_str::CompactString;

use crate::twin::{
    entity::{Entity, Handle},
    model::Kind,
    selection::Selection,
    tile::{Tile, TileRange},
    view::View,
};

/// How many levels finer than a map's zoom its cells are: a tile of 512 CSS pixels is eight cells wide, 64 pixels each.
const FINER: u8 = 3;

/// The largest zoom of a map.
pub const MAX_ZOOM: f64 = 24.0;

/// The level of a map's cells.
pub fn level_of(zoom: f64) -> u8 {
    zoom.clamp(0.0, MAX_ZOOM) as u8 + FINER
}

/// Whether entities of a kind are points and movers, which cells stand for from far away; roads and districts are not.
pub fn is_counted(kind: Kind) -> bool {
    !matches!(kind, Kind::Edge | Kind::Node | Kind::District)
}

/// What stands in one cell: a group for each kind, and among sensors for each type, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts(Vec<Group>);

/// Entities of one kind (and type) in a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub kind: Kind,
    /// `type` of sensors; `None` for other kinds, and for sensors without one.
    pub type_text: Option<CompactString>,
    pub count: u32,
    /// How many of them have the measure.
    measured: u32,
    /// The sum of the measure in millionths: whole, so that it is the same whatever the order of what came and went.
    sum: i128,
}

impl Group {
    /// The mean of the measure; `None` where the kind has none, or none of these has it.
    pub fn mean(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.sum as f64 / f64::from(self.measured) / MILLION)
    }
}

const MILLION: f64 = 1e6;
/// No value counts for more than this, in millionths: so that no sum overflows.
const MOST: f64 = 1e30;

/// The field whose mean a kind's groups have, as `state.full` names it.
pub fn measure_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Sensor => Some("value"),
        Kind::Building => Some("occupancyRate"),
        Kind::WeatherStation => Some("temperature"),
        Kind::Bus => Some("speed"),
        Kind::Station => Some("waitingPassengers"),
        _ => None,
    }
}

fn measured(entity: &Entity) -> Option<i128> {
    let value = match entity {
        Entity::Sensor(sensor) => sensor.value.value,
        Entity::Building(building) => building.occupancy_rate(),
        Entity::WeatherStation(station) => {
            station.readings.as_ref().and_then(|readings| readings.temperature.flatten())
        }
        Entity::Bus(bus) => bus.speed,
        Entity::Station(station) => station.waiting.map(f64::from),
        _ => None,
    };
    value.map(|value| (value * MILLION).round().clamp(-MOST, MOST) as i128)
}

impl Counts {
    /// The groups, none of them empty.
    pub fn groups(&self) -> &[Group] {
        &self.0
    }

    /// How many entities stand in the cell.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|group| group.count).sum()
    }

    fn place(&self, entity: &Entity) -> Result<usize, usize> {
        let type_text = type_of(entity);
        self.0.binary_search_by(|group| (group.kind, group.type_text.as_deref()).cmp(&(entity.kind(), type_text)))
    }

    pub(super) fn add(&mut self, entity: &Entity) {
        let at = self.place(entity).unwrap_or_else(|at| {
            let (kind, type_text) = (entity.kind(), type_of(entity).map(CompactString::from));
            self.0.insert(at, Group { kind, type_text, count: 0, measured: 0, sum: 0 });
            at
        });
        let group = &mut self.0[at];
        group.count += 1;
        if let Some(value) = measured(entity) {
            group.measured += 1;
            group.sum += value;
        }
    }

    fn take(&mut self, entity: &Entity) {
        let Ok(at) = self.place(entity) else { return };
        let group = &mut self.0[at];
        group.count -= 1;
        if let Some(value) = measured(entity) {
            group.measured -= 1;
            group.sum -= value;
        }
        if group.count == 0 {
            self.0.remove(at);
        }
    }
}

fn type_of(entity: &Entity) -> Option<&str> {
    if entity.kind() == Kind::Sensor { entity.type_text() } else { None }
}

/// The cells of one level with what a selection chooses, wherever it is: kept up to date by what changes.
#[derive(Debug)]
struct Grid {
    level: u8,
    /// Without its box: cells are whole.
    selection: Selection,
    /// `None` before the first look.
    revision: Option<u64>,
    /// What is counted, by handle, as it was counted.
    counted: Vec<Option<Entity>>,
    cells: HashMap<Tile, Arc<Counts>>,
}

impl Grid {
    fn catch_up(&mut self, view: &View) {
        let changes = self.revision.and_then(|revision| view.history.since(revision));
        match changes {
            Some(changes) => changes.for_each(|entry| self.recount(view, entry.handle)),
            None => (0..view.handles()).for_each(|handle| self.recount(view, Handle(handle))),
        }
        self.revision = Some(view.revision);
    }

    fn recount(&mut self, view: &View, handle: Handle) {
        let now = view.entity(handle).filter(|entity| {
            is_counted(entity.kind()) && entity.position().is_some() && self.selection.matches(entity)
        });
        let at = handle.0 as usize;
        if at >= self.counted.len() {
            if now.is_none() {
                return;
            }
            self.counted.resize(at + 1, None);
        }
        let before = std::mem::replace(&mut self.counted[at], now.cloned());
        if let Some(before) = before.as_ref() {
            if now.is_some_and(|now| now.same(before)) {
                return;
            }
            self.change(before, Counts::take);
        }
        if let Some(now) = now {
            self.change(now, Counts::add);
        }
    }

    fn change(&mut self, entity: &Entity, change: fn(&mut Counts, &Entity)) {
        let Some(position) = entity.position() else { return };
        let tile = Tile::at(position, self.level);
        let counts = self.cells.entry(tile).or_default();
        change(Arc::make_mut(counts), entity);
        if counts.groups().is_empty() {
            self.cells.remove(&tile);
        }
    }

    /// The cells of a range that hold anything; all where there is none.
    fn cells(&self, range: Option<&TileRange>) -> BTreeMap<Tile, Arc<Counts>> {
        match range {
            Some(range) if range.count() < self.cells.len() as u64 => {
                range.iter().filter_map(|tile| self.cells.get(&tile).map(|counts| (tile, Arc::clone(counts)))).collect()
            }
            _ => self
                .cells
                .iter()
                .filter(|(tile, _)| range.is_none_or(|range| range.contains(**tile)))
                .map(|(tile, counts)| (*tile, Arc::clone(counts)))
                .collect(),
        }
    }
}

/// The grids that subscribers look at, shared by all who look at the same one.
#[derive(Debug, Default)]
pub struct Grids(Mutex<Vec<Grid>>);

/// The most grids that are kept, the latest used ones: each costs 16 bytes for each entity. A level of a map's zoom is
/// one, and few filters beside.
const MOST_GRIDS: usize = 32;

impl Grids {
    /// The cells of a level that a selection's box meets, as they are in `view` or later, where somebody has looked later
    /// already. A cell is whole: it counts also what lies in it beyond the box.
    pub fn cells(&self, view: &View, selection: &Selection, level: u8) -> BTreeMap<Tile, Arc<Counts>> {
        let range = selection.area.as_ref().map(|area| TileRange::of(area, level));
        let whole = Selection { area: None, ..selection.clone() };
        let mut grids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = grids.iter().position(|grid| grid.level == level && grid.selection == whole);
        let mut grid = match at {
            Some(at) => grids.remove(at),
            None => Grid { level, selection: whole, revision: None, counted: Vec::new(), cells: HashMap::new() },
        };
        if grid.revision.is_none_or(|revision| revision < view.revision) {
            grid.catch_up(view);
        }
        let cells = grid.cells(range.as_ref());
        grids.truncate(MOST_GRIDS - 1);
        // The latest used one stands first.
        grids.insert(0, grid);
        cells
    }
}
