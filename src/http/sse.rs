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
    FutureExt, Stream, StreamExt,
    stream::{self, BoxStream},
};

use super::{
    AppState,
    api::{Answer, Outcome},
    media::Media,
    meter::Running,
    problem::{graphql_problem, with_type},
};
use crate::{
    graphql::{Envelope, caller::Caller},
    telemetry::{self, Transport},
};

/// A comment: it keeps proxies from closing a quiet connection, and shows us that the client is gone.
const KEEP_ALIVE: Bytes = Bytes::from_static(b":\n\n");
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata: \n\n");
/// What is around a result.
const BEFORE: &[u8] = b"event: next\ndata: ";
const AFTER: &[u8] = b"\n\n";

/// What is around each result.
pub(super) fn next() -> Envelope {
    Envelope { before: Bytes::from_static(BEFORE), after: Bytes::from_static(AFTER) }
}

/// One result and `complete`.
pub(super) fn single(
    app: &AppState,
    caller: Caller,
    answer: impl Future<Output = Answer> + Send + 'static,
) -> Response {
    let event = answer.map(|answer| next().around(&answer.body).into());
    respond(app, caller, stream::once(event).boxed(), None)
}

/// As many results as come, in [`next`]. The next one is taken when the connection has room: a slow client gets fewer.
pub(super) fn stream(app: &AppState, caller: Caller, answers: BoxStream<'static, Answer>) -> Response {
    let events = answers.map(|answer| match answer.outcome {
        Outcome::Ran => answer.body,
        Outcome::Refused | Outcome::TimedOut => next().around(&answer.body).into(),
    });
    respond(app, caller, events.boxed(), Some(Running::new(telemetry::subscribers(Transport::Sse))))
}

fn respond(
    app: &AppState,
    caller: Caller,
    results: BoxStream<'static, Bytes>,
    subscriber: Option<Running>,
) -> Response {
    let Some(place) = app.connections.enter(caller.peer, app.graphql.max_sockets_per_address) else {
        let text = "this address has as many sockets and event streams open as it may";
        let mut refused = graphql_problem(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_CONNECTIONS", text);
        refused.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        return refused;
    };
    let held = (place, subscriber);
    let events = events(app, results).map(move |event| {
        let _as_long_as_the_stream = &held;
        Ok::<_, Infallible>(event)
    });
    let mut response = with_type(StatusCode::OK, Media::EventStream.content_type(), Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn events(app: &AppState, mut results: BoxStream<'static, Bytes>) -> impl Stream<Item = Bytes> + use<> {
    let (shutdown, quiet) = (app.shutdown.clone(), app.graphql.ping_interval);
    async_stream::stream! {
        // At once, so that the client has its headers before the first result.
        yield KEEP_ALIVE;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                result = results.next() => match result {
                    Some(result) => yield one_line(result),
                    None => break,
                },
                () = tokio::time::sleep(quiet) => yield KEEP_ALIVE,
            }
        }
        yield COMPLETE;
    }
}

/// Free JSON may hold line breaks between its tokens, which would end the field: they become blanks.
fn one_line(event: Bytes) -> Bytes {
    let text = BEFORE.len()..event.len() - AFTER.len();
    // Nearly never: a search for one byte takes next to nothing, a search for either as long as the copy.
    if !event[text.clone()].contains(&b'\n') && !event[text.clone()].contains(&b'\r') {
        return event;
    }
    let mut event = event.to_vec();
    event[text].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
    event.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_between_tokens_do_not_break_the_event() {
        for (result, sent) in [("{\"a\":\r\n1}", "{\"a\":  1}"), ("{\"a\":1}", "{\"a\":1}")] {
            let event = one_line(next().around(result.as_bytes()).into());
            assert_eq!(event, format!("event: next\ndata: {sent}\n\n"));
        }
    }
}
