//! The recordings, which are kept beside the repository and not in it.

use std::path::PathBuf;

/// The folder of shared data: `CITYTWIN_SHARED`, else `../shared` beside the repository.
///
/// `None` where neither is there, after a line that says so; a test then has nothing to check and passes.
pub fn shared() -> Option<PathBuf> {
    let folder = match std::env::var_os("CITYTWIN_SHARED") {
        Some(folder) => PathBuf::from(folder),
        // A git worktree may stand one folder deeper than the repository, hence the second place.
        None => ["../shared", "../../shared"]
            .map(|beside| super::root().join(beside))
            .into_iter()
            .find(|folder| folder.is_dir())
            .unwrap_or_else(|| super::root().join("../shared")),
    };
    let found = folder.is_dir();
    if !found {
        eprintln!("SKIPPED: no recorded data at {} (set CITYTWIN_SHARED to where it is)", folder.display());
    }
    found.then_some(folder)
}

/// One recorded day: the city it starts from, its events, and the state that must result.
#[derive(Debug, Clone)]
pub struct Recording {
    /// City file.
    pub city: PathBuf,
    /// Events in time order, gzipped NDJSON.
    pub day: PathBuf,
    /// The state after all of them, gzipped JSON.
    pub expected: PathBuf,
}

/// The recording of that name, if the shared data is there.
pub fn recording(name: &str) -> Option<Recording> {
    let folder = shared()?.join("recordings").join(name);
    Some(Recording {
        city: folder.join("city.json"),
        day: folder.join("day.ndjson.gz"),
        expected: folder.join("expected.json.gz"),
    })
}
