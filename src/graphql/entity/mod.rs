//! The types of entities, one file per part of the city, and the interface that all of them implement.

mod building;
mod city;
mod district;
mod emergency;
mod interface;
mod road;
mod sensor;
mod transport;
mod weather;
mod wrapper;

pub use building::Building;
pub use city::City;
pub use district::District;
pub use emergency::{Incident, Unit};
pub use interface::{TwinEntity, entity_object};
pub use road::{RoadEdge, RoadNode};
pub use sensor::Sensor;
pub use transport::{Bus, Station};
pub use weather::WeatherStation;
