//! Where City Live keeps what it knows: MongoDB, or one SQLite file (`embedded`). One suite runs over both.
//!
//! Documents have the original's field names (`city_id`, `zone_id`, `ts`, `payload`). All times are UTC.
//!
//! # Who writes
//!
//! Of several instances one runs City Live: it holds a lease here, and what it writes it writes under the lease's token. Choosing
//! a city and acknowledging an alert any instance may do. Readers on every instance look at [`Archive::revision`], which changes
//! *after* anything else has changed: whoever sees a new revision finds what it stands for.

use std::{collections::BTreeMap, time::Duration};

mod embedded;
mod mongo;
mod open;
mod shape;
#[cfg(test)]
mod suite;

pub use embedded::EmbeddedArchive;
pub use mongo::MongoArchive;
pub use open::open;
use shape::{merge_acknowledgement, zone_documents};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    catalogue::LiveCity,
    features::Features,
    message::{LiveTopic, Payload},
};
use crate::twin::time::Time;

/// One message as it came: a row of `kafka_live_feed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    /// Ascending in the order of taking in, without gaps that matter: what a subscriber has seen, and a page's cursor.
    pub seq: i64,
    /// What it is told apart by: topic, `payload.type`, source, city, zone, `ts`, and a 311 call's own id. Unique.
    pub key: String,
    /// The Kafka topic.
    pub topic: String,
    /// When it was measured.
    pub ts: Time,
    /// When it was taken in.
    pub ingested_at: Time,
    /// Who says so.
    pub source: String,
    /// What was measured.
    pub payload: Payload,
    /// The city.
    pub city_id: String,
    /// The zone; `None`: the whole city.
    pub zone_id: Option<String>,
}

/// The collections that hold the latest value of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RawKind {
    /// `raw_weather`.
    Weather,
    /// `raw_aqi`.
    Aqi,
    /// `raw_traffic`.
    Traffic,
    /// `raw_power_demand`.
    PowerDemand,
    /// `raw_grid_alerts`.
    GridAlert,
}

impl RawKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Weather, Self::Aqi, Self::Traffic, Self::PowerDemand, Self::GridAlert];

    /// The name of its collection.
    pub const fn collection(self) -> &'static str {
        match self {
            Self::Weather => "raw_weather",
            Self::Aqi => "raw_aqi",
            Self::Traffic => "raw_traffic",
            Self::PowerDemand => "raw_power_demand",
            Self::GridAlert => "raw_grid_alerts",
        }
    }

    /// Where a payload goes; `None`: a 311 call, which goes to `raw_311`.
    pub const fn of(payload: &Payload) -> Option<Self> {
        match payload {
            Payload::Weather(_) => Some(Self::Weather),
            Payload::Aqi(_) => Some(Self::Aqi),
            Payload::Traffic(_) => Some(Self::Traffic),
            Payload::PowerDemand(_) => Some(Self::PowerDemand),
            Payload::GridAlert(_) => Some(Self::GridAlert),
            Payload::Call311(_) => None,
        }
    }
}

/// The latest value of one kind in one zone: the greatest `ts` holds, of the same `ts` the one that came later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawValue {
    /// The city.
    pub city_id: String,
    /// The zone; `None`: the whole city.
    pub zone_id: Option<String>,
    /// When it was measured.
    pub ts: Time,
    /// Who says so.
    pub source: String,
    /// When it was taken in.
    pub ingested_at: Time,
    /// What was measured.
    pub payload: Payload,
}

/// A zone's 311 calls of the last 24 h: a document of `raw_311`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Raw311 {
    /// The city.
    pub city_id: String,
    /// The zone; `None`: calls that lie in no zone.
    pub zone_id: Option<String>,
    /// When the newest of them was made.
    pub ts: Time,
    /// Who says so.
    pub source: String,
    /// How many by complaint type.
    pub by_type: BTreeMap<String, u32>,
    /// Newest first, each call once (the latest word on it); none older than 24 h at the time of writing.
    pub calls: Vec<CallEntry>,
}

/// One call of [`Raw311`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallEntry {
    /// When it was made.
    pub ts: Time,
    /// The call.
    #[serde(flatten)]
    pub call: super::message::Call311,
}

/// How far a partition of a City Live topic was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOffset {
    /// The Kafka cluster that the offset belongs to.
    pub cluster: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
}

/// What one batch of messages writes. Feed rows and offsets land such that a repetition after a lost answer changes nothing:
/// rows by their `key`, raw values by (city, zone) with event-time order, offsets last.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    /// Rows of `kafka_live_feed`; those whose key is there already are left as they are. Their `seq` is set by the archive's caller.
    pub items: Vec<FeedItem>,
    /// Upserts of `raw_*`.
    pub raw: Vec<RawValue>,
    /// Upserts of `raw_311`, whole documents.
    pub calls: Vec<Raw311>,
    /// What is too old for the feed and of use as history: each value over the one of its name in that hour of `features_hourly`.
    pub hours: Vec<FeatureHour>,
    /// Written last.
    pub offsets: Vec<StoredOffset>,
}

impl Intake {
    /// Whether it brings nothing that readers see: offsets alone are nothing.
    fn is_silent(&self) -> bool {
        self.items.is_empty() && self.raw.is_empty() && self.calls.is_empty() && self.hours.is_empty()
    }

    /// The greatest `seq` of its rows; `None`: it has none.
    fn last_seq(&self) -> Option<i64> {
        self.items.iter().map(|item| item.seq).max()
    }
}

/// The features of one zone in one hour: a document of `features_hourly`, by (`city_id`, `zone_id`, `hour`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureHour {
    /// The city.
    pub city_id: String,
    /// The zone; `None`: the whole city.
    pub zone_id: Option<String>,
    /// The beginning of the hour.
    pub hour: Time,
    /// Each with its unit in its name (`temperature_c`, `us_aqi`, `congestion_ratio`, `demand_mwh`, `calls_311`): the latest of the hour.
    pub values: Features,
}

/// How fresh an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Freshness {
    /// Young enough for its kind.
    Fresh,
    /// Older than its kind allows; still used, and said so.
    Stale,
    /// Never seen.
    Missing,
}

/// One input's age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputFreshness {
    /// `weather`, `aqi`, `traffic`, `power`, `calls311`.
    pub input: String,
    /// Its state.
    pub state: Freshness,
    /// When it was measured.
    pub ts: Option<Time>,
    /// Seconds before the processing.
    pub age_s: Option<i64>,
    /// Beyond which it is stale, seconds.
    pub limit_s: i64,
}

/// One hour of a forecast, MWh.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastHour {
    /// The beginning of the hour.
    pub ts: Time,
    /// The value.
    pub value: f64,
    /// The lower end of the band.
    pub low: f64,
    /// The upper end of the band.
    pub high: f64,
}

/// A zone's demand in the next hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The model that made it (`heuristic`, or a manifest's name).
    pub model: String,
    /// The next 24 hours, ascending. MWh.
    pub hours: Vec<ForecastHour>,
    /// Why, with the numbers.
    pub reason: String,
}

/// What is unusual in a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Which feature.
    pub feature: String,
    /// Its value now.
    pub value: f64,
    /// The mean of the zone's own history.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// (value - mean) / deviation.
    pub z: f64,
    /// Out of how many samples.
    pub samples: u32,
    /// Whether |z| reaches the threshold.
    pub anomalous: bool,
}

/// One part of a risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskPart {
    /// `weather`, `air`, `traffic`, `power`, `calls311`.
    pub name: String,
    /// 0 to 100 by itself.
    pub score: f64,
    /// Its weight among the parts that are known: they add up to 1.
    pub weight: f64,
    /// Why, with the numbers.
    pub reason: String,
}

/// A zone's risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// 0 to 100: the weighted mean of its parts.
    pub score: f64,
    /// `low`, `moderate`, `high`, `severe`; `unknown` where there is nothing to judge by.
    pub level: String,
    /// Those with something to go by.
    pub parts: Vec<RiskPart>,
}

/// Advice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Stable name of the rule that gave it.
    pub rule: String,
    /// 1 is the most urgent.
    pub priority: u32,
    /// What to do.
    pub text: String,
    /// Why, with the numbers.
    pub reason: String,
}

/// What a processing run made of a zone: a document of `processed_zone_data`, by (`city_id`, `zone_id`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessedZone {
    /// The city.
    pub city_id: String,
    /// The zone.
    pub zone_id: String,
    /// For people.
    pub name: String,
    /// The run that made it.
    pub run_id: String,
    /// When.
    pub processed_at: Time,
    /// The features it was made of.
    pub features: Features,
    /// `None`: nothing to forecast from.
    pub forecast: Option<Forecast>,
    /// Features with enough history, anomalous or not.
    pub anomalies: Vec<Anomaly>,
    /// The risk.
    pub risk: Risk,
    /// Most urgent first.
    pub recommendations: Vec<Recommendation>,
    /// Of each input.
    pub freshness: Vec<InputFreshness>,
    /// Whether any input is simulated.
    pub simulated: bool,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AlertStatus {
    /// The condition holds.
    Open,
    /// Somebody has seen it; the condition holds.
    Acknowledged,
    /// The condition holds no longer.
    Cleared,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// To know.
    Info,
    /// To watch.
    Warning,
    /// To act on.
    Critical,
}

/// A document of `alerts`. Of one (city, zone, rule) at most one is not cleared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Unique; made of city, zone, rule and `raised_at`, so that a repeated run makes the same.
    pub alert_id: String,
    /// The city.
    pub city_id: String,
    /// The zone; `None`: the whole city.
    pub zone_id: Option<String>,
    /// The rule that raised it.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// Where it is in its life.
    pub status: AlertStatus,
    /// What is wrong, with the numbers.
    pub reason: String,
    /// When the condition began to hold.
    pub raised_at: Time,
    /// When it was last found to hold, or changed.
    pub updated_at: Time,
    /// When somebody saw it.
    pub acknowledged_at: Option<Time>,
    /// When the condition ended.
    pub cleared_at: Option<Time>,
}

/// A model's output for a zone: a document of `model_outputs`, by (`city_id`, `zone_id`, `model`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelOutput {
    /// The city.
    pub city_id: String,
    /// The zone.
    pub zone_id: String,
    /// The manifest's name; `heuristic`.
    pub model: String,
    /// The manifest's version.
    pub version: String,
    /// When it was made.
    pub ts: Time,
    /// What it is in (`MWh`).
    pub unit: String,
    /// What it says.
    pub hours: Vec<ForecastHour>,
    /// Where it ran: `local`, `remote`.
    pub ran: String,
    /// Its error on this city's own history: mean absolute error relative to the mean, where there is enough of it.
    pub error: Option<f64>,
    /// Of how many hours that error is.
    pub error_hours: u32,
    /// Whether it is the one whose forecast counts in this city.
    pub chosen: bool,
    /// Why there is no output, where there is none.
    pub problem: Option<String>,
}

/// What one processing run writes.
#[derive(Clone, Debug, Default)]
pub struct Processed {
    /// The city.
    pub city_id: String,
    /// All of its zones.
    pub zones: Vec<ProcessedZone>,
    /// Of this hour.
    pub features: Vec<FeatureHour>,
    /// Upserts by `alert_id`. An acknowledgement that came meanwhile is kept by the archive.
    pub alerts: Vec<Alert>,
    /// Upserts.
    pub outputs: Vec<ModelOutput>,
}

/// A document of `risk_scores` as a chart wants it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskScore {
    /// The city.
    pub city_id: String,
    /// The zone.
    pub zone_id: String,
    /// The run's time.
    pub ts: Time,
    /// 0 to 100.
    pub score: f64,
    /// By part, 0 to 100.
    pub parts: BTreeMap<String, f64>,
}

/// Which city was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The city.
    pub city_id: String,
    /// When.
    pub selected_at: Time,
}

/// Which rows of the feed. Newest first.
#[derive(Clone, Debug, Default)]
pub struct FeedQuery {
    /// Of this city.
    pub city_id: Option<String>,
    /// Of this topic.
    pub topic: Option<LiveTopic>,
    /// Of this zone.
    pub zone_id: Option<String>,
    /// With `ts` at or after.
    pub since: Option<Time>,
    /// With `seq` below (the cursor of the page before).
    pub before: Option<i64>,
    /// With `seq` above (what a subscriber has seen).
    pub after: Option<i64>,
    /// At most.
    pub limit: usize,
}

/// Which alerts.
#[derive(Clone, Debug, Default)]
pub struct AlertQuery {
    /// Of this city.
    pub city_id: String,
    /// Of this zone.
    pub zone_id: Option<String>,
    /// In one of these states; empty: all.
    pub status: Vec<AlertStatus>,
    /// At most. Newest first.
    pub limit: usize,
}

/// Who may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The asker, under this token.
    Held {
        /// What it writes under. Greater with each new holder.
        token: i64,
    },
    /// Somebody else.
    Other,
}

/// Why an archive did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It could not be reached, or its answer was lost. Worth a retry.
    #[error("{archive} cannot be reached: {message}")]
    Unavailable {
        /// Which archive.
        archive: &'static str,
        /// What went wrong.
        message: String,
    },
    /// A newer holder has the lease: nothing must be tried again.
    #[error("another instance runs City Live now")]
    Fenced,
    /// What it holds is not ours to read.
    #[error("{collection}: {message}")]
    Foreign {
        /// The collection.
        collection: String,
        /// What is wrong with it.
        message: String,
    },
    /// A setting is wrong (only from `open`).
    #[error("{setting}: {message}")]
    Setting {
        /// Its name in the environment.
        setting: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// Short for the results of an archive.
pub type Result<T, E = ArchiveError> = std::result::Result<T, E>;

/// Where City Live keeps what it knows. Every call answers within a bound (5 s; `expire` 60 s).
///
/// All calls may end with [`ArchiveError::Unavailable`]; those with a token also with [`ArchiveError::Fenced`].
#[async_trait::async_trait]
pub trait Archive: Send + Sync {
    /// Takes (`token: None`) or renews the lease.
    async fn lease(&self, holder: &str, ttl: Duration, token: Option<i64>) -> Result<Lease>;
    /// Gives the lease back, if it is still ours.
    async fn release(&self, holder: &str, token: i64) -> Result<()>;

    /// Changes after anything that readers see has changed. Any number; only equality means something.
    async fn revision(&self) -> Result<i64>;
    /// The greatest `seq` that the feed ever had, also where that row has expired; 0: none.
    async fn last_seq(&self) -> Result<i64>;
    /// How far each partition was taken in.
    async fn offsets(&self) -> Result<Vec<StoredOffset>>;

    /// Writes a city's zones to `zones` in place of those it had.
    async fn put_zones(&self, token: i64, city: &LiveCity) -> Result<()>;
    /// The chosen city.
    async fn selection(&self) -> Result<Option<Selection>>;
    /// Chooses a city.
    async fn select(&self, selection: &Selection) -> Result<()>;

    /// Writes a batch: see [`Intake`].
    async fn take_in(&self, token: i64, intake: &Intake) -> Result<()>;
    /// Which of these feed keys are there already.
    async fn known(&self, keys: &[String]) -> Result<Vec<String>>;
    /// The latest values of all zones of a city, of one kind.
    async fn raw(&self, city_id: &str, kind: RawKind) -> Result<Vec<RawValue>>;
    /// The 311 calls of all zones of a city.
    async fn calls(&self, city_id: &str) -> Result<Vec<Raw311>>;
    /// A page of the feed, newest first (with `after`: oldest first).
    async fn feed(&self, query: &FeedQuery) -> Result<Vec<FeedItem>>;

    /// Writes a run: see [`Processed`]; `risk_scores` are made of its zones.
    async fn put_processed(&self, token: i64, processed: &Processed) -> Result<()>;
    /// All processed zones of a city, in the order of their ids.
    async fn processed(&self, city_id: &str) -> Result<Vec<ProcessedZone>>;
    /// Alerts.
    async fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>>;
    /// Acknowledges an open alert; `None`: there is none of this id. One that is acknowledged or cleared stays as it is.
    async fn acknowledge(&self, alert_id: &str, at: Time) -> Result<Option<Alert>>;
    /// Outputs of a city's models.
    async fn outputs(&self, city_id: &str, zone_id: Option<&str>) -> Result<Vec<ModelOutput>>;
    /// Hourly features of a city (of one zone, or of all: first the city itself, then zone by zone), each ascending, from `since` on.
    async fn features(&self, city_id: &str, zone_id: Option<&str>, since: Time) -> Result<Vec<FeatureHour>>;
    /// Risk scores of a zone, ascending, from `since` on.
    async fn risk_scores(&self, city_id: &str, zone_id: &str, since: Time) -> Result<Vec<RiskScore>>;

    /// Drops feed rows taken in before `feed`, and hourly features, risk scores and cleared alerts before `history`. How many.
    async fn expire(&self, token: i64, feed: Time, history: Time) -> Result<u64>;
}

/// JSON for a document that has no type here (`zones`).
pub type Document = serde_json::Map<String, Value>;
