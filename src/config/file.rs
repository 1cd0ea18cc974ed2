//! The TOML file as a flat list of dotted keys and texts, so that it is read like the environment.

use std::{fs, io, path::Path};

use super::error::ConfigError;

/// One value of the file.
pub struct Entry {
    /// Its tables and its key with dots between them: `kafka.consumer.fetch.min.bytes`.
    pub key: String,
    /// The value as the environment would hold it: lists with commas between their members.
    pub text: String,
}

/// Reads a file of settings; `None` where it need not be there and is not.
///
/// # Errors
/// [`ConfigError::File`] where it cannot be read or is no TOML.
pub fn read(path: &Path, required: bool) -> Result<Option<Vec<Entry>>, ConfigError> {
    let file = || path.display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => return Ok(None),
        Err(error) => {
            let message = format!("it cannot be read ({error}); accepted is a TOML file of settings");
            return Err(ConfigError::File { file: file(), message });
        }
    };
    parse(&text, &file()).map(Some)
}

/// Reads the text of a file of settings.
///
/// # Errors
/// [`ConfigError::File`] where it is no TOML.
pub fn parse(text: &str, file: &str) -> Result<Vec<Entry>, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let message = format!("line {line}: {}", error.message().replace('\n', "; "));
        ConfigError::File { file: file.to_owned(), message }
    })?;
    let mut entries = Vec::new();
    flatten("", &table, &mut entries);
    Ok(entries)
}

/// Bare dotted keys (`fetch.min.bytes = 1`) are tables in TOML; this gives librdkafka's names back. An empty table
/// holds nothing and vanishes.
fn flatten(prefix: &str, table: &toml::Table, entries: &mut Vec<Entry>) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(table) => flatten(&key, table, entries),
            value => entries.push(Entry { key, text: as_text(value) }),
        }
    }
}

fn as_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(members) => members.iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
