//! Which feeds are on.

use std::sync::Arc;

use super::{Eia, Feed, OpenMeteoAir, OpenMeteoWeather, OpenWeather, Socrata, TomTom};
use crate::config::{CityLiveConfig, ConfigError};

/// The feeds that the settings switch on. One that needs a key and has none is off, and says so here, once.
///
/// `simulated` says that the URLs lead to the program's own simulated APIs: the messages' `source` then ends with
/// `-simulated`.
///
/// # Errors
/// Where a URL of the settings is none.
pub fn switched_on(config: &CityLiveConfig, simulated: bool) -> Result<Vec<Arc<dyn Feed>>, ConfigError> {
    let mut feeds: Vec<Arc<dyn Feed>> = vec![
        Arc::new(OpenMeteoWeather::new(config, simulated)?),
        Arc::new(OpenMeteoAir::new(config, simulated)?),
        Arc::new(Socrata::new(config, simulated)?),
    ];
    let off = |feed: &str, setting: &str| tracing::info!(feed, setting, "feed is off: it has no key");
    match OpenWeather::new(config, simulated)? {
        Some(feed) => feeds.push(Arc::new(feed)),
        None => off("openweather", "OPENWEATHER_API_KEY"),
    }
    match TomTom::new(config, simulated)? {
        Some(feed) => feeds.push(Arc::new(feed)),
        None => off("tomtom", "TOMTOM_API_KEY"),
    }
    match Eia::new(config, simulated)? {
        Some(feed) => feeds.push(Arc::new(feed)),
        None => off("eia", "EIA_API_KEY"),
    }
    Ok(feeds)
}
