//! Subscriptions that are moved, cut off and gone on with, on paused time; and those who share.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, future::join_all};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::city::{Client, RandomCity, act, apply, brute_force};
use crate::{
    config::LiveConfig,
    ingest::Fold,
    live::{Change, Cursor, Given, Hub, SnapshotReason, Socket, SubscriptionId, Wish, follow},
    publish::Chain,
    twin::{city::City, event::Topic, geo::BoundingBox, model::Kind, selection::Selection, time::Time},
};

fn config() -> LiveConfig {
    crate::config::Config::defaults().live
}

fn hub_with(config: &LiveConfig) -> Arc<Hub> {
    Hub::new(Fold::new(City::new("c", "C", None)), Arc::default(), config)
}

fn drive(hub: &Hub, id: u32, longitude: f64) {
    let bus = json!({"busId": format!("b{id}"), "currentLocation": {"latitude": 42, "longitude": longitude}});
    hub.fold().with(|city| apply(city, 1_767_571_200_000, Topic::TransportGps, &bus));
}

type Batches = Pin<Box<dyn Stream<Item = Given>>>;

fn open(hub: &Arc<Hub>, wish: Wish, resume: Option<Cursor>, socket: Socket) -> (SubscriptionId, Batches) {
    let seat = hub.subscribe(wish, resume, socket);
    (seat.id(), Box::pin(follow(Arc::clone(hub), seat, Duration::ZERO)))
}

fn within(west: f64, east: f64) -> Selection {
    Selection { area: Some(BoundingBox { north: 43.0, south: 41.0, east, west }), ..Selection::default() }
}

fn wish(selection: Selection) -> Wish {
    Wish { selection, ..Wish::default() }
}

/// What there is after the next moment that all subscribers see.
async fn soon(stream: &mut Batches) -> Option<Given> {
    sleep(Duration::from_millis(30)).await;
    timeout(Duration::from_millis(30), stream.next()).await.ok().flatten()
}

/// Its changes in short.
fn told(given: &Given) -> Vec<String> {
    let short = |change: &Change| match change {
        Change::Entered(entity) => format!("+{}", entity.id()),
        Change::Updated { entity, .. } => format!("={}", entity.id()),
        Change::Left { last, .. } => format!("-{}", last.id()),
    };
    given.batch.changes.iter().map(short).collect()
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_told_what_changed_since_it_went() {
    let hub = hub_with(&config());
    (0..4).for_each(|id| drive(&hub, id, 13.0 + f64::from(id) / 10.0));
    let (id, mut stream) = open(&hub, wish(within(12.9, 13.25)), None, None);
    let first = soon(&mut stream).await.expect("what is");
    assert_eq!(
        (told(&first), first.batch.reason),
        (vec!["+b0".into(), "+b1".into(), "+b2".into()], Some(SnapshotReason::Start))
    );
    drive(&hub, 0, 13.01);
    let lost = soon(&mut stream).await.expect("a change");
    assert_eq!(told(&lost), ["=b0"]);
    drop(stream);
    drive(&hub, 1, 14.0);
    drive(&hub, 3, 13.2);
    sleep(Duration::from_secs(299)).await;
    // The last batch was lost on the way; the filter is another one now.
    let (same, mut stream) = open(&hub, wish(within(12.9, 13.15)), Some(first.cursor), None);
    assert_eq!(same, id);
    let back = soon(&mut stream).await.expect("the difference");
    assert_eq!(told(&back), ["=b0", "-b1", "-b2"]);
    assert!(!back.batch.snapshot && back.batch.complete && back.batch.reason.is_none());
    // That batch was lost as well.
    let (_, mut stream) = open(&hub, wish(within(12.9, 13.25)), Some(first.cursor), None);
    let again = soon(&mut stream).await.expect("the difference");
    assert_eq!(told(&again), ["=b0", "-b1", "+b3"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_another_goes_on_with_its_subscription() {
    let hub = hub_with(&config());
    let (id, mut old) = open(&hub, Wish::default(), None, Some(1));
    let first = soon(&mut old).await.expect("that there is nothing");
    let (_, mut new) = open(&hub, Wish::default(), Some(first.cursor), Some(2));
    assert!(soon(&mut new).await.is_some());
    assert!(timeout(Duration::from_millis(1), old.next()).await.expect("an end").is_none());
    drop(old);
    assert_eq!(hub.look_at(id, Some(1), Selection::default(), None), None, "the old socket has it no more");
    assert_eq!(hub.look_at(id, Some(2), Selection::default(), None), Some(1));
    assert_eq!(soon(&mut new).await.expect("the move").batch.viewport, 1);
}

#[tokio::test(start_paused = true)]
async fn a_move_comes_at_once_and_only_from_its_own_connection() {
    let hub = hub_with(&config());
    (0..4).for_each(|id| drive(&hub, id, 13.0 + f64::from(id) / 10.0));
    let seat = hub.subscribe(wish(within(12.9, 13.15)), None, Some(7));
    let id = seat.id();
    let mut stream: Batches = Box::pin(follow(Arc::clone(&hub), seat, Duration::from_secs(60)));
    assert_eq!(told(&soon(&mut stream).await.expect("what is")), ["+b0", "+b1"]);
    for (id, socket) in [(id, None), (id, Some(8)), (SubscriptionId::draw(), Some(7))] {
        assert_eq!(hub.look_at(id, socket, within(13.05, 13.25), None), None);
    }
    assert_eq!(hub.look_at(id, Some(7), within(13.05, 13.25), None), Some(1));
    let moved = soon(&mut stream).await.expect("the move");
    assert_eq!((told(&moved), moved.batch.viewport), (vec!["-b0".into(), "+b2".into()], 1));
    // What it looks at now is what wakes it.
    drive(&hub, 2, 13.21);
    assert!(soon(&mut stream).await.is_none(), "within its interval");
    sleep(Duration::from_secs(61)).await;
    assert_eq!(told(&soon(&mut stream).await.expect("the change")), ["=b2"]);
    drop(stream);
    assert_eq!(hub.look_at(id, Some(7), within(13.05, 13.25), None), None, "nobody reads it");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_has_its_bounds() {
    let reason = async |hub: &Arc<Hub>, cursor: Cursor| {
        soon(&mut open(hub, Wish::default(), Some(cursor), None).1).await.expect("a batch").batch.reason
    };
    let hub = hub_with(&config());
    let cursor =
        async |hub: &Arc<Hub>| soon(&mut open(hub, Wish::default(), None, None).1).await.expect("a batch").cursor;
    let held = cursor(&hub).await;
    sleep(Duration::from_secs(302)).await;
    assert_eq!(reason(&hub, held).await, Some(SnapshotReason::NotHeld), "too long ago");
    let held = cursor(&hub).await;
    let other = Cursor { instance: held.instance ^ 1, ..held };
    assert_eq!(reason(&hub, other).await, Some(SnapshotReason::NotHere));
    let unknown = Cursor { batch: 99, ..held };
    assert_eq!(reason(&hub, unknown).await, Some(SnapshotReason::NotHeld), "a batch that was never given");
    let held = cursor(&hub).await;
    hub.chain().full_of_view(7, Time(1), hub.fold().view());
    assert_eq!(reason(&hub, held).await, Some(SnapshotReason::NewEpoch));
    let held = cursor(&hub).await;
    assert_eq!(reason(&hub, held).await, None);

    let small = hub_with(&LiveConfig { resume_bytes: 10_000, ..config() });
    let mut held = Vec::new();
    for _ in 0..30 {
        held.push(cursor(&small).await);
    }
    assert_eq!(reason(&small, held[0]).await, Some(SnapshotReason::NotHeld), "others needed the room");
    assert_eq!(reason(&small, held[29]).await, None);
}

#[tokio::test(start_paused = true)]
async fn only_those_are_woken_whom_a_change_may_concern() {
    let hub = hub_with(&config());
    (0..4).for_each(|id| drive(&hub, id, 13.0 + f64::from(id) / 10.0));
    sleep(Duration::from_millis(50)).await;
    let seats = [
        hub.subscribe(wish(within(12.9, 13.05)), None, None),
        hub.subscribe(wish(within(13.05, 13.15)), None, None),
        hub.subscribe(Wish::default(), None, None),
        hub.subscribe(wish(Selection { kinds: Some([Kind::Unit].into()), ..Selection::default() }), None, None),
    ];
    drive(&hub, 0, 13.001);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(seats.each_ref().map(|seat| seat.ear().untaken() > 0), [true, false, true, false]);
    seats.iter().for_each(|seat| _ = seat.ear().take());
    // Across: who sees it go and who sees it come.
    drive(&hub, 0, 13.1);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(seats.each_ref().map(|seat| seat.ear().untaken() > 0), [true, true, true, false]);
}

/// Reads a stream to the end of a busy time, and gives what its client then holds, and how many batches it shared.
async fn reader(hub: Arc<Hub>, mut stream: Batches, slowness: u64) -> (BTreeMap<String, serde_json::Value>, usize) {
    let (mut client, mut shared) = (Client::default(), 0);
    while let Ok(Some(given)) = timeout(Duration::from_secs(5), stream.next()).await {
        client.take(&given.batch);
        shared += usize::from(Arc::strong_count(&given.batch) > 1);
        if given.batch.complete && slowness > 0 {
            assert_eq!(client.holds, brute_force(&given.batch.view, &Selection::default()));
        }
        sleep(Duration::from_millis(fastrand::u64(0..=slowness))).await;
    }
    assert_eq!(client.holds, brute_force(&hub.fold().view(), &Selection::default()));
    (client.holds, shared)
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_for_the_same_share_it_and_are_right() {
    let RandomCity { mut city, mut now, .. } = RandomCity::new(5);
    let mut random = fastrand::Rng::with_seed(5);
    for n in 0..1200 {
        let bus = json!({"busId": format!("many{n}"), "currentLocation": {"latitude": 42, "longitude": 13}});
        apply(&mut city, now, Topic::TransportGps, &bus);
    }
    let hub = Hub::new(Fold::new(city), Arc::<Chain>::default(), &config());
    let wish = || Wish { operation: Some("all".into()), ..Wish::default() };
    let readers = (0..24).map(|n| {
        let hub = Arc::clone(&hub);
        async move {
            // Some come late, and some read slowly.
            sleep(Duration::from_millis(n % 8 * 40)).await;
            let (_, stream) = open(&hub, wish(), None, None);
            reader(hub, stream, if n % 6 == 0 { 200 } else { 0 }).await
        }
    });
    let driver = async {
        for _ in 0..120 {
            sleep(Duration::from_millis(random.u64(1..20))).await;
            let burst = random.u32(1..10);
            hub.fold().with(|city| (0..burst).for_each(|_| act(city, &mut now, &mut random)));
        }
    };
    let (held, ()) = tokio::join!(join_all(readers), driver);
    let shared: usize = held.iter().map(|(_, shared)| shared).sum();
    assert!(shared > 500, "{shared} shared batches are too few to have tried anything");
}
