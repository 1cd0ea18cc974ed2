//! The connection to Redis: made when first needed, given up when it fails, made again by the next call.
//!
//! Redis's own `ConnectionManager` would reconnect too, but a reply that never comes leaves it with the dead connection
//! until TCP gives up. Here a call that runs into its limit takes the connection with it.

use std::time::Duration;

use redis::{Cmd, Pipeline, RedisError, RedisFuture, Value, aio, cluster, cluster_async};
use tokio::{sync::Mutex, time::Instant};

use super::address::{CONNECT_TIMEOUT, Server};
use crate::store::StoreError;

/// How this store is called in errors.
const STORE: &str = "Redis";

/// After a failed attempt to connect, calls get its error for this long instead of making another.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// A connection to one node or to a cluster; clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    Single(aio::MultiplexedConnection),
    Cluster(cluster_async::ClusterConnection),
}

impl aio::ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// The connection in use, if there is one.
#[derive(Default)]
struct Slot {
    /// Counts connections, so that an old call's failure does not take a new connection down.
    generation: u64,
    connection: Option<Connection>,
    /// When the last attempt failed, and why.
    failed: Option<(Instant, String)>,
}

/// A server and the way to it.
pub(super) struct Link {
    server: Server,
    slot: Mutex<Slot>,
}

impl Link {
    /// Does not connect yet.
    pub(super) fn new(server: Server) -> Self {
        Self { server, slot: Mutex::default() }
    }

    /// Runs one exchange on the shared connection within `limit`, connecting included.
    ///
    /// # Errors
    /// `Unavailable`, `Foreign` for a key of another type.
    pub(super) async fn call<T, F>(&self, limit: Duration, exchange: F) -> Result<T, StoreError>
    where
        F: AsyncFnOnce(Connection) -> Result<T, RedisError>,
    {
        let deadline = Instant::now() + limit;
        let (generation, connection) = tokio::time::timeout_at(deadline, self.shared())
            .await
            .unwrap_or_else(|_| Err(unavailable("no connection in time")))?;
        let error = match tokio::time::timeout_at(deadline, exchange(connection)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) if error.code() == Some("WRONGTYPE") => return Err(wrong_type("a key")),
            Ok(Err(error)) if !lost(&error) => return Err(refused(&error)),
            Ok(Err(error)) => refused(&error),
            Err(_) => unavailable("no answer in time"),
        };
        let mut slot = self.slot.lock().await;
        if slot.generation == generation {
            slot.connection = None;
        }
        Err(error)
    }

    /// A connection of the caller's own, for what would keep others waiting.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(super) async fn own(&self, response: Duration) -> Result<Connection, StoreError> {
        match tokio::time::timeout(CONNECT_TIMEOUT * 2, self.connect(response)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(unavailable("no connection in time")),
        }
    }

    async fn shared(&self) -> Result<(u64, Connection), StoreError> {
        let mut slot = self.slot.lock().await;
        if let Some(connection) = &slot.connection {
            return Ok((slot.generation, connection.clone()));
        }
        if let Some((at, message)) = &slot.failed
            && at.elapsed() < RECONNECT_PAUSE
        {
            return Err(unavailable(message));
        }
        // The limit of each call is ours; the client's own (500 ms if unset) only has to be above all of them.
        match self.own(Duration::from_secs(60)).await {
            Ok(connection) => {
                slot.generation += 1;
                slot.connection = Some(connection.clone());
                slot.failed = None;
                Ok((slot.generation, connection))
            }
            Err(error) => {
                if let StoreError::Unavailable { message, .. } = &error {
                    slot.failed = Some((Instant::now(), message.clone()));
                }
                Err(error)
            }
        }
    }

    async fn connect(&self, response: Duration) -> Result<Connection, RedisError> {
        match &self.server {
            Server::Single(client) => {
                let config = redis::AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_TIMEOUT))
                    .set_response_timeout(Some(response));
                Ok(Connection::Single(client.get_multiplexed_async_connection_with_config(&config).await?))
            }
            Server::Cluster(client) => {
                let config = cluster::ClusterConfig::new()
                    .set_connection_timeout(CONNECT_TIMEOUT)
                    .set_response_timeout(response);
                Ok(Connection::Cluster(client.get_async_connection_with_config(config).await?))
            }
        }
    }
}

/// Whether the connection is of no more use. A server's own refusal (`OOM`, `LOADING`, `BUSY`) leaves it standing; a
/// replica that was a master before wants another server behind the same name, hence a new connection.
fn lost(error: &RedisError) -> bool {
    use redis::{ErrorKind, ServerErrorKind};
    !matches!(error.kind(), ErrorKind::Server(kind) if kind != ServerErrorKind::ReadOnly)
        && error.kind() != ErrorKind::Extension
}

/// What the server or the way to it refused.
pub(super) fn refused(error: &RedisError) -> StoreError {
    match error.code() {
        Some("MOVED" | "ASK") => {
            unavailable("it is a cluster's node: REDIS_URL must begin redis-cluster:// (or rediss-)")
        }
        _ => unavailable(&error.to_string()),
    }
}

/// The outcome is unknown, or the server will not do it now.
pub(super) fn unavailable(message: &str) -> StoreError {
    StoreError::Unavailable { store: STORE, message: message.to_owned() }
}

/// A key that holds something else than we write there.
pub(super) fn wrong_type(key: &str) -> StoreError {
    StoreError::Foreign {
        key: key.to_owned(),
        message: "its type is not what citytwin keeps there: rename or delete it, or choose another database"
            .to_owned(),
    }
}
