//! One entity of any kind, shared by everything that reads it, with its JSON made once.

use std::{
    iter,
    sync::{Arc, OnceLock},
};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{
    field::Field,
    geo::Position,
    model::{Building, Bus, District, Edge, Incident, Kind, Model, Node, Sensor, Station, Unit, WeatherStation, Word},
    time::Time,
};

/// Where an entity stands in its city: given at its creation, never given to another one, kept over removal and
/// return. Handles of one [`super::city::City`] mean nothing to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(pub u32);

/// One value of an entity. A change makes a new one.
#[derive(Debug)]
pub struct Item<T> {
    pub handle: Handle,
    /// The city's revision at which this value came.
    pub revision: u64,
    pub value: T,
    /// Made when first asked for, then shared by store, full state, delta and subscribers.
    json: OnceLock<Box<[u8]>>,
}

impl<T> std::ops::Deref for Item<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Model> Item<T> {
    /// The JSON of `state.full`.
    pub fn json(&self) -> &[u8] {
        self.json.get_or_init(|| {
            let mut out = Vec::with_capacity(320);
            self.value.write_json(&mut out);
            out.into_boxed_slice()
        })
    }
}

/// An entity of any kind.
#[derive(Clone, Debug)]
pub enum Entity {
    District(Arc<Item<District>>),
    Sensor(Arc<Item<Sensor>>),
    Building(Arc<Item<Building>>),
    WeatherStation(Arc<Item<WeatherStation>>),
    Node(Arc<Item<Node>>),
    Edge(Arc<Item<Edge>>),
    Bus(Arc<Item<Bus>>),
    Station(Arc<Item<Station>>),
    Incident(Arc<Item<Incident>>),
    Unit(Arc<Item<Unit>>),
}

/// Does the same with the item of any kind.
macro_rules! each {
    ($entity:expr, $item:ident => $do:expr) => {
        match $entity {
            Entity::District($item) => $do,
            Entity::Sensor($item) => $do,
            Entity::Building($item) => $do,
            Entity::WeatherStation($item) => $do,
            Entity::Node($item) => $do,
            Entity::Edge($item) => $do,
            Entity::Bus($item) => $do,
            Entity::Station($item) => $do,
            Entity::Incident($item) => $do,
            Entity::Unit($item) => $do,
        }
    };
}

/// A kind of entity as a variant of [`Entity`].
pub trait Variant: Model + Send + Sync + 'static {
    fn wrap(item: Arc<Item<Self>>) -> Entity;
    fn unwrap(entity: &Entity) -> Option<&Arc<Item<Self>>>;
}

macro_rules! variants {
    ($($kind:ident),+) => {
        $(impl Variant for $kind {
            fn wrap(item: Arc<Item<Self>>) -> Entity {
                Entity::$kind(item)
            }

            fn unwrap(entity: &Entity) -> Option<&Arc<Item<Self>>> {
                match entity { Entity::$kind(item) => Some(item), _ => None }
            }
        })+
    };
}

variants!(District, Sensor, Building, WeatherStation, Node, Edge, Bus, Station, Incident, Unit);

impl Entity {
    pub(super) fn new<T: Variant>(handle: Handle, revision: u64, value: T) -> Self {
        T::wrap(Arc::new(Item { handle, revision, value, json: OnceLock::new() }))
    }

    pub fn kind(&self) -> Kind {
        each!(self, item => kind_of(&item.value))
    }

    pub fn handle(&self) -> Handle {
        each!(self, item => item.handle)
    }

    pub fn revision(&self) -> u64 {
        each!(self, item => item.revision)
    }

    pub fn id(&self) -> &str {
        each!(self, item => item.id())
    }

    /// The district it belongs to, or is.
    pub fn district(&self) -> Option<&str> {
        each!(self, item => item.district())
    }

    /// Where it is, if it is a point.
    pub fn position(&self) -> Option<Position> {
        each!(self, item => item.position())
    }

    /// Where it is, if it is a line.
    pub fn line(&self) -> Option<&[Position]> {
        match self {
            Self::Edge(edge) if !edge.road.line.is_empty() => Some(&edge.road.line),
            _ => None,
        }
    }

    pub fn last_updated(&self) -> Option<Time> {
        each!(self, item => item.last_updated())
    }

    /// `type` of `state.full`; an edge's is its `class`.
    pub fn type_text(&self) -> Option<&str> {
        match self {
            Self::Sensor(s) => s.kind.as_deref(),
            Self::Building(b) => b.kind.as_deref(),
            Self::Node(n) => n.kind.as_deref(),
            Self::Edge(e) => e.road.class.as_deref(),
            Self::Incident(i) => i.kind.as_deref(),
            Self::Unit(u) => u.kind.as_deref(),
            Self::District(_) | Self::WeatherStation(_) | Self::Bus(_) | Self::Station(_) => None,
        }
    }

    /// `status` of `state.full`; an edge's is its `congestionLevel`.
    pub fn status_text(&self) -> Option<&'static str> {
        match self {
            Self::Sensor(s) => s.status.map(Word::word),
            Self::WeatherStation(w) => w.status.map(Word::word),
            Self::Edge(e) => e.traffic.as_ref()?.congestion_level.flatten().map(Word::word),
            Self::Bus(b) => b.status.map(Word::word),
            Self::Incident(i) => i.status.map(Word::word),
            Self::Unit(u) => u.status.map(Word::word),
            Self::District(_) | Self::Building(_) | Self::Node(_) | Self::Station(_) => None,
        }
    }

    /// What people call it, where it has a name beside its id.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::District(d) => Some(&d.name),
            Self::Building(b) => b.name.as_deref(),
            Self::Edge(e) => e.road.name.as_deref(),
            Self::Station(s) => s.name.as_deref(),
            _ => None,
        }
    }

    /// The JSON of `state.full`; a district's only its own part.
    pub fn json(&self) -> &[u8] {
        each!(self, item => item.json())
    }

    /// The JSON that the store keeps: that of `state.full`, and what only the fold needs to know as last keys.
    pub fn stored_json(&self) -> Vec<u8> {
        let mut json = self.json().to_vec();
        let note = match self {
            Self::Building(b) if b.capacity_by_event => ",\"capacityByEvent\":true}".to_owned(),
            Self::Incident(i) => match i.partition {
                Some(partition) => format!(",\"partition\":{partition}}}"),
                None => return json,
            },
            _ => return json,
        };
        json.pop();
        json.extend_from_slice(note.as_bytes());
        json
    }

    /// The names of its fields, in the order of `state.full`: bit `i` of a change's mask is field `i`.
    pub fn field_names(&self) -> &'static [&'static str] {
        each!(self, item => fields_of(&item.value))
    }

    /// The value of its field `i`.
    pub fn field(&self, i: usize) -> Field<'_> {
        each!(self, item => item.field(i))
    }

    /// A bit for each field in which two values of one entity differ; all of them where the kinds differ.
    pub fn changed(&self, before: &Self) -> u16 {
        fn of<T: Variant>(after: &T, before: &Entity) -> u16 {
            T::unwrap(before).map_or(u16::MAX, |before| after.changed(before))
        }
        each!(self, item => of(&item.value, before))
    }

    /// Whether the other is the very same value.
    pub fn same(&self, other: &Self) -> bool {
        self.handle() == other.handle() && self.revision() == other.revision()
    }

    /// Its id over all kinds, as GraphQL has it.
    pub fn global_id(&self) -> String {
        global_id(self.kind(), self.district(), self.id())
    }

    /// Appends that id as a text of JSON.
    pub fn write_global_id(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        // Percent-encoded it holds nothing that JSON would have to escape.
        global_id_parts(self.kind(), self.district(), self.id())
            .for_each(|part| out.extend_from_slice(part.as_bytes()));
        out.push(b'"');
    }
}

fn kind_of<T: Model>(_: &T) -> Kind {
    T::KIND
}

fn fields_of<T: Model>(_: &T) -> &'static [&'static str] {
    T::FIELDS
}

/// What is not percent-encoded in a part of a global id: letters, digits and `-._~` (RFC 3986, unreserved).
const PART: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'$')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An id that is unique over all kinds: `sensor/<district>/<id>`, `bus/<id>`, its parts percent-encoded.
pub fn global_id(kind: Kind, district: Option<&str>, id: &str) -> String {
    global_id_parts(kind, district, id).collect()
}

/// The pieces that it is joined of.
fn global_id_parts<'a>(kind: Kind, district: Option<&'a str>, id: &'a str) -> impl Iterator<Item = &'a str> {
    let encoded = |part: &'a str| iter::once("/").chain(utf8_percent_encode(part, PART));
    let district = district.filter(|_| kind.by_district()).map(encoded);
    iter::once(kind.prefix()).chain(district.into_iter().flatten()).chain(encoded(id))
}

/// The parts of a global id: its kind, the district where the kind needs one, and the id.
pub fn parse_global_id(global: &str) -> Option<(Kind, Option<String>, String)> {
    let mut parts = global.split('/');
    let prefix = parts.next()?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    let district = if kind.by_district() { Some(decoded(parts.next()?)?) } else { None };
    let id = decoded(parts.next()?)?;
    parts.next().is_none().then_some((kind, district, id))
}

#[cfg(test)]
mod tests;
