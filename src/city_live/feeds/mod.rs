//! The web APIs, one file each, and the one HTTP client that they share.
//!
//! A feed knows how its API is asked and what its answers say: it makes a [`Request`] and reads a body into [`Message`]s. It
//! calls nobody. [`Client`] calls: it keeps to time-outs, retries, budgets, circuit breakers and the cache, for all feeds
//! alike. When who is asked is decided by `producer`.
//!
//! What is read is what was asked for; a reply of another form is an error that names the field, so that an API's change is
//! seen in the log and not as silently missing data.

use super::{
    catalogue::{LiveCity, Zone},
    message::{Message, Payload},
};
use crate::twin::time::Time;

mod breaker;
mod budget;
mod cache;
mod client;
mod eia;
mod id;
mod open_meteo;
mod open_meteo_air;
mod open_meteo_weather;
mod openweather;
mod read;
mod request;
mod retry;
mod socrata;
mod switchboard;
#[cfg(test)]
mod tests;
mod tomtom;

pub use breaker::{Breaker, BreakerState};
pub use budget::{Account, Budget, Ledger};
pub use client::{CallError, Called, Client, Limits};
pub use eia::Eia;
pub use id::{FeedId, Scope};
pub use open_meteo_air::OpenMeteoAir;
pub use open_meteo_weather::OpenMeteoWeather;
pub use openweather::OpenWeather;
pub use read::ReadError;
pub use request::{Request, endpoint, is_loopback};
pub use socrata::Socrata;
pub use switchboard::switched_on;
pub use tomtom::TomTom;

/// Whom a feed is asked about, and when.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The city.
    pub city: &'a LiveCity,
    /// The zone; `None` for feeds of whole cities.
    pub zone: Option<&'a Zone>,
    /// The wall clock.
    pub now: Time,
    /// The newest `ts` that this feed has already told of the same city and zone.
    pub since: Option<Time>,
}

impl Ask<'_> {
    /// A message about whom was asked.
    pub fn message(&self, ts: Time, source: &str, payload: Payload) -> Message {
        Message {
            city_id: self.city.id.clone(),
            zone_id: self.zone.map(|zone| zone.id.clone()),
            ts,
            source: source.to_owned(),
            payload,
        }
    }
}

/// One web API.
pub trait Feed: Send + Sync {
    /// Which one.
    fn id(&self) -> FeedId;

    /// Whether the API knows anything of this city.
    fn serves(&self, city: &LiveCity) -> bool {
        let _ = city;
        true
    }

    /// What to send. `None` where there is nobody to ask about.
    fn request(&self, ask: &Ask<'_>) -> Option<Request>;

    /// What the body of a 200 says.
    ///
    /// # Errors
    /// Where it has not the form that was asked for, with the field.
    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError>;
}
