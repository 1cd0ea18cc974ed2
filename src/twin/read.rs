//! Reading the fields of messages, stored entities and city files: one rule for each type of field.

use std::borrow::Cow;

use compact_str::CompactString;

use super::{
    geo::{BoundingBox, Position},
    json::{self, Inside, Json, Picked, Unknown, Value, elements, pick},
    model::{Area, Congestion, Held, Readings, TrafficConditions, Word},
    reject::{Code, Problems},
    time::Time,
};

/// What a message says of a field: nothing, `null`, or a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Patch<T> {
    /// Absent means unchanged.
    #[default]
    Keep,
    /// `null` means cleared.
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// The value after this patch.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value where there was none before.
    pub fn value(self) -> Option<T> {
        self.apply(None)
    }

    /// The patch with its value turned into another.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(to(value)),
        }
    }
}

const ID: &str = "a string of 1 to 256 bytes without control characters, not _t, __proto__, constructor or prototype";

/// What a field's name is prefixed with in error messages.
pub(super) struct At<'p, 'v> {
    pub problems: &'p mut Problems,
    pub path: &'p str,
    /// What is in the objects among the values, where that was kept.
    pub inside: Option<&'p Inside<'v>>,
}

impl At<'_, '_> {
    #[cold]
    fn problem(&mut self, code: Code, name: &str, value: &Value<'_>, accepted: &str) {
        if self.path.is_empty() {
            self.problems.push(code, name, value, accepted);
        } else {
            self.problems.push(code, &format!("{}.{name}", self.path), value, accepted);
        }
    }

    /// The path of what is inside a field. Messages have no path of their own, so this mostly borrows.
    fn path_of<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.path.is_empty() { Cow::Borrowed(name) } else { Cow::Owned(format!("{}.{name}", self.path)) }
    }

    /// A field that may be absent or `null`, read by `read`, which says what it accepts.
    fn patch<'v, T>(
        &mut self,
        name: &str,
        value: Value<'v>,
        read: impl FnOnce(Value<'v>) -> Result<T, (Code, &'static str)>,
    ) -> Patch<T> {
        match value {
            Value::Absent => Patch::Keep,
            Value::Null => Patch::Clear,
            value => match read(value) {
                Ok(read) => Patch::Set(read),
                Err((code, accepted)) => {
                    self.problem(code, name, &value, accepted);
                    Patch::Keep
                }
            },
        }
    }

    /// A field that must be there.
    fn required<'v, T>(
        &mut self,
        name: &str,
        value: Value<'v>,
        accepted: &str,
        read: impl FnOnce(Value<'v>) -> Result<T, (Code, &'static str)>,
    ) -> Option<T> {
        if let Value::Absent | Value::Null = value {
            self.problem(Code::MissingField, name, &value, accepted);
            return None;
        }
        match self.patch(name, value, read) {
            Patch::Set(read) => Some(read),
            _ => None,
        }
    }

    /// An id, which must be there.
    pub fn id<'v>(&mut self, name: &str, value: Value<'v>) -> Cow<'v, str> {
        self.required(name, value, ID, |value| {
            let id = text(value)?;
            if is_id(&id) { Ok(id) } else { Err((Code::OutOfRange, ID)) }
        })
        .unwrap_or_default()
    }

    pub fn text<'v>(&mut self, name: &str, value: Value<'v>) -> Patch<Cow<'v, str>> {
        self.patch(name, value, text)
    }

    pub fn required_text<'v>(&mut self, name: &str, value: Value<'v>) -> Cow<'v, str> {
        self.required(name, value, "a string", text).unwrap_or_default()
    }

    pub fn word<W: Word>(&mut self, name: &str, value: Value<'_>) -> Patch<W> {
        self.patch(name, value, word)
    }

    pub fn number(&mut self, name: &str, value: Value<'_>) -> Patch<f64> {
        self.patch(name, value, number)
    }

    pub fn required_number(&mut self, name: &str, value: Value<'_>) -> f64 {
        self.required(name, value, "a finite number", number).unwrap_or_default()
    }

    pub fn heading(&mut self, name: &str, value: Value<'_>) -> Patch<f64> {
        self.patch(name, value, |value| ranged(value, |h| (0.0..360.0).contains(&h), "a number in [0, 360)"))
    }

    pub fn count(&mut self, name: &str, value: Value<'_>) -> Patch<u32> {
        self.patch(name, value, count)
    }

    pub fn required_count(&mut self, name: &str, value: Value<'_>) -> u32 {
        self.required(name, value, COUNT, count).unwrap_or_default()
    }

    pub fn time(&mut self, name: &str, value: Value<'_>) -> Patch<Time> {
        self.patch(name, value, |value| match value {
            Value::Text(text) => Time::parse(&text.text()).ok_or((Code::BadTime, TIME)),
            _ => Err((Code::WrongType, TIME)),
        })
    }

    pub fn position(&mut self, name: &str, value: Value<'_>) -> Patch<Position> {
        let Value::Object(object) = value else {
            return self.patch(name, value, |_| {
                Err((Code::WrongType, "an object with latitude and longitude in degrees, or null"))
            });
        };
        // Checked when the whole message was read, so it can be read again.
        let read = pick(self.inside, object, &["latitude", "longitude"]);
        let latitude = self.coordinate(name, "latitude", read.values[0], 90.0);
        let longitude = self.coordinate(name, "longitude", read.values[1], 180.0);
        match (latitude, longitude) {
            (Some(latitude), Some(longitude)) => Patch::Set(Position { latitude, longitude }),
            _ => Patch::Keep,
        }
    }

    pub fn required_position(&mut self, name: &str, value: Value<'_>) -> Position {
        if let Value::Absent | Value::Null = value {
            self.problem(Code::MissingField, name, &value, "an object with latitude and longitude in degrees");
        }
        self.position(name, value).value().unwrap_or(Position { latitude: 0.0, longitude: 0.0 })
    }

    /// A coordinate of the object `parent`, which must be there.
    fn coordinate(&mut self, parent: &str, name: &str, value: Value<'_>, most: f64) -> Option<f64> {
        let accepted = if most == 90.0 { "a number in [-90, 90]" } else { "a number in [-180, 180]" };
        let path = self.path_of(parent);
        let mut at = At { problems: self.problems, path: &path, inside: self.inside };
        at.required(name, value, accepted, |value| ranged(value, |degrees| degrees.abs() <= most, accepted))
    }

    /// Free JSON that is an object.
    pub fn object(&mut self, name: &str, value: Value<'_>) -> Patch<Json> {
        self.patch(name, value, |value| match value {
            Value::Object(raw) => Json::new(raw).map_err(|accepted| (Code::OutOfRange, accepted)),
            _ => Err((Code::WrongType, "an object or null")),
        })
    }

    /// Free JSON that is a list. An empty one is as cleared.
    pub fn list(&mut self, name: &str, value: Value<'_>) -> Patch<Json> {
        let read = self.patch(name, value, |value| match value {
            Value::List(raw) => Json::new(raw).map_err(|accepted| (Code::OutOfRange, accepted)),
            _ => Err((Code::WrongType, "a list or null")),
        });
        match read {
            Patch::Set(list) if list.text() == "[]" => Patch::Clear,
            read => read,
        }
    }

    /// A list of strings. An empty one is as cleared.
    pub fn texts(&mut self, name: &str, value: Value<'_>) -> Patch<Vec<CompactString>> {
        const ACCEPTED: &str = "a list of strings, or null";
        self.patch(name, value, |value| {
            let Value::List(raw) = value else { return Err((Code::WrongType, ACCEPTED)) };
            let read = |value| match value {
                Value::Text(text) => Ok(CompactString::from(text.text())),
                _ => Err((Code::WrongType, ACCEPTED)),
            };
            elements(raw).unwrap_or_default().into_iter().map(read).collect()
        })
    }

    /// `nextArrivals`: objects whose known keys are strings; kept as they came.
    pub fn arrivals(&mut self, name: &str, value: Value<'_>) -> Patch<Json> {
        let Value::List(raw) = value else { return self.list(name, value) };
        if let Err(accepted) = Json::new(raw) {
            self.problem(Code::OutOfRange, name, &value, accepted);
            return Patch::Keep;
        }
        for (i, element) in elements(raw).unwrap_or_default().iter().enumerate() {
            let path = format!("{name}.{i}");
            let Value::Object(object) = element else {
                self.problem(Code::WrongType, &path, element, "an object");
                continue;
            };
            let names = ["busId", "routeId", "estimatedArrival"];
            {
                let read = pick(None, object, &names);
                for (key, value) in names.iter().zip(read.values) {
                    self.text(&format!("{path}.{key}"), value);
                }
            }
        }
        self.list(name, value)
    }

    pub fn readings(&mut self, name: &str, value: Value<'_>) -> Patch<Readings> {
        let Value::Object(object) = value else {
            return self.patch(name, value, |_| Err((Code::WrongType, "an object")));
        };
        let Picked { values, unknown } = pick(self.inside, object, &Readings::NAMES);
        let path = self.path_of(name);
        let mut at = At { problems: self.problems, path: &path, inside: self.inside };
        let mut held = |i: usize| held(at.number(Readings::NAMES[i], values[i]));
        Patch::Set(Readings {
            temperature: held(0),
            humidity: held(1),
            pressure: held(2),
            wind_speed: held(3),
            wind_direction: held(4),
            precipitation: held(5),
            extra: at.extra(&unknown),
        })
    }

    pub fn required_readings(&mut self, name: &str, value: Value<'_>) -> Readings {
        if let Value::Absent | Value::Null = value {
            self.problem(Code::MissingField, name, &value, "an object");
        }
        self.readings(name, value).value().unwrap_or_default()
    }

    pub fn traffic(&mut self, name: &str, value: Value<'_>) -> Patch<TrafficConditions> {
        const NAMES: [&str; 5] = ["averageSpeed", "congestionLevel", "vehicleCount", "travelTime", "incidents"];
        let Value::Object(object) = value else {
            return self.patch(name, value, |_| Err((Code::WrongType, "an object")));
        };
        let Picked { values, unknown } = pick(self.inside, object, &NAMES);
        let path = self.path_of(name);
        let mut at = At { problems: self.problems, path: &path, inside: self.inside };
        let incidents = at.patch("incidents", values[4], |value| match value {
            Value::List(raw) => Json::new(raw).map_err(|accepted| (Code::OutOfRange, accepted)),
            _ => Err((Code::WrongType, "a list or null")),
        });
        Patch::Set(TrafficConditions {
            average_speed: held(at.number(NAMES[0], values[0])),
            congestion_level: held(at.word::<Congestion>(NAMES[1], values[1])),
            vehicle_count: held(at.count(NAMES[2], values[2])),
            travel_time: held(at.number(NAMES[3], values[3])),
            incidents: held(incidents),
            extra: at.extra(&unknown),
        })
    }

    pub fn required_traffic(&mut self, name: &str, value: Value<'_>) -> TrafficConditions {
        if let Value::Absent | Value::Null = value {
            self.problem(Code::MissingField, name, &value, "an object");
        }
        self.traffic(name, value).value().unwrap_or_default()
    }

    /// The unknown keys of an object that keeps them, as an object.
    fn extra(&mut self, unknown: &Unknown<'_>) -> Option<Json> {
        if unknown.is_empty() {
            return None;
        }
        let text = json::object(unknown);
        match Json::new(&text) {
            Ok(extra) => Some(extra),
            Err(accepted) => {
                self.problems.push(Code::OutOfRange, self.path, &Value::Object(&text), accepted);
                None
            }
        }
    }

    /// The location of a district.
    pub fn area(&mut self, name: &str, value: Value<'_>) -> Patch<Area> {
        let Value::Object(object) = value else {
            return self.patch(name, value, |_| {
                Err((Code::WrongType, "an object with centerLatitude, centerLongitude and boundaries, or null"))
            });
        };
        let read = pick(None, object, &["centerLatitude", "centerLongitude", "boundaries"]);
        let latitude = self.coordinate(name, "centerLatitude", read.values[0], 90.0);
        let longitude = self.coordinate(name, "centerLongitude", read.values[1], 180.0);
        let boundaries = match read.values[2] {
            Value::Absent | Value::Null => None,
            Value::Object(bounds) => {
                let path = format!("{name}.boundaries");
                let read = pick(None, bounds, &["north", "south", "east", "west"]);
                let mut side = |i: usize, name: &str, most| self.coordinate(&path, name, read.values[i], most);
                let (north, south) = (side(0, "north", 90.0), side(1, "south", 90.0));
                let (east, west) = (side(2, "east", 180.0), side(3, "west", 180.0));
                let (Some(north), Some(south), Some(east), Some(west)) = (north, south, east, west) else {
                    return Patch::Keep;
                };
                Some(BoundingBox { north, south, east, west })
            }
            value => {
                let accepted = "an object with north, south, east and west, or null";
                self.problem(Code::WrongType, &format!("{name}.boundaries"), &value, accepted);
                None
            }
        };
        match (latitude, longitude) {
            (Some(latitude), Some(longitude)) => {
                Patch::Set(Area { center: Position { latitude, longitude }, boundaries })
            }
            _ => Patch::Keep,
        }
    }

    /// GeoJSON; the positions of a `LineString` beside it.
    pub fn geometry(&mut self, name: &str, value: Value<'_>) -> (Option<Json>, Box<[Position]>) {
        const POINT: &str = "a list of a longitude in [-180, 180] and a latitude in [-90, 90]";
        let geometry = self.object(name, value).value();
        let Value::Object(object) = value else { return (geometry, Box::default()) };
        let read = pick(None, object, &["type", "coordinates"]);
        if !matches!(read.values[0], Value::Text(kind) if kind.text() == "LineString") {
            return (geometry, Box::default());
        }
        let Value::List(points) = read.values[1] else {
            self.problem(Code::WrongType, &format!("{name}.coordinates"), &read.values[1], "a list of positions");
            return (geometry, Box::default());
        };
        let mut line = Vec::new();
        for (i, point) in elements(points).unwrap_or_default().iter().enumerate() {
            match lon_lat(*point) {
                Some(position) => line.push(position),
                None => self.problem(Code::OutOfRange, &format!("{name}.coordinates.{i}"), point, POINT),
            }
        }
        (geometry, line.into())
    }
}

fn lon_lat(point: Value<'_>) -> Option<Position> {
    let Value::List(raw) = point else { return None };
    let values = elements(raw).ok()?;
    let degrees = |i: usize, most: f64| match values.get(i) {
        Some(Value::Number(raw)) => json::number(raw).filter(|degrees| degrees.abs() <= most),
        _ => None,
    };
    Some(Position { longitude: degrees(0, 180.0)?, latitude: degrees(1, 90.0)? })
}

fn held<T>(patch: Patch<T>) -> Held<T> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(value) => Some(Some(value)),
    }
}

/// Whether a string may be an id (contract, section 2, rule 1).
pub fn is_id(id: &str) -> bool {
    (1..=256).contains(&id.len())
        && (id.bytes().all(|byte| (b' '..0x7f).contains(&byte)) || !id.chars().any(char::is_control))
        && !matches!(id, "_t" | "__proto__" | "constructor" | "prototype")
}

fn text(value: Value<'_>) -> Result<Cow<'_, str>, (Code, &'static str)> {
    match value {
        Value::Text(text) => Ok(text.text()),
        _ => Err((Code::WrongType, "a string")),
    }
}

fn word<W: Word>(value: Value<'_>) -> Result<W, (Code, &'static str)> {
    match value {
        Value::Text(text) => W::parse(&text.text()).ok_or((Code::OutOfRange, W::ACCEPTED)),
        _ => Err((Code::WrongType, W::ACCEPTED)),
    }
}

fn number(value: Value<'_>) -> Result<f64, (Code, &'static str)> {
    ranged(value, |_| true, "a finite number")
}

fn ranged(value: Value<'_>, within: impl Fn(f64) -> bool, accepted: &'static str) -> Result<f64, (Code, &'static str)> {
    let Value::Number(raw) = value else { return Err((Code::WrongType, accepted)) };
    match json::number(raw) {
        Some(number) if number.is_finite() && within(number) => Ok(number),
        _ => Err((Code::OutOfRange, accepted)),
    }
}

const COUNT: &str = "a whole number in [0, 2147483648)";
const TIME: &str = "a time as in RFC 3339 with its zone, such as 2026-01-05T00:00:00.000Z";

fn count(value: Value<'_>) -> Result<u32, (Code, &'static str)> {
    let whole = |n: f64| n.fract() == 0.0 && (0.0..2_147_483_648.0).contains(&n);
    ranged(value, whole, COUNT).map(|number| number as u32)
}
