//! A TCP proxy that breaks connections the way networks do.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{oneshot, watch},
};

/// What happens to what passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: both directions pass.
    #[default]
    None,
    /// Requests pass and are carried out; no reply comes back.
    DropReplies,
    /// Every piece waits so long, in each direction.
    Delay(Duration),
    /// Connections stay open and nothing passes, in either direction, until the fault is over.
    Stall,
    /// Open connections are cut, new ones are closed at once.
    Refuse,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<String>,
    fault: watch::Sender<Fault>,
    /// Counts up to cut all connections that are open then.
    cut: watch::Sender<u64>,
    /// The request whose reply is to be lost, once.
    lose_reply_to: Mutex<Option<Vec<u8>>>,
    lost: AtomicU64,
    connections: AtomicU64,
}

/// A proxy on a free port; it and all its connections end with the value. It runs on a thread of its own, so that it also works
/// while a test blocks its runtime.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Dropped to end the thread.
    _running: oneshot::Sender<()>,
}

impl Proxy {
    /// Starts one in front of `upstream` (`host:port`).
    pub fn start(upstream: &str) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", super::ports::free())).expect("the port is free");
        listener.set_nonblocking(true).expect("a socket of ours");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream.to_owned()),
            fault: watch::Sender::new(Fault::None),
            cut: watch::Sender::new(0),
            lose_reply_to: Mutex::new(None),
            lost: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let (running, ended) = oneshot::channel();
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("it is non-blocking");
                tokio::select! {
                    () = accept(listener, for_thread) => {}
                    // An error says that the proxy was dropped, and that is what it is for.
                    _ = ended => {}
                }
            });
        });
        Self { address, shared, _running: running }
    }

    /// `host:port` to connect to.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Sends new connections to another server.
    pub fn forward_to(&self, upstream: &str) {
        upstream.clone_into(&mut self.shared.upstream.lock().expect("nothing panics in between"));
    }

    /// From now on this happens, to open connections too.
    pub fn set(&self, fault: Fault) {
        self.shared.fault.send_replace(fault);
        if fault == Fault::Refuse {
            self.cut();
        }
    }

    /// Cuts all open connections; new ones are let in.
    pub fn cut(&self) {
        self.shared.cut.send_modify(|count| *count += 1);
    }

    /// Once: the next request that contains `needle` is carried out, its reply is lost, and its connection is cut.
    pub fn lose_reply_to(&self, needle: &[u8]) {
        *self.shared.lose_reply_to.lock().expect("nothing panics in between") = Some(needle.to_vec());
    }

    /// How many replies [`Self::lose_reply_to`] has lost.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// How many connections it has let through in all.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.fault.borrow() != Fault::Refuse {
            shared.connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(connection(client, Arc::clone(&shared)));
        }
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) {
    let mut cut = shared.cut.subscribe();
    cut.mark_unchanged();
    let upstream = shared.upstream.lock().expect("nothing panics in between").clone();
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // Set once the request has passed whose reply is to be lost.
    let losing = watch::Sender::new(false);
    tokio::select! {
        () = requests(from_client, to_server, &shared, &losing) => {}
        () = replies(from_server, to_client, &shared, losing.subscribe()) => {}
        _ = cut.changed() => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, losing: &watch::Sender<bool>) {
    let mut fault = shared.fault.subscribe();
    // The end of what has passed, so that a needle is found that two reads share.
    let mut passed: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        hold(&mut fault).await;
        passed.extend_from_slice(&buffer[..count]);
        let lose = {
            let mut armed = shared.lose_reply_to.lock().expect("nothing panics in between");
            let lose = armed.take_if(|needle| contains(&passed, needle)).is_some();
            let keep = armed.as_ref().map_or(0, |needle| needle.len().saturating_sub(1));
            passed.drain(..passed.len().saturating_sub(keep));
            lose
        };
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
        if lose {
            losing.send_replace(true);
        }
    }
}

async fn replies(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, shared: &Shared, losing: watch::Receiver<bool>) {
    let mut fault = shared.fault.subscribe();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if *losing.borrow() {
            shared.lost.fetch_add(1, Ordering::Relaxed);
            // This may be the reply to an earlier request of a pipeline: cutting at once could reset the connection before
            // the server has read the request that it is all about.
            tokio::time::sleep(Duration::from_millis(100)).await;
            return;
        }
        if *fault.borrow() == Fault::DropReplies {
            continue;
        }
        hold(&mut fault).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// Waits as the fault demands.
async fn hold(fault: &mut watch::Receiver<Fault>) {
    let now = *fault.borrow();
    match now {
        Fault::Delay(time) => tokio::time::sleep(time).await,
        Fault::Stall => {
            // Fails only where the proxy is gone, and then the connection is being cut.
            let _ = fault.wait_for(|fault| *fault != Fault::Stall).await;
        }
        Fault::None | Fault::DropReplies | Fault::Refuse => {}
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}
