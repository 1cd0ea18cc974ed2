//! What can be wrong with the settings. Each message is one line: it goes to stderr as it is, with exit code 64.

/// A setting that stops the start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that is not accepted.
    #[error("{setting}: {value} is not accepted; accepted is {accepted}")]
    Value {
        /// The setting as the user wrote it: `BATCH_SIZE (environment)`, `ingest.batch_size (citytwin.toml)`, `--batch-size`.
        setting: String,
        /// The value, quoted, escaped and cut to one line; masked where it is a secret.
        value: String,
        /// What is accepted, in words.
        accepted: String,
    },
    /// A key of the file that is no setting.
    #[error("{key} ({file}): there is no such setting{}", nearest.as_ref().map(|near| format!("; the nearest is {near}")).unwrap_or_default())]
    UnknownKey {
        /// The key with its tables, `kafka.broker`.
        key: String,
        /// The file that holds it.
        file: String,
        /// The setting that is spelt most alike, if any is close.
        nearest: Option<String>,
    },
    /// A file of settings that cannot be read or is no TOML.
    #[error("--config {file}: {message}")]
    File {
        /// The file.
        file: String,
        /// Why, with the line number where there is one.
        message: String,
    },
    /// `CITY_FILE` cannot be read, or is no city file.
    #[error("CITY_FILE: {file:?} is not accepted ({problem}); accepted is a file with the JSON of state.full")]
    CityFile {
        /// The city file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// `CITY_ID` names another city than `CITY_FILE`.
    #[error(
        "CITY_ID: \"{id}\" is not the city of CITY_FILE, {file}, which is \"{file_id}\"; accepted is that id, or none"
    )]
    OtherCity {
        /// What `CITY_ID` says.
        id: String,
        /// The city file.
        file: String,
        /// The id in the city file.
        file_id: String,
    },
}

impl ConfigError {
    /// The exit code of every one of them: `EX_USAGE` of sysexits.h, as `docs/configuration.md` promises.
    pub const EXIT_CODE: u8 = 64;
}

/// A value as it stands in a message: quoted, control characters escaped, cut where it is long.
pub(super) fn quote(value: &str) -> String {
    const LONGEST: usize = 120;
    if value.chars().count() <= LONGEST {
        return format!("{value:?}");
    }
    let cut: String = value.chars().take(LONGEST).collect();
    format!("{cut:?}…")
}

/// The candidate that is spelt most like `word`, if it is like it at all: at most a third of it differs.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, candidate) = candidates
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= word.chars().count().max(3)).then_some(candidate)
}

/// Levenshtein's distance: how many characters are put in, taken out or changed on the way from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
