//! What all subscriptions do when they start.

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, OutputType, Result};
use futures_util::{Stream, StreamExt};

use super::{
    batch::{ChangeBatch, Followed},
    item::Item,
};
use crate::{
    graphql::{
        caller::Caller,
        context::Document,
        error::{bad_input, internal},
        express::express,
    },
    live::{self, Hub, Wish},
    telemetry,
    twin::selection::Selection,
};

/// The longest `minIntervalMs`: a minute.
const MAX_INTERVAL_MS: i32 = 60_000;

/// What subscribers of this schema share.
pub fn hub(ctx: &Context<'_>) -> Result<Arc<Hub>> {
    let hub = ctx.data_opt::<Arc<Hub>>().ok_or_else(|| internal("the schema was given no hub of subscribers"))?;
    Ok(Arc::clone(hub))
}

/// The argument `minIntervalMs` within its bounds; `preset` where it is absent or null. It is an optional argument, not one
/// with a default value: to that a variable without a value would be an error.
///
/// # Errors
/// `BAD_USER_INPUT` outside of 0 to 60000.
pub fn interval(min_interval_ms: Option<i32>, preset: Duration) -> Result<Duration> {
    let Some(min_interval_ms) = min_interval_ms else { return Ok(preset) };
    match u64::try_from(min_interval_ms) {
        Ok(millis) if min_interval_ms <= MAX_INTERVAL_MS => Ok(Duration::from_millis(millis)),
        _ => {
            let accepted = format!("a whole number of milliseconds from 0 to {MAX_INTERVAL_MS}");
            Err(bad_input("minIntervalMs", min_interval_ms, &accepted))
        }
    }
}

/// Follows what is selected.
pub fn follow<N: Followed>(
    ctx: &Context<'_>,
    selection: Selection,
    min_interval_ms: Option<i32>,
) -> Result<impl Stream<Item = Item<ChangeBatch<N>>> + use<N>> {
    let (hub, interval) = (hub(ctx)?, interval(min_interval_ms, Duration::ZERO)?);
    let seat = hub.subscribe_alone(Wish { selection, level: None, operation: operation(ctx, None) });
    let batches = live::follow(hub, seat, interval);
    Ok(express(ctx, running(ctx, batches.map(|given| Item::new(given, false)))))
}

/// The longest text of an operation that is compared with others: a map's has some hundred bytes.
const MOST_COMPARED: usize = 16 * 1024;

/// What makes two operations the same: document, operation, variables and what their callers may do. The variable of an
/// argument that is each subscriber's own counts as not there.
pub fn operation(ctx: &Context<'_>, own: Option<&str>) -> Option<String> {
    let Document(text) = ctx.data_opt()?;
    let arguments = ctx.item.node.arguments.iter();
    let variable =
        arguments.filter(|(name, _)| Some(name.node.as_str()) == own).map(|(_, value)| value.node.to_string()).next();
    let variable = variable.as_deref().and_then(|value| value.strip_prefix('$'));
    let name = ctx.query_env.operation_name.as_deref().unwrap_or_default();
    let access = ctx.data_opt::<Caller>().map(|caller| caller.access);
    let mut operation = format!("{access:?}");
    // Each part with its length, so that no two operations are the same text by chance or by intent.
    let mut add = |part: &str| operation.push_str(&format!(" {}:{part}", part.len()));
    add(text);
    add(name);
    for (name, value) in ctx.query_env.variables.iter().filter(|(name, _)| Some(name.as_str()) != variable) {
        add(name);
        add(&value.to_string());
    }
    (operation.len() <= MOST_COMPARED).then_some(operation)
}

/// A subscription's stream, counted in the metrics as long as it is there.
pub fn running<T: OutputType, S: Stream<Item = T> + Send>(
    ctx: &Context<'_>,
    items: S,
) -> impl Stream<Item = T> + Send + use<T, S> {
    let running = Running::new(telemetry::subscriptions(ctx.field().name()));
    items.map(move |item| {
        let _held_as_long_as_the_stream = &running;
        item
    })
}

/// One subscription in the metrics.
struct Running(metrics::Gauge);

impl Running {
    fn new(gauge: metrics::Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}
