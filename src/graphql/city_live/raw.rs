//! The latest value of each kind in a zone, as it came.

use std::sync::Arc;

use async_graphql::{ComplexObject, Enum, Object, Result, SimpleObject};

use super::{
    args::page,
    source::{age, failed, int, is_simulated},
};
use crate::{
    city_live::{
        archive::{self, RawKind, RawValue},
        board::Board,
        message::{self, Payload},
    },
    graphql::{place::Location, scalar::DateTime},
    twin::geo::Position,
};

/// The latest value of each kind in a zone; `zone: None`: of the whole city.
pub struct LiveRaw {
    pub board: Arc<Board>,
    pub zone: Option<String>,
}

/// The latest value of each kind; null where none came yet.
#[Object]
impl LiveRaw {
    /// The weather at its centre.
    async fn weather(&self) -> Result<Option<LiveWeather>> {
        Ok(self.own(RawKind::Weather).await?.and_then(LiveWeather::of))
    }

    /// The air at its centre.
    async fn aqi(&self) -> Result<Option<LiveAqi>> {
        Ok(self.own(RawKind::Aqi).await?.and_then(LiveAqi::of))
    }

    /// The traffic on the road nearest to its centre.
    async fn traffic(&self) -> Result<Option<LiveTraffic>> {
        Ok(self.own(RawKind::Traffic).await?.and_then(LiveTraffic::of))
    }

    /// The power demand of the newest hour: the zone's own where there is such a source, else the whole city's
    /// (`wholeCity`).
    async fn power(&self) -> Result<Option<LivePower>> {
        Ok(self.own_or_whole(RawKind::PowerDemand).await?.and_then(LivePower::of))
    }

    /// The newest grid alert of the source: the zone's own, else the whole city's (`wholeCity`).
    async fn grid_alert(&self) -> Result<Option<LiveGridAlert>> {
        Ok(self.own_or_whole(RawKind::GridAlert).await?.and_then(LiveGridAlert::of))
    }

    /// The 311 calls of the last 24 hours; of the whole city those that lie in no zone.
    async fn calls311(&self) -> Result<Option<LiveCalls311<'_>>> {
        let calls = self.board.calls().await.map_err(failed)?;
        let calls = match &self.zone {
            Some(zone) => calls.zone(zone),
            None => calls.whole.as_ref(),
        };
        Ok(calls.map(LiveCalls311))
    }
}

impl LiveRaw {
    async fn own(&self, kind: RawKind) -> Result<Option<&RawValue>> {
        let values = self.board.raw(kind).await.map_err(failed)?;
        Ok(match &self.zone {
            Some(zone) => values.zone(zone),
            None => values.whole.as_ref(),
        })
    }

    async fn own_or_whole(&self, kind: RawKind) -> Result<Option<&RawValue>> {
        let values = self.board.raw(kind).await.map_err(failed)?;
        Ok(self.zone.as_ref().and_then(|zone| values.zone(zone)).or(values.whole.as_ref()))
    }
}

/// Where a value comes from.
#[derive(SimpleObject)]
pub struct Origin {
    /// When it was measured, as the source says.
    ts: DateTime,
    /// When it was taken in.
    ingested_at: DateTime,
    /// How many seconds `ts` is behind the server's clock; 0 where it is ahead.
    age_seconds: i32,
    /// Who says so: `open-meteo`, `openweather`, `tomtom`, `eia`; simulated ones end with `-simulated`.
    source: String,
    /// Whether it is simulated.
    simulated: bool,
}

impl From<&RawValue> for Origin {
    fn from(value: &RawValue) -> Self {
        Self {
            ts: DateTime(value.ts),
            ingested_at: DateTime(value.ingested_at),
            age_seconds: age(value.ts),
            source: value.source.clone(),
            simulated: is_simulated(&value.source),
        }
    }
}

/// The weather at one place.
#[derive(SimpleObject)]
pub struct LiveWeather {
    #[graphql(flatten)]
    origin: Origin,
    /// Degrees Celsius.
    temperature: Option<f64>,
    /// How warm it feels, degrees Celsius.
    apparent_temperature: Option<f64>,
    /// Relative humidity in percent, 0 to 100.
    humidity: Option<f64>,
    /// m/s.
    wind_speed: Option<f64>,
    /// Where the wind comes from: degrees clockwise from north.
    wind_direction: Option<f64>,
    /// mm in the hour before.
    precipitation: Option<f64>,
    /// hPa at the ground.
    pressure: Option<f64>,
    /// WMO code 4677: 0 is a clear sky.
    weather_code: Option<i32>,
    /// The source's own forecast of the temperature, degrees Celsius, hourly, ascending; empty where it gives none.
    #[graphql(complexity = "1 + 24 * child_complexity")]
    hourly_temperature: Vec<LiveHourValue>,
}

impl LiveWeather {
    fn of(value: &RawValue) -> Option<Self> {
        let Payload::Weather(weather) = &value.payload else { return None };
        let hours = weather.hourly_temperature.iter();
        Some(Self {
            origin: value.into(),
            temperature: weather.temperature_c,
            apparent_temperature: weather.apparent_temperature_c,
            humidity: weather.humidity_pct,
            wind_speed: weather.wind_speed_ms,
            wind_direction: weather.wind_direction_deg,
            precipitation: weather.precipitation_mm,
            pressure: weather.pressure_hpa,
            weather_code: weather.weather_code.map(int),
            hourly_temperature: hours.map(|hour| LiveHourValue { ts: DateTime(hour.ts), value: hour.value }).collect(),
        })
    }
}

/// A value of one hour.
#[derive(SimpleObject)]
pub struct LiveHourValue {
    /// The beginning of the hour.
    ts: DateTime,
    /// In the unit of the list that it stands in.
    value: f64,
}

/// The air at one place.
#[derive(SimpleObject)]
pub struct LiveAqi {
    #[graphql(flatten)]
    origin: Origin,
    /// The US AQI, 0 to 500.
    us_aqi: Option<f64>,
    /// The European AQI, 0 to 100 and above.
    european_aqi: Option<f64>,
    /// Fine dust below 2.5 µm, µg/m³.
    pm25: Option<f64>,
    /// Dust below 10 µm, µg/m³.
    pm10: Option<f64>,
    /// Nitrogen dioxide, µg/m³.
    no2: Option<f64>,
    /// Ozone, µg/m³.
    o3: Option<f64>,
    /// Sulphur dioxide, µg/m³.
    so2: Option<f64>,
    /// Carbon monoxide, µg/m³.
    co: Option<f64>,
}

impl LiveAqi {
    fn of(value: &RawValue) -> Option<Self> {
        let Payload::Aqi(air) = &value.payload else { return None };
        Some(Self {
            origin: value.into(),
            us_aqi: air.us_aqi,
            european_aqi: air.european_aqi,
            pm25: air.pm2_5_ugm3,
            pm10: air.pm10_ugm3,
            no2: air.no2_ugm3,
            o3: air.o3_ugm3,
            so2: air.so2_ugm3,
            co: air.co_ugm3,
        })
    }
}

/// The traffic on one road segment.
#[derive(SimpleObject)]
pub struct LiveTraffic {
    #[graphql(flatten)]
    origin: Origin,
    /// km/h.
    current_speed: f64,
    /// When nobody is in the way, km/h.
    free_flow_speed: f64,
    /// How long the segment takes, in seconds.
    current_travel_time: Option<f64>,
    /// How long it takes when nobody is in the way, in seconds.
    free_flow_travel_time: Option<f64>,
    /// How far the source believes itself, 0 to 1.
    confidence: Option<f64>,
    /// Whether the segment is closed.
    road_closure: bool,
}

impl LiveTraffic {
    fn of(value: &RawValue) -> Option<Self> {
        let Payload::Traffic(traffic) = &value.payload else { return None };
        Some(Self {
            origin: value.into(),
            current_speed: traffic.current_speed_kmh,
            free_flow_speed: traffic.free_flow_speed_kmh,
            current_travel_time: traffic.current_travel_time_s,
            free_flow_travel_time: traffic.free_flow_travel_time_s,
            confidence: traffic.confidence,
            road_closure: traffic.road_closure,
        })
    }
}

/// The power demand of the hour that begins at `ts`.
#[derive(SimpleObject)]
pub struct LivePower {
    #[graphql(flatten)]
    origin: Origin,
    /// Whether it is of the whole city, not of the zone.
    whole_city: bool,
    /// EIA's code of the region, such as `NYIS`.
    region: String,
    /// MWh in the hour.
    demand: Option<f64>,
    /// EIA's own day-ahead forecast of it, MWh in the hour.
    demand_forecast: Option<f64>,
}

impl LivePower {
    fn of(value: &RawValue) -> Option<Self> {
        let Payload::PowerDemand(power) = &value.payload else { return None };
        Some(Self {
            origin: value.into(),
            whole_city: value.zone_id.is_none(),
            region: power.region.clone(),
            demand: power.demand_mwh,
            demand_forecast: power.forecast_mwh,
        })
    }
}

/// Why there is a grid alert.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "message::GridAlertKind")]
pub enum LiveGridAlertKind {
    /// Demand above EIA's own forecast by more than the margin.
    AboveForecast,
    /// Demand above the highest hour of the same local day so far.
    AbovePeak,
}

/// Power demand that is out of line.
#[derive(SimpleObject)]
pub struct LiveGridAlert {
    #[graphql(flatten)]
    origin: Origin,
    /// Whether it is of the whole city, not of the zone.
    whole_city: bool,
    /// Why.
    kind: LiveGridAlertKind,
    /// EIA's code of the region, such as `NYIS`.
    region: String,
    /// MWh in the hour.
    demand: f64,
    /// What it is above, MWh.
    reference: f64,
    /// By how much, in percent of the reference.
    excess: f64,
}

impl LiveGridAlert {
    fn of(value: &RawValue) -> Option<Self> {
        let Payload::GridAlert(alert) = &value.payload else { return None };
        Some(Self {
            origin: value.into(),
            whole_city: value.zone_id.is_none(),
            kind: alert.kind.into(),
            region: alert.region.clone(),
            demand: alert.demand_mwh,
            reference: alert.reference_mwh,
            excess: alert.excess_pct,
        })
    }
}

/// The 311 calls of the last 24 hours.
pub struct LiveCalls311<'a>(&'a archive::Raw311);

/// The 311 calls of the last 24 hours.
#[Object]
impl LiveCalls311<'_> {
    /// When the newest of them was made.
    async fn ts(&self) -> DateTime {
        DateTime(self.0.ts)
    }

    /// How many seconds `ts` is behind the server's clock.
    async fn age_seconds(&self) -> i32 {
        age(self.0.ts)
    }

    /// Who says so: `socrata`; simulated ones end with `-simulated`.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether they are simulated.
    async fn simulated(&self) -> bool {
        is_simulated(&self.0.source)
    }

    /// How many there are.
    async fn count(&self) -> i32 {
        int(self.0.calls.len())
    }

    /// How many by complaint type, the most frequent first.
    #[graphql(complexity = "1 + 20 * child_complexity")]
    async fn by_type(&self) -> Vec<LiveCallCount> {
        let mut counts: Vec<_> = self
            .0
            .by_type
            .iter()
            .map(|(name, count)| LiveCallCount { name: name.clone(), count: int(*count) })
            .collect();
        // Of equally many the order of the names stays.
        counts.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        counts
    }

    /// The calls themselves, newest first.
    #[graphql(complexity = "1 + child_complexity * first.unwrap_or(20).max(0) as usize")]
    async fn calls(
        &self,
        #[graphql(desc = "At most so many, from 0 to 1000; 20 where it is absent.")] first: Option<i32>,
    ) -> Result<Vec<LiveCall>> {
        let first = page("first", first, 20, 1000)?;
        Ok(self.0.calls.iter().take(first).map(LiveCall::from).collect())
    }
}

/// How many calls are of one complaint type.
#[derive(SimpleObject)]
pub struct LiveCallCount {
    /// The complaint type.
    #[graphql(name = "type")]
    name: String,
    /// How many.
    count: i32,
}

/// One 311 call.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct LiveCall {
    /// Its own id.
    call_id: String,
    /// When it was made.
    ts: DateTime,
    /// What it is about, such as `Noise - Street/Sidewalk`.
    complaint_type: String,
    /// The same in more words.
    descriptor: Option<String>,
    /// `Open`, `Closed` and so on, as the source says it.
    status: Option<String>,
    #[graphql(skip)]
    position: Option<Position>,
}

/// Where it is.
#[ComplexObject]
impl LiveCall {
    /// Where it is; null where the source does not say.
    async fn location(&self) -> Option<Location> {
        self.position.map(Location::from)
    }
}

impl From<&archive::CallEntry> for LiveCall {
    fn from(entry: &archive::CallEntry) -> Self {
        let call = &entry.call;
        let position = call.latitude.zip(call.longitude);
        Self {
            call_id: call.call_id.clone(),
            ts: DateTime(entry.ts),
            complaint_type: call.complaint_type.clone(),
            descriptor: call.descriptor.clone(),
            status: call.status.clone(),
            position: position.map(|(latitude, longitude)| Position { latitude, longitude }),
        }
    }
}
