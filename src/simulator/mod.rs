//! The demo city: a simulated L'Aquila, seeded, so that two runs are alike.
//!
//! [`DemoCity::laquila`] lays out five districts with their streets, buildings, stations and bus lines, and writes them as
//! a city file. [`Simulation`] brings that city to life: it yields, in the order of time, the events that the city's
//! systems would publish on the nine topics. Nothing in here reads a clock or does I/O: the moments come in as
//! milliseconds since 1970 (UTC), the events go out as values, and whoever runs it sends them to Kafka.
//!
//! What varies over the day (traffic, air, noise, temperature, occupancy, energy) is a function of the moment and a hash
//! of who asks (`rhythm.rs`, `conditions.rs`), not of what was asked before. So a bus can be planned half an hour ahead, and its
//! announced arrivals come true to the millisecond.

mod buildings;
mod city;
mod city_file;
mod conditions;
mod emergency;
mod events;
mod geo;
mod names;
mod network;
mod plan;
mod response;
mod rhythm;
mod routing;
mod sensors;
mod simulation;
mod streets;
mod transit;
mod write;

#[cfg(test)]
mod tests;

pub use city::DemoCity;
pub use events::{SimEvent, incident_number};
pub use response::Left;
pub use simulation::{Simulation, SimulationConfig};
