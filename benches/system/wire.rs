//! A client of graphql-transport-ws that costs next to nothing: it cuts frames off a socket and looks for time stamps in
//! them, so that a thousand of them measure the server and not themselves.

use std::{
    io::{self, Read as _, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::produce::now_ms;

/// What one read takes at most.
const CHUNK: usize = 64 * 1024;

/// An open socket on which one subscription runs.
pub struct Wire {
    stream: TcpStream,
    arrived: Arrived,
    /// Operations that were sent.
    sent: u64,
}

/// The subscription's id; others have another.
const SUBSCRIPTION: &[u8] = br#"{"id":"s","type":"next""#;

impl Wire {
    /// Opens a socket and starts a subscription.
    pub async fn subscribe(port: u16, query: &str, variables: Value) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut wire = Self { stream, arrived: Arrived::default(), sent: 0 };
        let upgrade = format!(
            "GET /graphql/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        );
        wire.stream.write_all(upgrade.as_bytes()).await?;
        let mut byte = [0];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            wire.stream.read_exact(&mut byte).await?;
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        wire.send(&json!({ "type": "connection_init" })).await?;
        wire.frame().await?;
        wire.send(&json!({ "id": "s", "type": "subscribe", "payload": { "query": query, "variables": variables } }))
            .await?;
        Ok(wire)
    }

    /// Runs another operation beside the subscription.
    pub async fn run(&mut self, query: &str, variables: Value) -> io::Result<()> {
        self.sent += 1;
        self.send(&operation(self.sent, query, &variables)).await
    }

    async fn send(&mut self, message: &Value) -> io::Result<()> {
        self.stream.write_all(&framed(message)).await
    }

    /// The next result of the subscription.
    pub async fn next(&mut self) -> io::Result<&[u8]> {
        loop {
            let (begin, end) = self.frame().await?;
            if self.arrived.buffer[begin..end].starts_with(SUBSCRIPTION) {
                return Ok(&self.arrived.buffer[begin..end]);
            }
        }
    }

    /// The next frame's payload, as a range of the buffer.
    async fn frame(&mut self) -> io::Result<(usize, usize)> {
        loop {
            if let Some(range) = self.arrived.cut() {
                return Ok(range);
            }
            self.arrived.make_room();
            if self.stream.read_buf(&mut self.arrived.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// What has arrived on a socket.
#[derive(Default)]
struct Arrived {
    buffer: Vec<u8>,
    /// Where the next frame begins in it.
    at: usize,
}

impl Arrived {
    /// The next frame's payload, as a range of the buffer, if all of it is there.
    fn cut(&mut self) -> Option<(usize, usize)> {
        let (begin, end) = whole(&self.buffer[self.at..])?;
        let range = (self.at + begin, self.at + end);
        self.at = range.1;
        Some(range)
    }

    fn make_room(&mut self) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.reserve(CHUNK);
    }
}

/// The message that starts an operation.
fn operation(id: u64, query: &str, variables: &Value) -> Value {
    json!({ "id": id.to_string(), "type": "subscribe", "payload": { "query": query, "variables": variables } })
}

/// A text frame. Its mask is zero, which a server need not like but must take.
fn framed(message: &Value) -> Vec<u8> {
    let text = message.to_string();
    let mut frame = vec![0x81];
    // The lengths' first bit says that there is a mask; 126 that the length takes two bytes.
    match text.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0xfe);
            frame.extend_from_slice(&u16::try_from(long).expect("a short message").to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// How often each socket of a crowd is read.
const ROUND: Duration = Duration::from_millis(200);

/// So many are read without a pause.
const FEW: usize = 20;

/// What one of a crowd asks now and then: a query and its variables, where it is time for one.
pub type Asks = Box<dyn FnMut(Instant) -> Option<(&'static str, Value)> + Send>;

/// Sockets that are read some times a second by one thread, so that those who take all frames but look into none leave the cores to
/// the server, as clients on other machines do. They are read until this is dropped.
pub struct Crowd {
    joining: Arc<Mutex<Vec<(Wire, Asks)>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Member {
    stream: std::net::TcpStream,
    arrived: Arrived,
    sent: u64,
    asks: Asks,
}

impl Crowd {
    /// Adds to `results` how many of its subscription somebody got.
    pub fn new(results: Arc<AtomicU64>) -> Self {
        let (joining, stop) = (Arc::<Mutex<Vec<(Wire, Asks)>>>::default(), Arc::<AtomicBool>::default());
        let (waiting, stopped) = (Arc::clone(&joining), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (mut members, mut scratch) = (Vec::<Member>::new(), vec![0; CHUNK]);
            while !stopped.load(Ordering::Relaxed) {
                let joined = std::mem::take(&mut *waiting.lock().expect("no member panics"));
                members.extend(joined.into_iter().map(|(wire, asks)| Member::new(wire, asks)));
                // Not all at once: that would keep a core from the server for some milliseconds.
                let pause = ROUND / members.len().div_ceil(FEW).max(1) as u32;
                for few in members.chunks_mut(FEW) {
                    let taken = few.iter_mut().map(|member| member.take(&mut scratch)).sum();
                    results.fetch_add(taken, Ordering::Relaxed);
                    std::thread::sleep(pause);
                }
                if members.is_empty() {
                    std::thread::sleep(ROUND);
                }
            }
        });
        Self { joining, stop, thread: Some(thread) }
    }

    /// Takes a socket in.
    pub fn join(&self, wire: Wire, asks: Asks) {
        self.joining.lock().expect("no member panics").push((wire, asks));
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        // Whoever is not served any more makes it faster for the rest.
        assert!(std::thread::panicking() || !matches!(ended, Some(Err(_))), "the crowd was served to the end");
    }
}

impl Member {
    fn new(Wire { stream, arrived, sent }: Wire, asks: Asks) -> Self {
        // It leaves the runtime, which would wake up for each frame; it stays one that never blocks.
        Self { stream: stream.into_std().expect("a socket of the runtime"), arrived, sent, asks }
    }

    /// Reads what is there, and asks what is to be asked; how many results of the subscription came.
    fn take(&mut self, scratch: &mut [u8]) -> u64 {
        let mut results = 0;
        loop {
            while let Some((begin, end)) = self.arrived.cut() {
                results += u64::from(self.arrived.buffer[begin..end].starts_with(SUBSCRIPTION));
            }
            match self.stream.read(scratch) {
                Ok(0) => panic!("the server keeps the socket"),
                Ok(read) => {
                    self.arrived.make_room();
                    self.arrived.buffer.extend_from_slice(&scratch[..read]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("the server keeps the socket: {error}"),
            }
        }
        if let Some((query, variables)) = (self.asks)(Instant::now()) {
            self.sent += 1;
            self.stream.write_all(&framed(&operation(self.sent, query, &variables))).expect("an open socket");
        }
        results
    }
}

/// Where the payload of the first frame is, if all of it is there.
fn whole(bytes: &[u8]) -> Option<(usize, usize)> {
    let (head, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    (bytes.len() >= head + length).then_some((head, head + length))
}

/// Where a word stands in a frame.
pub fn places<'a>(frame: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    frame.windows(word.len()).enumerate().filter(move |(_, window)| *window == word).map(|(at, _)| at)
}

/// The ages of what was updated in a batch of `twinChanges`, in milliseconds: what enters may have been updated long ago.
pub fn ages_of_updates(frame: &[u8]) -> impl Iterator<Item = f64> + '_ {
    const KIND: &[u8] = br#""kind":""#;
    const UPDATED: &[u8] = b"UPDATED";
    let begins: Vec<usize> = places(frame, KIND).collect();
    let changes = (0..begins.len()).map(move |n| &frame[begins[n]..begins.get(n + 1).copied().unwrap_or(frame.len())]);
    changes.filter(|change| change[KIND.len()..].starts_with(UPDATED)).flat_map(ages)
}

/// The ages of the values in a frame in milliseconds, by their `lastUpdated`, which was the moment to send them at.
pub fn ages(frame: &[u8]) -> impl Iterator<Item = f64> + '_ {
    const KEY: &[u8] = br#""lastUpdated":"20"#;
    const DAY: f64 = 86_400_000.0;
    let now = now_ms() % DAY;
    places(frame, KEY).filter_map(move |at| {
        // 2026-01-05T00:00:00.000Z: the time of the day is enough.
        let time = frame.get(at + KEY.len() + 9..at + KEY.len() + 21)?;
        let number = |range: std::ops::Range<usize>| std::str::from_utf8(&time[range]).ok()?.parse::<f64>().ok();
        let at = ((number(0..2)? * 60.0 + number(3..5)?) * 60.0 + number(6..12)?) * 1000.0;
        Some((now - at).rem_euclid(DAY))
    })
}
