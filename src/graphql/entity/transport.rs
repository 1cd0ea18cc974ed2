//! Public transport: buses and stations.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    District,
    wrapper::{entity_type, id_of, int},
};
use crate::{
    graphql::{
        enums::{BusStatus, EntityKind},
        place::Location,
        scalar::{DateTime, Json},
        snapshot::Snapshot,
    },
    twin::{
        entity::Variant,
        json::{self, Value},
        model,
    },
};

/// What the list of a station's arrivals counts as.
const ARRIVALS: usize = 10;

entity_type!(
    /// A vehicle of public transport.
    Bus,
    model::Bus
);

/// A vehicle of public transport.
#[Object]
impl Bus {
    /// `bus/<busId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `BUS`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Bus
    }

    /// Its id, unique in the city.
    async fn bus_id(&self) -> &str {
        &self.item.id
    }

    /// The route that it serves.
    async fn route_id(&self) -> Option<&str> {
        self.item.route.as_deref()
    }

    /// Where it is.
    async fn current_location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// Where it heads: degrees clockwise from north, in [0, 360).
    async fn heading(&self) -> Option<f64> {
        self.item.heading
    }

    /// How fast it is, in km/h.
    async fn speed(&self) -> Option<f64> {
        self.item.speed
    }

    /// How many passengers are on it.
    async fn passenger_count(&self) -> Option<i32> {
        int(self.item.passengers)
    }

    /// Whether it serves its route.
    async fn status(&self) -> Option<BusStatus> {
        self.item.status.map(BusStatus::from)
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// The district where it is: of those whose boundaries hold its position, else of all, the one with the nearest
    /// centre.
    async fn located_in(&self) -> Option<District> {
        District::at(&self.snapshot, self.item.location)
    }
}

impl Bus {
    /// The bus of that id, where the city has it.
    fn find(snapshot: &Snapshot, id: &str) -> Option<Self> {
        let item = model::Bus::unwrap(snapshot.find(model::Kind::Bus, None, id)?)?;
        Some(Self::new(snapshot.clone(), Arc::clone(item)))
    }
}

entity_type!(
    /// A stop of public transport.
    Station,
    model::Station
);

/// A stop of public transport.
#[Object]
impl Station {
    /// `station/<stationId>`, its part percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `STATION`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::Station
    }

    /// Its id, unique in the city.
    async fn station_id(&self) -> &str {
        &self.item.id
    }

    /// What people call it.
    async fn name(&self) -> Option<&str> {
        self.item.name.as_deref()
    }

    /// Where it is.
    async fn location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// How many passengers wait at it.
    async fn waiting_passengers(&self) -> Option<i32> {
        int(self.item.waiting)
    }

    /// The arrivals that its last message foretold, in the order of the message.
    #[graphql(complexity = "1 + ARRIVALS * child_complexity")]
    async fn next_arrivals(&self) -> Vec<NextArrival> {
        let list = self.item.arrivals.as_ref().map_or("[]", json::Json::text);
        let entries = json::elements(list).unwrap_or_default();
        entries.into_iter().filter_map(|entry| NextArrival::read(&self.snapshot, entry)).collect()
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// The district where it is: of those whose boundaries hold its position, else of all, the one with the nearest
    /// centre.
    async fn located_in(&self) -> Option<District> {
        District::at(&self.snapshot, self.item.location)
    }
}

/// An arrival that a station's message foretold.
pub struct NextArrival {
    snapshot: Snapshot,
    bus: Option<String>,
    route: Option<String>,
    estimated: Option<String>,
    extra: Option<json::Json>,
}

impl NextArrival {
    /// Reads one entry of `nextArrivals`; `None` where it is no object, which the fold does not let in.
    fn read(snapshot: &Snapshot, entry: Value<'_>) -> Option<Self> {
        let Value::Object(object) = entry else { return None };
        let read = json::pick(None, object, &["busId", "routeId", "estimatedArrival"]);
        let [bus, route, estimated] = read.values.map(|value| match value {
            Value::Text(text) => Some(text.text().into_owned()),
            _ => None,
        });
        let extra = (!read.unknown.is_empty()).then(|| json::Json::new(&json::object(&read.unknown)).ok()).flatten();
        Some(Self { snapshot: snapshot.clone(), bus, route, estimated, extra })
    }
}

/// An arrival that a station's message foretold.
#[Object]
impl NextArrival {
    /// The `busId` of the bus that will arrive.
    async fn bus_id(&self) -> Option<&str> {
        self.bus.as_deref()
    }

    /// The route that it serves.
    async fn route_id(&self) -> Option<&str> {
        self.route.as_deref()
    }

    /// When it will arrive, in the words of the message (not checked to be a time).
    async fn estimated_arrival(&self) -> Option<&str> {
        self.estimated.as_deref()
    }

    /// What else the entry had, an object; null where it had nothing else.
    async fn extra(&self) -> Option<Json> {
        self.extra.as_ref().map(Json::from)
    }

    /// The bus that will arrive, where the city has it.
    async fn bus(&self) -> Option<Bus> {
        Bus::find(&self.snapshot, self.bus.as_deref()?)
    }
}
