//! What every store does.

use std::{collections::BTreeMap, time::Instant};

use super::*;

/// Makes a test of each case for one kind of place.
macro_rules! suite {
    ($place:expr) => {
        suite!(
            $place,
            an_unwritten_store_is_empty,
            rows_of_every_table_come_back,
            rows_are_updated_and_removed,
            replace_drops_everything_else,
            an_old_token_writes_nothing,
            the_lease_is_taken_renewed_refused_and_released,
            a_lease_runs_out,
            a_new_token_is_above_what_was_seen,
            an_emptied_store_says_so,
            a_large_commit_is_fenced_on_the_way,
            a_repeated_commit_changes_nothing,
            of_two_writers_only_the_newest_stands,
            ten_thousand_rows_in_one_commit,
            a_load_is_of_one_moment,
            any_commits_leave_what_they_say
        );
    };
    ($place:expr, $($case:ident),*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::store::suite::cases::$case(&$place).await;
            }
        )*
    };
}
pub(super) use suite;

/// All cases in one, for a place that is dear to set up: each gets its own.
pub(super) async fn run_all<P: Place>(place: impl Fn(usize) -> P) {
    an_unwritten_store_is_empty(&place(0)).await;
    rows_of_every_table_come_back(&place(1)).await;
    rows_are_updated_and_removed(&place(2)).await;
    replace_drops_everything_else(&place(3)).await;
    an_old_token_writes_nothing(&place(4)).await;
    the_lease_is_taken_renewed_refused_and_released(&place(5)).await;
    a_lease_runs_out(&place(6)).await;
    a_new_token_is_above_what_was_seen(&place(7)).await;
    an_emptied_store_says_so(&place(8)).await;
    a_large_commit_is_fenced_on_the_way(&place(9)).await;
    a_repeated_commit_changes_nothing(&place(10)).await;
    of_two_writers_only_the_newest_stands(&place(11)).await;
    ten_thousand_rows_in_one_commit(&place(12)).await;
    a_load_is_of_one_moment(&place(13)).await;
    any_commits_leave_what_they_say(&place(14)).await;
}

pub(super) async fn an_unwritten_store_is_empty(place: &dyn Place) {
    let store = place.open().await;
    let stored = store.load().await.unwrap();
    assert!(stored.rows.is_empty());
    assert_eq!(stored.token, 0);
    assert_eq!(store.get(&Table::City, "name").await.unwrap(), None);
    assert_eq!(store.holder().await.unwrap(), Lease::Free { token: 0 });
    // Nobody has a token yet, so nobody may write or renew.
    assert!(matches!(store.commit(1, &rows([row(Table::Buses, "1", "{}")])).await, Err(StoreError::Emptied)));
    assert!(matches!(ask(&*store, "a", MINUTE, Some(1), 0).await, Err(StoreError::Emptied)));
    store.release("a", 1).await.unwrap();
    assert!(store.load().await.unwrap().rows.is_empty());
}

fn every_table(district: &str) -> Vec<Table> {
    let mut tables = Table::FIXED.to_vec();
    let id = || district.to_owned();
    tables.extend([
        Table::Sensors(id()),
        Table::Buildings(id()),
        Table::WeatherStations(id()),
        Table::Nodes(id()),
        Table::Edges(id()),
    ]);
    tables
}

pub(super) async fn rows_of_every_table_come_back(place: &dyn Place) {
    let store = place.open().await;
    let token = take(&*store, "a", MINUTE).await;
    let long = "ü".repeat(128);
    let ids =
        ["plain", "a:b", ":", "x:sensors", "{x}", "}{", "two words", "Città 🏙", "*?[a]", "\"'\\", "%2F/..", &long];
    let mut commit = Commit::default();
    for id in ids {
        for table in every_table(id) {
            let value = format!("{{\"id\":\"{}\",\"n\":[1.5,null,\"é\"]}}", id.len());
            commit.rows.push(row(table, id, &value));
        }
    }
    commit.tail.push(row(Table::Offsets, "transport.gps/0", r#"{"offset":7}"#));
    store.commit(token, &commit).await.unwrap();

    let mut expected: Vec<_> = commit
        .rows
        .iter()
        .chain(&commit.tail)
        .map(|row| {
            let value = String::from_utf8(row.value.clone().unwrap().to_vec()).unwrap();
            (row.table.clone(), row.field.clone(), value)
        })
        .collect();
    expected.sort();
    // The same from another process, which has to find the districts by itself.
    for store in [store, place.open().await] {
        assert_eq!(all(&*store).await, expected);
        assert_eq!(store.load().await.unwrap().token, token);
        for (table, field, value) in &expected {
            assert_eq!(store.get(table, field).await.unwrap().unwrap(), value.as_bytes());
        }
    }
}

pub(super) async fn rows_are_updated_and_removed(place: &dyn Place) {
    let store = place.open().await;
    let token = take(&*store, "a", MINUTE).await;
    let sensors = || Table::Sensors("centro".into());
    let first = [row(sensors(), "1", "1"), row(sensors(), "2", "2"), row(Table::Buses, "1", "bus")];
    store.commit(token, &rows(first)).await.unwrap();
    let second =
        [row(sensors(), "1", "one"), gone(sensors(), "2"), gone(Table::Buses, "1"), gone(Table::Units, "none")];
    store.commit(token, &rows(second)).await.unwrap();
    assert_eq!(all(&*store).await, [(sensors(), "1".into(), "one".into())]);
    assert_eq!(store.get(&sensors(), "2").await.unwrap(), None);
    // Of a field that is named twice the later row holds; an empty value removes.
    let third = [
        row(sensors(), "1", "x"),
        gone(sensors(), "1"),
        gone(Table::Buses, "1"),
        row(Table::Buses, "1", "again"),
        row(Table::City, "name", "\"L'Aquila\""),
    ];
    store.commit(token, &rows(third)).await.unwrap();
    store.commit(token, &rows([row(Table::City, "name", "")])).await.unwrap();
    assert_eq!(all(&*store).await, [(Table::Buses, "1".into(), "again".into())]);
    // The last row of all goes, and comes back.
    store.commit(token, &rows([gone(Table::Buses, "1")])).await.unwrap();
    assert_eq!(all(&*store).await, []);
    store.commit(token, &rows([row(sensors(), "1", "back")])).await.unwrap();
    assert_eq!(all(&*place.open().await).await, [(sensors(), "1".into(), "back".into())]);
}

pub(super) async fn replace_drops_everything_else(place: &dyn Place) {
    let store = place.open().await;
    let token = take(&*store, "a", MINUTE).await;
    let old: Vec<Row> = every_table("old").into_iter().map(|table| row(table, "old", "1")).collect();
    store.commit(token, &rows(old)).await.unwrap();
    let commit = Commit {
        rows: vec![row(Table::Sensors("new".into()), "1", "{}"), row(Table::Buses, "1", "{}")],
        tail: vec![row(Table::City, "name", "\"x\"")],
        replace: true,
    };
    store.commit(token, &commit).await.unwrap();
    let expected = [
        (Table::City, "name".into(), "\"x\"".into()),
        (Table::Sensors("new".into()), "1".into(), "{}".into()),
        (Table::Buses, "1".into(), "{}".into()),
    ];
    assert_eq!(all(&*store).await, expected);
    // Token and lease stay.
    assert_eq!(store.load().await.unwrap().token, token);
    assert!(matches!(store.holder().await.unwrap(), Lease::Other { holder, .. } if holder == "a"));
}

pub(super) async fn an_old_token_writes_nothing(place: &dyn Place) {
    let (old, new) = (place.open().await, place.open().await);
    let first = take(&*old, "a", MINUTE).await;
    old.commit(first, &rows([row(Table::Buses, "1", "old")])).await.unwrap();
    old.release("a", first).await.unwrap();
    let second = take(&*new, "b", MINUTE).await;
    assert!(second > first);
    let commit = Commit {
        rows: vec![row(Table::Buses, "1", "late"), row(Table::Units, "1", "late")],
        tail: vec![row(Table::Offsets, "t/0", "late")],
        replace: true,
    };
    for store in [&old, &new] {
        match store.commit(first, &commit).await {
            Err(StoreError::Fenced { ours, theirs }) => assert_eq!((ours, theirs), (first, second)),
            outcome => panic!("not fenced: {outcome:?}"),
        }
    }
    assert_eq!(all(&*new).await, [(Table::Buses, "1".into(), "old".into())]);
    // Also once the newer lease has ended.
    new.release("b", second).await.unwrap();
    assert!(matches!(old.commit(first, &commit).await, Err(StoreError::Fenced { .. })));
    assert!(matches!(ask(&*old, "a", MINUTE, Some(first), 0).await, Err(StoreError::Fenced { .. })));
    new.commit(second, &rows([row(Table::Buses, "1", "new")])).await.unwrap();
    assert_eq!(all(&*old).await, [(Table::Buses, "1".into(), "new".into())]);
}

pub(super) async fn the_lease_is_taken_renewed_refused_and_released(place: &dyn Place) {
    let (a, b) = (place.open().await, place.open().await);
    let token = take(&*a, "a", MINUTE).await;
    assert!(token > 0);
    let other = Lease::Other { token, holder: "a".into(), address: "http://a".into() };
    assert_eq!(ask(&*b, "b", MINUTE, None, 0).await.unwrap(), other);
    assert_eq!(b.holder().await.unwrap(), other);
    // What is not b's, b can neither renew nor give back.
    assert_eq!(ask(&*b, "b", MINUTE, Some(token), 0).await.unwrap(), other);
    b.release("b", token).await.unwrap();
    b.release("a", token + 1).await.unwrap();
    assert_eq!(b.holder().await.unwrap(), other);
    // Renewal keeps the token, where that is above what it shall be above; asking for the next one, as a restart in
    // place does, gets it.
    assert_eq!(ask(&*a, "a", MINUTE, Some(token), token - 1).await.unwrap(), Lease::Held { token });
    assert_eq!(ask(&*a, "a", MINUTE, Some(token), token).await.unwrap(), Lease::Held { token: token + 1 });
    assert_eq!(ask(&*a, "a", MINUTE, Some(token + 1), token + 50).await.unwrap(), Lease::Held { token: token + 51 });
    assert!(matches!(a.commit(token + 1, &Commit::default()).await, Err(StoreError::Fenced { .. })));
    let next = take(&*a, "a", MINUTE).await;
    assert_eq!(next, token + 52);
    assert!(
        matches!(ask(&*a, "a", MINUTE, Some(token), 0).await, Err(StoreError::Fenced { theirs, .. }) if theirs == next)
    );
    a.release("a", next).await.unwrap();
    assert_eq!(b.holder().await.unwrap(), Lease::Free { token: next });
    assert_eq!(take(&*b, "b", MINUTE).await, next + 1);
    assert!(
        matches!(ask(&*a, "a", MINUTE, Some(next), 0).await.unwrap(), Lease::Other { holder, .. } if holder == "b")
    );
}

pub(super) async fn a_lease_runs_out(place: &dyn Place) {
    let (a, b) = (place.open().await, place.open().await);
    let short = Duration::from_millis(300);
    let since = Instant::now();
    let token = take(&*a, "a", short).await;
    while b.holder().await.unwrap() != (Lease::Free { token }) {
        assert!(since.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(since.elapsed() > Duration::from_millis(200), "{:?}", since.elapsed());
    // Nobody took it meanwhile: it is renewed, and the token never stopped writing.
    a.commit(token, &rows([row(Table::Buses, "1", "{}")])).await.unwrap();
    assert_eq!(ask(&*a, "a", short, Some(token), 0).await.unwrap(), Lease::Held { token });
    assert_eq!(take_over(&*b, "b", MINUTE).await, token + 1);
    assert!(matches!(a.commit(token, &Commit::default()).await, Err(StoreError::Fenced { .. })));
}

pub(super) async fn a_new_token_is_above_what_was_seen(place: &dyn Place) {
    let store = place.open().await;
    for (above, expected) in [(0, 1), (7, 8), (3, 9), (9, 10), (99, 100), (1 << 60, (1 << 60) + 1), (5, (1 << 60) + 2)]
    {
        assert_eq!(ask(&*store, "a", MINUTE, None, above).await.unwrap(), Lease::Held { token: expected });
        store.commit(expected, &Commit::default()).await.unwrap();
        assert_eq!(store.load().await.unwrap().token, expected);
    }
    assert!(matches!(ask(&*store, "a", MINUTE, None, u64::MAX).await, Err(StoreError::Foreign { .. })));
}

pub(super) async fn an_emptied_store_says_so(place: &dyn Place) {
    let store = place.open().await;
    let token = take(&*store, "a", MINUTE).await;
    store.commit(token, &rows([row(Table::Buses, "1", "{}")])).await.unwrap();
    place.empty().await;
    assert!(matches!(store.commit(token, &rows([row(Table::Buses, "2", "{}")])).await, Err(StoreError::Emptied)));
    assert!(matches!(ask(&*store, "a", MINUTE, Some(token), 0).await, Err(StoreError::Emptied)));
    assert_eq!(all(&*store).await, []);
    assert_eq!(ask(&*store, "a", MINUTE, None, token + 4).await.unwrap(), Lease::Held { token: token + 5 });
    let anew = Commit { rows: vec![row(Table::Units, "1", "{}")], replace: true, ..Commit::default() };
    store.commit(token + 5, &anew).await.unwrap();
    assert_eq!(all(&*place.open().await).await, [(Table::Units, "1".into(), "{}".into())]);
}

pub(super) async fn a_large_commit_is_fenced_on_the_way(place: &dyn Place) {
    let (old, new) = (place.open().await, place.open().await);
    let first = take(&*old, "a", Duration::from_millis(1)).await;
    let value = Bytes::from(vec![b'1'; 64 << 10]);
    let mut large = rows([row(Table::Units, "first", "{}")]);
    large.rows.extend((0..768).map(|i| Row { table: Table::Buses, field: i.to_string(), value: Some(value.clone()) }));
    large.tail.push(row(Table::Offsets, "t/0", "1"));
    let writing = tokio::spawn({
        let (old, large) = (old.clone(), large.clone());
        async move { old.commit(first, &large).await }
    });
    while new.get(&Table::Units, "first").await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let second = take_over(&*new, "b", MINUTE).await;
    let outcome = writing.await.unwrap();
    let tail = new.get(&Table::Offsets, "t/0").await.unwrap();
    if place.chunked() {
        assert!(matches!(outcome, Err(StoreError::Fenced { .. })), "{outcome:?}");
        assert_eq!(tail, None);
        let landed = new.load().await.unwrap().rows.len();
        assert!(landed > 1 && landed < large.rows.len(), "{landed}");
    } else {
        outcome.unwrap();
        assert_eq!(tail.unwrap(), "1");
    }
    new.commit(second, &Commit { replace: true, ..large.clone() }).await.unwrap();
    assert_eq!(new.load().await.unwrap().rows.len(), large.rows.len() + 1);
}

pub(super) async fn a_repeated_commit_changes_nothing(place: &dyn Place) {
    let store = place.open().await;
    let token = take(&*store, "a", MINUTE).await;
    store.commit(token, &rows([row(Table::Stations, "9", "{}")])).await.unwrap();
    let commit = Commit {
        rows: vec![row(Table::Buses, "1", "{}"), gone(Table::Stations, "9"), row(Table::Nodes("d".into()), "n", "1")],
        tail: vec![row(Table::Offsets, "t/0", "5")],
        replace: false,
    };
    store.commit(token, &commit).await.unwrap();
    let once = all(&*store).await;
    assert_eq!(once.len(), 3);
    store.commit(token, &commit).await.unwrap();
    assert_eq!(all(&*store).await, once);
}

pub(super) async fn of_two_writers_only_the_newest_stands(place: &dyn Place) {
    let (old, new) = (place.open().await, place.open().await);
    let first = take(&*old, "a", Duration::from_millis(50)).await;
    let commit = |value: &str| {
        let mut commit = rows((0..200).map(|i| row(Table::Edges("d".into()), &i.to_string(), value)));
        commit.tail.push(row(Table::Offsets, "t/0", value));
        commit
    };
    // Once for certain, however slow the machine is; then until it is refused.
    old.commit(first, &commit("old")).await.unwrap();
    let writing = tokio::spawn({
        let (old, commit) = (old.clone(), commit("old"));
        async move {
            loop {
                match old.commit(first, &commit).await {
                    Ok(()) => {}
                    Err(StoreError::Fenced { .. }) => return,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    });
    let second = take_over(&*new, "b", MINUTE).await;
    new.commit(second, &commit("new")).await.unwrap();
    writing.await.unwrap();
    let stored = all(&*new).await;
    assert_eq!(stored.len(), 201);
    assert!(stored.iter().all(|(_, _, value)| value == "new"));
}

pub(super) async fn ten_thousand_rows_in_one_commit(place: &dyn Place) {
    let store = place.open().await;
    let token = take(&*store, "a", MINUTE).await;
    let commit = rows(
        (0..10_000).map(|i| row(Table::Sensors(format!("d{}", i % 5)), &i.to_string(), &format!("{{\"n\":{i}}}"))),
    );
    store.commit(token, &commit).await.unwrap();
    let stored = place.open().await.load().await.unwrap();
    assert_eq!(stored.rows.len(), 10_000);
    for row in stored.rows {
        let n: usize = row.field.parse().unwrap();
        assert_eq!(row.table, Table::Sensors(format!("d{}", n % 5)));
        assert_eq!(row.value, format!("{{\"n\":{n}}}"));
    }
}

pub(super) async fn a_load_is_of_one_moment(place: &dyn Place) {
    let (writer, reader) = (place.open().await, place.open().await);
    let token = take(&*writer, "a", MINUTE).await;
    let commit = |n: usize| {
        let n = n.to_string();
        let mut commit = rows((0..300).map(|i| row(Table::Sensors(format!("d{}", i % 3)), &i.to_string(), &n)));
        commit.tail.push(row(Table::Offsets, "t/0", &n));
        commit
    };
    writer.commit(token, &commit(0)).await.unwrap();
    let writing = tokio::spawn(async move {
        for n in 1..=150 {
            writer.commit(token, &commit(n)).await.unwrap();
        }
    });
    let mut seen = Vec::new();
    while !writing.is_finished() {
        let stored = all(&*reader).await;
        assert_eq!(stored.len(), 301);
        let value = &stored[0].2;
        assert!(stored.iter().all(|(_, _, other)| other == value), "a mix of flushes");
        seen.push(value.clone());
    }
    writing.await.unwrap();
    assert!(seen.len() > 1);
    assert_eq!(all(&*reader).await[0].2, "150");
}

/// Random commits by changing writers, against a map; enough of them that the embedded store merges on the way.
pub(super) async fn any_commits_leave_what_they_say(place: &dyn Place) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut model: BTreeMap<(Table, String), String> = BTreeMap::new();
    let tables = every_table("a:b");
    let mut stores = [place.open().await, place.open().await];
    let mut token = 0;
    for step in 0..400 {
        if step % 90 == 0 {
            stores.swap(0, 1);
            let holder = format!("{step}");
            stores[1].release(&format!("{}", step - step.min(90)), token).await.unwrap();
            token = take(&*stores[0], &holder, MINUTE).await;
        }
        let mut commit = Commit { replace: random.u32(0..100) == 0, ..Commit::default() };
        if commit.replace {
            model.clear();
        }
        for _ in 0..random.usize(0..300) {
            let (table, field) = (random.choice(&tables).unwrap().clone(), random.u32(0..500).to_string());
            if random.u32(0..4) == 0 {
                model.remove(&(table.clone(), field.clone()));
                commit.rows.push(gone(table, &field));
            } else {
                let value = format!("{step}.{}", random.u32(..));
                model.insert((table.clone(), field.clone()), value.clone());
                commit.rows.push(row(table, &field, &value));
            }
        }
        let at = commit.rows.len() - commit.rows.len() / 10;
        commit.tail = commit.rows.split_off(at);
        stores[0].commit(token, &commit).await.unwrap();
        if step % 25 == 0 {
            let expected: Vec<_> = model.iter().map(|((t, f), v)| (t.clone(), f.clone(), v.clone())).collect();
            assert!(all(&*stores[1]).await == expected, "at step {step}");
            for ((table, field), value) in model.iter().step_by(97) {
                assert_eq!(stores[0].get(table, field).await.unwrap().unwrap(), value.as_bytes());
            }
        }
    }
}
