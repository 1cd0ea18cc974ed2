//! A remote service that computes what a model says: `POST` with the model's name and the window, back come the hours.
//!
//! ```json
//! {"model": "demand-linear", "version": "1", "series": [168 numbers], "hour": 0, "weekend": [false, false, false], "horizon": 48}
//! ```
//! Answer, status 200: `{"values": [48 numbers]}`, in the unit of the series.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    local::{Window, checked, scale},
    manifest::Manifest,
};

/// Failures on end after which it is left alone …
const FAILURES: u32 = 3;
/// … for this long; then one call tries again.
const REST: Duration = Duration::from_secs(60);
/// An answer is a few hundred numbers.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Where it is.
#[derive(Clone, Debug)]
pub struct RemoteSettings {
    /// `CITY_LIVE_MODEL_URL`.
    pub url: String,
    /// How long one call may take (`CITY_LIVE_MODEL_TIMEOUT`).
    pub timeout: Duration,
}

/// The service with its breaker.
#[derive(Debug)]
pub struct Remote {
    client: reqwest::Client,
    url: String,
    timeout: Duration,
    breaker: Mutex<Breaker>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Breaker {
    failures: u32,
    rests_until: Option<Instant>,
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    version: &'a str,
    series: &'a [f64],
    hour: usize,
    weekend: [bool; 3],
    horizon: usize,
}

#[derive(Deserialize)]
struct Answer {
    values: Vec<f64>,
}

impl Remote {
    /// Asks nobody yet.
    pub fn new(settings: &RemoteSettings) -> Self {
        Self {
            client: reqwest::Client::new(),
            url: settings.url.clone(),
            timeout: settings.timeout,
            breaker: Mutex::new(Breaker::default()),
        }
    }

    /// The hours that follow, or `None`: it failed (which is logged) or is left alone for a while after it failed.
    pub async fn predict(&self, manifest: &Manifest, window: &Window) -> Option<Vec<f64>> {
        if !self.may_try() {
            return None;
        }
        let asked = tokio::time::timeout(self.timeout, self.ask(manifest, window)).await;
        let answer = asked.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.timeout)));
        self.note(answer.is_ok());
        match answer {
            Ok(values) => Some(values),
            Err(message) => {
                tracing::warn!(
                    model = manifest.name,
                    error = message,
                    "the remote model failed, the local one is used"
                );
                None
            }
        }
    }

    async fn ask(&self, manifest: &Manifest, window: &Window) -> Result<Vec<f64>, String> {
        let mean = scale(window, manifest.input.length).map_err(|error| error.to_string())?;
        let question = Question {
            model: &manifest.name,
            version: &manifest.version,
            series: &window.values,
            hour: window.hour,
            weekend: window.weekend,
            horizon: manifest.output.horizon,
        };
        // The address may hold a password: errors are told without it.
        let told = |error: reqwest::Error| format!("{:#}", error.without_url());
        let mut response = self.client.post(&self.url).json(&question).send().await.map_err(told)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(format!("an answer of more than {LONGEST_ANSWER} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        if answer.values.len() != manifest.output.horizon {
            return Err(format!("{} values, {} are accepted", answer.values.len(), manifest.output.horizon));
        }
        checked(answer.values, mean).map_err(|error| error.to_string())
    }

    fn may_try(&self) -> bool {
        let mut breaker = self.breaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match breaker.rests_until {
            Some(until) if Instant::now() < until => false,
            // One call tries; the others wait for what becomes of it.
            Some(_) => {
                breaker.rests_until = Some(Instant::now() + REST);
                true
            }
            None => true,
        }
    }

    fn note(&self, worked: bool) {
        let mut breaker = self.breaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if worked {
            *breaker = Breaker::default();
            return;
        }
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= FAILURES {
            breaker.rests_until = Some(Instant::now() + REST);
        }
    }
}
