//! Opaque cursors: where a list goes on, whatever comes and goes before and after.

use async_graphql::Result;

use super::error::bad_input;
use crate::twin::{entity::Entity, model::Kind};

/// The place of an entity in a list: lists are ordered by district id and then by id, both by bytes. What belongs to
/// no district has the empty one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub district: String,
    pub id: String,
}

/// Parts of a cursor; ids hold no control characters.
const SEPARATOR: char = '\n';

/// Writes the cursor of an entity: its kind and its place, in hexadecimal so that nobody is tempted to build one.
pub fn cursor(kind: Kind, district: &str, id: &str) -> String {
    hex::encode(format!("{}{SEPARATOR}{district}{SEPARATOR}{id}", kind.prefix()))
}

impl Place {
    /// Reads a cursor of a list of that kind.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for anything that [`cursor`] did not write for that kind.
    pub fn parse(kind: Kind, cursor: &str) -> Result<Self> {
        let read = || {
            let text = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
            let mut parts = text.split(SEPARATOR);
            let (prefix, district, id) = (parts.next()?, parts.next()?, parts.next()?);
            let right = prefix == kind.prefix() && parts.next().is_none();
            right.then(|| Self { district: district.to_owned(), id: id.to_owned() })
        };
        read().ok_or_else(|| bad_input("after", format!("{cursor:?}"), "a cursor that a list of this kind gave"))
    }

    /// Whether an entity stands after it.
    pub fn is_before(&self, entity: &Entity) -> bool {
        (self.district.as_str(), self.id.as_str()) < (entity.district().unwrap_or_default(), entity.id())
    }
}
