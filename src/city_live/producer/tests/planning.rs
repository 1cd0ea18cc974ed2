//! Two simulated days, tick by tick, with every call counted.

use std::{collections::BTreeMap, time::Duration};

use super::super::plan::{Plan, stretch};
use crate::{
    city_live::{
        catalogue::Catalogue,
        feeds::{Account, FeedId, Ledger, Scope},
    },
    config::Config,
};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What happened: by feed and target, when calls went well; by account, when calls were made.
#[derive(Default)]
struct Days {
    well: BTreeMap<(FeedId, usize), Vec<i64>>,
    calls: BTreeMap<Account, Vec<i64>>,
    without_room: usize,
}

/// Two days of ticks for feeds with so many targets each; `fails` says which attempt of a feed fails.
fn run(targets: &[(FeedId, usize)], fails: impl Fn(FeedId, usize) -> bool) -> Days {
    let tick = Config::defaults().city_live.interval.as_millis() as i64;
    let mut ledgers: BTreeMap<Account, Ledger> =
        Account::ALL.into_iter().map(|account| (account, Ledger::new(account.budget()))).collect();
    let mut plans: Vec<(FeedId, Plan)> = targets
        .iter()
        .map(|(feed, count)| (*feed, Plan::new(*feed, *count, stretch(feed.account(), targets))))
        .collect();
    let mut days = Days::default();
    let mut attempts: BTreeMap<FeedId, usize> = BTreeMap::new();
    for now in (0..2 * DAY).step_by(tick as usize) {
        for (feed, plan) in &mut plans {
            let ledger = ledgers.get_mut(&feed.account()).expect("all are there");
            for target in plan.due(now, ledger.room(now)) {
                let went_well = (0..3).any(|_| {
                    if !ledger.take(now) {
                        days.without_room += 1;
                        return false;
                    }
                    days.calls.entry(feed.account()).or_default().push(now);
                    let number = attempts.entry(*feed).or_default();
                    *number += 1;
                    !fails(*feed, *number)
                });
                if went_well {
                    plan.went_well(target, now);
                    days.well.entry((*feed, target)).or_default().push(now);
                } else {
                    plan.went_wrong(target, now, None);
                }
            }
        }
    }
    days
}

/// The most calls in any window of this length, counted without the ledger.
fn most_in(calls: &[i64], window: i64) -> u32 {
    let mut first = 0;
    let mut most = 0;
    for (index, call) in calls.iter().enumerate() {
        while call - calls[first] >= window {
            first += 1;
        }
        most = most.max(index - first + 1);
    }
    most as u32
}

fn inside_budgets(days: &Days) {
    for (account, calls) in &days.calls {
        let budget = account.budget();
        for (window, limit) in [(MINUTE, budget.per_minute), (HOUR, budget.per_hour), (DAY, budget.per_day)] {
            let most = most_in(calls, window);
            assert!(most <= limit, "{}: {most} calls in {} s", account.name(), window / SECOND);
        }
    }
}

/// All feeds about a city, as the producer asks about it.
fn all_feeds(zones: usize) -> Vec<(FeedId, usize)> {
    let most = Config::defaults().city_live.max_zones;
    let targets = |feed: FeedId| if feed.scope() == Scope::Zone { zones.min(most) } else { 1 };
    FeedId::ALL.into_iter().map(|feed| (feed, targets(feed))).collect()
}

/// The longest time without an answer about one target, after the first.
fn longest_gap(days: &Days, feed: FeedId) -> i64 {
    let of_feed = days.well.iter().filter(|((id, _), _)| *id == feed);
    let gaps = of_feed.flat_map(|(_, well)| well.windows(2).map(|pair| pair[1] - pair[0]));
    gaps.max().expect("it was called more than once")
}

#[test]
fn the_shipped_cities_stay_inside_every_budget_and_on_time() {
    let catalogue = Catalogue::shipped().expect("accepted");
    for city in &catalogue.cities {
        let days = run(&all_feeds(city.zones.len()), |_, _| false);
        inside_budgets(&days);
        assert_eq!(days.without_room, 0, "{}: what was planned had room", city.id);
        assert_eq!(longest_gap(&days, FeedId::OpenMeteoWeather), 15 * MINUTE);
        assert_eq!(longest_gap(&days, FeedId::OpenMeteoAir), HOUR);
        assert_eq!(longest_gap(&days, FeedId::Eia), 15 * MINUTE);
        let meteo = &days.calls[&Account::OpenMeteo];
        assert_eq!(meteo.len(), 2 * city.zones.len() * (96 + 24), "weather 96 times a day, air 24 times");
    }
}

#[test]
fn with_zones_beyond_the_budget_the_intervals_stretch_evenly() {
    let zones = 400;
    let targets = [(FeedId::OpenMeteoWeather, zones), (FeedId::OpenMeteoAir, zones), (FeedId::TomTom, zones)];
    let days = run(&targets, |_, _| false);
    inside_budgets(&days);
    // 400 zones would need 48,000 calls a day, of which 9,000 are planned with.
    let stretched = |feed: FeedId, account| feed.interval().mul_f64(stretch(account, &targets)).as_millis() as i64;
    assert!((stretch(Account::OpenMeteo, &targets) - 48_000.0 / 9000.0).abs() < 1e-9);
    let tick = 45 * SECOND;
    assert!(
        longest_gap(&days, FeedId::OpenMeteoWeather) <= stretched(FeedId::OpenMeteoWeather, Account::OpenMeteo) + tick
    );
    assert!(longest_gap(&days, FeedId::OpenMeteoAir) <= stretched(FeedId::OpenMeteoAir, Account::OpenMeteo) + tick);
    let told = days.well.keys().filter(|(feed, _)| *feed == FeedId::OpenMeteoWeather).count();
    assert_eq!(told, zones, "no zone is left out");
    assert_eq!(stretch(Account::Eia, &targets), 1.0);
}

#[test]
fn an_api_that_fails_stays_inside_its_budget_and_takes_nothing_from_others() {
    let catalogue = Catalogue::shipped().expect("accepted");
    let zones = catalogue.city("nyc").expect("it is there").zones.len();
    let days = run(&all_feeds(zones), |feed, _| feed == FeedId::OpenMeteoAir || feed == FeedId::TomTom);
    inside_budgets(&days);
    assert!(!days.well.keys().any(|(feed, _)| *feed == FeedId::TomTom));
    for feed in [FeedId::OpenWeather, FeedId::Eia, FeedId::Socrata] {
        assert_eq!(longest_gap(&days, feed), 15 * MINUTE, "{}", feed.name());
    }
    // A third of the attempts of all feeds: retries have room.
    let days = run(&all_feeds(zones), |_, number| number % 3 == 0);
    inside_budgets(&days);
    assert!(longest_gap(&days, FeedId::OpenMeteoWeather) <= 16 * MINUTE);
}

#[test]
fn whoever_was_never_asked_about_comes_first_then_the_longest_due() {
    let mut plan = Plan::new(FeedId::OpenMeteoWeather, 4, 1.0);
    assert_eq!(plan.due(0, 2), [0, 1], "as much as there is room for");
    plan.went_well(0, 0);
    plan.went_well(1, MINUTE);
    assert_eq!(plan.due(MINUTE, 10), [2, 3]);
    assert_eq!(plan.due(17 * MINUTE, 10), [2, 3, 0, 1]);
    assert_eq!(plan.due(15 * MINUTE - 400, 10), [2, 3, 0], "a tick that comes a little early is on time");
    assert!(plan.due(17 * MINUTE, 0).is_empty());
}

#[test]
fn a_failure_is_tried_again_soon_and_ever_less_soon() {
    let mut plan = Plan::new(FeedId::OpenMeteoWeather, 1, 1.0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..6 {
        plan.went_wrong(0, now, None);
        let next = (now..).step_by(SECOND as usize).find(|at| !plan.due(*at, 1).is_empty()).expect("some time");
        waits.push((next - now) / SECOND);
        now = next;
    }
    assert_eq!(waits, [60, 120, 240, 480, 900, 900], "to the second");
    plan.went_wrong(0, now, Some(Duration::from_secs(3600)));
    assert!(plan.due(now + HOUR - SECOND, 1).is_empty(), "it is known how long there is no use");
    assert_eq!(plan.due(now + HOUR, 1), [0]);
}

#[test]
fn a_city_that_is_chosen_once_more_is_due_but_for_what_was_just_asked() {
    let mut plan = Plan::new(FeedId::OpenMeteoWeather, 2, 1.0);
    plan.went_well(0, 0);
    plan.went_well(1, 50 * SECOND);
    plan.refresh(MINUTE);
    assert_eq!(plan.due(MINUTE, 10), [0]);
}
