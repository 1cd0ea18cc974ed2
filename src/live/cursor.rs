//! Where a subscriber stands.

use std::fmt;

use base64::{Engine, display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};

/// A moment of one instance's city. It means nothing to another instance, after a restart of the process, or in
/// another epoch, and says so by itself: its text is base64url of instance, epoch and revision, 8 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Drawn by chance when the process starts.
    pub instance: u64,
    /// The epoch of the state chain; 0 before its first boundary.
    pub epoch: u64,
    /// The city's revision; 0 before the subscriber held a complete one.
    pub revision: u64,
}

impl Cursor {
    /// Reads a cursor's text; `None` for anything that is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let mut numbers = bytes.chunks(8).map(|part| part.try_into().ok().map(u64::from_be_bytes));
        let cursor = Self { instance: numbers.next()??, epoch: numbers.next()??, revision: numbers.next()?? };
        numbers.next().is_none().then_some(cursor)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        for (part, number) in bytes.chunks_exact_mut(8).zip([self.instance, self.epoch, self.revision]) {
            part.copy_from_slice(&number.to_be_bytes());
        }
        Base64Display::new(&bytes, &URL_SAFE_NO_PAD).fmt(f)
    }
}
