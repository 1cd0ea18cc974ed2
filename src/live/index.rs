//! Where in a city things stand, so that a box need not ask everything in it, nor a change everyone who looks at some.

use std::collections::HashMap;

use super::recent::{Fate, Moment, Noted, Recent};
use crate::twin::{
    entity::{Entity, Handle},
    geo::{BoundingBox, EARTH_RADIUS, Position},
    model::Kind,
    selection::Selection,
    tile::{Tile, TileRange},
    view::View,
};

/// The level of the index's squares: some 450 m wide in L'Aquila, so that a street map's view meets a few dozen, and of
/// 100,000 entities in a city some 50 stand in each.
pub const LEVEL: u8 = 16;

/// A line that runs through more squares than this counts as being everywhere: there are few such roads.
const MOST_SPOTS: usize = 64;

/// Circles wider than this, and those near a pole, count as everywhere: 500 km.
const WIDEST: f64 = 500_000.0;

/// A square of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    x: u16,
    y: u16,
}

impl Spot {
    pub fn column(self) -> u32 {
        self.x.into()
    }
}

impl From<Tile> for Spot {
    fn from(tile: Tile) -> Self {
        Self { x: tile.x as u16, y: tile.y as u16 }
    }
}

impl From<Spot> for Tile {
    fn from(spot: Spot) -> Self {
        Self { level: LEVEL, x: spot.x.into(), y: spot.y.into() }
    }
}

/// Where an entity stands.
#[derive(Clone, Debug, Default, PartialEq)]
enum Place {
    /// In no box: it has no position, or is not there.
    #[default]
    Nowhere,
    Spot(Spot),
    /// A line, by all the squares that it may run through, in order.
    Line(Box<[Spot]>),
    /// A line through too many of them.
    Wide,
}

impl Place {
    fn of(entity: &Entity) -> Self {
        match (entity.line(), entity.position()) {
            (Some(line), _) => Self::of_line(line),
            (None, Some(position)) => Self::Spot(Tile::at(position, LEVEL).into()),
            (None, None) => Self::Nowhere,
        }
    }

    fn of_line(line: &[Position]) -> Self {
        let mut spots: Vec<_> = line.iter().map(|position| Spot::from(Tile::at(*position, LEVEL))).collect();
        for pair in line.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|position| Tile::at(position, LEVEL));
            // One that goes round the 180th meridian seems to be as wide as the world here, and counts as that.
            let size = u64::from(from.x.abs_diff(to.x) + 1) * u64::from(from.y.abs_diff(to.y) + 1);
            if size > MOST_SPOTS as u64 || spots.len() > 64 * MOST_SPOTS {
                return Self::Wide;
            }
            for x in from.x.min(to.x)..=from.x.max(to.x) {
                spots.extend((from.y.min(to.y)..=from.y.max(to.y)).map(|y| Spot { x: x as u16, y: y as u16 }));
            }
        }
        spots.sort_unstable();
        spots.dedup();
        match &spots[..] {
            [] => Self::Nowhere,
            [one] => Self::Spot(*one),
            many if many.len() > MOST_SPOTS => Self::Wide,
            _ => Self::Line(spots.into()),
        }
    }

    fn spots(&self) -> &[Spot] {
        match self {
            Self::Nowhere | Self::Wide => &[],
            Self::Spot(spot) => std::slice::from_ref(spot),
            Self::Line(spots) => spots,
        }
    }
}

/// Whether a change of these fields leaves an entity where it is for sure: most changes of roads are their traffic, and their
/// lines take a while to follow.
fn stays(entity: &Entity, fields: u16) -> bool {
    let Entity::Edge(_) = entity else { return false };
    let names = entity.field_names().iter().enumerate();
    names.filter(|(i, _)| fields & (1 << i) != 0).all(|(_, name)| ["trafficConditions", "lastUpdated"].contains(name))
}

/// What changed, as those who look at some part of the city ask for it.
#[derive(Debug)]
pub struct Touched {
    /// Where something was or is that changed, in order.
    pub spots: Vec<Spot>,
    /// Whether something changed that may be everywhere.
    pub wide: bool,
    /// The kinds of what changed.
    pub kinds: Kinds,
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// The kinds that a selection can choose.
    pub fn of(selection: &Selection) -> Self {
        let mut all = Self::default();
        let wanted = |kind: &Kind| selection.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
        Kind::ALL.into_iter().filter(wanted).for_each(|kind| all.add(kind));
        all
    }

    fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u16;
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Where everything stands, as of one revision.
#[derive(Debug, Default)]
pub struct Index {
    /// `None` before the first look.
    revision: Option<u64>,
    /// By handle.
    places: Vec<Place>,
    standing: HashMap<Spot, Vec<Handle>>,
    wide: Vec<Handle>,
    recent: Recent,
}

impl Index {
    /// Follows the city to a view, and tells what changed.
    pub fn catch_up(&mut self, view: &View) -> Touched {
        let (mut moment, mut kinds) = (Moment::default(), Kinds::default());
        let before = self.revision.replace(view.revision);
        if let Some((revision, entries)) =
            before.and_then(|revision| view.history.since(revision).map(|entries| (revision, entries)))
        {
            moment.after = revision;
            for (entry, number) in entries.zip(revision + 1..) {
                let change = Noted { handle: entry.handle, fields: entry.fields, number };
                self.look(view, change, &mut moment, &mut kinds);
            }
            let touched = Touched { spots: moment.order(), wide: moment.is_wide(), kinds };
            if view.revision > revision {
                self.recent.push(moment);
            }
            return touched;
        }
        for handle in (0..view.handles()).map(Handle) {
            let change = Noted { handle, fields: u16::MAX, number: view.revision };
            self.look(view, change, &mut moment, &mut kinds);
        }
        // Nobody knows what of this is new.
        self.recent = Recent::default();
        Touched { spots: moment.order(), wide: true, kinds }
    }

    fn look(&mut self, view: &View, change: Noted, moment: &mut Moment, kinds: &mut Kinds) {
        let Noted { handle, fields, .. } = change;
        // The handle of a renaming is nobody's.
        let Some(slot) = view.slot(handle) else { return };
        kinds.add(slot.entity.kind());
        let at = handle.0 as usize;
        if at >= self.places.len() {
            self.places.resize(at + 1, Place::Nowhere);
        }
        let before = &self.places[at];
        let now = if stays(&slot.entity, fields) {
            None
        } else {
            let now = if slot.gone == 0 { Place::of(&slot.entity) } else { Place::Nowhere };
            Some(now).filter(|now| now != before)
        };
        let fate = match &now {
            None | Some(Place::Wide) => Fate::Stays,
            Some(Place::Spot(spot)) => Fate::Goes(*spot),
            Some(Place::Line(_) | Place::Nowhere) => Fate::Vanishes,
        };
        moment.note(before.spots(), change, fate);
        if now == Some(Place::Wide) || *before == Place::Wide {
            moment.note_wide(change, fate);
        }
        let Some(now) = now else { return };
        moment.note(now.spots(), change, Fate::Stays);
        let before = std::mem::replace(&mut self.places[at], now);
        match &before {
            Place::Wide => self.wide.retain(|wide| *wide != handle),
            before => before.spots().iter().for_each(|spot| self.leave(*spot, handle)),
        }
        match &self.places[at] {
            Place::Wide => self.wide.push(handle),
            now => now.spots().iter().for_each(|spot| self.standing.entry(*spot).or_default().push(handle)),
        }
    }

    /// What changed in an area since a moment of this revision, some of it more than once; `None` where that is not known by
    /// area.
    pub fn changes_since<'a>(&'a self, revision: u64, area: &'a Area) -> Option<impl Iterator<Item = Noted> + 'a> {
        let Area::Within(range) = area else { return None };
        self.recent.since(revision, range)
    }

    fn leave(&mut self, spot: Spot, handle: Handle) {
        let Some(standing) = self.standing.get_mut(&spot) else { return };
        if let Some(at) = standing.iter().position(|standing| *standing == handle) {
            standing.swap_remove(at);
        }
        if standing.is_empty() {
            self.standing.remove(&spot);
        }
    }

    /// Whether an entity may stand in an area; one that does not surely not.
    pub fn may_stand(&self, handle: Handle, area: &Area) -> bool {
        let Area::Within(range) = area else { return true };
        match self.places.get(handle.0 as usize) {
            None | Some(Place::Nowhere) => false,
            Some(Place::Wide) => true,
            Some(place) => place.spots().iter().any(|spot| range.contains((*spot).into())),
        }
    }

    /// All that may stand in an area, each once; `None` for everywhere.
    pub fn standing(&self, area: &Area) -> Option<Vec<Handle>> {
        let Area::Within(range) = area else { return None };
        let mut handles = self.wide.clone();
        if range.count() <= self.standing.len() as u64 {
            handles.extend(range.iter().filter_map(|tile| self.standing.get(&tile.into())).flatten());
        } else {
            let within = self.standing.iter().filter(|(spot, _)| range.contains((**spot).into()));
            handles.extend(within.flat_map(|(_, standing)| standing));
        }
        // A line stands in several squares.
        handles.sort_unstable();
        handles.dedup();
        Some(handles)
    }
}

/// Where somebody looks.
#[derive(Clone, Debug, PartialEq)]
pub enum Area {
    Everywhere,
    /// Squares of the index: all in which something can stand that is looked at.
    Within(TileRange),
}

impl Area {
    /// Where a selection looks; with cells of this level, which are whole.
    pub fn of(selection: &Selection, cells: Option<u8>) -> Self {
        let around = match (&selection.area, &selection.near) {
            (Some(area), _) => Some(*area),
            (None, Some(circle)) => around(circle.center, circle.radius),
            (None, None) => None,
        };
        let Some(mut area) = around else { return Self::Everywhere };
        // A little more, so that no rounding leaves out what stands on the edge.
        area.north += 1e-9;
        area.south -= 1e-9;
        area.east += 1e-9;
        area.west -= 1e-9;
        let level = cells.map_or(LEVEL, |cells| cells.min(LEVEL));
        Self::Within(TileRange::of(&area, level).at_level(LEVEL))
    }
}

/// A box that holds a circle.
fn around(center: Position, radius: f64) -> Option<BoundingBox> {
    // A hundredth more than the sphere wants: a line's distance is measured on a plane.
    let north = (radius / EARTH_RADIUS).to_degrees() * 1.01;
    let reach = center.latitude.abs() + north;
    if radius > WIDEST || reach > 80.0 {
        return None;
    }
    let east = north / reach.to_radians().cos();
    let wrapped = |longitude: f64| (longitude + 180.0).rem_euclid(360.0) - 180.0;
    Some(BoundingBox {
        north: center.latitude + north,
        south: center.latitude - north,
        east: wrapped(center.longitude + east),
        west: wrapped(center.longitude - east),
    })
}
