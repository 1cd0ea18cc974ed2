//! A subscription over server-sent events (`graphql-sse`, distinct connections).

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};

use super::server::Server;

/// Longest wait for an event that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// One subscription on a connection of its own.
pub struct EventStream {
    bytes: Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send + Unpin>,
    text: String,
}

impl EventStream {
    /// Starts it.
    pub async fn start(server: &Server, query: &str, variables: Value) -> Self {
        // The client of the harness gives each request a time, which a stream has not.
        let request = server.http().post(server.url("/graphql")).timeout(Duration::from_secs(3600));
        let request =
            request.header("accept", "text/event-stream").json(&json!({ "query": query, "variables": variables }));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        Self { bytes: Box::new(answer.bytes_stream()), text: String::new() }
    }

    /// The `data` of the next result; panics on errors, on the end, and where none comes within 30 s.
    pub async fn next(&mut self) -> Value {
        self.next_within(PATIENCE).await.unwrap_or_else(|| panic!("no event within {PATIENCE:?}"))
    }

    /// The same, `None` where nothing comes in that time.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Value> {
        tokio::time::timeout(patience, self.read()).await.ok()
    }

    async fn read(&mut self) -> Value {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                let is_next = event.lines().any(|line| line == "event: next");
                let end = self.text.len() - rest.len();
                self.text.drain(..end);
                if let (true, Some(data)) = (is_next, data) {
                    let mut result: Value = serde_json::from_str(&data).expect("JSON");
                    assert!(result.get("errors").is_none(), "{result}");
                    return result["data"].take();
                }
            }
            let bytes = self.bytes.next().await.expect("the stream goes on").expect("readable");
            self.text.push_str(std::str::from_utf8(&bytes).expect("UTF-8, cut between characters"));
        }
    }
}
