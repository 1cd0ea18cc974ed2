//! A city as the store's rows, and back.

use std::collections::BTreeMap;

use bytes::Bytes;
use fastrand::Rng;

use super::{
    load::{LoadError, load},
    rows::{SCHEMA, all_rows, city_field, city_row, dirty_rows, json_text, offset_row, partition_of, table},
};
use crate::{
    store::{Row, Stored, StoredRow, Table},
    twin::{
        change::Dirty,
        city::{City, Progress},
        event::Topic,
        model::Kind,
        samples::{HOUR, ONE_OF_EACH, T0, apply, apply_to, city, full, import, operate},
        time::Time,
        view::View,
    },
};

/// What a store holds of a city: rows by table and field, as commits leave them.
#[derive(Debug, Default)]
pub(crate) struct StoreModel(BTreeMap<(Table, String), Bytes>);

impl StoreModel {
    fn commit(&mut self, rows: Vec<Row>) {
        for Row { table, field, value } in rows {
            match value {
                Some(value) => self.0.insert((table, field), value),
                None => self.0.remove(&(table, field)),
            };
        }
    }

    /// What a flush writes of a dirty set.
    pub(crate) fn flush(&mut self, dirty: &Dirty, view: &View) {
        self.commit(dirty_rows(dirty, view));
        self.commit(vec![
            city_row(city_field::SCHEMA, SCHEMA.into()),
            city_row(city_field::NAME, json_text(&view.name)),
        ]);
    }

    fn stored(&self) -> Stored {
        let rows = self.0.iter().map(|((table, field), value)| StoredRow {
            table: table.clone(),
            field: field.clone(),
            value: value.clone(),
        });
        // A store gives them in no order.
        let mut rows: Vec<_> = rows.collect();
        Rng::with_seed(rows.len() as u64).shuffle(&mut rows);
        Stored { rows, token: 1 }
    }

    pub(crate) fn load(&self) -> City {
        load(self.stored(), "c", "C", Some(HOUR), "cluster").unwrap().expect("a city").city
    }

    /// That it holds the city, the whole city and nothing else.
    pub(crate) fn assert_holds(&self, city: &City, context: &str) {
        let mut expected = Self::default();
        expected.commit(all_rows(city.view()));
        let entities = |store: &Self| -> BTreeMap<(Table, String), Bytes> {
            let others = [Table::City, Table::Offsets, Table::Removed];
            store
                .0
                .iter()
                .filter(|((table, _), _)| !others.contains(table))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        };
        assert_eq!(entities(self), entities(&expected), "{context}");
        assert_eq!(full(self.load().view()), full(city.view()), "{context}");
        let mut all = city.clone_removals();
        for ((_, global), at) in self.0.iter().filter(|((table, _), _)| *table == Table::Removed) {
            assert_eq!(
                all.remove(global).map(|at| json_text(&at.to_string())),
                Some(at.clone()),
                "{context}: {global}"
            );
        }
        assert!(all.is_empty(), "{context}: {all:?}");
    }
}

/// A city that went to the store and came back.
pub(crate) fn round_trip(city: &City) -> City {
    let mut store = StoreModel::default();
    store.commit(all_rows(city.view()));
    let removals = city.clone_removals().into_iter().map(|(global, at)| (global, Some(at))).collect();
    store.flush(&Dirty { removals, ..Dirty::default() }, city.view());
    store.load()
}

fn one_of_each() -> City {
    let mut city = city();
    import(&mut city, ONE_OF_EACH);
    city
}

#[test]
fn anything_comes_back_as_the_same_bytes() {
    for case in 0..60 {
        let mut rng = Rng::with_seed(case);
        let mut city = city();
        (0..200).for_each(|n| operate(&mut city, &mut rng, T0 + n * 60_000));
        let mut back = round_trip(&city);
        assert_eq!(full(back.view()), full(city.view()), "case {case}");
        assert_eq!(all_rows(back.view()), all_rows(city.view()), "partitions and capacities too");
        // It goes on as the one that never left: what only the fold knows is there.
        let mut again = rng.clone();
        for n in 0..100 {
            operate(&mut city, &mut rng, T0 + (200 + n) * 60_000);
            operate(&mut back, &mut again, T0 + (200 + n) * 60_000);
        }
        assert_eq!(full(back.view()), full(city.view()), "case {case}, later");
    }
}

#[test]
fn a_capacity_that_an_event_set_survives_store_and_import() {
    let mut city = one_of_each();
    apply(
        &mut city,
        Topic::BuildingsOccupancy,
        T0,
        r#"{"districtId":"d","buildingId":"b","currentOccupancy":1,"totalCapacity":7}"#,
    )
    .unwrap();
    let mut city = round_trip(&city);
    import(&mut city, ONE_OF_EACH);
    assert!(full(city.view()).contains(r#""currentOccupancy":1,"totalCapacity":7"#));
}

#[test]
fn an_incidents_partition_is_in_its_row_and_not_in_the_state() {
    let mut city = city();
    apply_to(&mut city, Topic::EmergencyIncidents, 5, T0, r#"{"incidentId":"i","status":"resolved"}"#).unwrap();
    let rows = all_rows(city.view());
    let row = rows.iter().find(|row| row.table == Table::Incidents).unwrap();
    assert!(row.value.as_ref().unwrap().ends_with(br#","partition":5}"#));
    assert!(!full(city.view()).contains("partition"));
    let mut back = round_trip(&city);
    apply_to(&mut back, Topic::EmergencyIncidents, 4, T0 + 9 * HOUR, r#"{"unitId":"u"}"#).unwrap();
    assert_eq!(back.view().count(Kind::Incident), 1, "another partition");
    apply_to(&mut back, Topic::EmergencyIncidents, 5, T0 + 9 * HOUR, r#"{"unitId":"v"}"#).unwrap();
    assert_eq!(back.view().count(Kind::Incident), 0);
}

#[test]
fn a_row_stands_in_the_table_of_its_kind_and_district() {
    let rows = all_rows(one_of_each().view());
    let mut tables: Vec<_> = rows.iter().map(|row| (row.table.clone(), row.field.as_str())).collect();
    tables.sort();
    let d = || "d".to_owned();
    let mut expected = vec![
        (Table::Districts, "d"),
        (Table::Sensors(d()), "s"),
        (Table::Buildings(d()), "b"),
        (Table::WeatherStations(d()), "w"),
        (Table::Nodes(d()), "n"),
        (Table::Edges(d()), "e"),
        (Table::Buses, "bus"),
        (Table::Stations, "st"),
        (Table::Incidents, "i"),
        (Table::Units, "u"),
    ];
    expected.sort();
    assert_eq!(tables, expected);
    assert_eq!(table(Kind::Sensor, "x"), Table::Sensors("x".into()));
}

#[test]
fn what_is_gone_is_removed_and_what_moved_leaves_its_old_table() {
    let mut city = one_of_each();
    city.take_dirty();
    city.remove(Kind::Bus, None, "bus");
    import(&mut city, &ONE_OF_EACH.replace(r#""districtId":"d""#, r#""districtId":"x""#));
    let rows = dirty_rows(&city.take_dirty(), city.view());
    let value_of = |table: Table, field: &str| {
        let row = rows.iter().rev().find(|row| row.table == table && row.field == field);
        row.unwrap_or_else(|| panic!("no row {table:?} {field}")).value.is_some()
    };
    assert!(!value_of(Table::Edges("d".into()), "e") && value_of(Table::Edges("x".into()), "e"));
    assert!(!value_of(Table::Buildings("d".into()), "b") && value_of(Table::Buildings("x".into()), "b"));
    assert!(value_of(Table::Districts, "d"), "it has a sensor, so it stays, bare");
    assert!(value_of(Table::Removed, "bus/bus"));
}

fn store_with(rows: Vec<Row>) -> Stored {
    let mut store = StoreModel::default();
    store.flush(&Dirty::default(), city().view());
    store.commit(rows);
    store.stored()
}

fn row(table: Table, field: &str, value: &str) -> Row {
    Row { table, field: field.to_owned(), value: Some(Bytes::copy_from_slice(value.as_bytes())) }
}

fn load_all(stored: Stored) -> Result<Option<super::Loaded>, LoadError> {
    load(stored, "c", "default", None, "cluster")
}

#[test]
fn an_empty_store_holds_no_city() {
    assert!(load_all(Stored::default()).unwrap().is_none());
}

#[test]
fn facts_come_back() {
    let loaded = load_all(store_with(vec![
        city_row(city_field::MODEL_VERSION, "12".into()),
        city_row(city_field::BOUNDARY, json_text("2026-01-05T00:00:00.007Z")),
        city_row(city_field::NAME, json_text("L'Aquila \"x\"")),
    ]));
    let loaded = loaded.unwrap().unwrap();
    assert_eq!((loaded.model_version, loaded.boundary), (12, Some(Time(T0 + 7))));
    assert_eq!((&*loaded.city.view().name, &*loaded.city.view().city_id), ("L'Aquila \"x\"", "c"));
}

#[test]
fn offsets_of_this_cluster_come_back_and_others_do_not() {
    let progress = Progress { next: 40, newest: Some(Time(T0)) };
    let loaded = load_all(store_with(vec![
        offset_row(Topic::TransportGps, 3, 38, progress, "cluster"),
        offset_row(Topic::TransportGps, 4, 9, Progress { next: 9, newest: None }, "cluster"),
        offset_row(Topic::TransportGps, 5, 40, progress, "another"),
        offset_row(Topic::WeatherStations, 0, 40, progress, "another"),
    ]));
    let loaded = loaded.unwrap().unwrap();
    assert_eq!(loaded.foreign_offsets, 2);
    assert_eq!(loaded.city.progress().len(), 2);
    assert_eq!(loaded.city.progress()[&(Topic::TransportGps, 3)], Progress { next: 38, newest: Some(Time(T0)) });
    assert_eq!(loaded.city.progress()[&(Topic::TransportGps, 4)], Progress { next: 9, newest: None });
}

#[test]
fn a_schema_of_another_release_is_refused() {
    for (rows, found) in
        [(vec![row(Table::City, city_field::SCHEMA, "2")], "2"), (vec![row(Table::City, city_field::SCHEMA, "")], "")]
    {
        let error = load_all(store_with(rows)).unwrap_err();
        assert!(matches!(&error, LoadError::OtherSchema { found: of } if of == found), "{error}");
        assert!(error.to_string().contains("use the release that wrote it"));
    }
    let unmarked =
        Stored { rows: vec![StoredRow { table: Table::Buses, field: "b".into(), value: "{}".into() }], token: 0 };
    // Rows of a first flush that was cut short between its chunks stand for nothing yet.
    assert!(matches!(load_all(unmarked), Ok(None)));
    let name = StoredRow { table: Table::City, field: city_field::NAME.into(), value: "\"n\"".into() };
    let unmarked = Stored { rows: vec![name], token: 0 };
    assert!(matches!(load_all(unmarked), Err(LoadError::OtherSchema { .. })));
}

#[test]
fn a_row_that_cannot_be_read_is_named_and_nothing_is_loaded() {
    let bus = r#"{"busId":"b","currentLocation":null}"#;
    let sensors = || Table::Sensors("nowhere".into());
    for (table, field, value) in [
        (Table::Buses, "b", "no json"),
        (Table::Buses, "b", "[]"),
        (Table::Buses, "b", r#"{"busId":"b","heading":360}"#),
        (Table::Buses, "c", bus),
        (sensors(), "s", r#"{"sensorId":"s"}"#),
        (Table::Incidents, "i", r#"{"incidentId":"i","partition":"x"}"#),
        (Table::Offsets, "transport.gps/x", r#"{"offset":1,"eventTime":null,"cluster":"cluster"}"#),
        (Table::Offsets, "no.topic/0", r#"{"offset":1,"eventTime":null,"cluster":"cluster"}"#),
        (Table::Offsets, "transport.gps/0", r#"{"offset":"1"}"#),
        (Table::Removed, "bus/b", "\"soon\""),
    ] {
        let error = load_all(store_with(vec![row(table, field, value)])).unwrap_err();
        assert!(matches!(error, LoadError::BadRow { .. }), "{field} {value}: {error}");
        assert!(error.to_string().contains(field), "{error}");
    }
    assert!(load_all(store_with(vec![row(Table::Buses, "b", bus)])).is_ok());
}

#[test]
fn partitions_by_their_field() {
    assert_eq!(partition_of("transport.gps/12"), Some((Topic::TransportGps, 12)));
    for wrong in ["", "transport.gps", "transport.gps/", "transport.gps/-x", "x/1", "/1"] {
        assert_eq!(partition_of(wrong), None, "{wrong}");
    }
}
