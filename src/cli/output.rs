//! Standard output.

use std::io::{self, Write as _};

/// Prints a text. Unlike `print!` it gives an error where nobody reads any more.
///
/// # Errors
/// What the system says, `BrokenPipe` among it, which [`exit_code`](super::exit_code) takes for an end in peace.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
