//! Results as server-sent events: the protocol of graphql-sse in distinct connections mode.
//!
//! Each result is a `next` event, the end a `complete` event. A stream that ends without `complete` ended because the
//! server goes down: clients come back by themselves then, where `complete` would be the end for them.

use std::{convert::Infallible, future::Future};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use super::{
    AppState,
    api::Answer,
    media::Media,
    meter::Running,
    problem::{graphql_problem, with_type},
};
use crate::{
    graphql::caller::Caller,
    telemetry::{self, Transport},
};

/// A comment: it keeps proxies from closing a quiet connection, and shows us that the client is gone.
const KEEP_ALIVE: Bytes = Bytes::from_static(b":\n\n");
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");

/// One result and `complete`.
pub(super) fn single(
    app: &AppState,
    caller: Caller,
    answer: impl Future<Output = Answer> + Send + 'static,
) -> Response {
    respond(app, caller, stream::once(answer).boxed(), None)
}

/// As many results as come. The next one is taken when the connection has room: a slow client gets fewer.
pub(super) fn stream(app: &AppState, caller: Caller, answers: BoxStream<'static, Answer>) -> Response {
    respond(app, caller, answers, Some(Running::new(telemetry::subscribers(Transport::Sse))))
}

fn respond(
    app: &AppState,
    caller: Caller,
    answers: BoxStream<'static, Answer>,
    subscriber: Option<Running>,
) -> Response {
    let Some(place) = app.connections.enter(caller.peer, app.graphql.max_sockets_per_address) else {
        let text = "this address has as many sockets and event streams open as it may";
        let mut refused = graphql_problem(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_CONNECTIONS", text);
        refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return refused;
    };
    let held = (place, subscriber);
    let events = events(app, answers).map(move |event| {
        let _as_long_as_the_stream = &held;
        Ok::<_, Infallible>(event)
    });
    let mut response = with_type(StatusCode::OK, Media::EventStream.content_type(), Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn events(app: &AppState, mut answers: BoxStream<'static, Answer>) -> impl Stream<Item = Bytes> + use<> {
    let (shutdown, quiet) = (app.shutdown.clone(), app.graphql.ping_interval);
    async_stream::stream! {
        // At once, so that the client has its headers before the first result.
        yield KEEP_ALIVE;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                answer = answers.next() => match answer {
                    Some(answer) => yield next(&answer.body),
                    None => break,
                },
                () = tokio::time::sleep(quiet) => yield KEEP_ALIVE,
            }
        }
        yield COMPLETE;
    }
}

/// A `next` event. Free JSON may hold line breaks between its tokens, which would end the field: they become blanks.
fn next(body: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(body.len() + 24);
    event.extend_from_slice(b"event: next\ndata: ");
    event.extend(body.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    event.extend_from_slice(b"\n\n");
    event.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_between_tokens_do_not_break_the_event() {
        assert_eq!(next(b"{\"a\":\r\n1}"), "event: next\ndata: {\"a\":  1}\n\n");
    }
}
