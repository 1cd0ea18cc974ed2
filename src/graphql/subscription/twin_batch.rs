//! What the live map's subscription gives.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object, parser::types::SelectionSet};

use super::{
    batch::{ChangeKind, LeaveReason, leave_reason},
    item::{Form, FromBatch},
    written::{Plan, WrittenChanges, write_patch},
};
use crate::{
    graphql::{connection::list_cost, entity::TwinEntity, enums::EntityKind, scalar::Json, snapshot::Snapshot},
    live::{self, Batch, CellChange, Change, Mode, Own},
    twin::geo::BoundingBox,
};

/// How what the filter chooses is shown.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "Mode")]
pub enum ViewMode {
    /// Each entity by itself, in `changes`.
    Entities,
    /// Points and movers by the squares of a grid, in `cells`; roads and districts by themselves, in `changes`.
    Cells,
}

/// Why a subscription gives all there is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "live::SnapshotReason")]
pub enum SnapshotReason {
    /// No cursor was given.
    Start,
    /// What the client held at its cursor is no longer known: the subscription ended too long ago (5 minutes), others
    /// needed the room (64 MiB for all), more got lost on the way than is held, or the cursor stands within a snapshot.
    NotHeld,
    /// The cursor is another instance's, or that of a process that is gone.
    NotHere,
    /// Another writer began a new chain since the cursor.
    NewEpoch,
}

/// Changes of one moment: all fields of one batch see the city at that moment. What does not fit one batch (1000
/// changes, 1000 cells) comes in several, of which the last one is `complete`.
///
/// A client keeps a map from `id` to entity and one from `id` to cell. It takes a batch so: where `mode` differs from
/// the batch before, it drops all points and movers (now `CELLS`) or all cells (now `ENTITIES`); where the first batch of
/// a stream has the mode `CELLS`, it drops all cells; where `reason` is not null, it marks all entities that it
/// holds. Then it applies `changes` and `cells`. At the next `complete` after a `reason` it drops the entities that are
/// still marked, which are those that did not enter anew.
pub struct TwinChanges {
    own: Own,
    batch: Arc<Batch>,
    city: Snapshot,
    form: Form,
}

/// What happened to one entity since the subscriber was last told of it, all of it merged.
pub struct TwinChange<'a> {
    batch: &'a TwinChanges,
    change: &'a Change,
}

impl FromBatch for TwinChanges {
    fn from_batch(own: &Own, batch: Arc<Batch>, form: Form) -> Self {
        let city = Snapshot::from(Arc::clone(&batch.view));
        Self { own: own.clone(), batch, city, form }
    }

    fn plan(asked: &SelectionSet) -> Option<Plan> {
        Plan::of(asked)
    }
}

impl TwinChanges {
    /// What all have who share it.
    pub(super) fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The changes as GraphQL resolves them one by one.
    pub(super) fn one_by_one(&self) -> Vec<TwinChange<'_>> {
        self.batch.changes.iter().map(|change| TwinChange { batch: self, change }).collect()
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }
}

/// Changes of one moment: all fields of one batch see the city at that moment. What does not fit one batch (1000
/// changes, 1000 cells) comes in several, of which the last one is `complete`.
///
/// A client keeps a map from `id` to entity and one from `id` to cell. It takes a batch so: where `mode` differs from
/// the batch before, it drops all points and movers (now `CELLS`) or all cells (now `ENTITIES`); where the first batch of
/// a stream has the mode `CELLS`, it drops all cells; where `reason` is not null, it marks all entities that it
/// holds. Then it applies `changes` and `cells`. At the next `complete` after a `reason` it drops the entities that are
/// still marked, which are those that did not enter anew.
#[Object]
impl TwinChanges {
    /// Where the client stands with this batch, opaque. `resumeFrom` goes on after it.
    async fn cursor(&self) -> &str {
        &self.own.cursor
    }

    /// The subscription's id, the same in each batch and after a resume; for `moveViewport`. It cannot be guessed.
    async fn subscription(&self) -> ID {
        ID(self.own.subscription.clone())
    }

    /// The number of the last `moveViewport` that this batch knows of; 0 before the first.
    async fn viewport(&self) -> i32 {
        self.batch.viewport
    }

    /// How what the filter chooses is shown. Where it differs from the batch before, all points and movers that the client
    /// has are void (no `LEFT` comes for them), or all cells; what there is instead comes up to the next `complete`.
    async fn mode(&self) -> ViewMode {
        self.batch.mode.into()
    }

    /// Whether this batch belongs to what there was at the beginning. Its last batch has `complete`, too, and is
    /// empty where there is nothing.
    async fn snapshot(&self) -> bool {
        self.batch.snapshot
    }

    /// Whether the client now has exactly what the city holds at this moment and the filter chooses; else the rest
    /// follows at once.
    async fn complete(&self) -> bool {
        self.batch.complete
    }

    /// Why there is a snapshot, in its first batch; else null.
    async fn reason(&self) -> Option<SnapshotReason> {
        self.batch.reason.map(Into::into)
    }

    /// The changes, at most one of each entity.
    #[graphql(complexity = "list_cost(None, child_complexity)")]
    async fn changes(&self) -> WrittenChanges<'_> {
        WrittenChanges(self)
    }

    /// The cells that differ from what the client has, each as it is now; none unless `mode` is `CELLS`.
    #[graphql(complexity = "list_cost(None, child_complexity)")]
    async fn cells(&self) -> Vec<Cell<'_>> {
        self.batch.cells.iter().map(|cell| Cell { cell, bounds: cell.tile.bounds() }).collect()
    }
}

/// What happened to one entity since the subscriber was last told of it, all of it merged.
#[Object]
impl TwinChange<'_> {
    /// What happened.
    async fn kind(&self) -> ChangeKind {
        ChangeKind::from(self.change)
    }

    /// The entity's id, unique over all kinds: `sensor/<district>/<id>`, `bus/<id>`, with its parts percent-encoded.
    async fn id(&self) -> ID {
        ID(self.change.entity().global_id())
    }

    /// The entity as it is at the batch's moment; null where it left, and with `compact` where it was updated.
    async fn entity(&self) -> Option<TwinEntity> {
        match self.change {
            Change::Entered(entity) => Some(TwinEntity::of(self.batch.city.clone(), entity)),
            Change::Updated { entity, .. } if !self.batch.form.compact => {
                Some(TwinEntity::of(self.batch.city.clone(), entity))
            }
            Change::Updated { .. } | Change::Left { .. } => None,
        }
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

    /// With `compact`: of what entered the whole entity as in `state.full`, of what was updated an object of just the
    /// `changedFields` with their new values, null where they were cleared. Null where it left, and without `compact`.
    async fn patch(&self) -> Option<Json> {
        if !self.batch.form.compact || matches!(self.change, Change::Left { .. }) {
            return None;
        }
        let mut json = Vec::with_capacity(256);
        write_patch(self.change, &mut json);
        Some(Json::ready(&json))
    }
}

/// A square of the Web Mercator grid, 64 CSS pixels wide at the whole zoom below the map's (`floor(zoom)`): how many of
/// what is in it. It counts all that the filter chooses but for its box: a cell at the edge of the box is whole.
pub struct Cell<'a> {
    cell: &'a CellChange,
    bounds: BoundingBox,
}

/// A square of the Web Mercator grid, 64 CSS pixels wide at the whole zoom below the map's (`floor(zoom)`): how many of
/// what is in it. It counts all that the filter chooses but for its box: a cell at the edge of the box is whole.
#[Object]
impl Cell<'_> {
    /// `cell/<level>/<x>/<y>`, where the level is `floor(zoom) + 3` and `x` and `y` are as those of map tiles.
    async fn id(&self) -> ID {
        let tile = self.cell.tile;
        ID(format!("cell/{}/{}/{}", tile.level, tile.x, tile.y))
    }

    /// The northern edge: degrees north.
    async fn north(&self) -> f64 {
        self.bounds.north
    }

    /// The southern edge: degrees north.
    async fn south(&self) -> f64 {
        self.bounds.south
    }

    /// The eastern edge: degrees east.
    async fn east(&self) -> f64 {
        self.bounds.east
    }

    /// The western edge: degrees east.
    async fn west(&self) -> f64 {
        self.bounds.west
    }

    /// How many points and movers it holds.
    async fn count(&self) -> u32 {
        self.cell.counts.as_ref().map_or(0, |counts| counts.count())
    }

    /// One group for each kind, and among sensors for each type. Empty: the cell is empty now, or out of view; drop it.
    #[graphql(complexity = "list_cost(Some(10), child_complexity)")]
    async fn groups(&self) -> Vec<CellGroup<'_>> {
        self.cell.counts.iter().flat_map(|counts| counts.groups()).map(CellGroup).collect()
    }
}

/// Entities of one kind in a cell; sensors of one type.
pub struct CellGroup<'a>(&'a live::Group);

/// Entities of one kind in a cell; sensors of one type.
#[Object]
impl CellGroup<'_> {
    /// Their kind.
    async fn kind(&self) -> EntityKind {
        self.0.kind.into()
    }

    /// Of sensors their `type`; null where they have none, and for other kinds.
    #[graphql(name = "type")]
    async fn type_text(&self) -> Option<&str> {
        self.0.type_text.as_deref()
    }

    /// How many there are.
    async fn count(&self) -> u32 {
        self.0.count
    }

    /// Whose mean `mean` is: `value` (sensors, in their unit), `occupancyRate` (buildings), `temperature` (weather
    /// stations, degrees Celsius), `speed` (buses, km/h), `waitingPassengers` (stations). Null for other kinds.
    async fn measure(&self) -> Option<&'static str> {
        live::measure_of(self.0.kind)
    }

    /// The mean of those that have a value, to a millionth; null where none has.
    async fn mean(&self) -> Option<f64> {
        self.0.mean()
    }
}
