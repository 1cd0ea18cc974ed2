//! Timestamps of boundaries, and the messages of a boundary.

use bytes::Bytes;

use crate::{
    kafka::{
        Record,
        topics::{STATE_FULL, STATE_INCREMENTAL},
    },
    twin::{change::ChangeSet, delta::write_delta, json::write_text, snapshot::write_full, time::Time, view::View},
};

use super::Incremental;

/// Gives timestamps to boundaries: wall clock in UTC milliseconds, but at least one more than the last.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    last: Time,
}

impl Clock {
    /// All timestamps will be above this one.
    pub fn above(last: Time) -> Self {
        Self { last }
    }

    /// The timestamp of a boundary made now.
    pub fn next(&mut self, now: Time) -> Time {
        self.last = Time(now.0.max(self.last.0 + 1));
        self.last
    }
}

/// The message of `state.full`.
pub(super) fn full_message(view: &View, timestamp: Time) -> Bytes {
    let mut json = Vec::new();
    write_full(view, timestamp, &mut json);
    json.into()
}

/// The message of `state.incremental`; `None` where nothing changed but the time.
pub(super) fn incremental_message(
    changes: &ChangeSet,
    view: &View,
    previous: Time,
    timestamp: Time,
) -> Option<Incremental> {
    let mut message = Vec::with_capacity(256 + changes.befores.len() * 192);
    message.extend_from_slice(b"{\"cityId\":");
    write_text(&view.city_id, &mut message);
    message.extend_from_slice(b",\"timestamp\":\"");
    timestamp.write(&mut message);
    message.extend_from_slice(b"\",\"delta\":");
    if !write_delta(changes, view, previous, timestamp, &mut message) {
        return None;
    }
    message.push(b'}');
    Some(Incremental { previous, timestamp, message: message.into() })
}

fn header(name: &str, value: impl Into<Bytes>) -> (String, Bytes) {
    (name.to_owned(), value.into())
}

pub(super) fn full_record(city_id: &str, epoch: u64, message: Bytes) -> Record {
    Record {
        topic: STATE_FULL.to_owned(),
        partition: Some(0),
        key: Some(Bytes::copy_from_slice(city_id.as_bytes())),
        payload: Some(message),
        headers: vec![header("type", "full-state"), header("version", "1.0"), header("epoch", epoch.to_string())],
        timestamp: None,
    }
}

pub(super) fn incremental_record(city_id: &str, epoch: u64, incremental: &Incremental) -> Record {
    Record {
        topic: STATE_INCREMENTAL.to_owned(),
        partition: Some(0),
        key: Some(Bytes::copy_from_slice(city_id.as_bytes())),
        payload: Some(incremental.message.clone()),
        headers: vec![
            header("type", "incremental-state"),
            header("version", "1.0"),
            header("previousTimestamp", incremental.previous.to_string()),
            header("epoch", epoch.to_string()),
        ],
        timestamp: None,
    }
}
