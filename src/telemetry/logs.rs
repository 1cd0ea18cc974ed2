//! Log lines on standard error; standard output belongs to what a command prints.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};

/// Libraries that tell at their start what only their makers want to know: which instructions of the processor they use.
const QUIETER: &str = "tract_linalg=warn";

/// Starts logging for the whole process. A second call changes nothing.
pub fn init_logs(config: &LogConfig) {
    // The level was checked when it was loaded. What it says of a library holds over what stands here.
    let filter = EnvFilter::try_new(format!("{QUIETER},{}", config.level)).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // An error says that a subscriber is there already, as when two servers run in one test process.
    let _ = match config.format {
        LogFormat::Text => registry.with(lines.with_ansi(io::stderr().is_terminal()).with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_current_span(false)).try_init(),
    };
}
