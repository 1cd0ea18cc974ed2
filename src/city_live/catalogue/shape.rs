//! The geometry of a zone's shape, in degrees: zones are small enough for the plane.

use super::Polygon;
use crate::twin::geo::Position;

/// Twice a ring's least area, in square degrees: a tenth of a square metre. Less is a line drawn twice.
const LEAST_AREA: f64 = 2e-11;

impl Polygon {
    /// Whether a position lies inside: in the outer ring and in none of the holes.
    pub fn contains(&self, position: Position) -> bool {
        in_ring(&self.outer, position) && !self.holes.iter().any(|hole| in_ring(hole, position))
    }

    /// What an outer ring covers, its holes included: the smallest box, south-west and north-east.
    pub fn bounds(&self) -> (Position, Position) {
        let mut corners = (
            Position { latitude: f64::INFINITY, longitude: f64::INFINITY },
            Position { latitude: f64::NEG_INFINITY, longitude: f64::NEG_INFINITY },
        );
        for position in &self.outer {
            corners.0.latitude = corners.0.latitude.min(position.latitude);
            corners.0.longitude = corners.0.longitude.min(position.longitude);
            corners.1.latitude = corners.1.latitude.max(position.latitude);
            corners.1.longitude = corners.1.longitude.max(position.longitude);
        }
        corners
    }
}

/// Whether a position lies in a closed ring: how often a ray to the east crosses it. Of two zones that share an edge, a point
/// on that edge lies in one.
fn in_ring(ring: &[Position], position: Position) -> bool {
    ring.windows(2).filter(|edge| crosses_ray(edge, position)).count() % 2 == 1
}

fn crosses_ray(edge: &[Position], position: Position) -> bool {
    let (a, b) = (edge[0], edge[1]);
    (a.latitude > position.latitude) != (b.latitude > position.latitude)
        && position.longitude < longitude_at(a, b, position.latitude)
}

/// Where an edge that is not level meets a latitude.
fn longitude_at(a: Position, b: Position, latitude: f64) -> f64 {
    a.longitude + (b.longitude - a.longitude) * (latitude - a.latitude) / (b.latitude - a.latitude)
}

/// Closes a ring where it is open, and says what is wrong with it, if anything is.
pub fn ring(mut positions: Vec<Position>) -> Result<Vec<Position>, &'static str> {
    if let (Some(first), Some(last)) = (positions.first().copied(), positions.last().copied())
        && (first != last || positions.len() == 1)
    {
        positions.push(first);
    }
    positions.dedup();
    if positions.len() < 4 {
        return Err("a ring of at least three different positions");
    }
    if doubled_area(&positions).abs() < LEAST_AREA {
        return Err("a ring that covers some ground");
    }
    if crosses_itself(&positions) {
        return Err("a ring that does not cross itself");
    }
    Ok(positions)
}

/// Twice the area that a ring covers, in square degrees (the shoelace formula).
fn doubled_area(ring: &[Position]) -> f64 {
    // Counted from the first position: longitudes of 74 degrees would drown areas of a billionth.
    let from = ring[0];
    let (x, y) = (|p: &Position| p.longitude - from.longitude, |p: &Position| p.latitude - from.latitude);
    ring.windows(2).map(|edge| x(&edge[0]) * y(&edge[1]) - x(&edge[1]) * y(&edge[0])).sum()
}

/// Whether two edges of a ring cut through each other. That they touch is let pass: surveyed outlines do, where a shore
/// meets itself.
fn crosses_itself(ring: &[Position]) -> bool {
    let mut edges: Vec<(Position, Position)> = ring.windows(2).map(|edge| (edge[0], edge[1])).collect();
    let west = |edge: &(Position, Position)| edge.0.longitude.min(edge.1.longitude);
    let east = |edge: &(Position, Position)| edge.0.longitude.max(edge.1.longitude);
    // From west to east, each edge meets only those that begin before it ends.
    edges.sort_by(|a, b| west(a).total_cmp(&west(b)));
    edges.iter().enumerate().any(|(index, edge)| {
        edges[index + 1..].iter().take_while(|other| west(other) <= east(edge)).any(|other| cut(*edge, *other))
    })
}

/// Whether two segments cross at a point that is an end of neither.
fn cut((a, b): (Position, Position), (c, d): (Position, Position)) -> bool {
    let side = |from: Position, to: Position, p: Position| {
        (to.longitude - from.longitude) * (p.latitude - from.latitude)
            - (to.latitude - from.latitude) * (p.longitude - from.longitude)
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

/// A position well inside the largest of the polygons: half way along the widest stretch of land at the latitude where its
/// mean lies. `None` where rounding leaves no such stretch.
pub fn inside(polygons: &[Polygon]) -> Option<Position> {
    let largest =
        polygons.iter().max_by(|a, b| doubled_area(&a.outer).abs().total_cmp(&doubled_area(&b.outer).abs()))?;
    let (south_west, north_east) = largest.bounds();
    let middle = f64::midpoint(south_west.latitude, north_east.latitude);
    let height = north_east.latitude - south_west.latitude;
    // The middle first; other latitudes only where a level edge lies just there.
    [0.0, 0.07, -0.11, 0.19, -0.23].into_iter().find_map(|share| widest(largest, middle + share * height))
}

/// Half way along the widest stretch of a polygon at this latitude.
fn widest(polygon: &Polygon, latitude: f64) -> Option<Position> {
    let rings = std::iter::once(&polygon.outer).chain(&polygon.holes);
    let mut crossings: Vec<f64> = rings
        .flat_map(|ring| ring.windows(2))
        .filter(|edge| (edge[0].latitude > latitude) != (edge[1].latitude > latitude))
        .map(|edge| longitude_at(edge[0], edge[1], latitude))
        .collect();
    crossings.sort_by(f64::total_cmp);
    let stretch = crossings.chunks_exact(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])))?;
    let position = Position { latitude, longitude: f64::midpoint(stretch[0], stretch[1]) };
    polygon.contains(position).then_some(position)
}
