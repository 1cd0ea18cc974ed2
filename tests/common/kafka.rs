//! A real Apache Kafka, from the jars that `scripts/services-deps` fetched.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock},
    time::Duration,
};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, Headers, OwnedHeaders},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use tempfile::TempDir;

use super::{
    certificates, eventually, eventually_blocking, ports,
    process::{Launch, Process},
    proxy::Proxy,
    services,
};

/// The biggest record the broker takes; states of 20 MB must pass.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
/// Time for an answer of a broker on this machine, also while all cores are busy with other tests.
const ANSWER: Duration = Duration::from_secs(30);

/// One broker with an empty log, which is its own controller.
#[derive(Debug)]
pub struct Broker {
    /// Past the proxy, for what the harness itself asks.
    direct: u16,
    process: Option<Process>,
    folder: TempDir,
    /// Where clients connect to: the broker itself or the proxy in front of it.
    bootstrap: String,
    /// Lives as long as the test process and is never dropped: its watchdog removes the folder.
    shared: bool,
}

impl Broker {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::start_with(None, &[])
    }

    /// Starts one that sends its clients through `proxy`, and points the proxy at it.
    pub fn start_behind(proxy: &Proxy) -> Self {
        Self::start_with(Some(proxy), &[])
    }

    /// Starts one with further broker properties, which win over ours.
    pub fn start_with(proxy: Option<&Proxy>, properties: &[(&str, &str)]) -> Self {
        Self::launch(proxy, properties, false)
    }

    /// Starts one whose clients must use TLS (the authority is [`Self::authority`]) and sign in by SCRAM-SHA-512.
    pub fn start_secured(user: &str, password: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificates::write(folder.path());
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it was just written");
        let keystore = folder.path().join("keystore.pem");
        std::fs::write(&keystore, read("server.key") + &read("server.crt")).expect("the folder is ours");
        let properties = [
            ("listener.security.protocol.map", "PLAINTEXT:SASL_SSL,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &keystore.display().to_string()),
            ("listener.name.plaintext.sasl.enabled.mechanisms", "SCRAM-SHA-512"),
            (
                "listener.name.plaintext.scram-sha-512.sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            ),
        ];
        let credential = format!("SCRAM-SHA-512=[name={user},password={password}]");
        Self::launch_in(folder, None, &properties, &["--add-scram", &credential], false)
    }

    /// The certificate of the authority that signed the one of [`Self::start_secured`] (PEM).
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// Where the harness's own clients connect to: neither TLS nor a password is asked for.
    pub fn direct(&self) -> String {
        format!("127.0.0.1:{}", self.direct)
    }

    fn launch(proxy: Option<&Proxy>, properties: &[(&str, &str)], shared: bool) -> Self {
        Self::launch_in(tempfile::tempdir().expect("a temporary folder"), proxy, properties, &[], shared)
    }

    fn launch_in(
        folder: TempDir,
        proxy: Option<&Proxy>,
        properties: &[(&str, &str)],
        format: &[&str],
        shared: bool,
    ) -> Self {
        let (port, direct, controller) = (ports::free(), ports::free(), ports::free());
        let bootstrap = proxy.map_or_else(|| format!("127.0.0.1:{port}"), Proxy::address);
        if let Some(proxy) = proxy {
            proxy.forward_to(&format!("127.0.0.1:{port}"));
        }
        let mut settings = broker_properties(port, direct, controller, &bootstrap, &folder);
        settings.extend(properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let text: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        std::fs::write(folder.path().join("server.properties"), text.join("\n")).expect("the folder is ours");
        let mut broker = Self { direct, process: None, folder, bootstrap, shared };
        broker.format(format);
        broker.start_again();
        broker
    }

    /// What goes into `KAFKA_BROKERS`.
    pub fn brokers(&self) -> String {
        self.bootstrap.clone()
    }

    /// Starts it once more on the same log and port, after [`Self::stop`] or [`Self::kill`], and waits until it answers.
    pub fn start_again(&mut self) {
        let args = java_args(&["kafka.Kafka", "server.properties"]);
        let args: Vec<String> = args.into_iter().map(|arg| self.absolute(arg)).collect();
        let log = self.folder.path().join("broker.log");
        self.process = Some(Process::start(&Launch {
            program: &java(),
            args: &args,
            env: &[],
            dir: self.folder.path(),
            log: &log,
            clean: self.shared.then(|| self.folder.path()),
        }));
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.direct())
            // The log of refused connections while it starts would only frighten.
            .set("log_level", "0")
            .set("reconnect.backoff.max.ms", "100")
            .create()
            .expect("a client needs no broker");
        let up = eventually_blocking(Duration::from_secs(60), || {
            let metadata = client.fetch_metadata(None, Duration::from_secs(1)).map_err(|error| error.to_string())?;
            if metadata.brokers().is_empty() { Err("no broker yet".to_owned()) } else { Ok(()) }
        });
        if let Err(still) = up {
            let tail = self.process.as_ref().map(|process| process.log_tail(40)).unwrap_or_default();
            panic!("Kafka: {still}\n{tail}");
        }
    }

    /// An orderly stop (SIGTERM); the log stays.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            let mut process = process;
            process.terminate(Duration::from_secs(30));
        }
    }

    /// `kill -9`; the log stays.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Stops it in its tracks (SIGSTOP): connections stay, nothing answers.
    pub fn freeze(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal("STOP");
        }
    }

    /// Lets a frozen one go on.
    pub fn thaw(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal("CONT");
        }
    }

    /// Writes the metadata log that a KRaft broker must find.
    fn format(&self, more: &[&str]) {
        let id = uuid();
        let main = ["kafka.tools.StorageTool", "format", "-t", &id, "-c", "server.properties"];
        let args = java_args(&[&main, more].concat());
        let output = Command::new(java())
            .args(args.into_iter().map(|arg| self.absolute(arg)))
            .output()
            .expect("java starts: Kafka needs Java 17 or later");
        assert!(output.status.success(), "StorageTool: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn absolute(&self, arg: String) -> String {
        if arg == "server.properties" { self.folder.path().join(arg).display().to_string() } else { arg }
    }

    fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.exited().is_none())
    }
}

fn broker_properties(
    port: u16,
    direct: u16,
    controller: u16,
    bootstrap: &str,
    folder: &TempDir,
) -> BTreeMap<String, String> {
    let logs = folder.path().join("log");
    let big = MAX_MESSAGE_BYTES.to_string();
    [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", "1".to_owned()),
        // What the broker says to itself does not go through a proxy.
        (
            "listeners",
            format!("PLAINTEXT://127.0.0.1:{port},DIRECT://127.0.0.1:{direct},CONTROLLER://127.0.0.1:{controller}"),
        ),
        ("advertised.listeners", format!("PLAINTEXT://{bootstrap},DIRECT://127.0.0.1:{direct}")),
        ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned()),
        ("inter.broker.listener.name", "DIRECT".to_owned()),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
        ("log.dirs", logs.display().to_string()),
        // A topic that is asked for by mistake shall be an error and not a topic.
        ("auto.create.topics.enable", "false".to_owned()),
        ("offsets.topic.replication.factor", "1".to_owned()),
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("transaction.state.log.replication.factor", "1".to_owned()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("transaction.state.log.min.isr", "1".to_owned()),
        ("share.coordinator.state.topic.replication.factor", "1".to_owned()),
        ("share.coordinator.state.topic.min.isr", "1".to_owned()),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        // After a kill the controller waits until the broker's old session is over: 9 s by default.
        ("broker.session.timeout.ms", "3000".to_owned()),
        ("broker.heartbeat.interval.ms", "500".to_owned()),
        ("message.max.bytes", big.clone()),
        ("replica.fetch.max.bytes", big.clone()),
        ("socket.request.max.bytes", (2 * MAX_MESSAGE_BYTES).to_string()),
        ("fetch.max.bytes", big),
        ("log.cleaner.dedupe.buffer.size", "16777216".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// `java` of `JAVA_HOME`, else of `PATH`.
fn java() -> PathBuf {
    std::env::var_os("JAVA_HOME").map_or_else(|| PathBuf::from("java"), |home| PathBuf::from(home).join("bin/java"))
}

fn java_args(main: &[&str]) -> Vec<String> {
    let jars = services().join("kafka/libs");
    assert!(jars.is_dir(), "{} is missing: run `scripts/services-deps`", jars.display());
    // Kafka's own name for them. Left alone, a broker compiles little and starts soon.
    let jit = std::env::var("KAFKA_JVM_PERFORMANCE_OPTS").unwrap_or_else(|_| "-XX:TieredStopAtLevel=1".into());
    ["-Xmx512m", "-XX:+UseSerialGC"]
        .into_iter()
        .chain(jit.split_whitespace())
        .chain(["-cp", &format!("{}/*", jars.display())])
        .chain(main.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// A cluster id as Kafka makes them: 16 random bytes in URL-safe base64, never beginning with a dash.
fn uuid() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // 22 letters hold 132 bits; the last one must leave the four surplus bits 0, as `A` does.
    let mut id: String = (0..21).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])).collect();
    id.push('A');
    id
}

/// The broker that all tests of this process share, started with the first call. Its tests use topics of their own names.
pub fn brokers() -> String {
    static SHARED: OnceLock<Mutex<Broker>> = OnceLock::new();
    SHARED
        .get_or_init(|| Mutex::new(Broker::launch(None, &[], true)))
        .lock()
        .expect("no test panics with it in hand")
        .brokers()
}

static IDLE: Mutex<Vec<Broker>> = Mutex::new(Vec::new());

/// A broker for one test alone, without any topic: citytwin's topics have fixed names, so two of its servers can share a
/// broker only if they are meant to.
///
/// Starting one costs seconds of CPU, so it is given back at the end and the next test gets it, emptied.
#[derive(Debug)]
pub struct Kafka {
    broker: Option<Broker>,
}

impl Kafka {
    /// An idle one, emptied, else a new one.
    pub async fn fresh() -> Self {
        let idle = IDLE.lock().expect("nothing panics in between").pop();
        let broker = match idle {
            Some(broker) => {
                delete_topics(&broker.brokers()).await;
                broker
            }
            None => tokio::task::spawn_blocking(|| Broker::launch(None, &[], true)).await.expect("Kafka starts"),
        };
        Self { broker: Some(broker) }
    }

    /// What goes into `KAFKA_BROKERS`.
    pub fn brokers(&self) -> String {
        self.broker.as_ref().map(Broker::brokers).unwrap_or_default()
    }

    /// The broker's process.
    pub fn pid(&self) -> u32 {
        self.broker.as_ref().and_then(|broker| broker.process.as_ref()).map_or(0, Process::pid)
    }

    /// Stops it in its tracks (SIGSTOP): connections stay, nothing answers.
    pub fn freeze(&mut self) {
        if let Some(broker) = &mut self.broker {
            broker.freeze();
        }
    }

    /// Lets a frozen one go on.
    pub fn thaw(&mut self) {
        if let Some(broker) = &mut self.broker {
            broker.thaw();
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if let Some(mut broker) = self.broker.take()
            && broker.is_running()
            && let Ok(mut idle) = IDLE.lock()
        {
            // The test may have failed while it was frozen.
            broker.thaw();
            idle.push(broker);
        }
    }
}

/// A topic to create.
#[derive(Debug, Clone, Default)]
pub struct Topic<'a> {
    pub name: &'a str,
    pub partitions: i32,
    /// Topic configuration such as `("retention.ms", "-1")`.
    pub config: Vec<(&'a str, &'a str)>,
}

impl<'a> Topic<'a> {
    /// One that keeps records of any age: a recorded day is older than the broker's default week.
    pub fn for_recording(name: &'a str, partitions: i32) -> Self {
        Self { name, partitions, config: vec![("retention.ms", "-1")] }
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("log_level", "3");
    config
}

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    client(brokers).create().expect("an admin client")
}

/// Creates topics; one that is already there is an error.
pub async fn create_topics(brokers: &str, topics: &[Topic<'_>]) {
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| NewTopic {
            name: topic.name,
            num_partitions: topic.partitions,
            replication: TopicReplication::Fixed(1),
            config: topic.config.clone(),
        })
        .collect();
    let results = admin(brokers)
        .create_topics(&new, &AdminOptions::new().operation_timeout(Some(ANSWER)))
        .await
        .expect("the broker answers");
    for result in results {
        result.unwrap_or_else(|(topic, error)| panic!("topic {topic}: {error}"));
    }
    // The broker's answer comes before its own metadata has the topic.
    eventually(ANSWER, || async {
        let there = topic_names(brokers).await;
        topics.iter().find(|topic| !there.contains(&topic.name.to_owned())).map_or(Ok(()), |lacking| Err(lacking.name))
    })
    .await;
}

/// Changes a topic's configuration to these settings alone.
pub async fn configure_topic(brokers: &str, topic: &str, settings: &[(&str, &str)]) {
    let mut config = AlterConfig::new(ResourceSpecifier::Topic(topic));
    for &(name, value) in settings {
        config = config.set(name, value);
    }
    let options = AdminOptions::new().request_timeout(Some(ANSWER));
    let results = admin(brokers).alter_configs([&config], &options).await.expect("the broker answers");
    for result in results {
        result.unwrap_or_else(|(resource, error)| panic!("{resource:?}: {error}"));
    }
}

/// The names of all topics but the broker's own.
pub async fn topic_names(brokers: &str) -> Vec<String> {
    let config = client(brokers);
    blocking(move || {
        let consumer: BaseConsumer = config.create().expect("a client");
        let metadata = consumer.fetch_metadata(None, ANSWER).expect("the broker answers");
        metadata.topics().iter().map(|topic| topic.name().to_owned()).filter(|name| !name.starts_with("__")).collect()
    })
    .await
}

/// Deletes every topic but the broker's own, and waits until they are gone.
pub async fn delete_topics(brokers: &str) {
    let names = topic_names(brokers).await;
    if names.is_empty() {
        return;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let results = admin(brokers)
        .delete_topics(&names, &AdminOptions::new().operation_timeout(Some(ANSWER)))
        .await
        .expect("the broker answers");
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
            Err((topic, error)) => panic!("topic {topic}: {error}"),
        }
    }
    eventually(ANSWER, || async {
        let left = topic_names(brokers).await;
        if left.is_empty() { Ok(()) } else { Err(format!("still there: {left:?}")) }
    })
    .await;
}

/// One record, as produced or as read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    /// `None` when producing: the key decides.
    pub partition: Option<i32>,
    /// Only when reading.
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// Unix milliseconds; `None` when producing: now.
    pub timestamp: Option<i64>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// A record with a text key and value.
    pub fn new(topic: &str, key: &str, value: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            key: Some(key.as_bytes().to_vec()),
            value: Some(value.as_bytes().to_vec()),
            ..Self::default()
        }
    }

    /// With that time (Unix milliseconds).
    pub fn at(self, timestamp: i64) -> Self {
        Self { timestamp: Some(timestamp), ..self }
    }

    /// The text of a header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }

    /// The value as JSON; `Null` where there is none.
    pub fn json(&self) -> serde_json::Value {
        let value = self.value.as_deref().unwrap_or(b"null");
        serde_json::from_slice(value).unwrap_or_else(|error| panic!("{}@{}: {error}", self.topic, self.offset))
    }
}

/// Produces the records in their order and returns when the broker has acknowledged all.
pub async fn produce(brokers: &str, records: impl IntoIterator<Item = Record> + Send + 'static) {
    let mut config = client(brokers);
    config
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string())
        .set("queue.buffering.max.kbytes", "262144");
    blocking(move || {
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
        for record in records {
            send(&producer, &record);
        }
        producer.flush(Duration::from_secs(120)).expect("the broker acknowledges everything");
    })
    .await;
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, record: &Record) {
    let headers = record
        .headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_deref() }));
    let mut base: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&record.topic).headers(headers);
    base.key = record.key.as_deref();
    base.payload = record.value.as_deref();
    base.partition = record.partition;
    base.timestamp = record.timestamp;
    loop {
        match producer.send(base) {
            Ok(()) => return,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                std::thread::sleep(Duration::from_millis(5));
                base = back;
            }
            Err((error, _)) => panic!("produce to {}: {error}", record.topic),
        }
    }
}

/// Everything that a topic holds now, partition by partition in offset order.
pub async fn read_all(brokers: &str, topic: &str) -> Vec<Record> {
    let mut config = client(brokers);
    config
        .set("group.id", "read-all")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", "20")
        .set("fetch.message.max.bytes", MAX_MESSAGE_BYTES.to_string())
        .set("receive.message.max.bytes", (2 * MAX_MESSAGE_BYTES).to_string());
    let topic = topic.to_owned();
    blocking(move || {
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(&topic), ANSWER).expect("the broker answers");
        let partitions = metadata.topics()[0].partitions().len();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(&topic, partition as i32, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&list).expect("assigned");
        let mut ended = vec![false; partitions];
        let mut records = Vec::new();
        while !ended.iter().all(|&end| end) {
            match consumer.poll(ANSWER) {
                Some(Ok(message)) => records.push(owned(&message)),
                Some(Err(KafkaError::PartitionEOF(partition))) => ended[partition as usize] = true,
                Some(Err(error)) => panic!("read {topic}: {error}"),
                None => panic!("read {topic}: no answer within {ANSWER:?}"),
            }
        }
        records.sort_by_key(|record| (record.partition, record.offset));
        records
    })
    .await
}

/// A received message as a record that owns its bytes.
pub fn owned(message: &impl Message) -> Record {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Record {
        topic: message.topic().to_owned(),
        partition: Some(message.partition()),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        timestamp: message.timestamp().to_millis(),
        headers,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
