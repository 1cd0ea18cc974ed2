//! The life of an instance: a replica that folds and answers, a writer that also flushes and publishes, and the one
//! way between the two and back from a crash: take the token, load, fold to the present, swap (contract, section 2,
//! rule 10).

mod health;
mod life;
mod restart;
mod writing;

pub use health::{Fault, Health, Trouble};
pub use life::{Instance, Parts};
