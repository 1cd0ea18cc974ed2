//! Puts defaults, file, environment and flags together: the later wins, and each value remembers where it is from.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    ArchiveConfig, Brokers, CityConfig, CityLiveConfig, CityLiveRole, Config, ConfigError, DemoConfig, GraphqlConfig,
    HttpConfig, IngestConfig, KafkaConfig, LiveConfig, LogConfig, LogFormat, PublishConfig, SettingArgs, StoreConfig,
    WriterConfig,
    error::{nearest, quote},
    field::Field,
    file, kafka_properties,
    kafka_properties::Properties,
    secret::{MASK, mask_url},
    settings::{Preset, SETTINGS, Setting},
};

/// The file that is read where `--config` names none and it is there.
pub const DEFAULT_FILE: &str = "citytwin.toml";

/// Where a value is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A key of this file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// What the command settles by itself, such as `demo` its embedded broker.
    Command,
    /// This flag, with its dashes.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Command => f.write_str("command"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// One setting as it holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Its environment variable; `None` for properties that only a file or `--kafka-property` can set.
    pub env: Option<String>,
    /// Its place in the TOML file.
    pub path: String,
    /// Its value as it may be shown: secrets are masked. `None` where it is not set.
    pub value: Option<String>,
    /// Whether the value is masked as a whole.
    pub secret: bool,
    /// Where it is from.
    pub source: Source,
}

/// A value before it is read.
#[derive(Clone)]
pub(super) struct Written {
    pub text: String,
    pub source: Source,
}

impl Written {
    /// The setting as the user wrote it, for an error.
    pub fn place(&self, env: &str, path: &str) -> String {
        match &self.source {
            Source::Default | Source::Command => env.to_owned(),
            Source::File(file) => format!("{path} ({})", file.display()),
            Source::Environment(name) => format!("{name} (environment)"),
            Source::Flag(flag) => flag.clone(),
        }
    }
}

impl Config {
    /// Loads the settings: defaults, then the file, then the environment, then flags, the later winning.
    ///
    /// The environment is a value (`std::env::vars_os()`), so that nothing here reads process-wide state. Variables
    /// that are empty count as not set.
    ///
    /// # Errors
    /// The first setting that is wrong, as one line.
    pub fn load<K: Into<OsString>, V: Into<OsString>>(
        args: &SettingArgs,
        env: impl Iterator<Item = (K, V)>,
    ) -> Result<(Self, Vec<Effective>), ConfigError> {
        let env = environment(env);
        let path = args.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let entries = file::read(path, args.config.is_some())?.unwrap_or_default();
        let mut properties = Properties::default();
        let mut in_file = BTreeMap::new();
        for entry in entries {
            let written = Written { text: entry.text, source: Source::File(path.to_owned()) };
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.path == entry.key) {
                in_file.insert(setting.env, written);
            } else if !properties.add_file_key(&entry.key, written) {
                return Err(unknown(&entry.key, path));
            }
        }
        properties.add_environment(&env);
        properties.add_flags(&args.properties)?;

        let mut config = Self::unset();
        let mut effective = Vec::with_capacity(SETTINGS.len());
        for setting in SETTINGS {
            let written = resolve(setting, args, &env, &in_file);
            effective.push(apply(setting, written, &env, &mut config)?);
        }
        effective.extend(properties.apply(&mut config.kafka)?);
        Ok((config, effective))
    }

    /// Every setting's default, as with neither file, environment nor flags.
    pub fn defaults() -> Self {
        let mut config = Self::unset();
        for setting in SETTINGS {
            if let Some(text) = preset(setting, &BTreeMap::new()) {
                // Each default is accepted by its own setting (a test checks all of them).
                setting.field.apply(&mut config, &text);
            }
        }
        config
    }

    /// What the defaults are written over; none of these values but the empty ones is ever seen.
    fn unset() -> Self {
        let zero = Duration::ZERO;
        Self {
            city: CityConfig { id: None, name: String::new(), file: None },
            kafka: KafkaConfig {
                brokers: Brokers::Embedded,
                client_id: String::new(),
                group_id: String::new(),
                common: BTreeMap::new(),
                consumer: BTreeMap::new(),
                producer: BTreeMap::new(),
                topic_partitions: 0,
                topic_replication: None,
                embedded_port: 0,
            },
            store: StoreConfig { redis_url: None, data_dir: PathBuf::new() },
            ingest: IngestConfig { batch_size: 0, max_clock_skew: zero, max_event_bytes: 0, incident_retention: None },
            writer: WriterConfig { lease: zero, flush_interval: zero, advertised_url: None },
            publish: PublishConfig { full_interval: zero, incremental_interval: zero, compression: String::new() },
            http: HttpConfig {
                addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                admin_token: None,
                allowed_origins: Vec::new(),
                map_background: None,
                map_attribution: None,
                max_body_bytes: 0,
                max_city_bytes: 0,
            },
            graphql: GraphqlConfig {
                max_depth: 0,
                max_complexity: 0,
                max_aliases: 0,
                max_directives: 0,
                timeout: zero,
                max_page: 0,
                max_operations_per_socket: 0,
                max_sockets_per_address: 0,
                connection_init_timeout: zero,
                write_timeout: zero,
                ping_interval: zero,
                stall_timeout: zero,
            },
            live: LiveConfig { resume: zero, resume_bytes: 0, cells_above: 0, roads_above: 0 },
            city_live: CityLiveConfig {
                role: CityLiveRole::Off,
                cities_file: None,
                server: String::new(),
                interval: zero,
                max_zones: 0,
                concurrency: 0,
                process_interval: zero,
                feed_retention: zero,
                history_retention: zero,
                rules: None,
                models: None,
                model_url: None,
                model_timeout: zero,
                grid_alert_margin_pct: 0,
                open_meteo_url: String::new(),
                open_meteo_air_url: String::new(),
                openweather_url: String::new(),
                openweather_api_key: None,
                tomtom_url: String::new(),
                tomtom_api_key: None,
                eia_url: String::new(),
                eia_api_key: None,
                socrata_url: String::new(),
                socrata_app_token: None,
            },
            archive: ArchiveConfig { mongodb_uri: None },
            log: LogConfig { format: LogFormat::Text, level: String::new() },
            demo: DemoConfig { rate: 0, seed: 0 },
        }
    }
}

impl CityConfig {
    /// The id that holds where neither `CITY_ID` nor a city file names one.
    pub const DEFAULT_ID: &'static str = "laquila-dt-001";

    /// The city's id, given the one in the city file.
    ///
    /// # Errors
    /// [`ConfigError::OtherCity`] where `CITY_ID` and the file name different cities.
    pub fn agreed_id(&self, in_file: Option<&str>) -> Result<String, ConfigError> {
        match (self.id.as_deref(), in_file) {
            (Some(id), Some(file_id)) if id != file_id => Err(ConfigError::OtherCity {
                id: id.escape_debug().to_string(),
                file: self.file.as_ref().map_or_else(|| "the demo's".to_owned(), |path| path.display().to_string()),
                file_id: file_id.escape_debug().to_string(),
            }),
            (id, in_file) => Ok(id.or(in_file).unwrap_or(Self::DEFAULT_ID).to_owned()),
        }
    }
}

/// The environment's variables that are not empty. Text that is no UTF-8 keeps replacement characters, which its
/// setting's check then refuses or which belong to somebody else.
fn environment<K: Into<OsString>, V: Into<OsString>>(env: impl Iterator<Item = (K, V)>) -> BTreeMap<String, String> {
    env.map(|(name, value)| {
        let (name, value): (OsString, OsString) = (name.into(), value.into());
        (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
    })
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

/// The value of a setting before it is read: a flag's, else the command's, the environment's, the file's.
fn resolve(
    setting: &'static Setting,
    args: &SettingArgs,
    env: &BTreeMap<String, String>,
    in_file: &BTreeMap<&'static str, Written>,
) -> Option<Written> {
    if let Some(value) = args.values.get(setting.env) {
        return Some(Written { text: value.0.clone(), source: Source::Flag(format!("--{}", setting.flag())) });
    }
    if let Some(text) = args.commanded.get(setting.env) {
        return Some(Written { text: (*text).to_owned(), source: Source::Command });
    }
    for name in [Some(setting.env), setting.alias].into_iter().flatten() {
        if let Some(text) = env.get(name) {
            return Some(Written { text: text.clone(), source: Source::Environment(name.to_owned()) });
        }
    }
    in_file.get(setting.env).cloned()
}

fn apply(
    setting: &'static Setting,
    written: Option<Written>,
    env: &BTreeMap<String, String>,
    config: &mut Config,
) -> Result<Effective, ConfigError> {
    let written = written.or_else(|| preset(setting, env).map(|text| Written { text, source: Source::Default }));
    if let Some(written) = &written
        && !setting.field.apply(config, &written.text)
    {
        return Err(refused(setting, written));
    }
    Ok(Effective {
        env: Some(setting.env.to_owned()),
        path: setting.path.to_owned(),
        secret: setting.secret,
        value: written.as_ref().map(|written| shown(setting, &written.text)),
        source: written.map_or(Source::Default, |written| written.source),
    })
}

/// The default of a setting as text.
fn preset(setting: &Setting, env: &BTreeMap<String, String>) -> Option<String> {
    match setting.default {
        Preset::Text(text) => Some(text.to_owned()),
        Preset::None(_) => None,
        Preset::DataDir => Some(data_dir(env)),
    }
}

/// Where programs keep data on this platform; without a home, a folder in the working directory.
fn data_dir(env: &BTreeMap<String, String>) -> String {
    let home = |rest: &str| env.get("HOME").map(|home| Path::new(home).join(rest));
    let base = if cfg!(windows) {
        env.get("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home("Library/Application Support")
    } else {
        // The XDG base directory specification: a relative path is invalid and passed over.
        let xdg = env.get("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        xdg.or_else(|| home(".local/share"))
    };
    base.map_or_else(|| PathBuf::from("citytwin-data"), |base| base.join("citytwin")).display().to_string()
}

/// A value as it may be shown.
fn shown(setting: &Setting, text: &str) -> String {
    if setting.secret { MASK.to_owned() } else { mask_url(text) }
}

fn refused(setting: &Setting, written: &Written) -> ConfigError {
    let accepted = match setting.field {
        Field::Kafka { property } => kafka_properties::accepted(property, &written.text),
        ref field => field.accepts(),
    };
    // What should be a URL may be one whose scheme was forgotten: then its password stands before the `@` all the same.
    let is_url = matches!(setting.field, Field::UrlOrEmbedded { .. } | Field::Url { .. });
    let value = match written.text.rsplit_once('@') {
        _ if setting.secret => MASK.to_owned(),
        Some((_, host)) if is_url => quote(&format!("{MASK}@{host}")),
        _ => quote(&mask_url(&written.text)),
    };
    ConfigError::Value { setting: written.place(setting.env, setting.path), value, accepted }
}

/// The error for a key of the file that is no setting. A key that is an environment name, or stands in the wrong
/// table, is told its right place.
fn unknown(key: &str, file: &Path) -> ConfigError {
    let last = key.rsplit('.').next().unwrap_or(key);
    let by_name = SETTINGS
        .iter()
        .find(|setting| setting.env.eq_ignore_ascii_case(last) || setting.path.rsplit('.').next() == Some(last));
    let near = by_name
        .map(|setting| setting.path)
        .or_else(|| nearest(key, SETTINGS.iter().map(|setting| setting.path)))
        .map(str::to_owned);
    let key = key.escape_debug().to_string();
    ConfigError::UnknownKey { key, file: file.display().to_string(), nearest: near }
}
