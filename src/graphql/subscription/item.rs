//! One item of a subscription of entities: resolved for one subscriber, or once for all who ask for the same.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerError, ServerResult, Value, parser::types::Field,
    registry::Registry,
};

use super::written::plain;
use crate::{
    graphql::scalar::{ready_value, write_json},
    live::{Batch, Given, Own, Text},
};

/// How a subscriber asks for batches.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// With patches instead of entities.
    pub compact: bool,
    /// By nothing but fields, each under a name of its own: then no two of them need be merged.
    pub plain: bool,
}

/// A type of GraphQL that a batch is given as.
pub trait FromBatch: OutputType {
    /// The batch as it is given to a subscriber, with what is its own.
    fn from_batch(own: &Own, batch: Arc<Batch>, form: Form) -> Self;

    /// The JSON of these fields of it; `None` where they are to be resolved one by one.
    fn written(&self, _fields: &[&Field]) -> Option<String> {
        None
    }
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
        let fields = plain(&ctx.item.node);
        let form = Form { compact: self.compact, plain: fields.is_some() };
        let batch = T::from_batch(own, Arc::clone(&self.given.batch), form);
        match fields.and_then(|fields| batch.written(&fields)) {
            Some(text) => Ok(ready_value(text)),
            None => batch.resolve(ctx, field).await,
        }
    }

    /// The text that all who share the batch are given. Whoever comes first writes it, with a stand-in for what is its own.
    async fn shared(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<&Text> {
        let write = || async {
            let stand_in = Text::stand_in();
            let value = self.resolved(&stand_in, ctx, field).await?;
            let mut json = Vec::new();
            let written = write_json(&value, &mut json).map(|()| String::from_utf8(json));
            let Ok(Ok(json)) = written else { return Err(ServerError::new("no JSON", Some(field.pos))) };
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
