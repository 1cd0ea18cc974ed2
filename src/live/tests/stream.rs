//! Streams on paused time.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::city::{Client, apply, brute_force};
use crate::{
    ingest::Fold,
    live::{Batch, Change, Cursor, Hub, SnapshotReason, SubscriptionId, Wish, follow, views},
    publish::Chain,
    twin::{city::City, event::Topic, model::Kind, selection::Selection, time::Time},
};

fn hub() -> Arc<Hub> {
    let config = crate::config::Config::defaults().live;
    Hub::new(Fold::new(City::new("c", "C", None)), Arc::new(Chain::default()), &config)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Gives a bus a speed, at a moment of the events' time that never goes back.
fn drive(hub: &Hub, id: u32, speed: u32) {
    let bus = json!({"busId": format!("b{id}"), "speed": speed, "currentLocation": {"latitude": 42, "longitude": 13}});
    hub.fold().with(|city| apply(city, 1_767_571_200_000, Topic::TransportGps, &bus));
}

/// What there is after the next moment that all subscribers see.
async fn soon<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    tokio::time::sleep(ms(30)).await;
    timeout(ms(1), stream.next()).await.ok().flatten()
}

/// What is selected, and then what changes in it.
fn changes(hub: Arc<Hub>, selection: Selection, interval: Duration) -> impl Stream<Item = Arc<Batch>> {
    let seat = hub.subscribe_alone(Wish { selection, ..Wish::default() });
    follow(hub, seat, interval).map(|given| given.batch)
}

fn ids(batch: &Batch) -> Vec<String> {
    batch.changes.iter().map(|change| change.entity().global_id()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_comes_at_once_and_changes_as_soon_as_they_come() {
    let hub = hub();
    drive(&hub, 1, 10);
    let mut stream = pin!(changes(Arc::clone(&hub), Selection::default(), ms(0)));
    let first = soon(&mut stream).await.expect("the snapshot at once");
    assert!(first.snapshot && first.complete && first.oldest.is_none());
    assert_eq!(ids(&first), ["bus/b1"]);
    assert!(timeout(ms(60_000), stream.next()).await.is_err(), "nothing changed");
    for speed in 11..20 {
        drive(&hub, 1, speed);
        let batch = soon(&mut stream).await.expect("at once");
        assert!(!batch.snapshot && batch.complete && batch.oldest == Some(batch.view.revision));
        assert!(matches!(&batch.changes[..], [Change::Updated { .. }]));
        assert_eq!(batch.changes[0].changed_fields().collect::<Vec<_>>(), ["speed"]);
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_once_in_an_interval() {
    let hub = hub();
    let mut stream = pin!(changes(Arc::clone(&hub), Selection::default(), ms(1000)));
    assert!(soon(&mut stream).await.expect("that there is nothing").changes.is_empty());
    let began = Instant::now();
    let driver = tokio::spawn({
        let hub = Arc::clone(&hub);
        async move {
            for speed in 1..=100 {
                tokio::time::sleep(ms(97)).await;
                drive(&hub, speed % 3, speed);
            }
        }
    });
    let mut client = Client::default();
    let mut at = Vec::new();
    // 9.7 s of changes: a batch each second, and one for the rest.
    while let Ok(Some(batch)) = timeout(ms(5000), stream.next()).await {
        at.push(began.elapsed().as_millis());
        assert!(batch.changes.len() <= 3, "merged by entity");
        for change in &batch.changes {
            client.holds.insert(change.entity().global_id(), serde_json::from_slice(change.entity().json()).unwrap());
        }
    }
    driver.await.unwrap();
    assert_eq!(at.len(), 10, "{at:?}");
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 1000), "{at:?}");
    assert_eq!(client.holds, brute_force(&hub.fold().view(), &Selection::default()));
}

#[tokio::test(start_paused = true)]
async fn the_interval_begins_with_a_batch_not_with_a_change_of_something_else() {
    let hub = hub();
    let buses = Selection { kinds: Some([Kind::Bus].into()), ..Selection::default() };
    let mut stream = pin!(changes(Arc::clone(&hub), buses, ms(1000)));
    soon(&mut stream).await.expect("that there is nothing");
    tokio::time::sleep(ms(1500)).await;
    hub.fold().with(|city| city.rename("N"));
    assert!(soon(&mut stream).await.is_none());
    drive(&hub, 1, 1);
    assert_eq!(ids(&soon(&mut stream).await.expect("at once: the last batch is long ago")), ["bus/b1"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_one_merged_batch() {
    let hub = hub();
    drive(&hub, 1, 0);
    let mut stream = pin!(changes(Arc::clone(&hub), Selection::default(), ms(0)));
    soon(&mut stream).await.expect("the snapshot");
    for speed in 1..=5000 {
        drive(&hub, 1, speed);
    }
    let batch = soon(&mut stream).await.expect("what changed");
    assert_eq!(ids(&batch), ["bus/b1"]);
    assert_eq!(batch.oldest, Some(2), "its oldest change is the first that the reader missed");
    assert_eq!(batch.changes[0].entity().revision(), 5001, "its last value");
    assert!(soon(&mut stream).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn pages_follow_each_other_without_waiting() {
    let hub = hub();
    (0..2500).for_each(|id| drive(&hub, id, 1));
    let mut stream = pin!(changes(Arc::clone(&hub), Selection::default(), ms(60_000)));
    tokio::time::sleep(ms(5)).await;
    let pages: Vec<_> = (&mut stream).take(3).collect().await;
    assert_eq!(pages.iter().map(|page| page.changes.len()).collect::<Vec<_>>(), [1000, 1000, 500]);
    assert_eq!(pages.iter().map(|page| page.complete).collect::<Vec<_>>(), [false, false, true]);
    assert!(pages.iter().all(|page| page.snapshot));
    drive(&hub, 0, 2);
    assert!(soon(&mut stream).await.is_none(), "the interval goes on from the first page");
    assert!(timeout(ms(60_050), stream.next()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_city_that_is_replaced_in_place_goes_on() {
    let hub = hub();
    (1..=3).for_each(|id| drive(&hub, id, 1));
    let mut stream = pin!(changes(Arc::clone(&hub), Selection::default(), ms(0)));
    let mut client = Client::default();
    client.take(&soon(&mut stream).await.expect("the snapshot"));
    let mut other = City::new("c", "C", None);
    for (id, speed) in [(2, 1), (3, 7), (4, 1)] {
        let place = json!({"latitude": 42, "longitude": 13});
        let bus = json!({"busId": format!("b{id}"), "speed": speed, "currentLocation": place});
        apply(&mut other, 1_767_571_200_000, Topic::TransportGps, &bus);
    }
    hub.fold().with(|city| city.become_like(other));
    let batch = soon(&mut stream).await.expect("the difference");
    client.take(&batch);
    assert_eq!(ids(&batch), ["bus/b1", "bus/b3", "bus/b4"]);
    assert_eq!(client.holds, brute_force(&hub.fold().view(), &Selection::default()));
}

#[tokio::test(start_paused = true)]
async fn views_come_at_once_and_then_in_intervals() {
    let hub = hub();
    let mut stream = pin!(views(Arc::clone(&hub), ms(1000)));
    assert_eq!(soon(&mut stream).await.expect("at once").revision, 0);
    let began = Instant::now();
    (1..=3).for_each(|id| drive(&hub, id, 1));
    assert!(soon(&mut stream).await.is_none());
    assert_eq!(stream.next().await.expect("a view").revision, 3);
    assert_eq!(began.elapsed().as_millis() / 10, 100);
    assert!(timeout(ms(60_000), stream.next()).await.is_err(), "nothing changed");
}

#[tokio::test(start_paused = true)]
async fn cursors_belong_to_instance_and_epoch() {
    let hub = hub();
    drive(&hub, 1, 1);
    let seat = hub.subscribe(Wish::default(), None, None);
    let id = seat.id();
    let mut stream = pin!(follow(Arc::clone(&hub), seat, ms(0)));
    let cursor = soon(&mut stream).await.expect("the snapshot").cursor;
    assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
    assert_eq!((cursor.epoch, cursor.batch, cursor.to_string().len()), (0, 1, Cursor::LENGTH));
    assert_eq!(SubscriptionId::parse(&id.to_string()), Some(id));
    hub.chain().full_of_view(7, Time(1), hub.fold().view());
    drive(&hub, 1, 2);
    assert_eq!(soon(&mut stream).await.expect("the change").cursor.epoch, 7);
    let other = self::hub();
    let seat = other.subscribe(Wish::default(), Some(cursor), None);
    let first = soon(&mut pin!(follow(Arc::clone(&other), seat, ms(0)))).await.expect("a snapshot");
    assert_eq!(first.batch.reason, Some(SnapshotReason::NotHere));
    assert_ne!(first.cursor.instance, cursor.instance);
    for wrong in ["", "x", "!", &cursor.to_string()[1..], &format!("{cursor}{cursor}"), "AAAA"] {
        assert_eq!(Cursor::parse(wrong), None, "{wrong}");
    }
}
