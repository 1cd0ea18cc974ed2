//! Sending records: each is answered, and what the broker has not answered is sent again unchanged.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rdkafka::{
    ClientContext, Message, Statistics,
    client::Client,
    config::RDKafkaLogLevel,
    error::{KafkaError as RdError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};
use tokio::sync::oneshot;

use super::{
    Cluster, KafkaError,
    client::{REQUEST_TIMEOUT, Tracing},
    error::describe,
};

/// A record to send. A key or a value that is `None` is Kafka's null, which is not the same as an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The topic's name.
    pub topic: String,
    /// `None`: by the hash of the key, as Java's clients and kafkajs do.
    pub partition: Option<i32>,
    /// `None` is null.
    pub key: Option<Bytes>,
    /// `None` is null: a tombstone.
    pub payload: Option<Bytes>,
    /// In this order.
    pub headers: Vec<(String, Bytes)>,
    /// Milliseconds; `None` is the time of sending.
    pub timestamp: Option<i64>,
}

/// Where the broker keeps the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The partition that the key led to.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// Why a record has not been acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be in the topic or not: send it again, unchanged.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// It is not in the topic and never will be as it is (too large, invalid).
    #[error("refused for good: {0}")]
    Refused(String),
    /// This producer can send nothing more (its idempotence is lost, or it was fenced): make a new one. The record's
    /// outcome is unknown.
    #[error("producer is lost: {0}")]
    Fatal(String),
}

/// An idempotent producer. Cheap to clone; the last clone to go ends its polling thread.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<ThreadedProducer<Deliveries>>,
}

/// Who wants to know how a record fared.
pub(crate) enum Answer {
    /// One sender waits for this one record.
    One(oneshot::Sender<Result<Acked, SendError>>),
    /// A bulk load counts.
    Tally(Arc<dyn Fn(Result<Acked, SendError>) + Send + Sync>),
}

/// How long a sender waits before it looks again whether the full queue has room.
const QUEUE_FULL_WAIT: Duration = Duration::from_millis(5);
/// The first and the longest pause before a record of unknown outcome is sent again.
const RESEND_WAIT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

impl Producer {
    /// A producer with [`Cluster::producer_config`].
    pub fn new(cluster: &Cluster, compression: &str) -> Result<Self, KafkaError> {
        Self::with_config(&cluster.producer_config(compression))
    }

    pub(crate) fn with_config(config: &rdkafka::ClientConfig) -> Result<Self, KafkaError> {
        let inner =
            config.create_with_context(Deliveries).map_err(|error| KafkaError::from_client("producer", &error))?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sends one record and waits for the broker's answer, however long the broker is away. While the queue is full
    /// (its bound is `queue.buffering.max.*`) it waits for room. Records of one partition keep the order of the calls' first polls
    /// unless they wait for room at the same time.
    ///
    /// Dropping the future does not take the record back.
    pub async fn send(&self, record: &Record) -> Result<Acked, SendError> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = Answer::One(sender);
        loop {
            match self.enqueue(record, waiting) {
                Ok(()) => break,
                Err(Enqueue::Full(back)) => waiting = back,
                Err(Enqueue::Failed(error)) => return Err(error),
            }
            tokio::time::sleep(QUEUE_FULL_WAIT).await;
        }
        answer.await.unwrap_or_else(|_| Err(SendError::Unknown("the producer was dropped".into())))
    }

    /// As [`Self::send`], and sends again unchanged for as long as the outcome is unknown.
    ///
    /// # Errors
    /// `Refused` or `Fatal`.
    pub async fn send_until_answered(&self, record: &Record) -> Result<Acked, SendError> {
        let mut wait = RESEND_WAIT.0;
        loop {
            match self.send(record).await {
                Err(SendError::Unknown(reason)) => {
                    tracing::warn!(topic = record.topic, reason, "record not answered, sending again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RESEND_WAIT.1);
                }
                answered => return answered,
            }
        }
    }

    /// Puts a record into the queue without waiting.
    pub(crate) fn enqueue(&self, record: &Record, answer: Answer) -> Result<(), Enqueue> {
        let mut base = BaseRecord::<[u8], [u8], Box<Answer>>::with_opaque_to(&record.topic, Box::new(answer));
        base.partition = record.partition;
        base.key = record.key.as_deref();
        base.payload = record.payload.as_deref();
        base.timestamp = record.timestamp;
        if !record.headers.is_empty() {
            base.headers = Some(
                record
                    .headers
                    .iter()
                    .fold(OwnedHeaders::new_with_capacity(record.headers.len()), |headers, (key, value)| {
                        headers.insert(Header { key, value: Some(value.as_ref()) })
                    }),
            );
        }
        self.inner.send(base).map_err(|(error, base)| match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => Enqueue::Full(*base.delivery_opaque),
            _ => Enqueue::Failed(classify(&error)),
        })
    }

    /// Waits until everything queued was answered, at most `timeout`. True when nothing is left.
    pub async fn flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while self.in_flight() > 0 {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(QUEUE_FULL_WAIT).await;
        }
        true
    }

    /// Records that were not answered yet.
    pub fn in_flight(&self) -> usize {
        self.inner.in_flight_count().max(0) as usize
    }

    /// What made this producer unusable, if anything did.
    pub fn fatal(&self) -> Option<String> {
        self.inner.client().fatal_error().map(|(_, reason)| reason)
    }

    /// Whether a broker answers now: how a start learns early that nobody is there.
    pub fn ping(&self) -> Result<(), KafkaError> {
        let client: &Client<Deliveries> = self.inner.client();
        client
            .fetch_metadata(None, REQUEST_TIMEOUT)
            .map(drop)
            .map_err(|error| KafkaError::from_client("metadata", &error))
    }
}

/// Why a record is not in the queue.
pub(crate) enum Enqueue {
    /// No room now; here is who waits for the answer.
    Full(Answer),
    Failed(SendError),
}

/// Answers each record's sender, on librdkafka's polling thread.
struct Deliveries;

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, detail: &str) {
        Tracing.log(level, facility, detail);
    }

    fn stats(&self, _: Statistics) {}

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: RdError, reason: &str) {
        Tracing.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Answer>;

    fn delivery(&self, result: &DeliveryResult<'_>, answer: Box<Answer>) {
        let result = match result {
            Ok(record) => Ok(Acked { partition: record.partition(), offset: record.offset() }),
            Err((error, _)) => Err(classify(error)),
        };
        match *answer {
            Answer::One(sender) => drop(sender.send(result)),
            Answer::Tally(count) => count(result),
        }
    }
}

/// Only what speaks about the record itself is for good: a missing permission or topic may come, so it is tried again.
fn classify(error: &RdError) -> SendError {
    use RDKafkaErrorCode as Code;
    let Some(code) = error.rdkafka_error_code() else {
        // Text with a NUL and the like: it cannot be said to Kafka at all.
        return SendError::Refused(error.to_string());
    };
    let reason = describe(code);
    match code {
        Code::MessageSizeTooLarge
        | Code::InvalidMessage
        | Code::InvalidMessageSize
        | Code::MessageBatchTooLarge
        | Code::InvalidRecord
        | Code::InvalidTimestamp
        | Code::InvalidTopic
        | Code::PolicyViolation
        | Code::UnsupportedCompressionType
        | Code::UnsupportedForMessageFormat
        | Code::InvalidArgument => SendError::Refused(reason),
        Code::Fatal
        | Code::Fenced
        | Code::GaplessGuarantee
        | Code::InconsistentGroupProtocol
        | Code::InvalidProducerEpoch
        | Code::OutOfOrderSequenceNumber
        | Code::ProducerFenced => SendError::Fatal(reason),
        _ => SendError::Unknown(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_about_the_record_is_for_good() {
        let of = |code| classify(&RdError::MessageProduction(code));
        assert!(matches!(of(RDKafkaErrorCode::MessageSizeTooLarge), SendError::Refused(_)));
        assert!(matches!(of(RDKafkaErrorCode::OutOfOrderSequenceNumber), SendError::Fatal(_)));
        for again in [
            RDKafkaErrorCode::MessageTimedOut,
            RDKafkaErrorCode::BrokerTransportFailure,
            RDKafkaErrorCode::UnknownTopic,
            RDKafkaErrorCode::TopicAuthorizationFailed,
            RDKafkaErrorCode::NotEnoughReplicasAfterAppend,
            RDKafkaErrorCode::PurgeInflight,
        ] {
            assert!(matches!(of(again), SendError::Unknown(_)), "{again:?}");
        }
    }
}
