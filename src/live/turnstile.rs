//! Whose turn it is to look.
//!
//! When something changes a thousand streams may be due at once, more than the cores can serve before the next moment. The runtime
//! would first wake those who have just looked (its newest tasks wait in front, the others in a queue that is looked at now and then),
//! so that some see each moment and others one in ten. Here they go in the order in which they came, a few at a time.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// How many may be on their way at once: enough for all cores, and less than a queue of the runtime holds (256).
const ON_THE_WAY: usize = 64;

/// Whoever was let through and has not looked for so long is not being read, and holds nobody up any more.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a stream is told by. It says that there may be something, never what.
#[derive(Debug, Default)]
pub struct Ear {
    told: Notify,
    /// Whether what it looks at is another, so that it need not wait for its interval.
    steered: AtomicBool,
    /// The revision of the first change that it was told of and has not looked at; 0 where there is none.
    untaken: AtomicU64,
    place: Mutex<Place>,
}

/// Where a stream is. Changed only under the turnstile's lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// It does something else: it looks, or its reader takes what it found.
    #[default]
    Away,
    /// The same, and something changed meanwhile.
    Missed,
    /// It waits for a change.
    Listening,
    /// Something changed; it waits for its turn.
    InLine,
    /// It was told that it is its turn.
    OnTheWay,
}

impl Ear {
    /// Tells it to look at once, whatever its interval.
    pub fn steer(&self) {
        self.steered.store(true, Ordering::Release);
        self.told.notify_one();
    }

    /// Its stream looks: the revision of the first change that it was told of; 0 where there is none.
    pub fn take(&self) -> u64 {
        self.untaken.swap(0, Ordering::Relaxed)
    }

    /// The same without taking it.
    pub fn untaken(&self) -> u64 {
        self.untaken.load(Ordering::Relaxed)
    }

    fn place(&self) -> Place {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn goes(&self, to: Place) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

/// All streams go through it to look.
#[derive(Debug, Default)]
pub struct Turnstile(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    /// Some of them may have gone by other ways.
    waiting: VecDeque<Arc<Ear>>,
    /// Since when each is on its way, in that order.
    on_the_way: VecDeque<(Arc<Ear>, Instant)>,
}

impl Turnstile {
    /// Tells them of changes from a revision on.
    pub fn tell<'a>(&self, ears: impl Iterator<Item = &'a Arc<Ear>>, revision: u64) {
        let mut line = self.lock();
        for ear in ears {
            // The first one counts: how late a stream is, is how long ago that came.
            let _ = ear.untaken.compare_exchange(0, revision, Ordering::Relaxed, Ordering::Relaxed);
            line.call(ear);
        }
        line.admit();
    }

    /// Tells one that what it has seen is not the present yet.
    pub fn again(&self, ear: &Arc<Ear>) {
        let mut line = self.lock();
        line.call(ear);
        line.admit();
    }

    /// Lets the next ones through, where those before them are not being read.
    pub fn move_up(&self) {
        self.lock().admit();
    }

    /// Its stream looks now, or is gone: the next one may come. What changes from here on is told anew.
    pub fn leave(&self, ear: &Arc<Ear>) {
        let mut line = self.lock();
        if ear.place() == Place::OnTheWay {
            line.on_the_way.retain(|(other, _)| !Arc::ptr_eq(other, ear));
        }
        ear.goes(Place::Away);
        line.admit();
    }

    /// Waits until something has changed, it is its turn and a moment has come; or until it is steered.
    pub async fn wait(&self, ear: &Arc<Ear>, due: Instant) {
        let mut changed = false;
        while !ear.steered.swap(false, Ordering::Acquire) {
            // A timer takes a millisecond even where it is due.
            if changed && due <= Instant::now() {
                return;
            }
            if changed {
                // It has a moment to wait for, in nobody's way.
                self.leave(ear);
            } else {
                self.listen(ear);
            }
            tokio::select! {
                biased;
                () = ear.told.notified() => changed = true,
                () = tokio::time::sleep_until(due), if changed => {}
            }
        }
    }

    fn listen(&self, ear: &Arc<Ear>) {
        let mut line = self.lock();
        let place = ear.place();
        if matches!(place, Place::Away | Place::Missed) {
            ear.goes(Place::Listening);
        }
        if place == Place::Missed {
            line.call(ear);
            line.admit();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn call(&mut self, ear: &Arc<Ear>) {
        match ear.place() {
            Place::Listening => {
                ear.goes(Place::InLine);
                self.waiting.push_back(Arc::clone(ear));
            }
            Place::Away => ear.goes(Place::Missed),
            // It has yet to look.
            Place::Missed | Place::InLine | Place::OnTheWay => {}
        }
    }

    fn admit(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some((ear, since)) = self.on_the_way.front()
            && now.duration_since(*since) > PATIENCE
        {
            // It was told, and looks when it is read again.
            ear.goes(Place::Missed);
            self.on_the_way.pop_front();
        }
        while self.on_the_way.len() < ON_THE_WAY
            && let Some(ear) = self.waiting.pop_front()
        {
            if ear.place() == Place::InLine {
                ear.goes(Place::OnTheWay);
                ear.told.notify_one();
                self.on_the_way.push_back((ear, now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{task::JoinHandle, time::sleep};

    use super::*;

    /// A stream that notes each time at which it looks, and takes `slow` for it.
    fn stream(
        turnstile: &Arc<Turnstile>,
        ear: &Arc<Ear>,
        looks: &Arc<Mutex<Vec<usize>>>,
        (name, slow): (usize, Duration),
    ) -> JoinHandle<()> {
        let (turnstile, ear, looks) = (Arc::clone(turnstile), Arc::clone(ear), Arc::clone(looks));
        tokio::spawn(async move {
            loop {
                turnstile.wait(&ear, Instant::now()).await;
                turnstile.leave(&ear);
                ear.take();
                looks.lock().unwrap().push(name);
                sleep(slow).await;
            }
        })
    }

    fn ears(count: usize) -> Vec<Arc<Ear>> {
        (0..count).map(|_| Arc::default()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn all_look_once_before_anyone_looks_twice() {
        let (turnstile, looks) = (Arc::<Turnstile>::default(), Arc::default());
        let all = ears(1000);
        for (name, ear) in all.iter().enumerate() {
            stream(&turnstile, ear, &looks, (name, Duration::ZERO));
        }
        sleep(Duration::from_millis(1)).await;
        for round in 0..5 {
            // Some are told twice, and some again and again while others look.
            turnstile.tell(all.iter().chain(&all[..100]), round + 1);
            for _ in 0..3 {
                tokio::task::yield_now().await;
                turnstile.tell(all[500..].iter().rev(), round + 1);
            }
            sleep(Duration::from_millis(1)).await;
            let mut looked = std::mem::take(&mut *looks.lock().unwrap());
            assert!((1000..=3500).contains(&looked.len()), "{}", looked.len());
            looked.truncate(1000);
            looked.sort_unstable();
            assert_eq!(looked, (0..1000).collect::<Vec<_>>());
        }
        assert!(all.iter().all(|ear| ear.untaken() == 0 && ear.place() == Place::Listening));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_told_while_it_looked_looks_again() {
        let (turnstile, looks) = (Arc::<Turnstile>::default(), Arc::default());
        let ear = &ears(1)[0];
        stream(&turnstile, ear, &looks, (0, Duration::from_millis(50)));
        sleep(Duration::from_millis(1)).await;
        for revision in 1..4 {
            turnstile.tell([ear].into_iter(), revision);
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((looks.lock().unwrap().len(), ear.untaken()), (1, 2));
        sleep(Duration::from_millis(200)).await;
        assert_eq!((looks.lock().unwrap().len(), ear.untaken()), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_read_or_gone_or_waits_for_a_moment_holds_nobody_up() {
        let (turnstile, looks) = (Arc::<Turnstile>::default(), Arc::default());
        let (stuck, gone, later, ours) = (ears(ON_THE_WAY), ears(ON_THE_WAY), ears(ON_THE_WAY), ears(10));
        let mut held = Vec::new();
        for ear in &stuck {
            // It is polled once and then no more.
            let mut wait = Box::pin({
                let (turnstile, ear) = (Arc::clone(&turnstile), Arc::clone(ear));
                async move { turnstile.wait(&ear, Instant::now()).await }
            });
            assert!(futures_util::poll!(&mut wait).is_pending());
            held.push(wait);
        }
        for ear in &gone {
            stream(&turnstile, ear, &Arc::default(), (0, Duration::ZERO));
        }
        for ear in &later {
            let (turnstile, ear) = (Arc::clone(&turnstile), Arc::clone(ear));
            tokio::spawn(async move { turnstile.wait(&ear, Instant::now() + Duration::from_secs(3600)).await });
        }
        for (name, ear) in ours.iter().enumerate() {
            stream(&turnstile, ear, &looks, (name, Duration::ZERO));
        }
        sleep(Duration::from_millis(1)).await;
        turnstile.tell(stuck.iter().chain(&gone).chain(&later).chain(&ours), 1);
        gone.iter().for_each(|ear| turnstile.leave(ear));
        sleep(Duration::from_millis(1)).await;
        assert_eq!(*looks.lock().unwrap(), [0; 0]);
        sleep(PATIENCE + Duration::from_millis(1)).await;
        turnstile.move_up();
        sleep(Duration::from_millis(1)).await;
        assert_eq!(*looks.lock().unwrap(), (0..10).collect::<Vec<_>>());
        // Read again, they look.
        for wait in &mut held {
            assert!(futures_util::poll!(wait).is_ready());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_steered_waits_for_nobody() {
        let turnstile = Turnstile::default();
        let (busy, ear) = (ears(ON_THE_WAY), &ears(1)[0]);
        for ear in busy.iter().chain([ear]) {
            turnstile.listen(ear);
        }
        turnstile.tell(busy.iter().chain([ear]), 1);
        assert_eq!(ear.place(), Place::InLine);
        ear.steer();
        let due = Instant::now() + Duration::from_secs(60);
        tokio::time::timeout(Duration::from_secs(1), turnstile.wait(ear, due)).await.expect("at once");
        turnstile.leave(ear);
        busy.iter().for_each(|ear| turnstile.leave(ear));
        assert_eq!(ear.place(), Place::Away);
        let line = turnstile.lock();
        assert!(line.waiting.is_empty() && line.on_the_way.is_empty());
    }
}
