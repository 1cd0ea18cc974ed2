//! A TCP proxy that loses replies and holds requests back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// What the proxy is told to do with the next thing that passes.
#[derive(Default)]
struct Orders {
    lose: AtomicBool,
    hold: AtomicBool,
    release: Notify,
}

/// Passes everything on to a port, until it is told otherwise.
pub(super) struct Proxy {
    pub(super) port: u16,
    orders: Arc<Orders>,
    listening: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let orders = Arc::new(Orders::default());
        let given = orders.clone();
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, to, given.clone()));
            }
        });
        Self { port, orders, listening }
    }

    /// The next reply of the server is read and thrown away, and its connection closed.
    pub(super) fn lose_next_reply(&self) {
        self.orders.lose.store(true, Ordering::SeqCst);
    }

    /// The next request is read, and sent on when it is released, whatever became of its sender.
    pub(super) fn hold_next_request(&self) {
        self.orders.hold.store(true, Ordering::SeqCst);
    }

    /// Sends on what is held.
    pub(super) fn release(&self) {
        self.orders.release.notify_one();
    }

    /// Whether the reply was lost by now.
    pub(super) fn has_lost(&self) -> bool {
        !self.orders.lose.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn pass(client: TcpStream, to: u16, orders: Arc<Orders>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let requests = orders.clone();
    let up = tokio::spawn(async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
            if requests.hold.swap(false, Ordering::SeqCst) {
                requests.release.notified().await;
            }
            if to_server.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
        // Dropping it ends the server's side as well.
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
        if orders.lose.swap(false, Ordering::SeqCst) || to_client.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    up.abort();
}
