//! The one HTTP client: time-outs, retries, budgets, breakers, conditional requests, and a bound on what is read.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode, header, redirect};
use tokio::time::Instant;

use super::{
    Account, Ask, Breaker, BreakerState, Feed, FeedId, Ledger, ReadError, Request,
    cache::{Cache, Kept},
    request::is_loopback,
    retry::{backoff, retry_after},
};
use crate::{
    city_live::message::Message,
    telemetry::{self, CallOutcome},
};

/// The bounds of a call.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long one attempt may take, from the connection to the last byte.
    pub timeout: Duration,
    /// How often a call is attempted at most.
    pub attempts: u32,
    /// The first and the longest wait between attempts.
    pub backoff: (Duration, Duration),
    /// The longest that a call itself waits where the API asks it to; beyond that it ends, and the feed rests.
    pub patience: Duration,
    /// The largest body, after unpacking, in bytes.
    pub max_body: usize,
    /// What the cache holds at most, in bytes.
    pub cache: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            attempts: 3,
            backoff: (Duration::from_millis(500), Duration::from_secs(8)),
            patience: Duration::from_secs(10),
            // Two days of New York's 311 calls are 5 MB.
            max_body: 16 << 20,
            cache: 32 << 20,
        }
    }
}

/// What came of a call that went well.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// What the API says.
    pub messages: Vec<Message>,
    /// Whether it says that nothing has changed since it was asked before.
    pub unchanged: bool,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The API failed too often, or asked to be left alone: it was not called.
    #[error("not called: the API rests for {} s more", .0.as_secs())]
    Resting(Duration),
    /// The account's budget is spent: it was not called.
    #[error("not called: the budget of {} is spent for {} s more", account.name(), wait.as_secs())]
    OverBudget {
        /// Whose.
        account: Account,
        /// Until the next call may be made.
        wait: Duration,
    },
    /// 429, or 503 with `Retry-After`.
    #[error("it asks for fewer calls ({status}), and to wait {} s", wait.as_secs())]
    Throttled {
        /// 429 or 503.
        status: u16,
        /// As long as it says, else as long as we think fit.
        wait: Duration,
    },
    /// Another status than 200.
    #[error("it answers {status}{}", if said.is_empty() { String::new() } else { format!(": {said}") })]
    Status {
        /// Which.
        status: u16,
        /// The beginning of the body, without our key.
        said: String,
    },
    /// No whole answer in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The connection failed or broke off.
    #[error("the connection failed: {0}")]
    Broken(String),
    /// The body is larger than the bound.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    /// The body has not the form that was asked for.
    #[error("{0}")]
    Malformed(#[from] ReadError),
}

impl CallError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Resting(_) => CallOutcome::Resting,
            Self::OverBudget { .. } => CallOutcome::OverBudget,
            Self::Throttled { .. } => CallOutcome::Throttled,
            Self::Status { status, .. } if *status < 500 => CallOutcome::Refused,
            Self::Status { .. } => CallOutcome::Failed,
            Self::Timeout(_) => CallOutcome::Timeout,
            Self::Broken(_) => CallOutcome::Broken,
            Self::TooLarge(_) => CallOutcome::TooLarge,
            Self::Malformed(_) => CallOutcome::Malformed,
        }
    }

    /// Whether the same call may go well in a moment.
    fn is_passing(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Timeout(_) | Self::Broken(_) => true,
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            _ => false,
        }
    }

    /// Whether it speaks of the API and not of the one place that was asked about. 401 and 403 speak of the key.
    fn is_of_the_api(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status >= 500 || matches!(status, 401 | 403 | 408),
            Self::Throttled { .. } | Self::Timeout(_) | Self::Broken(_) | Self::TooLarge(_) | Self::Malformed(_) => {
                true
            }
            Self::Resting(_) | Self::OverBudget { .. } => false,
        }
    }

    /// How long there is no use in calling again, where that is known.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Resting(wait) | Self::OverBudget { wait, .. } | Self::Throttled { wait, .. } => Some(*wait),
            _ => None,
        }
    }
}

/// Calls APIs. One for all feeds of a process: it holds their budgets.
pub struct Client {
    /// For APIs elsewhere: with the proxy of the environment, where there is one.
    outside: reqwest::Client,
    /// For those on this machine.
    direct: reqwest::Client,
    limits: Limits,
    start: Instant,
    ledgers: Mutex<[Ledger; Account::ALL.len()]>,
    breakers: Mutex<[Breaker; FeedId::ALL.len()]>,
    cache: Mutex<Cache>,
}

impl Client {
    /// A client that has called nobody yet.
    ///
    /// # Errors
    /// Where TLS cannot be had.
    pub fn new(limits: Limits) -> Result<Self, reqwest::Error> {
        let build = || {
            reqwest::Client::builder()
                .user_agent(concat!("citytwin/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::custom(near))
                .connect_timeout(limits.timeout)
        };
        Ok(Self {
            outside: build().build()?,
            direct: build().no_proxy().build()?,
            start: Instant::now(),
            ledgers: Mutex::new(Account::ALL.map(|account| Ledger::new(account.budget()))),
            breakers: Mutex::new(std::array::from_fn(|_| Breaker::default())),
            cache: Mutex::new(Cache::new(limits.cache)),
            limits,
        })
    }

    /// How many calls this account allows now.
    pub fn room(&self, account: Account) -> u32 {
        locked(&self.ledgers)[account as usize].room(self.elapsed())
    }

    /// Forgets all replies, so that the next ones are read whole: for a city that was newly chosen.
    pub fn forget(&self) {
        *locked(&self.cache) = Cache::new(self.limits.cache);
    }

    /// Asks a feed's API. `None` where the feed has nothing to ask.
    ///
    /// # Errors
    /// After the last attempt, the last one's.
    pub async fn call(&self, feed: &dyn Feed, ask: &Ask<'_>) -> Option<Result<Called, CallError>> {
        let request = feed.request(ask)?;
        let id = feed.id();
        let result = match self.get(id, &request).await {
            Ok((body, unchanged)) => match feed.read(&body, ask) {
                Ok(messages) => {
                    self.judge(id, |breaker, _| breaker.succeeded());
                    let outcome = if unchanged { CallOutcome::Unchanged } else { CallOutcome::Ok };
                    telemetry::live_calls(id.name(), outcome).increment(1);
                    Ok(Called { messages, unchanged })
                }
                Err(error) => Err(self.failed(id, error.into())),
            },
            Err(error) => Err(error),
        };
        Some(result)
    }

    /// The body, and whether it is the one of before.
    async fn get(&self, id: FeedId, request: &Request) -> Result<(Bytes, bool), CallError> {
        let mut attempt = 1;
        let mut last = None;
        loop {
            if let Err(error) = self.admit(id).await {
                // Why the attempt before failed says more than that there is no other.
                return Err(last.unwrap_or(error));
            }
            let started = Instant::now();
            let result = match tokio::time::timeout(self.limits.timeout, self.attempt(request)).await {
                Ok(result) => result,
                Err(_) => Err(CallError::Timeout(self.limits.timeout)),
            };
            telemetry::live_call_seconds(id.name()).record(started.elapsed().as_secs_f64());
            let error = match result {
                Ok(answered) => return Ok(answered),
                Err(error) => self.failed(id, error),
            };
            let wait = match &error {
                CallError::Throttled { wait, .. } => *wait,
                _ => backoff(attempt, self.limits.backoff.0, self.limits.backoff.1, fastrand::f64()),
            };
            if !error.is_passing() || attempt >= self.limits.attempts || wait > self.limits.patience {
                return Err(error);
            }
            attempt += 1;
            last = Some(error);
            tokio::time::sleep(wait).await;
        }
    }

    /// Waits where the API asked for a short rest, and writes the call down.
    async fn admit(&self, id: FeedId) -> Result<(), CallError> {
        let deadline = Instant::now() + self.limits.patience;
        while let Err(wait) = self.judge(id, Breaker::admit) {
            if Instant::now() + wait > deadline {
                return Err(self.failed(id, CallError::Resting(wait)));
            }
            // Not all of those that wait at the same moment.
            tokio::time::sleep(wait + wait.mul_f64(fastrand::f64() / 4.0)).await;
        }
        let account = id.account();
        let now = self.elapsed();
        let wait = {
            let mut ledgers = locked(&self.ledgers);
            let ledger = &mut ledgers[account as usize];
            if ledger.take(now) {
                return Ok(());
            }
            ledger.wait(now)
        };
        Err(self.failed(id, CallError::OverBudget { account, wait }))
    }

    async fn attempt(&self, request: &Request) -> Result<(Bytes, bool), CallError> {
        let url = request.url.as_str();
        let http = if is_loopback(&request.url) { &self.direct } else { &self.outside };
        let mut sent = http.get(request.url.clone()).header(header::ACCEPT, "application/json");
        if let Some((name, value)) = &request.header {
            sent = sent.header(*name, value.expose());
        }
        let kept = locked(&self.cache).get(url).cloned();
        if let Some(etag) = kept.as_ref().and_then(|kept| kept.etag.as_deref()) {
            sent = sent.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(moment) = kept.as_ref().and_then(|kept| kept.last_modified.as_deref()) {
            sent = sent.header(header::IF_MODIFIED_SINCE, moment);
        }
        let response = sent.send().await.map_err(|error| broken(error, request))?;
        match (response.status(), kept) {
            (StatusCode::NOT_MODIFIED, Some(kept)) => Ok((kept.body, true)),
            (StatusCode::OK, _) => {
                let version =
                    |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
                let (etag, last_modified) = (version(header::ETAG), version(header::LAST_MODIFIED));
                let body = self.body(response, request).await?;
                locked(&self.cache).put(url, Kept { etag, last_modified, body: body.clone() });
                Ok((body, false))
            }
            _ => Err(self.refused(response, request).await),
        }
    }

    /// The body, up to the bound.
    async fn body(&self, mut response: Response, request: &Request) -> Result<Bytes, CallError> {
        let most = self.limits.max_body;
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(CallError::TooLarge(most));
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| broken(error, request))? {
            if body.len() + chunk.len() > most {
                return Err(CallError::TooLarge(most));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The error of a status that is not 200.
    async fn refused(&self, mut response: Response, request: &Request) -> CallError {
        /// What of the body is worth a log line.
        const SAID: usize = 200;
        let status = response.status();
        let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| retry_after(value, jiff::Timestamp::now().as_millisecond()));
        if status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::SERVICE_UNAVAILABLE && asked.is_some()) {
            let wait = asked.unwrap_or(self.limits.backoff.1);
            return CallError::Throttled { status: status.as_u16(), wait };
        }
        let chunk = response.chunk().await.ok().flatten().unwrap_or_default();
        let said: String = String::from_utf8_lossy(&chunk).chars().take(4 * SAID).collect();
        // First without the key, then cut: half a key would not be found.
        let said = request.masked(&said).split_whitespace().collect::<Vec<_>>().join(" ");
        CallError::Status { status: status.as_u16(), said: said.chars().take(SAID).collect() }
    }

    /// Counts an error, and tells the breaker of it.
    fn failed(&self, id: FeedId, error: CallError) -> CallError {
        telemetry::live_calls(id.name(), error.outcome()).increment(1);
        self.judge(id, |breaker, now| match &error {
            CallError::Throttled { wait, .. } => breaker.pause(now, *wait),
            error if error.is_of_the_api() => breaker.failed(now),
            _ => {}
        });
        error
    }

    fn judge<T>(&self, id: FeedId, with: impl FnOnce(&mut Breaker, Instant) -> T) -> T {
        let now = Instant::now();
        let mut breakers = locked(&self.breakers);
        let breaker = &mut breakers[id as usize];
        let given = with(breaker, now);
        telemetry::live_breaker(id.name()).set(match breaker.state(now) {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        });
        given
    }

    fn elapsed(&self) -> i64 {
        self.start.elapsed().as_millis() as i64
    }
}

/// Follows redirects within the API's own host: our key goes nowhere else.
fn near(attempt: redirect::Attempt<'_>) -> redirect::Action {
    const MOST: usize = 3;
    let from = attempt.previous().first().map(|url| (url.scheme().to_owned(), url.host_str().map(str::to_owned)));
    let to = Some((attempt.url().scheme().to_owned(), attempt.url().host_str().map(str::to_owned)));
    if from == to && attempt.previous().len() <= MOST { attempt.follow() } else { attempt.stop() }
}

/// An error of the connection, with its cause and without the URL, which may hold the key.
fn broken(error: reqwest::Error, request: &Request) -> CallError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    CallError::Broken(request.masked(&text))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
