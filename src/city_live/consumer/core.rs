//! What a batch of records makes of the archive: pure, so that it can be checked.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    calls::Window,
    parse::{self, reject},
};
use crate::{
    city_live::{
        archive::{FeatureHour, FeedItem, Intake, Raw311, RawKind, RawValue, StoredOffset},
        catalogue::LiveCity,
        clock::{hour_number, hour_start},
        message::{HourValue, LiveTopic, Message, Payload},
        process::features::of_payload,
    },
    twin::{
        geo::Position,
        json::cut,
        reject::{Code, Reject},
        time::Time,
    },
};

/// By what records are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judgement {
    /// How far a message's `ts` may be ahead of its record's own time (`MAX_CLOCK_SKEW_MS`), milliseconds.
    pub max_clock_skew_ms: i64,
    /// The largest value (`MAX_EVENT_BYTES`), bytes.
    pub max_event_bytes: usize,
    /// How old a message may be to become a row of the feed (`CITY_LIVE_FEED_RETENTION`), milliseconds: what a producer tells again
    /// after a restart shall not come back as news once it has expired.
    pub feed_retention_ms: i64,
}

/// A record as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The topic that it came by.
    pub topic: LiveTopic,
    /// The partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its own time, milliseconds since 1970.
    pub timestamp: i64,
    /// `None` is Kafka's null.
    pub key: Option<Bytes>,
    /// `None` is Kafka's null.
    pub value: Option<Bytes>,
}

/// A record that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// As it came.
    pub source: Source,
    /// Why.
    pub why: Reject,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// What to write.
    pub intake: Intake,
    /// What to send to the dead letters before that.
    pub rejected: Vec<Rejected>,
    /// The cities that got something.
    pub cities: BTreeSet<String>,
}

type Place = (String, Option<String>);

/// What the consumer has to know of the archive to write the right thing.
pub struct Core {
    cities: Vec<Arc<LiveCity>>,
    judgement: Judgement,
    /// The cluster that offsets belong to.
    cluster: String,
    /// The time of the latest value of each kind in each zone.
    latest: HashMap<(RawKind, Place), Time>,
    calls: HashMap<Place, Window>,
    /// The temperatures of the next hours, of the source that told them last: one that tells none takes none away.
    ahead: HashMap<Place, Vec<HourValue>>,
    /// The last one given.
    seq: i64,
}

impl Core {
    /// Over an archive that holds this.
    pub fn new(
        cities: Vec<Arc<LiveCity>>,
        judgement: Judgement,
        cluster: String,
        raw: impl IntoIterator<Item = RawValue>,
        calls: impl IntoIterator<Item = Raw311>,
        last_seq: i64,
    ) -> Self {
        let (mut latest, mut ahead) = (HashMap::new(), HashMap::new());
        for value in raw {
            let Some(kind) = RawKind::of(&value.payload) else { continue };
            let place = (value.city_id, value.zone_id);
            if let Payload::Weather(weather) = value.payload {
                ahead.insert(place.clone(), weather.hourly_temperature);
            }
            latest.insert((kind, place), value.ts);
        }
        let calls = calls
            .into_iter()
            .map(|document| ((document.city_id.clone(), document.zone_id.clone()), Window::load(document)));
        Self { cities, judgement, cluster, latest, calls: calls.collect(), ahead, seq: last_seq }
    }

    /// Takes a batch in, in its order. `now` is when.
    pub fn take(&mut self, records: Vec<Source>, now: Time) -> Taken {
        let mut taken = Taken::default();
        let mut seen = HashSet::new();
        let mut raw: HashMap<(RawKind, Place), RawValue> = HashMap::new();
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        let mut offsets: HashMap<(LiveTopic, i32), i64> = HashMap::new();
        let mut hours: Vec<FeatureHour> = Vec::new();
        for record in records {
            offsets.insert((record.topic, record.partition), record.offset + 1);
            let message = match self.message(&record) {
                Ok(message) => message,
                Err(why) => {
                    taken.rejected.push(Rejected { source: record, why });
                    continue;
                }
            };
            taken.cities.insert(message.city_id.clone());
            let place = (message.city_id.clone(), message.zone_id.clone());
            if let Some(kind) = RawKind::of(&message.payload) {
                let at = (kind, place);
                // Of the same time the one that came later holds.
                if self.latest.get(&at).is_none_or(|latest| *latest <= message.ts) {
                    self.latest.insert(at.clone(), message.ts);
                    let mut value = raw_value(&message, now);
                    self.look_ahead(&at.1, &mut value);
                    raw.insert(at, value);
                }
            } else if let Payload::Call311(call) = &message.payload {
                let window = self.calls.entry(place.clone()).or_default();
                if window.take(message.ts, call.clone(), &message.source, now) {
                    touched.insert(place);
                }
            }
            // Portals tell of 311 calls a day or two late: those are news all the same.
            let late = matches!(message.payload, Payload::Call311(_));
            if !late && now.0 - message.ts.0 > self.judgement.feed_retention_ms {
                hours.extend(hour(message));
                continue;
            }
            let key = key(record.topic, &message);
            if seen.insert(key.clone()) {
                self.seq += 1;
                taken.intake.items.push(FeedItem {
                    seq: self.seq,
                    key,
                    topic: record.topic.name().to_owned(),
                    ts: message.ts,
                    ingested_at: now,
                    source: message.source,
                    payload: message.payload,
                    city_id: message.city_id,
                    zone_id: message.zone_id,
                });
            }
        }
        taken.intake.raw = raw.into_values().collect();
        taken.intake.raw.sort_by(|a, b| (&a.city_id, &a.zone_id).cmp(&(&b.city_id, &b.zone_id)));
        taken.intake.hours = hours;
        taken.intake.calls = touched.iter().filter_map(|place| self.window(place, now)).collect();
        taken.intake.offsets = offsets
            .into_iter()
            .map(|((topic, partition), offset)| StoredOffset {
                cluster: self.cluster.clone(),
                topic: topic.name().to_owned(),
                partition,
                offset,
            })
            .collect();
        taken.intake.offsets.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        taken
    }

    /// Gives weather that says nothing of the hours ahead what is known of them: a forecast stands on it.
    fn look_ahead(&mut self, place: &Place, value: &mut RawValue) {
        let Payload::Weather(weather) = &mut value.payload else { return };
        if !weather.hourly_temperature.is_empty() {
            self.ahead.insert(place.clone(), weather.hourly_temperature.clone());
        } else if let Some(known) = self.ahead.get(place) {
            let this_hour = hour_start(hour_number(value.ts));
            weather.hourly_temperature = known.iter().filter(|hour| hour.ts >= this_hour).copied().collect();
        }
    }

    /// The windows from which calls have gone because of their age.
    pub fn prune(&mut self, now: Time) -> Intake {
        let mut places: Vec<Place> = Vec::new();
        for (place, window) in &mut self.calls {
            if window.prune(now) {
                places.push(place.clone());
            }
        }
        places.sort();
        Intake { calls: places.iter().filter_map(|place| self.window(place, now)).collect(), ..Intake::default() }
    }

    fn window(&mut self, place: &Place, now: Time) -> Option<Raw311> {
        let window = self.calls.get_mut(place)?;
        window.prune(now);
        Some(window.document(&place.0, place.1.as_deref(), now))
    }

    /// A record's message, in a zone of the catalogue.
    fn message(&self, record: &Source) -> Result<Message, Reject> {
        let mut message = parse::message(record.topic, record.value.as_deref(), record.timestamp, self.judgement)?;
        let Some(city) = self.cities.iter().find(|city| city.id == message.city_id) else {
            let known: Vec<_> = self.cities.iter().map(|city| city.id.as_str()).collect();
            let city = cut(&message.city_id, 80);
            let why = format!("city_id is {city:?}; accepted: a city of the catalogue ({})", known.join(", "));
            return Err(reject(Code::UnknownEntity, why));
        };
        match &message.zone_id {
            Some(zone) if city.zone(zone).is_none() => {
                let why =
                    format!("zone_id is {:?}; accepted: null, or a zone of the city {:?}", cut(zone, 80), city.id);
                return Err(reject(Code::UnknownEntity, why));
            }
            None => message.zone_id = zone_of_call(city, &message.payload),
            Some(_) => {}
        }
        Ok(message)
    }
}

/// The zone in which a call was made, where it says where.
fn zone_of_call(city: &LiveCity, payload: &Payload) -> Option<String> {
    let Payload::Call311(call) = payload else { return None };
    let position = Position { latitude: call.latitude?, longitude: call.longitude? };
    city.zone_at(position).map(|zone| zone.id.clone())
}

fn raw_value(message: &Message, now: Time) -> RawValue {
    RawValue {
        city_id: message.city_id.clone(),
        zone_id: message.zone_id.clone(),
        ts: message.ts,
        source: message.source.clone(),
        ingested_at: now,
        payload: message.payload.clone(),
    }
}

/// What an old message leaves in the history: the power demand of its hour, of which a source sends many at once. Of other kinds the
/// history has what was the latest value in that hour.
fn hour(message: Message) -> Option<FeatureHour> {
    let values = match &message.payload {
        power @ Payload::PowerDemand(_) => of_payload(power),
        _ => return None,
    };
    let hour = hour_start(hour_number(message.ts));
    Some(FeatureHour { city_id: message.city_id, zone_id: message.zone_id, hour, values })
}

/// What a message is told apart by. Its parts stand from the widest to the narrowest, so that an index of it grows in few places.
fn key(topic: LiveTopic, message: &Message) -> String {
    let zone = message.zone_id.as_deref().unwrap_or_default();
    let mut key = format!(
        "{}|{}|{}|{}|{}|{}",
        topic.name(),
        message.payload.kind(),
        part(&message.source),
        part(&message.city_id),
        part(zone),
        message.ts
    );
    match &message.payload {
        Payload::Call311(call) => {
            key.push('|');
            key.push_str(&part(&call.call_id));
        }
        // The same hour may be out of line in both ways.
        Payload::GridAlert(alert) => {
            key.push('|');
            key.push_str(alert.kind.name());
        }
        _ => {}
    }
    key
}

/// A part of a key without the stroke that stands between parts.
fn part(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(['|', '%']) { text.replace('%', "%25").replace('|', "%7C").into() } else { text.into() }
}
