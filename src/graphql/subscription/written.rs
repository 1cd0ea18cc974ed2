//! The changes of a batch as text, written in one go where no more is asked of them than fields: one by one, a thousand of
//! them take async-graphql some milliseconds.

use std::{borrow::Cow, io::Write as _};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
};

use super::twin_batch::{TwinChange, TwinChanges};
use crate::{
    graphql::scalar::ready_value,
    live::{Change, LeftReason},
    twin::{entity::Entity, json::write_text},
};

/// The changes of a batch: a list of [`TwinChange`].
pub struct WrittenChanges<'a>(pub &'a TwinChanges);

impl OutputType for WrittenChanges<'_> {
    fn type_name() -> Cow<'static, str> {
        <Vec<TwinChange<'_>> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<TwinChange<'_>> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<TwinChange<'_>> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let asked = if self.0.form().plain { asked(&ctx.item.node) } else { None };
        match asked {
            Some(asked) => Ok(ready_value(self.write(&asked))),
            None => self.0.one_by_one().resolve(ctx, field).await,
        }
    }
}

/// The fields of a selection where it is nothing but fields, each under a name of its own.
pub fn plain(set: &SelectionSet) -> Option<Vec<&Field>> {
    let mut fields: Vec<&Field> = Vec::with_capacity(set.items.len());
    for item in &set.items {
        let Selection::Field(Positioned { node: field, .. }) = &item.node else { return None };
        let has_name = |other: &&Field| other.response_key().node == field.response_key().node;
        if !field.directives.is_empty() || fields.iter().any(has_name) {
            return None;
        }
        fields.push(field);
    }
    Some(fields)
}

/// A field of a change that is text already, or nearly.
#[derive(Clone, Copy)]
enum Asked {
    Kind,
    Id,
    ChangedFields,
    Reason,
    Patch,
    TypeName,
}

/// What is asked of each change, each with the name that it goes by; `None` where that is more than can be written at once.
fn asked(set: &SelectionSet) -> Option<Vec<(&str, Asked)>> {
    let of = |field: &Field| match field.name.node.as_str() {
        "kind" => Some(Asked::Kind),
        "id" => Some(Asked::Id),
        "changedFields" => Some(Asked::ChangedFields),
        "reason" => Some(Asked::Reason),
        "patch" => Some(Asked::Patch),
        "__typename" => Some(Asked::TypeName),
        _ => None,
    };
    plain(set)?.into_iter().map(|field| Some((field.response_key().node.as_str(), of(field)?))).collect()
}

impl WrittenChanges<'_> {
    fn write(&self, asked: &[(&str, Asked)]) -> String {
        let changes = self.0.all();
        let mut out = Vec::with_capacity(changes.len() * 256 + 2);
        out.push(b'[');
        for (n, change) in changes.iter().enumerate() {
            out.extend_from_slice(if n > 0 { &b",{"[..] } else { b"{" });
            for (m, (name, asked)) in asked.iter().enumerate() {
                // Names of GraphQL need no escape.
                out.extend_from_slice(if m > 0 { &b",\""[..] } else { b"\"" });
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                self.write_field(change, *asked, &mut out);
            }
            out.push(b'}');
        }
        out.push(b']');
        // Lossless: what is written here was text.
        String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn write_field(&self, change: &Change, asked: Asked, out: &mut Vec<u8>) {
        match asked {
            Asked::Kind => out.extend_from_slice(match change {
                Change::Entered(_) => &b"\"ENTERED\""[..],
                Change::Updated { .. } => b"\"UPDATED\"",
                Change::Left { .. } => b"\"LEFT\"",
            }),
            Asked::Id => write_text(&change.entity().global_id(), out),
            Asked::ChangedFields => {
                out.push(b'[');
                for (n, name) in change.changed_fields().enumerate() {
                    // To a vector all writes succeed.
                    let _ = write!(out, "{}\"{name}\"", if n > 0 { "," } else { "" });
                }
                out.push(b']');
            }
            Asked::Reason => out.extend_from_slice(match change {
                Change::Left { reason: LeftReason::MovedOut, .. } => &b"\"MOVED_OUT\""[..],
                Change::Left { reason: LeftReason::Removed, .. } => b"\"REMOVED\"",
                Change::Entered(_) | Change::Updated { .. } => b"null",
            }),
            Asked::Patch if !self.0.form().compact => out.extend_from_slice(b"null"),
            Asked::Patch => write_patch(change, out),
            Asked::TypeName => write_text(&<TwinChange<'_> as OutputType>::type_name(), out),
        }
    }
}

/// What `patch` is with `compact`.
pub fn write_patch(change: &Change, out: &mut Vec<u8>) {
    match change {
        Change::Entered(entity) => out.extend_from_slice(entity.json()),
        Change::Updated { entity, .. } => write_changed(entity, change, out),
        Change::Left { .. } => out.extend_from_slice(b"null"),
    }
}

fn write_changed(entity: &Entity, change: &Change, out: &mut Vec<u8>) {
    let names = entity.field_names();
    out.push(b'{');
    for (n, i) in change.changed().enumerate() {
        out.extend_from_slice(if n > 0 { &b",\""[..] } else { b"\"" });
        out.extend_from_slice(names[i].as_bytes());
        out.extend_from_slice(b"\":");
        entity.field(i).write_json(out);
    }
    out.push(b'}');
}
