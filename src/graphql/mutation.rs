//! What changes the city, for operators.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::{
    context::require_change,
    error::{bad_input, internal, operation},
};
use crate::{twin::entity::parse_global_id, writer::Operator};

/// What became of a removal.
#[derive(SimpleObject)]
pub struct RemoveResult {
    /// The id that was asked for.
    pub id: ID,
    /// Whether the entity was there and is now gone, in the store too; false where the city had none of that id.
    pub removed: bool,
}

/// What changes the city.
#[derive(Default)]
pub struct Mutation;

/// What changes the city. Needs `Authorization: Bearer ADMIN_TOKEN`; where the server has no such token, a request from
/// its own machine.
#[Object]
impl Mutation {
    /// Takes an entity out of the city; a district with all that is in it. Events not newer than the `lastUpdated` that
    /// it had do not bring it back. Answers when the store has it. Errors: `BAD_USER_INPUT` for no id, `NOT_WRITER` on a
    /// replica (the writer's address is in `extensions.writer`), `UNCONFIRMED` where the store did not answer,
    /// `UNAUTHENTICATED`, `FORBIDDEN`.
    async fn remove_entity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entity's `id`, such as `bus/12` or `sensor/centro/aq-1`.")] id: ID,
    ) -> Result<RemoveResult> {
        require_change(ctx)?;
        let Some((kind, district, own)) = parse_global_id(&id) else {
            return Err(bad_input("id", format!("{:?}", &*id), "the `id` of an entity, such as bus/12"));
        };
        let operator = ctx.data_opt::<Operator>().ok_or_else(|| internal("the schema was given no operator"))?;
        let removed = operator.remove(kind, district, own).await.map_err(|error| operation(&error))?;
        Ok(RemoveResult { id, removed })
    }
}
