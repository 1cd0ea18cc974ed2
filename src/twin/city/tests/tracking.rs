//! What store and publisher are told.

use fastrand::Rng;

use super::*;
use crate::{
    twin::samples::{city_file, operate},
    writer::StoreModel,
};

#[test]
fn changes_are_kept_only_while_they_are_tracked() {
    let mut city = City::new("c", "C", None);
    apply(&mut city, Topic::TransportGps, T0, BUS).unwrap();
    assert!(city.take_dirty().is_empty() && city.take_changes().is_empty());
    city.track(true);
    apply(&mut city, Topic::TransportGps, T0 + 1, BUS).unwrap();
    city.rename("D");
    city.track(false);
    assert!(city.take_dirty().is_empty() && city.take_changes().is_empty());
}

#[test]
fn the_first_value_before_wins_over_restored_changes() {
    let mut city = city();
    apply(&mut city, Topic::TransportGps, T0, BUS).unwrap();
    city.take_changes();
    apply(&mut city, Topic::TransportGps, T0 + 1, &BUS.replace('5', "6")).unwrap();
    city.rename("D");
    let older = city.take_changes();
    apply(&mut city, Topic::TransportGps, T0 + 2, &BUS.replace('5', "7")).unwrap();
    apply(&mut city, Topic::TransportStations, T0, r#"{"stationId":"st"}"#).unwrap();
    city.rename("E");
    city.restore_changes(older);
    apply(&mut city, Topic::TransportGps, T0 + 3, &BUS.replace('5', "8")).unwrap();
    let changes = city.take_changes();
    assert_eq!(changes.befores.len(), 2, "each entity once");
    let (_, before) = &changes.befores[0];
    assert_eq!(before.as_ref().unwrap().last_updated(), Some(Time(T0)));
    assert!(changes.befores[1].1.is_none());
    assert_eq!(changes.name_before.as_deref(), Some("C"));
    assert!(city.take_changes().is_empty());
}

#[test]
fn restored_dirt_is_told_once_and_before_what_came_since() {
    let mut city = city();
    apply(&mut city, Topic::TransportGps, T0, BUS).unwrap();
    city.remove(Kind::Bus, None, "b");
    city.rename("D");
    let dirty = city.take_dirty();
    assert_eq!((dirty.handles.len(), dirty.removals.len(), dirty.name), (1, 1, true));
    apply(&mut city, Topic::TransportGps, T0 + 1, BUS).unwrap();
    city.restore_dirty(dirty);
    let dirty = city.take_dirty();
    assert_eq!((dirty.handles.len(), dirty.name), (1, true));
    assert_eq!(dirty.removals, [("bus/b".to_owned(), Some(Time(T0))), ("bus/b".to_owned(), None)]);
    assert!(city.take_dirty().is_empty());
}

#[test]
fn an_emptied_store_is_told_everything() {
    let mut city = with_all();
    city.take_dirty();
    city.remove(Kind::Bus, None, "bus");
    let dirty = city.all_dirty();
    assert_eq!(dirty.handles.len(), city.view().entities(&Kind::ALL).count());
    assert!(dirty.name && dirty.removals.len() == 1 && dirty.rows_gone.is_empty());
    assert!(city.take_dirty().is_empty());
}

/// Flushes whose answer may be lost, before or after they landed, in any order with anything that may happen: the store
/// ends up with what the city is.
#[test]
fn flushes_of_unknown_outcome_lose_nothing() {
    for case in 0..100 {
        let mut rng = Rng::with_seed(case);
        let (mut city, mut store) = (city(), StoreModel::default());
        for n in 0..200 {
            operate(&mut city, &mut rng, T0 + n * 60_000);
            if rng.u8(..4) == 0 {
                let (dirty, view) = (city.take_dirty(), city.view().clone());
                // More happens while it is on its way.
                operate(&mut city, &mut rng, T0 + n * 60_000);
                let (landed, answered) = (rng.bool(), rng.bool());
                if landed {
                    store.flush(&dirty, &view);
                }
                if !(landed && answered) {
                    city.restore_dirty(dirty);
                }
            }
        }
        store.flush(&city.take_dirty(), &city.view().clone());
        store.assert_holds(&city, &format!("case {case}"));
    }
}

/// A start: the store is told nothing of what it has just told.
#[test]
fn what_was_loaded_is_not_dirty() {
    let mut rng = Rng::with_seed(7);
    let mut former = city();
    import(&mut former, &city_file(&mut rng));
    let mut store = StoreModel::default();
    store.flush(&former.all_dirty(), &former.view().clone());
    let (mut live, mut loaded) = (City::new("c", "C", None), store.load());
    live.track(true);
    loaded.track(true);
    apply(&mut loaded, Topic::TransportGps, T0, BUS).unwrap();
    live.become_like(loaded);
    let dirty = live.take_dirty();
    assert_eq!((dirty.handles.len(), dirty.rows_gone.len(), dirty.removals.len(), dirty.name), (1, 0, 0, false));
    store.flush(&dirty, &live.view().clone());
    store.assert_holds(&live, "after the first flush");
}

/// A take-over: the store holds what a former writer flushed, a second city is loaded from it and goes on, and the
/// living one becomes like it. What that leaves dirty brings the store to what the city is.
#[test]
fn what_become_like_leaves_dirty_covers_all_differences_to_the_store() {
    for case in 0..100 {
        let mut rng = Rng::with_seed(1000 + case);
        let (mut former, mut store) = (city(), StoreModel::default());
        import(&mut former, &city_file(&mut rng));
        let mut live = round_trip(&former);
        for n in 0..80 {
            operate(&mut former, &mut rng, T0 + n * 60_000);
            operate(&mut live, &mut rng, T0 + n * 60_000);
        }
        store.flush(&former.take_dirty(), &former.view().clone());
        let mut second = store.load();
        second.track(true);
        live.track(true);
        for n in 0..40 {
            operate(&mut second, &mut rng, T0 + (80 + n) * 60_000);
        }
        live.become_like(second);
        for n in 0..rng.i64(0..10) {
            operate(&mut live, &mut rng, T0 + (130 + n) * 60_000);
        }
        store.flush(&live.take_dirty(), &live.view().clone());
        store.assert_holds(&live, &format!("case {case}"));
    }
}
