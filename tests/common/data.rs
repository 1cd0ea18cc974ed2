//! Recorded days: a small made-up one, which is in the repository, and a real one, which is kept beside it.

use std::{io::Write as _, path::PathBuf};

/// The folder of shared data: `CITYTWIN_SHARED`, else `../shared` beside the repository; `None` where neither is there.
fn shared() -> Result<PathBuf, PathBuf> {
    let folder = match std::env::var_os("CITYTWIN_SHARED") {
        Some(folder) => PathBuf::from(folder),
        // A git worktree may stand one folder deeper than the repository, hence the second place.
        None => ["../shared", "../../shared"]
            .map(|beside| super::root().join(beside))
            .into_iter()
            .find(|folder| folder.is_dir())
            .unwrap_or_else(|| super::root().join("../shared")),
    };
    if folder.is_dir() { Ok(folder) } else { Err(folder) }
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

impl Recording {
    fn within(folder: &std::path::Path) -> Self {
        Self {
            city: folder.join("city.json"),
            day: folder.join("day.ndjson.gz"),
            expected: folder.join("expected.json.gz"),
        }
    }
}

/// The made-up day of a small town (`tests/recordings/make.mjs`).
pub fn town() -> Recording {
    Recording::within(&super::root().join("tests/recordings/town"))
}

/// The real day `mosaic`; where the shared data is not there, `None` after a line that says what is not run for it. That
/// line comes out even though the test passes, and `scripts/test` repeats it at its end.
pub fn mosaic() -> Option<Recording> {
    shared_or_skipped().map(|folder| Recording::within(&folder.join("recordings/mosaic")))
}

/// The folder with real replies of City Live's APIs; `None` as with [`mosaic`].
pub fn city_live() -> Option<PathBuf> {
    shared_or_skipped().map(|folder| folder.join("data/citylive"))
}

fn shared_or_skipped() -> Option<PathBuf> {
    match shared() {
        Ok(folder) => Some(folder),
        Err(folder) => {
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            let place = folder.display();
            let said = format!("\nSKIPPED: {test}: no recorded data at {place} (CITYTWIN_SHARED says where it is)\n");
            // Not by `eprint!`, which cargo keeps to itself where a test passes.
            let _ = std::io::stderr().write_all(said.as_bytes());
            None
        }
    }
}
