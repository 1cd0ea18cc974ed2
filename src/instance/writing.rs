//! What an instance does while it is the writer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use crate::{
    ingest::Rejects,
    kafka::KafkaError,
    publish::{Clock, Ended, Follower, PublishState, Publisher, TopicEnds, topic_ends},
    telemetry,
    twin::time::Time,
    writer::{
        Command, DeadLetters, FlushError, Flusher, ImportReport, LeaseKeeper, LeaseState, OperationError,
        send_dead_letters,
    },
};

use super::{
    health::Trouble,
    life::{Instance, refuse},
    restart::{RETRY, Restarted},
};

/// How long a writer waits for what the topics say of its next token. Flushes, commands and its end wait with it.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// How long the last dead letters may take at the end.
const LAST_DEAD_LETTERS: Duration = Duration::from_secs(2);

/// Answers that wait for the flush that holds what they tell.
#[derive(Default)]
struct Waiting {
    removals: Vec<(bool, oneshot::Sender<Result<bool, OperationError>>)>,
    imports: Vec<(ImportReport, oneshot::Sender<Result<ImportReport, OperationError>>)>,
}

impl Waiting {
    fn answer(&mut self, failed: Option<&str>) {
        let failed = failed.map(|why| OperationError::Unconfirmed(why.to_owned()));
        // Who asked may have gone; then nobody wants the answer.
        for (removed, done) in self.removals.drain(..) {
            let _ = done.send(failed.clone().map_or(Ok(removed), Err));
        }
        for (report, done) in self.imports.drain(..) {
            let _ = done.send(failed.clone().map_or(Ok(report), Err));
        }
    }
}

/// A task that ends with its handle.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The writer's moving parts.
struct Writing {
    keeper: LeaseKeeper,
    lease: watch::Receiver<LeaseState>,
    flusher: Flusher,
    token: u64,
    publish_state: watch::Sender<PublishState>,
    /// What the next chain has to begin above, while Kafka is asked for it: that may take long, and nothing else waits.
    ends: Option<Task<Result<TopicEnds, KafkaError>>>,
    publisher: Option<Task<Ended>>,
    /// The highest epoch that was seen in the topics.
    seen: watch::Receiver<u64>,
    waiting: Waiting,
    /// The last boundary that store and topics held at the start, or that was made since.
    boundary: Option<Time>,
}

impl Instance {
    /// Writes under a token until the lease is lost or `stop` is cancelled.
    pub(super) async fn be_writer(&mut self, token: u64, follower: &Follower, stop: &CancellationToken) {
        let parts = &self.parts;
        let (holder, address) = (parts.holder.clone(), parts.address.clone());
        let keeper = LeaseKeeper::start(Arc::clone(&parts.store), &holder, &address, parts.writer.lease, token);
        let lease = keeper.state();
        parts.health.is_writer(token, lease.clone());
        tracing::info!(token, "this instance is the writer");
        let rejects = Arc::new(Rejects::default());
        rejects.keep(true);
        // Before the city is folded to the present: partitions whose dead letters pile up pause, and would never get there.
        let _dead_letters = self.send_dead_letters(&rejects);
        let mut lost = lease.clone();
        let restarted = tokio::select! {
            restarted = self.take_over(&rejects) => restarted,
            () = stop.cancelled() => return keeper.release().await,
            () = until(&mut lost, |lease| !lease.is_writer()) => {
                // Whatever was half done: the replica loads the city anew.
                self.model_version = None;
                return rejects.keep(false);
            }
        };
        self.own_epoch.store(token, Ordering::Release);
        telemetry::writer().set(1.0);
        telemetry::epoch().set(token as f64);
        let flusher = Flusher::new(
            Arc::clone(&self.parts.store),
            Arc::clone(&self.parts.fold),
            Arc::clone(&rejects),
            self.parts.cluster_id.clone(),
            token,
            restarted.model_version,
            restarted.fresh,
        );
        let (publish_state, _) = watch::channel(PublishState::default());
        self.parts.health.publishes(publish_state.subscribe());
        let mut writing = Writing {
            keeper,
            lease,
            flusher,
            token,
            publish_state,
            ends: None,
            publisher: None,
            seen: follower.epoch(),
            waiting: Waiting::default(),
            boundary: restarted.boundary,
        };
        self.write(&mut writing, stop).await;
        self.end_writing(writing, &rejects, stop).await;
    }

    async fn take_over(&mut self, rejects: &Arc<Rejects>) -> Restarted {
        let loaded = self.load().await;
        // Unknown until the city is swapped: who gives up in between loads anew as a replica.
        let known = self.model_version.take();
        if loaded.is_none() && self.ingest.is_some() {
            tracing::error!("the store was emptied: the city of this instance is written to it");
            let model_version = known.unwrap_or(0) + 1;
            self.keep_city(rejects).await;
            self.model_version = Some(model_version);
            return Restarted { model_version, boundary: None, fresh: true };
        }
        let restarted = Restarted {
            model_version: loaded.as_ref().map_or(1, |loaded| loaded.model_version),
            boundary: loaded.as_ref().and_then(|loaded| loaded.boundary),
            fresh: loaded.is_none(),
        };
        let city = match loaded {
            Some(loaded) => {
                if loaded.foreign_offsets > 0 {
                    tracing::warn!(
                        partitions = loaded.foreign_offsets,
                        "stored offsets belong to another cluster, reading from the beginning"
                    );
                }
                if self.parts.city_file.as_ref().is_some_and(|file| loaded.city.differs_from(file)) {
                    tracing::warn!(
                        "CITY_FILE differs from the stored city, which stays; `citytwin import` replaces it"
                    );
                }
                loaded.city
            }
            None => self.fresh_city(),
        };
        self.restart(city, rejects, true).await;
        self.model_version = Some(restarted.model_version);
        restarted
    }

    fn send_dead_letters(&self, rejects: &Arc<Rejects>) -> Task<()> {
        let (cluster, health) = (self.parts.cluster.clone(), Arc::clone(&self.parts.health));
        let (compression, rejects) = (self.parts.publish.compression.clone(), Arc::clone(rejects));
        Task(tokio::spawn(async move {
            let letters = loop {
                match DeadLetters::new(&cluster, &compression) {
                    Ok(letters) => break letters,
                    Err(error) => {
                        tracing::error!(%error, "no dead letter can be sent, trying again");
                        health.fault("twin.dead-letter", Trouble::Down, error.to_string());
                        tokio::time::sleep(RETRY).await;
                    }
                }
            };
            health.works("twin.dead-letter");
            send_dead_letters(letters, rejects).await;
        }))
    }

    /// Flushes, publishes and takes commands.
    async fn write(&mut self, writing: &mut Writing, stop: &CancellationToken) {
        let mut flush = interval(self.parts.writer.flush_interval);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let Some(mut ingest) = self.ingest.as_ref().map(crate::ingest::Ingest::state) else { return };
        loop {
            let idle = writing.publisher.is_none() && writing.ends.is_none();
            tokio::select! {
                () = stop.cancelled() => return,
                _ = flush.tick() => {
                    if self.flush(writing).await.is_err() {
                        return;
                    }
                }
                Some(command) = self.parts.commands.recv() => {
                    self.obey(command, writing);
                    if self.flush(writing).await.is_err() {
                        return;
                    }
                }
                () = until(&mut ingest, |state| state.caught_up), if idle => {
                    writing.ends = Some(self.ask_for_ends(Duration::ZERO));
                }
                ends = result(&mut writing.ends) => {
                    writing.ends = None;
                    if let Some(ends) = ends {
                        self.start_publisher(writing, ends);
                    }
                }
                ended = result(&mut writing.publisher) => {
                    writing.publisher = None;
                    // One that panicked: a new chain is the safe answer.
                    let ended = ended.unwrap_or(Ended::NewChainNeeded);
                    if ended == Ended::LeaseLost || !self.begin_new_chain(writing).await {
                        return;
                    }
                }
                Ok(()) = writing.lease.changed() => {
                    let state = writing.lease.borrow_and_update().clone();
                    match state {
                        LeaseState::Lost => return,
                        LeaseState::Emptied { .. } if !self.write_anew(writing).await => return,
                        _ => {}
                    }
                }
                () = until(&mut writing.seen, |epoch| *epoch > writing.token) => {
                    tracing::warn!(token = writing.token, "a higher epoch is in the topics, stepping down");
                    writing.keeper.lose();
                    return;
                }
            }
        }
    }

    /// Flushes; an error means that the lease is lost.
    async fn flush(&mut self, writing: &mut Writing) -> Result<(), ()> {
        let published = writing.publish_state.borrow().boundary;
        writing.boundary = writing.boundary.max(published);
        match writing.flusher.flush(writing.boundary).await {
            Ok(()) => {
                self.parts.health.works("store");
                writing.waiting.answer(None);
                if let Some(ingest) = &self.ingest {
                    ingest.commit(writing.flusher.stored_positions());
                }
                Ok(())
            }
            Err(FlushError::Unavailable(error)) => {
                tracing::warn!(%error, "flush not confirmed, what changed waits for the next one");
                self.parts.health.fault("store", Trouble::Down, error.to_string());
                Ok(())
            }
            Err(FlushError::Emptied) => {
                tracing::error!("the store was emptied: everything is written anew");
                if self.write_anew(writing).await { Ok(()) } else { Err(()) }
            }
            Err(FlushError::Fenced(error)) => {
                tracing::warn!(%error, "the store is in other hands");
                writing.keeper.lose();
                Err(())
            }
        }
    }

    /// The chain cannot go on: one begins anew under the next token, and the store goes on as it is. `false` where
    /// another instance has the lease.
    async fn begin_new_chain(&mut self, writing: &mut Writing) -> bool {
        let held = Some(writing.token);
        self.next_token(writing, held, Flusher::go_on).await
    }

    /// The store was emptied: everything is written to it under the next token. `false` where another instance has the
    /// lease.
    async fn write_anew(&mut self, writing: &mut Writing) -> bool {
        self.next_token(writing, None, Flusher::start_over).await
    }

    async fn next_token(&mut self, writing: &mut Writing, held: Option<u64>, go_on: fn(&mut Flusher, u64)) -> bool {
        (writing.publisher, writing.ends) = (None, None);
        let asked = tokio::time::timeout(ENDS_WITHIN, topic_ends(&self.parts.cluster)).await;
        // Where Kafka is away: what this writer saw there. Should there be more, it steps down when it sees that.
        let epoch = asked.ok().and_then(Result::ok).map_or_else(|| *writing.seen.borrow(), |ends| ends.epoch);
        let Some(token) = self.take_lease(epoch, held).await else {
            // A store that is away, or was emptied by now, is asked again at the next flush or renewal.
            return writing.lease.borrow().is_writer();
        };
        tracing::info!(token, "the next token is taken");
        writing.token = token;
        writing.keeper.renewed(token);
        go_on(&mut writing.flusher, token);
        self.own_epoch.store(token, Ordering::Release);
        self.parts.health.is_writer(token, writing.lease.clone());
        telemetry::epoch().set(token as f64);
        true
    }

    /// Asks what the ends of the state topics hold, in a while.
    fn ask_for_ends(&self, after: Duration) -> Task<Result<TopicEnds, KafkaError>> {
        let cluster = self.parts.cluster.clone();
        Task(tokio::spawn(async move {
            tokio::time::sleep(after).await;
            topic_ends(&cluster).await
        }))
    }

    /// Begins a chain; where that cannot be, it is tried again.
    fn start_publisher(&self, writing: &mut Writing, ends: Result<TopicEnds, KafkaError>) {
        let publisher = ends.and_then(|ends| {
            let last = ends.timestamp.max(writing.boundary).unwrap_or(Time(0));
            Publisher::new(
                &self.parts.cluster,
                &self.parts.publish,
                Arc::clone(&self.parts.fold),
                Arc::clone(&self.parts.chain),
                writing.lease.clone(),
                writing.publish_state.clone(),
                writing.token,
                Clock::above(last),
            )
        });
        match publisher {
            Ok(publisher) => {
                self.parts.health.works("publish");
                writing.publisher = Some(Task(tokio::spawn(publisher.run())));
            }
            Err(error) => {
                tracing::error!(%error, "nothing can be published, trying again");
                self.parts.health.fault("publish", Trouble::Down, error.to_string());
                writing.ends = Some(self.ask_for_ends(RETRY));
            }
        }
    }

    /// Does what an operator asks; the answer waits for the flush.
    fn obey(&self, command: Command, writing: &mut Writing) {
        match command {
            Command::Remove { kind, district, id, done } => {
                let removed = self.parts.fold.with(|city| city.remove(kind, district.as_deref(), &id));
                if removed {
                    writing.flusher.model_changed();
                }
                tracing::info!(kind = kind.prefix(), id, removed, "entity removed");
                writing.waiting.removals.push((removed, done));
            }
            Command::Import { file, done } if file.city_id != self.parts.city_id => {
                let error = OperationError::OtherCity { ours: self.parts.city_id.clone(), theirs: file.city_id };
                let _ = done.send(Err(error));
            }
            Command::Import { file, done } => {
                let report = self.parts.fold.with(|city| city.import(file));
                writing.flusher.model_changed();
                tracing::info!("city file imported");
                writing.waiting.imports.push((report, done));
            }
        }
    }

    async fn end_writing(&mut self, mut writing: Writing, rejects: &Arc<Rejects>, stop: &CancellationToken) {
        (writing.publisher, writing.ends) = (None, None);
        if stop.is_cancelled() && writing.lease.borrow().is_writer() {
            // What was taken from Kafka is folded first, so that a restart has nothing to fold again.
            if let Some(ingest) = self.ingest.take() {
                ingest.stop().await;
            }
            // A dead letter that is not acknowledged holds its partition's offset back.
            let _ = tokio::time::timeout(LAST_DEAD_LETTERS, async {
                while rejects.waiting() > 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
            .await;
            let deadline = Duration::from_secs(5);
            if tokio::time::timeout(deadline, self.flush(&mut writing)).await.is_err() {
                tracing::warn!("the last flush was not confirmed: the next start folds it again");
            }
            writing.waiting.answer(Some("the server is shutting down"));
            let _ = tokio::time::timeout(Duration::from_secs(2), writing.keeper.release()).await;
            return;
        }
        writing.waiting.answer(Some("this instance is no longer the writer"));
        rejects.keep(false);
        self.parts.fold.with(|city| city.track(false));
        // What the store never confirmed is not the others' city: load theirs.
        self.model_version = None;
        while let Ok(command) = self.parts.commands.try_recv() {
            refuse(command, None);
        }
    }
}

/// Resolves when a watched value is as wanted; never, where nobody sets it any more.
async fn until<T>(watched: &mut watch::Receiver<T>, wanted: impl FnMut(&T) -> bool) {
    if watched.wait_for(wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What a task came to, `None` where it panicked; never, where there is none.
async fn result<T>(task: &mut Option<Task<T>>) -> Option<T> {
    match task {
        Some(task) => (&mut task.0).await.ok(),
        None => std::future::pending().await,
    }
}
