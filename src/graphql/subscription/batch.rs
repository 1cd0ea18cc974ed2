//! What subscriptions of entities give: the same form for all kinds.

use std::{borrow::Cow, marker::PhantomData, sync::Arc};

use async_graphql::{Enum, ID, Object, OutputType, TypeName};

use super::item::{Form, FromBatch};
use crate::{
    graphql::{
        connection::{Listed, list_cost},
        entity::{Building, Bus, District, Incident, RoadEdge, RoadNode, Sensor, Station, Unit, WeatherStation},
        snapshot::Snapshot,
    },
    live::{Batch, Change, LeftReason, Own},
    twin::entity::{Entity, Variant},
};

/// A type of GraphQL whose entities can be followed.
pub trait Followed: OutputType + Sized + 'static {
    /// The names of its batches and of what is in them.
    const BATCH: &'static str;
    const CHANGE: &'static str;

    /// The entity, if it is of that kind.
    fn of(snapshot: &Snapshot, entity: &Entity) -> Option<Self>;
}

macro_rules! followed {
    ($($node:ident),+) => {
        $(impl Followed for $node {
            const BATCH: &'static str = concat!(stringify!($node), "Changes");
            const CHANGE: &'static str = concat!(stringify!($node), "Change");

            fn of(snapshot: &Snapshot, entity: &Entity) -> Option<Self> {
                let item = <$node as Listed>::Model::unwrap(entity)?;
                Some(Self::new(snapshot.clone(), std::sync::Arc::clone(item)))
            }
        })+
    };
}

followed!(District, Sensor, Building, WeatherStation, RoadNode, RoadEdge, Bus, Station, Incident, Unit);

impl From<&Change> for ChangeKind {
    fn from(change: &Change) -> Self {
        match change {
            Change::Entered(_) => Self::Entered,
            Change::Updated { .. } => Self::Updated,
            Change::Left { .. } => Self::Left,
        }
    }
}

/// Why it left; `None` where it did not.
pub fn leave_reason(change: &Change) -> Option<LeaveReason> {
    match change {
        Change::Left { reason, .. } => Some((*reason).into()),
        Change::Entered(_) | Change::Updated { .. } => None,
    }
}

/// What happened to an entity, as a subscriber sees it.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new to the subscriber: it was there at the beginning, was created, or came into what the filter chooses.
    Entered,
    /// The subscriber has it, and it changed.
    Updated,
    /// It is no longer chosen, or no longer there.
    Left,
}

/// Why an entity left.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "LeftReason")]
pub enum LeaveReason {
    /// It is still there, but no longer what the filter chooses: it moved out of the box, or its status changed.
    MovedOut,
    /// It is gone.
    Removed,
}

/// Changes of one moment.
pub struct ChangeBatch<N> {
    cursor: String,
    batch: Arc<Batch>,
    city: Snapshot,
    of: PhantomData<N>,
}

/// What happened to one entity.
pub struct EntityChange<'a, N> {
    change: &'a Change,
    /// Its present value; none where it left.
    entity: Option<N>,
}

impl<N: Followed> FromBatch for ChangeBatch<N> {
    fn from_batch(own: &Own, batch: Arc<Batch>, _form: Form) -> Self {
        let city = Snapshot::from(Arc::clone(&batch.view));
        Self { cursor: own.cursor.clone(), batch, city, of: PhantomData }
    }
}

impl<N: Followed> TypeName for ChangeBatch<N> {
    fn type_name() -> Cow<'static, str> {
        N::BATCH.into()
    }
}

impl<N: Followed> TypeName for EntityChange<'_, N> {
    fn type_name() -> Cow<'static, str> {
        N::CHANGE.into()
    }
}

/// Changes of one moment: all fields of one batch see the city at that moment. What does not fit one batch (1000
/// changes) comes in several, of which the last one is `complete`.
#[Object(name_type)]
impl<N: Followed> ChangeBatch<N> {
    /// Names the batch, opaque. Only `twinChanges` can be gone on with.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Whether this batch belongs to what there was at the beginning. Its last batch has `complete`, too, and is
    /// empty where there is nothing.
    async fn snapshot(&self) -> bool {
        self.batch.snapshot
    }

    /// Whether the subscriber now has exactly what the city holds at this moment; else the rest follows at once.
    async fn complete(&self) -> bool {
        self.batch.complete
    }

    /// The changes, at most one of each entity.
    #[graphql(complexity = "list_cost(None, child_complexity)")]
    async fn changes(&self) -> Vec<EntityChange<'_, N>> {
        let changes = self.batch.changes.iter().map(|change| {
            let entity = match change {
                Change::Left { .. } => None,
                Change::Entered(entity) | Change::Updated { entity, .. } => N::of(&self.city, entity),
            };
            EntityChange { change, entity }
        });
        changes.collect()
    }
}

/// What happened to one entity since the subscriber was last told of it, all of it merged.
#[Object(name_type)]
impl<N: Followed> EntityChange<'_, N> {
    /// What happened.
    async fn kind(&self) -> ChangeKind {
        ChangeKind::from(self.change)
    }

    /// The entity's id, unique over all kinds: `sensor/<district>/<id>`, `bus/<id>`, with its parts percent-encoded.
    async fn id(&self) -> ID {
        ID(self.change.entity().global_id())
    }

    /// The entity as it is at the batch's moment; null where it left.
    async fn entity(&self) -> Option<&N> {
        self.entity.as_ref()
    }

    /// Of an update: the top-level names of `state.full` whose values may differ from those that the subscriber was last
    /// given. None that differs is left out. Empty where it entered or left.
    async fn changed_fields(&self) -> Vec<&'static str> {
        self.change.changed_fields().collect()
    }

    /// Why it left; null where it did not.
    async fn reason(&self) -> Option<LeaveReason> {
        leave_reason(self.change)
    }
}
