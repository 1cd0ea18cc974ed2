//! Points, distances and lines on the ground.

/// Mean radius of the earth in metres, as the haversine formula takes it.
const EARTH_RADIUS: f64 = 6_371_008.8;

/// A place in degrees (WGS 84), at the six decimals (0.1 m) that are published.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub latitude: f64,
    pub longitude: f64,
}

/// `value` at `decimals` digits after the point.
pub fn round_to(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

impl Point {
    /// A point at the six decimals that are published.
    pub fn new(latitude: f64, longitude: f64) -> Self {
        Self { latitude: round_to(latitude, 6), longitude: round_to(longitude, 6) }
    }

    /// Great-circle distance in metres.
    pub fn distance(self, other: Self) -> f64 {
        let half_lat = (other.latitude - self.latitude).to_radians() / 2.0;
        let half_lon = (other.longitude - self.longitude).to_radians() / 2.0;
        let a = half_lat.sin().powi(2)
            + self.latitude.to_radians().cos() * other.latitude.to_radians().cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS * a.sqrt().asin()
    }

    /// The way from here to `other` in degrees clockwise from north, in [0, 360).
    pub fn heading(self, other: Self) -> f64 {
        let north = other.latitude - self.latitude;
        let east = (other.longitude - self.longitude) * self.latitude.to_radians().cos();
        let degrees = east.atan2(north).to_degrees();
        if degrees < 0.0 { degrees + 360.0 } else { degrees }
    }

    /// The point `share` of the way to `other`.
    pub fn towards(self, other: Self, share: f64) -> Self {
        Self::new(
            self.latitude + (other.latitude - self.latitude) * share,
            self.longitude + (other.longitude - self.longitude) * share,
        )
    }
}

/// A flat map around one place: metres east and north of it. Over a city the error is far below a metre per street.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    origin: Point,
    metres_per_degree: f64,
    shrink: f64,
}

impl Frame {
    /// The map around `origin`.
    pub fn around(origin: Point) -> Self {
        Self {
            origin,
            metres_per_degree: EARTH_RADIUS * std::f64::consts::PI / 180.0,
            shrink: origin.latitude.to_radians().cos(),
        }
    }

    /// The place `east` and `north` metres from the origin.
    pub fn point(&self, [east, north]: [f64; 2]) -> Point {
        Point::new(
            self.origin.latitude + north / self.metres_per_degree,
            self.origin.longitude + east / (self.metres_per_degree * self.shrink),
        )
    }

    /// Metres east and north of the origin.
    pub fn metres(&self, point: Point) -> [f64; 2] {
        [
            (point.longitude - self.origin.longitude) * self.metres_per_degree * self.shrink,
            (point.latitude - self.origin.latitude) * self.metres_per_degree,
        ]
    }
}

/// A line of at least two points, with the distance from its start to each of them.
#[derive(Clone, Debug)]
pub struct Polyline {
    points: Box<[Point]>,
    along: Box<[f64]>,
}

impl Polyline {
    /// The line through `points`, at least two of them.
    pub fn new(points: Vec<Point>) -> Self {
        let mut total = 0.0;
        let mut along = Vec::with_capacity(points.len());
        for (i, point) in points.iter().enumerate() {
            if i > 0 {
                total += points[i - 1].distance(*point);
            }
            along.push(total);
        }
        Self { points: points.into(), along: along.into() }
    }

    /// The same line, walked the other way.
    pub fn reversed(&self) -> Self {
        Self::new(self.points.iter().rev().copied().collect())
    }

    /// The points of the line.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Its length in metres.
    pub fn length(&self) -> f64 {
        self.along[self.along.len() - 1]
    }

    /// The point `metres` from its start, and the heading there.
    pub fn at(&self, metres: f64) -> (Point, f64) {
        let metres = metres.clamp(0.0, self.length());
        let next = self.along.partition_point(|&a| a <= metres).clamp(1, self.points.len() - 1);
        let (from, to) = (self.points[next - 1], self.points[next]);
        let piece = self.along[next] - self.along[next - 1];
        let share = if piece > 0.0 { (metres - self.along[next - 1]) / piece } else { 0.0 };
        (from.towards(to, share), from.heading(to))
    }
}
