//! The city file: read, and what is wrong with it.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
};

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;

/// The text of a file, unpacked by its ending.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let unpack = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut file = File::open(path)?;
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => MultiGzDecoder::new(file).read_to_end(&mut bytes)?,
            Some("zst") => zstd::stream::read::Decoder::new(file)?.read_to_end(&mut bytes)?,
            _ => file.read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    };
    let bytes = unpack().with_context(|| path.display().to_string())?;
    String::from_utf8(bytes).with_context(|| format!("{}: is no UTF-8", path.display()))
}

/// Prints all errors of a file to standard error, each with its path, and gives the one that ends the command.
pub fn list<'a>(path: &Path, errors: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> anyhow::Error {
    let count = errors.len();
    let mut out = std::io::stderr().lock();
    for (at, message) in errors {
        // A text may come from the file: it stays on its line.
        let line =
            format!("{}{}{message}", at, if at.is_empty() { "the file " } else { " " }).replace(['\n', '\r'], " ");
        // Nobody may be reading; then nobody misses it.
        let _ = writeln!(out, "  {line}");
    }
    let errors = if count == 1 { "an error".to_owned() } else { format!("{count} errors") };
    anyhow::anyhow!("{}: {errors}, nothing was imported", path.display())
}
