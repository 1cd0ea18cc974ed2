//! What a resolver finds around it: the live city, the request's one snapshot, the limits and the caller.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, Request, Result};

use super::{
    caller::Caller,
    error::{coded, internal},
    snapshot::Snapshot,
};
use crate::ingest::Fold;

/// The most entries of one page (`first`), as set by `GRAPHQL_MAX_PAGE`.
#[derive(Clone, Copy, Debug)]
pub struct MaxPage(pub i32);

/// The text of a subscription's document, by which those who ask for the same are found. Transports give it.
#[derive(Clone, Debug)]
pub struct Document(pub Arc<str>);

/// The snapshot of one request, taken when its first field asks.
#[derive(Debug, Default)]
struct RequestSnapshot(OnceLock<Snapshot>);

/// Makes all fields of a request see one moment of the city. Every transport sends its requests through here.
pub fn at_one_moment(request: Request) -> Request {
    request.data(RequestSnapshot::default())
}

/// The city at the moment of the request.
pub fn snapshot(ctx: &Context<'_>) -> Result<Snapshot> {
    let fold = ctx.data_opt::<Arc<Fold>>().ok_or_else(|| internal("the schema was given no city"))?;
    let take = || Snapshot::from(fold.view());
    Ok(match ctx.data_opt::<RequestSnapshot>() {
        Some(held) => held.0.get_or_init(take).clone(),
        None => take(),
    })
}

/// The most entries of one page.
pub fn max_page(ctx: &Context<'_>) -> i32 {
    ctx.data_opt::<MaxPage>().map_or(DEFAULT_PAGE, |max| max.0)
}

/// Entries of one page where `first` is absent.
pub const DEFAULT_PAGE: i32 = 100;

/// Lets a mutation go on, or ends it with `UNAUTHENTICATED` or `FORBIDDEN`.
pub fn require_change(ctx: &Context<'_>) -> Result<()> {
    match ctx.data_opt::<Caller>() {
        Some(caller) => caller.require_change(),
        None => Err(coded("FORBIDDEN", "the request came by no transport that knows its caller")),
    }
}
