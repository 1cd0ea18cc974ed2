//! How the process ends.

use std::io;

use crate::config::ConfigError;

/// The exit code of an error and the one line to say; no line where the reader of our output has simply gone away.
pub fn exit_code(error: &anyhow::Error) -> (u8, Option<String>) {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return (0, None);
    }
    let config = error.chain().any(|cause| cause.downcast_ref::<ConfigError>().is_some());
    let line = format!("citytwin: {error:#}").replace(['\n', '\r'], " ");
    (if config { ConfigError::EXIT_CODE } else { 1 }, Some(line))
}
