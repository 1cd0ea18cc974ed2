//! 311 calls from an open-data portal that runs Socrata: `GET /resource/<data set>.json`, <https://dev.socrata.com/docs/queries/>.
//! A token is welcome and not needed.
//!
//! One call for each city, newest first; a call's zone is the one whose shape it lies in. Times are local to the city, which
//! the reply does not say. New York's data set is brought up to date once a day.

use jiff::{Timestamp, tz::TimeZone};
use reqwest::Url;

use super::{
    Ask, Feed, FeedId, ReadError, Request,
    read::{Place, json},
    request::{endpoint, with_parameters},
};
use crate::{
    city_live::{
        catalogue::LiveCity,
        clock::HOUR_MS,
        message::{Call311, Message, Payload},
    },
    config::{CityLiveConfig, ConfigError, Secret},
    twin::{geo::Position, time::Time},
};

const SELECT: &str = "unique_key,created_date,complaint_type,descriptor,status,latitude,longitude";

/// More calls than New York has had in any two days.
const LIMIT: usize = 40_000;
/// How far back it asks at first: the data set of a day ago has the day before.
const WINDOW_MS: i64 = 48 * HOUR_MS;
/// How far before the newest known call it asks again: some are written down late.
const OVERLAP_MS: i64 = 3 * HOUR_MS;

/// The feed `socrata`.
pub struct Socrata {
    base: String,
    token: Option<Secret>,
    source: String,
}

impl Socrata {
    /// As the settings have it.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(config: &CityLiveConfig, simulated: bool) -> Result<Self, ConfigError> {
        let base = config.socrata_url.clone();
        endpoint("SOCRATA_URL", &base, "/resource/")?;
        Ok(Self { base, token: config.socrata_app_token.clone(), source: FeedId::Socrata.source_of(simulated) })
    }

    fn url(&self, dataset: &str) -> Option<Url> {
        // The data set's id has only letters, digits, dots and dashes: the catalogue sees to that.
        endpoint("SOCRATA_URL", &self.base, &format!("/resource/{dataset}.json")).ok()
    }
}

impl Feed for Socrata {
    fn id(&self) -> FeedId {
        FeedId::Socrata
    }

    fn serves(&self, city: &LiveCity) -> bool {
        city.calls311.is_some()
    }

    fn request(&self, ask: &Ask<'_>) -> Option<Request> {
        let url = self.url(&ask.city.calls311.as_ref()?.dataset)?;
        let first = ask.now.0 - WINDOW_MS;
        let from = ask.since.map_or(first, |since| (since.0 - OVERLAP_MS).clamp(first, ask.now.0));
        // Whole hours, so that the same question is asked often enough to be answered with "nothing new".
        let from = Timestamp::from_millisecond(from - from.rem_euclid(HOUR_MS)).ok()?;
        let condition =
            format!("created_date >= '{}'", ask.city.clock().to_datetime(from).strftime("%Y-%m-%dT%H:%M:%S"));
        let limit = LIMIT.to_string();
        let parameters =
            [("$select", SELECT), ("$where", &condition), ("$order", "created_date DESC"), ("$limit", limit.as_str())];
        let header = self.token.clone().map(|token| ("X-App-Token", token));
        Some(Request { url: with_parameters(&url, parameters), header, secret: self.token.clone() })
    }

    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError> {
        let reply = json(body)?;
        let rows = Place::root(&reply).entries()?;
        let clock = ask.city.clock();
        // Oldest first, as they were made.
        let (mut messages, mut wrong) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows.iter().rev() {
            match self.call(row, ask, &clock) {
                Ok(message) => messages.push(message),
                Err(error) => wrong.push(error),
            }
        }
        match wrong.pop() {
            Some(error) if messages.is_empty() => return Err(error),
            // One odd row among thousands must not hide the others.
            Some(error) => tracing::warn!(rows = wrong.len() + 1, %error, "rows of 311 calls passed over"),
            None => {}
        }
        Ok(messages)
    }
}

impl Socrata {
    fn call(&self, row: &Place<'_>, ask: &Ask<'_>, clock: &TimeZone) -> Result<Message, ReadError> {
        let created = row.at("created_date");
        // In the hour that clocks go through twice, the first of both.
        let local = clock.to_ambiguous_zoned(created.local_time()?).compatible();
        let ts = local.map_err(|_| created.refuse("a time that can be told in UTC"))?.timestamp().as_millisecond();
        let latitude = row.at("latitude").optional_decimal()?;
        let longitude = row.at("longitude").optional_decimal()?;
        let position = latitude.zip(longitude).map(|(latitude, longitude)| Position { latitude, longitude });
        let zone = position.and_then(|position| ask.city.zone_at(position));
        let text = |field: &str| Ok(row.at(field).optional_text()?.map(str::to_owned));
        let call = Call311 {
            call_id: row.at("unique_key").text()?.to_owned(),
            complaint_type: row.at("complaint_type").text()?.to_owned(),
            descriptor: text("descriptor")?,
            status: text("status")?,
            latitude,
            longitude,
        };
        let zone_id = zone.map(|zone| zone.id.clone());
        Ok(Message { zone_id, ..ask.message(Time(ts), &self.source, Payload::Call311(call)) })
    }
}
