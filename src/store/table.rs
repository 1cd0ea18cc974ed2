//! What a table is called in a store, and which table a name means.

use std::borrow::Cow;

use super::Table;

/// What stands before a district's id in the names of its tables.
const DISTRICT: &str = "district:";

impl Table {
    /// The tables that are not a district's, in the order of their documentation.
    pub(crate) const FIXED: [Self; 8] = [
        Self::City,
        Self::Offsets,
        Self::Removed,
        Self::Districts,
        Self::Buses,
        Self::Stations,
        Self::Incidents,
        Self::Units,
    ];

    /// The table's name: `city`, `district:<districtId>:sensors`. Unique, since no kind has a colon in it.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        let (district, kind) = match self {
            Self::City => return Cow::Borrowed("city"),
            Self::Offsets => return Cow::Borrowed("offsets"),
            Self::Removed => return Cow::Borrowed("removed"),
            Self::Districts => return Cow::Borrowed("districts"),
            Self::Buses => return Cow::Borrowed("buses"),
            Self::Stations => return Cow::Borrowed("stations"),
            Self::Incidents => return Cow::Borrowed("incidents"),
            Self::Units => return Cow::Borrowed("units"),
            Self::Sensors(district) => (district, "sensors"),
            Self::Buildings(district) => (district, "buildings"),
            Self::WeatherStations(district) => (district, "weather-stations"),
            Self::Nodes(district) => (district, "nodes"),
            Self::Edges(district) => (district, "edges"),
        };
        Cow::Owned(format!("{DISTRICT}{district}:{kind}"))
    }

    /// The table of a name; `None` where no table of this release is called so. A district's id may hold colons:
    /// the kind is what follows the last one.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let Some((district, kind)) = name.strip_prefix(DISTRICT).and_then(|rest| rest.rsplit_once(':')) else {
            return Self::FIXED.into_iter().find(|table| table.name() == name);
        };
        let district = district.to_owned();
        match kind {
            "sensors" => Some(Self::Sensors(district)),
            "buildings" => Some(Self::Buildings(district)),
            "weather-stations" => Some(Self::WeatherStations(district)),
            "nodes" => Some(Self::Nodes(district)),
            "edges" => Some(Self::Edges(district)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_its_table() {
        for table in Table::FIXED {
            assert_eq!(Table::from_name(&table.name()), Some(table));
        }
        for district in ["centro", "a:b", ":", "", "x:sensors", "{x}", "district:", "Città vecchia", "city"] {
            let id = || district.to_owned();
            let tables = [
                Table::Sensors(id()),
                Table::Buildings(id()),
                Table::WeatherStations(id()),
                Table::Nodes(id()),
                Table::Edges(id()),
            ];
            for table in tables {
                assert_eq!(Table::from_name(&table.name()), Some(table));
            }
        }
    }

    #[test]
    fn other_names_mean_nothing() {
        for name in ["", "token", "lease", "tables", "district:", "district:a", "district:a:trees", "Sensors"] {
            assert_eq!(Table::from_name(name), None, "{name}");
        }
    }
}
