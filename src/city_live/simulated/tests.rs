//! The simulated day is plausible, and its answers have the form that the feeds ask for.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    answers,
    day::Day,
    faults::{Fault, fault},
    *,
};
use crate::{
    city_live::{
        catalogue::{Catalogue, LiveCity},
        feeds::{Ask, CallError, Client, FeedId, Limits, Scope, switched_on},
        message::Payload,
        samples::with_tls,
    },
    config::Config,
    twin::{geo::Position, time::Time},
};

const HOUR: i64 = 3_600_000;
const DAY: Day = Day { seed: 1 };

fn new_york() -> LiveCity {
    Catalogue::shipped().expect("accepted").city("nyc").expect("it is there").clone()
}

fn midtown() -> Position {
    Position { latitude: 40.754, longitude: -73.984 }
}

/// The hours of a day, from midnight UTC on.
fn hours(date: &str) -> impl Iterator<Item = Time> {
    let midnight = Time::parse(&format!("{date}T00:00:00Z")).expect("a time");
    (0..24).map(move |hour| Time(midnight.0 + hour * HOUR))
}

#[test]
fn summers_are_warm_winters_are_cold_and_afternoons_warmer_than_nights() {
    let mean = |date: &str| hours(date).map(|at| DAY.weather(midtown(), at).temperature_c).sum::<f64>() / 24.0;
    let month = |month: &str| (1..=28).map(|day| mean(&format!("2026-{month}-{day:02}"))).sum::<f64>() / 28.0;
    assert!((20.0..32.0).contains(&month("07")), "{}", month("07"));
    assert!((-4.0..9.0).contains(&month("01")), "{}", month("01"));
    let at_hour = |hour: usize| {
        let days = (1..=28).filter_map(|day| hours(&format!("2026-07-{day:02}")).nth(hour));
        days.map(|at| DAY.weather(midtown(), at).temperature_c).sum::<f64>() / 28.0
    };
    // 20:00 UTC is the middle of the afternoon by the sun of New York, 8:00 UTC the end of the night.
    assert!(at_hour(20) > at_hour(8) + 3.0);
}

#[test]
fn some_hours_are_wet_and_most_are_dry() {
    let wet = (1..=28).flat_map(|day| hours(&format!("2026-04-{day:02}")).collect::<Vec<_>>());
    let wet = wet.filter(|at| DAY.weather(midtown(), *at).rain_mm > 0.0).count();
    assert!((20..300).contains(&wet), "{wet} of 672 hours");
}

#[test]
fn streets_are_full_on_the_way_to_work_and_empty_at_night() {
    let flow = |hour: usize| {
        let zones = new_york().zones;
        // Over weeks: in rain streets are full at night too.
        let moments = (1..=28).filter_map(|day| hours(&format!("2026-07-{day:02}")).nth(hour));
        let flows = moments.flat_map(|at| zones.iter().map(move |zone| DAY.flow(zone.centre, at)));
        let ratios = flows.filter(|flow| !flow.closed);
        let ratios: Vec<f64> = ratios.map(|flow| flow.current_kmh / flow.free_kmh).collect();
        assert!(ratios.iter().all(|ratio| (0.0..=1.0).contains(ratio)), "{ratios:?}");
        ratios.iter().sum::<f64>() / ratios.len() as f64
    };
    assert!(flow(13) < 0.7, "8:00 by the sun: {}", flow(13));
    assert!(flow(8) > 0.8, "3:00 by the sun: {}", flow(8));
}

#[test]
fn demand_follows_the_day_and_sometimes_surprises_its_forecasters() {
    let of = |at| DAY.power("NYIS", midtown(), at);
    let days: Vec<(f64, f64)> =
        (1..=28).flat_map(|day| hours(&format!("2026-07-{day:02}")).collect::<Vec<_>>()).map(of).collect();
    assert!(
        days.iter()
            .all(|(demand, forecast)| (5000.0..40_000.0).contains(demand) && (demand / forecast - 1.0).abs() < 0.15)
    );
    let surprises = days.iter().filter(|(demand, forecast)| demand / forecast > 1.05).count();
    assert!((10..120).contains(&surprises), "{surprises} of 672 hours");
    let hour = |hour| of(hours("2026-07-15").nth(hour).expect("an hour")).0;
    assert!(hour(22) > hour(9), "the evening is above the night");
}

#[test]
fn calls_are_the_same_whenever_they_are_asked_for_and_lie_in_zones() {
    let city = new_york();
    let now = Time::parse("2026-07-27T12:00:00Z").expect("a time");
    let day = DAY.calls(&city, Time(now.0 - 24 * HOUR), now);
    assert!((300..1500).contains(&day.len()), "{} calls", day.len());
    assert!(day.windows(2).all(|pair| pair[0].ts >= pair[1].ts), "newest first");
    let ids: BTreeSet<i64> = day.iter().map(|call| call.id).collect();
    assert_eq!(ids.len(), day.len());
    let later = DAY.calls(&city, Time(now.0 - 24 * HOUR), Time(now.0 + HOUR));
    let again: Vec<_> = later.iter().filter(|call| call.ts < now).collect();
    assert_eq!(again.len(), day.len());
    assert!(again.iter().zip(&day).all(|(a, b)| (a.id, a.ts, a.position) == (b.id, b.ts, b.position)));
    let placed = day.iter().filter_map(|call| call.position).collect::<Vec<_>>();
    assert!(placed.len() * 10 > day.len() * 9 && placed.len() < day.len());
    assert!(placed.iter().all(|place| city.zone_at(*place).is_some()));
}

#[test]
fn the_same_seed_is_the_same_day_and_another_is_another() {
    let at = Time::parse("2026-07-27T12:00:00Z").expect("a time");
    let of = |seed| answers::open_meteo_weather(Day { seed }, midtown(), at);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn a_few_requests_fail_in_both_ways() {
    let faults: Vec<Fault> = (0..1000).filter_map(|request| fault(1, request)).collect();
    assert!((20..60).contains(&faults.len()), "{}", faults.len());
    assert!(faults.contains(&Fault::TooMany) && faults.contains(&Fault::Internal));
}

#[tokio::test]
async fn every_feed_reads_every_answer_over_http() {
    let catalogue = Arc::new(Catalogue::shipped().expect("accepted"));
    let options = SimulatedOptions { seed: 3, faults: false, delay: Duration::ZERO };
    let apis = Simulated::start(options, Arc::clone(&catalogue)).await.expect("a port");
    let mut config = Config::defaults().city_live;
    apis.redirect(&mut config);
    with_tls();
    let client = Client::new(Limits::default()).expect("made");
    let city = catalogue.city("nyc").expect("it is there");
    let now = Time(jiff::Timestamp::now().as_millisecond());
    let feeds = switched_on(&config, true).expect("made");
    assert_eq!(feeds.len(), FeedId::ALL.len());
    for feed in feeds {
        let zone = city.zones.first().filter(|_| feed.id().scope() == Scope::Zone);
        let ask = Ask { city, zone, now, since: None };
        let called = client.call(feed.as_ref(), &ask).await.expect("asked").unwrap_or_else(|error| panic!("{error}"));
        let name = feed.id().name();
        match &called.messages[0].payload {
            Payload::Weather(weather) => {
                assert!(weather.temperature_c.is_some() && weather.precipitation_mm.is_some(), "{name}: {weather:?}");
                assert_eq!(weather.hourly_temperature.len() >= 24, feed.id() == FeedId::OpenMeteoWeather, "{name}");
            }
            Payload::Aqi(air) => assert!(air.us_aqi.is_some_and(|aqi| (0.0..=500.0).contains(&aqi)), "{name}: {air:?}"),
            Payload::Traffic(traffic) => assert!(traffic.free_flow_speed_kmh > 0.0),
            Payload::PowerDemand(power) => {
                let hours = called.messages.iter().filter(|one| matches!(one.payload, Payload::PowerDemand(_))).count();
                assert!(
                    power.demand_mwh.is_some() && power.forecast_mwh.is_some() && hours > 60,
                    "{name}: {hours} hours"
                );
            }
            Payload::Call311(_) => {
                let placed = called.messages.iter().filter(|message| message.zone_id.is_some()).count();
                assert!(placed * 10 > called.messages.len() * 8, "{placed} of {}", called.messages.len());
            }
            Payload::GridAlert(_) => panic!("{name} begins with an alert"),
        }
        if matches!(feed.id(), FeedId::OpenMeteoAir | FeedId::Eia) {
            let again = client.call(feed.as_ref(), &ask).await.expect("asked").expect("it goes well");
            assert!(again.unchanged || now.0 % HOUR > HOUR - 20_000, "{name}: within the hour it is a 304");
        }
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_as_the_apis_do() {
    let catalogue = Arc::new(Catalogue::shipped().expect("accepted"));
    let options = SimulatedOptions { seed: 3, faults: false, delay: Duration::ZERO };
    let apis = Simulated::start(options, Arc::clone(&catalogue)).await.expect("a port");
    with_tls();
    let http = reqwest::Client::builder().no_proxy().build().expect("made");
    for (path, status) in [
        ("/v1/forecast?latitude=99&longitude=0", 400),
        ("/v1/air-quality", 400),
        ("/data/2.5/weather?lat=1&lon=1", 401),
        ("/traffic/services/4/flowSegmentData/absolute/10/json?point=1,1", 403),
        ("/v2/electricity/rto/region-data/data/?facets[respondent][]=NYIS", 403),
        ("/resource/none.json", 404),
        ("/resource/erm2-nwe9.json?$where=nonsense", 400),
        ("/elsewhere", 404),
    ] {
        let answer = http.get(format!("{}{path}", apis.url())).send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    assert_eq!(apis.requests(), 8);
    // A feed with a key that the API refuses says so.
    let mut config = Config::defaults().city_live;
    apis.redirect(&mut config);
    config.socrata_url = format!("{}/elsewhere", apis.url());
    let feeds = switched_on(&config, true).expect("made");
    let socrata = feeds.iter().find(|feed| feed.id() == FeedId::Socrata).expect("it is on");
    let city = catalogue.city("nyc").expect("it is there");
    let ask = Ask { city, zone: None, now: Time(0), since: None };
    with_tls();
    let client = Client::new(Limits::default()).expect("made");
    let error = client.call(socrata.as_ref(), &ask).await.expect("asked").expect_err("there is nothing");
    assert!(matches!(error, CallError::Status { status: 404, .. }), "{error}");
}
