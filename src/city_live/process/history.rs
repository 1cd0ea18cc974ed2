//! The hourly features of a city as a run looks at them: by zone and name, hour after hour.
//!
//! Only who holds the archive's lease writes hourly features. So it need not read them for each run: it keeps those it has read, and
//! puts in what it writes (`CityLive`). A thousand zones with two weeks of a dozen features take some 32 MB.

use std::collections::HashMap;

use super::series::{Series, hour_number};
use crate::city_live::{
    archive::FeatureHour,
    features::{Features, Name},
    parallel::on_all_cores,
};

/// Zones that are worth a thread of their own.
const ZONES_A_THREAD: usize = 20;

/// The features of one city in a span of hours.
#[derive(Clone, Debug, Default)]
pub struct History {
    city_id: String,
    /// The first hour and the last one, as numbers.
    hours: (i64, i64),
    /// By zone (`""`: the city).
    zones: HashMap<String, Columns>,
    /// Whether there is a later hour, which is not in here.
    later: bool,
}

/// A zone's features, in the order of their names.
#[derive(Clone, Debug, Default)]
struct Columns(Vec<(Name, Series)>);

impl Columns {
    fn get(&self, name: &str) -> Option<&Series> {
        self.0.iter().find(|(own, _)| own.as_str() == name).map(|(_, series)| series)
    }

    fn put(&mut self, hour: i64, values: &Features) {
        // Both are in the order of the names.
        let mut at = 0;
        for (name, value) in values.iter() {
            at += self.0[at..].iter().take_while(|(own, _)| own.as_str() < name).count();
            if self.0.get(at).is_none_or(|(own, _)| own.as_str() != name) {
                self.0.insert(at, (name.into(), Series::default()));
            }
            self.0[at].1.put(hour, value);
        }
    }
}

impl History {
    /// Of the hours from `first` to `last` (numbers), without any yet.
    pub fn new(city_id: &str, first: i64, last: i64) -> Self {
        Self { city_id: city_id.to_owned(), hours: (first, last), ..Self::default() }
    }

    /// The same with the city's documents. It takes all cores for some tenths of a second where these are many.
    pub fn of(city_id: &str, first: i64, last: i64, documents: &[FeatureHour]) -> Self {
        let zones: Vec<&[FeatureHour]> = documents.chunk_by(|a, b| a.zone_id == b.zone_id).collect();
        let parts = on_all_cores(&zones, ZONES_A_THREAD, |documents| {
            let mut part = Self::new(city_id, first, last);
            part.extend(*documents);
            part
        });
        let mut all = Self::new(city_id, first, last);
        for part in parts {
            all.later |= part.later;
            for (zone, columns) in part.zones {
                match all.zones.get_mut(&zone) {
                    None => _ = all.zones.insert(zone, columns),
                    Some(known) => columns.0.iter().for_each(|(name, series)| {
                        series.known().for_each(|(hour, value)| known.put(hour, &[(name.as_str(), value)].into()));
                    }),
                }
            }
        }
        all
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
            self.zones.insert(zone.to_owned(), Columns::default());
        }
        if let Some(columns) = self.zones.get_mut(zone) {
            columns.put(hour, &document.values);
        }
    }

    /// The same for the hours from `first` to `last`. `None`: it does not hold all of them, or is of another city.
    pub fn moved(mut self, city_id: &str, first: i64, last: i64) -> Option<Self> {
        if self.city_id != city_id || first < self.hours.0 || last < self.hours.1 || self.later {
            return None;
        }
        self.hours = (first, last);
        self.zones.retain(|_, columns| {
            columns.0.retain_mut(|(_, series)| {
                series.drop_before(first);
                series.last().is_some()
            });
            !columns.0.is_empty()
        });
        Some(self)
    }

    /// A feature of a zone (`""`: the city).
    pub fn series(&self, zone: &str, name: &str) -> Option<&Series> {
        self.zones.get(zone)?.get(name)
    }

    /// All that is known of a zone in an hour.
    pub fn at(&self, zone: &str, hour: i64) -> Features {
        let all = self.zones.get(zone).into_iter().flat_map(|columns| &columns.0);
        all.filter_map(|(name, series)| Some((name.clone(), series.get(hour)?))).collect()
    }
}

impl<'a> Extend<&'a FeatureHour> for History {
    fn extend<I: IntoIterator<Item = &'a FeatureHour>>(&mut self, documents: I) {
        documents.into_iter().for_each(|document| self.put(document));
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
    fn read_at_once_or_one_by_one_it_is_the_same() {
        let zones = ["a", "b", "", "c", "a", "d"].into_iter().chain(["e"; 50]);
        let documents = zones.enumerate().flat_map(|(n, zone)| {
            let zone = Some(zone).filter(|zone| !zone.is_empty());
            (100..130).map(move |hour| {
                let name = ["us_aqi", "calls_311", "temperature_c"][(n + hour as usize) % 3];
                document("x", zone, hour, &[(name, n as f64), ("demand_mwh", hour as f64)])
            })
        });
        let documents: Vec<_> = documents.collect();
        let mut one_by_one = History::new("x", 101, 128);
        one_by_one.extend(&documents);
        let at_once = History::of("x", 101, 128, &documents);
        for zone in ["", "a", "b", "c", "d", "e"] {
            for hour in 100..130 {
                assert_eq!(at_once.at(zone, hour), one_by_one.at(zone, hour), "{zone} {hour}");
            }
        }
        assert!(
            at_once.later && at_once.at("a", 100) == Features::new() && at_once.at("a", 101)["demand_mwh"] == 101.0
        );
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
