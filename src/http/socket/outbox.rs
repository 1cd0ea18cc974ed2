//! The writing half of a socket: a bounded outbox and the one task that empties it.
//!
//! Most results find nobody before them and a client that takes them: an operation writes these itself, because to wake another task
//! for it would cost about as much as the write.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use axum::{
    Error,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
};
use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use tokio::sync::{Notify, mpsc};
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
    text: Bytes,
    /// Where it is cancelled, the client has said `complete` and wants no more of it.
    operation: Option<CancellationToken>,
}

/// Where operations and the reader put what is to be sent.
#[derive(Clone)]
pub(super) struct Outbox {
    results: mpsc::Sender<Frame>,
    replies: mpsc::Sender<Frame>,
    wire: Arc<Wire>,
    closing: Closing,
    stall: Duration,
}

/// The socket itself.
struct Wire {
    sink: Mutex<SplitSink<WebSocket, Message>>,
    /// Messages that were put in the outbox, or begun, and are not in the kernel's hands yet.
    under_way: AtomicUsize,
    /// Tells the writer that one was begun which the client does not take at once.
    begun: Notify,
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
    pub(super) fn new(sink: SplitSink<WebSocket, Message>, closing: Closing, stall: Duration) -> (Self, Waiting) {
        let (results, waiting_results) = mpsc::channel(RESULTS);
        let (replies, waiting_replies) = mpsc::channel(REPLIES);
        let wire = Arc::new(Wire { sink: Mutex::new(sink), under_way: AtomicUsize::new(0), begun: Notify::new() });
        let waiting = Waiting { results: waiting_results, replies: waiting_replies, wire: Arc::clone(&wire) };
        (Self { results, replies, wire, closing, stall }, waiting)
    }

    /// Waits for room; a client that makes none for the stall time is closed. `false` where the socket ends.
    pub(super) async fn room(&self) -> bool {
        self.reserve().await.is_some()
    }

    /// Sends a result of an operation, when there is room.
    pub(super) async fn send(&self, text: Bytes, operation: &CancellationToken) {
        let Some(room) = self.reserve().await else { return };
        match self.wire.send_now(&text, operation) {
            Sent::Whole => {}
            Sent::InPart => self.wire.begun.notify_one(),
            Sent::Broken => self.closing.close(None),
            Sent::Nothing => {
                self.wire.under_way.fetch_add(1, Ordering::AcqRel);
                room.send(Frame { text, operation: Some(operation.clone()) });
            }
        }
    }

    /// Answers a message of the client, without waiting: the reader must go on.
    pub(super) fn reply(&self, text: impl Into<Bytes>) {
        // Before it is there to be taken, so that no result comes before it.
        self.wire.under_way.fetch_add(1, Ordering::AcqRel);
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

/// What became of a message that was to be sent at once.
enum Sent {
    Whole,
    /// The socket has it, and has yet to write some of it.
    InPart,
    /// Others are before it.
    Nothing,
    Broken,
}

impl Wire {
    /// Sends a message if nothing is before it. Nobody waits here: what the client does not take at once is the writer's.
    fn send_now(&self, text: &Bytes, operation: &CancellationToken) -> Sent {
        if self.under_way.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Sent::Nothing;
        }
        let mut cx = Context::from_waker(Waker::noop());
        let mut sink = self.lock();
        let sent = match sink.poll_ready_unpin(&mut cx) {
            Poll::Ready(Ok(())) if operation.is_cancelled() => Sent::Whole,
            Poll::Ready(Ok(())) => match sink.start_send_unpin(message(text.clone())) {
                Ok(()) => match sink.poll_flush_unpin(&mut cx) {
                    Poll::Ready(Ok(())) => Sent::Whole,
                    Poll::Ready(Err(_)) => Sent::Broken,
                    Poll::Pending => return Sent::InPart,
                },
                Err(_) => Sent::Broken,
            },
            Poll::Ready(Err(_)) => Sent::Broken,
            Poll::Pending => Sent::Nothing,
        };
        drop(sink);
        self.under_way.fetch_sub(1, Ordering::AcqRel);
        sent
    }

    /// Sends a message, after whatever the socket has begun to write.
    async fn send(&self, message: Message) -> Result<(), Error> {
        let mut message = Some(message);
        // Both under one lock: a message that an operation began in between would be written over.
        poll_fn(|cx| {
            let mut sink = self.lock();
            ready!(sink.poll_ready_unpin(cx))?;
            Poll::Ready(message.take().map_or(Ok(()), |message| sink.start_send_unpin(message)))
        })
        .await?;
        self.flush().await
    }

    async fn flush(&self) -> Result<(), Error> {
        poll_fn(|cx| self.lock().poll_flush_unpin(cx)).await
    }

    fn lock(&self) -> MutexGuard<'_, SplitSink<WebSocket, Message>> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the writer reads.
pub(super) struct Waiting {
    results: mpsc::Receiver<Frame>,
    replies: mpsc::Receiver<Frame>,
    wire: Arc<Wire>,
}

/// What the writer does next.
enum Task {
    Frame(Frame),
    Ping,
    /// To write what was begun.
    Flush,
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
pub(super) async fn write(mut waiting: Waiting, closing: Closing, limits: WriteLimits) {
    let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + limits.ping, limits.ping);
    pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let wire = waiting.wire;
    loop {
        let task = tokio::select! {
            biased;
            () = closing.closed() => break,
            () = wire.begun.notified() => Task::Flush,
            Some(frame) = waiting.replies.recv() => Task::Frame(frame),
            Some(frame) = waiting.results.recv() => Task::Frame(frame),
            _ = pings.tick() => Task::Ping,
            else => break,
        };
        let counts = !matches!(task, Task::Ping);
        let work = async {
            match task {
                Task::Frame(Frame { operation: Some(operation), .. }) if operation.is_cancelled() => Ok(()),
                Task::Frame(frame) => wire.send(message(frame.text)).await,
                Task::Ping => wire.send(Message::Ping(Bytes::new())).await,
                Task::Flush => wire.flush().await,
            }
        };
        // A write that is given up here stays in the socket's buffer, so the close frame below follows it whole.
        tokio::select! {
            biased;
            () = closing.closed() => break,
            sent = tokio::time::timeout(limits.stall, work) => match sent {
                Ok(Ok(())) => {}
                Ok(Err(_)) => closing.close(None),
                Err(_) => closing.close(Some(stalled())),
            },
        }
        if counts {
            wire.under_way.fetch_sub(1, Ordering::AcqRel);
        }
    }
    if let Some(Close { code, reason }) = closing.reason() {
        let frame = CloseFrame { code: code as u16, reason: reason.into() };
        // The client may be gone: then there is nobody to tell.
        let _ = tokio::time::timeout(limits.close, wire.send(Message::Close(Some(frame)))).await;
    }
}

fn stalled() -> Close {
    Close::new(CloseCode::Stalled, "the client takes nothing")
}

/// All our text is JSON from serde or from checked UTF-8; anything else would be a bug and is sent as an empty message.
fn message(bytes: Bytes) -> Message {
    Message::Text(Utf8Bytes::try_from(bytes).unwrap_or_default())
}
