//! The writing half of a socket: a bounded outbox and the one task that empties it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, stream::SplitSink};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::protocol::{Close, CloseCode};

/// How many results may wait for the socket. An operation takes its next event only while there is room, so that what
/// a slow client has not read yet goes on merging in its stream instead of growing old here.
const RESULTS: usize = 4;
/// How many answers to the client's own messages (acks, pongs, refusals) may wait. Whoever sends on without reading
/// them is closed.
const REPLIES: usize = 32;

/// Text for the client, and the operation that it belongs to.
pub(super) struct Frame {
    text: Vec<u8>,
    /// Where it is cancelled, the client has said `complete` and wants no more of it.
    operation: Option<CancellationToken>,
}

/// Where operations and the reader put what is to be sent.
#[derive(Clone)]
pub(super) struct Outbox {
    results: mpsc::Sender<Frame>,
    replies: mpsc::Sender<Frame>,
    closing: Closing,
    stall: Duration,
}

/// The end of a socket: the first who closes it says why.
#[derive(Clone, Default)]
pub(super) struct Closing {
    token: CancellationToken,
    reason: Arc<OnceLock<Option<Close>>>,
}

impl Closing {
    /// Closes with a code; without one, the client has closed or is gone.
    pub(super) fn close(&self, close: Option<Close>) {
        // Whoever comes second finds the reason set already.
        let _ = self.reason.set(close);
        self.token.cancel();
    }

    pub(super) async fn closed(&self) {
        self.token.cancelled().await;
    }

    /// A token that ends with the socket.
    pub(super) fn child(&self) -> CancellationToken {
        self.token.child_token()
    }

    fn reason(&self) -> Option<Close> {
        self.reason.get().cloned().flatten()
    }
}

impl Outbox {
    /// An outbox, and what its writer reads.
    pub(super) fn new(closing: Closing, stall: Duration) -> (Self, Waiting) {
        let (results, waiting_results) = mpsc::channel(RESULTS);
        let (replies, waiting_replies) = mpsc::channel(REPLIES);
        (Self { results, replies, closing, stall }, Waiting { results: waiting_results, replies: waiting_replies })
    }

    /// Waits for room; a client that makes none for the stall time is closed. `false` where the socket ends.
    pub(super) async fn room(&self) -> bool {
        self.reserve().await.is_some()
    }

    /// Sends a result of an operation, when there is room.
    pub(super) async fn send(&self, text: Vec<u8>, operation: &CancellationToken) {
        if let Some(room) = self.reserve().await {
            room.send(Frame { text, operation: Some(operation.clone()) });
        }
    }

    /// Answers a message of the client, without waiting: the reader must go on.
    pub(super) fn reply(&self, text: impl Into<Vec<u8>>) {
        if self.replies.try_send(Frame { text: text.into(), operation: None }).is_err() {
            self.closing.close(Some(Close::new(CloseCode::Stalled, "the client sends without reading the answers")));
        }
    }

    async fn reserve(&self) -> Option<mpsc::Permit<'_, Frame>> {
        if let Ok(permit) = tokio::time::timeout(self.stall, self.results.reserve()).await {
            return permit.ok();
        }
        self.closing.close(Some(stalled()));
        None
    }
}

/// What the writer reads.
pub(super) struct Waiting {
    results: mpsc::Receiver<Frame>,
    replies: mpsc::Receiver<Frame>,
}

/// Limits of the writer.
#[derive(Clone, Copy)]
pub(super) struct WriteLimits {
    /// How long one write may block: a client that takes nothing for so long is closed.
    pub(super) stall: Duration,
    /// How long the close frame may take.
    pub(super) close: Duration,
    /// How often the client is pinged.
    pub(super) ping: Duration,
}

/// Writes until the socket ends, then says why it ended.
pub(super) async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut waiting: Waiting,
    closing: Closing,
    limits: WriteLimits,
) {
    let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + limits.ping, limits.ping);
    pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            () = closing.closed() => break,
            Some(frame) = waiting.replies.recv() => text(frame.text),
            Some(frame) = waiting.results.recv() => {
                if frame.operation.is_some_and(|operation| operation.is_cancelled()) {
                    continue;
                }
                text(frame.text)
            }
            _ = pings.tick() => Message::Ping(Bytes::new()),
            else => break,
        };
        // A write that is given up here stays in the socket's buffer, so the close frame below follows it whole.
        tokio::select! {
            biased;
            () = closing.closed() => break,
            sent = tokio::time::timeout(limits.stall, sink.send(message)) => match sent {
                Ok(Ok(())) => {}
                Ok(Err(_)) => closing.close(None),
                Err(_) => closing.close(Some(stalled())),
            },
        }
    }
    if let Some(Close { code, reason }) = closing.reason() {
        let frame = CloseFrame { code: code as u16, reason: reason.into() };
        // The client may be gone: then there is nobody to tell.
        let _ = tokio::time::timeout(limits.close, end(&mut sink, Message::Close(Some(frame)))).await;
    }
}

async fn end<S: Sink<Message> + Unpin>(sink: &mut S, frame: Message) -> Result<(), S::Error> {
    sink.send(frame).await
}

fn stalled() -> Close {
    Close::new(CloseCode::Stalled, "the client takes nothing")
}

/// All our text is JSON from serde or from checked UTF-8; anything else would be a bug and is sent as an empty message.
fn text(bytes: Vec<u8>) -> Message {
    Message::Text(Utf8Bytes::try_from(Bytes::from(bytes)).unwrap_or_default())
}
