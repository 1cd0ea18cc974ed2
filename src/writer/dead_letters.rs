//! What was refused goes to `twin.dead-letter`, as it came, with the reason.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use crate::{
    ingest::{Rejected, Rejects},
    kafka::{Cluster, KafkaError, Producer, Record, SendError, topics::DEAD_LETTER},
    telemetry::{self, OncePerSecond},
};

/// How many are on their way at once: enough to fill a request of librdkafka's, and bounded by what waits anyway.
const IN_FLIGHT: usize = 500;
/// What a value is first cut to where the topic does not take it: below the brokers' default of 1 MiB with its frame.
const FIRST_CUT: usize = 900 << 10;
/// Below this nothing more is cut: a topic that does not take it takes nothing.
const LAST_CUT: usize = 1 << 10;

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

/// Sends what is refused for as long as it is polled; dropping the future stops it. What was not acknowledged stays in
/// `rejects`, and holds its partition's stored offset back.
pub async fn send_dead_letters(mut letters: DeadLetters, rejects: Arc<Rejects>) {
    let log = OncePerSecond::new();
    let mut by_code: HashMap<&'static str, u64> = HashMap::new();
    loop {
        let batch = rejects.next(IN_FLIGHT).await;
        telemetry::dead_letters_waiting().set(rejects.waiting() as f64);
        let mut left = batch;
        while !left.is_empty() {
            let producer = &letters.producer;
            let sent: Vec<_> = stream::iter(left)
                .map(|rejected| async move {
                    let result = send(producer, &rejected).await;
                    (rejected, result)
                })
                .buffered(IN_FLIGHT)
                .collect()
                .await;
            left = Vec::new();
            for (rejected, result) in sent {
                match result {
                    Ok(()) => {
                        telemetry::dead_letters(rejected.why.code.name()).increment(1);
                        *by_code.entry(rejected.why.code.name()).or_default() += 1;
                        if log.admit().is_some() {
                            let total: u64 = by_code.values().sum();
                            let codes = serde_json::to_string(&by_code).unwrap_or_default();
                            tracing::warn!(
                                records = total,
                                codes,
                                topic = rejected.topic.name(),
                                error = %rejected.why.message,
                                "records refused"
                            );
                            by_code.clear();
                        }
                        rejects.acknowledge(&rejected);
                    }
                    // The producer is lost, or the topic takes nothing at all: another try, after a while.
                    Err(error) => {
                        if log.admit().is_some() {
                            tracing::error!(%error, "dead letter not acknowledged");
                        }
                        left.push(rejected);
                    }
                }
            }
            if !left.is_empty() {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                if let Ok(producer) = Producer::new(&letters.cluster, &letters.compression) {
                    letters.producer = producer;
                }
            }
        }
        telemetry::dead_letters_waiting().set(rejects.waiting() as f64);
    }
}

/// Sends one, cut where the topic cannot hold it.
async fn send(producer: &Producer, rejected: &Rejected) -> Result<(), SendError> {
    let whole = record(rejected, None);
    let mut refused = match producer.send_until_answered(&whole).await {
        Ok(_) => return Ok(()),
        Err(SendError::Refused(why)) => why,
        Err(error) => return Err(error),
    };
    let mut most = FIRST_CUT.min(rejected.value.as_ref().map_or(0, Bytes::len).saturating_sub(1));
    while most >= LAST_CUT {
        match producer.send_until_answered(&record(rejected, Some(most))).await {
            Ok(_) => return Ok(()),
            Err(SendError::Refused(why)) => refused = why,
            Err(error) => return Err(error),
        }
        most /= 2;
    }
    Err(SendError::Refused(refused))
}

fn record(rejected: &Rejected, cut: Option<usize>) -> Record {
    let header = |name: &str, value: String| (name.to_owned(), Bytes::from(value));
    let mut headers = vec![
        header("error-code", rejected.why.code.name().to_owned()),
        header("error", rejected.why.message.clone()),
        header("source-topic", rejected.topic.name().to_owned()),
        header("source-partition", rejected.partition.to_string()),
        header("source-offset", rejected.offset.to_string()),
        header("source-timestamp", rejected.timestamp.to_string()),
    ];
    let payload = match (&rejected.value, cut) {
        (Some(value), Some(most)) => {
            headers.push(header("truncated", value.len().to_string()));
            Some(value.slice(..most.min(value.len())))
        }
        (value, _) => value.clone(),
    };
    Record {
        topic: DEAD_LETTER.to_owned(),
        partition: Some(0),
        key: rejected.key.clone(),
        payload,
        headers,
        timestamp: None,
    }
}
