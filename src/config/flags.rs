//! The settings as flags, made from the table.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, builder::ValueHint};

use super::{
    field::Field,
    settings::{Preset, SETTINGS, Setting, sections},
};

/// Settings given as flags, with the file they go on top of.
#[derive(Clone, Debug, Default)]
pub struct SettingArgs {
    /// `--config`: the file of settings; `None` is `citytwin.toml` where there is one.
    pub config: Option<PathBuf>,
    /// Values by the environment name of their setting.
    pub(super) values: BTreeMap<&'static str, FlagValue>,
    /// `--kafka-property NAME=VALUE`: librdkafka properties of every client.
    pub(super) properties: Vec<String>,
    /// What the command itself settles, such as `demo` its embedded broker: above file and environment, below flags.
    pub(super) commanded: BTreeMap<&'static str, &'static str>,
}

/// The text of a flag; its `Debug` shows nothing, for it may be a secret.
#[derive(Clone)]
pub(super) struct FlagValue(pub(super) String);

impl std::fmt::Debug for FlagValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(super::MASK)
    }
}

impl SettingArgs {
    /// No flags, and this file of settings.
    pub fn of_file(path: impl Into<PathBuf>) -> Self {
        Self { config: Some(path.into()), ..Self::default() }
    }

    /// As if the flag of the setting with this environment name had been given. An unknown name is passed over.
    #[must_use]
    pub fn with(mut self, env: &str, value: impl Into<String>) -> Self {
        if let Some(setting) = Setting::by_env(env) {
            self.values.insert(setting.env, FlagValue(value.into()));
        }
        self
    }

    /// What the command itself settles: it wins over file and environment, and a flag wins over it.
    #[must_use]
    pub fn commanding(mut self, env: &'static str, value: &'static str) -> Self {
        self.commanded.insert(env, value);
        self
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut args = Self::default();
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        if let Some(config) = matches.get_one::<PathBuf>("config-file") {
            self.config = Some(config.clone());
        }
        for setting in SETTINGS {
            if let Some(value) = matches.get_one::<String>(setting.env) {
                self.values.insert(setting.env, FlagValue(value.clone()));
            }
        }
        if let Some(properties) = matches.get_many::<String>("kafka-property") {
            self.properties.extend(properties.cloned());
        }
        Ok(())
    }
}

impl Args for SettingArgs {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config-file")
            .long("config")
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(clap::value_parser!(PathBuf))
            .help("A TOML file of settings [default: citytwin.toml where there is one]");
        let property = Arg::new("kafka-property")
            .long("kafka-property")
            .value_name("NAME=VALUE")
            .action(ArgAction::Append)
            .hide_short_help(true)
            .help_heading("Settings (Kafka)")
            .help("Any property of librdkafka, for every client; may be given more than once [file: [kafka.common]]");
        let command = command.arg(config);
        let command = SETTINGS.iter().fold(command, |command, setting| command.arg(flag(setting)));
        command.arg(property)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// The flags that the short help (`-h`) shows too.
const COMMON: [&str; 6] = ["KAFKA_BROKERS", "REDIS_URL", "CITY_FILE", "HTTP_ADDR", "DATA_DIR", "LOG_LEVEL"];

fn flag(setting: &'static Setting) -> Arg {
    let title = sections().find(|(name, ..)| *name == setting.section()).map_or("Other", |(_, title, _)| title);
    let default = match setting.default {
        Preset::Text(text) => text,
        Preset::None(meaning) => meaning,
        Preset::DataDir => "the platform's data folder",
    };
    let accepts = setting.field.accepts();
    let help = format!("{} Accepts {accepts}. [env: {}] [default: {default}]", setting.doc, setting.env);
    Arg::new(setting.env)
        .long(setting.flag())
        .value_name(value_name(&setting.field))
        .help_heading(format!("Settings ({title})"))
        .help(help.replace('`', ""))
        .hide_short_help(!COMMON.contains(&setting.env))
        // A value such as `-1` is then refused by its own check, with a line that says what is accepted.
        .allow_hyphen_values(true)
}

fn value_name(field: &Field) -> &'static str {
    match field {
        Field::Whole { .. } | Field::Replication { .. } => "NUMBER",
        Field::Millis { .. } => "MS",
        Field::Retention { .. } | Field::Span { .. } => "DURATION",
        Field::Choice { .. } => "WORD",
        Field::Path { .. } => "PATH",
        Field::Brokers { .. } => "HOST:PORT,…",
        Field::UrlOrEmbedded { .. } | Field::Url { .. } | Field::Api { .. } => "URL",
        Field::Address { .. } => "ADDRESS:PORT",
        Field::Origins { .. } => "ORIGIN,…",
        Field::Background { .. } => "URL|PATH",
        Field::LogLevel { .. } => "LEVEL",
        Field::Text { .. } | Field::SecretText { .. } | Field::CityId { .. } | Field::Kafka { .. } => "TEXT",
    }
}
