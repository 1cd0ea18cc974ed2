//! See ARCHITECTURE.md.

pub mod assets;
