//! What has been sent of a city, so that a reading that has not changed goes out once.

use std::{
    collections::{BTreeSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use crate::{
    city_live::message::{Message, Payload},
    twin::time::Time,
};

/// More than two days of New York's 311 calls; beyond it the oldest are forgotten, and would go out again if an API told
/// them again.
const MOST: usize = 100_000;

/// What tells one feed's messages of one city apart, by when it was measured. The consumer would see a doubled message for what
/// it is; this keeps thousands of them off the topics.
#[derive(Debug, Default)]
pub struct Sent {
    known: BTreeSet<(Time, u64)>,
}

impl Sent {
    /// Those that were not sent yet.
    pub fn news(&self, mut messages: Vec<Message>) -> Vec<Message> {
        messages.retain(|message| !self.known.contains(&mark(message)));
        messages
    }

    /// They have been sent.
    pub fn remember(&mut self, marks: impl IntoIterator<Item = (Time, u64)>) {
        self.known.extend(marks);
        while self.known.len() > MOST {
            self.known.pop_first();
        }
    }
}

/// What tells a message apart: type, zone, `ts`, a 311 call's own id. City and source are those of the feed.
pub fn mark(message: &Message) -> (Time, u64) {
    let mut hasher = DefaultHasher::new();
    (message.payload.kind(), &message.zone_id).hash(&mut hasher);
    if let Payload::Call311(call) = &message.payload {
        call.call_id.hash(&mut hasher);
    }
    (message.ts, hasher.finish())
}
