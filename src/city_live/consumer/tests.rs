use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Core, Judgement, Source, Taken};
use crate::{
    city_live::{
        archive::{Intake, Raw311, RawKind, RawValue},
        message::{LiveTopic, Payload},
        samples,
    },
    twin::{reject::Code, time::Time},
};

/// 2026-01-05T12:00:00Z.
const NOON: i64 = 1_767_614_400_000;
const JUDGEMENT: Judgement =
    Judgement { max_clock_skew_ms: 300_000, max_event_bytes: 100_000, feed_retention_ms: 86_400_000 };

fn core() -> Core {
    let cities = vec![Arc::new(samples::city("nyc", 3)), Arc::new(samples::city("laquila", 2))];
    Core::new(cities, JUDGEMENT, "c".to_owned(), [], [], 0)
}

fn record(topic: LiveTopic, offset: i64, value: impl Into<Vec<u8>>) -> Source {
    Source { topic, partition: 0, offset, timestamp: NOON, key: None, value: Some(Bytes::from(value.into())) }
}

#[allow(clippy::needless_pass_by_value, reason = "a payload is made where it stands")]
fn message(zone: Option<&str>, ts: i64, payload: Value) -> Value {
    json!({"city_id": "nyc", "zone_id": zone, "ts": Time(ts).to_string(), "source": "open-meteo", "payload": payload})
}

fn weather(zone: &str, ts: i64, temperature: f64) -> Value {
    message(Some(zone), ts, json!({"type": "weather", "temperature_c": temperature}))
}

fn call(id: &str, zone: Option<&str>, ts: i64, status: &str) -> Value {
    let payload = json!({"type": "call_311", "call_id": id, "complaint_type": "Noise", "status": status});
    message(zone, ts, payload)
}

fn take(core: &mut Core, records: Vec<Source>) -> Taken {
    core.take(records, Time(NOON))
}

fn one(value: &Value, topic: LiveTopic) -> Taken {
    take(&mut core(), vec![record(topic, 0, value.to_string())])
}

#[test]
fn a_message_becomes_a_row_a_value_and_an_offset() {
    let taken = one(&weather("z1", NOON - 1000, 21.5), LiveTopic::AqiStream);
    assert_eq!(taken.rejected, []);
    let Intake { items, raw, calls, offsets, .. } = taken.intake;
    assert_eq!((items.len(), raw.len(), calls.len(), offsets.len()), (1, 1, 0, 1));
    assert_eq!(items[0].key, "aqi_stream|weather|open-meteo|nyc|z1|2026-01-05T11:59:59.000Z");
    assert_eq!((items[0].seq, items[0].ingested_at), (1, Time(NOON)));
    assert_eq!((raw[0].ts, &raw[0].payload), (Time(NOON - 1000), &items[0].payload));
    assert_eq!((offsets[0].offset, offsets[0].cluster.as_str()), (1, "c"));
    assert_eq!(taken.cities, BTreeSet::from(["nyc".to_owned()]));
}

#[test]
fn what_cannot_be_meant_is_refused_by_its_field_value_and_what_is_accepted() {
    use LiveTopic::{AqiStream, IncidentText, PowerDemand, TrafficEvents};
    let good = weather("z1", NOON, 20.0);
    let with = |field: &str, value: Value| {
        let mut message = good.clone();
        message[field] = value;
        message
    };
    let payload = |payload: Value| message(Some("z1"), NOON, payload);
    let traffic =
        |speed: Value| payload(json!({"type": "traffic", "current_speed_kmh": speed, "free_flow_speed_kmh": 50}));
    let cases: Vec<(LiveTopic, Value, Code, &[&str])> = vec![
        (AqiStream, json!([]), Code::NotJson, &["a JSON object"]),
        (AqiStream, json!({}), Code::MissingField, &["city_id"]),
        (AqiStream, with("city_id", json!(5)), Code::WrongType, &["city_id is 5"]),
        (AqiStream, with("city_id", json!("  ")), Code::OutOfRange, &["city_id"]),
        (AqiStream, with("city_id", json!("rome")), Code::UnknownEntity, &["\"rome\"", "nyc, laquila"]),
        (AqiStream, with("zone_id", json!("z9")), Code::UnknownEntity, &["\"z9\"", "\"nyc\""]),
        (AqiStream, with("ts", json!("yesterday")), Code::BadTime, &["ts is \"yesterday\"", "RFC 3339"]),
        (AqiStream, with("ts", json!(Time(NOON + 300_001).to_string())), Code::Future, &["ts is 2026", "300000 ms"]),
        (AqiStream, with("source", Value::Null), Code::MissingField, &["source"]),
        (AqiStream, with("payload", json!("x")), Code::WrongType, &["payload is \"x\""]),
        (AqiStream, payload(json!({})), Code::MissingField, &["payload.type", "weather"]),
        (AqiStream, payload(json!({"type": "tide"})), Code::OutOfRange, &["\"tide\"", "grid_alert"]),
        (AqiStream, payload(json!({"type": "weather"})), Code::MissingField, &["one at least of temperature_c"]),
        (
            AqiStream,
            payload(json!({"type": "weather", "temperature_c": null})),
            Code::MissingField,
            &["one at least of temperature_c"],
        ),
        (
            AqiStream,
            payload(json!({"type": "weather", "temperature_c": 99})),
            Code::OutOfRange,
            &["payload.temperature_c is 99", "-95 to 65"],
        ),
        (
            AqiStream,
            payload(json!({"type": "weather", "temperature_c": "20"})),
            Code::WrongType,
            &["payload.temperature_c is \"20\""],
        ),
        (AqiStream, payload(json!({"type": "aqi", "us_aqi": -1})), Code::OutOfRange, &["payload.us_aqi is -1"]),
        (
            AqiStream,
            payload(json!({"type": "weather", "temperature_c": 1, "hourly_temperature": [{"ts": "now", "value": 1}]})),
            Code::OutOfRange,
            &["payload.hourly_temperature", "a list of at most 384"],
        ),
        (TrafficEvents, traffic(json!(-5)), Code::OutOfRange, &["payload.current_speed_kmh is -5", "0 to 300"]),
        (TrafficEvents, traffic(Value::Null), Code::MissingField, &["payload.current_speed_kmh is missing"]),
        (AqiStream, traffic(json!(5)), Code::OutOfRange, &["traffic_events", "came by aqi_stream"]),
        (
            PowerDemand,
            payload(json!({"type": "power_demand", "region": "NYIS"})),
            Code::MissingField,
            &["demand_mwh, forecast_mwh"],
        ),
        (
            IncidentText,
            payload(json!({"type": "call_311", "call_id": " ", "complaint_type": "x"})),
            Code::OutOfRange,
            &["payload.call_id"],
        ),
    ];
    for (topic, value, code, says) in cases {
        let taken = one(&value, topic);
        assert_eq!(taken.intake.items, [], "{value}");
        let why = &taken.rejected[0].why;
        assert_eq!(why.code, code, "{value}: {}", why.message);
        for word in says {
            assert!(why.message.contains(word), "{value}: {}", why.message);
        }
        // The offset goes on: the dead letter is sent first.
        assert_eq!(taken.intake.offsets[0].offset, 1);
    }
    for (bytes, code) in [
        (Vec::new(), Code::Empty),
        (vec![0xff, 0xfe], Code::NotUtf8),
        (b"{\"a\":".to_vec(), Code::NotJson),
        (b"{\"city_id\":NaN}".to_vec(), Code::NotJson),
        (vec![b' '; 100_001], Code::TooLarge),
        (good.to_string().replace("20.0", "1e999").into_bytes(), Code::NotJson),
    ] {
        let taken = take(&mut core(), vec![record(AqiStream, 0, bytes)]);
        assert_eq!(taken.rejected[0].why.code, code, "{}", taken.rejected[0].why.message);
    }
}

#[test]
fn text_is_trimmed_and_hours_are_in_order() {
    let hour = |n: i64, value: f64| json!({"ts": Time(NOON + n * 3_600_000).to_string(), "value": value});
    let mut value = weather("z1", NOON, 20.0);
    value["source"] = json!(" open-meteo ");
    value["payload"]["hourly_temperature"] = json!([hour(2, 2.0), hour(1, 1.0), hour(2, 9.0)]);
    value["payload"]["humidity_pct"] = Value::Null;
    let taken = one(&value, LiveTopic::AqiStream);
    assert_eq!(taken.rejected, []);
    let item = &taken.intake.items[0];
    assert_eq!(item.source, "open-meteo");
    let Payload::Weather(weather) = &item.payload else { panic!("{item:?}") };
    assert_eq!(weather.hourly_temperature.iter().map(|hour| hour.value).collect::<Vec<_>>(), [1.0, 2.0]);
    let mut value = call("7", Some("z1"), NOON, " Open ");
    value["payload"]["complaint_type"] = json!("  Noise -  Street ");
    let taken = one(&value, LiveTopic::IncidentText);
    assert_eq!(taken.intake.calls[0].by_type, BTreeMap::from([("Noise - Street".to_owned(), 1)]));
}

#[test]
fn weather_that_says_nothing_of_the_hours_ahead_takes_none_away() {
    let hour = |n: i64| json!({"ts": Time(NOON + n * 3_600_000).to_string(), "value": n});
    let mut ahead = weather("z1", NOON - 7_200_000, 20.0);
    ahead["payload"]["hourly_temperature"] = json!([hour(-2), hour(-1), hour(0), hour(1)]);
    let hours = |taken: &Taken| -> Vec<f64> {
        let Payload::Weather(weather) = &taken.intake.raw[0].payload else { panic!("{taken:?}") };
        weather.hourly_temperature.iter().map(|hour| hour.value).collect()
    };
    let mut core = core();
    take(&mut core, vec![record(LiveTopic::AqiStream, 0, ahead.to_string())]);
    let other = |zone: &str| vec![record(LiveTopic::AqiStream, 1, weather(zone, NOON, 21.0).to_string())];
    let taken = take(&mut core, other("z1"));
    assert_eq!(hours(&taken), [0.0, 1.0], "those from this hour on");
    let Payload::Weather(sent) = &taken.intake.items[0].payload else { panic!("{taken:?}") };
    assert!(sent.hourly_temperature.is_empty(), "the feed has what was sent");
    assert!(hours(&take(&mut core, other("z2"))).is_empty(), "of another zone");
}

#[test]
fn a_call_without_a_zone_goes_where_it_was_made() {
    let place = |latitude: f64, longitude: f64| {
        let mut value = call("7", None, NOON, "Open");
        value["payload"]["latitude"] = json!(latitude);
        value["payload"]["longitude"] = json!(longitude);
        let taken = one(&value, LiveTopic::IncidentText);
        assert_eq!(taken.intake.calls[0].zone_id, taken.intake.items[0].zone_id);
        taken.intake.calls[0].zone_id.clone()
    };
    // Inside and outside of the one shape that the city has.
    assert_eq!(place(39.95, -72.95).as_deref(), Some("z0"));
    assert_eq!(place(10.0, 10.0), None);
}

#[test]
fn a_window_holds_a_day_and_each_call_once() {
    let mut core = core();
    let hour = 3_600_000;
    let calls = [
        call("1", Some("z1"), NOON - 25 * hour, "Open"),
        call("2", Some("z1"), NOON - 23 * hour, "Open"),
        call("3", Some("z1"), NOON - hour, "Open"),
        call("3", Some("z1"), NOON - hour, "Closed"),
    ];
    let records = calls.iter().enumerate().map(|(n, call)| record(LiveTopic::IncidentText, n as i64, call.to_string()));
    let taken = take(&mut core, records.collect());
    let window = &taken.intake.calls[0];
    let ids: Vec<_> = window.calls.iter().map(|entry| entry.call.call_id.as_str()).collect();
    assert_eq!((ids.as_slice(), window.by_type["Noise"]), (["3", "2"].as_slice(), 2));
    assert_eq!(window.calls[0].call.status.as_deref(), Some("Closed"));
    // The one that is too old for the window is in the feed all the same; the other word on call 3 is the same row.
    assert_eq!(taken.intake.items.len(), 3);
    // It goes on with what was stored.
    let cities = vec![Arc::new(samples::city("nyc", 3))];
    let mut again = Core::new(cities, JUDGEMENT, "c".to_owned(), [], taken.intake.calls, 3);
    assert!(again.prune(Time(NOON)).calls.is_empty());
    let aged = again.prune(Time(NOON + 2 * hour)).calls;
    assert_eq!(aged[0].calls.len(), 1);
    let empty = again.prune(Time(NOON + 48 * hour)).calls;
    assert_eq!((empty[0].calls.len(), empty[0].by_type.len()), (0, 0));
    assert!(again.prune(Time(NOON + 49 * hour)).calls.is_empty());
}

#[test]
fn an_older_value_writes_no_latest_one() {
    let mut core = core();
    let put = |core: &mut Core, ts: i64, temperature: f64| {
        let value = weather("z1", ts, temperature).to_string();
        take(core, vec![record(LiveTopic::AqiStream, 0, value)]).intake
    };
    assert_eq!(put(&mut core, NOON, 1.0).raw.len(), 1);
    let late = put(&mut core, NOON - 1, 2.0);
    assert_eq!((late.items.len(), late.raw.len()), (1, 0));
    assert_eq!(put(&mut core, NOON, 3.0).raw.len(), 1);
}

#[test]
fn what_is_older_than_the_feed_is_history_and_no_news() {
    let mut core = core();
    let power = |ago: i64| {
        let payload = json!({"type": "power_demand", "region": "NYIS", "demand_mwh": 17_000.0});
        let value = message(None, NOON - ago, payload).to_string();
        Source { timestamp: NOON, ..record(LiveTopic::PowerDemand, 0, value) }
    };
    let day = 86_400_000;
    let fresh = take(&mut core, vec![power(day)]).intake;
    assert_eq!((fresh.items.len(), fresh.hours.len()), (1, 0));
    let old = take(
        &mut core,
        vec![power(day + 1), record(LiveTopic::AqiStream, 1, weather("z1", NOON - day - 1, 2.0).to_string())],
    );
    let Intake { items, raw, hours, offsets, .. } = old.intake;
    assert_eq!((items.len(), old.rejected.len(), offsets.len()), (0, 0, 2));
    // It is the latest that is known of the zone, old as it is.
    assert_eq!(raw.len(), 1);
    assert_eq!((hours.len(), hours[0].hour, hours[0].values["demand_mwh"]), (1, Time(NOON - 25 * 3_600_000), 17_000.0));
}

/// An archive as far as the documents go.
#[derive(Debug, Default, PartialEq)]
struct Documents {
    rows: BTreeMap<String, Payload>,
    raw: BTreeMap<(RawKind, String, Option<String>), (Time, String, Payload)>,
    calls: BTreeMap<(String, Option<String>), Raw311>,
    offsets: BTreeMap<(String, i32), i64>,
}

impl Documents {
    fn write(&mut self, intake: &Intake) {
        for item in &intake.items {
            self.rows.entry(item.key.clone()).or_insert_with(|| item.payload.clone());
        }
        for RawValue { city_id, zone_id, ts, source, payload, .. } in &intake.raw {
            let kind = RawKind::of(payload).unwrap();
            let value = (*ts, source.clone(), payload.clone());
            self.raw.insert((kind, city_id.clone(), zone_id.clone()), value);
        }
        for calls in &intake.calls {
            self.calls.insert((calls.city_id.clone(), calls.zone_id.clone()), calls.clone());
        }
        for offset in &intake.offsets {
            self.offsets.insert((offset.topic.clone(), offset.partition), offset.offset);
        }
    }

    /// A consumer that starts with what is here.
    fn core(&self) -> Core {
        let raw = self.raw.iter().map(|((_, city, zone), (ts, source, payload))| RawValue {
            city_id: city.clone(),
            zone_id: zone.clone(),
            ts: *ts,
            source: source.clone(),
            ingested_at: Time(NOON),
            payload: payload.clone(),
        });
        let cities = vec![Arc::new(samples::city("nyc", 3)), Arc::new(samples::city("laquila", 2))];
        let raw: Vec<_> = raw.collect();
        Core::new(cities, JUDGEMENT, "c".to_owned(), raw, self.calls.values().cloned(), self.rows.len() as i64)
    }
}

/// A partition for each zone, as the keys make it: (zone, what, minutes ago, value).
fn logs() -> impl Strategy<Value = Vec<Vec<(u8, i64, u8)>>> {
    prop::collection::vec(prop::collection::vec((0_u8..4, 0_i64..6, 0_u8..4), 0..12), 3)
}

fn records(logs: &[Vec<(u8, i64, u8)>]) -> Vec<Vec<Source>> {
    let of = |zone: usize, offset: usize, (what, ago, value): (u8, i64, u8)| {
        let (zone_id, ts) = (format!("z{zone}"), NOON - ago * 3_600_000 * 5);
        let (topic, value) = match what {
            0 => (LiveTopic::AqiStream, weather(&zone_id, ts, f64::from(value))),
            1 => (LiveTopic::IncidentText, call(&format!("{zone}-{value}"), Some(&zone_id), ts, &format!("{offset}"))),
            2 => {
                let payload = json!({"type": "traffic", "current_speed_kmh": value, "free_flow_speed_kmh": 50});
                (LiveTopic::TrafficEvents, message(Some(&zone_id), ts, payload))
            }
            _ => (LiveTopic::AqiStream, json!({"no": "message"})),
        };
        // One log for each zone: the topics' partitions are told apart by the zone's number alone.
        Source { partition: zone as i32, ..record(topic, offset as i64, value.to_string()) }
    };
    logs.iter()
        .enumerate()
        .map(|(zone, log)| log.iter().enumerate().map(|(offset, entry)| of(zone, offset, *entry)).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the order of the partitions among each other, the cuts between batches, and how often a consumer dies after it wrote and
    /// begins again from an earlier offset: the same documents, and each bad record refused.
    #[test]
    fn any_interleaving_and_repetition_gives_the_same_documents(
        logs in logs(),
        steps in prop::collection::vec((0_usize..3, 1_usize..5, prop::bool::weighted(0.3), 0_usize..4), 0..40),
    ) {
        let logs = records(&logs);
        let mut plain = Documents::default();
        let mut core = plain.core();
        for log in &logs {
            plain.write(&take(&mut core, log.clone()).intake);
        }
        let mut broken = Documents::default();
        let mut core = broken.core();
        let mut next = [0_usize; 3];
        let mut refused: BTreeSet<(i32, i64)> = BTreeSet::new();
        let finish = (0..3).map(|log| (log, 100, false, 0));
        for (log, count, dies, back) in steps.into_iter().chain(finish) {
            let end = logs[log].len().min(next[log] + count);
            let taken = take(&mut core, logs[log][next[log]..end].to_vec());
            refused.extend(taken.rejected.iter().map(|rejected| (rejected.source.partition, rejected.source.offset)));
            broken.write(&taken.intake);
            next[log] = end;
            if dies {
                // The documents were written and the answer was lost, or the offsets were not: some is read again.
                core = broken.core();
                next[log] = next[log].saturating_sub(back);
            }
        }
        let bad = logs.iter().flatten().filter(|record| record.value.as_deref() == Some(b"{\"no\":\"message\"}"));
        prop_assert_eq!(refused.len(), bad.count());
        prop_assert_eq!(broken, plain);
    }
}
