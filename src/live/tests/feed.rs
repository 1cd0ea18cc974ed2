//! Each feed's client holds, at every mark, exactly what a query of the view gives.

use std::sync::Arc;

use proptest::prelude::*;

use super::city::{Client, RandomCity, brute_force, selection};
use crate::{
    live::{Batch, Change, Feed, LeftReason, Limits, SnapshotReason, cells::Grids, feed::Scene, index::Index},
    twin::{model::Kind, selection::Selection, view::View},
};

/// A feed that never shows cells, and what it looks with.
struct Watch {
    feed: Feed,
    index: Index,
    grids: Grids,
}

impl Watch {
    fn new(selection: Selection, page: usize) -> Self {
        let limits = Limits { page, cells_above: 1, roads_above: 1 };
        let feed = Feed::new(selection, None, SnapshotReason::Start, limits);
        Self { feed, index: Index::default(), grids: Grids::default() }
    }

    fn next(&mut self, view: &Arc<View>) -> Option<Arc<Batch>> {
        self.index.catch_up(view);
        let scene = Scene { view, index: &self.index, grids: &self.grids };
        self.feed.next(scene).map(|(_, step)| step.batch)
    }

    fn changes(&mut self, view: &Arc<View>) -> Vec<Change> {
        self.next(view).map(|batch| batch.changes.clone()).unwrap_or_default()
    }

    fn without_history(&mut self, view: &Arc<View>) {
        self.index.catch_up(view);
        self.feed.without_history(Scene { view, index: &self.index, grids: &self.grids });
    }
}

/// A subscriber and what it makes of its batches.
struct Subscriber {
    selection: Selection,
    watch: Watch,
    client: Client,
    /// The chance that it looks at a moment.
    eager: f64,
    /// The chance that the history no longer reaches back for it.
    forgetful: f64,
    begun: bool,
    marks: usize,
}

impl Subscriber {
    fn new(random: &mut fastrand::Rng) -> Self {
        let selection = selection(random);
        let page = *random.choice(&[1, 3, 1000]).unwrap();
        Self {
            watch: Watch::new(selection.clone(), page),
            selection,
            client: Client::default(),
            eager: *random.choice(&[1.0, 0.3, 0.02]).unwrap(),
            forgetful: *random.choice(&[0.0, 0.5, 1.0]).unwrap(),
            begun: false,
            marks: 0,
        }
    }

    /// Takes one batch; whether it was told to come again for the rest.
    fn look(&mut self, city: &RandomCity, random: &mut fastrand::Rng) -> bool {
        let view = city.view();
        if self.begun && random.f64() < self.forgetful {
            self.watch.without_history(&view);
        }
        self.begun = true;
        let Some(batch) = self.watch.next(&view) else { return false };
        self.client.take(&batch);
        if batch.complete {
            self.marks += 1;
            assert_eq!(self.client.holds, brute_force(&view, &self.selection));
        }
        !batch.complete
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_client_holds_what_a_query_gives(seed in any::<u64>()) {
        let random = &mut fastrand::Rng::with_seed(seed);
        let mut city = RandomCity::new(seed);
        let mut subscribers: Vec<_> = (0..8).map(|_| Subscriber::new(random)).collect();
        for _ in 0..300 {
            for _ in 0..random.u32(0..4) {
                city.act();
            }
            for subscriber in &mut subscribers {
                if random.f64() < subscriber.eager {
                    subscriber.look(&city, random);
                }
            }
        }
        for subscriber in &mut subscribers {
            while subscriber.look(&city, random) {}
            assert_eq!(subscriber.client.holds, brute_force(&city.view(), &subscriber.selection));
            assert!(subscriber.marks > 0);
            assert!(subscriber.watch.next(&city.view()).is_none(), "nothing new is nothing to tell");
        }
    }
}

#[test]
fn what_is_not_selected_costs_no_batch() {
    let mut city = RandomCity::new(7);
    let none = Selection { kinds: Some([Kind::Building].into()), ..Selection::default() };
    let mut feed = Watch::new(none, 1000);
    let first = feed.next(&city.view()).expect("that there is nothing is worth telling");
    assert!(first.changes.is_empty() && first.snapshot && first.complete);
    for _ in 0..200 {
        city.act();
        assert!(feed.next(&city.view()).is_none());
    }
}

#[test]
fn updates_name_only_what_changed() {
    let mut city = RandomCity::new(1);
    let mut feed = Watch::new(Selection { kinds: Some([Kind::Bus].into()), ..Selection::default() }, 1000);
    let mut named = std::collections::HashSet::new();
    feed.next(&city.view());
    for _ in 0..300 {
        city.act();
        for change in feed.changes(&city.view()) {
            if let Change::Updated { .. } = change {
                named.extend(change.changed_fields());
            }
        }
    }
    assert_eq!(named, ["currentLocation", "speed", "lastUpdated"].into());
}

#[test]
fn the_same_changes_come_in_the_same_order() {
    let told = || {
        let mut city = RandomCity::new(3);
        let mut feed = Watch::new(Selection::default(), 5);
        let mut told = Vec::new();
        for _ in 0..200 {
            city.act();
            told.extend(feed.next(&city.view()).map(|batch| format!("{:?}", ids(&batch.changes))));
        }
        told
    };
    assert_eq!(told(), told());
}

fn ids(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| change.entity().global_id()).collect()
}

#[test]
fn a_busy_entity_keeps_no_other_waiting() {
    let mut city = RandomCity::new(5);
    for _ in 0..100 {
        city.act();
    }
    let mut feed = Watch::new(Selection::default(), 1);
    let there = brute_force(&city.view(), &Selection::default()).len();
    let mut entered = 0;
    // A page of one while things go on: everything has its turn all the same.
    for _ in 0..there * 4 {
        city.act();
        entered += feed.changes(&city.view()).iter().filter(|change| matches!(change, Change::Entered(_))).count();
    }
    assert!(entered >= there / 2, "{entered} of {there}");
}

#[test]
fn leaving_has_its_reason() {
    let mut city = RandomCity::new(11);
    let reported = Selection { statuses: Some(["reported".to_owned()].into()), ..Selection::default() };
    let mut feed = Watch::new(reported, 1000);
    let mut reasons = Vec::new();
    for _ in 0..2000 {
        city.act();
        for change in feed.changes(&city.view()) {
            if let Change::Left { reason, .. } = change {
                reasons.push(reason);
            }
        }
    }
    assert!(reasons.contains(&LeftReason::MovedOut) && reasons.contains(&LeftReason::Removed));
}
