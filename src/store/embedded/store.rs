//! The async face of the file: calls go to one thread, answers come back.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::{
    disk::{Disk, Flush, is_direct, path_of, unavailable},
    load, segment,
};
use crate::store::{Commit, Lease, LeaseRequest, Row, StoreError, Stored, Table, TwinStore};

/// How long a call may take: waiting for another process's lock (4 s) and the writing itself.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// How long a load may take.
const LOAD_LIMIT: Duration = Duration::from_secs(60);

/// Calls that may wait for the thread. A process has one writer and a few who poll, each with one call at a time; more than
/// this means that the disk is stuck, and then callers wait outside, within their limit.
const QUEUE: usize = 16;

/// Work for the thread; it answers by itself.
type Job = Box<dyn FnOnce(&mut Disk) + Send>;

/// A city in one SQLite file.
pub struct EmbeddedStore {
    path: PathBuf,
    city_id: String,
    jobs: mpsc::Sender<Job>,
}

impl EmbeddedStore {
    /// Starts the store's thread; the file is opened, or made, by the first call. The thread ends with the store.
    pub fn open(data_dir: &Path, city_id: &str) -> Self {
        let path = path_of(data_dir, city_id);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let disk = Disk::new(path.clone(), city_id.to_owned());
        // Without its thread, which only a machine at its limits refuses, the queue is closed and each call says so.
        if let Err(error) = std::thread::Builder::new().name("embedded-store".to_owned()).spawn(|| work(disk, queue)) {
            tracing::error!(%error, "could not start the thread of the embedded store");
        }
        Self { path, city_id: city_id.to_owned(), jobs }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Disk) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |disk| {
            // Whoever asked may have run into its limit: then nobody waits, and the work is not begun.
            if !reply.is_closed() {
                reply.send(work(disk)).ok();
            }
        });
        let exchange = async {
            self.jobs.send(job).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(CALL_LIMIT, exchange).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(unavailable(&self.path, "its thread has ended")),
            Err(_) => Err(unavailable(&self.path, "no answer in time")),
        }
    }
}

/// Runs jobs as they come, and steps of a merge between them and whenever there is nothing else to do.
fn work(mut disk: Disk, mut queue: mpsc::Receiver<Job>) {
    loop {
        let job = if disk.merge.is_some() {
            match queue.try_recv() {
                Ok(job) => Some(job),
                Err(mpsc::error::TryRecvError::Empty) => None,
                Err(mpsc::error::TryRecvError::Disconnected) => return,
            }
        } else {
            let Some(job) = queue.blocking_recv() else { return };
            Some(job)
        };
        if let Some(job) = job {
            job(&mut disk);
        }
        disk.merge_some();
    }
}

#[async_trait]
impl TwinStore for EmbeddedStore {
    async fn load(&self) -> Result<Stored, StoreError> {
        let (path, city_id) = (self.path.clone(), self.city_id.clone());
        let reading = tokio::task::spawn_blocking(move || load::load(&path, &city_id));
        match tokio::time::timeout(LOAD_LIMIT, reading).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(error)) => Err(unavailable(&self.path, &error.to_string())),
            Err(_) => Err(unavailable(&self.path, "no answer in time")),
        }
    }

    async fn get(&self, table: &Table, field: &str) -> Result<Option<Bytes>, StoreError> {
        let (table, field) = (table.clone(), field.to_owned());
        self.call(move |disk| disk.get(&table, &field)).await
    }

    async fn commit(&self, token: u64, commit: &Commit) -> Result<(), StoreError> {
        let rows = || commit.rows.iter().chain(&commit.tail);
        let direct: Vec<Row> = rows().filter(|row| is_direct(&row.table)).cloned().collect();
        let segments = segment::encode(rows().filter(|row| !is_direct(&row.table)));
        let flush = Flush { segments, direct, replace: commit.replace };
        self.call(move |disk| disk.commit(token, &flush)).await
    }

    async fn lease(&self, request: &LeaseRequest<'_>) -> Result<Lease, StoreError> {
        let (holder, address) = (request.holder.to_owned(), request.address.to_owned());
        let (ttl, token, above) = (request.ttl, request.token, request.above);
        self.call(move |disk| disk.lease(&holder, &address, ttl, token, above)).await
    }

    async fn holder(&self) -> Result<Lease, StoreError> {
        self.call(Disk::holder).await
    }

    async fn release(&self, holder: &str, token: u64) -> Result<(), StoreError> {
        let holder = holder.to_owned();
        self.call(move |disk| disk.release(&holder, token)).await
    }
}
