//! A TCP proxy that loses replies.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Passes everything on to a port, until it is told to lose the next reply.
pub(super) struct Proxy {
    pub(super) port: u16,
    lose: Arc<AtomicBool>,
    listening: JoinHandle<()>,
}

impl Proxy {
    pub(super) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let lose = Arc::new(AtomicBool::new(false));
        let armed = lose.clone();
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, to, armed.clone()));
            }
        });
        Self { port, lose, listening }
    }

    /// The next reply of the server is read and thrown away, and its connection closed.
    pub(super) fn lose_next_reply(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }

    /// Whether the reply was lost by now.
    pub(super) fn has_lost(&self) -> bool {
        !self.lose.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn pass(client: TcpStream, to: u16, lose: Arc<AtomicBool>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
        if lose.swap(false, Ordering::SeqCst) || to_client.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    up.abort();
}
