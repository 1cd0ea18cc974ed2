//! The fields that are lists: of the city, of a district, of a building. All take the same arguments.

use async_graphql::{Context, Object, Result};
use compact_str::CompactString;

use super::{
    connection::{Connection, Source, list_cost},
    context::{max_page, snapshot},
    entity::{Building, Bus, District, Incident, RoadEdge, RoadNode, Sensor, Station, Unit, WeatherStation},
    filter::EntityFilter,
    snapshot::Snapshot,
};

/// Implements an object whose fields are lists: `$snapshot` and `$source` say of which city and of what in it.
macro_rules! lists {
    (
        $(#[$($doc:tt)*])*
        impl $holder:ident {
            ($this:ident, $ctx:ident) => ($snapshot:expr, $source:expr);
            $( $(#[$($field_doc:tt)*])* $field:ident: $node:ident, )+
        }
    ) => {
        $(#[$($doc)*])*
        #[Object]
        impl $holder {
            $(
                $(#[$($field_doc)*])*
                #[graphql(complexity = "list_cost(first, child_complexity)")]
                async fn $field(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "Which of them; all where it is absent.")] filter: Option<EntityFilter>,
                    #[graphql(desc = "The most entries of this page: from 0 to the server's `GRAPHQL_MAX_PAGE` (1000 \
                        unless set); 100 where it is absent.")]
                    first: Option<i32>,
                    #[graphql(desc = "A cursor of this list: the page begins behind it.")] after: Option<String>,
                ) -> Result<Connection<$node>> {
                    let ($this, $ctx) = (self, ctx);
                    let most = max_page(ctx);
                    Connection::new($snapshot, $source, filter.as_ref(), first, after.as_deref(), most)
                }
            )+
        }
    };
}

/// The lists among the query roots.
#[derive(Default)]
pub struct ListQueries;

lists! {
    /// Lists of the whole city.
    impl ListQueries {
        (_this, ctx) => (snapshot(ctx)?, Source::City);
        /// The districts of the city.
        districts: District,
        /// The sensors of all districts.
        sensors: Sensor,
        /// The buildings of all districts.
        buildings: Building,
        /// The weather stations of all districts.
        weather_stations: WeatherStation,
        /// The nodes of the road graph, of all districts.
        nodes: RoadNode,
        /// The edges of the road graph, of all districts.
        edges: RoadEdge,
        /// The buses.
        buses: Bus,
        /// The stations of public transport.
        stations: Station,
        /// The incidents, resolved ones included as long as they are kept.
        incidents: Incident,
        /// The units of the emergency services.
        units: Unit,
    }
}

/// What is in a city.
pub struct CityLists(pub Snapshot);

lists! {
    /// Lists of a city.
    impl CityLists {
        (this, _ctx) => (this.0.clone(), Source::City);
        /// The districts of the city.
        districts: District,
    }
}

/// The vehicles and stops of public transport.
pub struct PublicTransport(pub Snapshot);

lists! {
    /// Public transport: its vehicles and its stops.
    impl PublicTransport {
        (this, _ctx) => (this.0.clone(), Source::City);
        /// The buses.
        buses: Bus,
        /// The stations.
        stations: Station,
    }
}

/// What the emergency services handle, and with what.
pub struct EmergencyServices(pub Snapshot);

lists! {
    /// The emergency services: what they handle, and with what.
    impl EmergencyServices {
        (this, _ctx) => (this.0.clone(), Source::City);
        /// The incidents, resolved ones included as long as they are kept.
        incidents: Incident,
        /// The units.
        units: Unit,
    }
}

/// What is in a district, beside its road graph.
pub struct DistrictLists(pub Snapshot, pub CompactString);

lists! {
    /// Lists of a district.
    impl DistrictLists {
        (this, _ctx) => (this.0.clone(), Source::District(this.1.clone()));
        /// The sensors of the district.
        sensors: Sensor,
        /// The buildings of the district.
        buildings: Building,
        /// The weather stations of the district.
        weather_stations: WeatherStation,
    }
}

/// The road graph of a district.
pub struct CityGraph(pub Snapshot, pub CompactString);

lists! {
    /// The road graph of a district.
    impl CityGraph {
        (this, _ctx) => (this.0.clone(), Source::District(this.1.clone()));
        /// The nodes of the district: where its roads begin, end or meet.
        nodes: RoadNode,
        /// The edges of the district: its roads, each in one direction.
        edges: RoadEdge,
    }
}

/// What is in a building.
pub struct BuildingLists(pub Snapshot, pub CompactString, pub CompactString);

lists! {
    /// Lists of a building.
    impl BuildingLists {
        (this, _ctx) => (this.0.clone(), Source::Handles(this.0.installed_sensors(&this.1, &this.2).to_vec()));
        /// The sensors of the district whose `buildingId` is this building, with what they measure now.
        installed_sensors: Sensor,
    }
}
