//! The plan over simulated days; the producer against simulated APIs and the embedded broker.

mod flow;
mod planning;
