//! City Live: what web APIs say of a city's zones (weather, air, traffic, power demand, 311 calls), with a forecast, a risk and
//! advice for each zone.
//!
//! ```text
//! web API ─► feeds ─► producer ─► Kafka ─► consumer ─► archive ─► process ─► archive ─► graphql, http
//! ```
//!
//! Only the producer ever calls an API. Everything else reads what it sent through Kafka: that is why data is there before
//! people come. The twin knows nothing of City Live and never waits for it.

pub mod archive;
pub mod board;
pub mod catalogue;
mod clock;
pub mod consumer;
pub mod features;
pub mod feed_page;
pub mod feeds;
mod live;
pub mod message;
pub mod models;
mod parallel;
pub mod process;
pub mod producer;
#[cfg(test)]
pub(crate) mod samples;
pub mod service;
pub mod simulated;

pub use clock::{HOUR_MS, now};
pub use live::{CityLive, Done, Job, OperationError, Process, Run, Status};
