//! The command line as users write it.

use std::io;

use clap_complete::Shell;
use jiff::Timestamp;

use super::*;
use crate::config::{Config, ConfigError, SETTINGS, Source};

const NO_ENV: [(&str, &str); 0] = [];

fn parsed(line: &str) -> Command {
    parse(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}")).command
}

fn refused(line: &str) -> String {
    parse(line.split(' ')).err().map_or_else(|| panic!("{line} is accepted"), |error| error.to_string())
}

fn help(line: &str) -> String {
    let error = parse(line.split(' ')).expect_err("help ends the parse");
    assert!(!error.use_stderr(), "{error}");
    // Help is wrapped; where is not what these tests are about.
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_command_line_is_sound() {
    command().debug_assert();
}

#[test]
fn every_setting_is_a_flag_of_serve_and_its_help_names_the_variable() {
    let long = help("citytwin serve --help");
    let demo = help("citytwin demo --help");
    for setting in SETTINGS {
        let text = if setting.section() == "demo" { &demo } else { &long };
        let flag = format!("--{} <", setting.flag());
        let env = format!("[env: {}]", setting.env);
        assert!(text.contains(&flag) && text.contains(&env), "{flag} {env} in\n{text}");
    }
    let short = help("citytwin serve -h");
    assert!(short.contains("--kafka-brokers") && !short.contains("--graphql-max-depth"), "{short}");
    assert!(!help("citytwin record --help").contains("--graphql-max-depth"));
}

#[test]
fn no_line_of_help_is_reflowed() {
    // Beyond 100 columns clap breaks lines, and examples with them.
    for command in command().get_subcommands().chain([&command()]) {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{}: {text}", command.get_name());
    }
}

#[test]
fn every_command_has_help_with_examples() {
    for command in command().get_subcommands().map(|command| command.get_name().to_owned()).collect::<Vec<_>>() {
        if command == "help" {
            continue;
        }
        let text = help(&format!("citytwin {command} --help"));
        assert!(text.contains("Examples:"), "{command}: {text}");
    }
}

#[test]
fn flags_win_and_are_remembered() {
    let settings = parsed("citytwin serve --batch-size 7 --http-addr localhost:0 --kafka-property client.rack=a")
        .settings()
        .expect("serve has settings");
    let (config, effective) = Config::load(&settings, [("BATCH_SIZE", "9")].into_iter()).expect("accepted");
    assert_eq!((config.ingest.batch_size, config.http.addr.port()), (7, 0));
    assert_eq!(config.kafka.common["client.rack"], "a");
    assert!(effective.iter().any(|one| one.source == Source::Flag("--batch-size".into())));
    let negative = parsed("citytwin serve --batch-size -1").settings().expect("serve has settings");
    let error = Config::load(&negative, NO_ENV.into_iter()).expect_err("it is refused").to_string();
    assert!(error.starts_with("--batch-size: \"-1\" is not accepted"), "{error}");
}

#[test]
fn the_demo_is_embedded_whatever_the_environment_says() {
    let settings = parsed("citytwin demo --mongodb-uri mongodb://near/db").settings().expect("demo has settings");
    let env = [
        ("KAFKA_BROKERS", "far:9092"),
        ("REDIS_URL", "redis://far"),
        ("MONGODB_URI", "mongodb://far"),
        ("CITY_ID", "elsewhere"),
    ];
    let (config, _) = Config::load(&settings, env.into_iter()).expect("accepted");
    assert_eq!(config.kafka.brokers, crate::config::Brokers::Embedded);
    assert_eq!(config.store.redis_url, None);
    assert_eq!(config.archive.mongodb_uri.as_deref(), Some("mongodb://near/db"));
}

#[test]
fn commands_read_their_flags() {
    let Command::Record(record) = parsed("citytwin record day.gz --topics a,b --from now --until-end") else {
        panic!("record");
    };
    assert_eq!((record.topics, record.from, record.until_end), (vec!["a".into(), "b".into()], RecordFrom::Now, true));

    let Command::Replay(replay) = parsed("citytwin replay day.gz --speed max --stamp now --create-topics") else {
        panic!("replay");
    };
    assert_eq!((replay.speed, replay.stamp, replay.create_topics), (Speed::Max, Stamp::Now, true));
    let Command::Replay(replay) = parsed("citytwin replay day.gz --speed 0.5") else { panic!("replay") };
    assert_eq!((replay.speed, replay.stamp), (Speed::Times(0.5), Stamp::Held));

    let Command::Follow(follow) = parsed("citytwin follow --verify --once") else { panic!("follow") };
    assert_eq!((follow.verify, follow.fulls().map(u64::from)), (true, Some(1)));
    let Command::Follow(follow) = parsed("citytwin follow --until-full 3 --format json") else { panic!("follow") };
    assert_eq!((follow.format, follow.fulls().map(u64::from)), (follow::FollowFormat::Json, Some(3)));

    let Command::Import(import) = parsed("citytwin import c.json --url http://x --token hunter2") else {
        panic!("import")
    };
    assert_eq!(import.token.as_ref().map(crate::config::Secret::expose), Some("hunter2"));
    assert!(!format!("{import:?}").contains("hunter2"));

    let line = "citytwin offsets reset --to 2026-01-05T00:00:00Z --topic transport.gps --partition 2";
    let Command::Offsets(offsets) = parsed(line) else { panic!("offsets") };
    let offsets::Action::Reset(reset) = offsets.action else { panic!("reset") };
    let time: Timestamp = "2026-01-05T00:00:00Z".parse().expect("a time");
    assert_eq!((reset.to, reset.partition), (ResetTo::At(time), Some(2)));
    assert!(matches!(parsed("citytwin offsets show --format json"), Command::Offsets(_)));
}

#[test]
fn wrong_usage_is_refused_with_what_is_accepted() {
    assert!(refused("citytwin replay day.gz --speed fast").contains("a number from 0.001 to 100000, or max"));
    assert!(refused("citytwin replay day.gz --speed 0").contains("or max"));
    assert!(refused("citytwin replay day.gz --speed NaN").contains("or max"));
    assert!(refused("citytwin offsets reset --to yesterday").contains("earliest, end, or a time"));
    assert!(refused("citytwin offsets reset --to end --partition 1").contains("--topic"));
    assert!(refused("citytwin follow --once --until-full 2").contains("cannot be used with"));
    assert!(refused("citytwin follow --until-full 0").contains("--until-full"));
    assert!(refused("citytwin serve --batchsize 1").contains("--batch-size"));
    assert!(refused("citytwin swerve").contains("serve"));
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        let script = completions::script(shell);
        assert!(script.contains("kafka-brokers") && script.contains("citytwin"), "{shell}");
    }
}

#[test]
fn errors_become_exit_codes_and_one_line() {
    let config = anyhow::Error::from(
        Config::load(&crate::config::SettingArgs::of_file("no/such"), NO_ENV.into_iter()).expect_err("missing"),
    );
    let (code, line) = exit_code(&config.context("start"));
    assert_eq!(code, ConfigError::EXIT_CODE);
    assert!(line.is_some_and(|line| line.starts_with("citytwin: start: --config no/such: ")));

    assert_eq!(exit_code(&anyhow::anyhow!("two\nlines")), (1, Some("citytwin: two lines".into())));
    let pipe = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("print");
    assert_eq!(exit_code(&pipe), (0, None));
}
