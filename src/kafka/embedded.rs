//! The embedded broker: librdkafka's mock cluster, in this process, for the demo and for tests.

use std::{
    net::Ipv4Addr,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use rdkafka::mocking::MockCluster;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
};

use super::{KafkaError, topics::TopicSpec};

/// The most connections that the fixed bootstrap port forwards at a time. Clients use it only to learn the broker's own
/// address, so a few would do; the bound keeps a stranger from taking all file descriptors.
const MAX_FORWARDED: usize = 128;

/// A Kafka broker in memory, on loopback, that lives as long as this value. Drop it after every client of it.
///
/// It is librdkafka's `MockCluster`: any Kafka client on this machine can produce to it and read from it, with every codec,
/// headers and idempotence. What it is not:
/// - nothing is kept on disk; each start begins empty, at offset 0, under a new [`super::Cluster::id`];
/// - a partition holds 5 MiB and 100,000 batches, then the oldest vanish without an error: a reader that lags simply finds
///   itself further on, and one at the beginning may starve, so on a hole go to the end;
/// - a batch above 2 MiB must not be sent: when trimming empties a partition, its newest batch cannot be read;
/// - no admin requests, no transactions, no offsets by time, no retention settings; topics exist from the start;
/// - a group's join takes seconds: assign partitions by hand.
#[derive(Debug)]
pub struct EmbeddedBroker {
    brokers: String,
    bootstrap: String,
    start_id: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts the broker with the topics of [`TopicSpec::all`]. With a `port` it can also be reached at
    /// `127.0.0.1:port`, else only at an address that the kernel chose.
    ///
    /// # Errors
    /// `KafkaError::Embedded` where the port is taken or librdkafka fails.
    pub fn start(input_partitions: i32, port: Option<u16>) -> Result<Self, KafkaError> {
        Self::with_topics(&TopicSpec::all(input_partitions), port)
    }

    /// Starts the broker with these topics.
    pub fn with_topics(topics: &[TopicSpec], port: Option<u16>) -> Result<Self, KafkaError> {
        let listener = port
            .map(|port| std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            .transpose()
            .map_err(|error| KafkaError::Embedded(format!("port {}: {error}", port.unwrap_or_default())))?;
        let topics = topics.to_vec();
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        // The mock cluster may not leave the thread that made it.
        let thread = std::thread::Builder::new()
            .name("embedded-kafka".into())
            .spawn(move || {
                let cluster = match start_cluster(&topics) {
                    Ok(cluster) => cluster,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let address = cluster.bootstrap_servers();
                // Current-thread: the forwarder copies a few bytes at each client's start.
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().build() {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(ready.send(Err(KafkaError::Embedded(error.to_string())))),
                };
                if ready.send(Ok(address.clone())).is_err() {
                    return;
                }
                runtime.block_on(async {
                    match listener {
                        None => drop(stopped.await),
                        Some(listener) => tokio::select! {
                            _ = stopped => {}
                            () = forward(listener, address) => {}
                        },
                    }
                });
            })
            .map_err(|error| KafkaError::Embedded(error.to_string()))?;
        let brokers = started.recv().map_err(|_| KafkaError::Embedded("its thread ended".into()))??;
        Ok(Self {
            bootstrap: port.map_or_else(|| brokers.clone(), |port| format!("127.0.0.1:{port}")),
            brokers,
            start_id: format!("{:016x}", fastrand::u64(..)),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The broker's own address, for the clients of this process.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// The address to give to others: the fixed port where one was asked for.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Tells this start from every other.
    pub(super) fn start_id(&self) -> &str {
        &self.start_id
    }
}

/// How librdkafka's mock cluster begins its identity; its own address follows, which a later start may have as well.
const MOCK: &str = "mockCluster";

/// The identity that stored offsets belong to, of what the mock cluster calls itself and of its start. Clients of other
/// processes learn only the first part.
pub(super) fn identity(told: &str, start_id: &str) -> String {
    format!("{told}/{start_id}")
}

/// Whether a cluster that tells this identity is an embedded broker, of whichever process.
pub(super) fn is_identity(told: &str) -> bool {
    told.starts_with(MOCK)
}

/// Whether what is stored under one identity belongs to the cluster that tells the other.
pub fn is_same_cluster(stored: &str, told: &str) -> bool {
    // No real cluster's identity has a slash: those are UUIDs in base64 for URLs.
    stored.strip_prefix(told).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn start_cluster(
    topics: &[TopicSpec],
) -> Result<MockCluster<'static, impl rdkafka::ClientContext + use<>>, KafkaError> {
    let failed = |error: rdkafka::error::KafkaError| KafkaError::Embedded(error.to_string());
    let cluster = MockCluster::new(1).map_err(failed)?;
    let address = cluster.bootstrap_servers();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The mock's thread sometimes misses the word that a topic is asked for, and then sleeps on for a second each time;
        // a connection wakes it.
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                drop(std::net::TcpStream::connect(&address));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let made = topics.iter().try_for_each(|topic| cluster.create_topic(&topic.name, topic.partitions, 1));
        done.store(true, Ordering::Release);
        made.map_err(failed)
    })?;
    Ok(cluster)
}

/// Copies bytes between the fixed port and the broker. Clients learn the broker's own address over it and then connect
/// there, which works because both are on loopback.
async fn forward(listener: std::net::TcpListener, broker: String) {
    let listener = match listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener)) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "embedded broker cannot listen on its fixed port");
            return std::future::pending().await;
        }
    };
    let slots = std::sync::Arc::new(Semaphore::new(MAX_FORWARDED));
    loop {
        let Ok(slot) = std::sync::Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((mut client, _)) = listener.accept().await else {
            // Out of file descriptors: let others give some back instead of spinning.
            tokio::task::yield_now().await;
            continue;
        };
        let broker = broker.clone();
        tokio::spawn(async move {
            if let Ok(mut server) = TcpStream::connect(broker).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
            drop(slot);
        });
    }
}
