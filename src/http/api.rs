//! Runs GraphQL requests against a schema: limits, time, cancellation and error codes, the same for every transport.

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use async_graphql::{
    ObjectType, Request, Response, Schema, ServerError, SubscriptionType, Value,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType},
};
use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream, Fuse},
};
use serde::Serialize;

use super::{
    document::{Documents, refused, set_code},
    meter,
    params::Params,
};
use crate::{
    config::GraphqlConfig,
    graphql::{self, Document, Envelope, Express, Passed, caller::Caller},
};

/// A schema whose three type parameters are out of the way, so that the router needs none.
pub trait Executor: Send + Sync + 'static {
    /// Runs a query or a mutation.
    fn execute(&self, request: Request) -> BoxFuture<'static, Response>;
    /// Runs a subscription: one response an event.
    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response>;
}

impl<Q, M, S> Executor for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let schema = self.clone();
        async move { Schema::execute(&schema, request).await }.boxed()
    }

    fn execute_stream(&self, request: Request) -> BoxStream<'static, Response> {
        Schema::execute_stream(self, request)
    }
}

/// A schema with its limits: what every GraphQL transport runs its requests on.
#[derive(Clone)]
pub struct Api {
    executor: Arc<dyn Executor>,
    documents: Arc<Documents>,
    timeout: Duration,
}

/// A request that may be run: its document parses and is within the limits, its operation is known.
pub struct Prepared {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    request: Request,
}

/// One result, ready to be sent.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The JSON of the result: `{"data": …}`, of a subscription in its envelope; or `{"errors": […]}` alone where nothing was run.
    pub body: Bytes,
    /// What became of the request.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran; fields of it may have failed.
    Ran,
    /// It was refused before any field ran: a parse, validation, limit or coercion error.
    Refused,
    /// It took longer than it may.
    TimedOut,
}

impl Api {
    /// Runs requests on `schema` within the limits of `config`. Depth, complexity and directives are the schema
    /// builder's to set as well.
    pub fn new(schema: impl Executor, config: &GraphqlConfig) -> Self {
        Self { executor: Arc::new(schema), documents: Arc::new(Documents::new(config)), timeout: config.timeout }
    }

    /// Parses and checks a request. What is refused comes back as the answer to send.
    pub fn prepare(&self, params: Params, caller: Caller) -> Result<Prepared, Answer> {
        self.check(params, caller).map_err(|error| {
            meter::graphql_refused();
            Answer::refusal(error)
        })
    }

    fn check(&self, params: Params, caller: Caller) -> Result<Prepared, ServerError> {
        let document = self.documents.get(&params.query)?;
        let operation = select(&document, params.operation_name.as_deref())?;
        check_variables(operation, &params)?;
        let kind = operation.ty;
        let text = (kind == OperationType::Subscription).then(|| Document(params.query.as_str().into()));
        let mut request = Request::new(params.query).variables(params.variables).data(caller);
        if let Some(text) = text {
            request = request.data(text);
        }
        request.operation_name = params.operation_name;
        request.extensions = params.extensions;
        request.set_parsed_query(ExecutableDocument::clone(&document));
        Ok(Prepared { kind, request })
    }

    /// Runs a query or a mutation within the time limit. A mutation goes on by itself when its time is up or its client
    /// is gone: half a change would be worse than an unanswered one.
    pub async fn execute(&self, prepared: Prepared) -> Answer {
        let start = Instant::now();
        let run = AssertUnwindSafe(self.executor.execute(prepared.request)).catch_unwind();
        let response = if prepared.kind == OperationType::Mutation {
            tokio::time::timeout(self.timeout, tokio::spawn(run)).await.map(|joined| joined.ok().and_then(Result::ok))
        } else {
            tokio::time::timeout(self.timeout, run).await.map(Result::ok)
        };
        let Ok(response) = response else {
            meter::graphql(prepared.kind, Outcome::TimedOut, true, start);
            let text = format!("the request took longer than {} ms", self.timeout.as_millis());
            return Answer { outcome: Outcome::TimedOut, ..Answer::refusal(refused(text, None, "TIMEOUT")) };
        };
        let response = response.unwrap_or_else(broken);
        let has_errors = response.is_err();
        let answer = Answer::new(response, &Envelope::default());
        meter::graphql(prepared.kind, answer.outcome, has_errors, start);
        answer
    }

    /// Runs a subscription; it is polled only as fast as its reader takes, and ends when it is dropped. What ran comes in
    /// the envelope, what was refused without.
    pub fn subscribe(&self, prepared: Prepared, envelope: Envelope) -> BoxStream<'static, Answer> {
        let express = Express::new(envelope.clone());
        let by_schema = self.executor.execute_stream(prepared.request.data(express.clone()));
        let by_schema = AssertUnwindSafe(by_schema).catch_unwind().boxed().fuse();
        let subscription =
            Subscription { by_schema, express, passed: None, envelope, held: None, first: true, start: Instant::now() };
        stream::unfold(subscription, Subscription::next).boxed()
    }
}

/// Results, or the panic of whoever made them.
type Unwinding<T> = Fuse<BoxStream<'static, std::thread::Result<T>>>;

/// A subscription and what is known about it.
struct Subscription {
    by_schema: Unwinding<Response>,
    /// Where the schema may leave what it would only hand through.
    express: Express,
    /// What it left there.
    passed: Option<Unwinding<Passed>>,
    envelope: Envelope,
    /// An event that was looked at too early.
    held: Option<Response>,
    /// Whether the first event is still to come.
    first: bool,
    start: Instant,
}

impl Subscription {
    async fn next(mut self) -> Option<(Answer, Self)> {
        let event = match self.held.take() {
            Some(event) => event,
            None => match self.event().await? {
                Event::Resolved(event) => event,
                Event::Written(body) => {
                    if std::mem::take(&mut self.first) {
                        meter::graphql(OperationType::Subscription, Outcome::Ran, false, self.start);
                    }
                    return Some((Answer { body: body.into(), outcome: Outcome::Ran }, self));
                }
            },
        };
        if !std::mem::take(&mut self.first) {
            return Some((Answer::new(event, &self.envelope), self));
        }
        // A subscription that fails at its start gives one result without data and ends: that is a refusal.
        let mut ended = false;
        let failed = event.data == Value::Null && event.is_err();
        if failed && let Some(next) = self.by_schema.next().now_or_never() {
            (ended, self.held) = (next.is_none(), next.map(or_broken));
        }
        let has_errors = event.is_err();
        let answer = if ended { Answer::refused(event) } else { Answer::new(event, &self.envelope) };
        meter::graphql(OperationType::Subscription, answer.outcome, has_errors, self.start);
        Some((answer, self))
    }

    async fn event(&mut self) -> Option<Event> {
        if self.passed.is_none()
            && let Some(response) = self.start().await
        {
            return response.map(Event::Resolved);
        }
        match self.passed.as_mut()?.next().await? {
            Ok(Passed::Written(text)) => Some(Event::Written(text)),
            Ok(Passed::BySchema) => self.by_schema.next().await.map(or_broken).map(Event::Resolved),
            Err(_) => Some(Event::Resolved(broken())),
        }
    }

    /// Waits for the schema's result, or, with `None`, until it has left its batches.
    async fn start(&mut self) -> Option<Option<Response>> {
        poll_fn(|cx| {
            if let Poll::Ready(response) = self.by_schema.poll_next_unpin(cx) {
                return Poll::Ready(Some(response.map(or_broken)));
            }
            let Some(passed) = self.express.take() else { return Poll::Pending };
            self.passed = Some(AssertUnwindSafe(passed).catch_unwind().boxed().fuse());
            Poll::Ready(None)
        })
        .await
    }
}

/// What a subscription brought.
enum Event {
    /// A result of the schema.
    Resolved(Response),
    /// A result in its envelope.
    Written(Vec<u8>),
}

fn or_broken(response: std::thread::Result<Response>) -> Response {
    response.unwrap_or_else(|_| broken())
}

/// Which operation of a document is meant (GraphQL, section 6.1).
fn select<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a OperationDefinition, ServerError> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(name) => operations.find(|(own, _)| own.is_some_and(|own| own.as_str() == name)),
        None if operations.len() == 1 => operations.next(),
        None => None,
    };
    found.map(|(_, operation)| &operation.node).ok_or_else(|| {
        let text = match name {
            Some(name) => format!("the document has no operation `{name}`"),
            None => "the document has several operations: `operationName` must say which one".into(),
        };
        refused(text, None, "OPERATION_RESOLUTION_FAILURE")
    })
}

/// Refuses a missing or null value of a required variable. async-graphql only looks at variables that are used.
fn check_variables(operation: &OperationDefinition, params: &Params) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let given = params.variables.get(&variable.name.node);
        let missing = match given {
            Some(value) => *value == Value::Null,
            None => variable.default_value.is_none(),
        };
        if missing && !variable.var_type.node.nullable {
            let text =
                format!("the variable `${}` needs a value of type `{}`", variable.name.node, variable.var_type.node);
            return Err(refused(text, Some(definition.pos), "BAD_USER_INPUT"));
        }
    }
    Ok(())
}

/// The result of a resolver that panicked: the message stays in the log.
fn broken() -> Response {
    tracing::error!("a resolver panicked");
    Response::from_errors(vec![refused("internal error", None, "INTERNAL_SERVER_ERROR")])
}

/// A result in which nothing ran: without `data`, as the specification wants it.
#[derive(Serialize)]
struct Refusal<'a> {
    errors: &'a [ServerError],
}

impl Answer {
    /// The answer to a request in which nothing ran.
    pub(super) fn refusal(error: ServerError) -> Self {
        Self { body: json(&Refusal { errors: &[error] }), outcome: Outcome::Refused }
    }

    /// The list of errors alone, as the socket's `error` message carries it. Only for answers that are refusals.
    pub(super) fn errors(&self) -> &[u8] {
        let body: &[u8] = &self.body;
        body.strip_prefix(br#"{"errors":"#).and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(b"[]")
    }

    /// The answer to a request of which nothing but errors came.
    fn refused(mut response: Response) -> Self {
        set_codes(&mut response);
        Self { body: json(&Refusal { errors: &response.errors }), outcome: Outcome::Refused }
    }

    /// The answer that a response is: in the envelope, unless it was refused.
    fn new(mut response: Response, envelope: &Envelope) -> Self {
        // An error of the request has no path: only fields have one.
        let refused = response.data == Value::Null
            && !response.errors.is_empty()
            && response.errors.iter().all(|error| error.path.is_empty());
        if refused {
            return Self::refused(response);
        }
        set_codes(&mut response);
        Self { body: bytes(whole(&response, envelope), envelope), outcome: Outcome::Ran }
    }
}

fn set_codes(response: &mut Response) {
    for error in &mut response.errors {
        let code = code_of(error);
        set_code(error, code);
    }
}

/// The code of an error that came without one. async-graphql's own errors differ by their text only; a test holds these
/// against the library.
fn code_of(error: &ServerError) -> &'static str {
    let text = error.message.as_str();
    if text.starts_with("Query is too complex") {
        "TOO_COMPLEX"
    } else if text.starts_with("Query is nested too deep") || text.starts_with("The recursion depth") {
        "TOO_DEEP"
    } else if text.starts_with("The number of directives") {
        "TOO_MANY_DIRECTIVES"
    } else if ["Invalid value for argument", "Failed to parse \"", "Expected input type \""]
        .iter()
        .any(|start| text.starts_with(start))
    {
        "BAD_USER_INPUT"
    } else if error.path.is_empty() {
        "GRAPHQL_VALIDATION_FAILED"
    } else {
        "INTERNAL_SERVER_ERROR"
    }
}

/// The JSON of a result in its envelope; as serde writes it, with what is ready JSON already as it is.
fn whole(response: &Response, envelope: &Envelope) -> serde_json::Result<Vec<u8>> {
    let mut out = envelope.before.to_vec();
    out.extend_from_slice(b"{\"data\":");
    graphql::write_json(&response.data, &mut out)?;
    if !response.extensions.is_empty() {
        out.extend_from_slice(b",\"extensions\":");
        serde_json::to_writer(&mut out, &response.extensions)?;
    }
    if !response.errors.is_empty() {
        out.extend_from_slice(b",\"errors\":");
        serde_json::to_writer(&mut out, &response.errors)?;
    }
    out.push(b'}');
    out.extend_from_slice(&envelope.after);
    Ok(out)
}

fn json(value: &impl Serialize) -> Bytes {
    bytes(serde_json::to_vec(value), &Envelope::default())
}

/// A text, which is in its envelope already.
fn bytes(json: serde_json::Result<Vec<u8>>, envelope: &Envelope) -> Bytes {
    let json = json.unwrap_or_else(|error| {
        tracing::error!(%error, "a result could not be encoded");
        let text = br#"{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;
        envelope.around(text)
    });
    json.into()
}

#[cfg(test)]
mod tests;
