//! The nine formats, field by field, and what a message is refused for (contract, section 2).

use proptest::prelude::*;

use super::*;
use crate::twin::samples::{JUDGEMENT, T0, message as random_message};

mod order;

/// What a field takes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Is {
    Id,
    Text,
    Number,
    Heading,
    Count,
    Word(&'static [&'static str]),
    Time,
    Position,
    Object,
    Arrivals,
    Texts,
    Readings,
    Traffic,
}

struct Format {
    topic: Topic,
    /// Name, what it takes, whether it is required, a value that is right.
    fields: &'static [(&'static str, Is, bool, &'static str)],
}

const AT: &str = r#"{"latitude":42.35,"longitude":13.4}"#;
const WHEN: &str = r#""2026-01-05T00:00:00Z""#;
const STATUS: Is = Is::Word(&["active", "inactive", "maintenance"]);

const SENSOR: &[(&str, Is, bool, &str)] = &[
    ("districtId", Is::Id, true, r#""d""#),
    ("sensorId", Is::Id, true, r#""s""#),
    ("type", Is::Text, true, r#""noise""#),
    ("value", Is::Number, true, "45.2"),
    ("unit", Is::Text, false, r#""dB""#),
    ("status", STATUS, false, r#""active""#),
    ("lastUpdated", Is::Time, false, WHEN),
    ("location", Is::Position, false, AT),
    ("metadata", Is::Object, false, r#"{"a":null}"#),
];

const FORMATS: &[Format] = &[
    Format { topic: Topic::SensorsEnvironmental, fields: SENSOR },
    Format { topic: Topic::SensorsTraffic, fields: SENSOR },
    Format { topic: Topic::BuildingsSensors, fields: SENSOR },
    Format {
        topic: Topic::BuildingsSensors,
        fields: &[SENSOR[0], SENSOR[1], SENSOR[2], SENSOR[3], ("buildingId", Is::Text, false, r#""b""#)],
    },
    Format {
        topic: Topic::BuildingsOccupancy,
        fields: &[
            ("districtId", Is::Id, true, r#""d""#),
            ("buildingId", Is::Id, true, r#""b""#),
            ("currentOccupancy", Is::Count, true, "50"),
            ("totalCapacity", Is::Count, false, "200"),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
    Format {
        topic: Topic::WeatherStations,
        fields: &[
            ("districtId", Is::Id, true, r#""d""#),
            ("stationId", Is::Id, true, r#""w""#),
            ("readings", Is::Readings, true, r#"{"temperature":1}"#),
            ("status", STATUS, false, r#""active""#),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
    Format {
        topic: Topic::TrafficGraph,
        fields: &[
            ("edgeId", Is::Id, true, r#""e""#),
            ("trafficConditions", Is::Traffic, true, r#"{"averageSpeed":1}"#),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
    Format {
        topic: Topic::TransportGps,
        fields: &[
            ("busId", Is::Id, true, r#""bus""#),
            ("routeId", Is::Text, false, r#""r""#),
            ("currentLocation", Is::Position, true, AT),
            ("heading", Is::Heading, false, "90"),
            ("speed", Is::Number, false, "25.5"),
            ("passengerCount", Is::Count, false, "35"),
            ("status", Is::Word(&["in_service", "out_of_service", "maintenance"]), false, r#""in_service""#),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
    Format {
        topic: Topic::TransportStations,
        fields: &[
            ("stationId", Is::Id, true, r#""st""#),
            ("name", Is::Text, false, r#""n""#),
            ("location", Is::Position, false, AT),
            ("waitingPassengers", Is::Count, false, "12"),
            ("nextArrivals", Is::Arrivals, false, r#"[{"busId":"bus","own":null}]"#),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
    Format {
        topic: Topic::EmergencyIncidents,
        fields: &[
            ("incidentId", Is::Id, true, r#""i""#),
            ("type", Is::Text, false, r#""fire""#),
            ("severity", Is::Word(&["critical", "high", "medium", "low"]), false, r#""low""#),
            ("location", Is::Position, false, AT),
            ("description", Is::Text, false, r#""smoke""#),
            ("status", Is::Word(&["reported", "dispatched", "in_progress", "resolved"]), false, r#""reported""#),
            ("assignedUnits", Is::Texts, false, r#"["u"]"#),
            ("reportedAt", Is::Time, false, WHEN),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
    Format {
        topic: Topic::EmergencyIncidents,
        fields: &[
            ("unitId", Is::Id, true, r#""u""#),
            ("type", Is::Text, false, r#""fire_truck""#),
            ("status", Is::Word(&["available", "dispatched", "on_scene"]), false, r#""on_scene""#),
            ("currentLocation", Is::Position, false, AT),
            ("assignedIncident", Is::Text, false, r#""i""#),
            ("lastUpdated", Is::Time, false, WHEN),
        ],
    },
];

impl Format {
    /// A message with one field other than right; `None` leaves it out.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let members: Vec<_> = self
            .fields
            .iter()
            .filter_map(|(field, _, _, right)| {
                let value = if *field == name { value? } else { right };
                Some(format!("\"{field}\":{value}"))
            })
            .collect();
        format!("{{{}}}", members.join(","))
    }

    fn read(&self, name: &str, value: Option<&str>) -> Result<(), (Code, String)> {
        read(self.topic, &self.with(name, value)).map(drop).map_err(|reject| (reject.code, reject.message))
    }
}

fn read(topic: Topic, json: &str) -> Result<Event<'_>, Reject> {
    decode(topic, Some(json.as_bytes()), Time(T0), &JUDGEMENT)
}

fn levels(n: usize) -> String {
    format!("{{\"a\":{}{}}}", "[".repeat(n - 1), "]".repeat(n - 1))
}

/// Values of another type, values out of range, and values on the right side of each bound.
fn cases(is: Is) -> (Vec<String>, Vec<String>, Vec<String>) {
    let own = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
    let deep = |n: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(n - 1), "]".repeat(n - 1));
    match is {
        Is::Id => (
            own(&["1", "1.5", "true", "[]", "{}", r#"["a"]"#]),
            [
                own(&[r#""""#, r#""_t""#, r#""__proto__""#, r#""constructor""#, r#""prototype""#, r#""\u005ft""#]),
                own(&[r#""a\u0000""#, r#""\n""#, r#""\u001f""#, "\"\u{7f}\"", r#""\u0085""#]),
                vec![format!("\"{}\"", "a".repeat(257)), format!("\"{}a\"", "é".repeat(128))],
            ]
            .concat(),
            vec![
                format!("\"{}\"", "a".repeat(256)),
                format!("\"{}\"", "é".repeat(128)),
                r#"" ""#.into(),
                r#""_T""#.into(),
                r#""a/b:{c}%""#.into(),
                r#""\"\\""#.into(),
                r#""toString""#.into(),
            ],
        ),
        Is::Text => {
            (own(&["1", "false", "[]", "{}"]), vec![], own(&[r#""""#, r#""_t""#, r#""\u0000""#, r#""\ud83d\ude00""#]))
        }
        Is::Number => (
            own(&[r#""1""#, "true", "[]", "{}"]),
            own(&["1e999", "-1e999"]),
            own(&["0", "-0", "-1", "1e308", "5e-324", "1e-999", "123456789012345678901234567890"]),
        ),
        Is::Heading => (
            own(&[r#""1""#, "true", "[]"]),
            own(&["-0.001", "360", "360.0", "1e999", "-1e999"]),
            own(&["0", "-0", "359.999", "3e1"]),
        ),
        Is::Count => (
            own(&[r#""1""#, "true", "[1]", "{}"]),
            own(&["-1", "3.5", "2147483648", "1e999", "1e-3"]),
            own(&["0", "-0", "3.0", "3e2", "2147483647", "2147483647.0"]),
        ),
        Is::Word(words) => (
            own(&["1", "true", "[]", "{}"]),
            vec![
                r#""""#.into(),
                r#""nope""#.into(),
                format!("{:?}", words[0].to_uppercase()),
                format!("\"{} \"", words[0]),
            ],
            words.iter().map(|word| format!("{word:?}")).collect(),
        ),
        Is::Time => {
            (own(&["1767571200000", "true", "[]", "{}"]), vec![], own(&[WHEN, r#""2026-01-05T01:00:00.9999+01:00""#]))
        }
        Is::Position => (
            own(&[
                r#""x""#,
                "1",
                "[42.35,13.4]",
                r#"{"latitude":"1","longitude":2}"#,
                r#"{"latitude":1,"longitude":[]}"#,
            ]),
            own(&[
                r#"{"latitude":90.0001,"longitude":0}"#,
                r#"{"latitude":-90.0001,"longitude":0}"#,
                r#"{"latitude":0,"longitude":180.0001}"#,
                r#"{"latitude":0,"longitude":-180.0001}"#,
                r#"{"latitude":1e999,"longitude":0}"#,
            ]),
            own(&[
                r#"{"latitude":90,"longitude":180}"#,
                r#"{"latitude":-90,"longitude":-180}"#,
                r#"{"longitude":-0,"latitude":0,"altitude":null}"#,
            ]),
        ),
        Is::Object => (
            own(&[r#""x""#, "1", "true", "[]"]),
            vec![
                levels(33),
                r#"{"a":1e999}"#.into(),
                r#"{"a":[{"b":-1E999}]}"#.into(),
                format!("{{\"a\":{}}}", "9".repeat(310)),
            ],
            vec![
                "{}".into(),
                levels(32),
                r#"{"a":"1e999","b\"e9":null,"c":1e99}"#.into(),
                r#"{"_t":"a","__proto__":{}}"#.into(),
            ],
        ),
        Is::Arrivals => (
            own(&[
                r#""x""#,
                "1",
                "{}",
                "[1]",
                "[null]",
                r#"[{"busId":1}]"#,
                r#"[{},{"estimatedArrival":5}]"#,
                r#"[{"routeId":[]}]"#,
            ]),
            own(&[r#"[{"own":1e999}]"#]),
            own(&["[]", "[{}]", r#"[{"busId":null,"estimatedArrival":"soon","own":[null]}]"#]),
        ),
        Is::Texts => (own(&[r#""x""#, "1", "{}", "[1]", "[null]", r#"["a",[]]"#]), vec![], own(&["[]", r#"["",""]"#])),
        Is::Readings => (
            own(&[r#""x""#, "1", "[]", r#"{"temperature":"1"}"#, r#"{"precipitation":[]}"#]),
            vec![r#"{"humidity":1e999}"#.into(), r#"{"own":1e999}"#.into(), deep(33)],
            vec!["{}".into(), r#"{"temperature":null,"own":null,"_t":"a"}"#.into(), deep(32)],
        ),
        Is::Traffic => (
            own(&[r#""x""#, "1", "[]", r#"{"averageSpeed":"1"}"#, r#"{"congestionLevel":1}"#, r#"{"incidents":{}}"#]),
            vec![
                r#"{"vehicleCount":3.5}"#.into(),
                r#"{"vehicleCount":2147483648}"#.into(),
                r#"{"congestionLevel":"LOW"}"#.into(),
                r#"{"incidents":[1e999]}"#.into(),
                deep(33),
            ],
            vec![
                "{}".into(),
                r#"{"averageSpeed":null,"congestionLevel":null,"vehicleCount":3.0,"travelTime":null,"incidents":null}"#
                    .into(),
                r#"{"congestionLevel":"severe","incidents":[1,null,{"_t":"a"}],"own":null}"#.into(),
                deep(32),
            ],
        ),
    }
}

#[test]
fn every_field_right() {
    for format in FORMATS {
        for (name, is, _, _) in format.fields {
            for right in cases(*is).2 {
                assert_eq!(format.read(name, Some(&right)), Ok(()), "{:?} {name} {right}", format.topic);
            }
        }
    }
}

#[test]
fn every_field_absent_or_null() {
    for format in FORMATS {
        for (name, _, required, _) in format.fields {
            for value in [None, Some("null")] {
                match format.read(name, value) {
                    Ok(()) => assert!(!required, "{:?} {name}", format.topic),
                    Err((code, message)) => {
                        assert!(*required, "{:?} {name}: {message}", format.topic);
                        assert_eq!(code, Code::MissingField, "{name}: {message}");
                        // Without its id a unit's message is an incident's.
                        let named = if *name == "unitId" { "incidentId" } else { name };
                        assert!(message.starts_with(named) && message.contains("accepted: "), "{message}");
                    }
                }
            }
        }
    }
}

#[test]
fn every_field_of_another_type() {
    for format in FORMATS {
        for (name, is, _, _) in format.fields {
            for wrong in cases(*is).0 {
                let (code, message) = format.read(name, Some(&wrong)).unwrap_err();
                assert_eq!(code, Code::WrongType, "{:?} {name} {wrong}: {message}", format.topic);
                assert!(message.starts_with(name) && message.contains("accepted: "), "{message}");
            }
        }
    }
}

#[test]
fn every_field_out_of_range() {
    for format in FORMATS {
        for (name, is, _, _) in format.fields {
            for wrong in cases(*is).1 {
                let (code, message) = format.read(name, Some(&wrong)).unwrap_err();
                assert_eq!(code, Code::OutOfRange, "{:?} {name} {wrong}: {message}", format.topic);
                assert!(message.starts_with(name) && message.contains("accepted: "), "{message}");
            }
        }
    }
}

#[test]
fn a_position_needs_both_coordinates() {
    for format in FORMATS {
        for (name, ..) in format.fields.iter().filter(|field| field.1 == Is::Position) {
            for half in ["{}", r#"{"latitude":1}"#, r#"{"longitude":1}"#, r#"{"latitude":null,"longitude":1}"#] {
                let (code, message) = format.read(name, Some(half)).unwrap_err();
                assert_eq!(code, Code::MissingField, "{half}");
                assert!(message.starts_with(&format!("{name}.l")), "{message}");
            }
        }
    }
}

#[test]
fn every_time_that_is_none() {
    for format in FORMATS {
        for (name, ..) in format.fields.iter().filter(|field| field.1 == Is::Time) {
            for wrong in
                ["", "now", "2026-01-05", "2026-01-05T00:00:00", "2026-02-30T00:00:00Z", "2026-01-05T00:00:00+25:00"]
            {
                let (code, message) = format.read(name, Some(&format!("{wrong:?}"))).unwrap_err();
                assert_eq!(code, Code::BadTime, "{name} {wrong}");
                assert!(
                    message.starts_with(name) && message.contains(wrong) && message.contains("RFC 3339"),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn errors_name_field_value_and_what_is_accepted() {
    let message = |format: usize, name, value| FORMATS[format].read(name, Some(value)).unwrap_err().1;
    assert_eq!(
        message(7, "currentLocation", r#"{"latitude":91,"longitude":0}"#),
        "currentLocation.latitude is 91; accepted: a number in [-90, 90]"
    );
    assert_eq!(
        message(6, "trafficConditions", r#"{"vehicleCount":-1}"#),
        "trafficConditions.vehicleCount is -1; accepted: a whole number in [0, 2147483648)"
    );
    assert_eq!(
        message(5, "readings", r#"{"temperature":"hot"}"#),
        r#"readings.temperature is "hot"; accepted: a finite number"#
    );
    assert_eq!(message(8, "nextArrivals", r#"[{},{"busId":7}]"#), "nextArrivals.1.busId is 7; accepted: a string");
    assert_eq!(message(0, "status", r#""on""#), r#"status is "on"; accepted: one of active inactive maintenance"#);
    assert_eq!(message(0, "value", "null"), "value is null; accepted: a finite number");
    assert!(message(5, "readings", r#"{"own":1e999}"#).starts_with(r#"readings is {"own":1e999}; accepted: "#));
    assert_eq!(FORMATS[0].read("value", None).unwrap_err().1, "value is missing; accepted: a finite number");
    assert!(message(0, "unit", &format!("[{}]", "1,".repeat(500) + "1")).chars().count() < 200, "long values are cut");
}

#[test]
fn unknown_keys_are_ignored_and_counted() {
    for format in FORMATS {
        let message = format.with("", None).replacen('{', r#"{"own":{"deep":[1e999]},"Value":null,"#, 1);
        assert_eq!(read(format.topic, &message).unwrap().unknown_keys, 2, "{message}");
    }
    // Keys of another format are unknown, whatever they hold.
    let sensor = FORMATS[0].with("", None).replacen('{', r#"{"buildingId":5,"#, 1);
    assert_eq!(read(Topic::SensorsTraffic, &sensor).unwrap().unknown_keys, 1);
    assert!(read(Topic::BuildingsSensors, &sensor).is_err());
    let incident = r#"{"incidentId":"i","unitId":"u","assignedIncident":7}"#;
    let read_incident = read(Topic::EmergencyIncidents, incident).unwrap();
    assert!(matches!(read_incident.body, Body::Incident(_)) && read_incident.unknown_keys == 2);
    let unit = r#"{"incidentId":null,"unitId":"u","severity":7}"#;
    let read_unit = read(Topic::EmergencyIncidents, unit).unwrap();
    assert!(matches!(read_unit.body, Body::Unit(_)) && read_unit.unknown_keys == 1);
}

#[test]
fn a_number_written_in_any_way_is_the_same_number() {
    let Body::Bus(bus) = read(
        Topic::TransportGps,
        r#"{"busId":"b","currentLocation":{"latitude":1,"longitude":2},"passengerCount":3.50e1,"heading":9.0e1}"#,
    )
    .unwrap()
    .body
    else {
        panic!("no bus")
    };
    assert_eq!((bus.passengers, bus.heading), (Patch::Set(35), Patch::Set(90.0)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), topic in 0..9_usize) {
        let _ = decode(Topic::ALL[topic], Some(&bytes), Time(T0), &JUDGEMENT);
    }

    #[test]
    fn no_damage_makes_it_panic(seed in any::<u64>(), at in any::<prop::sample::Index>(), with in "[ -~]{0,3}", topic in 0..9_usize) {
        let json = random_message(&mut fastrand::Rng::with_seed(seed), T0).json;
        let mut chars: Vec<char> = json.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..=at, with.chars());
        let damaged: String = chars.into_iter().collect();
        if let Err(reject) = read(Topic::ALL[topic], &damaged) {
            prop_assert!(!reject.message.is_empty() && reject.message.chars().count() < 1000);
        }
    }

    #[test]
    fn every_message_of_the_formats_is_taken(seed in any::<u64>()) {
        let message = random_message(&mut fastrand::Rng::with_seed(seed), T0);
        let read = read(message.topic, &message.json);
        prop_assert!(read.is_ok(), "{}: {:?}", message.json, read.err());
    }
}
