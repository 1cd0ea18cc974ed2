//! Maps that are moved, cut off and resumed at random, over a city whose entities move at random: what each client holds
//! equals, at every mark, what a query of everything gives.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
};

use proptest::prelude::*;
use serde_json::json;

use super::city::apply;
use crate::{
    live::{
        Batch, Change, Feed, LeftReason, Limits, Mode, SnapshotReason,
        cells::{Counts, Grids, is_counted, level_of},
        feed::Scene,
        index::Index,
        lens::Importance,
    },
    twin::{
        city::City,
        entity::Entity,
        event::Topic,
        geo::BoundingBox,
        model::Kind,
        selection::Selection,
        snapshot::CityFile,
        tile::{Tile, TileRange},
        view::View,
    },
};

/// When events begin.
const START: i64 = 1_767_571_200_000;

/// A city of so many movers, and what feeds look at it with.
struct World {
    city: City,
    index: Index,
    grids: Grids,
    now: i64,
    movers: u32,
    random: fastrand::Rng,
}

impl World {
    fn new(movers: u32, roads: u32, seed: u64) -> Self {
        let mut city = City::new("c", "C", None);
        let mut random = fastrand::Rng::with_seed(seed);
        city.import(file(roads, &mut random));
        let mut world = Self { city, index: Index::default(), grids: Grids::default(), now: START, movers, random };
        (0..movers).for_each(|n| world.report(n));
        world
    }

    /// A mover says where it is: near where it was mostly, sometimes anywhere.
    fn report(&mut self, n: u32) {
        self.now += 1;
        let random = &mut self.random;
        let before = self.city.view().find(Kind::Bus, None, &format!("b{n}")).and_then(Entity::position);
        let (latitude, longitude) = match before {
            Some(was) if random.u32(0..10) > 0 => {
                let step = |random: &mut fastrand::Rng| (random.f64() - 0.5) * 0.01;
                ((was.latitude + step(random)).clamp(42.0, 43.0), (was.longitude + step(random)).clamp(13.0, 14.0))
            }
            _ => (42.0 + random.f64(), 13.0 + random.f64()),
        };
        let place = json!({"latitude": latitude, "longitude": longitude});
        let (topic, event) = match n % 4 {
            0 => (
                Topic::SensorsEnvironmental,
                json!({"districtId": "d0", "sensorId": format!("b{n}"), "type": (["noise", "pm10"][n as usize / 4 % 2]),
                    "value": f64::from(random.u32(0..1000)) / 7.0, "location": place}),
            ),
            _ => (
                Topic::TransportGps,
                json!({"busId": format!("b{n}"), "currentLocation": place, "speed": random.u32(0..50)}),
            ),
        };
        apply(&mut self.city, self.now, topic, &event);
    }

    fn act(&mut self) {
        let n = self.random.u32(0..self.movers);
        match self.random.u32(0..1000) {
            0..900 => self.report(n),
            900..950 => {
                let edge = json!({"edgeId": format!("e{}", n % 200), "trafficConditions": {"averageSpeed": n}});
                apply(&mut self.city, self.now, Topic::TrafficGraph, &edge);
            }
            950..999 => {
                self.city.remove(Kind::Bus, None, &format!("b{n}"));
            }
            _ => {
                let roads = 150 + self.random.u32(0..100);
                self.city.import(file(roads, &mut self.random));
            }
        }
    }

    /// The moment that all see.
    fn view(&mut self) -> Arc<View> {
        let view = Arc::new(self.city.view().clone());
        self.index.catch_up(&view);
        view
    }
}

/// Roads here and there, some of them long.
fn file(roads: u32, random: &mut fastrand::Rng) -> CityFile {
    let classes = ["motorway", "primary", "residential", "service", "path"];
    let edges: Vec<_> = (0..roads)
        .map(|n| {
            let (x, y) = (13.0 + random.f64(), 42.0 + random.f64());
            let reach = if n % 50 == 0 { 0.8 } else { 0.02 };
            let line: Vec<_> = (0..3).map(|_| [x + random.f64() * reach, y + random.f64() * reach]).collect();
            json!({"edgeId": format!("e{n}"), "class": random.choice(&classes),
                "geometry": {"type": "LineString", "coordinates": line}})
        })
        .collect();
    let district = json!({"districtId": "d0", "name": "D", "cityGraph": {"nodes": [], "edges": edges}});
    CityFile::parse(&json!({"cityId": "c", "name": "C", "districts": [district]}).to_string()).expect("a right file")
}

/// A box somewhere, now and then all of it or without one.
fn look(random: &mut fastrand::Rng) -> Selection {
    let size = *random.choice(&[0.02, 0.1, 0.3, 0.6]).unwrap();
    let (south, west) = (42.0 + random.f64() * (1.0 - size), 13.0 + random.f64() * (1.0 - size));
    let area = BoundingBox { north: south + size, south, east: west + size, west };
    let kinds = [Kind::Bus, Kind::Sensor, Kind::Edge].into();
    match random.u32(0..10) {
        0 => Selection::default(),
        1..4 => Selection { area: Some(area), kinds: Some(kinds), ..Selection::default() },
        _ => Selection { area: Some(area), ..Selection::default() },
    }
}

/// What a client holds.
#[derive(Clone, Debug, Default)]
struct Client {
    /// By id, with the value's revision.
    entities: BTreeMap<String, (Kind, u64)>,
    cells: BTreeMap<Tile, Counts>,
    mode: Option<Mode>,
    /// What a snapshot has not brought yet.
    marked: HashSet<String>,
    /// The number of the last batch that it took.
    at: u64,
}

impl Client {
    /// Takes a batch as the schema says, and checks whatever can be checked of it.
    fn take(&mut self, batch: &Batch, first: bool) {
        if self.mode.replace(batch.mode) != Some(batch.mode) {
            self.cells.clear();
            if batch.mode == Mode::Cells {
                self.entities.retain(|_, (kind, _)| !is_counted(*kind));
            }
        }
        if first {
            self.cells.clear();
        }
        if batch.reason.is_some() {
            self.marked = self.entities.keys().cloned().collect();
        }
        let mut ids = HashSet::new();
        for change in &batch.changes {
            let entity = change.entity();
            let id = entity.global_id();
            assert!(ids.insert(id.clone()), "{id} twice in one batch");
            assert!(batch.mode == Mode::Entities || !is_counted(entity.kind()), "{id} beside the cells");
            let now = (entity.kind(), entity.revision());
            match change {
                Change::Entered(_) => {
                    let marked = self.marked.remove(&id);
                    let before = self.entities.insert(id.clone(), now);
                    assert_eq!(before.is_some(), marked, "{id} entered, but was there");
                }
                Change::Updated { .. } => {
                    assert!(self.entities.insert(id.clone(), now).is_some(), "{id} changed, but was not there");
                }
                Change::Left { reason, .. } => {
                    assert!(self.entities.remove(&id).is_some(), "{id} left, but was not there");
                    assert_eq!(*reason == LeftReason::MovedOut, batch.view.entity(entity.handle()).is_some(), "{id}");
                }
            }
        }
        for cell in &batch.cells {
            assert_eq!(batch.mode, Mode::Cells);
            match &cell.counts {
                Some(counts) => self.cells.insert(cell.tile, Counts::clone(counts)),
                None => self.cells.remove(&cell.tile),
            };
        }
        if batch.complete {
            for id in std::mem::take(&mut self.marked) {
                self.entities.remove(&id);
            }
        }
    }
}

/// A map at work: a feed, batches on their way, and a client that takes them when it does.
struct Map {
    selection: Selection,
    level: Option<u8>,
    feed: Feed,
    limits: Limits,
    client: Client,
    /// Batches that the client has not taken yet.
    on_the_way: VecDeque<(u64, Arc<Batch>)>,
    /// Whether the next batch is the first of its stream.
    first: bool,
    /// Whether the last batch was not complete.
    more: bool,
    /// The chance that it looks at a moment, and that its client takes a batch.
    eager: f64,
    marks: usize,
    resumed: usize,
    moved: i32,
    modes: HashSet<Mode>,
}

impl Map {
    fn new(random: &mut fastrand::Rng, cells_above: usize) -> Self {
        let page = *random.choice(&[7, 50, 1000]).unwrap();
        let limits = Limits { page, cells_above, roads_above: *random.choice(&[40, 120, 1000]).unwrap() };
        let (selection, level) = (look(random), random.bool().then(|| level_of(8.0 + 6.0 * random.f64())));
        Self {
            feed: Feed::new(selection.clone(), level, SnapshotReason::Start, limits),
            selection,
            level,
            limits,
            client: Client::default(),
            on_the_way: VecDeque::new(),
            first: true,
            more: false,
            eager: *random.choice(&[1.0, 0.4, 0.05]).unwrap(),
            marks: 0,
            resumed: 0,
            moved: 0,
            modes: HashSet::new(),
        }
    }

    /// The server's side: one look.
    fn look(&mut self, world: &mut World) -> bool {
        let view = world.view();
        let scene = Scene { view: &view, index: &world.index, grids: &world.grids };
        let Some((number, step)) = self.feed.next(scene) else { return false };
        let batch = step.batch;
        assert_eq!(batch.viewport, self.moved);
        self.more = !batch.complete;
        self.modes.insert(batch.mode);
        self.on_the_way.push_back((number, batch));
        true
    }

    /// The client's side: takes the next batch, and has at a mark what there is.
    fn take(&mut self) {
        let Some((number, batch)) = self.on_the_way.pop_front() else { return };
        self.client.take(&batch, std::mem::take(&mut self.first));
        self.client.at = number;
        // What it was to show may have changed since the batch was sent, but then more are on their way.
        if batch.complete && batch.viewport == self.moved {
            self.marks += 1;
            self.check(&batch.view, batch.mode);
        }
    }

    /// What a query of everything gives.
    fn check(&self, view: &View, mode: Mode) {
        let chosen = || view.entities(&Kind::ALL).filter(|entity| self.selection.matches(entity));
        let roads = || chosen().filter(|entity| entity.kind() == Kind::Edge);
        let limit = Importance::limit(roads(), self.limits.roads_above);
        let by_itself = |entity: &&Entity| {
            mode == Mode::Entities || (!is_counted(entity.kind()) && Importance::of(entity) <= limit)
        };
        let of = |entity: &Entity| (entity.global_id(), (entity.kind(), entity.revision()));
        let expected: BTreeMap<_, _> = chosen().filter(by_itself).map(of).collect();
        assert_eq!(self.client.entities, expected);
        let points = chosen().filter(|entity| is_counted(entity.kind())).count();
        let counted: u32 = self.client.cells.values().map(Counts::count).sum();
        match mode {
            Mode::Entities => assert!(self.level.is_none() || points <= self.limits.cells_above, "{points}"),
            Mode::Cells => assert!(counted as usize > self.limits.cells_above * 9 / 10, "{counted}"),
        }
        let mut cells: BTreeMap<Tile, Counts> = BTreeMap::new();
        if let (Mode::Cells, Some(level)) = (mode, self.level) {
            let whole = Selection { area: None, ..self.selection.clone() };
            let range = self.selection.area.as_ref().map(|area| TileRange::of(area, level));
            for entity in view.entities(&Kind::ALL).filter(|entity| is_counted(entity.kind()) && whole.matches(entity))
            {
                let tile = Tile::at(entity.position().expect("a position"), level);
                if range.as_ref().is_none_or(|range| range.contains(tile)) {
                    cells.entry(tile).or_default().add(entity);
                }
            }
        }
        assert_eq!(self.client.cells, cells);
    }

    fn turn(&mut self, random: &mut fastrand::Rng) {
        (self.selection, self.level) = match &self.selection.area {
            // A pan mostly.
            Some(area) if random.u32(0..4) > 0 => {
                let (up, right) = ((random.f64() - 0.5) * 0.1, (random.f64() - 0.5) * 0.1);
                let area = BoundingBox {
                    north: area.north + up,
                    south: area.south + up,
                    east: area.east + right,
                    west: area.west + right,
                };
                (Selection { area: Some(area), ..self.selection.clone() }, self.level)
            }
            _ => (look(random), random.bool().then(|| level_of(8.0 + 6.0 * random.f64()))),
        };
    }

    /// Its client pans or zooms.
    fn pan(&mut self, random: &mut fastrand::Rng) {
        self.turn(random);
        self.moved += 1;
        assert_eq!(self.feed.look_at(self.selection.clone(), self.level), self.moved);
        self.more = true;
    }

    /// The connection breaks, and what was on its way is lost; the client comes back with what it had.
    fn reconnect(&mut self, random: &mut fastrand::Rng) {
        self.on_the_way.clear();
        (self.first, self.more) = (true, true);
        if random.bool() {
            self.turn(random);
        }
        // Before its first batch it has no cursor.
        if self.client.at > 0 && self.feed.resume(self.client.at, self.selection.clone(), self.level) {
            self.resumed += 1;
            return;
        }
        // A new subscription: the cursors of the one before are not of its batches.
        (self.moved, self.client.at) = (0, 0);
        self.feed = Feed::new(self.selection.clone(), self.level, SnapshotReason::NotHeld, self.limits);
    }
}

/// So many maps over a city of so many movers.
fn maps(movers: u32, maps: usize, steps: usize, cells_above: usize, seed: u64) -> (usize, usize, HashSet<Mode>) {
    let random = &mut fastrand::Rng::with_seed(seed);
    let mut world = World::new(movers, 200, seed);
    let mut maps: Vec<_> = (0..maps).map(|_| Map::new(random, cells_above)).collect();
    for _ in 0..steps {
        (0..random.u32(0..movers / 20)).for_each(|_| world.act());
        for map in &mut maps {
            while random.f64() < map.eager {
                if !map.look(&mut world) {
                    break;
                }
            }
            while random.f64() < map.eager && !map.on_the_way.is_empty() {
                map.take();
            }
            match random.u32(0..20) {
                0..3 => map.pan(random),
                3 => map.reconnect(random),
                _ => {}
            }
        }
    }
    for map in &mut maps {
        while map.look(&mut world) {}
        while !map.on_the_way.is_empty() {
            map.take();
        }
        assert!(!map.more);
        map.check(&world.view(), map.client.mode.expect("at least one batch"));
    }
    let modes = maps.iter().flat_map(|map| &map.modes).copied().collect();
    (maps.iter().map(|map| map.marks).sum(), maps.iter().map(|map| map.resumed).sum(), modes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn each_map_holds_what_a_query_gives(seed in any::<u64>()) {
        maps(300, 6, 120, 60, seed);
    }
}

#[test]
fn ten_thousand_movers() {
    let (marks, resumed, modes) = maps(10_000, 12, 60, 1500, 4);
    assert!(marks > 100 && resumed > 10 && modes.len() == 2, "{marks} marks, {resumed} returns, {modes:?}");
}

#[test]
fn a_move_brings_nothing_that_the_client_has() {
    let mut world = World::new(2000, 100, 9);
    let view = world.view();
    let scene = Scene { view: &view, index: &world.index, grids: &world.grids };
    let limits = Limits { page: 10_000, cells_above: 1, roads_above: 1 };
    let area = BoundingBox { north: 42.6, south: 42.2, east: 13.6, west: 13.2 };
    let of = |area| Selection { area: Some(area), ..Selection::default() };
    let mut feed = Feed::new(of(area), None, SnapshotReason::Start, limits);
    let next = |feed: &mut Feed| feed.next(scene).map(|(_, step)| step.batch);
    let first = next(&mut feed).expect("all in view");
    let mut held: HashSet<_> = first.changes.iter().map(|change| change.entity().global_id()).collect();
    let east = BoundingBox { east: 13.7, west: 13.3, ..area };
    assert_eq!(feed.look_at(of(east), None), 1);
    let moved = next(&mut feed).expect("what is new");
    assert!(moved.complete && !moved.snapshot && moved.viewport == 1 && moved.reason.is_none());
    for change in &moved.changes {
        let id = change.entity().global_id();
        match change {
            Change::Entered(_) => assert!(held.insert(id.clone()), "{id}"),
            Change::Left { reason, .. } => assert!(held.remove(&id) && *reason == LeftReason::MovedOut, "{id}"),
            Change::Updated { .. } => panic!("{id} did not change"),
        }
    }
    let expected: HashSet<_> =
        view.entities(&Kind::ALL).filter(|entity| of(east).matches(entity)).map(Entity::global_id).collect();
    assert_eq!(held, expected);
    feed.look_at(of(east), None);
    let same = next(&mut feed).expect("that the move is known");
    assert!(same.changes.is_empty() && same.viewport == 2 && same.complete);
    assert!(next(&mut feed).is_none());
}
