//! Plays a recording into Kafka.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Line, Lines, RecordingError, shift_times};
use crate::kafka::{
    Answer, Cluster, Enqueue, Producer, Record, SendError,
    topics::{INPUT_TOPICS, TopicSpec},
};

/// How fast events follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Their own gaps divided by this; 1 is real time.
    Times(f64),
    /// As fast as Kafka takes them.
    Max,
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Self::Max),
            Ok(times) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err("a number above 0, or max".into()),
        }
    }
}

/// Which times the events get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// Those that the recording holds.
    Held,
    /// All moved by the same amount, so that the first event is now; the messages' own times too ([`shift_times`]).
    Now,
}

/// How to play.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// How fast.
    pub speed: Speed,
    /// Which times.
    pub stamp: Stamp,
    /// Make missing topics, with `retention.ms=-1` so that an old day is not deleted; else a missing one is an error.
    pub create_topics: bool,
    /// A codec of librdkafka; kafkajs reads `none` and `gzip` without plug-ins.
    pub compression: String,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self { speed: Speed::Times(1.0), stamp: Stamp::Held, create_topics: false, compression: "none".into() }
    }
}

/// What a recording holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many events.
    pub events: u64,
    /// Bytes of its lines, unpacked.
    pub bytes: u64,
    /// The earliest and the latest time in milliseconds.
    pub span: Option<(i64, i64)>,
    /// Events and earliest time of each topic.
    pub topics: BTreeMap<String, (u64, i64)>,
}

/// Reads a recording through once; a wrong line is found here, before anything is sent.
pub fn survey(path: &Path) -> Result<Survey, RecordingError> {
    let mut lines = Lines::open(path)?;
    let mut found = Survey::default();
    while let Some(line) = lines.next_line()? {
        let at = line.timestamp;
        found.events += 1;
        found.span = Some(found.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        match found.topics.get_mut(line.topic.as_ref()) {
            Some((events, earliest)) => {
                *events += 1;
                *earliest = at.min(*earliest);
            }
            None => drop(found.topics.insert(line.topic.clone().into_owned(), (1, at))),
        }
        found.bytes += lines.line_bytes();
    }
    Ok(found)
}

/// A recording ready to be played: its topics exist.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the recording holds.
    pub survey: Survey,
    /// Topics that were made for it.
    pub created: Vec<String>,
    /// What the user should know first, in whole sentences: where the broker would delete what is played.
    pub warnings: Vec<String>,
    path: PathBuf,
    options: ReplayOptions,
    /// What is added to every time, in milliseconds.
    shift_ms: i64,
}

/// Reads the recording through, sees to its topics, and looks whether the broker will keep the events.
///
/// # Errors
/// A wrong line, an empty recording, a topic that is missing and not to be made, or no broker.
pub async fn plan(cluster: &Cluster, path: &Path, options: ReplayOptions) -> Result<Plan, RecordingError> {
    let path = path.to_owned();
    let survey = blocking({
        let path = path.clone();
        move || survey(&path)
    })
    .await?;
    let Some((first, _)) = survey.span else { return Err(RecordingError::Empty) };
    let now = Timestamp::now().as_millisecond();
    let shift_ms = if options.stamp == Stamp::Now { now - first } else { 0 };
    let specs = survey.topics.keys().map(|topic| {
        let input = INPUT_TOPICS.contains(&topic.as_str());
        let spec = TopicSpec::new(topic, if input { cluster.config().topic_partitions } else { 1 });
        spec.set("retention.ms", "-1")
    });
    let names: Vec<&str> = survey.topics.keys().map(String::as_str).collect();
    let created = if options.create_topics {
        cluster.ensure_topics(&specs.collect::<Vec<_>>()).await?.created
    } else {
        let there = cluster.partitions_of(&names).await?;
        if let Some(missing) = names.iter().find(|&&name| !there.contains_key(name)) {
            return Err(RecordingError::NoTopic((*missing).to_owned()));
        }
        Vec::new()
    };
    // Without the permission to look there is nothing to warn of.
    let retention = cluster.topic_setting(&names, "retention.ms").await.unwrap_or_default();
    let by_create_time = cluster.topic_setting(&names, "message.timestamp.type").await.unwrap_or_default();
    let warnings = retention.iter().filter_map(|(topic, value)| {
        let keeps_ms: i64 = value.parse().ok().filter(|&ms| ms >= 0)?;
        let age_ms = now - (survey.topics.get(topic)?.1 + shift_ms);
        let by_append = by_create_time.get(topic).is_some_and(|kind| kind == "LogAppendTime");
        (age_ms > keeps_ms && !by_append).then(|| {
            format!(
                "topic {topic} keeps events for {} hours and these are {} hours old: the broker will delete them; set \
                 its retention.ms to -1, or move the times to now",
                keeps_ms / 3_600_000,
                age_ms / 3_600_000
            )
        })
    });
    let warnings = warnings.collect();
    Ok(Plan { survey, created, warnings, path, options, shift_ms })
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayProgress {
    /// Events handed to Kafka's client, of [`Survey::events`].
    pub sent: u64,
    /// Events that the broker acknowledged.
    pub acknowledged: u64,
    /// Bytes of the lines read, of [`Survey::bytes`].
    pub bytes: u64,
    /// The recorded time of the last event sent, in milliseconds.
    pub timestamp: i64,
}

/// What a replay did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplaySummary {
    /// As told last.
    pub progress: ReplayProgress,
    /// False where it was stopped before the end.
    pub complete: bool,
    /// From the first event on.
    pub elapsed: Duration,
}

/// Plays a recording. Keys are kept and choose the partition as Java's clients and kafkajs do; events of one partition keep
/// their order. `told` is called some ten times a second.
///
/// # Errors
/// When Kafka refuses an event for good, or the file changed since the plan.
pub async fn replay(
    cluster: &Cluster,
    plan: Plan,
    stop: CancellationToken,
    told: impl FnMut(&ReplayProgress) + Send + 'static,
) -> Result<ReplaySummary, RecordingError> {
    let mut config = cluster.producer_config(&plan.options.compression);
    if plan.options.speed == Speed::Max && !cluster.config().producer.contains_key("linger.ms") {
        // Full batches are what is fast; nobody waits for a single event.
        config.set("linger.ms", "50");
    }
    let producer = Producer::with_config(&config)?;
    blocking(move || play(&producer, &plan, &stop, told)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
) -> Result<T, RecordingError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(RecordingError::Ended(error.to_string())))
}

/// What the broker's answers were.
#[derive(Default)]
struct Answers {
    acknowledged: u64,
    failed: Option<SendError>,
}

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// How long a stopped replay waits for what it has sent.
const STOP_WITHIN: Duration = Duration::from_secs(8);

fn play(
    producer: &Producer,
    plan: &Plan,
    stop: &CancellationToken,
    mut told: impl FnMut(&ReplayProgress),
) -> Result<ReplaySummary, RecordingError> {
    let answers = Arc::new(Mutex::new(Answers::default()));
    let tally: Arc<dyn Fn(Result<crate::kafka::Acked, SendError>) + Send + Sync> = {
        let answers = Arc::clone(&answers);
        Arc::new(move |answer| {
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            match answer {
                Ok(_) => answers.acknowledged += 1,
                Err(error) => drop(answers.failed.get_or_insert(error)),
            }
        })
    };
    let check = |progress: &mut ReplayProgress| {
        let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        progress.acknowledged = answers.acknowledged;
        answers.failed.as_ref().map_or(Ok(()), |error| Err(RecordingError::Refused(error.to_string())))
    };
    let started = Instant::now();
    let mut next_told = started;
    let mut progress = ReplayProgress::default();
    let mut lines = Lines::open(&plan.path)?;
    let first = plan.survey.span.map_or(0, |(first, _)| first);
    let mut complete = false;
    'events: while !stop.is_cancelled() {
        let Some(line) = lines.next_line()? else {
            complete = true;
            break;
        };
        let timestamp = line.timestamp;
        let record = to_record(&line, plan.shift_ms);
        let due = match plan.options.speed {
            Speed::Max => started,
            // Guarded against a speed of almost zero, whose duration would not fit.
            Speed::Times(speed) => Duration::try_from_secs_f64((timestamp - first).max(0) as f64 / 1000.0 / speed)
                .ok()
                .and_then(|gap| started.checked_add(gap))
                .unwrap_or(started + Duration::from_secs(u64::from(u32::MAX))),
        };
        let mut answer = Answer::Tally(Arc::clone(&tally));
        loop {
            let now = Instant::now();
            if now >= next_told {
                next_told = now + TELL_EVERY;
                check(&mut progress)?;
                told(&progress);
                if stop.is_cancelled() {
                    break 'events;
                }
            }
            if now < due {
                std::thread::sleep((due - now).min(TELL_EVERY));
                continue;
            }
            match producer.enqueue(&record, answer) {
                Ok(()) => break,
                Err(Enqueue::Full(back)) => answer = back,
                Err(Enqueue::Failed(error)) => return Err(RecordingError::Refused(error.to_string())),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        progress.sent += 1;
        progress.timestamp = timestamp;
        progress.bytes += lines.line_bytes();
    }
    let mut stopped = stop.is_cancelled().then(Instant::now);
    while producer.in_flight() > 0 && stopped.is_none_or(|at| at.elapsed() < STOP_WITHIN) {
        std::thread::sleep(Duration::from_millis(5));
        check(&mut progress)?;
        if stop.is_cancelled() {
            stopped.get_or_insert_with(Instant::now);
        }
    }
    check(&mut progress)?;
    told(&progress);
    complete &= progress.acknowledged == progress.sent;
    Ok(ReplaySummary { progress, complete, elapsed: started.elapsed() })
}

fn to_record(line: &Line<'_>, shift_ms: i64) -> Record {
    let value = line.value.as_deref().map(|value| match std::str::from_utf8(value) {
        Ok(text) if shift_ms != 0 => match shift_times(text, shift_ms) {
            Cow::Borrowed(same) => Bytes::copy_from_slice(same.as_bytes()),
            Cow::Owned(moved) => Bytes::from(moved),
        },
        _ => Bytes::copy_from_slice(value),
    });
    Record {
        topic: line.topic.clone().into_owned(),
        partition: None,
        key: line.key.as_deref().map(Bytes::copy_from_slice),
        payload: value,
        headers: Vec::new(),
        // Kafka's "no time" is below zero, and librdkafka reads zero as now.
        timestamp: Some(line.timestamp + shift_ms).filter(|&ms| ms > 0),
    }
}
