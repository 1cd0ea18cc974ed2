//! Squares of the Web Mercator grid, as web maps cut the world into tiles: at level `n` it is 2^n squares wide and high.

use std::ops::RangeInclusive;

use super::geo::{BoundingBox, Position};

/// One square: `x` counts eastwards from the 180th meridian, `y` southwards from 85.05 degrees north. What lies beyond
/// 85.05 degrees counts as in the outermost row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// At most 31.
    pub level: u8,
    pub x: u32,
    pub y: u32,
}

impl Tile {
    /// The square in which a point lies.
    pub fn at(position: Position, level: u8) -> Self {
        Self { level, x: column(position.longitude, level), y: row(position.latitude, level) }
    }

    /// The square with its edges.
    pub fn bounds(self) -> BoundingBox {
        let across = f64::from(1_u32 << self.level);
        let longitude = |x: u32| f64::from(x) / across * 360.0 - 180.0;
        let latitude = |y: u32| (std::f64::consts::PI * (1.0 - 2.0 * f64::from(y) / across)).sinh().atan().to_degrees();
        BoundingBox {
            north: latitude(self.y),
            south: latitude(self.y + 1),
            east: longitude(self.x + 1),
            west: longitude(self.x),
        }
    }
}

fn column(longitude: f64, level: u8) -> u32 {
    within((longitude + 180.0) / 360.0, level)
}

fn row(latitude: f64, level: u8) -> u32 {
    within((1.0 - latitude.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0, level)
}

/// A share of the world's width as a column or row.
fn within(share: f64, level: u8) -> u32 {
    let across = 1_u32 << level;
    // A cast from float saturates: what lies before the first counts as in it.
    ((share * f64::from(across)) as u32).min(across - 1)
}

/// All squares of a level that a box meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileRange {
    level: u8,
    /// One stretch of columns, or two where the box crosses the 180th meridian.
    x: [Option<RangeInclusive<u32>>; 2],
    y: RangeInclusive<u32>,
}

impl TileRange {
    /// The squares that a box meets.
    pub fn of(area: &BoundingBox, level: u8) -> Self {
        let (west, east) = (column(area.west, level), column(area.east, level));
        let x = if area.west <= area.east {
            [Some(west..=east), None]
        } else if west > east {
            [Some(0..=east), Some(west..=(1 << level) - 1)]
        } else {
            // It crosses within one column and comes round to it again.
            [Some(0..=(1 << level) - 1), None]
        };
        Self { level, x, y: row(area.north, level)..=row(area.south, level) }
    }

    /// The squares of another level that lie in these, or in which these lie.
    pub fn at_level(&self, level: u8) -> Self {
        let stretch = |range: &RangeInclusive<u32>| {
            if level <= self.level {
                let up = self.level - level;
                (range.start() >> up)..=(range.end() >> up)
            } else {
                let down = level - self.level;
                (range.start() << down)..=((range.end() + 1) << down) - 1
            }
        };
        Self { level, x: self.x.each_ref().map(|x| x.as_ref().map(stretch)), y: stretch(&self.y) }
    }

    /// Whether a square of this level is among them.
    pub fn contains(&self, tile: Tile) -> bool {
        self.y.contains(&tile.y) && self.x.iter().flatten().any(|x| x.contains(&tile.x))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let length = |range: &RangeInclusive<u32>| u64::from(range.end() - range.start() + 1);
        self.x.iter().flatten().map(length).sum::<u64>() * length(&self.y)
    }

    /// Their columns, in one stretch or two.
    pub fn columns(&self) -> impl Iterator<Item = &RangeInclusive<u32>> {
        self.x.iter().flatten()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Tile> + '_ {
        let columns = self.x.iter().flatten().flat_map(Clone::clone);
        columns.flat_map(move |x| self.y.clone().map(move |y| Tile { level: self.level, x, y }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position { latitude, longitude }
    }

    #[test]
    fn tiles_as_web_maps_number_them() {
        // The example of OpenStreetMap's wiki on tile names: Shibuya.
        assert_eq!(Tile::at(at(35.659_069_9, 139.700_679_3), 18), Tile { level: 18, x: 232_798, y: 103_246 });
        assert_eq!(Tile::at(at(0.0, 0.0), 1), Tile { level: 1, x: 1, y: 1 });
        assert_eq!(Tile::at(at(90.0, 180.0), 3), Tile { level: 3, x: 7, y: 0 });
        assert_eq!(Tile::at(at(-90.0, -180.0), 3), Tile { level: 3, x: 0, y: 7 });
    }

    #[test]
    fn a_point_lies_in_its_tile() {
        let random = &mut fastrand::Rng::with_seed(1);
        for level in 0..28 {
            for _ in 0..200 {
                let point = at(random.f64() * 170.0 - 85.0, random.f64() * 360.0 - 180.0);
                let tile = Tile::at(point, level);
                let bounds = tile.bounds();
                let close = BoundingBox { north: bounds.north + 1e-9, south: bounds.south - 1e-9, ..bounds };
                assert!(close.contains(point), "{point:?} {tile:?} {bounds:?}");
            }
        }
    }

    #[test]
    fn a_range_has_the_tile_of_each_point_in_the_box() {
        let random = &mut fastrand::Rng::with_seed(2);
        for _ in 0..2000 {
            let (level, south, west) = (random.u8(0..20), random.f64() * 170.0 - 85.0, random.f64() * 360.0 - 180.0);
            let (height, width) = (random.f64() * 2.0, random.f64() * 4.0);
            let east = if west + width > 180.0 { west + width - 360.0 } else { west + width };
            let area = BoundingBox { north: (south + height).min(90.0), south, east, west };
            let range = TileRange::of(&area, level);
            let point = at(south + (area.north - south) * random.f64(), {
                let x = west + width * random.f64();
                if x > 180.0 { x - 360.0 } else { x }
            });
            assert!(area.contains(point));
            assert!(range.contains(Tile::at(point, level)), "{point:?} {area:?} {level}");
            if range.count() < 1000 {
                assert_eq!(range.iter().count() as u64, range.count());
                assert!(range.iter().all(|tile| range.contains(tile)));
            }
            for level in [level.saturating_sub(3), level + 3] {
                assert!(range.at_level(level).contains(Tile::at(point, level)), "{point:?} {area:?} {level}");
            }
        }
    }
}
