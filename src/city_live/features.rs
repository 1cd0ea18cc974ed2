//! Named numbers: what is known of a zone in an hour.

use std::{borrow::Cow, fmt, ops::Index};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Names, each with its unit in it (`temperature_c`), and values, in the order of the names. A list and not a map, because a run over a
/// large city reads some hundred thousand of them.
#[derive(Clone, Default, PartialEq)]
pub struct Features(Vec<(Name, f64)>);

/// A feature's name. Those that City Live itself gives take no memory of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Cow<'static, str>);

/// The names that City Live gives, in order.
const KNOWN: [&str; 17] = [
    "apparent_temperature_c",
    "calls_311",
    "congestion_ratio",
    "current_speed_kmh",
    "demand_mwh",
    "european_aqi",
    "forecast_mwh",
    "humidity_pct",
    "no2_ugm3",
    "o3_ugm3",
    "pm10_ugm3",
    "pm2_5_ugm3",
    "precipitation_mm",
    "pressure_hpa",
    "temperature_c",
    "us_aqi",
    "wind_speed_ms",
];

impl Name {
    fn known(name: &str) -> Option<Self> {
        KNOWN.binary_search(&name).ok().map(|at| Self(Cow::Borrowed(KNOWN[at])))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self::known(name).unwrap_or_else(|| Self(Cow::Owned(name.to_owned())))
    }
}

impl Features {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.find(name).copied()
    }

    fn find(&self, name: &str) -> Option<&f64> {
        self.0.iter().find(|(own, _)| own.as_str() == name).map(|(_, value)| value)
    }

    /// Whether it has a value of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Puts a value over the one of its name.
    pub fn insert(&mut self, name: impl Into<Name>, value: f64) {
        let name = name.into();
        match self.0.binary_search_by(|(own, _)| own.cmp(&name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

impl Index<&str> for Features {
    type Output = f64;

    fn index(&self, name: &str) -> &f64 {
        self.find(name).unwrap_or_else(|| panic!("no feature {name} in {self:?}"))
    }
}

impl IntoIterator for Features {
    type Item = (Name, f64);
    type IntoIter = std::vec::IntoIter<(Name, f64)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<Name>> Extend<(N, f64)> for Features {
    fn extend<I: IntoIterator<Item = (N, f64)>>(&mut self, values: I) {
        values.into_iter().for_each(|(name, value)| self.insert(name, value));
    }
}

impl<N: Into<Name>> FromIterator<(N, f64)> for Features {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(values: I) -> Self {
        let mut features = Self::new();
        features.extend(values);
        features
    }
}

impl<N: Into<Name>, const COUNT: usize> From<[(N, f64); COUNT]> for Features {
    fn from(values: [(N, f64); COUNT]) -> Self {
        values.into_iter().collect()
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> de::Visitor<'de> for Values {
            type Value = Features;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("features: names and numbers")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Features, A::Error> {
                let mut features = Features(Vec::with_capacity(map.size_hint().unwrap_or(4)));
                while let Some((name, value)) = map.next_entry::<Name, f64>()? {
                    features.insert(name, value);
                }
                Ok(features)
            }
        }

        deserializer.deserialize_map(Values)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a feature's name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name::from(name))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_kept_and_written_in_the_order_of_their_names() {
        assert!(KNOWN.is_sorted());
        let mut features = Features::from([("us_aqi", 3.0), ("zebras", 1.0), ("aardvarks", 2.0), ("us_aqi", 4.0)]);
        assert_eq!(serde_json::to_string(&features).unwrap(), r#"{"aardvarks":2.0,"us_aqi":4.0,"zebras":1.0}"#);
        let read = r#"{"zebras":1.0,"us_aqi":3.0,"aardvarks":2,"us_aqi":4.0}"#;
        assert_eq!(serde_json::from_str::<Features>(read).unwrap(), features);
        assert_eq!((features.get("zebras"), features.get("zebra"), features["aardvarks"]), (Some(1.0), None, 2.0));
        features.extend([("calls_311", 0.0)]);
        let names: Vec<&str> = features.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["aardvarks", "calls_311", "us_aqi", "zebras"]);
    }
}
