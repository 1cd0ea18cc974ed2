//! The feed: the messages as they came in.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::{
    source::{is_simulated, running},
    zone::{LiveZone, global_id},
};
use crate::{
    city_live::{archive::FeedItem, feed_page::cursor, message},
    graphql::{
        connection::PageInfo,
        error::coded,
        scalar::{DateTime, Json},
    },
};

/// The topics of City Live, in capitals.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "message::LiveTopic")]
pub enum LiveTopic {
    /// `aqi_stream`: weather and air quality.
    AqiStream,
    /// `power_demand`: a region's demand by the hour.
    PowerDemand,
    /// `traffic_events`: the traffic nearest to each zone's centre.
    TrafficEvents,
    /// `grid_alerts`: power demand that is out of line.
    GridAlerts,
    /// `incident_text`: 311 calls.
    IncidentText,
}

/// A message as it came in.
pub struct LiveFeedItem(pub FeedItem);

/// A message as it came in: one reading of one source about one zone, or about the whole city.
#[Object]
impl LiveFeedItem {
    /// `live-message/<n>`, where n grows in the order of taking in.
    async fn id(&self) -> ID {
        global_id("live-message", &[&self.0.seq.to_string()])
    }

    /// The topic it came by.
    async fn topic(&self) -> Result<LiveTopic> {
        let topic = message::LiveTopic::named(&self.0.topic);
        let known = topic.ok_or_else(|| coded("INTERNAL_SERVER_ERROR", format!("a message of {:?}", self.0.topic)))?;
        Ok(known.into())
    }

    /// What it is: `weather`, `aqi`, `traffic`, `power_demand`, `grid_alert` or `call_311`.
    #[graphql(name = "type")]
    async fn kind(&self) -> &'static str {
        self.0.payload.kind()
    }

    /// When it was measured.
    async fn ts(&self) -> DateTime {
        DateTime(self.0.ts)
    }

    /// When it was taken in.
    async fn ingested_at(&self) -> DateTime {
        DateTime(self.0.ingested_at)
    }

    /// Who says so: `open-meteo`, `openweather`, `tomtom`, `eia`, `socrata`; simulated ones end with `-simulated`.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether it is simulated.
    async fn simulated(&self) -> bool {
        is_simulated(&self.0.source)
    }

    /// What was measured: an object whose names tell the units, such as `{"type": "weather", "temperature_c": 3.5}`.
    async fn payload(&self) -> Result<Json> {
        let json = serde_json::to_vec(&self.0.payload);
        Ok(Json::ready(&json.map_err(|error| coded("INTERNAL_SERVER_ERROR", error.to_string()))?))
    }

    /// The `cityId` of its city.
    async fn city_id(&self) -> &str {
        &self.0.city_id
    }

    /// The `zoneId` of its zone; null: the whole city.
    async fn zone_id(&self) -> Option<&str> {
        self.0.zone_id.as_deref()
    }

    /// Its zone; null for the whole city, and where the catalogue no longer has the zone.
    async fn zone(&self, ctx: &Context<'_>) -> Result<Option<LiveZone>> {
        LiveZone::find(running(ctx), &self.0.city_id, self.0.zone_id.as_deref()).await
    }
}

/// A page of the feed, newest first, in the form of Relay's connections.
pub struct LiveFeedConnection {
    pub items: Vec<LiveFeedItem>,
    /// Whether there are older ones.
    pub more: bool,
    /// Whether it began behind a cursor.
    pub behind: bool,
}

/// A page of the feed, in the form of Relay's connections. The newest message comes first, in the order of taking in.
#[Object]
impl LiveFeedConnection {
    /// The messages of this page, each with its cursor.
    async fn edges(&self) -> Vec<LiveFeedEdge<'_>> {
        self.items.iter().map(LiveFeedEdge).collect()
    }

    /// The messages of this page without their cursors.
    async fn nodes(&self) -> &[LiveFeedItem] {
        &self.items
    }

    /// How to get the page after this one.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.more,
            has_previous_page: self.behind,
            start_cursor: self.items.first().map(|item| cursor(item.0.seq)),
            end_cursor: self.items.last().map(|item| cursor(item.0.seq)),
        }
    }
}

/// A message with its cursor.
pub struct LiveFeedEdge<'a>(&'a LiveFeedItem);

/// A message with its cursor.
#[Object]
impl LiveFeedEdge<'_> {
    /// Where the message stands in the feed, opaque: given as `after`, the list goes on with what was taken in before it, even
    /// when the message itself is gone by then.
    async fn cursor(&self) -> String {
        cursor(self.0.0.seq)
    }

    /// The message itself.
    async fn node(&self) -> &LiveFeedItem {
        self.0
    }
}
