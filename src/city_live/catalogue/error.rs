//! What can be wrong with a catalogue.

use std::fmt;

/// Why a catalogue was refused. One line, which names the place, the field, the value and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// A file that cannot be read, or is neither TOML nor GeoJSON.
    #[error("{file}: {reason}")]
    File {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A value that is not accepted.
    #[error("{place}: {field}: {value} is not accepted; accepted is {accepted}")]
    Value {
        /// Which file, city and zone.
        place: Box<Place>,
        /// Which field.
        field: String,
        /// The value, on one line.
        value: String,
        /// What is accepted, in words.
        accepted: String,
    },
    /// A field that has to be there.
    #[error("{place}: {field} is missing; accepted is {accepted}")]
    Missing {
        /// Which file, city and zone.
        place: Box<Place>,
        /// Which field.
        field: String,
        /// What is accepted, in words.
        accepted: String,
    },
    /// A key that means nothing here.
    #[error("{place}: {field} is no field of it; accepted are {accepted}")]
    Unknown {
        /// Which file, city and zone.
        place: Box<Place>,
        /// The key.
        field: String,
        /// The fields that there are.
        accepted: String,
    },
}

impl CatalogueError {
    /// A file that cannot be used.
    pub(super) fn file(file: &str, reason: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), reason: reason.into().replace(['\n', '\r'], " ") }
    }
}

/// Where in a catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The city's id, or its number where it has none yet.
    pub city: Option<String>,
    /// The zone's id, or its number where it has none yet.
    pub zone: Option<String>,
}

impl Place {
    /// In this file.
    pub(super) fn file(file: &str) -> Self {
        Self { file: file.to_owned(), city: None, zone: None }
    }

    /// In this city of it.
    pub(super) fn city(&self, city: impl Into<String>) -> Self {
        Self { city: Some(city.into()), ..self.clone() }
    }

    /// In this zone of the city.
    pub(super) fn zone(&self, zone: impl Into<String>) -> Self {
        Self { zone: Some(zone.into()), ..self.clone() }
    }

    /// A value that is not accepted here.
    pub(super) fn refuse(&self, field: &str, value: impl fmt::Display, accepted: impl Into<String>) -> CatalogueError {
        /// A polygon is long; its beginning tells which it is.
        const LONGEST: usize = 120;
        let value = value.to_string().replace(['\n', '\r'], " ");
        let cut = match value.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value,
        };
        CatalogueError::Value {
            place: Box::new(self.clone()),
            field: field.to_owned(),
            value: cut,
            accepted: accepted.into(),
        }
    }

    /// A field that is not there.
    pub(super) fn lacks(&self, field: &str, accepted: impl Into<String>) -> CatalogueError {
        CatalogueError::Missing { place: Box::new(self.clone()), field: field.to_owned(), accepted: accepted.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(city) = &self.city {
            write!(f, ": city {city}")?;
        }
        self.zone.as_ref().map_or(Ok(()), |zone| write!(f, ", zone {zone}"))
    }
}
