//! From an HTTP request to a socket.

use std::time::Duration;

use axum::{
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};

use super::{
    protocol::{Close, CloseCode, SUBPROTOCOL},
    session,
};
use crate::http::{AppState, problem::graphql_problem};

/// A socket's read buffer: requests are small, and the default of 128 KiB would be most of what a quiet socket costs.
const READ_BUFFER: usize = 4096;
/// What a socket may hold unwritten. One message is written at a time, so this is the largest message: a whole state
/// of 20 MB and its envelope fit well.
const MAX_WRITE_BUFFER: usize = 64 * 1024 * 1024;

/// Accepts an upgrade (the origin is checked by now), unless its address has all the sockets that it may have.
pub(in crate::http) fn accept(app: &AppState, parts: &Parts, upgrade: WebSocketUpgrade) -> Response {
    let caller = app.auth.caller(parts);
    let Some(place) = app.connections.enter(caller.peer, app.graphql.max_sockets_per_address) else {
        let text = "this address has as many sockets and event streams open as it may";
        let mut refused = graphql_problem(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_CONNECTIONS", text);
        refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return refused;
    };
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(app.http.max_body_bytes)
        .max_frame_size(app.http.max_body_bytes);
    let speaks = upgrade.selected_protocol().is_some();
    let app = app.clone();
    // Tracked from here on, so that a shutdown between the answer and the first message waits for it, too.
    let tracked = app.connections.sockets.token();
    upgrade.on_upgrade(move |socket| async move {
        let _held_as_long_as_the_socket = (place, tracked);
        if speaks {
            session::run(socket, app, caller).await;
        } else {
            refuse(socket, app.graphql.write_timeout).await;
        }
    })
}

/// Closes a socket whose client asked for no subprotocol that we speak.
async fn refuse(mut socket: WebSocket, time: Duration) {
    let close = Close::new(CloseCode::SubprotocolNotAcceptable, "Subprotocol not acceptable");
    let frame = CloseFrame { code: close.code as u16, reason: close.reason.into() };
    let _ = tokio::time::timeout(time, async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    })
    .await;
}
