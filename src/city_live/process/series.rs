//! Hours: which hour a moment belongs to, what that hour is called in the city, and values by hour.

use jiff::{Timestamp, tz::TimeZone};

pub use crate::city_live::clock::{HOUR_MS, hour_number, hour_start};

/// The hour of day (0 to 23) of each hour in a city, and whether its day is a Saturday or Sunday. Looked up once for a range of hours,
/// for a run asks for the same ones in every zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    first: i64,
    hours: Vec<(u8, bool)>,
}

impl Calendar {
    /// For the hours `first` to `last` (numbers) in an IANA time zone. A zone that this machine does not know counts as UTC: the
    /// catalogue's check refuses such a city before.
    pub fn new(time_zone: &str, first: i64, last: i64) -> Self {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let hours = (first..=last).map(|number| local(&zone, number)).collect();
        Self { zone, first, hours }
    }

    /// The hour of day, 0 to 23.
    pub fn hour_of_day(&self, number: i64) -> usize {
        usize::from(self.at(number).0)
    }

    /// Whether the hour's day is a Saturday or Sunday.
    pub fn is_weekend(&self, number: i64) -> bool {
        self.at(number).1
    }

    fn at(&self, number: i64) -> (u8, bool) {
        let place = number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.hours.get(place).copied()).unwrap_or_else(|| local(&self.zone, number))
    }
}

fn local(zone: &TimeZone, number: i64) -> (u8, bool) {
    let Ok(moment) = Timestamp::from_millisecond(hour_start(number).0) else { return (0, false) };
    let local = zone.to_datetime(moment);
    (local.hour().unsigned_abs(), local.weekday().to_monday_one_offset() > 5)
}

/// Values by hour, dense from `first` on; not a number: there is none.
#[derive(Clone, Debug, Default)]
pub struct Series {
    first: i64,
    values: Vec<f64>,
}

impl Series {
    /// Of pairs of an hour's number and a value, in any order; of the same hour the later pair holds. What is not finite is left out.
    pub fn new(pairs: impl IntoIterator<Item = (i64, f64)>) -> Self {
        let mut series = Self::default();
        pairs.into_iter().for_each(|(hour, value)| series.put(hour, value));
        series
    }

    /// Puts a value in the place of the hour's, unless it is not finite. Hours must lie within some months of each other: all between
    /// them take memory.
    pub fn put(&mut self, hour: i64, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.values.is_empty() {
            self.first = hour;
        }
        if hour < self.first {
            self.values.splice(0..0, (hour..self.first).map(|_| f64::NAN));
            self.first = hour;
        }
        let place = (hour - self.first) as usize;
        if place >= self.values.len() {
            self.values.resize(place + 1, f64::NAN);
        }
        self.values[place] = value;
    }

    /// Forgets the hours before `hour`.
    pub fn drop_before(&mut self, hour: i64) {
        let count = usize::try_from(hour.saturating_sub(self.first)).unwrap_or(0).min(self.values.len());
        self.values.drain(..count);
        self.first += count as i64;
    }

    /// The value of an hour.
    pub fn get(&self, hour: i64) -> Option<f64> {
        let place = usize::try_from(hour.checked_sub(self.first)?).ok()?;
        self.values.get(place).copied().filter(|value| value.is_finite())
    }

    /// The newest hour that has a value.
    pub fn last(&self) -> Option<i64> {
        self.values.iter().rposition(|value| value.is_finite()).map(|place| self.first + place as i64)
    }

    /// The hours that have a value, ascending, with it.
    pub fn known(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        (self.first..).zip(self.values.iter().copied()).filter(|(_, value)| value.is_finite())
    }

    /// Every value times `factor`.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { first: self.first, values: self.values.iter().map(|value| value * factor).collect() }
    }

    /// The `length` values that end with the hour `last`. Up to one in twenty may be missing: such an hour takes the value of the hour
    /// before it. `None`: more are missing, or the first or last one is.
    pub fn window(&self, last: i64, length: usize) -> Option<Vec<f64>> {
        let mut window: Vec<f64> = Vec::with_capacity(length);
        let mut missing = 0;
        self.get(last)?;
        for hour in last - length as i64 + 1..=last {
            let value = self.get(hour).or_else(|| {
                missing += 1;
                window.last().copied()
            })?;
            window.push(value);
        }
        (missing * 20 <= length).then_some(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin::time::Time;

    #[test]
    fn hours_of_day_follow_the_citys_clock() {
        let number = |text: &str| hour_number(Time::parse(text).unwrap());
        let first = number("2026-03-08T00:00:00Z");
        let new_york = Calendar::new("America/New_York", first, first + 24);
        // Winter time until 2026-03-08 07:00 UTC, then summer time: 02:00 is no hour there on that day.
        assert_eq!(new_york.hour_of_day(number("2026-03-08T06:30:00Z")), 1);
        assert_eq!(new_york.hour_of_day(number("2026-03-08T07:00:00Z")), 3);
        // Outside of the table, too.
        assert_eq!(new_york.hour_of_day(number("2026-07-01T12:00:00Z")), 8);
        assert!(new_york.is_weekend(number("2026-03-09T03:00:00Z")), "Sunday 23:00 in New York");
        assert!(!new_york.is_weekend(number("2026-03-09T04:00:00Z")), "Monday 00:00 in New York");
        assert_eq!(Calendar::new("Nowhere/Else", first, first).hour_of_day(first + 5), 5);
    }

    #[test]
    fn a_window_bears_few_holes_and_no_more() {
        let series = Series::new((0..40).filter(|hour| hour % 20 != 10).map(|hour| (hour, hour as f64)));
        let window = series.window(39, 40).unwrap();
        assert_eq!((window[9], window[10], window[11]), (9.0, 9.0, 11.0));
        assert_eq!(series.window(30, 3), None, "its last hour is missing");
        assert_eq!(series.window(39, 30), None, "its first hour is missing");
        assert_eq!(Series::new((0..40).filter(|hour| hour % 10 != 5).map(|hour| (hour, 1.0))).window(39, 40), None);
        assert_eq!(series.window(50, 3), None);
        assert_eq!((series.last(), Series::default().last()), (Some(39), None));
    }

    #[test]
    fn what_is_not_finite_is_left_out_and_the_later_value_holds() {
        let series = Series::new([(5, 1.0), (7, f64::NAN), (6, f64::INFINITY), (5, 2.0)]);
        assert_eq!(series.known().collect::<Vec<_>>(), [(5, 2.0)]);
        assert_eq!(series.scaled(0.5).get(5), Some(1.0));
    }

    #[test]
    fn hours_come_in_any_order_and_old_ones_go() {
        let mut series = Series::new([(5, 5.0), (2, 2.0), (9, 9.0), (3, 3.0)]);
        assert_eq!(series.known().collect::<Vec<_>>(), [(2, 2.0), (3, 3.0), (5, 5.0), (9, 9.0)]);
        assert_eq!((series.get(1), series.get(4), series.get(10)), (None, None, None));
        series.drop_before(1);
        series.drop_before(4);
        assert_eq!(series.known().collect::<Vec<_>>(), [(5, 5.0), (9, 9.0)]);
        series.drop_before(100);
        assert_eq!(series.last(), None);
        series.put(7, 7.0);
        assert_eq!(series.known().collect::<Vec<_>>(), [(7, 7.0)]);
    }
}
