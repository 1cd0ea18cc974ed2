//! The HTTP port: GraphQL over HTTP, SSE and WebSocket, `/api/state`, City Live's `/api/city/…`, health, metrics and the web pages.
//!
//! [`router::router`] is the table of paths; [`serve::serve`] runs it on a listener until it is told to stop. What is
//! answered comes from outside: a schema by [`api::Api`], the city's state by [`state::StateSource`], an import by
//! [`state::CityImport`], readiness and metrics by [`health::Probe`].
//!
//! A GraphQL request passes, in this order: [`auth`] (origin, caller), [`graphql_http`] or [`socket`] (the transport's
//! rules), [`params`] (the request's shape), [`document`] (size, nesting, aliases; cached parses), [`api`] (execution,
//! time limit, error codes).

pub mod api;
pub mod assets;
pub mod auth;
mod background;
mod city_live;
pub mod connections;
pub mod document;
pub mod graphql_http;
mod guarded_stream;
pub mod health;
pub mod media;
mod meter;
pub mod params;
pub mod problem;
pub mod router;
pub mod serve;
pub mod socket;
pub mod sse;
pub mod state;

pub use router::{AppState, router};
pub use serve::serve;

#[cfg(test)]
mod tests;
