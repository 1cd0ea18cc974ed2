//! A field of an entity as JSON, and what changed in it as a delta.

use compact_str::CompactString;

use super::{
    geo::{BoundingBox, Position},
    json::{Json, write_number, write_text},
    model::{Area, Held, Readings, TrafficConditions, Word},
    time::Time,
};

/// One field of an entity, borrowed.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<'a> {
    Null,
    Text(&'a str),
    Number(f64),
    Time(Time),
    Position(Position),
    Area(&'a Area),
    /// Free JSON.
    Json(&'a Json),
    /// A list of free JSON; `None` is `[]`.
    List(Option<&'a Json>),
    Texts(&'a [CompactString]),
    Readings(&'a Readings),
    Traffic(&'a TrafficConditions),
}

impl<'a> Field<'a> {
    pub(super) fn text(text: Option<&'a CompactString>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text))
    }

    pub(super) fn number(number: Option<f64>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    pub(super) fn count(count: Option<u32>) -> Self {
        count.map_or(Self::Null, |count| Self::Number(f64::from(count)))
    }

    pub(super) fn word<W: Word>(word: Option<W>) -> Self {
        word.map_or(Self::Null, |word| Self::Text(word.word()))
    }

    pub(super) fn time(time: Option<Time>) -> Self {
        time.map_or(Self::Null, Self::Time)
    }

    pub(super) fn position(position: Option<Position>) -> Self {
        position.map_or(Self::Null, Self::Position)
    }

    pub(super) fn area(area: Option<&'a Area>) -> Self {
        area.map_or(Self::Null, Self::Area)
    }

    pub(super) fn json(json: Option<&'a Json>) -> Self {
        json.map_or(Self::Null, Self::Json)
    }

    pub(super) fn list(json: Option<&'a Json>) -> Self {
        Self::List(json)
    }

    /// Writes the field as it stands in `state.full`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Text(text) => write_text(text, out),
            Self::Number(number) => write_number(*number, out),
            Self::Time(time) => {
                out.push(b'"');
                time.write(out);
                out.push(b'"');
            }
            Self::Position(p) => write_object(out, |object| {
                object.number("latitude", p.latitude);
                object.number("longitude", p.longitude);
            }),
            Self::Area(area) => write_area(area, out),
            Self::Json(json) => out.extend_from_slice(json.text().as_bytes()),
            Self::List(json) => out.extend_from_slice(json.map_or("[]", Json::text).as_bytes()),
            Self::Texts(texts) => {
                out.push(b'[');
                for (i, text) in texts.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write_text(text, out);
                }
                out.push(b']');
            }
            Self::Readings(readings) => write_object(out, |object| {
                for (name, value) in Readings::NAMES.iter().zip(readings.values()) {
                    object.held(name, value, write_number);
                }
                object.extra(readings.extra.as_ref());
            }),
            Self::Traffic(traffic) => write_object(out, |object| {
                object.held("averageSpeed", traffic.average_speed, write_number);
                object.held("congestionLevel", traffic.congestion_level, |level, out| write_text(level.word(), out));
                object.held("vehicleCount", traffic.vehicle_count, |count, out| write_number(f64::from(count), out));
                object.held("travelTime", traffic.travel_time, write_number);
                object.held("incidents", traffic.incidents.as_ref().map(Option::as_ref), |list: &Json, out| {
                    out.extend_from_slice(list.text().as_bytes());
                });
                object.extra(traffic.extra.as_ref());
            }),
        }
    }

    /// Writes how `before` became this field, in the format of jsondiffpatch. The two must differ.
    pub fn write_delta(&self, before: &Self, out: &mut Vec<u8>) {
        match (before, self) {
            (Self::Position(before), Self::Position(after)) => write_object(out, |object| {
                object.changed("latitude", before.latitude, after.latitude);
                object.changed("longitude", before.longitude, after.longitude);
            }),
            (Self::Area(before), Self::Area(after)) => write_area_delta(before, after, out),
            // A key such as `_t` among the unknown ones must not be read as the delta's own grammar.
            (Self::Traffic(before), Self::Traffic(after)) if before.extra.is_none() && after.extra.is_none() => {
                write_traffic_delta(before, after, out);
            }
            _ => {
                out.push(b'[');
                before.write_json(out);
                out.push(b',');
                self.write_json(out);
                out.push(b']');
            }
        }
    }
}

fn write_area(area: &Area, out: &mut Vec<u8>) {
    write_object(out, |object| {
        object.number("centerLatitude", area.center.latitude);
        object.number("centerLongitude", area.center.longitude);
        object.key("boundaries");
        match &area.boundaries {
            Some(bounds) => write_bounds(bounds, object.out),
            None => object.out.extend_from_slice(b"null"),
        }
    });
}

fn write_bounds(bounds: &BoundingBox, out: &mut Vec<u8>) {
    write_object(out, |object| {
        object.number("north", bounds.north);
        object.number("south", bounds.south);
        object.number("east", bounds.east);
        object.number("west", bounds.west);
    });
}

fn write_area_delta(before: &Area, after: &Area, out: &mut Vec<u8>) {
    write_object(out, |object| {
        object.changed("centerLatitude", before.center.latitude, after.center.latitude);
        object.changed("centerLongitude", before.center.longitude, after.center.longitude);
        if before.boundaries == after.boundaries {
            return;
        }
        object.key("boundaries");
        match (&before.boundaries, &after.boundaries) {
            (Some(a), Some(b)) => write_object(object.out, |object| {
                object.changed("north", a.north, b.north);
                object.changed("south", a.south, b.south);
                object.changed("east", a.east, b.east);
                object.changed("west", a.west, b.west);
            }),
            (a, b) => {
                let write = |bounds: &Option<BoundingBox>, out: &mut Vec<u8>| match bounds {
                    Some(bounds) => write_bounds(bounds, out),
                    None => out.extend_from_slice(b"null"),
                };
                object.out.push(b'[');
                write(a, object.out);
                object.out.push(b',');
                write(b, object.out);
                object.out.push(b']');
            }
        }
    });
}

fn write_traffic_delta(before: &TrafficConditions, after: &TrafficConditions, out: &mut Vec<u8>) {
    write_object(out, |object| {
        object.held_delta("averageSpeed", before.average_speed, after.average_speed, write_number);
        object.held_delta("congestionLevel", before.congestion_level, after.congestion_level, |level, out| {
            write_text(level.word(), out);
        });
        object.held_delta("vehicleCount", before.vehicle_count, after.vehicle_count, |count, out| {
            write_number(f64::from(count), out);
        });
        object.held_delta("travelTime", before.travel_time, after.travel_time, write_number);
        object.held_delta(
            "incidents",
            before.incidents.as_ref().map(Option::as_ref),
            after.incidents.as_ref().map(Option::as_ref),
            |list: &Json, out| out.extend_from_slice(list.text().as_bytes()),
        );
    });
}

/// Writes one JSON object.
pub(super) fn write_object(out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    out.push(b'{');
    let mut object = ObjectWriter { out, empty: true };
    write(&mut object);
    object.out.push(b'}');
}

/// Keeps the commas between an object's members.
pub(super) struct ObjectWriter<'a> {
    pub(super) out: &'a mut Vec<u8>,
    empty: bool,
}

impl ObjectWriter<'_> {
    /// Writes a key; its value is to follow in `out`.
    pub(super) fn key(&mut self, name: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn number(&mut self, name: &str, number: f64) {
        self.key(name);
        write_number(number, self.out);
    }

    fn changed(&mut self, name: &str, before: f64, after: f64) {
        if before != after {
            self.key(name);
            self.out.push(b'[');
            write_number(before, self.out);
            self.out.push(b',');
            write_number(after, self.out);
            self.out.push(b']');
        }
    }

    fn held<T>(&mut self, name: &str, value: Held<T>, write: impl Fn(T, &mut Vec<u8>)) {
        if let Some(value) = value {
            self.key(name);
            write_or_null(value, self.out, write);
        }
    }

    fn held_delta<T: PartialEq>(
        &mut self,
        name: &str,
        before: Held<T>,
        after: Held<T>,
        write: impl Fn(T, &mut Vec<u8>),
    ) {
        if before == after {
            return;
        }
        self.key(name);
        self.out.push(b'[');
        let removed = before.is_some() && after.is_none();
        let changed = before.is_some() && after.is_some();
        if let Some(before) = before {
            write_or_null(before, self.out, &write);
        }
        if changed {
            self.out.push(b',');
        }
        if let Some(after) = after {
            write_or_null(after, self.out, &write);
        }
        if removed {
            self.out.extend_from_slice(b",0,0");
        }
        self.out.push(b']');
    }

    fn extra(&mut self, extra: Option<&Json>) {
        // The text of an object with at least one member, without its braces.
        if let Some(members) = extra.map(|extra| &extra.text()[1..extra.text().len() - 1]) {
            if !self.empty {
                self.out.push(b',');
            }
            self.empty = false;
            self.out.extend_from_slice(members.as_bytes());
        }
    }
}

fn write_or_null<T>(value: Option<T>, out: &mut Vec<u8>, write: impl Fn(T, &mut Vec<u8>)) {
    match value {
        Some(value) => write(value, out),
        None => out.extend_from_slice(b"null"),
    }
}
