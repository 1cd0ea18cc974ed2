//! What the process tells of itself: logs on standard error and metrics in Prometheus' text form.
//!
//! Every metric stands once in [`METRICS`]; others reach it by a function whose arguments are its labels, so that
//! neither a name nor a label can be mistyped. The handles are cheap to use and to clone (one atomic operation), and
//! cheap enough to ask for once a batch; loops keep them ([`TopicMetrics`]).

mod docs;
mod instruments;
mod labels;
mod logs;
mod once_a_second;
mod process;
mod registry;
mod table;
#[cfg(test)]
mod tests;

pub use docs::metrics_page;
pub use instruments::*;
pub use labels::{
    CallOutcome, Degraded, FlushFailure, GraphqlOutcome, Operation, Outcome, Published, Store, Transport,
};
pub use logs::init_logs;
pub use once_a_second::{OncePerSecond, Throttle};
pub use registry::{Known, announce, render};
pub use table::{Kind, METRICS, Metric, names};
