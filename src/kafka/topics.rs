//! The topics' names, and what is asked of the cluster about topics.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::Client,
    config::FromClientConfigAndContext,
    consumer::Consumer,
    types::RDKafkaErrorCode,
};

use super::{
    Cluster, KafkaError,
    client::{MAX_MESSAGE_BYTES, REQUEST_TIMEOUT, Tracing, connect},
    error::describe,
};
use crate::twin::event::Topic;

/// The nine topics that events come from, in the order of [`Topic::ALL`].
pub const INPUT_TOPICS: [&str; 9] = {
    let mut names = [""; 9];
    let mut i = 0;
    while i < names.len() {
        names[i] = Topic::ALL[i].name();
        i += 1;
    }
    names
};
/// The whole state at a boundary.
pub const STATE_FULL: &str = "state.full";
/// What changed between two boundaries.
pub const STATE_INCREMENTAL: &str = "state.incremental";
/// Records that could not be taken, byte for byte.
pub const DEAD_LETTER: &str = "twin.dead-letter";

/// How long `state.*` keep what they hold: 24 hours, in milliseconds.
const STATE_RETENTION_MS: &str = "86400000";
/// What a topic has to take so that a state of 20 MB passes even where it hardly compresses, in bytes.
const ENOUGH_FOR_STATE: i64 = 21_000_000;

/// A topic as it shall be made where it is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// The topic's name.
    pub name: String,
    /// How many it gets.
    pub partitions: i32,
    /// Kafka's own settings by name (`retention.ms`).
    pub settings: BTreeMap<&'static str, String>,
}

impl TopicSpec {
    /// A topic with the broker's own settings.
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        Self { name: name.into(), partitions, settings: BTreeMap::new() }
    }

    /// With one setting more.
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.insert(name, value.into());
        self
    }

    /// All topics that a server needs: the inputs with `input_partitions`, what we write with one.
    pub fn all(input_partitions: i32) -> Vec<Self> {
        let state = |name| {
            Self::new(name, 1)
                .set("retention.ms", STATE_RETENTION_MS)
                .set("max.message.bytes", MAX_MESSAGE_BYTES.to_string())
        };
        INPUT_TOPICS
            .iter()
            .map(|name| Self::new(*name, input_partitions))
            .chain([state(STATE_FULL), state(STATE_INCREMENTAL), Self::new(DEAD_LETTER, 1)])
            .collect()
    }
}

/// Something about the topics that the operator should know; the server runs on.
#[allow(missing_docs)] // The fields say what their names say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicWarning {
    /// The broker refused our settings, and the topic was made with the broker's own.
    MadeWithBrokerSettings { topic: String, reason: String },
    /// `max.message.bytes` of the topic is below what a state of 20 MB may need.
    TooSmall { topic: String, max_message_bytes: i64 },
}

impl std::fmt::Display for TopicWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MadeWithBrokerSettings { topic, reason } => {
                write!(f, "topic {topic} was made with the broker's own settings, because it refused ours: {reason}")
            }
            Self::TooSmall { topic, max_message_bytes } => write!(
                f,
                "topic {topic} takes records of {max_message_bytes} bytes only; set its max.message.bytes to {MAX_MESSAGE_BYTES}"
            ),
        }
    }
}

/// What [`Cluster::ensure_topics`] did and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicReport {
    /// The topics that were missing and now exist.
    pub created: Vec<String>,
    /// What the operator should know.
    pub warnings: Vec<TopicWarning>,
}

/// The first offset that can be read and the one that the next record gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset that can be read.
    pub low: i64,
    /// The offset that the next record gets.
    pub high: i64,
}

impl Cluster {
    /// Makes the topics that are missing and leaves all others as they are. May be called at any time and by several
    /// instances at once. On the embedded broker, which has its topics from the start, only their presence is checked.
    ///
    /// # Errors
    /// `Unavailable` while no broker answers, `Topic` where a topic is missing and may not be made.
    pub async fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<TopicReport, KafkaError> {
        let existing = self.all_topics().await?;
        let missing: Vec<&TopicSpec> = specs.iter().filter(|spec| !existing.contains_key(&spec.name)).collect();
        let mut report = TopicReport::default();
        if self.is_embedded_anywhere().await? {
            return match missing.first() {
                None => Ok(report),
                Some(spec) => Err(KafkaError::Topic {
                    topic: spec.name.clone(),
                    reason: "the embedded broker makes topics only at its start".into(),
                }),
            };
        }
        let admin = self.admin()?;
        if !missing.is_empty() {
            self.create(&admin, &missing, &mut report).await?;
            self.wait_for(&report.created).await?;
        }
        let sized: Vec<&str> =
            specs.iter().filter(|s| s.settings.contains_key("max.message.bytes")).map(|s| s.name.as_str()).collect();
        // A broker that does not let us look (no permission) leaves the question open: the send will answer it.
        if let Ok(found) = topic_setting(&admin, &sized, "max.message.bytes").await {
            for (topic, value) in found {
                if let Some(max_message_bytes) = value.parse().ok().filter(|&bytes: &i64| bytes < ENOUGH_FOR_STATE) {
                    report.warnings.push(TopicWarning::TooSmall { topic, max_message_bytes });
                }
            }
        }
        Ok(report)
    }

    async fn create(
        &self,
        admin: &AdminClient<Tracing>,
        missing: &[&TopicSpec],
        report: &mut TopicReport,
    ) -> Result<(), KafkaError> {
        let replication = self.config().topic_replication.unwrap_or(-1);
        for spec in missing {
            let (name, partitions) = (spec.name.clone(), spec.partitions);
            let make = || NewTopic::new(&name, partitions, TopicReplication::Fixed(replication));
            let with_ours = spec.settings.iter().fold(make(), |topic, (setting, value)| topic.set(setting, value));
            let mut outcome = create_one(admin, with_ours).await?;
            if let Created::Refused(code) = outcome
                && !spec.settings.is_empty()
                && about_settings(code)
            {
                outcome = create_one(admin, make()).await?;
                if matches!(outcome, Created::Yes) {
                    let (topic, reason) = (name.clone(), describe(code));
                    report.warnings.push(TopicWarning::MadeWithBrokerSettings { topic, reason });
                }
            }
            match outcome {
                Created::Yes => report.created.push(name),
                Created::Existed => {}
                Created::Refused(code) => return Err(KafkaError::Topic { topic: name, reason: describe(code) }),
            }
        }
        Ok(())
    }

    /// Waits until topics just made can be read and written: the cluster tells of them a moment later.
    async fn wait_for(&self, created: &[String]) -> Result<(), KafkaError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let partitions = self.all_topics().await?;
            let all = created.iter().flat_map(|topic| {
                let count = partitions.get(topic).copied().unwrap_or_default();
                (0..count.max(1)).map(move |partition| (topic.clone(), partition))
            });
            match self.watermarks(&all.collect::<Vec<_>>()).await {
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                Ok(_) => return Ok(()),
            }
        }
    }

    /// How many partitions each of the topics has; a topic that does not exist is not in the answer.
    pub async fn partitions_of(&self, topics: &[&str]) -> Result<BTreeMap<String, i32>, KafkaError> {
        let mut all = self.all_topics().await?;
        Ok(topics.iter().filter_map(|&topic| all.remove_entry(topic)).collect())
    }

    /// All topics of the cluster with their number of partitions. A question about all of them makes none of them, which
    /// one about a single missing topic may do.
    pub async fn all_topics(&self) -> Result<BTreeMap<String, i32>, KafkaError> {
        self.blocking(|client| {
            let metadata = client
                .fetch_metadata(None, REQUEST_TIMEOUT)
                .map_err(|error| KafkaError::from_client("metadata", &error))?;
            Ok(metadata
                .topics()
                .iter()
                .filter(|topic| !topic.partitions().is_empty())
                .map(|topic| (topic.name().to_owned(), topic.partitions().len() as i32))
                .collect())
        })
        .await
    }

    /// The watermarks of each partition, in the order asked.
    pub async fn watermarks(&self, partitions: &[(String, i32)]) -> Result<Vec<Watermarks>, KafkaError> {
        let partitions = partitions.to_vec();
        self.blocking(move |client| {
            partitions.iter().map(|(topic, partition)| watermarks_of(client, topic, *partition)).collect()
        })
        .await
    }

    /// The first offset of each partition whose record is at or after a time (Unix milliseconds), in the order asked; the
    /// partition's end where there is none.
    ///
    /// # Errors
    /// `Unavailable` or `Topic`; the embedded broker cannot answer this.
    pub async fn offsets_at(&self, partitions: &[(String, i32)], time_ms: i64) -> Result<Vec<i64>, KafkaError> {
        if self.is_embedded_anywhere().await? {
            let reason = "the embedded broker knows no offsets by time".into();
            return Err(KafkaError::Unavailable { action: "offsets by time", reason });
        }
        let (partitions, config) = (partitions.to_vec(), self.admin_config());
        let ask = move || {
            let client = connect(&config)?;
            let mut asked = TopicPartitionList::with_capacity(partitions.len());
            for (topic, partition) in &partitions {
                asked
                    .add_partition_offset(topic, *partition, Offset::Offset(time_ms))
                    .map_err(|error| KafkaError::from_topic(topic, &error))?;
            }
            let found = client
                .offsets_for_times(asked, REQUEST_TIMEOUT)
                .map_err(|error| KafkaError::from_client("offsets by time", &error))?;
            let offset = |(topic, partition): &(String, i32)| match found.find_partition(topic, *partition) {
                Some(element) => match (element.error(), element.offset()) {
                    (Err(error), _) => Err(KafkaError::from_topic(topic, &error)),
                    (Ok(()), Offset::Offset(offset)) => Ok(offset),
                    (Ok(()), _) => watermarks_of(client.client(), topic, *partition).map(|marks| marks.high),
                },
                None => Err(KafkaError::Topic { topic: topic.clone(), reason: "has no such partition".into() }),
            };
            partitions.iter().map(offset).collect()
        };
        tokio::task::spawn_blocking(ask)
            .await
            .unwrap_or_else(|error| Err(KafkaError::Unavailable { action: "request", reason: error.to_string() }))
    }

    /// One setting (`retention.ms`) of each topic, as the broker spells it. Empty for the embedded broker, which has none.
    pub async fn topic_setting(&self, topics: &[&str], name: &str) -> Result<BTreeMap<String, String>, KafkaError> {
        if self.is_embedded_anywhere().await? {
            return Ok(BTreeMap::new());
        }
        topic_setting(&self.admin()?, topics, name).await
    }

    fn admin(&self) -> Result<AdminClient<Tracing>, KafkaError> {
        AdminClient::from_config_and_context(&self.admin_config(), Tracing)
            .map_err(|error| KafkaError::from_client("admin", &error))
    }
}

/// The watermarks of one partition, asked on the present thread.
pub(super) fn watermarks_of(client: &Client<Tracing>, topic: &str, partition: i32) -> Result<Watermarks, KafkaError> {
    let (low, high) = client
        .fetch_watermarks(topic, partition, REQUEST_TIMEOUT)
        .map_err(|error| KafkaError::from_topic(topic, &error))?;
    Ok(Watermarks { low, high })
}

enum Created {
    Yes,
    Existed,
    Refused(RDKafkaErrorCode),
}

async fn create_one(admin: &AdminClient<Tracing>, topic: NewTopic<'_>) -> Result<Created, KafkaError> {
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT)).request_timeout(Some(REQUEST_TIMEOUT));
    let results = admin
        .create_topics([&topic], &options)
        .await
        .map_err(|error| KafkaError::from_client("create topic", &error))?;
    Ok(match results.into_iter().next() {
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Created::Existed,
        Some(Err((_, code))) => Created::Refused(code),
        _ => Created::Yes,
    })
}

/// Whether leaving our settings out can help.
fn about_settings(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::InvalidConfig | RDKafkaErrorCode::PolicyViolation | RDKafkaErrorCode::InvalidRequest
    )
}

async fn topic_setting(
    admin: &AdminClient<Tracing>,
    topics: &[&str],
    name: &str,
) -> Result<BTreeMap<String, String>, KafkaError> {
    let asked: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    if asked.is_empty() {
        return Ok(BTreeMap::new());
    }
    let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
    let answers = admin
        .describe_configs(&asked, &options)
        .await
        .map_err(|error| KafkaError::from_client("describe topics", &error))?;
    Ok(topics
        .iter()
        .zip(answers)
        .filter_map(|(topic, answer)| {
            let value = answer.ok()?.get(name)?.value.clone()?;
            Some(((*topic).to_owned(), value))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_write_has_one_partition_and_room_for_a_large_state() {
        let specs = TopicSpec::all(6);
        assert_eq!(specs.len(), 12);
        for spec in &specs {
            let input = INPUT_TOPICS.contains(&spec.name.as_str());
            assert_eq!(spec.partitions, if input { 6 } else { 1 }, "{}", spec.name);
            assert_eq!(spec.settings.contains_key("retention.ms"), spec.name.starts_with("state."), "{}", spec.name);
        }
    }
}
