//! Precedence, every error line, masking, durations, Kafka's generic names, and the generated files.

use std::{fs, path::Path};

use super::*;

const NO_ENV: [(&str, &str); 0] = [];

/// Loads with these variables and this file's text.
fn load(toml: &str, env: &[(&str, &str)], args: SettingArgs) -> Result<(Config, Vec<Effective>), ConfigError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("settings.toml");
    fs::write(&file, toml).expect("the file is written");
    Config::load(&SettingArgs { config: Some(file), ..args }, env.iter().copied())
}

fn error(toml: &str, env: &[(&str, &str)], args: SettingArgs) -> String {
    let line = load(toml, env, args).expect_err("it is refused").to_string();
    assert!(!line.contains('\n'), "one line: {line}");
    match line.split_once(" (/").or_else(|| line.split_once("--config /")) {
        // The folder's name is new in each run.
        Some((before, rest)) => {
            let bracket = if line.contains(" (/") { " (" } else { "--config " };
            format!("{before}{bracket}{}", &rest[rest.find("settings.toml").unwrap_or(0)..])
        }
        None => line,
    }
}

fn env_error(name: &str, value: &str) -> String {
    error("", &[(name, value)], SettingArgs::default())
}

fn of<'a>(effective: &'a [Effective], env: &str) -> &'a Effective {
    effective.iter().find(|one| one.env.as_deref() == Some(env)).expect("every setting is listed")
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = Config::defaults();
    assert_eq!(config.kafka.brokers, Brokers::List("localhost:9092".into()));
    assert_eq!(config.kafka.client_id, "state-manager");
    assert_eq!(config.kafka.group_id, "state-manager-group");
    assert_eq!((config.kafka.topic_partitions, config.kafka.topic_replication), (6, None));
    assert_eq!(config.store.redis_url.as_deref(), Some("redis://localhost:6379"));
    assert_eq!(config.archive.mongodb_uri.as_deref(), Some("mongodb://localhost:27017/citytwin"));
    assert_eq!(config.ingest.batch_size, 1000);
    assert_eq!(config.ingest.max_clock_skew, Duration::from_secs(300));
    assert_eq!(config.ingest.max_event_bytes, 1_048_576);
    assert_eq!(config.ingest.incident_retention, Some(Duration::from_secs(86_400)));
    assert_eq!(config.writer.flush_interval, Duration::from_secs(1));
    assert_eq!(config.writer.lease, Duration::from_secs(5));
    assert_eq!(config.publish.full_interval, Duration::from_secs(60));
    assert_eq!(config.publish.incremental_interval, Duration::from_secs(5));
    assert_eq!(config.publish.compression, "gzip");
    assert_eq!((config.city.id.as_deref(), config.city.name.as_str()), (None, "L'Aquila Digital Twin"));
    assert_eq!(config.city.file, None);
    assert_eq!(config.http.addr.to_string(), "127.0.0.1:8080");
    assert!(config.http.admin_token.is_none() && config.http.allowed_origins.is_empty());
    assert!(config.graphql.max_sockets_per_address >= 2000);
}

#[test]
fn every_setting_reads_its_own_default_and_has_one_name() {
    let mut names = std::collections::BTreeSet::new();
    for setting in SETTINGS {
        assert!(names.insert(setting.env) && names.insert(setting.path), "{} is there twice", setting.env);
        if let Preset::Text(text) = setting.default {
            let mut config = Config::defaults();
            assert!(setting.field.apply(&mut config, text), "{} refuses its default {text}", setting.env);
        }
        assert!(setting.doc.ends_with('.'), "{} has a sentence", setting.env);
    }
}

#[test]
fn no_value_of_the_blank_configuration_is_left() {
    // Whatever the table forgot would keep its zero.
    let config = format!("{:?}", Config::defaults());
    let zeros = config.matches(": 0").count() + config.matches("0ns").count();
    // `embedded_port` is meant to be 0.
    assert_eq!(zeros, 1, "{config}");
}

#[test]
fn the_later_source_wins_and_is_remembered() {
    let file =
        "[ingest]\nbatch_size = 10\nmax_event_bytes = 2000\n[kafka]\nclient_id = \"file\"\n[log]\nlevel = \"warn\"";
    let env = [("BATCH_SIZE", "20"), ("KAFKA_CLIENT_ID", "env"), ("HTTP_ADDR", "")];
    let args = SettingArgs::default().with("BATCH_SIZE", "30");
    let (config, effective) = load(file, &env, args).expect("all of it is accepted");
    assert_eq!(config.ingest.batch_size, 30);
    assert_eq!(config.kafka.client_id, "env");
    assert_eq!(config.ingest.max_event_bytes, 2000);
    assert_eq!(config.log.level, "warn");
    assert_eq!(of(&effective, "BATCH_SIZE").source, Source::Flag("--batch-size".into()));
    assert_eq!(of(&effective, "KAFKA_CLIENT_ID").source, Source::Environment("KAFKA_CLIENT_ID".into()));
    assert!(matches!(of(&effective, "MAX_EVENT_BYTES").source, Source::File(_)));
    assert_eq!(of(&effective, "HTTP_ADDR").source, Source::Default, "an empty variable counts as not set");
    assert_eq!(effective.len(), SETTINGS.len());
}

#[test]
fn a_command_wins_over_the_environment_and_a_flag_over_the_command() {
    let demo = SettingArgs::default().commanding("KAFKA_BROKERS", "embedded").commanding("REDIS_URL", "embedded");
    let env = [("KAFKA_BROKERS", "far:9092"), ("REDIS_URL", "redis://far")];
    let (config, effective) = load("", &env, demo.with("REDIS_URL", "redis://near")).expect("accepted");
    assert_eq!(config.kafka.brokers, Brokers::Embedded);
    assert_eq!(config.store.redis_url.as_deref(), Some("redis://near"));
    assert_eq!(of(&effective, "KAFKA_BROKERS").source, Source::Command);
}

#[test]
fn rust_log_stands_in_for_log_level() {
    let (config, effective) = load("", &[("RUST_LOG", "debug")], SettingArgs::default()).expect("accepted");
    assert_eq!(config.log.level, "debug");
    assert_eq!(of(&effective, "LOG_LEVEL").source, Source::Environment("RUST_LOG".into()));
    let both = [("RUST_LOG", "debug"), ("LOG_LEVEL", "info,citytwin::ingest=trace")];
    assert_eq!(load("", &both, SettingArgs::default()).expect("accepted").0.log.level, both[1].1);
}

#[test]
fn a_wrong_value_is_one_line_with_the_setting_the_value_and_what_is_accepted() {
    assert_eq!(
        env_error("BATCH_SIZE", "many"),
        "BATCH_SIZE (environment): \"many\" is not accepted; accepted is a whole number from 1 to 100000"
    );
    assert_eq!(
        error("[ingest]\nbatch_size = -1", &NO_ENV, SettingArgs::default()),
        "ingest.batch_size (settings.toml): \"-1\" is not accepted; accepted is a whole number from 1 to 100000"
    );
    assert_eq!(
        error("", &NO_ENV, SettingArgs::default().with("LEASE_MS", "5s")),
        "--lease-ms: \"5s\" is not accepted; accepted is a whole number of milliseconds from 100 to 600000"
    );
    assert_eq!(
        env_error("LOG_FORMAT", "xml\nsecond line"),
        "LOG_FORMAT (environment): \"xml\\nsecond line\" is not accepted; accepted is text or json"
    );
    let long = env_error("HTTP_ADDR", &"8".repeat(10_000));
    assert!(long.len() < 400, "{long}");
}

#[test]
fn every_setting_with_a_form_refuses_what_has_another() {
    let wrong: [(&str, &str); 37] = [
        ("KAFKA_BROKERS", "a:9092,,b"),
        ("KAFKA_BROKERS", "a:port"),
        ("KAFKA_BROKERS", "a:70000"),
        ("KAFKA_BROKERS", "[::zz]:9092"),
        ("KAFKA_TOPIC_PARTITIONS", "0"),
        ("KAFKA_TOPIC_REPLICATION", "0"),
        ("KAFKA_SECURITY_PROTOCOL", "tls"),
        ("KAFKA_EMBEDDED_PORT", "65536"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "localhost:6379"),
        ("MONGODB_URI", "redis://localhost"),
        ("CITY_ID", "a{b}"),
        ("CITY_ID", "a\u{7}b"),
        ("CITY_NAME", "a\nb"),
        ("INCIDENT_RETENTION", "1 day"),
        ("INCIDENT_RETENTION", "99999999999999999999d"),
        ("STATE_TOPIC_COMPRESSION", "GZIP"),
        ("HTTP_ADDR", "8080"),
        ("HTTP_ADDR", "city.example:8080"),
        ("ADMIN_TOKEN", "two words"),
        ("ALLOWED_ORIGINS", "https://city.example/path"),
        ("ALLOWED_ORIGINS", "city.example"),
        ("MAP_BACKGROUND", "https://tiles.example/{z}/{x}.png"),
        ("MAP_BACKGROUND", "ftp://tiles.example/city.pmtiles"),
        ("MAP_BACKGROUND", "city.mbtiles"),
        ("ADVERTISED_URL", "city.example"),
        ("LOG_LEVEL", "verbose"),
        ("GRAPHQL_MAX_PAGE", "2147483648"),
        ("CITY_LIVE", "yes"),
        ("CITY_LIVE_INTERVAL", "45 s"),
        ("CITY_LIVE_INTERVAL", "50ms"),
        ("CITY_LIVE_INTERVAL", "2h"),
        ("CITY_LIVE_INTERVAL", "s"),
        ("OPEN_METEO_URL", "api.open-meteo.com"),
        ("EIA_URL", "https://api.eia.gov/?api_key=k"),
        ("TOMTOM_API_KEY", "two words"),
    ];
    for (name, value) in wrong {
        let line = env_error(name, value);
        assert!(line.starts_with(&format!("{name} (environment): ")), "{line}");
        assert!(line.contains(" is not accepted; accepted is "), "{line}");
    }
    let long = "x".repeat(257);
    assert!(env_error("CITY_ID", &long).starts_with("CITY_ID (environment): "));
    assert!(load("", &[("CITY_ID", &long[..256])], SettingArgs::default()).is_ok());
}

#[test]
fn every_setting_takes_what_it_says_it_accepts() {
    let right: [(&str, &str); 29] = [
        ("KAFKA_BROKERS", "a:9092, b:9093"),
        ("KAFKA_BROKERS", "[::1]:9092"),
        ("KAFKA_BROKERS", "broker"),
        ("KAFKA_BROKERS", "embedded"),
        ("KAFKA_TOPIC_REPLICATION", "3"),
        ("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT"),
        ("REDIS_URL", "embedded"),
        ("REDIS_URL", "rediss-cluster://user:p%40w@one:6379,two:6379"),
        ("REDIS_URL", "redis://[::1]:6379/3"),
        ("MONGODB_URI", "mongodb+srv://u:p@cluster.example/db?authSource=admin"),
        ("MONGODB_URI", "embedded"),
        ("INCIDENT_RETENTION", "off"),
        ("INCIDENT_RETENTION", "0s"),
        ("HTTP_ADDR", "[::]:80"),
        ("HTTP_ADDR", "localhost:9000"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://A.example, http://localhost:5173"),
        ("LOG_LEVEL", "INFO"),
        ("LOG_LEVEL", "citytwin"),
        ("CITY_ID", "città 1"),
        ("DEMO_SEED", "18446744073709551615"),
        ("ADVERTISED_URL", "https://twin.example/base"),
        ("MAP_BACKGROUND", "https://tiles.example/{z}/{x}/{y}.png?key=k"),
        ("MAP_BACKGROUND", "https://tiles.example/city.pmtiles"),
        ("MAP_BACKGROUND", "maps/city.pmtiles"),
        ("CITY_LIVE", "no-producer"),
        ("CITY_LIVE_INTERVAL", "500ms"),
        ("OPEN_METEO_URL", "http://127.0.0.1:9000/"),
        ("SOCRATA_URL", "https://gateway.example/socrata"),
    ];
    for (name, value) in right {
        let loaded = load("", &[(name, value)], SettingArgs::default());
        assert!(loaded.is_ok(), "{name}={value}: {}", loaded.expect_err("just seen"));
    }
}

#[test]
fn durations_of_retention() {
    let retention = |text: &str| {
        load("", &[("INCIDENT_RETENTION", text)], SettingArgs::default()).expect("accepted").0.ingest.incident_retention
    };
    assert_eq!(retention("30s"), Some(Duration::from_secs(30)));
    assert_eq!(retention("90m"), Some(Duration::from_secs(5400)));
    assert_eq!(retention("24h"), Some(Duration::from_secs(86_400)));
    assert_eq!(retention("7d"), Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(retention("off"), None);
    for bad in ["7", "d", "-1d", "1.5h", "24H", "3651d", "1w", "é"] {
        assert!(env_error("INCIDENT_RETENTION", bad).contains("24h, 7d"), "{bad}");
    }
}

#[test]
fn spans_and_apis_as_they_are_kept() {
    let loaded =
        |name: &str, value: &str| load("", &[(name, value)], SettingArgs::default()).expect("accepted").0.city_live;
    for (text, millis) in [("45", 45_000), ("45s", 45_000), ("500ms", 500), ("5m", 300_000), ("1h", 3_600_000)] {
        assert_eq!(loaded("CITY_LIVE_INTERVAL", text).interval, Duration::from_millis(millis), "{text}");
    }
    assert_eq!(loaded("EIA_URL", "http://127.0.0.1:9000/").eia_url, "http://127.0.0.1:9000");
    let key = loaded("EIA_API_KEY", "hunter2").eia_api_key.expect("set");
    assert_eq!((key.expose(), format!("{key:?}").as_str()), ("hunter2", MASK));
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let unknown = |toml: &str| error(toml, &NO_ENV, SettingArgs::default());
    assert_eq!(
        unknown("[kafka]\nbroker = \"x\""),
        "kafka.broker (settings.toml): there is no such setting; the nearest is kafka.brokers"
    );
    assert!(unknown("batch_size = 1").ends_with("the nearest is ingest.batch_size"));
    assert!(unknown("BATCH_SIZE = 1").ends_with("the nearest is ingest.batch_size"));
    assert!(unknown("[kafka.brokers]\nx = 1").ends_with("the nearest is kafka.brokers"));
    assert!(unknown("[cheese]\nsort = 1").ends_with("there is no such setting"));
    assert!(unknown("[city]\nid = { a = 1 }").starts_with("city.id.a"));
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_an_error_only_where_it_was_named() {
    assert!(error("[kafka\n", &NO_ENV, SettingArgs::default()).starts_with("--config settings.toml: line 1: "));
    let missing = Config::load(&SettingArgs::of_file("no/such.toml"), NO_ENV.into_iter()).expect_err("it is missing");
    assert!(missing.to_string().starts_with("--config no/such.toml: it cannot be read"));
    assert!(file::read(Path::new("no/such.toml"), false).is_ok_and(|entries| entries.is_none()));
}

#[test]
fn lists_and_numbers_of_the_file_need_no_quotes() {
    let toml = "[kafka]\nbrokers = [\"a:1\", \"b:2\"]\ntopic_replication = 3\n[http]\nallowed_origins = [\"https://a.example\"]";
    let (config, _) = load(toml, &NO_ENV, SettingArgs::default()).expect("accepted");
    assert_eq!(config.kafka.brokers, Brokers::List("a:1,b:2".into()));
    assert_eq!(config.kafka.topic_replication, Some(3));
    assert_eq!(config.http.allowed_origins, ["https://a.example"]);
}

#[test]
fn librdkafkas_names_in_capitals_and_as_they_are() {
    let toml = "[kafka]\nssl_endpoint_identification_algorithm = \"none\"\n\
                [kafka.consumer]\nfetch.min.bytes = 7\n\"fetch.wait.max.ms\" = 20\n\
                [kafka.producer]\nlinger.ms = 3\n[kafka.common]\nsocket.keepalive.enable = true\nsasl.username = \"file\"";
    let env = [
        ("KAFKA_SASL_USERNAME", "env"),
        ("KAFKA_SASL_PASSWORD", "hunter2"),
        ("KAFKA_SASL_MECHANISMS", "PLAIN"),
        ("KAFKA_SASL_KERBEROS_SERVICE_NAME", "kafka"),
        ("KAFKA_HOME", "/opt/kafka"),
    ];
    let flags = SettingArgs { properties: vec!["client.rack=a=b".into()], ..SettingArgs::default() };
    let (config, effective) = load(toml, &env, flags).expect("accepted");
    let common: Vec<_> = config.kafka.common.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        common,
        [
            ("client.rack", "a=b"),
            ("sasl.kerberos.service.name", "kafka"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.password", "hunter2"),
            ("sasl.username", "env"),
            ("socket.keepalive.enable", "true"),
            ("ssl.endpoint.identification.algorithm", "none"),
        ]
    );
    assert_eq!(config.kafka.consumer["fetch.min.bytes"], "7");
    assert_eq!(config.kafka.consumer["fetch.wait.max.ms"], "20");
    assert_eq!(config.kafka.producer["linger.ms"], "3");
    let shown = as_table(&effective);
    assert!(shown.contains("kafka.consumer.fetch.min.bytes") && !shown.contains("hunter2"), "{shown}");
    assert_eq!(effective.iter().filter(|one| one.value.as_deref() == Some("env")).count(), 1);
}

#[test]
fn what_librdkafka_does_not_know_or_take_stops_the_start() {
    assert!(
        error("[kafka.consumer]\nfetch.minimum = 7", &NO_ENV, SettingArgs::default())
            .starts_with("kafka.consumer.fetch.minimum (settings.toml): \"7\" is not accepted; accepted is what librdkafka takes as fetch.minimum (No such")
    );
    assert!(env_error("KAFKA_SASL_MECHANISMUS", "PLAIN").starts_with("KAFKA_SASL_MECHANISMUS (environment): "));
    assert!(env_error("KAFKA_SECURITY_PROTOCOL", "tls").contains("what librdkafka takes as security.protocol ("));
    let flags = SettingArgs { properties: vec!["nothing".into()], ..SettingArgs::default() };
    assert!(
        error("", &NO_ENV, flags).starts_with("--kafka-property: \"nothing\" is not accepted; accepted is NAME=VALUE")
    );
}

#[test]
fn secrets_are_nowhere_to_be_seen() {
    const SECRETS: [&str; 6] = ["hunter1", "hunter2", "hunter3", "hunter4", "hunter5", "hunter6"];
    let toml = "[kafka.consumer]\nssl.keystore.password = \"hunter5\"\nssl.key.pem = \"hunter6\"";
    let env = [
        ("ADMIN_TOKEN", SECRETS[0]),
        ("REDIS_URL", "redis://default:hunter2@localhost:6379/0"),
        ("MONGODB_URI", "mongodb://u:hunter3@localhost/db?authSource=admin"),
        ("KAFKA_SASL_PASSWORD", SECRETS[3]),
    ];
    let (config, effective) = load(toml, &env[..], SettingArgs::default()).expect("accepted");
    assert_eq!(config.http.admin_token.as_ref().map(Secret::expose), Some("hunter1"));
    assert_eq!(config.store.redis_url.as_deref(), Some(env[1].1));
    let flags = SettingArgs::default().with("ADMIN_TOKEN", "hunter1");
    let shown = [
        format!("{config:?}"),
        format!("{:?}", config.http.admin_token),
        format!("{effective:?}"),
        format!("{flags:?}"),
        as_table(&effective),
        as_toml(&effective),
        as_json(&effective),
    ];
    for text in &shown {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(shown[4].contains("redis://default:********@localhost:6379/0"));
}

#[test]
fn secrets_are_not_in_errors_either() {
    for (name, value) in [
        ("ADMIN_TOKEN", "hunter2 hunter2"),
        ("REDIS_URL", "user:hunter2@localhost"),
        ("REDIS_URL", "http://user:hunter2@localhost"),
        ("MONGODB_URI", "mongodb//u:hunter2@host"),
        ("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET_X", "hunter2"),
    ] {
        let line = env_error(name, value);
        assert!(line.starts_with(name) && !line.contains("hunter2"), "{line}");
    }
}

#[test]
fn passwords_in_urls_are_masked() {
    for (url, masked) in [
        ("redis://localhost:6379", "redis://localhost:6379"),
        ("redis://:pw@localhost", "redis://:********@localhost"),
        ("redis://user:p@w/x?y@host:1/2", "redis://user:********@host:1/2"),
        ("redis://user@host", "redis://user@host"),
        ("https://host/x?token=abc&a=b", "https://host/x?token=********&a=b"),
        ("no url: a@b", "no url: a@b"),
    ] {
        assert_eq!(mask_url(url), masked);
    }
}

#[test]
fn the_city_id_and_the_city_file_must_agree() {
    let city = |id: Option<&str>| CityConfig { id: id.map(str::to_owned), ..Config::defaults().city };
    assert_eq!(city(None).agreed_id(None).expect("no conflict"), "laquila-dt-001");
    assert_eq!(city(None).agreed_id(Some("roma")).expect("no conflict"), "roma");
    assert_eq!(city(Some("roma")).agreed_id(None).expect("no conflict"), "roma");
    assert_eq!(city(Some("roma")).agreed_id(Some("roma")).expect("no conflict"), "roma");
    let error = city(Some("roma")).agreed_id(Some("milano")).expect_err("they differ").to_string();
    assert!(error.starts_with("CITY_ID: \"roma\" is not the city of CITY_FILE") && error.contains("milano"), "{error}");
}

#[test]
fn data_go_where_the_platform_keeps_them() {
    let folder = |env: &[(&str, &str)]| load("", env, SettingArgs::default()).expect("accepted").0.store.data_dir;
    if cfg!(target_os = "linux") {
        assert_eq!(folder(&[("XDG_DATA_HOME", "/data"), ("HOME", "/home/a")]), Path::new("/data/citytwin"));
        assert_eq!(
            folder(&[("XDG_DATA_HOME", "data"), ("HOME", "/home/a")]),
            Path::new("/home/a/.local/share/citytwin")
        );
        assert_eq!(folder(&[]), Path::new("citytwin-data"));
    }
    assert_eq!(folder(&[("DATA_DIR", "here")]), Path::new("here"));
}

#[test]
fn what_config_prints_as_toml_loads_again_to_the_same() {
    let toml = "[kafka]\nbrokers = \"a:1\"\n[kafka.consumer]\nfetch.min.bytes = 7\n[city]\nid = \"quo\\\"te\"";
    let (_, effective) = load(toml, &[("BATCH_SIZE", "5")], SettingArgs::default()).expect("accepted");
    let (_, again) = load(&as_toml(&effective), &NO_ENV, SettingArgs::default()).expect("its own output is accepted");
    let values = |list: &[Effective]| list.iter().map(|one| (one.path.clone(), one.value.clone())).collect::<Vec<_>>();
    assert_eq!(values(&again), values(&effective));
    let json: serde_json::Value = serde_json::from_str(&as_json(&effective)).expect("it is JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(effective.len()));
}

#[test]
fn the_example_file_says_the_defaults() {
    let uncommented: String = example_file()
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|rest| rest.contains(" = ") && !rest.contains("not set")).unwrap_or(line)
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let (config, effective) = load(&uncommented, &NO_ENV, SettingArgs::default()).expect("accepted");
    assert_eq!(effective.iter().filter(|one| one.source != Source::Default).count(), {
        SETTINGS.iter().filter(|setting| matches!(setting.default, Preset::Text(_))).count()
    });
    let defaults = Config { store: config.store.clone(), ..Config::defaults() };
    assert_eq!(format!("{config:?}"), format!("{defaults:?}"));
}

#[test]
fn the_documents_are_those_of_the_table() {
    docs::same_document("docs/configuration.md", &reference_page());
    docs::same_document("citytwin.toml.example", &example_file());
}
