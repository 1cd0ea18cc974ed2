//! Where a subscriber stands.

use std::fmt;

use base64::{Engine, display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};

/// A batch of one subscription. It means nothing to another instance, after a restart of the process, or in another
/// epoch, and says so by itself: its text is base64url of instance, epoch and batch, 8 bytes each, and subscription, 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Drawn by chance when the process starts.
    pub instance: u64,
    /// The epoch of the state chain; 0 before its first boundary.
    pub epoch: u64,
    /// The batch's number among those of its subscription, from 1 on.
    pub batch: u64,
    pub subscription: SubscriptionId,
}

/// What a subscription is named by: whoever knows it may steer it, so it is drawn from all 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubscriptionId(pub u128);

impl Cursor {
    /// How long its text is.
    pub const LENGTH: usize = 54;

    /// Reads a cursor's text; `None` for anything that is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 40] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (numbers, subscription) = bytes.split_at(24);
        let mut numbers = numbers.chunks(8).map(|part| part.try_into().ok().map(u64::from_be_bytes));
        let (instance, epoch, batch) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let subscription = SubscriptionId(u128::from_be_bytes(subscription.try_into().ok()?));
        Some(Self { instance, epoch, batch, subscription })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 40];
        for (part, number) in bytes.chunks_exact_mut(8).zip([self.instance, self.epoch, self.batch]) {
            part.copy_from_slice(&number.to_be_bytes());
        }
        bytes[24..].copy_from_slice(&self.subscription.0.to_be_bytes());
        Base64Display::new(&bytes, &URL_SAFE_NO_PAD).fmt(f)
    }
}

impl SubscriptionId {
    /// How long its text is.
    pub const LENGTH: usize = 32;

    /// A new one.
    ///
    /// # Panics
    /// Where the system has no random bytes to give, as the hash maps of the standard library do.
    pub fn draw() -> Self {
        let mut bytes = [0; 16];
        let drawn = rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes);
        assert!(drawn.is_ok(), "the system gives random bytes");
        Self(u128::from_be_bytes(bytes))
    }

    /// Reads an id's text; `None` for anything that is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let right = text.len() == Self::LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        right.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
