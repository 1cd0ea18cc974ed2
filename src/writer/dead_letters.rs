//! What was refused goes to `twin.dead-letter`, as it came, with the reason.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::{
    ingest::{Rejected, Rejects},
    kafka::{Cluster, KafkaError, Producer, Record, SendError, topics::DEAD_LETTER},
    telemetry,
    twin::event::Topic,
};

/// How many are on their way at once: enough to fill a request of librdkafka's, and bounded by what waits anyway.
const IN_FLIGHT: usize = 500;
/// What a value is first cut to where the topic does not take it: below the brokers' default of 1 MiB with its frame.
const FIRST_CUT: usize = 900 << 10;
/// Below this nothing more is cut: a topic that does not take it takes nothing.
const LAST_CUT: usize = 1 << 10;

/// One record that was refused, as it came, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The header `error-code`.
    pub code: &'static str,
    /// The header `error`: the field, its value and what is accepted.
    pub error: String,
    /// The topic that it came by.
    pub topic: &'static str,
    /// Its partition there.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The record's own time, in milliseconds.
    pub timestamp: i64,
    /// `None` is Kafka's null.
    pub key: Option<Bytes>,
    /// `None` is Kafka's null.
    pub value: Option<Bytes>,
}

impl From<&Rejected> for Letter {
    fn from(rejected: &Rejected) -> Self {
        Self {
            code: rejected.why.code.name(),
            error: rejected.why.message.clone(),
            topic: rejected.topic.name(),
            partition: rejected.partition,
            offset: rejected.offset,
            timestamp: rejected.timestamp,
            key: rejected.key.clone(),
            value: rejected.value.clone(),
        }
    }
}

/// Where dead letters go.
pub struct DeadLetters {
    cluster: Cluster,
    compression: String,
    producer: Producer,
}

impl DeadLetters {
    /// # Errors
    /// A property that librdkafka refuses.
    pub fn new(cluster: &Cluster, compression: &str) -> Result<Self, KafkaError> {
        let producer = Producer::new(cluster, compression)?;
        Ok(Self { cluster: cluster.clone(), compression: compression.to_owned(), producer })
    }
}

/// How often at most a log line tells what was refused.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before a topic that takes nothing, or a producer that is lost, is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Sends what is refused for as long as it is polled; dropping the future stops it. What was not acknowledged stays in
/// `rejects`, and holds its partition's stored offset back.
pub async fn send_dead_letters(mut letters: DeadLetters, rejects: Arc<Rejects>) {
    let mut report = Report::default();
    loop {
        // The last ones before a pause are told too.
        let left = tokio::select! {
            batch = rejects.next(IN_FLIGHT) => batch,
            () = tokio::time::sleep_until(report.due()), if report.has_news() => {
                report.say();
                continue;
            }
        };
        telemetry::dead_letters_waiting().set(rejects.waiting() as f64);
        letters.send_all(left, &rejects, &mut report).await;
        telemetry::dead_letters_waiting().set(rejects.waiting() as f64);
    }
}

impl DeadLetters {
    /// Sends these for as long as it takes, and returns when the broker has all of them. `failed` is told what went wrong on the way.
    pub async fn deliver(&mut self, letters: Vec<Letter>, mut failed: impl FnMut(&SendError)) {
        let mut left = letters;
        while !left.is_empty() {
            let sent = self.try_all(left, Letter::clone).await;
            left = Vec::new();
            for (letter, result) in sent {
                match result {
                    Ok(()) => telemetry::dead_letters(letter.code).increment(1),
                    Err(error) => {
                        failed(&error);
                        left.push(letter);
                    }
                }
            }
            if !left.is_empty() {
                self.renew_later().await;
            }
        }
    }

    /// Sends all of these, for as long as it takes.
    async fn send_all(&mut self, mut left: Vec<Rejected>, rejects: &Rejects, report: &mut Report) {
        while !left.is_empty() {
            let sent = self.try_all(left, |rejected| Letter::from(rejected)).await;
            left = Vec::new();
            for (rejected, result) in sent {
                match result {
                    Ok(()) => {
                        telemetry::dead_letters(rejected.why.code.name()).increment(1);
                        rejects.acknowledge(&rejected);
                        report.acknowledged(&rejected);
                    }
                    // The producer is lost, or the topic takes nothing at all: another try, after a while.
                    Err(error) => {
                        report.failed(&error);
                        left.push(rejected);
                    }
                }
                report.say_if_due();
            }
            if !left.is_empty() {
                self.renew_later().await;
                report.say_if_due();
            }
        }
    }

    /// Tries each once, and those that are refused alone and cut as well.
    async fn try_all<T>(&self, items: Vec<T>, letter: impl Fn(&T) -> Letter) -> Vec<(T, Result<(), SendError>)> {
        let (producer, letter) = (&self.producer, &letter);
        let mut sent: Vec<_> = stream::iter(items)
            .map(|item| async move {
                let result = producer.send_until_answered(&record(&letter(&item), None)).await;
                (item, result.map(drop))
            })
            .buffered(IN_FLIGHT)
            .collect()
            .await;
        let mut takes_nothing = false;
        for (item, result) in &mut sent {
            // A broker refuses a whole batch of records because of their sum. So each is tried alone before it is cut.
            if let Err(SendError::Refused(_)) = result
                && !takes_nothing
            {
                *result = send_alone(&self.producer, &letter(item)).await;
                takes_nothing = matches!(result, Err(SendError::Refused(_)));
            }
        }
        sent
    }

    /// Another producer, after a while.
    async fn renew_later(&mut self) {
        tokio::time::sleep(RETRY).await;
        if let Ok(producer) = Producer::new(&self.cluster, &self.compression) {
            self.producer = producer;
        }
    }
}

/// What was refused since the last log line, of which there is one a second at most.
#[derive(Default)]
struct Report {
    said: Option<Instant>,
    by_code: BTreeMap<&'static str, u64>,
    /// One of them: the newest.
    example: Option<(Topic, String)>,
    error: Option<String>,
}

impl Report {
    fn acknowledged(&mut self, rejected: &Rejected) {
        *self.by_code.entry(rejected.why.code.name()).or_default() += 1;
        self.example = Some((rejected.topic, rejected.why.message.clone()));
    }

    fn failed(&mut self, error: &SendError) {
        self.error = Some(error.to_string());
    }

    fn has_news(&self) -> bool {
        self.error.is_some() || !self.by_code.is_empty()
    }

    /// When the next line may come.
    fn due(&self) -> Instant {
        self.said.map_or_else(Instant::now, |said| said + SAY_EVERY)
    }

    fn say_if_due(&mut self) {
        if self.has_news() && Instant::now() >= self.due() {
            self.say();
        }
    }

    fn say(&mut self) {
        self.said = Some(Instant::now());
        if let Some(error) = self.error.take() {
            tracing::error!(error, "dead letters not acknowledged, trying again");
        }
        if let Some((topic, error)) = self.example.take() {
            let records: u64 = self.by_code.values().sum();
            let codes: Vec<String> = self.by_code.iter().map(|(code, count)| format!("{code}={count}")).collect();
            tracing::warn!(records, codes = codes.join(" "), topic = topic.name(), error, "records refused");
            self.by_code.clear();
        }
    }
}

/// Sends one by itself, cut where the topic cannot hold it.
async fn send_alone(producer: &Producer, letter: &Letter) -> Result<(), SendError> {
    let mut most = None;
    loop {
        match producer.send_until_answered(&record(letter, most)).await {
            Ok(_) => return Ok(()),
            Err(SendError::Refused(why)) => {
                let size = letter.key.as_ref().map_or(0, Bytes::len).max(letter.value.as_ref().map_or(0, Bytes::len));
                let next = most.map_or(FIRST_CUT.min(size.saturating_sub(1)), |most| most / 2);
                if next < LAST_CUT {
                    return Err(SendError::Refused(why));
                }
                most = Some(next);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The dead letter, with a key and a value of at most `cut` bytes each.
fn record(letter: &Letter, cut: Option<usize>) -> Record {
    let header = |name: &str, value: String| (name.to_owned(), Bytes::from(value));
    let mut headers = vec![
        header("error-code", letter.code.to_owned()),
        header("error", letter.error.clone()),
        header("source-topic", letter.topic.to_owned()),
        header("source-partition", letter.partition.to_string()),
        header("source-offset", letter.offset.to_string()),
        header("source-timestamp", letter.timestamp.to_string()),
    ];
    let mut part = |whole: &Option<Bytes>, name: &str| match (whole, cut) {
        (Some(bytes), Some(most)) if bytes.len() > most => {
            headers.push(header(name, bytes.len().to_string()));
            Some(bytes.slice(..most))
        }
        _ => whole.clone(),
    };
    let payload = part(&letter.value, "truncated");
    let key = part(&letter.key, "truncated-key");
    Record { topic: DEAD_LETTER.to_owned(), partition: Some(0), key, payload, headers, timestamp: None }
}
