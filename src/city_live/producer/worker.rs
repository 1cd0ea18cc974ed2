//! One feed at work.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    plan::{Plan, stretch},
    run::Shared,
    sent::{Sent, mark},
};
use crate::{
    city_live::{
        archive::Selection,
        catalogue::LiveCity,
        clock::now,
        feeds::{Ask, CallError, Feed, FeedId, Scope},
    },
    telemetry::Throttle,
    twin::time::Time,
};

/// How often a feed's failures are worth a line of the log.
const LINE: Duration = Duration::from_secs(60);

/// Asks one feed about the current city, again and again.
pub struct Worker {
    feed: Arc<dyn Feed>,
    /// All that are switched on: those of one account share its budget.
    feeds: Arc<[Arc<dyn Feed>]>,
    shared: Arc<Shared>,
    lines: Mutex<Throttle>,
}

/// What a worker knows of the city that it follows.
struct Following {
    city_id: String,
    plan: Plan,
    /// By target: the newest moment that was told of.
    since: Vec<Option<Time>>,
    sent: Mutex<Sent>,
}

impl Worker {
    pub fn new(feed: Arc<dyn Feed>, feeds: Arc<[Arc<dyn Feed>]>, shared: Arc<Shared>) -> Self {
        Self { feed, feeds, shared, lines: Mutex::new(Throttle::new(LINE)) }
    }

    /// Until `stop`, or until the sender of `current` is gone.
    pub async fn run(self, mut current: watch::Receiver<Option<Selection>>, stop: CancellationToken) {
        let mut following = None;
        loop {
            let selection = current.borrow_and_update().clone();
            tokio::select! {
                () = stop.cancelled() => return,
                // A round for a city that is the current one no longer is dropped where it stands.
                changed = current.changed() => if changed.is_err() { return },
                () = self.follow(selection, &mut following) => {}
            }
        }
    }

    /// Never ends by itself.
    async fn follow(&self, selection: Option<Selection>, following: &mut Option<Following>) {
        let city = selection.and_then(|selection| self.city(&selection.city_id));
        let targets = city.map_or(0, |city| self.targets(self.feed.as_ref(), city));
        let (Some(city), true) = (city, targets > 0) else { return std::future::pending().await };
        match following.as_mut().filter(|following| following.city_id == city.id) {
            Some(following) => {
                // It was chosen once more: what was sent may have been lost since. All of it goes out again, and whoever
                // takes it in knows what it has.
                following.plan.refresh(self.shared.elapsed());
                following.since.fill(None);
                following.sent = Mutex::default();
            }
            None => *following = Some(self.begin(city, targets)),
        }
        let Some(following) = following else { return };
        let mut ticks = interval(self.shared.config.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.round(city, following).await;
        }
    }

    fn city(&self, id: &str) -> Option<&LiveCity> {
        let city = self.shared.catalogue.city(id);
        if city.is_none() {
            tracing::warn!(city = id, feed = self.feed.id().name(), "the current city is not in this catalogue");
        }
        city
    }

    /// How many places of this city a feed is asked about.
    fn targets(&self, feed: &dyn Feed, city: &LiveCity) -> usize {
        match feed.id().scope() {
            _ if !feed.serves(city) => 0,
            Scope::City => 1,
            Scope::Zone => city.zones.len().min(self.shared.config.max_zones),
        }
    }

    fn begin(&self, city: &LiveCity, targets: usize) -> Following {
        let id = self.feed.id();
        let load: Vec<(FeedId, usize)> =
            self.feeds.iter().map(|feed| (feed.id(), self.targets(feed.as_ref(), city))).collect();
        let stretch = stretch(id.account(), &load);
        let every_s = id.interval().mul_f64(stretch).as_secs();
        tracing::info!(feed = id.name(), city = city.id, targets, every_s, "calling the API for this city");
        let plan = Plan::new(id, targets, stretch);
        Following { city_id: city.id.clone(), plan, since: vec![None; targets], sent: Mutex::default() }
    }

    /// Asks about all that are due.
    async fn round(&self, city: &LiveCity, following: &mut Following) {
        let begun = self.shared.elapsed();
        let due = following.plan.due(begun, self.shared.client.room(self.feed.id().account()));
        let Following { plan, since, sent, .. } = following;
        let sent: &Mutex<Sent> = sent;
        let asked: Vec<_> = due
            .into_iter()
            .map(|index| {
                let since = since[index];
                async move { (index, self.one(city, index, since, sent).await) }
            })
            .collect();
        let mut answers = stream::iter(asked).buffer_unordered(self.shared.config.concurrency);
        while let Some((index, answer)) = answers.next().await {
            match answer {
                Ok(newest) => {
                    plan.went_well(index, begun);
                    since[index] = since[index].max(newest);
                }
                Err(error) => {
                    plan.went_wrong(index, begun, error.wait());
                    self.tell(city, index, &error);
                }
            }
        }
    }

    /// Asks about one target and sends what is new. The newest moment that was told of.
    async fn one(
        &self,
        city: &LiveCity,
        index: usize,
        since: Option<Time>,
        sent: &Mutex<Sent>,
    ) -> Result<Option<Time>, CallError> {
        let zone = match self.feed.id().scope() {
            Scope::Zone => city.zones.get(index),
            Scope::City => None,
        };
        let now = now();
        let ask = Ask { city, zone, now, since };
        let Some(called) = self.shared.client.call(self.feed.as_ref(), &ask).await else { return Ok(None) };
        let messages = sent.lock().unwrap_or_else(PoisonError::into_inner).news(called?.messages);
        self.shared.outlet.send(&messages, now).await;
        sent.lock().unwrap_or_else(PoisonError::into_inner).remember(messages.iter().map(mark));
        Ok(messages.iter().map(|message| message.ts).max())
    }

    /// A line for the log, at most one a minute.
    fn tell(&self, city: &LiveCity, index: usize, error: &CallError) {
        let admitted = self.lines.lock().unwrap_or_else(PoisonError::into_inner).admit(self.shared.start.elapsed());
        let Some(swallowed) = admitted else { return };
        let zone = match self.feed.id().scope() {
            Scope::Zone => city.zones.get(index).map_or("", |zone| zone.id.as_str()),
            Scope::City => "",
        };
        tracing::warn!(feed = self.feed.id().name(), city = city.id, zone, %error, swallowed, "API call failed");
    }
}
