//! What the raw values of a city mean: features, a forecast of demand, what is unusual, risk, advice and alerts, for each zone.
//!
//! ```text
//! archive ─► Inputs ─► process() ─► Processed ─► archive
//! ```
//!
//! Everything but [`run()`] is pure: no clock, no I/O; times come in as values. [`run()`] only reads the archive and asks the
//! models. No API is ever called from here. Every formula, with its units and cases computed by hand, stands in
//! `docs/city-live.md`; the tests run those cases.

pub mod advice;
pub mod alerts;
pub mod anomaly;
pub mod backtest;
pub mod features;
pub mod forecast;
pub mod freshness;
pub mod history;
pub mod risk;
pub mod rules;
pub mod run;
pub mod series;

mod job;
#[cfg(test)]
mod tests;

pub use history::History;
pub use job::{Inputs, ModelRun, run_id};
pub use rules::Rules;
pub use run::{Made, run};
