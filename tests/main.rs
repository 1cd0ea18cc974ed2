//! The tests that go through citytwin's public edges: one binary, one module for each behaviour.
//!
//! They run the real server (`CARGO_BIN_EXE_citytwin`) against a real Apache Kafka, Redis and the real JavaScript libraries.
//! `make test` fetches those; `cargo test` alone works once `scripts/setup test` has run.

mod common;

mod big_state;
mod broker_away;
mod chain;
mod city_live;
mod city_live_edges;
mod city_live_feeds;
mod city_live_path;
mod cli;
mod crash;
mod dead_letters;
mod demo;
mod embedded_broker;
mod failover;
mod harness;
mod house_rules;
mod http_edges;
mod kafka_security;
mod live_map;
mod map_subscription;
mod metrics_page;
mod partitions;
mod recorded_day;
mod recording;
mod redis_layout;
mod state_feed;
mod store_faults;
mod subscriptions;
mod web_city_live;
mod web_map;
mod web_operations;
