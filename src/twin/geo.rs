//! Positions on the earth, boxes and distances.

/// The mean radius of the earth in metres (IUGG).
pub const EARTH_RADIUS: f64 = 6_371_008.8;

/// A point in WGS84 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees north, in [-90, 90].
    pub latitude: f64,
    /// Degrees east, in [-180, 180].
    pub longitude: f64,
}

impl Position {
    /// Great-circle distance in metres (haversine).
    pub fn distance(self, other: Self) -> f64 {
        let (lat1, lat2) = (self.latitude.to_radians(), other.latitude.to_radians());
        let dlat = lat2 - lat1;
        let dlon = (other.longitude - self.longitude).to_radians();
        let h = (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
        2.0 * EARTH_RADIUS * h.sqrt().min(1.0).asin()
    }

    /// Distance in metres from here to the nearest point of a line, on the plane that touches the earth here:
    /// exact to a millimetre for what is near.
    pub fn distance_to_line(self, line: &[Self]) -> f64 {
        let plane = |degrees_east: f64, p: &Self| {
            let east = degrees_east.to_radians() * self.latitude.to_radians().cos();
            (east * EARTH_RADIUS, (p.latitude - self.latitude).to_radians() * EARTH_RADIUS)
        };
        match line {
            [] => f64::INFINITY,
            [one] => self.distance(*one),
            _ => line
                .windows(2)
                .map(|pair| {
                    // The second point counts from the first: a segment on the far side of the earth must not seem to
                    // run through here.
                    let east = wrapped(pair[0].longitude - self.longitude);
                    let further = wrapped(pair[1].longitude - pair[0].longitude);
                    let ((x1, y1), (x2, y2)) = (plane(east, &pair[0]), plane(east + further, &pair[1]));
                    let (dx, dy) = (x2 - x1, y2 - y1);
                    let length = dx * dx + dy * dy;
                    let t = if length == 0.0 { 0.0 } else { (-(x1 * dx + y1 * dy) / length).clamp(0.0, 1.0) };
                    (x1 + t * dx).hypot(y1 + t * dy)
                })
                .fold(f64::INFINITY, f64::min),
        }
    }
}

/// A difference of longitudes brought into [-180, 180).
fn wrapped(degrees: f64) -> f64 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

/// A box of WGS84 degrees, its edges included. `west > east` crosses the 180th meridian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    pub north: f64,
    pub south: f64,
    pub east: f64,
    pub west: f64,
}

impl BoundingBox {
    /// Whether a point lies in the box or on its edge.
    pub fn contains(&self, p: Position) -> bool {
        let across = if self.west <= self.east {
            (self.west..=self.east).contains(&p.longitude)
        } else {
            p.longitude >= self.west || p.longitude <= self.east
        };
        across && (self.south..=self.north).contains(&p.latitude)
    }

    /// Whether any part of a line lies in the box or on its edge.
    pub fn crosses(&self, line: &[Position]) -> bool {
        if line.iter().any(|p| self.contains(*p)) {
            return true;
        }
        // No point inside: some segment must cut through. Longitudes count from the box's west edge, so that the
        // 180th meridian is nowhere special.
        let width = if self.west <= self.east { self.east - self.west } else { self.east - self.west + 360.0 };
        line.windows(2).any(|pair| {
            let x1 = wrapped(pair[0].longitude - self.west - width / 2.0) + width / 2.0;
            let x2 = x1 + wrapped(pair[1].longitude - pair[0].longitude);
            segment_cuts((x1, pair[0].latitude), (x2, pair[1].latitude), width, self.south, self.north)
        })
    }
}

/// Whether a segment meets the rectangle from (0, south) to (width, north): Liang and Barsky's clipping.
fn segment_cuts((x1, y1): (f64, f64), (x2, y2): (f64, f64), width: f64, south: f64, north: f64) -> bool {
    let (dx, dy) = (x2 - x1, y2 - y1);
    let (mut from, mut to) = (0.0_f64, 1.0_f64);
    for (p, q) in [(-dx, x1), (dx, width - x1), (-dy, y1 - south), (dy, north - y1)] {
        if p == 0.0 {
            if q < 0.0 {
                return false;
            }
        } else if p < 0.0 {
            from = from.max(q / p);
        } else {
            to = to.min(q / p);
        }
    }
    from <= to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Position {
        Position { latitude, longitude }
    }

    #[test]
    fn distance_of_a_degree() {
        let degree = at(0.0, 0.0).distance(at(1.0, 0.0));
        assert!((degree - 111_195.0).abs() < 1.0, "{degree}");
        assert!((at(42.35, 13.40).distance(at(42.35, 13.40))).abs() < 1e-9);
        assert!((at(0.0, 179.5).distance(at(0.0, -179.5)) - degree).abs() < 1.0);
    }

    #[test]
    fn a_box_is_inclusive() {
        let area = BoundingBox { north: 1.0, south: 0.0, east: 1.0, west: 0.0 };
        assert!(area.contains(at(0.0, 0.0)) && area.contains(at(1.0, 1.0)));
        assert!(!area.contains(at(1.000_001, 1.0)) && !area.contains(at(0.5, -0.000_001)));
    }

    #[test]
    fn a_box_across_the_180th_meridian() {
        let area = BoundingBox { north: 1.0, south: -1.0, east: -179.0, west: 179.0 };
        assert!(area.contains(at(0.0, 179.5)) && area.contains(at(0.0, -180.0)) && area.contains(at(0.0, -179.5)));
        assert!(!area.contains(at(0.0, 0.0)));
        assert!(area.crosses(&[at(-5.0, 180.0), at(5.0, -180.0)]));
        assert!(area.crosses(&[at(0.0, 178.0), at(0.0, -178.0)]));
        assert!(!area.crosses(&[at(0.0, -178.0), at(0.0, -170.0)]));
    }

    #[test]
    fn a_line_crosses_without_a_point_inside() {
        let area = BoundingBox { north: 1.0, south: 0.0, east: 1.0, west: 0.0 };
        assert!(area.crosses(&[at(-1.0, 0.5), at(2.0, 0.5)]));
        assert!(area.crosses(&[at(-0.5, 0.5), at(0.5, -0.5)]), "touches the corner");
        assert!(!area.crosses(&[at(-1.0, -1.0), at(-1.0, 2.0)]));
        assert!(!area.crosses(&[at(2.0, 0.0), at(2.0, 1.0), at(2.0, 3.0)]));
    }

    #[test]
    fn distance_to_a_line() {
        let line = [at(42.0, 13.0), at(42.0, 13.01)];
        let d = at(42.001, 13.005).distance_to_line(&line);
        assert!((d - 111.19).abs() < 0.1, "{d}");
        assert!((at(42.0, 13.02).distance_to_line(&line) - at(42.0, 13.02).distance(line[1])).abs() < 0.1);
    }
}
