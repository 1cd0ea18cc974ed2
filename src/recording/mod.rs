//! Recordings: topics as lines of JSON in a file, taken from Kafka and played back into it.

mod error;
mod file;
mod line;
mod play;
mod stamp;
mod take;

pub use error::RecordingError;
pub use file::{Lines, Writer};
pub use line::Line;
pub use play::{Plan, ReplayOptions, ReplayProgress, ReplaySummary, Speed, Stamp, Survey, plan, replay, survey};
pub use stamp::shift_times;
pub use take::{RecordOptions, RecordProgress, RecordSummary, Start, record};

#[cfg(test)]
mod tests;
