//! The feeds by name, and how often each is asked at most.

use std::time::Duration;

use super::budget::Account;

/// Which API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedId {
    /// Weather from Open-Meteo.
    OpenMeteoWeather,
    /// Air quality from Open-Meteo.
    OpenMeteoAir,
    /// Weather from OpenWeather.
    OpenWeather,
    /// Traffic from TomTom.
    TomTom,
    /// Power demand from EIA.
    Eia,
    /// 311 calls from a Socrata portal.
    Socrata,
}

/// Whether an API is asked about places or about cities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once for each zone, at its centre.
    Zone,
    /// Once for the city.
    City,
}

const MINUTE: Duration = Duration::from_secs(60);

impl FeedId {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::OpenMeteoWeather, Self::OpenMeteoAir, Self::OpenWeather, Self::TomTom, Self::Eia, Self::Socrata];

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenMeteoWeather => "open-meteo-weather",
            Self::OpenMeteoAir => "open-meteo-air",
            Self::OpenWeather => "openweather",
            Self::TomTom => "tomtom",
            Self::Eia => "eia",
            Self::Socrata => "socrata",
        }
    }

    /// `source` of its messages, without what marks simulated ones.
    pub const fn source(self) -> &'static str {
        match self {
            Self::OpenMeteoWeather | Self::OpenMeteoAir => "open-meteo",
            Self::OpenWeather => "openweather",
            Self::TomTom => "tomtom",
            Self::Eia => "eia",
            Self::Socrata => "socrata",
        }
    }

    /// `source` of its messages.
    pub fn source_of(self, simulated: bool) -> String {
        let source = self.source();
        if simulated { format!("{source}-simulated") } else { source.to_owned() }
    }

    /// Whether it is asked once a zone or once a city.
    pub const fn scope(self) -> Scope {
        match self {
            Self::OpenMeteoWeather | Self::OpenMeteoAir | Self::OpenWeather | Self::TomTom => Scope::Zone,
            Self::Eia | Self::Socrata => Scope::City,
        }
    }

    /// Whose limits its calls count against.
    pub const fn account(self) -> Account {
        match self {
            Self::OpenMeteoWeather | Self::OpenMeteoAir => Account::OpenMeteo,
            Self::OpenWeather => Account::OpenWeather,
            Self::TomTom => Account::TomTom,
            Self::Eia => Account::Eia,
            Self::Socrata => Account::Socrata,
        }
    }

    /// The least time between two calls about one zone (or city). It is stretched where the zones are so many that the
    /// account's budget would not do.
    pub const fn interval(self) -> Duration {
        match self {
            // Open-Meteo's current weather changes every 15 minutes.
            // An hour's demand appears some time in the hour or two after it.
            Self::OpenMeteoWeather | Self::OpenWeather | Self::Eia | Self::Socrata => {
                Duration::from_secs(15 * MINUTE.as_secs())
            }
            // Its air quality, an hourly model, once an hour.
            Self::OpenMeteoAir => Duration::from_secs(60 * MINUTE.as_secs()),
            // Flow changes by the minute; the free tier allows less.
            Self::TomTom => Duration::from_secs(10 * MINUTE.as_secs()),
        }
    }
}
