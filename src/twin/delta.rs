//! A [`ChangeSet`] as a delta of the npm library jsondiffpatch, in time proportional to what changed.
//!
//! Grammar: `[new]`, `[old, new]`, `[old, 0, 0]`, objects of such, and lists `{"_t": "a", "3": …, "_5": [old, 0, 0]}`
//! where what goes carries its old index, and what comes or changes its new one. There are no moves and no text
//! diffs: lists are ordered by id. See `docs/deltas.md` of benjamine/jsondiffpatch.

use hashbrown::HashMap;

use super::{
    change::{ChangeSet, Marks},
    entity::{Entity, Handle},
    field::{ObjectWriter, write_object},
    json::write_text,
    model::Kind,
    snapshot::{write_district, write_entities},
    time::Time,
    view::View,
};

/// One entity that differs from what it was at the last boundary.
#[derive(Clone, Copy)]
struct Change<'a> {
    handle: Handle,
    before: Option<&'a Entity>,
    after: Option<&'a Entity>,
    /// A bit for each field that differs.
    fields: u16,
}

/// The changes of each kind's list, in no order.
type Lists<'a> = [Vec<Change<'a>>; Kind::ALL.len()];

/// The changes in one district.
#[derive(Default)]
struct DistrictChanges<'a> {
    own: Option<Change<'a>>,
    lists: Lists<'a>,
}

/// Writes the delta from the state of the boundary `from` to that of `to`, which is `view`. `false`, and nothing
/// written, where the two do not differ but for the timestamp.
pub fn write_delta(changes: &ChangeSet, view: &View, from: Time, to: Time, out: &mut Vec<u8>) -> bool {
    let mut districts: HashMap<&str, DistrictChanges<'_>> = HashMap::new();
    let mut shared = Lists::default();
    for (handle, before) in &changes.befores {
        collect(view, *handle, before.as_ref(), &mut districts, &mut shared);
    }
    let mut districts: Vec<_> = districts.into_iter().collect();
    districts.sort_unstable_by_key(|(id, _)| *id);
    let name = changes.name_before.as_deref().filter(|before| *before != &*view.name);
    if districts.is_empty() && shared.iter().all(Vec::is_empty) && name.is_none() {
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
            if kinds.iter().any(|kind| !shared[*kind as usize].is_empty()) {
                delta.key(name);
                write_object(delta.out, |group| {
                    for kind in kinds {
                        write_list(group, kind, &shared[kind as usize], view.list(kind, None), view);
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
    districts: &mut HashMap<&'a str, DistrictChanges<'a>>,
    shared: &mut Lists<'a>,
) {
    let after = view.entity(handle);
    let mut sort = |before: Option<&'a Entity>, after: Option<&'a Entity>, fields| {
        let Some(entity) = after.or(before) else { return };
        let change = Change { handle, before, after, fields };
        match (entity, entity.district()) {
            (Entity::District(_), Some(id)) => districts.entry(id).or_default().own = Some(change),
            (_, Some(district)) => districts.entry(district).or_default().lists[entity.kind() as usize].push(change),
            (_, None) => shared[entity.kind() as usize].push(change),
        }
    };
    match (before, after) {
        (Some(old), Some(new)) if old.district() == new.district() => {
            let fields = new.changed(old);
            // What went there and back is no change.
            if fields != 0 {
                sort(before, after, fields);
            }
        }
        (Some(_), Some(_)) => {
            sort(before, None, u16::MAX);
            sort(None, after, u16::MAX);
        }
        _ => sort(before, after, u16::MAX),
    }
}

/// The changes of a list in its order, each with its rank in the list of now: the one it has, or that it would have.
fn in_order<'a>(view: &View, list: &[Handle], changes: &[Change<'a>]) -> Vec<(Result<usize, usize>, Change<'a>)> {
    /// Where one of so many entities has changed, going once through the list is cheaper than a search for each: a
    /// search compares some twelve ids, each in another place of memory.
    const SEARCH_BELOW: usize = 64;

    let (mut there, mut gone): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.after.is_some());
    let id = |change: &Change<'a>| change.after.or(change.before).map_or("", Entity::id);
    let mut ranked = Vec::with_capacity(changes.len());
    if there.len() < list.len() / SEARCH_BELOW {
        ranked.extend(there.into_iter().map(|change| (view.rank(list, id(&change)), change)));
        ranked.sort_unstable_by_key(|(rank, _)| *rank);
    } else {
        there.sort_unstable_by_key(|change| change.handle);
        let mut marks = Marks::default();
        for change in there.iter().rev() {
            marks.set(change.handle);
        }
        for (rank, handle) in list.iter().enumerate().filter(|(_, handle)| marks.has(**handle)) {
            if let Ok(at) = there.binary_search_by_key(handle, |change| change.handle) {
                ranked.push((Ok(rank), there[at]));
            }
        }
    }
    if !gone.is_empty() {
        gone.sort_unstable_by(|a, b| id(a).cmp(id(b)));
        ranked.extend(gone.into_iter().map(|change| (view.rank(list, id(&change)), change)));
        // What went stood before what is at its rank now. The sort is stable, so those of one rank keep their order.
        ranked.sort_by_key(|(rank, _)| (rank.unwrap_or_else(|rank| rank), rank.is_ok()));
    }
    ranked
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

fn write_districts(view: &View, districts: &[(&str, DistrictChanges<'_>)], out: &mut Vec<u8>) {
    let mut indices = Indices::default();
    write_object(out, |node| {
        node.key("_t");
        node.out.extend_from_slice(b"\"a\"");
        for (id, changes) in districts {
            let rank = view.district_rank(id);
            match &changes.own {
                // A district that came or went swallows the changes inside it.
                Some(Change { before: None, after: Some(after), .. }) => {
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
                Some(Change { before: Some(before), after: None, .. }) => {
                    let index = indices.removed(rank);
                    node.key(&format!("_{index}"));
                    node.out.push(b'[');
                    // All that was in it went with it, so the changes hold it all.
                    let list = |kind: Kind, out: &mut Vec<u8>| {
                        let gone = in_order(view, &[], &changes.lists[kind as usize]);
                        write_entities(gone.into_iter().filter_map(|(_, change)| change.before), out);
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
    if let Some(Change { before: Some(before), after: Some(after), fields, .. }) = own {
        write_fields(before, after, *fields, object);
    }
    for kind in [Kind::Sensor, Kind::Building, Kind::WeatherStation] {
        write_list(object, kind, &changes.lists[kind as usize], view.list(kind, Some(id)), view);
    }
    if [Kind::Node, Kind::Edge].iter().any(|kind| !changes.lists[*kind as usize].is_empty()) {
        object.key("cityGraph");
        write_object(object.out, |graph| {
            for kind in [Kind::Node, Kind::Edge] {
                write_list(graph, kind, &changes.lists[kind as usize], view.list(kind, Some(id)), view);
            }
        });
    }
}

fn write_list(parent: &mut ObjectWriter<'_>, kind: Kind, changes: &[Change<'_>], list: &[Handle], view: &View) {
    if changes.is_empty() {
        return;
    }
    parent.key(list_name(kind));
    let mut indices = Indices::default();
    write_object(parent.out, |node| {
        node.key("_t");
        node.out.extend_from_slice(b"\"a\"");
        for (rank, change) in in_order(view, list, changes) {
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
                    write_object(node.out, |object| write_fields(before, after, change.fields, object));
                }
                (None, None) => {}
            }
        }
    });
}

fn write_fields(before: &Entity, after: &Entity, fields: u16, object: &mut ObjectWriter<'_>) {
    for (i, name) in after.field_names().iter().enumerate().filter(|(i, _)| fields & (1 << i) != 0) {
        object.key(name);
        after.field(i).write_delta(&before.field(i), object.out);
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
