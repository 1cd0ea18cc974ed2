//! `docs/configuration.md` and `citytwin.toml.example`, written from the table. Tests compare the files with these;
//! `UPDATE_DOCS=1 cargo test` rewrites them.

use std::fmt::Write as _;

use super::{
    settings::{Preset, SETTINGS, Setting, sections},
    show::toml_value,
};

const INTRODUCTION: &str = "\
# Configuration

<!-- Written from src/config/settings.rs by `UPDATE_DOCS=1 cargo test config`; change it there. -->

Every setting can be given in a TOML file, in the environment, or as a flag. Where several give it, the later of these
wins:

1. the default;
2. the file: `--config FILE`, else `citytwin.toml` in the working directory where there is one
   ([citytwin.toml.example](../citytwin.toml.example) holds all keys);
3. the environment variable; an empty one counts as not set;
4. `citytwin demo` itself, which settles `KAFKA_BROKERS`, `REDIS_URL` and `MONGODB_URI` as `embedded`;
5. the flag: the variable's name in small letters with dashes, `KAFKA_BROKERS` as `--kafka-brokers`.

`citytwin config` prints what holds and where it is from. Passwords and tokens are masked there and never logged.

A wrong value, or a key of the file that is no setting, stops the start with exit code 64 and one line on standard error,
such as

```text
BATCH_SIZE (environment): \"many\" is not accepted; accepted is a whole number from 1 to 100000
```

Unknown environment variables are ignored, but for those that begin with `KAFKA_SASL_` or `KAFKA_SSL_` (below). In the
file, a list may be written as an array (`brokers = [\"a:9092\", \"b:9092\"]`).
";

const KAFKA_PROPERTIES: &str = "\
### Any property of librdkafka

Beyond the settings above, every property of
[librdkafka](https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md) can be set. librdkafka itself judges
names and values at the start.

- `KAFKA_SASL_*` and `KAFKA_SSL_*` in the environment, `sasl_*` and `ssl_*` under `[kafka]` in the file: librdkafka's names
  with underscores for dots (`KAFKA_SSL_KEYSTORE_LOCATION` is `ssl.keystore.location`). They hold for every client.
- `[kafka.common]`, `[kafka.consumer]` and `[kafka.producer]` in the file: librdkafka's names as they are. Those of consumers
  and producers win over what citytwin sets by itself.
- `--kafka-property NAME=VALUE`, as often as needed, for every client.

```toml
[kafka.consumer]
session.timeout.ms = 45000
fetch.wait.max.ms = 50

[kafka.producer]
linger.ms = 20
```
";

/// The page `docs/configuration.md`.
pub fn reference_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (section, title, sentence) in sections() {
        let _ = write!(page, "\n## {title}\n\n{sentence}\n");
        for setting in SETTINGS.iter().filter(|setting| setting.section() == section) {
            describe(setting, &mut page);
        }
        if section == "kafka" {
            let _ = write!(page, "\n{KAFKA_PROPERTIES}");
        }
    }
    page
}

fn describe(setting: &Setting, page: &mut String) {
    let default = match setting.default {
        Preset::Text(text) => format!("`{text}`"),
        Preset::None(meaning) => meaning.to_owned(),
        Preset::DataDir => "`$XDG_DATA_HOME/citytwin`, else `~/.local/share/citytwin` (macOS: `~/Library/Application \
                            Support/citytwin`, Windows: `%LOCALAPPDATA%\\citytwin`)"
            .to_owned(),
    };
    let also = setting.alias.map(|alias| format!(", also `{alias}`")).unwrap_or_default();
    let secret = if setting.secret { " Secret: never shown." } else { "" };
    let _ = write!(
        page,
        "\n### `{env}`\n\n{doc}{secret}\n\n- environment `{env}`{also}; file `{path}`; flag `--{flag}`\n- default: {default}\n\
         - accepted: {accepted}\n",
        env = setting.env,
        doc = setting.doc,
        path = setting.path,
        flag = setting.flag(),
        accepted = setting.field.accepts(),
    );
}

/// The file `citytwin.toml.example`: every key in a comment, with its default.
pub fn example_file() -> String {
    let mut file = "\
# Settings of citytwin: copy this to citytwin.toml and uncomment what you need. The values are the defaults.
# The environment and flags win over this file. docs/configuration.md tells what each accepts.
"
    .to_owned();
    for (section, _, sentence) in sections() {
        let _ = write!(file, "\n# {sentence}\n[{section}]\n");
        for setting in SETTINGS.iter().filter(|setting| setting.section() == section) {
            let key = setting.path.split_once('.').map_or(setting.path, |(_, key)| key);
            let _ = match setting.default {
                Preset::Text(text) => writeln!(file, "# {key} = {}", toml_value(text)),
                Preset::None(meaning) => writeln!(file, "# {key} = \"\"  # not set: {}", meaning.replace('`', "")),
                Preset::DataDir => writeln!(file, "# {key} = \"\"  # not set: the platform's data folder"),
            };
        }
        if section == "kafka" {
            file.push_str(
                "\n# Any property of librdkafka: for every client, for consumers, for producers.\n# [kafka.common]\n\
                 # [kafka.consumer]\n# [kafka.producer]\n",
            );
        }
    }
    file
}

/// Compares a file of the repository with what it must be, or writes it where `UPDATE_DOCS` is set.
#[cfg(test)]
pub(crate) fn same_document(path: &str, text: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, text).expect("the document is written");
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = there.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(there == text, "{path} lags behind the table (line {differs:?}): UPDATE_DOCS=1 cargo test --lib");
}
