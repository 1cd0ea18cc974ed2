//! How state goes out: boundaries, deltas and fulls.

mod chain;

pub use chain::{Chain, Incremental, Published, Since};
