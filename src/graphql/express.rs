//! Subscriptions that a transport reads past the schema.
//!
//! async-graphql checks an operation and starts it; from then on most batches are text that is ready, or that can be written in one
//! go, and to take them through its streams, futures and values costs more than to make them. So the field of a subscription may leave
//! its batches with the transport, which reads them there, and goes back to the schema's stream for a batch that needs it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::{
    Context, OutputType,
    parser::types::{Selection, SelectionSet},
};
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    future::Either,
    stream::{BoxStream, poll_fn},
};
use tokio::sync::mpsc;

/// What a transport puts around the JSON of each result.
#[derive(Clone, Debug, Default)]
pub struct Envelope {
    /// What comes before it.
    pub before: Bytes,
    /// What comes after it.
    pub after: Bytes,
}

impl Envelope {
    /// The result in it.
    pub fn around(&self, result: &[u8]) -> Vec<u8> {
        [&self.before, result, &self.after].concat()
    }
}

/// A batch of a subscription.
pub enum Passed {
    /// The whole result in its envelope.
    Written(Vec<u8>),
    /// The schema has to write it: its stream has one result more.
    BySchema,
}

/// Where a subscription's field leaves its batches, if it can. A transport that reads them gives one with the request.
#[derive(Clone)]
pub struct Express {
    envelope: Envelope,
    left: Arc<Mutex<Option<BoxStream<'static, Passed>>>>,
}

impl Express {
    /// For one request.
    pub fn new(envelope: Envelope) -> Self {
        Self { envelope, left: Arc::default() }
    }

    /// The batches, once the field has left them. The schema's stream has nothing then but what they say.
    pub fn take(&self) -> Option<BoxStream<'static, Passed>> {
        lock(&self.left).take()
    }
}

/// An item that can write itself without the schema.
pub trait Written: OutputType + Send + 'static {
    /// What is known about all items of an operation by what it asks of them.
    type Plan: Send + 'static;

    /// By what an operation asks.
    fn plan(asked: &SelectionSet) -> Self::Plan;

    /// Appends the item's JSON; `false` where that takes the schema, whatever was appended.
    fn write(&self, plan: &Self::Plan, out: &mut Vec<u8>) -> bool;
}

/// The stream of a subscription's field: its items, or, where the transport reads those past the schema, only those that the
/// transport wants back.
pub fn express<T: Written, S: Stream<Item = T> + Send + 'static>(
    ctx: &Context<'_>,
    items: S,
) -> impl Stream<Item = T> + Send + use<T, S> {
    let Some(express) = ctx.data_opt::<Express>().filter(|_| stands_alone(ctx)) else { return Either::Left(items) };
    let plan = T::plan(&ctx.item.node.selection_set.node);
    // Names of GraphQL need no escape.
    let head = [&express.envelope.before[..], format!("{{\"data\":{{\"{}\":", ctx.item.node.response_key()).as_bytes()]
        .concat();
    let tail = [b"}}", &express.envelope.after[..]].concat();
    let (back, mut returned) = mpsc::unbounded_channel();
    let passed = items.map(move |item| {
        let mut text = head.clone();
        if item.write(&plan, &mut text) {
            text.extend_from_slice(&tail);
            return Passed::Written(text);
        }
        // The schema's stream is there as long as this one is read, and there is never more than one item in it.
        let _ = back.send(item);
        Passed::BySchema
    });
    *lock(&express.left) = Some(passed.boxed());
    Either::Right(poll_fn(move |cx| returned.poll_recv(cx)))
}

/// Whether an operation is nothing but this field, so that its result holds nothing else.
fn stands_alone(ctx: &Context<'_>) -> bool {
    let asked = &ctx.query_env.operation.node.selection_set.node.items;
    matches!(&asked[..], [one] if matches!(&one.node, Selection::Field(_)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
