//! One suite that every store passes: `cases` runs on Redis, on a Redis Cluster and on the embedded store; what only one of
//! them can show stands in its own file.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{Commit, Lease, LeaseRequest, Row, StoreError, Table, TwinStore};

mod cases;
mod embedded;
mod measure;
mod proxy;
mod redis;
mod server;

/// Where one city is stored: opened as often as a test likes, each time as another process would.
#[async_trait::async_trait]
trait Place: Send + Sync {
    /// Opens the store.
    async fn open(&self) -> Arc<dyn TwinStore>;
    /// Empties it behind everybody's back.
    async fn empty(&self);
    /// Whether commits above 8 MiB go in chunks.
    fn chunked(&self) -> bool;
}

const MINUTE: Duration = Duration::from_secs(60);

/// A row to write.
fn row(table: Table, field: &str, value: &str) -> Row {
    Row { table, field: field.to_owned(), value: Some(Bytes::copy_from_slice(value.as_bytes())) }
}

/// A row to remove.
fn gone(table: Table, field: &str) -> Row {
    Row { table, field: field.to_owned(), value: None }
}

/// A commit of rows.
fn rows(rows: impl IntoIterator<Item = Row>) -> Commit {
    Commit { rows: rows.into_iter().collect(), ..Commit::default() }
}

/// Asks for the lease.
async fn ask(
    store: &dyn TwinStore,
    holder: &str,
    ttl: Duration,
    token: Option<u64>,
    above: u64,
) -> Result<Lease, StoreError> {
    store.lease(&LeaseRequest { holder, address: &format!("http://{holder}"), ttl, token, above }).await
}

/// Takes the lease, which must be free.
async fn take(store: &dyn TwinStore, holder: &str, ttl: Duration) -> u64 {
    match ask(store, holder, ttl, None, 0).await.unwrap() {
        Lease::Held { token } => token,
        lease => panic!("not free: {lease:?}"),
    }
}

/// Takes the lease as soon as it is free.
async fn take_over(store: &dyn TwinStore, holder: &str, ttl: Duration) -> u64 {
    loop {
        if let Lease::Held { token } = ask(store, holder, ttl, None, 0).await.unwrap() {
            return token;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Everything stored, in order, as text.
async fn all(store: &dyn TwinStore) -> Vec<(Table, String, String)> {
    let mut rows: Vec<_> = store
        .load()
        .await
        .unwrap()
        .rows
        .into_iter()
        .map(|row| (row.table, row.field, String::from_utf8(row.value.to_vec()).unwrap()))
        .collect();
    rows.sort();
    rows
}
