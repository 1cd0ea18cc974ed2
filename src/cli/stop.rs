//! SIGTERM and Ctrl-C as a token.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

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
        let mut first = true;
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if !std::mem::replace(&mut first, false) {
                std::process::exit(130);
            }
            token.cancel();
        }
    });
    Ok(stop)
}
