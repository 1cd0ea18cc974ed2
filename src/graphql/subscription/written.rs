//! A batch as text, written in one go where no more is asked of it than fields: async-graphql makes a future of each, which takes
//! some milliseconds for a thousand changes, and for few changes longer than to find and to send them.

use std::{borrow::Cow, fmt::Display, io::Write as _};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::EnumType,
};

use super::twin_batch::{SnapshotReason, TwinChange, TwinChanges, ViewMode};
use crate::{
    graphql::scalar::ready_value,
    live::{Batch, Change, LeftReason, Own},
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
        let form = self.0.form();
        match ChangePlan::of(&ctx.item.node).filter(|_| form.plain) {
            Some(plan) => {
                let mut out = Vec::new();
                plan.write(&self.0.batch().changes, form.compact, &mut out);
                Ok(ready_value(text(out)))
            }
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

/// How batches are written: their fields, each with the name that it goes by.
#[derive(Debug)]
pub struct Plan(Vec<(Box<str>, Part)>);

/// A field of a batch.
#[derive(Debug)]
enum Part {
    Cursor,
    Subscription,
    Viewport,
    Mode,
    Snapshot,
    Complete,
    Reason,
    Changes(ChangePlan),
    Cells,
    TypeName,
}

/// How changes are written.
#[derive(Debug)]
struct ChangePlan(Vec<(Box<str>, Asked)>);

/// A field of a change that is text already, or nearly.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Kind,
    Id,
    ChangedFields,
    Reason,
    Patch,
    TypeName,
}

impl Plan {
    /// For what is asked of batches of [`TwinChanges`]; `None` where that is more than fields that can be written.
    pub fn of(asked: &SelectionSet) -> Option<Self> {
        let part = |field: &Field| {
            Some(match field.name.node.as_str() {
                "cursor" => Part::Cursor,
                "subscription" => Part::Subscription,
                "viewport" => Part::Viewport,
                "mode" => Part::Mode,
                "snapshot" => Part::Snapshot,
                "complete" => Part::Complete,
                "reason" => Part::Reason,
                "changes" => Part::Changes(ChangePlan::of(&field.selection_set.node)?),
                "cells" => Part::Cells,
                "__typename" => Part::TypeName,
                _ => return None,
            })
        };
        plain(asked)?.into_iter().map(|field| Some((key(field), part(field)?))).collect::<Option<_>>().map(Self)
    }

    /// Appends the JSON of a batch. `false`, with nothing appended, where it has cells, of which more may be asked.
    pub fn write(&self, own: &Own, batch: &Batch, compact: bool, out: &mut Vec<u8>) -> bool {
        if !batch.cells.is_empty() && self.0.iter().any(|(_, part)| matches!(part, Part::Cells)) {
            return false;
        }
        for (n, (name, part)) in self.0.iter().enumerate() {
            out.extend_from_slice(if n > 0 { b"," } else { b"{" });
            write_name(name, out);
            match part {
                Part::Cursor => write_text(&own.cursor, out),
                Part::Subscription => write_text(&own.subscription, out),
                Part::Viewport => write_plain(batch.viewport, out),
                Part::Mode => write_enum(ViewMode::from(batch.mode), out),
                Part::Snapshot => write_plain(batch.snapshot, out),
                Part::Complete => write_plain(batch.complete, out),
                Part::Reason => match batch.reason {
                    Some(reason) => write_enum(SnapshotReason::from(reason), out),
                    None => out.extend_from_slice(b"null"),
                },
                Part::Changes(plan) => plan.write(&batch.changes, compact, out),
                Part::Cells => out.extend_from_slice(b"[]"),
                Part::TypeName => write_text(&<TwinChanges as OutputType>::type_name(), out),
            }
        }
        out.push(b'}');
        true
    }
}

impl ChangePlan {
    /// For what is asked of each change.
    fn of(asked: &SelectionSet) -> Option<Self> {
        let of = |field: &Field| match field.name.node.as_str() {
            "kind" => Some(Asked::Kind),
            "id" => Some(Asked::Id),
            "changedFields" => Some(Asked::ChangedFields),
            "reason" => Some(Asked::Reason),
            "patch" => Some(Asked::Patch),
            "__typename" => Some(Asked::TypeName),
            _ => None,
        };
        plain(asked)?.into_iter().map(|field| Some((key(field), of(field)?))).collect::<Option<_>>().map(Self)
    }

    fn write(&self, changes: &[Change], compact: bool, out: &mut Vec<u8>) {
        // Room for all of it at once: what moves into a view brings its whole JSON.
        let length = |change: &Change| match change {
            Change::Entered(entity) if compact => entity.json().len() + 128,
            Change::Entered(_) | Change::Updated { .. } | Change::Left { .. } => 256,
        };
        out.reserve(changes.iter().map(length).sum::<usize>() + 64);
        out.push(b'[');
        for (n, change) in changes.iter().enumerate() {
            out.extend_from_slice(if n > 0 { b",{" } else { b"{" });
            for (m, (name, asked)) in self.0.iter().enumerate() {
                if m > 0 {
                    out.push(b',');
                }
                write_name(name, out);
                write_field(change, *asked, compact, out);
            }
            out.push(b'}');
        }
        out.push(b']');
    }
}

fn key(field: &Field) -> Box<str> {
    field.response_key().node.as_str().into()
}

/// Names of GraphQL need no escape.
fn write_name(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A number or a truth value, which JSON spells as Rust does.
fn write_plain(value: impl Display, out: &mut Vec<u8>) {
    // To a vector all writes succeed.
    let _ = write!(out, "{value}");
}

fn write_enum<T: EnumType>(value: T, out: &mut Vec<u8>) {
    let name = T::items().iter().find(|item| item.value == value).map_or("", |item| item.name);
    write_text(name, out);
}

/// Lossless: all that is written here was text.
pub fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn write_field(change: &Change, asked: Asked, compact: bool, out: &mut Vec<u8>) {
    match asked {
        Asked::Kind => out.extend_from_slice(match change {
            Change::Entered(_) => &b"\"ENTERED\""[..],
            Change::Updated { .. } => b"\"UPDATED\"",
            Change::Left { .. } => b"\"LEFT\"",
        }),
        Asked::Id => change.entity().write_global_id(out),
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
        Asked::Patch if !compact => out.extend_from_slice(b"null"),
        Asked::Patch => write_patch(change, out),
        Asked::TypeName => write_text(&<TwinChange<'_> as OutputType>::type_name(), out),
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
