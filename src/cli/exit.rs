//! How the process ends.

use std::io;

use crate::{
    city_live::{catalogue::CatalogueError, producer::ProducerError},
    config::ConfigError,
    kafka::KafkaError,
    recording::RecordingError,
    store::StoreError,
};

/// The exit code of an error and the one line to say; no line where the reader of our output has simply gone away.
pub fn exit_code(error: &anyhow::Error) -> (u8, Option<String>) {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return (0, None);
    }
    let line = format!("citytwin: {error:#}").replace(['\n', '\r'], " ");
    (if error.chain().any(is_wrong_setting) { ConfigError::EXIT_CODE } else { 1 }, Some(line))
}

/// Whether it is a setting's fault: some are only found out by those who use it.
fn is_wrong_setting(cause: &(dyn std::error::Error + 'static)) -> bool {
    let kafka = cause.downcast_ref::<KafkaError>().or_else(|| match cause.downcast_ref() {
        Some(RecordingError::Kafka(error)) => Some(error),
        _ => match cause.downcast_ref() {
            Some(ProducerError::Kafka(error)) => Some(error),
            _ => None,
        },
    });
    cause.is::<ConfigError>()
        || cause.is::<CatalogueError>()
        || matches!(cause.downcast_ref(), Some(ProducerError::Config(_)))
        || matches!(cause.downcast_ref(), Some(StoreError::Setting { .. }))
        || matches!(kafka, Some(KafkaError::Property { .. } | KafkaError::Properties { .. }))
}
