//! The day's rhythm: how the hour moves traffic, people, air and weather. Pure functions of the moment and a hash.

/// A local moment in L'Aquila, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime {
    /// Hours since midnight, with their fraction, in [0, 24).
    pub hour: f64,
    /// Saturday or Sunday.
    pub weekend: bool,
    /// Share of the year that has gone, in [0, 1).
    pub year: f64,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant's `civil_from_days`).
pub fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// How far local time is ahead of UTC: an hour, and two from the last Sunday of March to the last of October, 01:00 UTC
/// (directive 2000/84/EC).
fn local_offset_ms(utc_ms: i64) -> i64 {
    let days = utc_ms.div_euclid(DAY_MS);
    let (_, month, day) = civil(days);
    let weekday = (days + 4).rem_euclid(7); // 1970-01-01 was a Thursday; 0 is Sunday
    let last_sunday_came = i64::from(day) - weekday >= 25;
    let early = weekday == 0 && day >= 25 && utc_ms.rem_euclid(DAY_MS) < HOUR_MS;
    let summer = match month {
        4..=9 => true,
        3 => last_sunday_came && !early,
        10 => !last_sunday_came || early,
        _ => false,
    };
    if summer { 2 * HOUR_MS } else { HOUR_MS }
}

impl LocalTime {
    /// The local moment of `utc_ms` milliseconds since 1970.
    pub fn at(utc_ms: i64) -> Self {
        let local = utc_ms + local_offset_ms(utc_ms);
        let days = local.div_euclid(DAY_MS);
        let (_, month, day) = civil(days);
        Self {
            hour: local.rem_euclid(DAY_MS) as f64 / HOUR_MS as f64,
            weekend: matches!((days + 4).rem_euclid(7), 0 | 6),
            year: (f64::from(month - 1) * 30.44 + f64::from(day)) / 366.0,
        }
    }

    /// A bump of height 1 around `hour`, `width` hours to each side, over midnight too.
    fn bump(&self, hour: f64, width: f64) -> f64 {
        let away = (self.hour - hour).abs();
        let away = away.min(24.0 - away) / width;
        (-away * away).exp()
    }

    /// Traffic demand, 0.05 at night to about 1 in the rush hours of a working day (07:45 and 18:00, with noon between).
    pub fn demand(&self) -> f64 {
        let day = 0.5 * self.daylife();
        if self.weekend {
            return 0.06 + day + 0.22 * self.bump(11.5, 2.0) + 0.3 * self.bump(18.5, 2.5);
        }
        (0.05 + day + 0.62 * self.bump(7.75, 0.9) + 0.2 * self.bump(13.2, 1.0) + 0.52 * self.bump(18.0, 1.3)).min(1.05)
    }

    /// How awake the city is: near 0 at four in the morning, 1 by day.
    pub fn daylife(&self) -> f64 {
        let rise = 1.0 / (1.0 + (-(self.hour - 6.8) * 2.2).exp());
        let fall = 1.0 / (1.0 + (-(22.4 - self.hour) * 1.5).exp());
        rise * fall
    }

    /// Share of working people that are at work, [0, 1].
    pub fn at_work(&self) -> f64 {
        if self.weekend {
            return 0.06 * self.daylife();
        }
        let present = 1.0 / (1.0 + (-(self.hour - 8.4) * 3.0).exp()) / (1.0 + (-(18.1 - self.hour) * 2.5).exp());
        (present * (1.0 - 0.35 * self.bump(13.3, 0.6))).max(0.02)
    }

    /// Share of residents that are at home, [0, 1].
    pub fn at_home(&self) -> f64 {
        0.95 - 0.62 * self.at_work() - 0.18 * self.bump(20.5, 1.8)
    }

    /// Share of a school's places that are taken, [0, 1].
    pub fn at_school(&self) -> f64 {
        if self.weekend {
            return 0.01;
        }
        let present = 1.0 / (1.0 + (-(self.hour - 8.1) * 6.0).exp()) / (1.0 + (-(13.7 - self.hour) * 3.0).exp());
        present.max(0.01)
    }

    /// Share of a shop's places that are taken: late morning and late afternoon, [0, 1].
    pub fn at_shops(&self) -> f64 {
        (0.02 + 0.55 * self.bump(11.2, 1.6) + (if self.weekend { 0.85 } else { 0.7 }) * self.bump(17.9, 1.7)).min(1.0)
    }

    /// Air temperature in degrees Celsius in the valley at 714 m: cold winters, warm summer afternoons.
    pub fn temperature(&self) -> f64 {
        let season = -(std::f64::consts::TAU * (self.year - 0.055)).cos();
        let afternoon = (std::f64::consts::TAU * (self.hour - 9.0) / 24.0).sin();
        12.3 + 9.6 * season + (4.2 + 1.6 * season) * afternoon
    }
}

/// A well-mixed 64-bit hash of two numbers (the finaliser of `SplitMix64`).
pub fn hash(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_add(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A hash as a number in [0, 1).
pub fn unit(a: u64, b: u64) -> f64 {
    (hash(a, b) >> 11) as f64 / (1u64 << 53) as f64
}

/// A smooth random curve over time in [-1, 1], new every `period_ms`, for whoever holds `who`.
pub fn wander(who: u64, at_ms: i64, period_ms: i64) -> f64 {
    let step = at_ms.div_euclid(period_ms);
    let share = at_ms.rem_euclid(period_ms) as f64 / period_ms as f64;
    let smooth = share * share * (3.0 - 2.0 * share);
    let (a, b) = (unit(who, step as u64), unit(who, (step + 1) as u64));
    2.0 * (a + (b - a) * smooth) - 1.0
}
