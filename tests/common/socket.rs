//! A client of the graphql-transport-ws protocol that shows every frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue},
    },
};

/// Longest wait for a frame that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A message of the protocol.
    Message(Value),
    /// The end: close code (1006 where the connection just broke) and reason.
    Closed(u16, String),
}

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens one with the protocol's name and these headers, and says nothing yet; the error is the refused upgrade.
    pub async fn open(url: &str, headers: &[(&str, &str)]) -> Result<Self, Error> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        for &(name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        let (stream, _) = connect_async(request).await?;
        Ok(Self { stream })
    }

    /// Opens one and goes through `connection_init` and `connection_ack`.
    pub async fn connect(url: &str) -> Self {
        let mut socket = Self::open(url, &[]).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        socket.send(&json!({ "type": "connection_init" })).await;
        let answer = socket.next().await;
        assert!(matches!(&answer, Frame::Message(message) if message["type"] == "connection_ack"), "{answer:?}");
        socket
    }

    /// Sends a message of the protocol.
    pub async fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends any text. A failure is not reported: the close that explains it comes with [`Self::next`].
    pub async fn send_text(&mut self, text: &str) {
        let _ = self.stream.send(Message::text(text)).await;
    }

    /// Sends bytes, which the protocol does not know.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.send(Message::binary(bytes.to_vec())).await;
    }

    /// Starts an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(&json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// The next frame; panics where none comes within 30 s. The protocol's pings are answered, and not shown.
    pub async fn next(&mut self) -> Frame {
        self.next_within(PATIENCE).await.unwrap_or_else(|| panic!("no frame within {PATIENCE:?}"))
    }

    /// The next frame, `None` where none comes in that time.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Frame> {
        tokio::time::timeout(patience, self.read()).await.ok()
    }

    async fn read(&mut self) -> Frame {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                    if message["type"] == "ping" {
                        self.send(&json!({ "type": "pong" })).await;
                    } else {
                        return Frame::Message(message);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) =
                        frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    return Frame::Closed(code, reason);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Frame::Closed(1006, error.to_string()),
                None => return Frame::Closed(1006, String::new()),
            }
        }
    }

    /// Reads on until the close and gives its code.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            if let Frame::Closed(code, _) = self.next().await {
                return code;
            }
        }
    }

    /// Closes it as a browser tab does.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
    }
}

/// One operation on a socket of its own.
#[derive(Debug)]
pub struct Subscription {
    socket: Socket,
}

impl Subscription {
    const ID: &'static str = "1";

    /// Starts it.
    pub async fn start(mut socket: Socket, query: &str, variables: Value) -> Self {
        socket.subscribe(Self::ID, query, variables).await;
        Self { socket }
    }

    /// The `data` of the next result; panics on errors, on the end, and where none comes within 30 s.
    pub async fn next(&mut self) -> Value {
        data(self.socket.next().await)
    }

    /// The same, `None` where nothing comes in that time.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Value> {
        self.socket.next_within(patience).await.map(data)
    }

    /// Reads results until one holds what is looked for, and gives it; panics after 30 s without.
    pub async fn until(&mut self, mut found: impl FnMut(&Value) -> bool) -> Value {
        let search = async {
            loop {
                let data = self.next().await;
                if found(&data) {
                    return data;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("not among the results of {PATIENCE:?}"))
    }

    /// Ends the operation and gives the socket back.
    pub async fn complete(mut self) -> Socket {
        self.socket.send(&json!({ "id": Self::ID, "type": "complete" })).await;
        self.socket
    }

    /// The socket, for its close code or raw frames.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }
}

fn data(frame: Frame) -> Value {
    match frame {
        Frame::Message(mut message) if message["type"] == "next" => {
            let payload = message["payload"].take();
            assert!(payload.get("errors").is_none(), "{payload}");
            payload["data"].clone()
        }
        other => panic!("not a result: {other:?}"),
    }
}
