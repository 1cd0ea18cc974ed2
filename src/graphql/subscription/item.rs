//! One item of a subscription of entities: resolved for one subscriber, or once for all who ask for the same.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerError, ServerResult, Value,
    parser::types::{Field, SelectionSet},
    registry::Registry,
};

use super::written::{Plan, plain, text};
use crate::{
    graphql::{
        express::Written,
        scalar::{ready_value, write_json},
    },
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
pub trait FromBatch: OutputType + Send + 'static {
    /// The batch as it is given to a subscriber, with what is its own.
    fn from_batch(own: &Own, batch: Arc<Batch>, form: Form) -> Self;

    /// How its batches are written in one go; `None` where what is asked of them is to be resolved field by field.
    fn plan(_asked: &SelectionSet) -> Option<Plan> {
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
        let mut json = Vec::new();
        if T::plan(&ctx.item.node).is_some_and(|plan| plan.write(own, &self.given.batch, self.compact, &mut json)) {
            return Ok(ready_value(text(json)));
        }
        let form = Form { compact: self.compact, plain: plain(&ctx.item.node).is_some() };
        T::from_batch(own, Arc::clone(&self.given.batch), form).resolve(ctx, field).await
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

impl<T: FromBatch> Written for Item<T> {
    type Plan = Option<Plan>;

    fn plan(asked: &SelectionSet) -> Self::Plan {
        T::plan(asked)
    }

    fn write(&self, plan: &Self::Plan, out: &mut Vec<u8>) -> bool {
        let Given { batch, cursor, is_shared } = &self.given;
        let own = Own::from(*cursor);
        let write =
            |own: &Own, out: &mut Vec<u8>| plan.as_ref().is_some_and(|plan| plan.write(own, batch, self.compact, out));
        if !is_shared {
            return write(&own, out);
        }
        if batch.text.get().is_none() {
            let (stand_in, mut json) = (Text::stand_in(), Vec::new());
            if write(&stand_in, &mut json) {
                // Another one may have written the same meanwhile.
                let _ = batch.text.set(Text::new(text(json), &stand_in));
            }
        }
        let Some(text) = batch.text.get() else { return write(&own, out) };
        text.write(&own, out);
        true
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
            && let Ok(shared) = self.shared(ctx, field).await
        {
            let mut json = Vec::new();
            shared.write(&own, &mut json);
            return Ok(ready_value(text(json)));
        }
        self.resolved(&own, ctx, field).await
    }
}
