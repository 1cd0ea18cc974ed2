//! Messages into Kafka.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::{
    city_live::message::{LiveTopic, Message},
    kafka::{Cluster, KafkaError, Producer, Record, SendError, topics::TopicSpec},
    telemetry,
    twin::time::Time,
};

/// kafkajs, which readers of these topics may have, reads no other without a plug-in.
const COMPRESSION: &str = "gzip";
/// The most messages of one call that wait for the broker at a time.
const IN_FLIGHT: usize = 500;

/// The pause after a producer was lost.
const AFTER_LOSS: Duration = Duration::from_millis(200);

/// The five topics, for [`Cluster::ensure_topics`].
pub fn topics(partitions: i32) -> Vec<TopicSpec> {
    LiveTopic::ALL.into_iter().map(|topic| TopicSpec::new(topic.name(), partitions)).collect()
}

/// Sends messages. A producer that can send nothing more is replaced.
pub struct Outlet {
    cluster: Cluster,
    producer: Mutex<Producer>,
}

impl Outlet {
    /// To this cluster.
    ///
    /// # Errors
    /// Where librdkafka does not take the settings.
    pub fn new(cluster: &Cluster) -> Result<Self, KafkaError> {
        let producer = Mutex::new(Producer::new(cluster, COMPRESSION)?);
        Ok(Self { cluster: cluster.clone(), producer })
    }

    /// Sends them and waits until the broker has them, however long it is away. Messages of one key keep their order.
    pub async fn send(&self, messages: &[Message], now: Time) {
        let sending: Vec<_> = messages.iter().map(|message| self.one(message, now)).collect();
        let sent = stream::iter(sending).buffered(IN_FLIGHT);
        sent.for_each(|()| std::future::ready(())).await;
    }

    async fn one(&self, message: &Message, now: Time) {
        let topic = message.payload.topic().name();
        let record = record(message, now);
        loop {
            let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match producer.send_until_answered(&record).await {
                Ok(_) => return telemetry::live_sent(topic).increment(1),
                Err(SendError::Fatal(reason)) => {
                    self.replace(&producer, &reason);
                    tokio::time::sleep(AFTER_LOSS).await;
                }
                Err(error) => return tracing::warn!(topic, %error, "City Live message not sent"),
            }
        }
    }

    /// Makes a new producer, unless somebody has done so meanwhile.
    fn replace(&self, lost: &Producer, reason: &str) {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if producer.fatal().is_none() && lost.fatal().is_some() {
            return;
        }
        tracing::warn!(reason, "the Kafka producer of City Live is lost; making a new one");
        match Producer::new(&self.cluster, COMPRESSION) {
            Ok(new) => *producer = new,
            // The same settings made the one before; whatever it is, the next message tries again.
            Err(error) => tracing::error!(%error, "no new Kafka producer"),
        }
    }
}

/// A message as a record: its key keeps a zone's messages in one partition.
pub fn record(message: &Message, now: Time) -> Record {
    let key = format!("{}/{}", message.city_id, message.zone_id.as_deref().unwrap_or_default());
    // A message is made of texts, numbers and times: it has a form in JSON.
    let payload = serde_json::to_vec(message).unwrap_or_default();
    Record {
        topic: message.payload.topic().name().to_owned(),
        partition: None,
        key: Some(Bytes::from(key)),
        payload: Some(Bytes::from(payload)),
        headers: Vec::new(),
        timestamp: Some(now.0),
    }
}
