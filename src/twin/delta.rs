//! A [`ChangeSet`] as a delta of the npm library jsondiffpatch, in time proportional to what changed.
//!
//! Grammar: `[new]`, `[old, new]`, `[old, 0, 0]`, objects of such, and lists `{"_t": "a", "3": …, "_5": [old, 0, 0]}`
//! where what goes carries its old index, and what comes or changes its new one. There are no moves and no text
//! diffs: lists are ordered by id. See `docs/deltas.md` of benjamine/jsondiffpatch.

use std::collections::BTreeMap;

use super::{
    change::ChangeSet,
    entity::{Entity, Handle},
    field::{ObjectWriter, write_object},
    json::write_text,
    model::Kind,
    snapshot::{write_district, write_entities},
    time::Time,
    view::View,
};

/// One entity that differs from what it was at the last boundary.
struct Change<'a> {
    before: Option<&'a Entity>,
    after: Option<&'a Entity>,
}

/// The changes of one list, by id: as bytes, which is the order of the list.
type ListChanges<'a> = BTreeMap<&'a str, Change<'a>>;

/// The changes in one district.
#[derive(Default)]
struct DistrictChanges<'a> {
    own: Option<Change<'a>>,
    lists: BTreeMap<Kind, ListChanges<'a>>,
}

/// Writes the delta from the state of the boundary `from` to that of `to`, which is `view`. `false`, and nothing
/// written, where the two do not differ but for the timestamp.
pub fn write_delta(changes: &ChangeSet, view: &View, from: Time, to: Time, out: &mut Vec<u8>) -> bool {
    let mut districts: BTreeMap<&str, DistrictChanges<'_>> = BTreeMap::new();
    let mut shared: BTreeMap<Kind, ListChanges<'_>> = BTreeMap::new();
    for (handle, before) in &changes.befores {
        collect(view, *handle, before.as_ref(), &mut districts, &mut shared);
    }
    let name = changes.name_before.as_deref().filter(|before| *before != &*view.name);
    if districts.is_empty() && shared.is_empty() && name.is_none() {
        return false;
    }
    write_object(out, |delta| {
        if let Some(before) = name {
            delta.key("name");
            delta.out.push(b'[');
            write_text(before, delta.out);
            delta.out.push(b',');
            write_text(&view.name, delta.out);
            delta.out.push(b']');
        }
        delta.key("timestamp");
        delta.out.extend_from_slice(b"[\"");
        from.write(delta.out);
        delta.out.extend_from_slice(b"\",\"");
        to.write(delta.out);
        delta.out.extend_from_slice(b"\"]");
        if !districts.is_empty() {
            delta.key("districts");
            write_districts(view, &districts, delta.out);
        }
        for (name, kinds) in
            [("publicTransport", [Kind::Bus, Kind::Station]), ("emergencyServices", [Kind::Incident, Kind::Unit])]
        {
            if kinds.iter().any(|kind| shared.contains_key(kind)) {
                delta.key(name);
                write_object(delta.out, |group| {
                    for kind in kinds {
                        write_list(group, kind, shared.get(&kind), view.list(kind, None), view);
                    }
                });
            }
        }
    });
    true
}

/// Sorts one change into the list, or the two lists, that it is of.
fn collect<'a>(
    view: &'a View,
    handle: Handle,
    before: Option<&'a Entity>,
    districts: &mut BTreeMap<&'a str, DistrictChanges<'a>>,
    shared: &mut BTreeMap<Kind, ListChanges<'a>>,
) {
    let after = view.entity(handle);
    let moved = match (before, after) {
        (None, None) => return,
        (Some(before), Some(after)) if before.district() == after.district() => {
            // What went there and back is no change.
            if after.changed(before) == 0 {
                return;
            }
            false
        }
        (Some(_), Some(_)) => true,
        _ => false,
    };
    let changes = if moved {
        [Some(Change { before, after: None }), Some(Change { before: None, after })]
    } else {
        [Some(Change { before, after }), None]
    };
    for change in changes.into_iter().flatten() {
        let Some(entity) = change.after.or(change.before) else { continue };
        match (entity, entity.district()) {
            (Entity::District(_), Some(id)) => districts.entry(id).or_default().own = Some(change),
            (_, Some(district)) => {
                let list = districts.entry(district).or_default().lists.entry(entity.kind()).or_default();
                list.insert(entity.id(), change);
            }
            (_, None) => {
                shared.entry(entity.kind()).or_default().insert(entity.id(), change);
            }
        }
    }
}

fn list_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sensor => "sensors",
        Kind::Building => "buildings",
        Kind::WeatherStation => "weatherStations",
        Kind::Node => "nodes",
        Kind::Edge => "edges",
        Kind::Bus => "buses",
        Kind::Station => "stations",
        Kind::Incident => "incidents",
        Kind::Unit => "units",
        Kind::District => "districts",
    }
}

fn write_districts(view: &View, districts: &BTreeMap<&str, DistrictChanges<'_>>, out: &mut Vec<u8>) {
    let mut indices = Indices::default();
    write_object(out, |node| {
        node.key("_t");
        node.out.extend_from_slice(b"\"a\"");
        for (id, changes) in districts {
            let rank = view.district_rank(id);
            match &changes.own {
                // A district that came or went swallows the changes inside it.
                Some(Change { before: None, after: Some(after) }) => {
                    let index = indices.created(rank);
                    node.key(&index.to_string());
                    node.out.push(b'[');
                    let members = view.district(id).map(|entry| &entry.members);
                    let list = |kind: Kind, out: &mut Vec<u8>| {
                        let handles = members.map_or(&[][..], |members| members.list(kind));
                        write_entities(handles.iter().filter_map(|handle| view.entity(*handle)), out);
                    };
                    write_district(after.json(), list, node.out);
                    node.out.push(b']');
                }
                Some(Change { before: Some(before), after: None }) => {
                    let index = indices.removed(rank);
                    node.key(&format!("_{index}"));
                    node.out.push(b'[');
                    // All that was in it went with it, so the changes hold it all.
                    let list = |kind: Kind, out: &mut Vec<u8>| {
                        let gone = changes.lists.get(&kind).into_iter().flat_map(BTreeMap::values);
                        write_entities(gone.filter_map(|change| change.before), out);
                    };
                    write_district(before.json(), list, node.out);
                    node.out.extend_from_slice(b",0,0]");
                }
                own => {
                    let Ok(index) = rank else { continue };
                    node.key(&index.to_string());
                    write_object(node.out, |object| write_in_district(view, id, own.as_ref(), changes, object));
                }
            }
        }
    });
}

fn write_in_district(
    view: &View,
    id: &str,
    own: Option<&Change<'_>>,
    changes: &DistrictChanges<'_>,
    object: &mut ObjectWriter<'_>,
) {
    if let Some(Change { before: Some(before), after: Some(after) }) = own {
        write_fields(before, after, object);
    }
    for kind in [Kind::Sensor, Kind::Building, Kind::WeatherStation] {
        write_list(object, kind, changes.lists.get(&kind), view.list(kind, Some(id)), view);
    }
    if [Kind::Node, Kind::Edge].iter().any(|kind| changes.lists.contains_key(kind)) {
        object.key("cityGraph");
        write_object(object.out, |graph| {
            for kind in [Kind::Node, Kind::Edge] {
                write_list(graph, kind, changes.lists.get(&kind), view.list(kind, Some(id)), view);
            }
        });
    }
}

fn write_list(
    parent: &mut ObjectWriter<'_>,
    kind: Kind,
    changes: Option<&ListChanges<'_>>,
    list: &[Handle],
    view: &View,
) {
    let Some(changes) = changes else { return };
    parent.key(list_name(kind));
    let mut indices = Indices::default();
    write_object(parent.out, |node| {
        node.key("_t");
        node.out.extend_from_slice(b"\"a\"");
        for (id, change) in changes {
            let rank = view.rank(list, id);
            match (change.before, change.after) {
                (None, Some(after)) => {
                    node.key(itoa::Buffer::new().format(indices.created(rank)));
                    node.out.push(b'[');
                    node.out.extend_from_slice(after.json());
                    node.out.push(b']');
                }
                (Some(before), None) => {
                    node.key(&format!("_{}", indices.removed(rank)));
                    node.out.push(b'[');
                    node.out.extend_from_slice(before.json());
                    node.out.extend_from_slice(b",0,0]");
                }
                (Some(before), Some(after)) => {
                    let Ok(index) = rank else { continue };
                    node.key(itoa::Buffer::new().format(index));
                    write_object(node.out, |object| write_fields(before, after, object));
                }
                (None, None) => {}
            }
        }
    });
}

fn write_fields(before: &Entity, after: &Entity, object: &mut ObjectWriter<'_>) {
    for (i, name) in after.field_names().iter().enumerate() {
        let (old, new) = (before.field(i), after.field(i));
        if old != new {
            object.key(name);
            new.write_delta(&old, object.out);
        }
    }
}

/// Turns ranks in the list of now into the indices of a delta, for ids that come in the list's order.
#[derive(Default)]
struct Indices {
    created: usize,
    removed: usize,
}

impl Indices {
    /// The new index of what came.
    fn created(&mut self, rank: Result<usize, usize>) -> usize {
        self.created += 1;
        rank.unwrap_or_else(|rank| rank)
    }

    /// The old index of what went: its rank among those that are there now, less those that came, plus those that
    /// went before it.
    fn removed(&mut self, rank: Result<usize, usize>) -> usize {
        let index = rank.unwrap_or_else(|rank| rank) + self.removed - self.created;
        self.removed += 1;
        index
    }
}

#[cfg(test)]
mod tests;
