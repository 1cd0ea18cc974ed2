//! Feeds against cities that change at random, streams on paused time, and the chain.

pub mod city;
mod deltas;
mod feed;
mod map;
mod sessions;
mod stream;
