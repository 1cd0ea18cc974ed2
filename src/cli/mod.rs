//! The command line: one file per command, each with its `Args` and its `run`.
//!
//! Standard output holds what a command was asked for and nothing else; logs and errors go to standard error. Exit codes:
//! 0 done, 1 it went wrong while running, 64 wrong usage or settings (`EX_USAGE` of sysexits.h).

pub mod completions;
pub mod config;
pub mod demo;
pub mod follow;
pub mod import;
pub mod offsets;
pub mod produce;
pub mod record;
pub mod replay;
pub mod schema;
pub mod serve;

mod cluster;
mod exit;
mod output;
mod parser;
mod progress;
mod stop;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use exit::exit_code;
pub use output::print;
pub use parser::{Cli, Command, command, parse, run};
pub use values::{RecordFrom, ResetTo, Speed, Stamp};
