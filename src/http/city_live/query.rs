//! The parameters of City Live's paths, each checked. One that is empty is as absent; unknown ones are ignored.

use axum::http::Uri;
use percent_encoding::percent_decode_str;

use super::refusal::Refusal;
use crate::{
    city_live::{archive::AlertStatus, feed_page, message::LiveTopic},
    twin::time::Time,
};

/// Entries of a list where `limit` is absent.
const USUAL_LIMIT: usize = 100;

/// The parameters of a request, decoded.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Those in the address. A `+` stays one: here it is the sign of a time zone that someone forgot to encode.
    pub fn of(uri: &Uri) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (!value.is_empty()).then(|| (decoded(name), decoded(value)))
        });
        Self(pairs.collect())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as `read` has it.
    fn read<T>(&self, name: &str, accepted: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| Refusal::parameter(name, text, accepted))
    }

    /// `true` or `false`; absent is false.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        let flag = self.read(name, "true, false", |text| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })?;
        Ok(flag.unwrap_or(false))
    }

    /// A topic by its name in Kafka.
    pub fn topic(&self, name: &str) -> Result<Option<LiveTopic>, Refusal> {
        self.read(name, &LiveTopic::ALL.map(LiveTopic::name).join(", "), LiveTopic::named)
    }

    /// A time with its zone.
    pub fn time(&self, name: &str) -> Result<Option<Time>, Refusal> {
        self.read(name, "an RFC 3339 time with its zone, such as 2026-01-05T00:00:00Z", Time::parse)
    }

    /// The `next` of the page before.
    pub fn cursor(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.read(name, "the `next` of a page", feed_page::parse_cursor)
    }

    /// How many entries at most.
    pub fn limit(&self, most: i32) -> Result<usize, Refusal> {
        let accepted = format!("a whole number from 1 to {most}");
        let limit = self.read("limit", &accepted, |text| {
            let limit = text.parse().ok()?;
            (1..=most).contains(&limit).then_some(limit as usize)
        })?;
        Ok(limit.unwrap_or(USUAL_LIMIT.min(most as usize)))
    }

    /// States of alerts, separated by commas; absent: those that are not cleared.
    pub fn alert_status(&self, name: &str) -> Result<Vec<AlertStatus>, Refusal> {
        let one = |text: &str| match text {
            "OPEN" => Some(AlertStatus::Open),
            "ACKNOWLEDGED" => Some(AlertStatus::Acknowledged),
            "CLEARED" => Some(AlertStatus::Cleared),
            _ => None,
        };
        let accepted = "one or more of OPEN, ACKNOWLEDGED, CLEARED, with commas between";
        let status = self.read(name, accepted, |text| text.split(',').map(one).collect())?;
        Ok(status.unwrap_or(vec![AlertStatus::Open, AlertStatus::Acknowledged]))
    }
}
