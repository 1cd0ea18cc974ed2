//! City Live: cities, their zones, what came in, and what was made of it. One file per topic.

mod alert;
mod args;
mod changes;
mod city;
mod feed;
mod follow;
mod history;
mod mutation;
mod output;
mod processed;
mod query;
mod raw;
mod source;
mod subscription;
mod zone;

#[cfg(test)]
mod tests;

pub use mutation::CityLiveMutation;
pub use query::CityLiveQueries;
pub use subscription::CityLiveSubscription;
pub use zone::{LiveZone, zones_of_district};
