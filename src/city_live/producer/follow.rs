//! The current city of a server elsewhere: `GET /api/city/current`.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{
    city_live::{
        archive::Selection,
        feeds::{endpoint, is_loopback},
    },
    telemetry::Throttle,
    twin::time::Time,
};

/// How often the server is asked: somebody who chose a city waits for it.
const EVERY: Duration = Duration::from_secs(2);
/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is worth a line of the log that the server does not answer.
const LINE: Duration = Duration::from_secs(60);

/// What counts of the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Current {
    city_id: Option<String>,
    selected_at: Option<Time>,
}

/// Keeps `current` at what the server says until `stop`. While the server does not answer, the city stays the one that it said
/// last.
///
/// # Errors
/// Where `server` (`CITY_LIVE_SERVER`) makes no URL, or there is no TLS.
pub async fn follow(
    server: &str,
    current: watch::Sender<Option<Selection>>,
    stop: CancellationToken,
) -> Result<(), super::ProducerError> {
    let url: Url = endpoint("CITY_LIVE_SERVER", server, "/api/city/current")?;
    let builder = reqwest::Client::builder().timeout(TIMEOUT);
    let client = if is_loopback(&url) { builder.no_proxy() } else { builder }.build()?;
    let (started, mut lines) = (tokio::time::Instant::now(), Throttle::new(LINE));
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let answer = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            answer = ask(&client, &url) => answer,
        };
        match answer {
            Ok(selection) => {
                current.send_if_modified(|known| {
                    let is_new = *known != selection;
                    if is_new {
                        let city = selection.as_ref().map_or("none", |selection| selection.city_id.as_str());
                        tracing::info!(city, "current city");
                    }
                    *known = selection;
                    is_new
                });
            }
            Err(error) => {
                if let Some(swallowed) = lines.admit(started.elapsed()) {
                    tracing::warn!(server, error, swallowed, "the server does not tell its current city");
                }
            }
        }
    }
}

/// What the server says now; `None`: nobody has chosen a city yet.
async fn ask(client: &reqwest::Client, url: &Url) -> Result<Option<Selection>, String> {
    let told = |error: reqwest::Error| error.without_url().to_string();
    let answer = client.get(url.clone()).send().await.map_err(told)?;
    match answer.status() {
        StatusCode::OK => {
            let current: Option<Current> = answer.json().await.map_err(told)?;
            let Some(current) = current else { return Ok(None) };
            let selected_at = current.selected_at.unwrap_or_default();
            Ok(current.city_id.map(|city_id| Selection { city_id, selected_at }))
        }
        StatusCode::NOT_FOUND | StatusCode::NO_CONTENT => Ok(None),
        status => Err(format!("it answers {status}")),
    }
}
