//! What changes the city, for operators; and what steers one's own subscription.

use async_graphql::{Context, ID, MergedObject, Object, Result, SimpleObject};

use super::{
    caller::Caller,
    city_live::CityLiveMutation,
    context::require_change,
    error::{bad_input, coded, internal, operation},
    filter::EntityFilter,
    subscription::{hub, level},
};
use crate::{live::SubscriptionId, twin::entity::parse_global_id, writer::Operator};

/// What became of a removal.
#[derive(SimpleObject)]
pub struct RemoveResult {
    /// The id that was asked for.
    pub id: ID,
    /// Whether the entity was there and is now gone, in the store too; false where the city had none of that id.
    pub removed: bool,
}

/// What changes the city or City Live, and what steers one's own subscription. To change something needs `Authorization:
/// Bearer ADMIN_TOKEN`; where the server has no such token, a request from its own machine.
#[derive(MergedObject, Default)]
pub struct Mutation(TwinMutation, CityLiveMutation);

/// What changes the twin, and what steers one's own subscription.
#[derive(Default)]
struct TwinMutation;

/// What changes the twin, and what steers one's own subscription.
#[Object]
impl TwinMutation {
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
    /// Moves a running subscription of `twinChanges` to another filter, as a map does that is panned or zoomed, and gives
    /// the move's number, n. Batches that know of it have a `viewport` of at least n: they bring `LEFT` (`MOVED_OUT`) for
    /// what is no longer chosen and `ENTERED` for what is new, nothing for what the client has already.
    ///
    /// It goes by the same socket as the subscription; beside an event stream by any POST, to the same instance. It
    /// changes nothing in the city and needs no token. Errors: `BAD_USER_INPUT`, and `NOT_HERE` where no running
    /// subscription of this instance and this socket has that id.
    async fn move_viewport(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The `subscription` that its batches name.")] subscription: ID,
        #[graphql(desc = "What to follow from now on.")] filter: EntityFilter,
        #[graphql(desc = "The map's zoom, as in `twinChanges`; absent: no cells.")] zoom: Option<f64>,
    ) -> Result<i32> {
        let (selection, level) = (filter.selection()?, level(zoom)?);
        let socket = ctx.data_opt::<Caller>().and_then(|caller| caller.socket);
        let moved = match SubscriptionId::parse(&subscription) {
            Some(id) => hub(ctx)?.look_at(id, socket, selection, level),
            None => None,
        };
        moved.ok_or_else(|| {
            coded("NOT_HERE", "no running subscription of this instance and this connection has that id")
        })
    }
}
