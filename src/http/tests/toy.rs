//! A small schema behind the real router on a free port, for tests of the layers above a schema.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, Error, Object, Result, Schema, Subscription};
use async_stream::stream;
use axum::body::Bytes;
use futures_util::{FutureExt, Stream, future::BoxFuture, stream as streams};
use serde_json::json;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{GraphqlConfig, HttpConfig},
    graphql::caller::Caller,
    http::{
        AppState,
        api::Api,
        auth::Auth,
        connections::Connections,
        health::{Probe, Readiness, Role},
        serve,
        state::{CityImport, DeltasAnswer, ImportAnswer, ImportError, StateAnswer, StateSource},
    },
};

/// What tests see of the schema's inside.
#[derive(Clone, Default)]
pub struct Seen {
    /// Events that subscriptions were asked for.
    pub events: Arc<AtomicUsize>,
    /// What mutations added up.
    pub sum: Arc<AtomicUsize>,
    /// Subscriptions that were dropped or ended.
    pub ended: Arc<AtomicUsize>,
    /// Asks for a restart of the server on the same port.
    pub restart: Arc<Notify>,
}

/// Counts the end of a subscription.
struct CountEnd(Seen);

impl Drop for CountEnd {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self, #[graphql(default_with = "String::from(\"world\")")] name: String) -> String {
        format!("hello {name}")
    }

    async fn double(&self, of: i32) -> i32 {
        of.wrapping_mul(2)
    }

    async fn inner(&self) -> Query {
        Query
    }

    async fn list(&self, first: i32) -> Vec<i32> {
        (0..first).collect()
    }

    async fn blob(&self, bytes: usize) -> String {
        "x".repeat(bytes.min(10_000_000))
    }

    async fn slow(&self, ms: u64) -> bool {
        sleep(Duration::from_millis(ms)).await;
        true
    }

    async fn failing(&self) -> Result<Option<bool>> {
        Err(Error::new("it fails"))
    }

    async fn panicking(&self) -> bool {
        assert!(std::hint::black_box(false), "on purpose");
        true
    }

    async fn may_change(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.data::<Caller>()?.may_change())
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn add(&self, ctx: &Context<'_>, by: usize, #[graphql(default)] after_ms: u64) -> Result<usize> {
        ctx.data::<Caller>()?.require_change()?;
        sleep(Duration::from_millis(after_ms)).await;
        Ok(ctx.data::<Seen>()?.sum.fetch_add(by, Ordering::SeqCst) + by)
    }

    async fn restart(&self, ctx: &Context<'_>) -> Result<bool> {
        ctx.data::<Seen>()?.restart.notify_one();
        Ok(true)
    }
}

pub struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn count(
        &self,
        ctx: &Context<'_>,
        to: i32,
        #[graphql(default)] every_ms: u64,
    ) -> Result<impl Stream<Item = i32> + use<>> {
        let end = CountEnd(ctx.data::<Seen>()?.clone());
        Ok(stream! {
            let _end = end;
            for n in 1..=to {
                sleep(Duration::from_millis(every_ms)).await;
                yield n;
            }
        })
    }

    /// As much as is taken.
    async fn flood(&self, ctx: &Context<'_>, bytes: usize) -> Result<impl Stream<Item = String> + use<>> {
        let seen = ctx.data::<Seen>()?.clone();
        let end = CountEnd(seen.clone());
        Ok(stream! {
            let _end = end;
            loop {
                seen.events.fetch_add(1, Ordering::SeqCst);
                yield "x".repeat(bytes);
            }
        })
    }

    /// Every second event fails.
    async fn halting(&self) -> impl Stream<Item = Result<i32>> {
        streams::iter((1..=3).map(|n| if n == 2 { Err(Error::new("the second fails")) } else { Ok(n) }))
    }

    async fn refused(&self) -> Result<impl Stream<Item = i32>> {
        Err::<streams::Empty<i32>, _>(Error::new("not now"))
    }
}

/// The state that the toy publishes: two boundaries of epoch 7, 5 s apart.
pub struct ToyState;

pub const BOUNDARY: i64 = 1_767_571_200_000;

impl StateSource for ToyState {
    fn current(&self) -> Option<StateAnswer> {
        let timestamp = "2026-01-05T00:00:00.000Z".to_owned();
        let padding = "L'Aquila ".repeat(500);
        let json = json!({ "cityId": "laquila", "timestamp": timestamp, "padding": padding });
        Some(StateAnswer { json: json.to_string().into(), timestamp, timestamp_ms: BOUNDARY, epoch: 7 })
    }

    fn deltas_since(&self, timestamp_ms: i64) -> DeltasAnswer {
        if timestamp_ms == BOUNDARY {
            DeltasAnswer::Deltas(Bytes::from_static(br#"{"epoch":7,"deltas":[]}"#))
        } else {
            DeltasAnswer::Gone
        }
    }
}

/// Nothing is published yet.
pub struct NoState;

impl StateSource for NoState {
    fn current(&self) -> Option<StateAnswer> {
        None
    }

    fn deltas_since(&self, _: i64) -> DeltasAnswer {
        DeltasAnswer::NotReady
    }
}

/// Answers by what the body says.
pub struct ToyImport;

impl CityImport for ToyImport {
    fn import(&self, file: Bytes) -> BoxFuture<'static, ImportAnswer> {
        async move {
            match &*file {
                b"\"other\"" => ImportAnswer::OtherCity("this server holds laquila".into()),
                b"\"invalid\"" => ImportAnswer::Invalid(vec![ImportError {
                    path: "districts.1.id".into(),
                    message: "`a` is there twice".into(),
                }]),
                b"\"replica\"" => ImportAnswer::Replica(Some("http://127.0.0.1:8081".into())),
                b"\"unavailable\"" => ImportAnswer::Unavailable("the store does not answer".into()),
                body => ImportAnswer::Imported(json!({ "bytes": body.len() })),
            }
        }
        .boxed()
    }
}

struct ToyProbe;

impl Probe for ToyProbe {
    fn readiness(&self) -> Readiness {
        Readiness { ready: false, role: Role::Replica, epoch: Some(7), degraded: Vec::new() }
    }

    fn metrics(&self) -> String {
        "# TYPE toy gauge\ntoy 1\n".into()
    }
}

/// Settings like the defaults; tests change what they are about.
pub fn settings() -> (HttpConfig, GraphqlConfig) {
    let http = HttpConfig {
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        admin_token: None,
        allowed_origins: vec!["https://map.example".into()],
        map_background: None,
        map_attribution: None,
        max_body_bytes: 64 * 1024,
        max_city_bytes: 1024,
    };
    let graphql = GraphqlConfig {
        max_depth: 16,
        max_complexity: 500,
        max_aliases: 20,
        max_directives: 5,
        timeout: Duration::from_millis(500),
        max_page: 100,
        max_operations_per_socket: 5,
        max_sockets_per_address: 2000,
        connection_init_timeout: Duration::from_secs(3),
        write_timeout: Duration::from_secs(10),
        ping_interval: Duration::from_secs(25),
        stall_timeout: Duration::from_secs(30),
    };
    (http, graphql)
}

pub fn schema(config: &GraphqlConfig, seen: &Seen) -> Schema<Query, Mutation, Subscriptions> {
    Schema::build(Query, Mutation, Subscriptions)
        .limit_depth(config.max_depth)
        .limit_complexity(config.max_complexity)
        .limit_directives(config.max_directives)
        .data(seen.clone())
        .finish()
}

pub fn state(http: HttpConfig, graphql: GraphqlConfig, seen: &Seen) -> AppState {
    let schema = schema(&graphql, seen);
    AppState {
        sdl: schema.sdl().into(),
        api: Api::new(schema, &graphql),
        auth: Auth::new(&http),
        http: Arc::new(http),
        graphql: Arc::new(graphql),
        connections: Connections::default(),
        state: Arc::new(ToyState),
        city: Arc::new(ToyImport),
        city_live: None,
        probe: Arc::new(ToyProbe),
        shutdown: CancellationToken::new(),
    }
}

/// A running server; it stops when it is dropped.
pub struct Server {
    pub addr: SocketAddr,
    pub seen: Seen,
    pub app: AppState,
    pub stop: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Server {
    /// Starts on a free port. Whoever runs `mutation { restart }` gets a new server on the same port.
    pub async fn start(http: HttpConfig, graphql: GraphqlConfig) -> Self {
        let seen = Seen::default();
        let listener = TcpListener::bind(http.addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let app = state(http, graphql, &seen);
        let stop = CancellationToken::new();
        let task = tokio::spawn(run(listener, app.clone(), stop.clone(), seen.restart.clone()));
        Self { addr, seen, app, stop, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn run(mut listener: TcpListener, mut app: AppState, stop: CancellationToken, restart: Arc<Notify>) {
    let addr = listener.local_addr().unwrap();
    loop {
        let shutdown = app.shutdown.clone();
        let mut served = tokio::spawn(serve(listener, app.clone(), Duration::from_secs(5)));
        tokio::select! {
            () = stop.cancelled() => {}
            () = restart.notified() => {}
            ended = &mut served => ended.unwrap(),
        }
        shutdown.cancel();
        if !served.is_finished() {
            served.await.unwrap();
        }
        if stop.is_cancelled() {
            return;
        }
        // Somebody's outgoing connection may have the port for a moment.
        listener = loop {
            match TcpListener::bind(addr).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        app.shutdown = CancellationToken::new();
        app.connections = Connections::default();
    }
}
