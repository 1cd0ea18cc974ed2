//! A plausible day: weather, air, traffic and power as a function of the seed, the place and the moment, and of nothing that was
//! asked before. Hours of the day are the sun's: noon is where the sun is highest, in every city.

use crate::{
    city_live::clock::HOUR_MS,
    twin::{geo::Position, time::Time},
};

const DAY_MS: f64 = 86_400_000.0;

/// Chance that is the same for the same seed.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// Where chance begins.
    pub seed: u64,
}

/// Weather at one place, in the units of the names.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields say what their names say")]
pub struct Weather {
    pub temperature_c: f64,
    pub humidity_pct: f64,
    pub wind_ms: f64,
    pub wind_deg: f64,
    /// mm an hour.
    pub rain_mm: f64,
    pub pressure_hpa: f64,
    /// 0 clear to 1 overcast.
    pub clouds: f64,
}

/// Flow at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the fields say what their names say")]
pub struct Flow {
    pub free_kmh: f64,
    pub current_kmh: f64,
    pub closed: bool,
}

impl Day {
    /// The weather.
    pub fn weather(self, place: Position, at: Time) -> Weather {
        let hour = solar_hour(place, at);
        // The warmest day is in the second half of July (of January in the south).
        let day_of_year = at.0 as f64 / DAY_MS % 365.25;
        let season = (std::f64::consts::TAU * (day_of_year - 200.0) / 365.25).cos() * place.latitude.signum();
        let sun = (std::f64::consts::TAU * (hour - 15.0) / 24.0).cos();
        let clouds = (0.45 + 0.6 * self.drift(1, at, 9)).clamp(0.0, 1.0);
        let heat = 9.0 * (self.drift(2, at, 120) - 0.25).max(0.0);
        let street = 0.8 * self.of_place(3, place);
        let swing = 5.5 * (1.0 - 0.6 * clouds);
        let temperature_c = 13.5 - 0.35 * (place.latitude.abs() - 41.0)
            + 11.0 * season
            + swing * sun
            + 3.5 * self.drift(4, at, 30)
            + heat
            + street;
        let rain = (self.drift(5, at, 7) + 0.15 * self.of_place(6, place) - 0.45).max(0.0);
        Weather {
            temperature_c,
            humidity_pct: (62.0 - 14.0 * sun + 25.0 * rain.min(1.0) + 8.0 * self.drift(7, at, 12)).clamp(20.0, 100.0),
            wind_ms: (3.5 + 2.5 * self.drift(8, at, 6) + 1.2 * sun).max(0.2),
            wind_deg: (220.0 + 140.0 * self.drift(9, at, 24)).rem_euclid(360.0),
            rain_mm: if clouds > 0.3 { 9.0 * rain } else { 0.0 },
            pressure_hpa: 1014.0 - 12.0 * self.drift(5, at, 36),
            clouds,
        }
    }

    /// PM2.5, µg/m³: traffic makes it, wind and rain take it away.
    pub fn pm2_5(self, place: Position, at: Time) -> f64 {
        let weather = self.weather(place, at);
        let still = (1.6 - weather.wind_ms / 5.0).clamp(0.4, 1.6);
        let background = 9.0 + 14.0 * self.drift(10, at, 48).max(-0.4);
        let street = 4.0 + 8.0 * rush(solar_hour(place, at)) * (1.0 + 0.4 * self.of_place(11, place));
        let washed = if weather.rain_mm > 0.5 { 0.6 } else { 1.0 };
        ((background + street) * still * washed).max(1.0)
    }

    /// The flow on the road by this place.
    pub fn flow(self, place: Position, at: Time) -> Flow {
        let free_kmh = (42.0 + 18.0 * self.of_place(12, place)).round();
        let busy = 0.5 + 0.3 * self.of_place(13, place) + 0.15 * self.drift_at(14, place, at, 1);
        let rain = (self.weather(place, at).rain_mm / 8.0).min(0.25);
        let lost = (0.08 + busy * rush(solar_hour(place, at)) + rain).clamp(0.0, 0.88);
        // A road in a hundred is closed for an hour or so.
        let closed = self.chance(15, key(place), at.0.div_euclid(HOUR_MS)) < 0.01;
        let current_kmh = if closed { 0.0 } else { (free_kmh * (1.0 - lost)).round().max(2.0) };
        Flow { free_kmh, current_kmh, closed }
    }

    /// The demand of a region in the hour that begins at `at`, and what was forecast a day ahead, MWh. One hour in a dozen or so
    /// takes the forecasters by surprise.
    pub fn power(self, region: &str, place: Position, at: Time) -> (f64, f64) {
        let size = 9000.0 + 11_000.0 * self.chance(16, text(region), 0);
        let hour = solar_hour(place, at);
        let awake = 0.78 + 0.2 * bump(hour, 12.0, 5.5) + 0.14 * bump(hour, 19.0, 2.2);
        let discomfort = (self.weather(place, at).temperature_c - 17.0).abs();
        let expected = size * awake * (1.0 + 0.012 * discomfort);
        let forecast = expected * (1.0 + 0.015 * self.drift(17, at, 5));
        let hour_index = at.0.div_euclid(HOUR_MS);
        let surprise = if self.chance(18, text(region), hour_index) < 0.08 { 0.075 } else { 0.0 };
        let demand = expected * (1.0 + surprise + 0.012 * (2.0 * self.chance(19, text(region), hour_index) - 1.0));
        (demand.round(), forecast.round())
    }

    /// Evenly in [0, 1), by what, whom and when.
    pub fn chance(self, what: u64, whom: u64, when: i64) -> f64 {
        let mixed = mix(mix(mix(self.seed ^ 0x5EED) ^ what) ^ whom) ^ (when as u64);
        (mix(mixed) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// In [-1, 1], smoothly over hours.
    fn drift(self, what: u64, at: Time, hours: i64) -> f64 {
        self.smooth(what, 0, at, hours)
    }

    /// As [`Self::drift`], for each place on its own.
    fn drift_at(self, what: u64, place: Position, at: Time, hours: i64) -> f64 {
        self.smooth(what, key(place), at, hours)
    }

    fn smooth(self, what: u64, whom: u64, at: Time, hours: i64) -> f64 {
        let step = hours * HOUR_MS;
        let (index, within) = (at.0.div_euclid(step), at.0.rem_euclid(step) as f64 / step as f64);
        let eased = within * within * (3.0 - 2.0 * within);
        let (from, to) = (self.chance(what, whom, index), self.chance(what, whom, index + 1));
        2.0 * (from + (to - from) * eased) - 1.0
    }

    /// In [-1, 1], for ever the same at a place.
    fn of_place(self, what: u64, place: Position) -> f64 {
        2.0 * self.chance(what, key(place), 0) - 1.0
    }
}

/// The hour of the day by the sun.
fn solar_hour(place: Position, at: Time) -> f64 {
    (at.0 as f64 / HOUR_MS as f64 + place.longitude / 15.0).rem_euclid(24.0)
}

/// How full the streets are, 0 to 1: the way to work, the way home, and between them.
fn rush(hour: f64) -> f64 {
    (0.95 * bump(hour, 8.2, 1.3) + bump(hour, 17.6, 1.8) + 0.45 * bump(hour, 12.8, 3.0)).min(1.0)
}

/// A bell around an hour of the day, 1 at its middle.
fn bump(hour: f64, middle: f64, width: f64) -> f64 {
    let off = (hour - middle + 12.0).rem_euclid(24.0) - 12.0;
    (-(off / width).powi(2) / 2.0).exp()
}

/// A place as a number; some ten metres are one place.
fn key(place: Position) -> u64 {
    let whole = |degrees: f64| (degrees * 10_000.0).round() as i64 as u64;
    mix(whole(place.latitude)) ^ whole(place.longitude)
}

/// A text as a number.
pub fn text(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| mix(hash ^ u64::from(byte)))
}

/// The finaliser of splitmix64.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
