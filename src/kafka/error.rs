//! What can go wrong between this process and Kafka.

use rdkafka::{error::KafkaError as Rd, types::RDKafkaErrorCode};

/// An error of Kafka or of the way to it. Its text never holds a secret.
#[allow(missing_docs)] // The fields say what their names say.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KafkaError {
    /// A property that librdkafka does not know or whose value it refuses.
    #[error("kafka property {name}: {reason}")]
    Property { name: String, reason: String },
    /// Properties that librdkafka refuses as a whole: they contradict each other, or name a file that is not there.
    #[error("kafka properties: {reason}")]
    Properties { reason: String },
    /// No broker answered in time, or the answer was an error of the whole cluster.
    #[error("kafka {action}: {reason}")]
    Unavailable { action: &'static str, reason: String },
    /// One topic: it is missing, may not be made, or cannot be read.
    #[error("kafka topic {topic}: {reason}")]
    Topic { topic: String, reason: String },
    /// The embedded broker could not start.
    #[error("embedded kafka broker: {0}")]
    Embedded(String),
}

impl KafkaError {
    /// What librdkafka said while we tried to `action`.
    pub(crate) fn from_client(action: &'static str, error: &Rd) -> Self {
        match error {
            // Its own text repeats the value, which may be a password.
            Rd::ClientConfig(_, reason, name, value) => {
                let reason = if value.is_empty() { reason.clone() } else { reason.replace(value.as_str(), "***") };
                Self::Property { name: name.clone(), reason }
            }
            // Names the properties, and of values only paths.
            Rd::ClientCreation(reason) => Self::Properties { reason: reason.clone() },
            other => Self::Unavailable { action, reason: reason(other) },
        }
    }

    /// What librdkafka said about one topic.
    pub(crate) fn from_topic(topic: &str, error: &Rd) -> Self {
        Self::Topic { topic: topic.to_owned(), reason: reason(error) }
    }
}

fn reason(error: &Rd) -> String {
    error.rdkafka_error_code().map_or_else(|| error.to_string(), describe)
}

/// The plain sentence for the codes that users meet, else librdkafka's own.
pub(crate) fn describe(code: RDKafkaErrorCode) -> String {
    match code {
        RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::AllBrokersDown => {
            "no broker can be reached".into()
        }
        RDKafkaErrorCode::OperationTimedOut => "no answer in time".into(),
        other => other.to_string(),
    }
}
