//! librdkafka's own properties: `[kafka.common]`, `[kafka.consumer]` and `[kafka.producer]` of the file, every
//! `KAFKA_SASL_*` and `KAFKA_SSL_*` of the environment, and `--kafka-property`.

use std::collections::BTreeMap;

use super::{
    ConfigError, Effective, KafkaConfig, check,
    error::quote,
    load::{Source, Written},
    secret::is_secret_name,
    settings::Setting,
    shown,
};

/// Whose properties.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Client {
    Common,
    Consumer,
    Producer,
}

impl Client {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Common, "kafka.common."), (Self::Consumer, "kafka.consumer."), (Self::Producer, "kafka.producer.")];

    fn prefix(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A property with the name that it has outside librdkafka.
struct Property {
    written: Written,
    env: Option<String>,
    path: String,
}

/// Properties that are no setting of their own, by client and librdkafka's name.
#[derive(Default)]
pub(super) struct Properties(BTreeMap<(Client, String), Property>);

impl Properties {
    /// Takes a key of the file; `false` where it is no property.
    pub fn add_file_key(&mut self, key: &str, written: Written) -> bool {
        let found =
            Client::ALL.iter().find_map(|(client, prefix)| Some((*client, key.strip_prefix(prefix)?.to_owned())));
        let Some((client, name)) = found.or_else(|| Some((Client::Common, generic(key.strip_prefix("kafka.")?)?)))
        else {
            return false;
        };
        self.add(client, &name, Property { written, env: None, path: key.to_owned() });
        true
    }

    /// Takes every `KAFKA_SASL_*` and `KAFKA_SSL_*` that is no setting of its own.
    pub fn add_environment(&mut self, env: &BTreeMap<String, String>) {
        for (variable, text) in env {
            let Some(rest) = variable.strip_prefix("KAFKA_").map(str::to_ascii_lowercase) else { continue };
            let Some(name) = generic(&rest).filter(|_| Setting::by_env(variable).is_none()) else { continue };
            let written = Written { text: text.clone(), source: Source::Environment(variable.clone()) };
            self.add(
                Client::Common,
                &name,
                Property { written, env: Some(variable.clone()), path: format!("kafka.{rest}") },
            );
        }
    }

    /// Takes each `--kafka-property NAME=VALUE`.
    pub fn add_flags(&mut self, flags: &[String]) -> Result<(), ConfigError> {
        for flag in flags {
            let Some((name, text)) = flag.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                return Err(ConfigError::Value {
                    setting: "--kafka-property".to_owned(),
                    value: quote(flag),
                    accepted: "NAME=VALUE with a property's name of librdkafka".to_owned(),
                });
            };
            let source = Source::Flag(format!("--kafka-property {name}"));
            let written = Written { text: text.to_owned(), source };
            self.add(Client::Common, name, Property { written, env: None, path: format!("kafka.common.{name}") });
        }
        Ok(())
    }

    fn add(&mut self, client: Client, name: &str, property: Property) {
        self.0.insert((client, canonical(name).to_owned()), property);
    }

    /// Puts them into the configuration, each judged by librdkafka. One that is a setting of its own as well gives
    /// way to it, but for `--kafka-property`.
    pub fn apply(self, kafka: &mut KafkaConfig) -> Result<Vec<Effective>, ConfigError> {
        let mut effective = Vec::with_capacity(self.0.len());
        for ((client, name), Property { written, env, path }) in self.0 {
            let place = written.place(env.as_deref().unwrap_or(&path), &path);
            if check::kafka_property(&name, &written.text).is_err() {
                let value = quote(&shown(&name, &written.text));
                return Err(ConfigError::Value { setting: place, value, accepted: accepted(&name, &written.text) });
            }
            let properties = match client {
                Client::Common => &mut kafka.common,
                Client::Consumer => &mut kafka.consumer,
                Client::Producer => &mut kafka.producer,
            };
            if properties.contains_key(&name) && !matches!(written.source, Source::Flag(_)) {
                continue;
            }
            effective.push(Effective {
                env,
                path: if path.starts_with(client.prefix()) { path } else { format!("{}{name}", client.prefix()) },
                value: Some(shown(&name, &written.text)),
                secret: is_secret_name(&name),
                source: written.source,
            });
            properties.insert(name, written.text);
        }
        Ok(effective)
    }
}

/// What is accepted as a property, in librdkafka's words, without the value where that is a secret.
pub(super) fn accepted(name: &str, text: &str) -> String {
    let said = check::kafka_property(name, text).err().unwrap_or_default();
    let said = if is_secret_name(name) && said.contains(text) { String::new() } else { format!(" ({said})") };
    format!("what librdkafka takes as {name}{said}")
}

/// `sasl_mechanism` as `sasl.mechanism`: what stands behind `KAFKA_` or under `[kafka]` in small letters.
fn generic(name: &str) -> Option<String> {
    let known = name.starts_with("sasl_") || name.starts_with("ssl_");
    known.then(|| name.replace('_', "."))
}

/// librdkafka knows one property by two names; two entries of it would be told apart only by their order.
fn canonical(name: &str) -> &str {
    if name == "sasl.mechanisms" { "sasl.mechanism" } else { name }
}
