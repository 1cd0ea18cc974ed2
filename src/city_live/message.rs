//! What the producer sends through Kafka: one reading of one API about one zone (or the whole city).

use serde::{Deserialize, Serialize};

use crate::twin::time::Time;

/// The five topics of City Live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LiveTopic {
    /// `aqi_stream`: payload.type `weather` or `aqi`.
    AqiStream,
    /// `power_demand`.
    PowerDemand,
    /// `traffic_events`.
    TrafficEvents,
    /// `grid_alerts`.
    GridAlerts,
    /// `incident_text`: 311 calls.
    IncidentText,
}

impl LiveTopic {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AqiStream, Self::PowerDemand, Self::TrafficEvents, Self::GridAlerts, Self::IncidentText];

    /// Its name in Kafka.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AqiStream => "aqi_stream",
            Self::PowerDemand => "power_demand",
            Self::TrafficEvents => "traffic_events",
            Self::GridAlerts => "grid_alerts",
            Self::IncidentText => "incident_text",
        }
    }

    /// The topic of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// One message. Its key in Kafka is `<city_id>/<zone_id>` (`<city_id>/` for the whole city), so that a zone's messages stay in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// A city of the catalogue.
    pub city_id: String,
    /// A zone of it; `null`: the whole city.
    pub zone_id: Option<String>,
    /// When it was measured, as the source says it (not when it was asked).
    pub ts: Time,
    /// `open-meteo`, `openweather`, `tomtom`, `eia`, `socrata`; simulated ones end with `-simulated`.
    pub source: String,
    /// What was measured.
    pub payload: Payload,
}

/// What was measured, in named units. What a source does not tell is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Payload {
    /// Weather at the zone's centre (`aqi_stream`).
    Weather(Weather),
    /// Air quality at the zone's centre (`aqi_stream`).
    Aqi(Aqi),
    /// The road nearest to the zone's centre (`traffic_events`).
    Traffic(Traffic),
    /// One hour of the city's demand (`power_demand`).
    PowerDemand(PowerDemand),
    /// Demand that is out of line (`grid_alerts`).
    GridAlert(GridAlert),
    /// One 311 call (`incident_text`).
    #[serde(rename = "call_311")]
    Call311(Call311),
}

/// Weather at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Weather {
    /// °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f64>,
    /// °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apparent_temperature_c: Option<f64>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub humidity_pct: Option<f64>,
    /// m/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wind_speed_ms: Option<f64>,
    /// Degrees from north, where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wind_direction_deg: Option<f64>,
    /// mm in the hour before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precipitation_mm: Option<f64>,
    /// hPa at the ground.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure_hpa: Option<f64>,
    /// WMO code 4677.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weather_code: Option<i64>,
    /// Temperatures of the next hours where the source has them: what the demand forecast stands on. Hourly, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hourly_temperature: Vec<HourValue>,
}

/// A value of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourValue {
    /// The beginning of the hour.
    pub ts: Time,
    /// In the unit that the list's name tells.
    pub value: f64,
}

/// Air quality at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aqi {
    /// The US AQI, 0 to 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub us_aqi: Option<f64>,
    /// The European AQI, 0 to 100 and above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub european_aqi: Option<f64>,
    /// µg/m³.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pm2_5_ugm3: Option<f64>,
    /// µg/m³.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pm10_ugm3: Option<f64>,
    /// µg/m³.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no2_ugm3: Option<f64>,
    /// µg/m³.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub o3_ugm3: Option<f64>,
    /// µg/m³.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub so2_ugm3: Option<f64>,
    /// µg/m³.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co_ugm3: Option<f64>,
}

/// Flow on one road segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// km/h.
    pub current_speed_kmh: f64,
    /// km/h when nobody is in the way.
    pub free_flow_speed_kmh: f64,
    /// s over the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_travel_time_s: Option<f64>,
    /// s over the segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_flow_travel_time_s: Option<f64>,
    /// 0 to 1, as the source believes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Whether the segment is closed.
    #[serde(default)]
    pub road_closure: bool,
}

/// One hour of a region's demand; `ts` of the message is the beginning of the hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerDemand {
    /// EIA's respondent (`NYIS`).
    pub region: String,
    /// MWh in the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_mwh: Option<f64>,
    /// EIA's own day-ahead forecast of it, MWh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast_mwh: Option<f64>,
}

/// Why a [`GridAlert`] was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridAlertKind {
    /// Demand above EIA's own forecast by more than the margin.
    AboveForecast,
    /// Demand above the day's peak: the highest hour that EIA's forecast has for the same local day, and that demand has had in it
    /// so far.
    AbovePeak,
}

impl GridAlertKind {
    /// The word in `payload.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AboveForecast => "above_forecast",
            Self::AbovePeak => "above_peak",
        }
    }
}

/// Demand that is out of line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridAlert {
    /// Why.
    pub kind: GridAlertKind,
    /// EIA's respondent.
    pub region: String,
    /// MWh in the hour.
    pub demand_mwh: f64,
    /// What it is above, MWh.
    pub reference_mwh: f64,
    /// By how much, in percent of the reference.
    pub excess_pct: f64,
}

/// One 311 call; `ts` of the message is when it was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call311 {
    /// The call's own id (`unique_key`).
    pub call_id: String,
    /// `Noise - Street/Sidewalk`.
    pub complaint_type: String,
    /// In more words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<String>,
    /// `Open`, `Closed`, …, as the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Degrees, WGS 84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees, WGS 84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
}

impl Payload {
    /// The word in `payload.type`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Weather(_) => "weather",
            Self::Aqi(_) => "aqi",
            Self::Traffic(_) => "traffic",
            Self::PowerDemand(_) => "power_demand",
            Self::GridAlert(_) => "grid_alert",
            Self::Call311(_) => "call_311",
        }
    }

    /// The topic it travels in.
    pub const fn topic(&self) -> LiveTopic {
        match self {
            Self::Weather(_) | Self::Aqi(_) => LiveTopic::AqiStream,
            Self::Traffic(_) => LiveTopic::TrafficEvents,
            Self::PowerDemand(_) => LiveTopic::PowerDemand,
            Self::GridAlert(_) => LiveTopic::GridAlerts,
            Self::Call311(_) => LiveTopic::IncidentText,
        }
    }
}
