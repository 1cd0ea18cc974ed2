//! What a subscriber is given.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::{cells::Counts, cursor::Cursor, lens::Mode, share::Text};
use crate::twin::{entity::Entity, tile::Tile, view::View};

/// What a subscriber is told of one entity.
#[derive(Clone, Debug)]
pub enum Change {
    /// It came into the selection: it was created, or moved or changed into it. Each one of a snapshot is such.
    Entered(Entity),
    /// It is in the selection, as it was, and changed. `fields` has a bit for each field of
    /// [`Entity::field_names`] that may differ from what the client holds; none that differs is left out.
    Updated { entity: Entity, fields: u16 },
    /// It is no longer in the selection; its last value.
    Left { last: Entity, reason: LeftReason },
}

/// Why an entity left a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftReason {
    /// It is still there, but no longer what was selected.
    MovedOut,
    /// It is gone.
    Removed,
}

impl Change {
    /// The present value of the entity, or the last one where it left.
    pub fn entity(&self) -> &Entity {
        match self {
            Self::Entered(entity) | Self::Updated { entity, .. } | Self::Left { last: entity, .. } => entity,
        }
    }

    /// The numbers of the fields that an update may have changed; none where it is no update.
    pub fn changed(&self) -> impl Iterator<Item = usize> + '_ {
        let (count, fields) = match self {
            Self::Updated { entity, fields } => (entity.field_names().len(), *fields),
            Self::Entered(_) | Self::Left { .. } => (0, 0),
        };
        (0..count).filter(move |i| fields & (1 << i) != 0)
    }

    /// Top-level names of `state.full` that an update may have changed; none where it is no update.
    pub fn changed_fields(&self) -> impl Iterator<Item = &'static str> + '_ {
        let names = self.entity().field_names();
        self.changed().map(|i| names[i])
    }
}

/// A cell as it is now; `None` where nothing is in it, or it is no longer in view.
#[derive(Clone, Debug)]
pub struct CellChange {
    pub tile: Tile,
    pub counts: Option<Arc<Counts>>,
}

/// Why a client is given all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotReason {
    /// It named no cursor to go on from.
    Start,
    /// What it held at its cursor is no longer known.
    NotHeld,
    /// Its cursor is another instance's.
    NotHere,
    /// Another writer began a new chain since its cursor.
    NewEpoch,
}

/// Changes of one moment.
#[derive(Debug)]
pub struct Batch {
    /// The moment: all values stand in it.
    pub view: Arc<View>,
    /// A page at most, no two of one entity.
    pub changes: Vec<Change>,
    /// A page at most, no two of one cell.
    pub cells: Vec<CellChange>,
    /// How the client is shown what was selected. Where that differs from the batch before, all points and movers that it
    /// has are void (now cells), or all cells (now entities).
    pub mode: Mode,
    /// The number of the last move of the selection that this batch knows of.
    pub viewport: i32,
    /// Whether it belongs to what there was at the beginning.
    pub snapshot: bool,
    /// Why there is a snapshot, in its first batch.
    pub reason: Option<SnapshotReason>,
    /// Whether the client now holds exactly what is selected in `view`. Where it is not, the rest follows.
    pub complete: bool,
    /// The revision of the oldest change that it brings; `None` in a snapshot.
    pub oldest: Option<u64>,
    /// The batch as text, once somebody has written it for all who share it.
    pub text: OnceCell<Text>,
}

/// A batch as one subscriber is given it.
#[derive(Clone, Debug)]
pub struct Given {
    pub batch: Arc<Batch>,
    pub cursor: Cursor,
    /// Whether others may be given the same.
    pub is_shared: bool,
}
