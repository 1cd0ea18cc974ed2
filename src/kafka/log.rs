//! The end of a state topic: what was published last, and under which epoch.

use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::{
    Message,
    consumer::Consumer,
    message::{BorrowedMessage, Headers},
};

use super::{
    Cluster, KafkaError, PartitionReader, Polled, Position,
    client::connect,
    topics::{Watermarks, watermarks_of},
};

/// A record of `state.full` or `state.incremental` that carries an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRecord {
    /// Its offset in partition 0.
    pub offset: i64,
    /// The writer's token.
    pub epoch: u64,
    /// The city's id, where the writer is one of ours.
    pub key: Option<Bytes>,
    /// The JSON, unpacked.
    pub value: Bytes,
    /// All headers in their order, as UTF-8 text; one whose value is no text is left out.
    pub headers: Vec<(String, String)>,
    /// Kafka's own time of the record in milliseconds.
    pub kafka_timestamp: Option<i64>,
}

impl StateRecord {
    /// The record, if it has a value and a header `epoch` that is a decimal number.
    pub fn read(record: &BorrowedMessage<'_>) -> Option<Self> {
        let headers: Vec<(String, String)> = record
            .headers()?
            .iter()
            .filter_map(|header| Some((header.key.to_owned(), std::str::from_utf8(header.value?).ok()?.to_owned())))
            .collect();
        Some(Self {
            offset: record.offset(),
            epoch: epoch_of(&headers)?,
            key: record.key().map(Bytes::copy_from_slice),
            value: Bytes::copy_from_slice(record.payload()?),
            headers,
            kafka_timestamp: record.timestamp().to_millis(),
        })
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn epoch_of(headers: &[(String, String)]) -> Option<u64> {
    let (_, value) = headers.iter().find(|(name, _)| name == "epoch")?;
    // `parse` would take a sign too.
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())?
}

/// How many offsets the first look back covers; a few, because one full state may be many megabytes.
const FIRST_LOOK: i64 = 4;
/// Each further look covers this many times more.
const GROWTH: i64 = 8;
/// The most offsets of one look: the records between two looks are held one at a time, so this bounds only the time.
const LONGEST_LOOK: i64 = 100_000;

impl Cluster {
    /// The newest record with an `epoch` header in partition 0 of a state topic: where the records at the end have several
    /// epochs (a former writer was late), the last one of the highest. `None` where the topic holds none.
    ///
    /// Reads backwards from the end in growing steps, so that markers of transactions, holes and records of others at the
    /// end are passed over.
    ///
    /// # Errors
    /// `Unavailable` or `Topic` when the broker does not answer, or not all within `deadline`.
    pub async fn last_record_with_epoch(
        &self,
        topic: &str,
        deadline: Duration,
    ) -> Result<Option<StateRecord>, KafkaError> {
        let (cluster, topic) = (self.clone(), topic.to_owned());
        tokio::task::spawn_blocking(move || search(&cluster, &topic, Instant::now() + deadline))
            .await
            .unwrap_or_else(|error| Err(KafkaError::Unavailable { action: "read", reason: error.to_string() }))
    }
}

fn search(cluster: &Cluster, topic: &str, deadline: Instant) -> Result<Option<StateRecord>, KafkaError> {
    let client = connect(&cluster.admin_config())?;
    let Watermarks { low, high } = watermarks_of(client.client(), topic, 0)?;
    drop(client);
    let (mut end, mut look) = (high, FIRST_LOOK);
    let mut reader: Option<PartitionReader> = None;
    let mut found = None;
    while found.is_none() && end > low {
        let start = low.max(end - look);
        let reader = match &mut reader {
            Some(reader) => {
                reader.seek(0, start)?;
                reader
            }
            none => none.insert(PartitionReader::open(&cluster.consumer_config(), &[Position::new(topic, 0, start)])?),
        };
        found = newest_between(reader, topic, start, end, deadline)?;
        end = start;
        look = (look * GROWTH).min(LONGEST_LOOK);
    }
    if let Some(reader) = reader {
        // A consumer that will not leave keeps its own thread; the answer is known.
        reader.close(Duration::from_secs(2));
    }
    Ok(found)
}

/// The record of the highest epoch, and of those the last, among the offsets `start..end`.
fn newest_between(
    reader: &mut PartitionReader,
    topic: &str,
    start: i64,
    end: i64,
    deadline: Instant,
) -> Result<Option<StateRecord>, KafkaError> {
    let mut newest: Option<StateRecord> = None;
    let mut done = false;
    let mut problem = None;
    while !done {
        reader.poll(1000, Duration::from_millis(100), |_, event| match event {
            Polled::Record(record) if record.offset() >= end => done = true,
            // A remainder of what was fetched before the seek.
            Polled::Record(record) if record.offset() < start => {}
            Polled::Record(record) => {
                done |= record.offset() + 1 >= end;
                if let Some(read) = StateRecord::read(&record)
                    && newest.as_ref().is_none_or(|held| read.epoch >= held.epoch)
                {
                    newest = Some(read);
                }
            }
            Polled::End | Polled::OutOfRange => done = true,
            Polled::Failed(error) => problem = Some(KafkaError::from_topic(topic, &error)),
        });
        if !done && Instant::now() > deadline {
            return Err(problem.unwrap_or_else(|| KafkaError::Topic {
                topic: topic.to_owned(),
                reason: "its end could not be read in time".into(),
            }));
        }
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_decimal_number_and_nothing_else() {
        let of = |value: &str| epoch_of(&[("version".into(), "1.0".into()), ("epoch".into(), value.into())]);
        assert_eq!(of("17"), Some(17));
        for wrong in ["", "+1", "-1", "1.0", "0x1", " 1", "99999999999999999999"] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
        assert_eq!(epoch_of(&[]), None);
    }
}
