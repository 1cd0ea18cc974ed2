//! A recording's file: plain, gzip (`.gz`) or zstd (`.zst`), by its ending.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};

use super::{Line, RecordingError};

/// The longest line, in bytes: the largest record as base64 with room for the rest. A longer one is no recording.
const LONGEST_LINE: usize = crate::kafka::MAX_MESSAGE_BYTES * 2;
/// Bytes read from and written to the file at a time.
const BUFFER: usize = 256 * 1024;

/// Reads a recording line by line.
pub struct Lines {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    buffer: Vec<u8>,
    number: u64,
}

impl Lines {
    /// Opens a recording.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let failed = |source| RecordingError::File { path: path.to_owned(), source };
        let file = BufReader::with_capacity(BUFFER, File::open(path).map_err(failed)?);
        let input: Box<dyn BufRead + Send> = match ending(path) {
            Ending::Plain => Box::new(file),
            Ending::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file))),
            Ending::Zstd => Box::new(BufReader::with_capacity(
                BUFFER,
                zstd::stream::read::Decoder::with_buffer(file).map_err(failed)?,
            )),
        };
        Ok(Self { path: path.to_owned(), input, buffer: Vec::new(), number: 0 })
    }

    /// The next line; empty ones are passed over.
    ///
    /// # Errors
    /// Where the file cannot be read or the line is none of a recording.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, RecordingError> {
        loop {
            self.buffer.clear();
            self.number += 1;
            let mut limited = io::Read::take(&mut self.input, LONGEST_LINE as u64);
            let read = limited
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| RecordingError::File { path: self.path.clone(), source })?;
            if read == 0 {
                return Ok(None);
            }
            if read == LONGEST_LINE {
                return Err(self.wrong("longer than any record".into()));
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        let number = self.number;
        let wrong = |reason| RecordingError::Line { number, reason };
        let text = std::str::from_utf8(self.buffer.trim_ascii()).map_err(|error| wrong(error.to_string()))?;
        Line::read(text).map(Some).map_err(wrong)
    }

    /// The length of the line last read, in bytes.
    pub fn line_bytes(&self) -> u64 {
        self.buffer.len() as u64
    }

    fn wrong(&self, reason: String) -> RecordingError {
        RecordingError::Line { number: self.number, reason }
    }
}

/// Writes a recording. Call [`Writer::finish`]: what is dropped before lacks its end.
pub struct Writer {
    path: PathBuf,
    output: Output,
    line: Vec<u8>,
}

enum Output {
    Plain(BufWriter<File>),
    Gzip(BufWriter<GzEncoder<File>>),
    Zstd(BufWriter<zstd::stream::write::Encoder<'static, File>>),
}

impl Writer {
    /// Makes the file, or empties the one that is there.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let failed = |source| RecordingError::File { path: path.to_owned(), source };
        let file = File::create(path).map_err(failed)?;
        let output = match ending(path) {
            Ending::Plain => Output::Plain(BufWriter::with_capacity(BUFFER, file)),
            Ending::Gzip => {
                Output::Gzip(BufWriter::with_capacity(BUFFER, GzEncoder::new(file, Compression::default())))
            }
            Ending::Zstd => Output::Zstd(BufWriter::with_capacity(
                BUFFER,
                zstd::stream::write::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?,
            )),
        };
        Ok(Self { path: path.to_owned(), output, line: Vec::new() })
    }

    /// Appends a line and returns its length in bytes.
    pub fn write(&mut self, line: &Line<'_>) -> Result<usize, RecordingError> {
        self.line.clear();
        line.write(&mut self.line);
        let output: &mut dyn Write = match &mut self.output {
            Output::Plain(output) => output,
            Output::Gzip(output) => output,
            Output::Zstd(output) => output,
        };
        output.write_all(&self.line).map_err(|source| RecordingError::File { path: self.path.clone(), source })?;
        Ok(self.line.len())
    }

    /// Writes the end and hands all of it to the disk.
    pub fn finish(self) -> Result<(), RecordingError> {
        let path = self.path;
        let finish = || -> io::Result<()> {
            let file = match self.output {
                Output::Plain(output) => output.into_inner()?,
                Output::Gzip(output) => output.into_inner()?.finish()?,
                Output::Zstd(output) => output.into_inner()?.finish()?,
            };
            file.sync_all()
        };
        finish().map_err(|source| RecordingError::File { path, source })
    }
}

enum Ending {
    Plain,
    Gzip,
    Zstd,
}

fn ending(path: &Path) -> Ending {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => Ending::Gzip,
        Some("zst") => Ending::Zstd,
        _ => Ending::Plain,
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn all_three_forms_come_back() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.ndjson", "a.ndjson.gz", "a.ndjson.zst"] {
            let path = folder.path().join(name);
            let mut writer = Writer::create(&path).unwrap();
            for timestamp in 0..1000 {
                let value = Some(Cow::Borrowed(&b"{\"a\":1}"[..]));
                writer.write(&Line { topic: "t".into(), key: None, timestamp, value }).unwrap();
            }
            writer.finish().unwrap();
            let plain = std::fs::read(&path).unwrap().starts_with(b"{");
            assert_eq!(plain, name == "a.ndjson", "{name}");
            let mut lines = Lines::open(&path).unwrap();
            let mut count = 0;
            while let Some(line) = lines.next_line().unwrap() {
                assert_eq!(line.timestamp, count);
                count += 1;
            }
            assert_eq!(count, 1000);
        }
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        std::fs::write(&path, "\n{\"topic\":\"t\",\"timestamp\":1}\n\nnonsense\n").unwrap();
        let mut lines = Lines::open(&path).unwrap();
        assert!(lines.next_line().unwrap().is_some());
        let error = lines.next_line().unwrap_err();
        assert!(error.to_string().starts_with("line 4: "), "{error}");
        assert!(matches!(Lines::open(&folder.path().join("none")), Err(RecordingError::File { .. })));
    }
}
