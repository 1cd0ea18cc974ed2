//! The one place that knows every subsystem: builds a server from its settings, runs it, drains it.

use std::{io::Write as _, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    city_live::{feeds::FeedId, message::LiveTopic, producer},
    config::{Brokers, CityLiveRole, Config, ConfigError},
    graphql,
    http::{self, AppState, api::Api, auth::Auth, connections::Connections},
    ingest::Fold,
    instance::{Health, Instance, Parts, Trouble},
    kafka::{
        Cluster, EmbeddedBroker,
        topics::{TopicReport, TopicSpec, TopicWarning},
    },
    live::Hub,
    publish::Chain,
    store, telemetry,
    twin::{city::City, event::Topic, model::Kind, reject::Code, snapshot::CityFile},
    writer::Operator,
};

mod answers;
mod city_live;
mod feed;
mod observe;
mod progress;

use answers::{Answers, OneMoment};
use city_live::CityLiveParts;
pub use feed::Demo;

/// How long requests and sockets may take to end after everything else is done.
const GRACE: Duration = Duration::from_secs(2);
/// How long the instance may take to end: flush, lease, Kafka. With [`GRACE`] below the contract's 10 s.
const INSTANCE_GRACE: Duration = Duration::from_secs(7);
/// The city of the catalogue that the demo's twin is.
const DEMO_CITY: &str = "laquila";
/// How long to wait before a broker that does not answer is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// Runs a server until `stop` is cancelled; with `demo`, a simulated city sends its events to it through Kafka.
///
/// # Errors
/// What keeps it from starting: settings that contradict each other, a city file with errors, a port that is taken. What
/// fails later is retried, and readiness says so.
pub async fn run(mut config: Config, demo: Option<Demo>, stop: CancellationToken) -> Result<()> {
    telemetry::announce(&telemetry::Known {
        topics: &Topic::ALL.map(Topic::name),
        codes: &Code::ALL.map(Code::name),
        kinds: &Kind::ALL.map(Kind::prefix),
        live_topics: &LiveTopic::ALL.map(LiveTopic::name),
        live_feeds: &FeedId::ALL.map(FeedId::name),
    });
    let simulated = demo.is_some();
    let city_file = match &demo {
        Some(demo) => Some(parse_city_file(demo.city_file()).map_err(|error| anyhow!("the simulated city: {error}"))?),
        None => read_city_file(&config)?,
    };
    let city_id = config.city.agreed_id(city_file.as_ref().map(|file| file.city_id.as_str()))?;
    let store = store::open(&config.store, &city_id).await?;
    let listener = TcpListener::bind(config.http.addr)
        .await
        .with_context(|| format!("HTTP_ADDR: {} cannot be listened on", config.http.addr))?;
    let address = listener.local_addr()?;
    // Dropped last: every client of the embedded broker must be gone by then.
    let broker = match config.kafka.brokers {
        Brokers::Embedded => {
            let port = Some(config.kafka.embedded_port).filter(|port| *port > 0);
            Some(EmbeddedBroker::with_topics(&topics(&config), port)?)
        }
        Brokers::List(_) => None,
    };
    let cluster = match &broker {
        Some(broker) => Cluster::embedded(&config.kafka, broker),
        None => Cluster::remote(&config.kafka)?,
    };
    cluster.check(&config.publish.compression).await?;
    let retention_ms = config.ingest.incident_retention.map(|retention| retention.as_millis() as i64);
    let fold = Fold::new(City::new(&city_id, &config.city.name, retention_ms));
    let chain = Arc::new(Chain::default());
    let health = Arc::new(Health::default());
    let (operator, commands) = Operator::channel();
    let city_live = CityLiveParts::open(&config, simulated)?;
    // Kept while it runs: the simulated APIs end with it.
    let _simulated = match &city_live {
        Some(parts) if simulated => Some(parts.simulate(&mut config).await?),
        _ => None,
    };
    let mut schema = graphql::schema_builder(&config.graphql)
        .data(Arc::clone(&fold))
        .data(operator.clone())
        .data(Arc::clone(&chain))
        .data(Hub::new(Arc::clone(&fold), Arc::clone(&chain), &config.live));
    if let Some(parts) = &city_live {
        schema = schema.data(Arc::clone(&parts.live));
    }
    let schema = schema.finish();
    let answers = Answers::new(Arc::clone(&chain), Arc::clone(&health), operator);
    let closing = CancellationToken::new();
    let state = AppState {
        api: Api::new(OneMoment(schema), &config.graphql),
        auth: Auth::new(&config.http),
        http: Arc::new(config.http.clone()),
        graphql: Arc::new(config.graphql.clone()),
        connections: Connections::default(),
        state: Arc::new(answers.clone()),
        city: Arc::new(answers.clone()),
        city_live: city_live.as_ref().map(|parts| Arc::clone(&parts.live)),
        probe: Arc::new(answers),
        sdl: graphql::sdl().into(),
        shutdown: closing.clone(),
    };
    let serving = tokio::spawn(http::serve(listener, state, GRACE));
    tracing::info!(%address, city = city_id, "listening");
    if demo.is_some() {
        print_address(address, broker.as_ref());
    }

    let address = config.writer.advertised_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let observing = tokio::spawn(observe::run(
        cluster.clone(),
        Arc::clone(&fold),
        Arc::clone(&health),
        config.store.redis_url.is_none(),
    ));
    let wanted = topics(&config);
    let connected = tokio::select! {
        connected = connect(&cluster, &wanted, &health) => Some(connected),
        () = stop.cancelled() => None,
    };
    if let Some(cluster_id) = connected {
        let feeding = demo.map(|demo| tokio::spawn(demo.run(cluster.clone(), Arc::clone(&fold), Arc::clone(&health))));
        tokio::spawn(progress::show(cluster.clone(), Arc::clone(&fold), Arc::clone(&health)));
        let holder = format!("{}-{}-{:016x}", config.kafka.client_id, std::process::id(), fastrand::u64(..));
        let running = city_live.map(|parts| {
            if simulated {
                tokio::spawn(city_live::choose_first(Arc::clone(&parts.live), DEMO_CITY));
            }
            let service = parts.service(&config, &cluster, &cluster_id, &health, &holder, simulated);
            tokio::spawn(service.run(stop.clone()))
        });
        let instance = Instance::new(Parts {
            cluster: cluster.clone(),
            cluster_id,
            store,
            fold,
            chain,
            health,
            commands,
            city_id,
            city_name: config.city.name.clone(),
            city_file,
            judgement: (&config.ingest).into(),
            batch_size: config.ingest.batch_size,
            retention_ms,
            writer: config.writer.clone(),
            publish: config.publish.clone(),
            holder,
            address,
        });
        let mut living = tokio::spawn(instance.run(stop.clone()));
        tokio::select! {
            ended = &mut living => ended.context("the instance ended by itself")?,
            () = stop.cancelled() => {
                if let Some(feeding) = &feeding {
                    feeding.abort();
                }
                if tokio::time::timeout(INSTANCE_GRACE, &mut living).await.is_err() {
                    tracing::warn!("the instance did not end in time");
                    living.abort();
                }
            }
        }
        if let Some(mut running) = running
            && tokio::time::timeout(GRACE, &mut running).await.is_err()
        {
            tracing::warn!("City Live did not end in time");
            running.abort();
        }
    }
    observing.abort();
    closing.cancel();
    if tokio::time::timeout(GRACE + Duration::from_secs(1), serving).await.is_err() {
        tracing::warn!("requests did not end in time");
    }
    drop(cluster);
    drop(broker);
    tracing::info!("stopped");
    Ok(())
}

/// The topics that this server needs.
fn topics(config: &Config) -> Vec<TopicSpec> {
    let mut topics = TopicSpec::all(config.kafka.topic_partitions);
    if config.city_live.role != CityLiveRole::Off {
        topics.extend(producer::topics(config.kafka.topic_partitions));
    }
    topics
}

fn read_city_file(config: &Config) -> Result<Option<CityFile>> {
    let Some(path) = &config.city.file else { return Ok(None) };
    let wrong = |problem| ConfigError::CityFile { file: path.display().to_string(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Ok(Some(parse_city_file(&text).map_err(wrong)?))
}

/// # Errors
/// What is wrong with it, the first few and how many more.
fn parse_city_file(text: &str) -> Result<CityFile, String> {
    CityFile::parse(text).map_err(|problems| {
        let shown: Vec<_> =
            problems.iter().take(5).map(|problem| format!("{} {}", problem.field, problem.message)).collect();
        let more = problems.len().saturating_sub(shown.len());
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}{more}", shown.join("; "))
    })
}

/// Waits for Kafka, makes the topics that are missing, and returns the cluster's identity.
async fn connect(cluster: &Cluster, specs: &[TopicSpec], health: &Health) -> String {
    loop {
        let connected = async {
            let report = cluster.ensure_topics(specs).await?;
            Ok::<(TopicReport, String), crate::kafka::KafkaError>((report, cluster.id().await?))
        };
        match connected.await {
            Ok((report, id)) => {
                if !report.created.is_empty() {
                    tracing::info!(topics = report.created.join(" "), "topics created");
                }
                for warning in report.warnings {
                    tracing::warn!(%warning, "a topic is not as it should be");
                    let topic = match &warning {
                        TopicWarning::MadeWithBrokerSettings { topic, .. } | TopicWarning::TooSmall { topic, .. } => {
                            topic
                        }
                    };
                    health.fault(&format!("{topic} settings"), Trouble::Behind, warning.to_string());
                }
                health.works("kafka");
                return id;
            }
            Err(error) => {
                tracing::warn!(%error, "kafka does not answer, trying again");
                health.fault("kafka", Trouble::Down, error.to_string());
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Tells a person at a terminal where to look.
fn print_address(address: std::net::SocketAddr, broker: Option<&EmbeddedBroker>) {
    let text = format!(
        "\n  A simulated L'Aquila is coming to life.\n\n    page       http://{address}/\n    City Live  http://{address}/city-live\n    GraphiQL   http://{address}/graphiql\n    state      http://{address}/api/state\n    Kafka      {}\n\n  Ctrl-C ends it.\n\n",
        broker.map_or("", EmbeddedBroker::bootstrap)
    );
    let mut out = std::io::stdout().lock();
    // Nobody may be reading; then nobody misses it.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
