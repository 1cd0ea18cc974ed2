use std::collections::BTreeSet;

use super::*;
use crate::twin::{
    event::Topic,
    samples::{T0, apply, city},
};

#[test]
fn marks_are_a_set_of_handles() {
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut marks, mut set) = (Marks::default(), BTreeSet::new());
    for n in 0..20_000 {
        let handle = Handle(rng.u32(..700));
        if rng.bool() {
            assert_eq!(marks.set(handle), set.insert(handle));
        } else {
            assert_eq!(marks.unset(handle), set.remove(&handle));
        }
        assert_eq!(marks.has(handle), set.contains(&handle));
        if n % 500 == 0 {
            assert_eq!(marks.count(), set.len());
            assert!(marks.iter().eq(set.iter().copied()), "ascending");
        }
    }
    assert!(!marks.has(Handle(1_000_000)) && !marks.unset(Handle(1_000_000)));
    marks.clear();
    assert_eq!((marks.count(), marks.iter().next()), (0, None));
}

#[test]
fn the_first_of_two_sets_wins() {
    let mut city = city();
    let mut step = |n: i64| {
        apply(&mut city, Topic::TransportStations, T0 + n, r#"{"stationId":"a"}"#).unwrap();
        apply(&mut city, Topic::TransportStations, T0 + n, &format!("{{\"stationId\":\"b{n}\"}}")).unwrap();
        city.rename(&format!("name {n}"));
        city.take_changes()
    };
    let (first, second) = (step(0), step(1));
    let both = first.then(second);
    let befores: Vec<_> = both.befores.iter().map(|(handle, before)| (handle.0, before.is_some())).collect();
    assert_eq!(befores, [(0, false), (1, false), (2, false)]);
    assert_eq!(both.name_before.as_deref(), Some("C"));
    let later = step(2);
    assert_eq!(later.befores[0].1.as_ref().unwrap().last_updated(), Some(Time(T0 + 1)));
    let all = ChangeSet::default().then(later).then(ChangeSet::default());
    assert_eq!((all.befores.len(), all.is_empty()), (2, false));
    assert!(ChangeSet::default().then(ChangeSet::default()).is_empty());
}

#[test]
fn a_row_stands_under_its_district_but_a_district_itself_under_none() {
    let mut city = city();
    apply(&mut city, Topic::SensorsTraffic, T0, r#"{"districtId":"d","sensorId":"s","type":"t","value":1}"#).unwrap();
    apply(&mut city, Topic::TransportStations, T0, r#"{"stationId":"st"}"#).unwrap();
    let keys: Vec<_> =
        city.view().entities(&Kind::ALL).map(RowKey::of).map(|key| (key.kind, key.district, key.id)).collect();
    let expected = [(Kind::District, "", "d"), (Kind::Sensor, "d", "s"), (Kind::Station, "", "st")];
    assert_eq!(keys, expected.map(|(kind, district, id)| (kind, district.to_owned(), id.to_owned())));
}
