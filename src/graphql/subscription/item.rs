//! One item of a subscription of entities: resolved for one subscriber, or once for all who ask for the same.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerError, ServerResult, Value, parser::types::Field,
    registry::Registry,
};

use crate::{
    graphql::scalar::ready_value,
    live::{Batch, Given, Own, Text},
};

/// A type of GraphQL that a batch is given as.
pub trait FromBatch: OutputType {
    /// The batch as it is given to a subscriber: with what is its own, and `compact` where it asks for that.
    fn from_batch(own: &Own, batch: Arc<Batch>, compact: bool) -> Self;
}

/// A batch that is to be given as a `T`.
pub struct Item<T> {
    given: Given,
    compact: bool,
    of: PhantomData<T>,
}

impl<T: FromBatch> Item<T> {
    pub fn new(given: Given, compact: bool) -> Self {
        Self { given, compact, of: PhantomData }
    }

    async fn resolved(
        &self,
        own: &Own,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        T::from_batch(own, Arc::clone(&self.given.batch), self.compact).resolve(ctx, field).await
    }

    /// The text that all who share the batch are given. Whoever comes first writes it, with a stand-in for what is its own.
    async fn shared(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<&Text> {
        let write = || async {
            let stand_in = Text::stand_in();
            let value = self.resolved(&stand_in, ctx, field).await?;
            let json =
                serde_json::to_string(&value).map_err(|error| ServerError::new(error.to_string(), Some(field.pos)))?;
            // Errors belong to the answer of the one who met them: what has any is not shared.
            match take_errors(ctx).pop() {
                Some(error) => Err(error),
                None => Ok(Text::new(json, &stand_in)),
            }
        };
        self.given.batch.text.get_or_try_init(write).await
    }
}

/// Takes back the errors of fields that were met so far in this answer.
fn take_errors(ctx: &ContextSelectionSet<'_>) -> Vec<ServerError> {
    ctx.query_env.errors.lock().map(|mut errors| std::mem::take(&mut *errors)).unwrap_or_default()
}

impl<T: FromBatch> OutputType for Item<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let own = Own::from(self.given.cursor);
        if self.given.is_shared
            && let Ok(text) = self.shared(ctx, field).await
        {
            return Ok(ready_value(text.of(&own)));
        }
        self.resolved(&own, ctx, field).await
    }
}
