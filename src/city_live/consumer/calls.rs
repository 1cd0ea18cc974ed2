//! The 311 calls of a zone in the last 24 hours.

use std::collections::{BTreeMap, HashMap};

use crate::{
    city_live::{
        archive::{CallEntry, Raw311},
        message::Call311,
        process::features::CALLS_MS,
    },
    twin::time::Time,
};

/// The most calls that a zone's window holds: all of New York makes some 10,000 in a day, and a document must stay below MongoDB's
/// 16 MiB. Beyond it the oldest go.
const MOST_CALLS: usize = 20_000;

/// One zone's window.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// By their own id: the latest word on each, and who said so.
    calls: HashMap<String, (CallEntry, String)>,
}

impl Window {
    /// As it was stored.
    pub(super) fn load(document: Raw311) -> Self {
        let source = document.source;
        let calls = document.calls.into_iter().map(|entry| (entry.call.call_id.clone(), (entry, source.clone())));
        Self { calls: calls.collect() }
    }

    /// Takes a call in; `false`: it is too old to count.
    pub(super) fn take(&mut self, ts: Time, call: Call311, source: &str, now: Time) -> bool {
        if ts.0 <= now.0 - CALLS_MS {
            return false;
        }
        self.calls.insert(call.call_id.clone(), (CallEntry { ts, call }, source.to_owned()));
        true
    }

    /// Lets go of those that no longer count; whether any went.
    pub(super) fn prune(&mut self, now: Time) -> bool {
        let before = self.calls.len();
        self.calls.retain(|_, (entry, _)| entry.ts.0 > now.0 - CALLS_MS);
        if self.calls.len() > MOST_CALLS {
            let mut times: Vec<Time> = self.calls.values().map(|(entry, _)| entry.ts).collect();
            times.sort_unstable_by(|a, b| b.cmp(a));
            let oldest = times[MOST_CALLS - 1];
            self.calls.retain(|_, (entry, _)| entry.ts >= oldest);
        }
        self.calls.len() < before
    }

    /// As it is stored.
    pub(super) fn document(&self, city_id: &str, zone_id: Option<&str>, now: Time) -> Raw311 {
        let mut entries: Vec<&(CallEntry, String)> = self.calls.values().collect();
        entries.sort_by(|(a, _), (b, _)| b.ts.cmp(&a.ts).then_with(|| a.call.call_id.cmp(&b.call.call_id)));
        let mut by_type: BTreeMap<String, u32> = BTreeMap::new();
        for (entry, _) in &entries {
            *by_type.entry(entry.call.complaint_type.clone()).or_default() += 1;
        }
        let newest = entries.first();
        Raw311 {
            city_id: city_id.to_owned(),
            zone_id: zone_id.map(str::to_owned),
            // Of an empty window it is known that it is empty now.
            ts: newest.map_or(now, |(entry, _)| entry.ts),
            source: newest.map(|(_, source)| source.clone()).unwrap_or_default(),
            by_type,
            calls: entries.into_iter().map(|(entry, _)| entry.clone()).collect(),
        }
    }
}
