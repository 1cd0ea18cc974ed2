//! Weather stations.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    District,
    wrapper::{entity_type, id_of},
};
use crate::{
    graphql::{
        enums::{EntityKind, SensorStatus},
        place::Location,
        scalar::{DateTime, Json},
    },
    twin::{entity::Item, model},
};

entity_type!(
    /// A weather station of the city model, with its readings.
    WeatherStation,
    model::WeatherStation
);

/// A weather station of the city model, with its readings.
#[Object]
impl WeatherStation {
    /// `weather-station/<districtId>/<stationId>`, its parts percent-encoded.
    pub async fn id(&self) -> ID {
        id_of(&self.item.value)
    }

    /// Always `WEATHER_STATION`.
    pub async fn kind(&self) -> EntityKind {
        EntityKind::WeatherStation
    }

    /// Its id, unique in its district.
    async fn station_id(&self) -> &str {
        &self.item.id
    }

    /// The `districtId` of its district.
    async fn district_id(&self) -> &str {
        &self.item.district
    }

    /// Where it stands.
    async fn location(&self) -> Option<Location> {
        self.item.location.map(Location::from)
    }

    /// What it measured last; null before its first message.
    async fn readings(&self) -> Option<Readings> {
        self.item.readings.is_some().then(|| Readings(Arc::clone(&self.item)))
    }

    /// Whether it measures.
    async fn status(&self) -> Option<SensorStatus> {
        self.item.status.map(SensorStatus::from)
    }

    /// The time of the last event that it took.
    pub async fn last_updated(&self) -> Option<DateTime> {
        self.item.last_updated.map(DateTime)
    }

    /// Its district.
    async fn district(&self) -> Option<District> {
        District::find(&self.snapshot, &self.item.district)
    }
}

/// What a weather station measured last.
pub struct Readings(Arc<Item<model::WeatherStation>>);

/// What a weather station measured last; each value is null where the message had none.
#[Object]
impl Readings {
    /// Degrees Celsius.
    async fn temperature(&self) -> Option<f64> {
        self.held()?.temperature.flatten()
    }

    /// Relative humidity in percent.
    async fn humidity(&self) -> Option<f64> {
        self.held()?.humidity.flatten()
    }

    /// Air pressure in hPa.
    async fn pressure(&self) -> Option<f64> {
        self.held()?.pressure.flatten()
    }

    /// Wind speed in km/h.
    async fn wind_speed(&self) -> Option<f64> {
        self.held()?.wind_speed.flatten()
    }

    /// Where the wind comes from: degrees clockwise from north.
    async fn wind_direction(&self) -> Option<f64> {
        self.held()?.wind_direction.flatten()
    }

    /// Precipitation in mm.
    async fn precipitation(&self) -> Option<f64> {
        self.held()?.precipitation.flatten()
    }

    /// What else the message had, an object; null where it had nothing else.
    async fn extra(&self) -> Option<Json> {
        self.held()?.extra.as_ref().map(Json::from)
    }
}

impl Readings {
    fn held(&self) -> Option<&model::Readings> {
        self.0.readings.as_ref()
    }
}
