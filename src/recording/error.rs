//! What can go wrong with a recording.

use std::path::PathBuf;

use crate::kafka::KafkaError;

/// A recording could not be taken or played.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // The fields say what their names say.
pub enum RecordingError {
    /// The file cannot be read or written; why is its source, which a chain of causes names once.
    #[error("{}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A line is not what [`super::Line`] describes.
    #[error("line {number}: {reason}")]
    Line { number: u64, reason: String },
    /// The file holds no event.
    #[error("the recording holds no event")]
    Empty,
    /// One of the asked topics is not there.
    #[error("kafka topic {0} does not exist")]
    NoTopic(String),
    /// A record was not taken by Kafka.
    #[error("kafka took not all events: {0}")]
    Refused(String),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The working thread ended early.
    #[error("{0}")]
    Ended(String),
}
