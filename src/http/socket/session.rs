//! One socket: reads messages, runs operations, and knows when to end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_graphql::parser::types::OperationType;
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{StreamExt, stream::SplitStream};
use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    outbox::{Closing, Outbox, WriteLimits, write},
    protocol::{ClientMessage, Close, CloseCode, ack, complete, error, next, pong},
};
use crate::{
    graphql::caller::{Access, Caller},
    http::{
        AppState,
        api::{Answer, Outcome},
        document::refused,
        meter::RunningTogether,
        params::Params,
    },
    telemetry::{self, Transport},
};

/// How long we wait for the client's half of the closing handshake.
const LINGER: Duration = Duration::from_secs(1);
/// A client that was silent, pongs included, for this many pings is gone.
const MISSED_PINGS: u32 = 3;

/// Serves one socket to its end.
pub(super) async fn run(socket: WebSocket, app: AppState, caller: Caller) {
    let closing = Closing::default();
    let (stall, ping) = (app.graphql.stall_timeout, app.graphql.ping_interval);
    let limits = WriteLimits { stall, close: app.graphql.write_timeout, ping };
    let (sink, mut stream) = socket.split();
    let (outbox, waiting) = Outbox::new(sink, closing.clone(), stall);
    let caller = Caller { socket: Some(fastrand::u64(..)), ..caller };
    let writer = tokio::spawn(write(waiting, closing.clone(), limits));
    let mut session = Session {
        app,
        caller,
        acknowledged: false,
        operations: Arc::default(),
        subscriber: RunningTogether::default(),
        outbox,
        closing,
    };
    session.read(&mut stream).await;
    // Operations end with `closing`; then the writer sends the close frame within its time.
    if writer.await.is_err() {
        tracing::error!("the writer of a socket panicked");
    }
    // Takes the client's close frame, so that the kernel need not reset the connection over unread bytes.
    let _ = tokio::time::timeout(LINGER, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

struct Session {
    app: AppState,
    caller: Caller,
    acknowledged: bool,
    /// Running operations by the client's ids. The token is also how an operation knows its own entry.
    operations: Arc<Mutex<HashMap<String, Running>>>,
    subscriber: RunningTogether,
    outbox: Outbox,
    closing: Closing,
}

/// A running operation.
#[derive(Clone)]
struct Running {
    token: CancellationToken,
    /// Tells two operations apart that had the same id one after the other.
    mark: Arc<()>,
}

impl Session {
    async fn read(&mut self, stream: &mut SplitStream<WebSocket>) {
        let started = Instant::now();
        let init_by = started + self.app.graphql.connection_init_timeout;
        let silence = self.app.graphql.ping_interval * MISSED_PINGS;
        let mut heard = started;
        let (shutdown, closing) = (self.app.shutdown.clone(), self.closing.clone());
        loop {
            let message = tokio::select! {
                biased;
                () = closing.closed() => return,
                () = shutdown.cancelled() => return self.close(CloseCode::ServiceRestart, "the server restarts"),
                message = stream.next() => message,
                () = tokio::time::sleep_until(init_by), if !self.acknowledged => {
                    return self.close(CloseCode::InitTimeout, "Connection initialisation timeout");
                }
                () = tokio::time::sleep_until(heard + silence) => {
                    return self.close(CloseCode::Stalled, "the client does not answer pings");
                }
            };
            heard = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => self.hear(&text),
                Some(Ok(Message::Binary(_))) => self.close(CloseCode::BadRequest, "a binary message"),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return self.closing.close(None),
                Some(Err(error)) => return self.closing.close(unreadable(&error)),
            }
        }
    }

    fn close(&self, code: CloseCode, reason: impl Into<String>) {
        self.closing.close(Some(Close::new(code, reason)));
    }

    fn hear(&mut self, text: &str) {
        match ClientMessage::parse(text) {
            Ok(ClientMessage::ConnectionInit(payload)) => self.init(&payload),
            Ok(ClientMessage::Ping(payload)) => self.outbox.reply(pong(payload)),
            Ok(ClientMessage::Pong) => {}
            Ok(ClientMessage::Subscribe { id, payload }) => self.subscribe(id, payload),
            Ok(ClientMessage::Complete { id }) => {
                if let Some(running) = lock(&self.operations).remove(&id) {
                    running.token.cancel();
                }
            }
            Err(reason) => self.close(CloseCode::BadRequest, reason),
        }
    }

    fn init(&mut self, payload: &Map<String, Value>) {
        if self.acknowledged {
            return self.close(CloseCode::TooManyInits, "Too many initialisation requests");
        }
        let sent = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value);
        if let Some(Value::String(authorization)) = sent {
            self.caller = self.app.auth.with_authorization(self.caller, authorization);
            if self.caller.access == Access::TokenWrong {
                return self.close(CloseCode::Forbidden, "Forbidden");
            }
        }
        self.acknowledged = true;
        self.outbox.reply(ack());
    }

    fn subscribe(&mut self, id: String, payload: Map<String, Value>) {
        if !self.acknowledged {
            return self.close(CloseCode::Unauthorized, "Unauthorized");
        }
        let running = {
            let mut operations = lock(&self.operations);
            if operations.contains_key(&id) {
                return self.close(CloseCode::SubscriberExists, format!("Subscriber for {id} already exists"));
            }
            let max = self.app.graphql.max_operations_per_socket;
            if operations.len() >= max {
                let text = format!("this socket runs {max} operations already");
                let answer = Answer::refusal(refused(text, None, "TOO_MANY_OPERATIONS"));
                return self.outbox.reply(error(&id, answer.errors()));
            }
            let running = Running { token: self.closing.child(), mark: Arc::default() };
            operations.insert(id.clone(), running.clone());
            running
        };
        let operation = Operation {
            app: self.app.clone(),
            caller: self.caller,
            id,
            running,
            operations: Arc::clone(&self.operations),
            subscriber: self.subscriber.clone(),
            outbox: self.outbox.clone(),
        };
        tokio::spawn(async move {
            let token = operation.running.token.clone();
            // Dropping the run ends its stream.
            token.run_until_cancelled(operation.run(payload)).await;
        });
    }
}

/// One operation of a socket.
struct Operation {
    app: AppState,
    caller: Caller,
    id: String,
    running: Running,
    operations: Arc<Mutex<HashMap<String, Running>>>,
    subscriber: RunningTogether,
    outbox: Outbox,
}

impl Operation {
    async fn run(self, payload: Map<String, Value>) {
        let params = match Params::from_map(payload) {
            Ok(params) => params,
            Err(error) => return self.fail(&Answer::refusal(refused(error.to_string(), None, "BAD_REQUEST"))).await,
        };
        let prepared = match self.app.api.prepare(params, self.caller) {
            Ok(prepared) => prepared,
            Err(refusal) => return self.fail(&refusal).await,
        };
        if prepared.kind != OperationType::Subscription {
            let answer = self.app.api.execute(prepared).await;
            if answer.outcome != Outcome::Ran {
                return self.fail(&answer).await;
            }
            self.send(next(&self.id).around(&answer.body)).await;
            return self.finish(complete(&self.id)).await;
        }
        let _subscriber = self.subscriber.enter(|| telemetry::subscribers(Transport::WebSocket));
        let mut answers = self.app.api.subscribe(prepared, next(&self.id));
        // Room first, the event second: what changes while a slow client reads merges in the stream.
        while self.outbox.room().await {
            match answers.next().await {
                Some(answer) if answer.outcome == Outcome::Refused => return self.fail(&answer).await,
                Some(answer) => self.send(answer.body).await,
                // A stream that ends because the server goes down has not completed.
                None if self.app.shutdown.is_cancelled() => return,
                None => return self.finish(complete(&self.id)).await,
            }
        }
    }

    async fn send(&self, text: impl Into<Bytes>) {
        self.outbox.send(text.into(), &self.running.token).await;
    }

    async fn fail(&self, answer: &Answer) {
        self.finish(error(&self.id, answer.errors())).await;
    }

    /// Sends the last message of this operation. Its id is free before the client reads that.
    async fn finish(&self, text: Vec<u8>) {
        if self.outbox.room().await {
            let mut operations = lock(&self.operations);
            if operations.get(&self.id).is_some_and(|running| Arc::ptr_eq(&running.mark, &self.running.mark)) {
                operations.remove(&self.id);
            }
        }
        self.send(text).await;
    }
}

fn lock(operations: &Mutex<HashMap<String, Running>>) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
    operations.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The close code for what could not be read; none where the connection broke.
fn unreadable(error: &axum::Error) -> Option<Close> {
    let text = error.to_string();
    let code = if text.contains("too long") || text.contains("Space limit") {
        CloseCode::TooBig
    } else if text.contains("UTF-8") || text.contains("utf-8") {
        CloseCode::InvalidPayload
    } else if text.contains("protocol error") {
        CloseCode::ProtocolError
    } else {
        return None;
    };
    Some(Close::new(code, text))
}
