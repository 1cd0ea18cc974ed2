//! The effective settings as `citytwin config` prints them. Secrets are masked before they get here.

use std::fmt::Write as _;

use super::{Effective, Source, secret::MASK, settings::sections};

/// A table for people: name, value, where it is from.
pub fn as_table(effective: &[Effective]) -> String {
    let rows: Vec<[String; 3]> = effective
        .iter()
        .map(|one| {
            let name = one.env.clone().unwrap_or_else(|| one.path.clone());
            let value = one.value.as_deref().map_or_else(|| "-".to_owned(), |value| value.escape_debug().to_string());
            [name, value.replace("\\'", "'"), one.source.to_string()]
        })
        .collect();
    let width = |column: usize, heading: &str| {
        rows.iter().map(|row| row[column].chars().count()).chain([heading.len()]).max().unwrap_or_default()
    };
    let (names, values) = (width(0, "SETTING"), width(1, "VALUE"));
    let mut text = format!("{:names$}  {:values$}  FROM\n", "SETTING", "VALUE");
    for [name, value, source] in &rows {
        let _ = writeln!(text, "{name:names$}  {value:values$}  {source}");
    }
    text
}

/// A file of settings that says the same, each line with where the value is from. What is not set, and secrets
/// (whose values are not shown), stand in comments.
pub fn as_toml(effective: &[Effective]) -> String {
    let mut text = String::new();
    for (section, ..) in sections() {
        let prefix = format!("{section}.");
        let _ = writeln!(text, "{}[{section}]", if text.is_empty() { "" } else { "\n" });
        for one in effective.iter().filter(|one| one.path.starts_with(&prefix)) {
            let key = toml_key(&one.path[prefix.len()..]);
            let source = one.source.to_string().escape_debug().to_string();
            let _ = match &one.value {
                None => writeln!(text, "# {key} is not set"),
                Some(value) if value.contains(MASK) => writeln!(text, "# {key} = {}  # {source}", toml_value(value)),
                Some(value) => writeln!(text, "{key} = {}  # {source}", toml_value(value)),
            };
        }
    }
    text
}

/// A JSON array, one object a setting: `name` (the environment variable or null), `path`, `value` (text or null),
/// `secret`, `source` (`default`, `file`, `environment`, `command`, `flag`) and `from` (which file, variable or flag).
pub fn as_json(effective: &[Effective]) -> String {
    let list: Vec<serde_json::Value> = effective
        .iter()
        .map(|one| {
            let (source, from) = match &one.source {
                Source::Default => ("default", None),
                Source::File(path) => ("file", Some(path.display().to_string())),
                Source::Environment(name) => ("environment", Some(name.clone())),
                Source::Command => ("command", None),
                Source::Flag(flag) => ("flag", Some(flag.clone())),
            };
            serde_json::json!({
                "name": one.env, "path": one.path, "value": one.value, "secret": one.secret, "source": source, "from": from,
            })
        })
        .collect();
    let mut text = format!("{:#}", serde_json::Value::Array(list));
    text.push('\n');
    text
}

/// `client_id` as it is; `consumer.fetch.min.bytes` as `consumer."fetch.min.bytes"`, lest it become tables.
fn toml_key(key: &str) -> String {
    match key.split_once('.') {
        None => key.to_owned(),
        Some((table, property)) => format!("{table}.{}", toml::Value::from(property)),
    }
}

/// Whole numbers bare, all else as a string.
pub(super) fn toml_value(value: &str) -> String {
    match value.parse::<u32>() {
        Ok(number) if number.to_string() == value => value.to_owned(),
        _ => toml::Value::from(value).to_string(),
    }
}
