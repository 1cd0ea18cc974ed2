//! From Kafka records to a live city: poll, decode, apply.

mod fold;

pub use fold::Fold;
