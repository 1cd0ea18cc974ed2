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
            Some(asked) => {
                let mut out = Vec::new();
                write_changes(self.0, &asked, &mut out);
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

/// The JSON of fields of a batch; `None` where there is more to it than to write them.
pub fn written(batch: &TwinChanges, fields: &[&Field]) -> Option<String> {
    let (own, all) = (batch.own(), batch.batch());
    let mut out = Vec::with_capacity(512);
    for (n, field) in fields.iter().enumerate() {
        out.extend_from_slice(if n > 0 { b"," } else { b"{" });
        write_name(&field.response_key().node, &mut out);
        match field.name.node.as_str() {
            "cursor" => write_text(&own.cursor, &mut out),
            "subscription" => write_text(&own.subscription, &mut out),
            "viewport" => write_plain(all.viewport, &mut out),
            "mode" => write_enum(ViewMode::from(all.mode), &mut out),
            "snapshot" => write_plain(all.snapshot, &mut out),
            "complete" => write_plain(all.complete, &mut out),
            "reason" => match all.reason {
                Some(reason) => write_enum(SnapshotReason::from(reason), &mut out),
                None => out.extend_from_slice(b"null"),
            },
            "changes" => write_changes(batch, &asked(&field.selection_set.node)?, &mut out),
            "cells" if all.cells.is_empty() => out.extend_from_slice(b"[]"),
            "__typename" => write_text(&<TwinChanges as OutputType>::type_name(), &mut out),
            _ => return None,
        }
    }
    out.push(b'}');
    Some(text(out))
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
fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn write_changes(batch: &TwinChanges, asked: &[(&str, Asked)], out: &mut Vec<u8>) {
    let changes = &batch.batch().changes;
    out.reserve(changes.len() * 256 + 2);
    out.push(b'[');
    for (n, change) in changes.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.push(b'{');
        for (m, (name, asked)) in asked.iter().enumerate() {
            if m > 0 {
                out.push(b',');
            }
            write_name(name, out);
            write_field(change, *asked, batch.form().compact, out);
        }
        out.push(b'}');
    }
    out.push(b']');
}

fn write_field(change: &Change, asked: Asked, compact: bool, out: &mut Vec<u8>) {
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
