//! Views against a plain model of what is there.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::*;
use crate::twin::{samples::operate, view::Members};

/// Everything there is, found by looking at every handle.
fn brute_force(view: &View) -> BTreeMap<(Kind, String, String), Handle> {
    (0..view.handles())
        .filter_map(|n| view.entity(Handle(n)))
        .map(|entity| {
            let district = entity.district().unwrap_or_default().to_owned();
            ((entity.kind(), district, entity.id().to_owned()), entity.handle())
        })
        .collect()
}

fn agrees(view: &View) {
    let all = brute_force(view);
    for kind in Kind::ALL {
        let of_kind: Vec<_> = all.iter().filter(|((of, ..), _)| *of == kind).collect();
        assert_eq!(view.count(kind), of_kind.len(), "{kind:?}");
        let mut listed: Vec<_> = view.entities(&[kind]).map(Entity::handle).collect();
        assert_eq!(listed.len(), of_kind.len());
        listed.sort();
        let mut expected: Vec<_> = of_kind.iter().map(|(_, handle)| **handle).collect();
        expected.sort();
        assert_eq!(listed, expected, "{kind:?}");
        for ((_, district, id), handle) in of_kind {
            let district = (!district.is_empty()).then_some(district.as_str());
            assert_eq!(view.find(kind, district, id).map(Entity::handle), Some(*handle));
            if !kind.by_district() {
                assert_eq!(view.find(kind, None, id).map(Entity::handle), Some(*handle), "{kind:?} {id}");
            }
            assert!(view.find(kind, district, &format!("{id}\u{1F600}")).is_none());
        }
    }
    let ids = |list: &[Handle]| -> Vec<String> {
        list.iter().map(|handle| view.entity(*handle).unwrap().id().to_owned()).collect()
    };
    for entry in view.districts() {
        let district = view.entity(entry.handle).unwrap().id();
        for kind in Members::KINDS {
            let expected: Vec<_> =
                all.keys().filter(|(of, in_, _)| *of == kind && in_ == district).map(|(.., id)| id.clone()).collect();
            assert_eq!(ids(view.list(kind, Some(district))), expected, "ordered by id");
        }
    }
    let everything: Vec<_> = view.entities(&Kind::ALL).map(Entity::handle).collect();
    assert_eq!(everything.len(), all.len());
}

#[test]
fn find_list_entities_and_count_agree_with_every_handle() {
    for case in 0..20 {
        let mut rng = Rng::with_seed(case);
        let mut city = city();
        for n in 0..150 {
            operate(&mut city, &mut rng, T0 + n * 60_000);
            if n % 10 == 0 {
                agrees(city.view());
            }
        }
        assert!(city.view().find(Kind::Bus, None, "nobody").is_none());
        assert!(city.view().list(Kind::Sensor, Some("nowhere")).is_empty());
    }
}

#[test]
fn old_views_never_change_while_the_city_goes_on() {
    let mut rng = Rng::with_seed(3);
    let mut city = city();
    let mut kept = Vec::new();
    for n in 0..400 {
        operate(&mut city, &mut rng, T0 + n * 60_000);
        if n % 20 == 0 {
            kept.push((city.view().clone(), full(city.view()), city.view().revision));
        }
    }
    for (view, then, revision) in kept {
        assert_eq!(full(&view), then);
        assert_eq!(view.revision, revision);
        agrees(&view);
    }
}

/// A reader that has the values of one view and the changes since has the values of the next view.
#[test]
fn the_history_names_every_change() {
    for case in 0..20 {
        let mut rng = Rng::with_seed(case);
        let mut city = city();
        let mut known: BTreeMap<Handle, Vec<u8>> = BTreeMap::new();
        let mut revision = 0;
        for n in 0..300 {
            operate(&mut city, &mut rng, T0 + n * 60_000);
            if n % 7 > 0 {
                continue;
            }
            let view = city.view().clone();
            for entry in view.history.since(revision).unwrap() {
                match view.entity(entry.handle) {
                    Some(entity) => known.insert(entry.handle, entity.json().to_vec()),
                    None => known.remove(&entry.handle),
                };
            }
            revision = view.revision;
            let there: BTreeMap<_, _> =
                view.entities(&Kind::ALL).map(|entity| (entity.handle(), entity.json().to_vec())).collect();
            assert_eq!(known, there, "case {case}");
        }
    }
}

#[test]
fn a_change_names_the_fields_that_differ() {
    let mut city = city();
    apply(&mut city, Topic::TransportGps, T0, BUS).unwrap();
    let before = city.view().clone();
    apply(&mut city, Topic::TransportGps, T0 + 1, &BUS.replace('5', "6")).unwrap();
    let entry = city.view().history.since(before.revision).unwrap().next().unwrap();
    let entity = city.view().entity(entry.handle).unwrap();
    let names: Vec<_> = entity
        .field_names()
        .iter()
        .enumerate()
        .filter(|(i, _)| entry.fields & (1 << i) != 0)
        .map(|(_, name)| *name)
        .collect();
    assert_eq!(names, ["speed", "lastUpdated"]);
    assert_eq!(entity.changed(before.entity(entry.handle).unwrap()), entry.fields);
}
