//! Which command, and from the command line to its `run`.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::{completions, config, demo, follow, import, offsets, produce, record, replay, schema, serve};
use crate::config::{Config, Effective, SettingArgs};

const EXAMPLES: &str = "\
Examples:
  citytwin demo                  a living city, nothing else needed: open http://127.0.0.1:8080
  citytwin serve --kafka-brokers kafka:9092 --redis-url redis://redis:6379
  citytwin import city.json      replace the city of the running server
  citytwin config                what holds now, and where it is from

Settings come from citytwin.toml (or --config FILE), then the environment, then flags; the later
wins. Each command's --help names its flags with their environment variables.
Exit codes: 0 done, 1 failed while running, 64 wrong usage or settings.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "citytwin",
    version = version(),
    about = "A digital-twin state server for cities: Kafka in, one live state, Redis, state topics and GraphQL out",
    after_help = EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a simulated city with everything in one process
    Demo(demo::Args),
    /// Run the server
    Serve(serve::Args),
    /// Run City Live's producer alone
    Produce(produce::Args),
    /// Replace the city model by a city file
    Import(import::Args),
    /// Record topics into a file
    Record(record::Args),
    /// Play a recording into Kafka
    Replay(replay::Args),
    /// Follow the state topics as a consumer does
    Follow(follow::Args),
    /// Show or reset the offsets in the store
    Offsets(offsets::Args),
    /// Print the GraphQL schema
    Schema(schema::Args),
    /// Print the effective settings and where each is from
    Config(config::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

impl Command {
    /// The settings given as flags; `None` where the command needs none.
    pub fn settings(&self) -> Option<SettingArgs> {
        match self {
            Self::Demo(args) => Some(args.settings()),
            Self::Serve(args) => Some(args.settings.clone()),
            Self::Produce(args) => Some(args.settings.clone()),
            Self::Import(args) => Some(args.settings.clone()),
            Self::Record(args) => Some(args.settings.clone()),
            Self::Replay(args) => Some(args.settings.clone()),
            Self::Follow(args) => Some(args.settings.clone()),
            Self::Offsets(args) => Some(args.settings().clone()),
            Self::Config(args) => Some(args.settings.clone()),
            Self::Schema(_) | Self::Completions(_) => None,
        }
    }
}

/// The version with the commit, where the build was told one by `CITYTWIN_COMMIT`.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    option_env!("CITYTWIN_COMMIT").map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
}

/// The tables of settings that each command's help shows. Flags of other tables are taken too, so that one set of flags
/// can be given to any command.
const SECTIONS: [(&str, &[&str]); 7] = [
    (
        "serve",
        &[
            "City",
            "Kafka",
            "Store",
            "Ingest",
            "Writer",
            "Publish",
            "HTTP",
            "GraphQL",
            "Live map",
            "City Live",
            "Archive",
            "Logs",
        ],
    ),
    ("produce", &["Kafka", "City Live", "Logs"]),
    ("import", &["City", "Store", "Writer", "HTTP", "Logs"]),
    ("record", &["Kafka", "Logs"]),
    ("replay", &["Kafka", "Logs"]),
    ("follow", &["Kafka", "Logs"]),
    ("offsets", &["City", "Kafka", "Store", "Logs"]),
];

/// The whole command, as help and completions show it.
pub fn command() -> clap::Command {
    SECTIONS.iter().fold(Cli::command(), |command, (name, sections)| {
        command.mut_subcommand(name, |subcommand| show_only(subcommand, sections))
    })
}

fn show_only(command: clap::Command, sections: &[&str]) -> clap::Command {
    let command = command.mut_args(|arg| {
        let section = arg.get_help_heading().and_then(|heading| heading.strip_prefix("Settings (")?.strip_suffix(')'));
        let foreign = section.is_some_and(|section| !sections.contains(&section));
        if foreign { arg.hide(true) } else { arg }
    });
    let inner: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    inner.iter().fold(command, |command, name| command.mut_subcommand(name, |inner| show_only(inner, sections)))
}

/// Reads the command line.
///
/// # Errors
/// What clap says of it; also where help or the version was asked for.
pub fn parse<T: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = T>) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Runs a command with the settings that hold for it.
///
/// # Errors
/// Whatever stops it; [`exit_code`](super::exit_code) tells how the process ends then.
pub async fn run(command: Command, config: Config, effective: &[Effective]) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => demo::run(args, config).await,
        Command::Serve(args) => serve::run(args, config).await,
        Command::Produce(args) => produce::run(args, config).await,
        Command::Import(args) => import::run(args, config).await,
        Command::Record(args) => record::run(args, config).await,
        Command::Replay(args) => replay::run(args, config).await,
        Command::Follow(args) => follow::run(args, config).await,
        Command::Offsets(args) => offsets::run(args, config).await,
        Command::Schema(args) => schema::run(&args),
        Command::Config(args) => config::run(&args, effective),
        Command::Completions(args) => completions::run(&args),
    }
}
