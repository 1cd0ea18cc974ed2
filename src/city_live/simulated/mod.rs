//! Simulated web APIs for the demo and for tests: an HTTP server on loopback that speaks the formats of all the APIs that the
//! [feeds](super::feeds) know, with a seeded, plausible day, and that fails now and then as real ones do. The same client,
//! parsing and retries are at work as with the real APIs.
//!
//! `day.rs` is that day, as a function of place and moment; `calls.rs` its 311 calls; `answers.rs` puts both into the APIs' JSON;
//! `server.rs` serves it; `faults.rs` says which request fails.
//!
//! [`Simulated::redirect`] points the settings of a process here. Whoever does that says so to the producer, too
//! (`simulated: true`), and the `source` of all messages ends with `-simulated`.

mod answers;
mod calls;
mod day;
mod faults;
mod server;
#[cfg(test)]
mod tests;

pub use server::{Simulated, SimulatedOptions};
