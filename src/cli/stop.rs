//! SIGTERM and Ctrl-C as a token.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What comes this soon after the first signal is the same wish: `timeout` of coreutils signals the process and then its
/// group, and a terminal's Ctrl-C may be passed on by a parent that got it too.
const SAME_WISH: Duration = Duration::from_secs(1);

/// A token that is cancelled by the first SIGTERM or Ctrl-C. A second one ends the process at once, as people expect.
///
/// # Errors
/// The signals cannot be listened for.
pub fn on_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let mut first: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first.get_or_insert_with(Instant::now).elapsed() > SAME_WISH {
                std::process::exit(130);
            }
            token.cancel();
        }
    });
    Ok(stop)
}
