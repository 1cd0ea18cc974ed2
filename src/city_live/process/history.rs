//! The hourly features of a city as a run looks at them: by zone and name, hour after hour.
//!
//! Only who holds the archive's lease writes hourly features. So it need not read them for each run: it keeps those it has read, and
//! puts in what it writes (`CityLive`). A thousand zones with two weeks of a dozen features take some 32 MB.

use std::collections::{BTreeMap, HashMap};

use super::series::{Series, hour_number};
use crate::city_live::{
    archive::FeatureHour,
    features::{Features, Name},
};

/// The features of one city in a span of hours.
#[derive(Clone, Debug, Default)]
pub struct History {
    city_id: String,
    /// The first hour and the last one, as numbers.
    hours: (i64, i64),
    /// By zone (`""`: the city).
    zones: HashMap<String, Zone>,
    /// Whether there is a later hour, which is not in here.
    later: bool,
}

#[derive(Clone, Debug, Default)]
struct Zone(BTreeMap<Name, Series>);

impl History {
    /// Of the hours from `first` to `last` (numbers), without any yet.
    pub fn new(city_id: &str, first: i64, last: i64) -> Self {
        Self { city_id: city_id.to_owned(), hours: (first, last), ..Self::default() }
    }

    /// The first hour that it is of: what stood in one before is not known here.
    pub fn first(&self) -> i64 {
        self.hours.0
    }

    /// Puts a document's values over those of its zone and hour. Those of another city and of hours outside the span are left out.
    pub fn put(&mut self, document: &FeatureHour) {
        let hour = hour_number(document.hour);
        if document.city_id != self.city_id || hour < self.hours.0 {
            return;
        }
        if hour > self.hours.1 {
            self.later = true;
            return;
        }
        let zone = document.zone_id.as_deref().unwrap_or_default();
        if !self.zones.contains_key(zone) {
            self.zones.insert(zone.to_owned(), Zone::default());
        }
        let Some(zone) = self.zones.get_mut(zone) else { return };
        for (name, value) in document.values.iter() {
            match zone.0.get_mut(name) {
                Some(series) => series.put(hour, value),
                None => zone.0.entry(name.into()).or_default().put(hour, value),
            }
        }
    }

    /// The same for the hours from `first` to `last`. `None`: it does not hold all of them, or is of another city.
    pub fn moved(mut self, city_id: &str, first: i64, last: i64) -> Option<Self> {
        if self.city_id != city_id || first < self.hours.0 || last < self.hours.1 || self.later {
            return None;
        }
        self.hours = (first, last);
        self.zones.retain(|_, zone| {
            zone.0.retain(|_, series| {
                series.drop_before(first);
                series.last().is_some()
            });
            !zone.0.is_empty()
        });
        Some(self)
    }

    /// A feature of a zone (`""`: the city).
    pub fn series(&self, zone: &str, name: &str) -> Option<&Series> {
        self.zones.get(zone)?.0.get(name)
    }

    /// All that is known of a zone in an hour.
    pub fn at(&self, zone: &str, hour: i64) -> Features {
        let all = self.zones.get(zone).into_iter().flat_map(|zone| &zone.0);
        all.filter_map(|(name, series)| Some((name.clone(), series.get(hour)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::series::hour_start, *};

    fn document(city: &str, zone: Option<&str>, hour: i64, values: &[(&str, f64)]) -> FeatureHour {
        FeatureHour {
            city_id: city.to_owned(),
            zone_id: zone.map(str::to_owned),
            hour: hour_start(hour),
            values: values.iter().copied().collect(),
        }
    }

    #[test]
    fn values_stand_over_older_ones_of_their_hour() {
        let mut history = History::new("a", 100, 200);
        history.put(&document("a", Some("z"), 150, &[("us_aqi", 1.0), ("calls_311", 2.0)]));
        history.put(&document("a", Some("z"), 150, &[("us_aqi", 3.0)]));
        history.put(&document("a", None, 150, &[("demand_mwh", 4.0)]));
        history.put(&document("b", Some("z"), 150, &[("us_aqi", 5.0)]));
        history.put(&document("a", Some("z"), 99, &[("us_aqi", 6.0)]));
        assert_eq!(history.at("z", 150), Features::from([("us_aqi", 3.0), ("calls_311", 2.0)]));
        assert_eq!(history.at("", 150), Features::from([("demand_mwh", 4.0)]));
        assert_eq!(history.at("z", 99), Features::new());
        assert_eq!(history.series("z", "us_aqi").unwrap().known().collect::<Vec<_>>(), [(150, 3.0)]);
        assert!(history.series("z", "demand_mwh").is_none() && history.series("y", "us_aqi").is_none());
    }

    #[test]
    fn it_moves_on_with_the_clock_as_long_as_it_holds_all_there_is() {
        let mut history = History::new("a", 100, 200);
        history.put(&document("a", Some("old"), 100, &[("us_aqi", 1.0)]));
        history.put(&document("a", Some("z"), 100, &[("us_aqi", 1.0)]));
        history.put(&document("a", Some("z"), 200, &[("us_aqi", 2.0)]));
        let moved = history.clone().moved("a", 101, 201).unwrap();
        assert_eq!((moved.at("z", 100), moved.at("z", 200)), (Features::new(), Features::from([("us_aqi", 2.0)])));
        assert_eq!((moved.first(), moved.zones.len()), (101, 1));
        assert!(history.clone().moved("b", 101, 201).is_none(), "another city");
        assert!(history.clone().moved("a", 99, 201).is_none(), "the clock went back");
        assert!(moved.moved("a", 101, 200).is_none(), "the clock went back");
        history.put(&document("a", Some("z"), 201, &[("us_aqi", 3.0)]));
        assert!(history.moved("a", 101, 201).is_none(), "an hour of the future was left out, and has come");
    }
}
