//! A server that gives the answers it was told to, one a connection, in order, and keeps what it was asked.

use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What is sent back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes; then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing; the connection stays open.
    Silence,
}

/// A whole answer.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

#[allow(clippy::needless_pass_by_value, reason = "an answer is made where it stands")]
pub fn ok(body: impl ToString) -> Answer {
    answer("200 OK", "Content-Type: application/json\r\n", body.to_string())
}

/// Ends with the test's runtime.
pub struct Scripted {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// The last answer is given again and again.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&requests);
        let mut answers: VecDeque<Answer> = answers.into_iter().collect();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                tokio::spawn(serve(stream, answer.expect("there is an answer"), Arc::clone(&kept)));
            }
        });
        Self { url, requests }
    }

    /// The heads of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked").clone()
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, kept: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    kept.lock().expect("no test panicked").push(String::from_utf8_lossy(&head).into_owned());
    match answer {
        Answer::Bytes(bytes) => {
            // The client may have seen enough.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Answer::Silence => std::future::pending().await,
    }
}
