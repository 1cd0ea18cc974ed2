//! What a setting accepts, how its text is read, and where in [`Config`] it goes: one value says all three, so that
//! the words of an error, the documentation and the check cannot drift apart.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{Brokers, Config, LogFormat, MapBackground, Secret, check};

/// How the text of a setting is read and where it goes: `set` puts the value into the configuration.
#[expect(missing_docs, reason = "`min`, `max`, `of`, `schemes` and `set` say what they are, the variants say the rest")]
#[derive(Clone, Copy)]
pub enum Field {
    /// A whole number within bounds, both included.
    Whole { min: u64, max: u64, set: fn(&mut Config, u64) },
    /// Milliseconds within bounds, both included.
    Millis { min: u64, max: u64, set: fn(&mut Config, Duration) },
    /// `45s`, `500ms`, `5m`, `1h`; a bare number is seconds. Bounds in milliseconds, both included.
    Span { min: u64, max: u64, set: fn(&mut Config, Duration) },
    /// `24h`, `90m`, `30s`, `7d`, or `off`.
    Retention { set: fn(&mut Config, Option<Duration>) },
    /// One of a few words.
    Choice { of: &'static [&'static str], set: fn(&mut Config, &str) },
    /// A text of 1 to 256 bytes without control characters.
    Text { set: fn(&mut Config, String) },
    /// A secret of 1 to 4096 visible ASCII characters.
    SecretText { set: fn(&mut Config, Secret) },
    /// A city's id.
    CityId { set: fn(&mut Config, String) },
    /// A file or folder.
    Path { set: fn(&mut Config, PathBuf) },
    /// A list of brokers, or `embedded`.
    Brokers { set: fn(&mut Config, Brokers) },
    /// A URL of one of the schemes, or `embedded` (`None`).
    UrlOrEmbedded { schemes: &'static [&'static str], set: fn(&mut Config, Option<String>) },
    /// A URL of one of the schemes.
    Url { schemes: &'static [&'static str], set: fn(&mut Config, String) },
    /// Scheme, host and port of a web API, `https://api.example:8443`; a path goes in front of the API's own.
    Api { set: fn(&mut Config, String) },
    /// `address:port`.
    Address { set: fn(&mut Config, SocketAddr) },
    /// Browser origins, or `*`.
    Origins { set: fn(&mut Config, Vec<String>) },
    /// What lies under the map: tiles by their URL, or a PMTiles file.
    Background { set: fn(&mut Config, MapBackground) },
    /// A replication factor, or `default`: the broker's.
    Replication { set: fn(&mut Config, Option<i32>) },
    /// A level or filters of levels.
    LogLevel { set: fn(&mut Config, String) },
    /// A librdkafka property of every client; librdkafka itself judges the value.
    Kafka { property: &'static str },
}

impl Field {
    /// Reads `text` into the configuration; `false` where it is not accepted, and then nothing is changed.
    pub fn apply(&self, config: &mut Config, text: &str) -> bool {
        self.read(config, text).is_some()
    }

    fn read(&self, config: &mut Config, text: &str) -> Option<()> {
        match self {
            Self::Whole { min, max, set } => set(config, check::whole(text, *min, *max)?),
            Self::Millis { min, max, set } => set(config, Duration::from_millis(check::whole(text, *min, *max)?)),
            Self::Span { min, max, set } => set(config, check::span(text, *min, *max)?),
            Self::Retention { set } => set(config, check::retention(text)?),
            Self::Choice { of, set } => set(config, of.iter().find(|word| **word == text)?),
            Self::Text { set } => set(config, check::text(text)?.to_owned()),
            Self::SecretText { set } => set(config, Secret::new(check::secret(text)?)),
            Self::CityId { set } => set(config, check::city_id(text)?.to_owned()),
            Self::Path { set } => set(config, PathBuf::from(check::path(text)?)),
            Self::Brokers { set } => set(config, check::brokers(text)?),
            Self::UrlOrEmbedded { set, .. } if text == "embedded" => set(config, None),
            Self::UrlOrEmbedded { schemes, set } => set(config, Some(check::url(text, schemes)?.to_owned())),
            Self::Url { schemes, set } => set(config, check::url(text, schemes)?.to_owned()),
            Self::Api { set } => set(config, check::api(text)?.to_owned()),
            Self::Address { set } => set(config, check::address(text)?),
            Self::Origins { set } => set(config, check::origins(text)?),
            Self::Background { set } => set(config, check::background(text)?),
            Self::Replication { set } if text == "default" => set(config, None),
            Self::Replication { set } => set(config, Some(check::whole(text, 1, 32_767)? as i32)),
            Self::LogLevel { set } => set(config, check::log_level(text)?.to_owned()),
            Self::Kafka { property } => {
                check::kafka_property(property, text).ok()?;
                config.kafka.common.insert((*property).to_owned(), text.to_owned());
            }
        }
        Some(())
    }

    /// What is accepted, in words that end a sentence.
    pub fn accepts(&self) -> String {
        match self {
            Self::Whole { min, max, .. } => format!("a whole number from {min} to {max}"),
            Self::Millis { min, max, .. } => format!("a whole number of milliseconds from {min} to {max}"),
            Self::Span { min, max, .. } => format!(
                "a whole number with ms, s, m or h behind it (500ms, 45s, 5m; without a unit, seconds) from {min} ms to {max} ms"
            ),
            Self::Retention { .. } => {
                "a whole number with s, m, h or d behind it (30s, 90m, 24h, 7d; at most 3650d), or off".into()
            }
            Self::Choice { of, .. } => one_of(of),
            Self::Text { .. } => "1 to 256 bytes without control characters".into(),
            Self::SecretText { .. } => "1 to 4096 visible ASCII characters without spaces".into(),
            Self::CityId { .. } => "1 to 256 bytes without control characters and without braces".into(),
            Self::Path { .. } => "a path".into(),
            Self::Brokers { .. } => "host:port, several with commas between them, or embedded".into(),
            Self::UrlOrEmbedded { schemes, .. } => format!("a URL that begins with {}, or embedded", begins(schemes)),
            Self::Url { schemes, .. } => format!("a URL that begins with {}", begins(schemes)),
            Self::Api { .. } => "http:// or https:// with a host and perhaps a port and a path".into(),
            Self::Address { .. } => "an address with its port (127.0.0.1:8080, [::]:8080, localhost:8080)".into(),
            Self::Origins { .. } => "origins such as https://city.example with commas between them, or *".into(),
            Self::Background { .. } => {
                "an http(s) URL of tiles with {z}, {x} and {y} in it, or the URL or path of a file that ends with .pmtiles"
                    .into()
            }
            Self::Replication { .. } => "a whole number from 1 to 32767, or default (the broker's)".into(),
            Self::LogLevel { .. } => {
                "off, error, warn, info, debug or trace, or filters such as info,citytwin::ingest=debug".into()
            }
            Self::Kafka { property } => format!("what librdkafka takes as {property}"),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

fn begins(schemes: &[&str]) -> String {
    let schemes: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
    one_of(&schemes.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The log format a word names; the words are checked by [`Field::Choice`] beforehand.
pub(super) fn log_format(word: &str) -> LogFormat {
    if word == "json" { LogFormat::Json } else { LogFormat::Text }
}
