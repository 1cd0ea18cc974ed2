//! What only the writer does: lease, flush, dead letters, import, removal.

mod operator;

pub use operator::{Command, ImportReport, OperationError, Operator};
