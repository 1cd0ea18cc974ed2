//! The core: a city as one live state. No async, no I/O, no clock, no logging: bytes and times come in, values go out.
//!
//! A message becomes an [`event::Event`] ([`event::decode`]), the live [`city::City`] applies it by the rules of
//! `rules`, and its readers take what changed in the form that is right for them: the store a [`change::Dirty`] set,
//! the publisher a [`change::ChangeSet`] which [`delta`] writes, everyone else a [`view::View`] with its
//! [`history`].

pub mod json;
pub mod time;

pub mod geo;
pub mod tile;

pub mod reject;

pub mod field;
pub mod model;

pub mod read;

pub mod event;

pub mod entity;
pub mod history;
pub mod view;

pub mod change;
mod rules;

pub mod city;

pub mod parse;

pub mod snapshot;

pub mod delta;
pub mod selection;

#[cfg(test)]
#[path = "tests/samples.rs"]
pub(crate) mod samples;
