//! A city as the JSON of `state.full`, and back: the canonical form of the contract, section 3, and the city file.

use std::collections::HashSet;

use super::{
    city::City,
    entity::{Entity, Handle},
    json::{Value, elements, fields, pick, write_text},
    model::{Building, District, Edge, Kind, WeatherStation},
    parse::{Parsed, entity_at},
    read::{At, is_id},
    reject::{Code, Problem, Problems},
    time::Time,
    view::{Members, View},
};

/// Writes `state.full` for a boundary.
pub fn write_full(view: &View, timestamp: Time, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"cityId\":");
    write_text(&view.city_id, out);
    out.extend_from_slice(b",\"name\":");
    write_text(&view.name, out);
    out.extend_from_slice(b",\"timestamp\":\"");
    timestamp.write(out);
    out.extend_from_slice(b"\",\"districts\":[");
    for (i, entry) in view.districts().iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let Some(district) = view.entity(entry.handle) else { continue };
        write_district(district.json(), |kind, out| write_list(view, entry.members.list(kind), out), out);
    }
    out.extend_from_slice(b"],\"publicTransport\":{\"buses\":");
    write_list(view, view.list(Kind::Bus, None), out);
    out.extend_from_slice(b",\"stations\":");
    write_list(view, view.list(Kind::Station, None), out);
    out.extend_from_slice(b"},\"emergencyServices\":{\"incidents\":");
    write_list(view, view.list(Kind::Incident, None), out);
    out.extend_from_slice(b",\"units\":");
    write_list(view, view.list(Kind::Unit, None), out);
    out.extend_from_slice(b"}}");
}

/// Writes a district with its lists, from its own part's JSON.
pub(super) fn write_district(own: &[u8], list: impl Fn(Kind, &mut Vec<u8>), out: &mut Vec<u8>) {
    out.extend_from_slice(&own[..own.len() - 1]);
    for kind in Members::KINDS {
        out.extend_from_slice(match kind {
            Kind::Sensor => b",\"sensors\":".as_slice(),
            Kind::Building => b",\"buildings\":",
            Kind::WeatherStation => b",\"weatherStations\":",
            Kind::Node => b",\"cityGraph\":{\"nodes\":",
            _ => b",\"edges\":",
        });
        list(kind, out);
    }
    out.extend_from_slice(b"}}");
}

fn write_list(view: &View, handles: &[Handle], out: &mut Vec<u8>) {
    write_entities(handles.iter().filter_map(|handle| view.entity(*handle)), out);
}

pub(super) fn write_entities<'a>(entities: impl Iterator<Item = &'a Entity>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (i, entity) in entities.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(entity.json());
    }
    out.push(b']');
}

/// A city file, read and found right.
#[derive(Clone, Debug)]
pub struct CityFile {
    pub city_id: String,
    pub name: Option<String>,
    /// Districts before what is in them.
    pub entities: Vec<Parsed>,
}

impl CityFile {
    /// Reads the JSON of `state.full`. Unknown keys are dropped.
    ///
    /// # Errors
    /// All that is wrong with it, each with its path.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut reader = FileReader::default();
        let read = reader.city(text);
        match read {
            Some((city_id, name)) if reader.problems.is_empty() => {
                Ok(Self { city_id, name, entities: reader.entities })
            }
            _ => Err(reader.problems.into_vec()),
        }
    }
}

#[derive(Default)]
struct FileReader {
    problems: Problems,
    entities: Vec<Parsed>,
    /// What was seen, by kind, district where the kind needs one, and id.
    seen: HashSet<(Kind, String, String)>,
}

impl FileReader {
    fn city(&mut self, text: &str) -> Option<(String, Option<String>)> {
        let names = ["cityId", "name", "districts", "publicTransport", "emergencyServices"];
        let read = match fields(text, &names) {
            Ok(read) => read,
            Err(syntax) => {
                let message = format!("is no JSON object: {} at byte {}", syntax.what, syntax.at);
                self.problems.say(Code::NotJson, "", message);
                return None;
            }
        };
        let [city_id, name, districts, transport, emergency] = read.values;
        let mut at = At { problems: &mut self.problems, path: "", inside: None };
        let city_id_text = at.id("cityId", city_id).into_owned();
        if city_id_text.contains(['{', '}']) {
            self.problems.push(Code::OutOfRange, "cityId", &city_id, "a string without braces");
        }
        let mut at = At { problems: &mut self.problems, path: "", inside: None };
        let name = at.text("name", name).value().map(std::borrow::Cow::into_owned);
        if let Value::Absent | Value::Null = districts {
            self.problems.push(Code::MissingField, "districts", &districts, "a list of districts");
        }
        for (i, district) in self.list("districts", districts).into_iter().enumerate() {
            self.district(&format!("districts.{i}"), district);
        }
        self.group("publicTransport", transport, &["buses", "stations"], [Kind::Bus, Kind::Station]);
        self.group("emergencyServices", emergency, &["incidents", "units"], [Kind::Incident, Kind::Unit]);
        Some((city_id_text, name))
    }

    fn district(&mut self, path: &str, district: Value<'_>) {
        let Some(text) = self.object(path, district) else { return };
        let names = ["districtId", "sensors", "buildings", "weatherStations", "cityGraph"];
        let Ok(read) = fields(text, &names) else { return };
        let [id, sensors, buildings, stations, graph] = read.values;
        let id = match id {
            Value::Text(id) if is_id(&id.text()) => id.text().into_owned(),
            // Said by the district's own reader.
            _ => String::new(),
        };
        self.entity(Kind::District, "", path, district);
        let lists = [(Kind::Sensor, "sensors", sensors), (Kind::Building, "buildings", buildings)];
        for (kind, name, list) in lists.into_iter().chain([(Kind::WeatherStation, "weatherStations", stations)]) {
            self.entities(kind, &id, &format!("{path}.{name}"), list);
        }
        let path = format!("{path}.cityGraph");
        match graph {
            Value::Absent | Value::Null => {}
            Value::Object(graph) => {
                let read = pick(None, graph, &["nodes", "edges"]);
                self.entities(Kind::Node, &id, &format!("{path}.nodes"), read.values[0]);
                self.entities(Kind::Edge, &id, &format!("{path}.edges"), read.values[1]);
            }
            graph => self.problems.push(Code::WrongType, &path, &graph, "an object with nodes and edges"),
        }
    }

    fn group(&mut self, path: &str, group: Value<'_>, names: &[&str; 2], kinds: [Kind; 2]) {
        match group {
            Value::Absent | Value::Null => {}
            Value::Object(group) => {
                let read = pick(None, group, names);
                for i in 0..2 {
                    self.entities(kinds[i], "", &format!("{path}.{}", names[i]), read.values[i]);
                }
            }
            group => {
                self.problems.push(Code::WrongType, path, &group, &format!("an object with {}", names.join(" and ")));
            }
        }
    }

    fn entities(&mut self, kind: Kind, district: &str, path: &str, list: Value<'_>) {
        for (i, value) in self.list(path, list).into_iter().enumerate() {
            self.entity(kind, district, &format!("{path}.{i}"), value);
        }
    }

    fn entity(&mut self, kind: Kind, district: &str, path: &str, value: Value<'_>) {
        let Some(text) = self.object(path, value) else { return };
        let mut at = At { problems: &mut self.problems, path, inside: None };
        // The whole file was checked before, so there is no syntax left to fail on.
        let Ok(parsed) = entity_at(kind, district, text, &mut at) else { return };
        let id = parsed.id().to_owned();
        let scope = if kind.by_district() { district.to_owned() } else { String::new() };
        if !id.is_empty() && !self.seen.insert((kind, scope, id.clone())) {
            let what = kind.prefix();
            self.problems.say(
                Code::OutOfRange,
                path,
                format!("is a second {what} with the id {id:?}; accepted: each id once"),
            );
        }
        self.entities.push(parsed);
    }

    fn object<'a>(&mut self, path: &str, value: Value<'a>) -> Option<&'a str> {
        if let Value::Object(text) = value {
            return Some(text);
        }
        self.problems.push(Code::WrongType, path, &value, "an object");
        None
    }

    fn list<'a>(&mut self, path: &str, value: Value<'a>) -> Vec<Value<'a>> {
        match value {
            Value::Absent | Value::Null => Vec::new(),
            Value::List(text) => elements(text).unwrap_or_default(),
            value => {
                self.problems.push(Code::WrongType, path, &value, "a list");
                Vec::new()
            }
        }
    }
}

/// How many entities of a kind an import brought, changed and took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCount {
    pub created: usize,
    pub changed: usize,
    pub removed: usize,
}

/// The kinds that a city file replaces.
const MODEL: [Kind; 5] = [Kind::District, Kind::Building, Kind::WeatherStation, Kind::Node, Kind::Edge];

impl City {
    /// Takes in a city file: it replaces districts, buildings, weather stations, nodes and edges, whose live fields
    /// are kept; other kinds are only added (contract, section 3).
    ///
    /// The counts are in the order of [`Kind::ALL`].
    pub fn import(&mut self, file: CityFile) -> [ImportCount; 10] {
        let mut counts = [ImportCount::default(); 10];
        let mut staying = HashSet::new();
        for parsed in file.entities {
            let (kind, district, id) = parsed.key();
            let before = self.current(kind, &district, &id);
            if before.is_some() && kind.by_event() {
                continue;
            }
            let (created, changed) = (before.is_none(), self.set_parsed(parsed.keeping(before.as_ref())));
            counts[kind as usize].created += usize::from(created);
            counts[kind as usize].changed += usize::from(changed && !created);
            if let Some(entity) = self.current(kind, &district, &id) {
                staying.insert(entity.handle());
            }
        }
        self.take_out_lacking(&staying, &mut counts);
        if let Some(name) = &file.name {
            self.rename(name);
        }
        counts
    }

    /// Whether importing a file would change anything.
    pub fn differs_from(&self, file: &CityFile) -> bool {
        if file.name.as_ref().is_some_and(|name| **name != *self.view().name) {
            return true;
        }
        let mut staying = HashSet::new();
        for parsed in &file.entities {
            let (kind, district, id) = parsed.key();
            match self.current(kind, &district, &id) {
                None => return true,
                Some(_) if kind.by_event() => {}
                Some(before) => {
                    staying.insert(before.handle());
                    if parsed.clone().keeping(Some(&before)).differs_from(&before) {
                        return true;
                    }
                }
            }
        }
        let lacking = self.view().entities(&MODEL).filter(|entity| !staying.contains(&entity.handle()));
        lacking.into_iter().any(|entity| match entity {
            // It would stay as it is: bare, with its sensors.
            Entity::District(d) if d.area.is_none() && d.name == d.id => {
                self.view().list(Kind::Sensor, Some(&d.id)).is_empty()
            }
            _ => true,
        })
    }

    fn take_out_lacking(&mut self, staying: &HashSet<Handle>, counts: &mut [ImportCount; 10]) {
        let lacking: Vec<Entity> =
            self.view().entities(&MODEL).filter(|entity| !staying.contains(&entity.handle())).cloned().collect();
        for entity in lacking {
            match &entity {
                // A lacking district that has sensors stays, bare.
                Entity::District(district) if !self.view().list(Kind::Sensor, Some(&district.id)).is_empty() => {
                    let id = district.id.clone();
                    let changed = self.set(District { name: id.clone(), id, area: None });
                    counts[Kind::District as usize].changed += usize::from(changed);
                }
                _ => {
                    // What stood in a lacking district may have gone with it.
                    if self.view().entity(entity.handle()).is_some() {
                        self.take_out(entity.handle());
                    }
                    counts[entity.kind() as usize].removed += 1;
                }
            }
        }
    }

    /// Writes a value as it was read, `false` where it changes nothing: for a store's rows, districts first.
    pub fn set_parsed(&mut self, parsed: Parsed) -> bool {
        match parsed {
            Parsed::District(value) => self.set(value),
            Parsed::Sensor(value) => self.set(value),
            Parsed::Building(value) => self.set(value),
            Parsed::WeatherStation(value) => self.set(value),
            Parsed::Node(value) => self.set(value),
            Parsed::Edge(value) => self.set(value),
            Parsed::Bus(value) => self.set(value),
            Parsed::Station(value) => self.set(value),
            Parsed::Incident(value) => self.set(value),
            Parsed::Unit(value) => self.set(value),
        }
    }
}

impl Parsed {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::District(v) => &v.id,
            Self::Sensor(v) => &v.id,
            Self::Building(v) => &v.id,
            Self::WeatherStation(v) => &v.id,
            Self::Node(v) => &v.id,
            Self::Edge(v) => &v.road.id,
            Self::Bus(v) => &v.id,
            Self::Station(v) => &v.id,
            Self::Incident(v) => &v.id,
            Self::Unit(v) => &v.id,
        }
    }

    /// Kind, district where it stands in one, and id.
    pub fn key(&self) -> (Kind, String, String) {
        let (kind, district) = match self {
            Self::District(_) => (Kind::District, ""),
            Self::Sensor(v) => (Kind::Sensor, v.district.as_str()),
            Self::Building(v) => (Kind::Building, v.district.as_str()),
            Self::WeatherStation(v) => (Kind::WeatherStation, v.district.as_str()),
            Self::Node(v) => (Kind::Node, v.district.as_str()),
            Self::Edge(v) => (Kind::Edge, v.road.district.as_str()),
            Self::Bus(_) => (Kind::Bus, ""),
            Self::Station(_) => (Kind::Station, ""),
            Self::Incident(_) => (Kind::Incident, ""),
            Self::Unit(_) => (Kind::Unit, ""),
        };
        (kind, district.to_owned(), self.id().to_owned())
    }

    /// Whether it says something else than an entity of the city's model.
    fn differs_from(&self, entity: &Entity) -> bool {
        match (self, entity) {
            (Self::District(a), Entity::District(b)) => *a != b.value,
            (Self::Building(a), Entity::Building(b)) => *a != b.value,
            (Self::WeatherStation(a), Entity::WeatherStation(b)) => *a != b.value,
            (Self::Node(a), Entity::Node(b)) => *a != b.value,
            (Self::Edge(a), Entity::Edge(b)) => *a != b.value,
            _ => true,
        }
    }

    /// The value with the live fields of the one before it, where that has them.
    fn keeping(self, before: Option<&Entity>) -> Self {
        match (self, before) {
            (Self::Building(new), Some(Entity::Building(old))) => Self::Building(Building {
                current_occupancy: old.current_occupancy.or(new.current_occupancy),
                total_capacity: if old.capacity_by_event { old.total_capacity } else { new.total_capacity },
                capacity_by_event: old.capacity_by_event,
                last_updated: old.last_updated.or(new.last_updated),
                ..new
            }),
            (Self::WeatherStation(new), Some(Entity::WeatherStation(old))) => Self::WeatherStation(WeatherStation {
                readings: old.readings.clone().or(new.readings),
                // One that an event cleared stays cleared.
                status: if old.last_updated.is_some() { old.status } else { old.status.or(new.status) },
                last_updated: old.last_updated.or(new.last_updated),
                ..new
            }),
            (Self::Edge(new), Some(Entity::Edge(old))) => Self::Edge(Edge {
                traffic: old.traffic.clone().or(new.traffic),
                last_updated: old.last_updated.or(new.last_updated),
                ..new
            }),
            (new, _) => new,
        }
    }
}

#[cfg(test)]
mod tests;
