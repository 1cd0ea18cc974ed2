//! The schema as a whole.

use async_graphql::{ID, Schema, SchemaBuilder};

use super::{context::MaxPage, mutation::Mutation, query::Query, subscription::Subscription};
use crate::config::GraphqlConfig;

/// The schema with its limits. What its resolvers work on is given as data before it is finished: `Arc<Fold>`,
/// `Operator`, `Arc<Chain>` and, for subscriptions, `Arc<Hub>`; `Arc<CityLive>` where City Live is on.
pub fn schema_builder(config: &GraphqlConfig) -> SchemaBuilder<Query, Mutation, Subscription> {
    builder()
        .limit_depth(config.max_depth)
        .limit_complexity(config.max_complexity)
        .limit_directives(config.max_directives)
        .data(MaxPage(config.max_page))
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .override_output_type_description::<ID>(
            "An id, as a string: opaque, and the same as long as its entity exists.",
        )
}

/// The schema in GraphQL's own language: what `schema.graphql` holds and `/schema.graphql` answers.
pub fn sdl() -> String {
    builder().finish().sdl()
}
