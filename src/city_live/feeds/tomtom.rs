//! Traffic from TomTom: the flow on the road that is nearest to the zone's centre,
//! `GET /traffic/services/4/flowSegmentData/absolute/10/json`,
//! <https://developer.tomtom.com/traffic-api/documentation/traffic-flow/flow-segment-data>. With a key.

use reqwest::Url;

use super::{
    Ask, Feed, FeedId, ReadError, Request,
    read::{Place, json},
    request::{degrees, endpoint, with_parameters},
};
use crate::{
    city_live::message::{Message, Payload, Traffic},
    config::{CityLiveConfig, ConfigError, Secret},
};

/// The feed `tomtom`.
pub struct TomTom {
    url: Url,
    key: Secret,
    source: String,
}

impl TomTom {
    /// As the settings have it; `None` without a key.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(config: &CityLiveConfig, simulated: bool) -> Result<Option<Self>, ConfigError> {
        let Some(key) = config.tomtom_api_key.clone() else { return Ok(None) };
        // Zoom 10 snaps to roads that matter beyond their block.
        let url = endpoint("TOMTOM_URL", &config.tomtom_url, "/traffic/services/4/flowSegmentData/absolute/10/json")?;
        Ok(Some(Self { url, key, source: FeedId::TomTom.source_of(simulated) }))
    }
}

impl Feed for TomTom {
    fn id(&self) -> FeedId {
        FeedId::TomTom
    }

    fn request(&self, ask: &Ask<'_>) -> Option<Request> {
        let centre = ask.zone?.centre;
        let point = format!("{},{}", degrees(centre.latitude), degrees(centre.longitude));
        let parameters = [("point", point.as_str()), ("unit", "KMPH"), ("key", self.key.expose())];
        Some(Request::keyed(with_parameters(&self.url, parameters), &self.key))
    }

    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError> {
        let reply = json(body)?;
        let flow = Place::root(&reply).at("flowSegmentData");
        let traffic = Traffic {
            current_speed_kmh: flow.at("currentSpeed").number()?,
            free_flow_speed_kmh: flow.at("freeFlowSpeed").number()?,
            current_travel_time_s: flow.at("currentTravelTime").optional_number()?,
            free_flow_travel_time_s: flow.at("freeFlowTravelTime").optional_number()?,
            confidence: flow.at("confidence").optional_number()?,
            road_closure: flow.at("roadClosure").is_there() && flow.at("roadClosure").flag()?,
        };
        // The reply says nothing of time: it is the flow of now.
        Ok(vec![ask.message(ask.now, &self.source, Payload::Traffic(traffic))])
    }
}
