//! citytwin keeps a whole city as one live state: nine Kafka topics come in on the left, and Redis, the state
//! topics and GraphQL subscribers are served on the right.
//!
//! ```text
//! Kafka record ─► ingest ─► Event ─► twin ─► ChangeSet ─┬─► store    every flush, together with the offsets
//!                                                       ├─► publish  at boundaries: delta, then full
//!                                                       └─► live     what each subscriber looks at ─► graphql ─► socket
//! ```
//!
//! # Layout
//!
//! The modules stand in reading order, and a module uses only those above it (`tests/house_rules.rs` checks that).
//! `ARCHITECTURE.md` tells why; `docs/` tells users how.

pub mod twin;

pub mod config;

pub mod telemetry;

pub mod kafka;

pub mod store;

pub mod ingest;

pub mod writer;

pub mod publish;

pub mod instance;

pub mod live;

pub mod recording;

pub mod simulator;

pub mod city_live;

pub mod graphql;

pub mod http;

pub mod app;

pub mod cli;
