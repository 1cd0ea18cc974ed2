//! The city's last changes by where they were, so that who looks at a part of it need not look at all that changed.

use std::{collections::VecDeque, ops::RangeInclusive};

use super::index::Spot;
use crate::twin::{entity::Handle, tile::TileRange};

/// How many moments are kept: a quarter of a second of the shortest, one and a half of the longest. Who looks less often goes
/// through the city's history.
const MOMENTS: usize = 64;

/// The most changes that are kept: some 3 MB.
const CHANGES: usize = 128 * 1024;

/// A change of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noted {
    pub handle: Handle,
    pub fields: u16,
    /// The revision that it made.
    pub number: u64,
}

/// What changed between two moments that subscribers see.
#[derive(Debug, Default)]
pub struct Moment {
    /// The revision of the moment before.
    pub after: u64,
    /// By where something was or is that changed, in order: a change that touches several squares stands at each.
    changes: Vec<(Spot, Noted, Fate)>,
    /// Of what was or is everywhere.
    wide: Vec<(Noted, Fate)>,
}

/// Where a change leaves what changed, as seen from a square where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stays here, or is everywhere.
    Stays,
    /// It is in that square now.
    Goes(Spot),
    /// It is anywhere else, or gone.
    Vanishes,
}

impl Noted {
    /// The change as one sees it who looks at these squares. What goes elsewhere changes unseen there, and when it comes back nobody knows in
    /// which of its fields.
    fn seen_from(self, range: &TileRange, fate: Fate) -> Self {
        let stays = match fate {
            Fate::Stays => true,
            Fate::Goes(spot) => range.contains(spot.into()),
            Fate::Vanishes => false,
        };
        Self { fields: if stays { self.fields } else { u16::MAX }, ..self }
    }
}

impl Moment {
    pub fn note(&mut self, spots: &[Spot], change: Noted, fate: Fate) {
        self.changes.extend(spots.iter().map(|spot| (*spot, change, fate)));
    }

    pub fn note_wide(&mut self, change: Noted, fate: Fate) {
        self.wide.push((change, fate));
    }

    pub fn is_wide(&self) -> bool {
        !self.wide.is_empty()
    }

    /// Puts it in order, and gives each square in which something changed.
    pub fn order(&mut self) -> Vec<Spot> {
        self.changes.sort_unstable();
        self.changes.dedup();
        let mut spots: Vec<_> = self.changes.iter().map(|(spot, ..)| *spot).collect();
        spots.dedup();
        spots
    }

    fn len(&self) -> usize {
        self.changes.len() + self.wide.len()
    }

    fn within<'a>(&'a self, range: &'a TileRange) -> impl Iterator<Item = Noted> + 'a {
        let columns = move |stretch: &RangeInclusive<u32>| {
            let first = self.changes.partition_point(|(spot, ..)| spot.column() < *stretch.start());
            let last = *stretch.end();
            self.changes[first..].iter().take_while(move |(spot, ..)| spot.column() <= last)
        };
        let near = range.columns().flat_map(columns).filter(|(spot, ..)| range.contains((*spot).into()));
        let near =
            near.map(|(_, change, fate)| (change, fate)).chain(self.wide.iter().map(|(change, fate)| (change, fate)));
        near.map(|(change, fate)| change.seen_from(range, *fate))
    }
}

/// The last moments.
#[derive(Debug, Default)]
pub struct Recent {
    moments: VecDeque<Moment>,
    changes: usize,
}

impl Recent {
    /// The next moment, in order.
    pub fn push(&mut self, moment: Moment) {
        self.changes += moment.len();
        self.moments.push_back(moment);
        while self.moments.len() > MOMENTS || self.changes > CHANGES {
            self.changes -= self.moments.pop_front().map_or(0, |oldest| oldest.len());
        }
    }

    /// What changed since a moment of this revision where somebody looks, some of it more than once; `None` where that is
    /// not known here.
    pub fn since<'a>(&'a self, revision: u64, range: &'a TileRange) -> Option<impl Iterator<Item = Noted> + 'a> {
        let first = self.moments.partition_point(|moment| moment.after < revision);
        let is_known = self.moments.get(first).is_some_and(|moment| moment.after == revision);
        is_known.then(|| self.moments.range(first..).flat_map(|moment| moment.within(range)))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::index::LEVEL, *};
    use crate::twin::{
        geo::{BoundingBox, Position},
        tile::Tile,
    };

    #[test]
    fn a_look_finds_just_what_changed_where_it_looks() {
        let random = &mut fastrand::Rng::with_seed(1);
        let mut recent = Recent::default();
        let spot = |x: u16, y: u16| Spot::from(Tile { level: LEVEL, x: x.into(), y: y.into() });
        let (mut all, mut revision) = (Vec::new(), 0);
        for _ in 0..MOMENTS + 10 {
            let mut moment = Moment { after: revision, ..Moment::default() };
            for _ in 0..random.u64(1..40) {
                revision += 1;
                let change = Noted { handle: Handle(random.u32(0..50)), fields: random.u16(..), number: revision };
                if random.u32(0..20) == 0 {
                    moment.note_wide(change, Fate::Stays);
                    all.push((None, change));
                } else {
                    let spots: Vec<_> =
                        (0..random.u32(1..4)).map(|_| spot(random.u16(100..130), random.u16(100..130))).collect();
                    moment.note(&spots, change, Fate::Stays);
                    all.extend(spots.iter().map(|spot| (Some(*spot), change)));
                }
            }
            moment.order();
            recent.push(moment);
        }
        let bounds = |x, y| Tile { level: LEVEL, x, y }.bounds();
        let (mut found_any, kept) = (0, recent.moments.iter().map(|moment| moment.after).collect::<Vec<_>>());
        for after in &kept {
            let (west, south) = (random.u32(95..130), random.u32(95..130));
            let (low, high) = (bounds(west, south), bounds(west + random.u32(0..9), south - random.u32(0..9)));
            let middle = |area: BoundingBox| Position {
                latitude: f64::midpoint(area.north, area.south),
                longitude: f64::midpoint(area.west, area.east),
            };
            let (low, high) = (middle(low), middle(high));
            let area =
                BoundingBox { north: high.latitude, south: low.latitude, east: high.longitude, west: low.longitude };
            let range = TileRange::of(&area, LEVEL);
            let mut found: Vec<_> = recent.since(*after, &range).expect("it is kept").collect();
            found.sort_unstable();
            found.dedup();
            let is_near = |at: &Option<Spot>| at.is_none_or(|spot| range.contains(spot.into()));
            let near = all.iter().filter(|(at, change)| change.number > *after && is_near(at));
            let mut near: Vec<_> = near.map(|(_, change)| *change).collect();
            near.sort_unstable();
            near.dedup();
            assert_eq!(found, near);
            found_any += found.len();
            assert!(recent.since(after + 1, &range).is_none() || kept.contains(&(after + 1)));
        }
        assert!(found_any > 1000, "{found_any}");
        let everywhere = TileRange::of(&BoundingBox { north: 80.0, south: -80.0, east: 180.0, west: -180.0 }, 16);
        assert!(recent.since(0, &everywhere).is_none(), "too long ago");
        assert!(recent.since(revision, &everywhere).is_none(), "nothing has come since");
    }

    #[test]
    fn what_goes_elsewhere_may_change_in_anything() {
        let spot = |x| Spot::from(Tile { level: LEVEL, x, y: 7 });
        let change = |number| Noted { handle: Handle(1), fields: 1, number };
        let mut moment = Moment::default();
        moment.note(&[spot(1)], change(1), Fate::Goes(spot(2)));
        moment.note(&[spot(1)], change(2), Fate::Goes(spot(3)));
        moment.note(&[spot(2)], change(3), Fate::Vanishes);
        moment.note_wide(change(4), Fate::Goes(spot(3)));
        moment.order();
        let mut recent = Recent::default();
        recent.push(moment);
        let point = |x| {
            let BoundingBox { north, south, east, west } = Tile { level: LEVEL, x, y: 7 }.bounds();
            (f64::midpoint(north, south), f64::midpoint(west, east))
        };
        let ((latitude, west), (_, east)) = (point(1), point(2));
        let range = TileRange::of(&BoundingBox { north: latitude, south: latitude, east, west }, LEVEL);
        let seen: Vec<_> =
            recent.since(0, &range).expect("it is kept").map(|change| (change.number, change.fields)).collect();
        assert_eq!(seen, [(1, 1), (2, u16::MAX), (3, u16::MAX), (4, u16::MAX)]);
    }

    #[test]
    fn it_has_its_bounds() {
        let mut recent = Recent::default();
        for n in 0..10 {
            let mut moment = Moment { after: n, ..Moment::default() };
            (0..CHANGES as u32 / 4).for_each(|handle| {
                moment.note_wide(Noted { handle: Handle(handle), fields: 1, number: n + 1 }, Fate::Stays);
            });
            recent.push(moment);
        }
        assert_eq!((recent.moments.len(), recent.changes), (4, CHANGES));
    }
}
