//! City Live on the embedded archive: the page of a city's zones, taking in from Kafka, a processing run, and the first data of a
//! city that was just chosen. Beside the consumer's figure stands what a MongoDB-protocol server allows.

use std::{
    fmt::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use citytwin::{
    city_live::{
        self, HOUR_MS as HOUR,
        archive::{
            Archive, EmbeddedArchive, FeatureHour, FeedItem, Freshness, InputFreshness, Intake, Lease, Processed,
            ProcessedZone, RawValue, Risk, RiskPart,
        },
        catalogue::{Catalogue, LiveCity},
        features::Features,
        message::{Aqi, Call311, HourValue, Message, Payload, PowerDemand, Traffic, Weather},
        models::Models,
        process::{self, Made, Rules},
        simulated::{Simulated, SimulatedOptions},
    },
    simulator::SimEvent,
    twin::time::Time,
};
use serde_json::{Value, json};

use crate::{
    catch_up::until_ready,
    common::{
        self,
        kafka::{Kafka, Topic, create_topics},
        mongod::Mongod,
        server::Server,
    },
    machine, produce,
    report::Figure,
    scrape::Scrape,
};

const CITY: &str = "benchville";
const TOPICS: [&str; 5] = ["aqi_stream", "power_demand", "traffic_events", "grid_alerts", "incident_text"];

/// The page's zones, its rows, how often it is asked for.
const ZONES: usize = 200;
const ROWS: usize = 1_000_000;
const ASKED: usize = 400;
/// Rows of another city and of a zone that is all but forgotten, at the feed's old end.
const RARE: usize = 20;
/// A processing run's.
const MANY_ZONES: usize = 1000;
const RUNS: usize = 5;
/// Messages of the consumer's load, and of the MongoDB-protocol server's.
const MESSAGES: usize = 400_000;
const FEWER: usize = 20_000;

fn now() -> i64 {
    city_live::now().0
}

/// A catalogue in which `CITY` has so many zones, each with an outline of a dozen corners, and `elsewhere` has one.
fn catalogue(folder: &Path, zones: usize) -> (String, Arc<LiveCity>) {
    let mut text = format!(
        "[[cities]]\nid = \"{CITY}\"\nname = \"Benchville\"\ntime_zone = \"America/New_York\"\neia_region = \"NYIS\"\n\
         calls311 = \"benc-h001\"\n"
    );
    for n in 0..zones {
        let (north, east) = (40.0 + (n / 25) as f64 * 0.02, -74.0 + (n % 25) as f64 * 0.02);
        let corners = (0..12).map(|corner| {
            let (sin, cos) = (f64::from(corner) * std::f64::consts::TAU / 12.0).sin_cos();
            format!("[{:.5}, {:.5}]", north + sin * 0.009, east + cos * 0.009)
        });
        let polygon = corners.collect::<Vec<_>>().join(", ");
        let _ = write!(
            text,
            "[[cities.zones]]\nid = \"z{n:04}\"\nname = \"Zone {n}\"\ncentre = [{north:.5}, {east:.5}]\npolygon = [{polygon}]\n"
        );
    }
    text += "[[cities]]\nid = \"elsewhere\"\nname = \"Elsewhere\"\ntime_zone = \"Europe/Rome\"\n\
             [[cities.zones]]\nid = \"forgotten\"\nname = \"Forgotten\"\ncentre = [42.35, 13.4]\n";
    let file = folder.join("cities.toml");
    std::fs::write(&file, text).expect("the folder is ours");
    let catalogue = Catalogue::load(Some(&file)).expect("a catalogue");
    (file.display().to_string(), Arc::new(catalogue.city(CITY).expect("it is there").clone()))
}

/// The n-th of many messages, in the mix that a day of a city has: traffic most, then weather, air, power demand, and few calls.
fn message(n: usize, zones: usize, ts: i64) -> Message {
    let wave = (n % 97) as f64 / 97.0;
    let (source, payload) = match n % 50 {
        0..20 => ("tomtom", traffic(wave)),
        20..35 => ("open-meteo", weather(wave, ts, false)),
        35..45 => ("open-meteo", aqi(wave)),
        45..49 => ("eia", power(wave)),
        _ => {
            let call = Call311 {
                call_id: n.to_string(),
                complaint_type: ["Noise - Residential", "HEAT/HOT WATER", "Illegal Parking"][n % 3].to_owned(),
                descriptor: Some("Loud Music/Party".to_owned()),
                status: Some("Open".to_owned()),
                latitude: None,
                longitude: None,
            };
            ("socrata", Payload::Call311(call))
        }
    };
    // Stepped by another number, so that every zone gets of every kind.
    let zone = format!("z{:04}", n / 50 * 7 % zones);
    let zone_id = (source != "eia").then_some(zone);
    Message { city_id: CITY.to_owned(), zone_id, ts: Time(ts), source: source.to_owned(), payload }
}

fn traffic(wave: f64) -> Payload {
    Payload::Traffic(Traffic {
        current_speed_kmh: 10.0 + (wave * 40.0).round(),
        free_flow_speed_kmh: 50.0,
        current_travel_time_s: Some(90.0),
        free_flow_travel_time_s: Some(36.0),
        confidence: Some(0.9),
        road_closure: false,
    })
}

/// `ahead`: with the two days of hours that Open-Meteo forecasts.
fn weather(wave: f64, ts: i64, ahead: bool) -> Payload {
    let hour = |n: i64| HourValue { ts: Time(ts / HOUR * HOUR + n * HOUR), value: 12.5 + wave + (n % 24) as f64 / 4.0 };
    Payload::Weather(Weather {
        temperature_c: Some((wave * 300.0).round() / 10.0),
        apparent_temperature_c: Some((wave * 280.0).round() / 10.0),
        humidity_pct: Some(60.0),
        wind_speed_ms: Some(3.4),
        wind_direction_deg: Some(220.0),
        precipitation_mm: Some(0.1),
        pressure_hpa: Some(1013.2),
        weather_code: Some(3),
        hourly_temperature: if ahead { (0..48).map(hour).collect() } else { Vec::new() },
    })
}

fn aqi(wave: f64) -> Payload {
    Payload::Aqi(Aqi {
        us_aqi: Some((wave * 150.0).round()),
        european_aqi: Some(38.0),
        pm2_5_ugm3: Some(12.3),
        pm10_ugm3: Some(18.9),
        no2_ugm3: Some(21.4),
        o3_ugm3: Some(64.0),
        ..Aqi::default()
    })
}

fn power(wave: f64) -> Payload {
    let demand_mwh = Some((17_000.0 + wave * 3000.0).round());
    Payload::PowerDemand(PowerDemand { region: "NYIS".to_owned(), demand_mwh, forecast_mwh: Some(17_400.0) })
}

fn row(seq: usize, message: Message, ingested_at: i64) -> FeedItem {
    let topic = message.payload.topic().name();
    let zone = message.zone_id.clone().unwrap_or_default();
    let (kind, source, city) = (message.payload.kind(), &message.source, &message.city_id);
    FeedItem {
        seq: seq as i64,
        key: format!("{topic}|{kind}|{source}|{city}|{zone}|{}|{seq}", message.ts),
        topic: topic.to_owned(),
        ts: message.ts,
        ingested_at: Time(ingested_at),
        source: message.source,
        payload: message.payload,
        city_id: message.city_id,
        zone_id: message.zone_id,
    }
}

async fn lease(archive: &dyn Archive) -> i64 {
    let lease = archive.lease("bench", Duration::from_secs(600), None).await.expect("a lease");
    let Lease::Held { token } = lease else { panic!("{lease:?}") };
    token
}

/// The latest values of all zones, so that a run has something to go by.
fn latest(zones: usize) -> Vec<RawValue> {
    let ts = now() - 60_000;
    let value = |zone: Option<usize>, source: &str, payload| RawValue {
        city_id: CITY.to_owned(),
        zone_id: zone.map(|zone| format!("z{zone:04}")),
        ts: Time(ts),
        source: source.to_owned(),
        ingested_at: Time(ts),
        payload,
    };
    let of_zone = |zone: usize| {
        let wave = (zone % 13) as f64 / 13.0;
        [("open-meteo", weather(wave, ts, true)), ("open-meteo", aqi(wave)), ("tomtom", traffic(wave))]
            .map(|(source, payload)| value(Some(zone), source, payload))
    };
    (0..zones).flat_map(of_zone).chain([value(None, "eia", power(0.5))]).collect()
}

/// Hourly features of `days` days, of all zones and the city.
async fn history(archive: &dyn Archive, token: i64, zones: usize, days: i64) {
    let this_hour = now() / HOUR * HOUR;
    for ago in (1..=days * 24).rev() {
        let day = (ago % 24) as f64 / 24.0 * std::f64::consts::TAU;
        let hour = |zone_id: Option<String>, values: &[(&str, f64)]| FeatureHour {
            city_id: CITY.to_owned(),
            zone_id,
            hour: Time(this_hour - ago * HOUR),
            values: values.iter().copied().collect(),
        };
        let of_zone = |zone: usize| {
            let noise = ((zone as i64 * 31 + ago * 17) % 23) as f64;
            let values = [
                ("temperature_c", 12.0 + 6.0 * day.sin() + noise / 10.0),
                ("apparent_temperature_c", 11.0 + 6.0 * day.sin() + noise / 10.0),
                ("humidity_pct", 50.0 + noise),
                ("wind_speed_ms", 3.0 + noise / 20.0),
                ("precipitation_mm", 0.0),
                ("pressure_hpa", 1013.0),
                ("us_aqi", 40.0 + noise),
                ("european_aqi", 30.0 + noise),
                ("pm2_5_ugm3", 9.0 + noise / 5.0),
                ("pm10_ugm3", 14.0),
                ("no2_ugm3", 20.0),
                ("o3_ugm3", 60.0),
                ("congestion_ratio", 0.3 + noise / 100.0),
                ("current_speed_kmh", 35.0),
                ("calls_311", noise),
            ];
            hour(Some(format!("z{zone:04}")), &values)
        };
        let mut features: Vec<FeatureHour> = (0..zones).map(of_zone).collect();
        features.push(hour(None, &[("demand_mwh", 17_000.0 + 2500.0 * day.cos()), ("forecast_mwh", 17_100.0)]));
        let hours = Processed { city_id: CITY.to_owned(), features, ..Processed::default() };
        archive.put_processed(token, &hours).await.expect("it is written");
    }
}

/// A day of risk scores, a run every five minutes.
async fn scores(archive: &dyn Archive, token: i64, zones: usize) {
    for ago in (1..=288).rev() {
        let at = Time(now() - ago * 300_000);
        let zone = |zone: usize| {
            let score = (zone as i64 * 7 + ago) as f64 % 80.0;
            let part = |name: &str| RiskPart { name: name.to_owned(), score, weight: 0.25, reason: "…".to_owned() };
            let limit = InputFreshness {
                input: "weather".to_owned(),
                state: Freshness::Fresh,
                ts: Some(at),
                age_s: Some(1),
                limit_s: 1,
            };
            ProcessedZone {
                city_id: CITY.to_owned(),
                zone_id: format!("z{zone:04}"),
                name: format!("Zone {zone}"),
                run_id: "bench".to_owned(),
                processed_at: at,
                features: Features::new(),
                forecast: None,
                anomalies: Vec::new(),
                risk: Risk {
                    score,
                    level: "moderate".to_owned(),
                    parts: ["weather", "air", "traffic", "power"].map(part).to_vec(),
                },
                recommendations: Vec::new(),
                freshness: vec![limit],
                simulated: false,
            }
        };
        let zones = (0..zones).map(zone).collect();
        archive
            .put_processed(token, &Processed { city_id: CITY.to_owned(), zones, ..Processed::default() })
            .await
            .expect("it is written");
    }
}

/// A million rows; the oldest of them are of another city. The time of the newest.
async fn rows(archive: &dyn Archive, token: i64) -> i64 {
    const BATCH: usize = 5000;
    let begin = now() - 20 * HOUR;
    let at = |n: usize| begin + (n as f64 / ROWS as f64 * 19.9 * HOUR as f64) as i64;
    for first in (0..ROWS).step_by(BATCH) {
        let item = |n: usize| {
            let mut message = message(n, ZONES, at(n));
            if n < RARE {
                "elsewhere".clone_into(&mut message.city_id);
                message.zone_id = Some("forgotten".to_owned());
                message.payload = weather(0.5, at(n), false);
            }
            row(n + 1, message, at(n) + 500)
        };
        let items = (first..first + BATCH).map(item).collect();
        archive.take_in(token, &Intake { items, ..Intake::default() }).await.expect("it is taken in");
    }
    at(ROWS - 1)
}

/// An operation of the web client, with the fragments that it uses.
fn operation(name: &str) -> String {
    let file = common::root().join("web-client/src/api/cityLive.graphql");
    let text = std::fs::read_to_string(file).expect("the web client's operations");
    let of = |head: String| {
        let begin = text.find(&head).unwrap_or_else(|| panic!("{head} is not there"));
        let end = begin + text[begin..].find("\n}\n").expect("its end") + 3;
        text[begin..end].to_owned()
    };
    let kind = ["query", "subscription"].into_iter().find(|kind| text.contains(&format!("\n{kind} {name}")));
    let mut whole = of(format!("{} {name}", kind.expect("an operation")));
    for fragment in ["Raw", "Alert", "FeedItem"] {
        if whole.contains(&format!("...{fragment}\n")) {
            whole += &of(format!("fragment {fragment} on"));
        }
    }
    whole
}

/// What the page's subscriptions hold of all zones at first, asked for at once.
fn whole_page() -> String {
    let results = operation("LiveResults");
    let fields = &results[results.find("processed {").expect("its fields")..];
    let fields: String = fields.lines().take_while(|line| *line != "    }").collect::<Vec<_>>().join("\n");
    let raw = operation("LiveInputs");
    let raw = &raw[raw.find("fragment Raw").expect("its fragment")..];
    format!(
        "query($cityId: String!) {{ cityLive(cityId: $cityId) {{ zones {{ zoneId raw {{ ...Raw }} {fields} }} }} }}\n{raw}"
    )
}

pub async fn page() -> Vec<Figure> {
    let kafka = Kafka::fresh().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cities, city) = catalogue(folder.path(), ZONES);
    let mut server = crate::server(&[
        ("KAFKA_BROKERS", &kafka.brokers()),
        ("REDIS_URL", "embedded"),
        ("MONGODB_URI", "embedded"),
        ("CITIES_FILE", &cities),
        ("CITY_LIVE", "no-producer"),
        ("CITY_LIVE_PROCESS_INTERVAL", "1h"),
        ("LOG_LEVEL", "warn"),
    ]);
    let archive = EmbeddedArchive::open(&server.folder().join("data"));
    let token = lease(&archive).await;
    let began = Instant::now();
    let newest = rows(&archive, token).await;
    let filled = began.elapsed();
    history(&archive, token, ZONES, 14).await;
    scores(&archive, token, ZONES).await;
    archive.take_in(token, &Intake { raw: latest(ZONES), ..Intake::default() }).await.expect("it is taken in");
    let selection = citytwin::city_live::archive::Selection { city_id: CITY.to_owned(), selected_at: Time(now()) };
    archive.select(&selection).await.expect("it is chosen");
    archive.release("bench", token).await.expect("it is given back");
    server.start_again().await;
    until_ready(&server, Duration::from_millis(20)).await;
    // Its first run is over.
    let processed = Instant::now();
    while server.get_json("/api/city/current").await["status"] != "READY" {
        assert!(processed.elapsed() < Duration::from_secs(60), "it is not processed:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;

    let seeded = format!(
        "{ZONES} zones, {ROWS} rows (written in {:.0} s); whole request over HTTP, {ASKED} times",
        filled.as_secs_f64()
    );
    let of_city = json!({ "cityId": CITY });
    let zone = &city.zones[ZONES / 2].id;
    let detail = json!({ "cityId": CITY, "zoneId": zone, "lastHours": 24 });
    let mut figures = Vec::new();
    let queries = [
        ("zones page: its query (`LiveZones`)", operation("LiveZones"), of_city.clone(), Some(10.0)),
        ("zones page: one zone's panel (`LiveZoneDetail`, 24 h)", operation("LiveZoneDetail"), detail, Some(10.0)),
        ("zones page: inputs and results of all zones at once", whole_page(), of_city, None),
        (
            "live stream page (`LiveFeedPage`, 50 rows)",
            operation("LiveFeedPage"),
            json!({ "cityId": CITY, "first": 50 }),
            None,
        ),
    ];
    for (what, query, variables, goal) in &queries {
        // As it is between two messages, and as it is when each request finds something new in the archive.
        for moving in [false, true] {
            let mut times = Vec::new();
            let mut bytes = 0;
            for _ in 0..if moving { ASKED / 4 } else { ASKED } {
                if moving {
                    archive.select(&selection).await.expect("it is chosen");
                }
                let (took, length) = ask(&server, query, variables).await;
                times.push(took);
                bytes = length;
            }
            let how =
                format!("{}{bytes} B; {seeded}", if moving { "the archive changes before each request; " } else { "" });
            let name = if moving { format!("{what}, all read anew") } else { (*what).to_owned() };
            figures.extend(percentiles(&name, times, *goal, &how));
        }
    }
    let (last_rows, newest) = (Time(newest - 3000).to_string(), Time(newest + 1).to_string());
    for (what, query) in [
        ("no filter", String::new()),
        ("`since` of a moment that few rows are younger than", format!("&since={last_rows}")),
        ("`since` that no row is younger than", format!("&since={newest}")),
        ("one zone of many", format!("&city={CITY}&zone={zone}")),
        ("one zone, a topic that it has little of", format!("&city={CITY}&zone={zone}&topic=incident_text")),
        ("a zone with few rows, the oldest", "&zone=forgotten".to_owned()),
        ("a city with few rows, the oldest", "&city=elsewhere".to_owned()),
        ("that city and a common topic", "&city=elsewhere&topic=aqi_stream".to_owned()),
        ("a topic without rows", "&topic=grid_alerts".to_owned()),
    ] {
        let path = format!("/api/live-stream?limit=100{query}");
        let mut times = Vec::new();
        let mut items = 0;
        // What takes seconds is asked less often.
        let began = Instant::now();
        while times.len() < ASKED / 4 && began.elapsed() < Duration::from_secs(5) {
            let at = Instant::now();
            let page = server.get_json(&path).await;
            times.push(at.elapsed());
            items = page["items"].as_array().map_or(0, Vec::len);
        }
        let how = format!("{items} items; {} times", times.len());
        figures.extend(percentiles(&format!("GET /api/live-stream, {what}"), times, Some(10.0), &how).pop());
    }
    figures
}

async fn ask(server: &Server, query: &str, variables: &Value) -> (Duration, usize) {
    let body = json!({ "query": query, "variables": variables });
    let began = Instant::now();
    let answer = server.http().post(server.url("/graphql")).json(&body).send().await.expect("an answer");
    let text = answer.text().await.expect("a body");
    let took = began.elapsed();
    assert!(!text.contains("\"errors\""), "{text}");
    (took, text.len())
}

/// p50 and p99 (of fewer than 100 the longest).
fn percentiles(what: &str, mut times: Vec<Duration>, goal: Option<f64>, how: &str) -> Vec<Figure> {
    times.sort();
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)].as_secs_f64() * 1e3;
    let p99 = Figure::new(format!("{what}: p99"), at(0.99), "ms wall");
    let p99 = goal.map_or(p99.clone(), |goal| p99.at_most(goal));
    vec![
        Figure::new(format!("{what}: p50"), at(0.5), "ms wall").note(how),
        p99.note(format!("p50 {:.2} ms; {how}", at(0.5))),
    ]
}

pub async fn intake() -> Vec<Figure> {
    let mut figures = vec![consume("the embedded archive", "embedded", MESSAGES).await.at_least(20_000.0)];
    let mongod = Mongod::start();
    figures.push(consume("FerretDB 1.24 on SQLite", &mongod.uri("live"), FEWER).await);
    figures
}

async fn consume(what: &str, mongodb: &str, messages: usize) -> Figure {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    create_topics(&brokers, &TOPICS.map(|name| Topic::for_recording(name, 3))).await;
    let begin = now() - 20 * HOUR;
    let step = 19.9 * HOUR as f64 / messages as f64;
    let event = move |n: usize| {
        let message = message(n, ZONES, begin + (n as f64 * step) as i64);
        let key = format!("{CITY}/{}", message.zone_id.as_deref().unwrap_or_default());
        let (topic, timestamp_ms) = (message.payload.topic().name(), message.ts.0 + 500);
        SimEvent { topic, key, timestamp_ms, value: serde_json::to_string(&message).expect("JSON") }
    };
    let bytes: usize = (0..1000).map(|n| event(n).value.len()).sum();
    tokio::task::block_in_place(|| produce::fill(&brokers, "none", (0..messages).map(event)));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cities, _) = catalogue(folder.path(), ZONES);
    let mut server = crate::server(&[
        ("KAFKA_BROKERS", &brokers),
        ("REDIS_URL", "embedded"),
        ("MONGODB_URI", mongodb),
        ("CITIES_FILE", &cities),
        ("CITY_LIVE", "no-producer"),
        ("LOG_LEVEL", "warn"),
    ]);
    server.start_again().await;
    // From the first batch that is in to the last one: the start of the server is not what is measured.
    let mut first: Option<(Instant, f64, Duration)> = None;
    let began = Instant::now();
    loop {
        let consumed = Scrape::of(&server).await.sum("citytwin_city_live_consumed_total", "");
        if consumed > 0.0 {
            let (at, had, cpu) = *first.get_or_insert_with(|| (Instant::now(), consumed, machine::cpu(server.pid())));
            if consumed >= messages as f64 || at.elapsed() > Duration::from_secs(90) {
                let (took, taken) = (at.elapsed().as_secs_f64(), consumed - had);
                let cpu = machine::cpu(server.pid()).saturating_sub(cpu).as_secs_f64() * 1e6 / taken;
                return Figure::new(format!("messages into {what}"), taken / took, "messages/s").note(format!(
                    "{taken:.0} messages of {:.0} B, {ZONES} zones, 5 topics of 3 partitions, a real Kafka; wall time; {cpu:.1} us of the \
                     server's CPU a message",
                    bytes as f64 / 1000.0
                ));
            }
        }
        assert!(began.elapsed() < Duration::from_secs(120), "nothing is consumed:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn processing() -> Vec<Figure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_, city) = catalogue(folder.path(), MANY_ZONES);
    let archive = EmbeddedArchive::open(folder.path());
    let token = lease(&archive).await;
    let rules = Rules::default();
    let days = i64::from(rules.forecast.history_days);
    history(&archive, token, MANY_ZONES, days).await;
    archive.take_in(token, &Intake { raw: latest(MANY_ZONES), ..Intake::default() }).await.expect("it is taken in");
    let models = Arc::new(Models::load(None, None).expect("the shipped model"));
    // The first run after a start, which reads the hours, and those after it, which keep them.
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let mut kept = None;
        for runs in [&mut first, &mut later] {
            let (at, cpu, began) = (Time(now()), machine::own_cpu(), Instant::now());
            let made = process::run(&archive, &city, at, &rules, &models, kept.take()).await.expect("it is processed");
            let Made { processed, mut history } = made;
            let made = began.elapsed();
            archive.put_processed(token, &processed).await.expect("it is written");
            history.extend(&processed.features);
            runs.push((began.elapsed(), made, machine::own_cpu().saturating_sub(cpu)));
            assert!(
                processed.zones.len() == MANY_ZONES && processed.zones[0].forecast.is_some(),
                "all that there is to make"
            );
            assert!(
                history.series("z0500", "us_aqi").is_some_and(|series| series.known().count() as i64 >= days * 24 - 2)
            );
            kept = Some(history);
        }
    }
    let figure = |name: String, mut runs: Vec<(Duration, Duration, Duration)>, note: String| {
        runs.sort();
        let (all, made, cpu) = runs[RUNS / 2];
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        Figure::new(name, all.as_secs_f64(), "s wall").note(format!(
            "{note}; making {:.0} ms, writing {:.0} ms, {:.0} ms CPU; median of {RUNS}",
            ms(made),
            ms(all.saturating_sub(made)),
            ms(cpu)
        ))
    };
    let hours = MANY_ZONES * days as usize * 24;
    vec![
        figure(
            format!("processing of {MANY_ZONES} zones"),
            later,
            format!(
                "{days} days of hourly features of each ({hours} documents) kept from the run before, the shipped model"
            ),
        )
        .at_most(1.0),
        figure("the same, the first after a start".to_owned(), first, "it reads the hours".to_owned()),
    ]
}

pub async fn first_data() -> Vec<Figure> {
    const SLOW: Duration = Duration::from_millis(300);
    const FEW: usize = 40;
    let kafka = Kafka::fresh().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cities, _) = catalogue(folder.path(), FEW);
    let shipped = Arc::new(Catalogue::load(Some(Path::new(&cities))).expect("a catalogue"));
    let options = SimulatedOptions { seed: 5, faults: false, delay: SLOW };
    let apis = Simulated::start(options, shipped).await.expect("a port");
    let (brokers, url) = (kafka.brokers(), apis.url());
    let mut settings = vec![
        ("KAFKA_BROKERS", brokers.as_str()),
        ("REDIS_URL", "embedded"),
        ("MONGODB_URI", "embedded"),
        ("CITIES_FILE", &cities),
        ("CITY_LIVE", "on"),
        ("LOG_LEVEL", "warn"),
    ];
    for name in ["OPEN_METEO_URL", "OPEN_METEO_AIR_URL", "OPENWEATHER_URL", "TOMTOM_URL", "EIA_URL", "SOCRATA_URL"] {
        settings.push((name, &url));
    }
    for name in ["OPENWEATHER_API_KEY", "TOMTOM_API_KEY", "EIA_API_KEY", "SOCRATA_APP_TOKEN"] {
        settings.push((name, "simulated"));
    }
    let mut server = crate::server(&settings);
    server.start_again().await;
    until_ready(&server, Duration::from_millis(20)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let query = "query($cityId: String!) { cityLive(cityId: $cityId) { zones { raw { weather { ts } aqi { ts } traffic { ts } } processed { risk { \
                 parts { name } } } } } }";
    let began = Instant::now();
    let (status, _) = server.post_json(&format!("/api/city/select/{CITY}"), &Value::Null).await;
    assert_eq!(status, 202);
    let mut reached: [Option<Duration>; 4] = [None; 4];
    while reached.iter().any(Option::is_none) {
        assert!(began.elapsed() < Duration::from_secs(90), "{reached:?}:\n{}", server.log());
        let data = server.graphql(query, json!({ "cityId": CITY })).await;
        let zones = data["cityLive"]["zones"].as_array().expect("zones");
        let raw = |zone: &Value, kind: &str| zone["raw"][kind].is_object();
        let full = |zone: &Value| ["weather", "aqi", "traffic"].iter().all(|kind| raw(zone, kind));
        // Of weather, air, traffic and the city's power at least.
        let made = |zone: &Value| zone["processed"]["risk"]["parts"].as_array().is_some_and(|parts| parts.len() >= 4);
        let there = [
            zones.iter().any(|zone| raw(zone, "weather") || raw(zone, "aqi") || raw(zone, "traffic")),
            zones.iter().any(|zone| zone["processed"].is_object()),
            zones.iter().all(full),
            zones.iter().all(made),
        ];
        for (reached, there) in reached.iter_mut().zip(there) {
            if there && reached.is_none() {
                *reached = Some(began.elapsed());
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let [value, result, values, results] = reached.map(|reached| reached.unwrap_or_default().as_secs_f64());
    let how = format!(
        "from the choice; {FEW} zones, each answer of an API takes {} ms, all six feeds, a real Kafka",
        SLOW.as_millis()
    );
    vec![
        Figure::new("first value on the page", value, "s wall").at_most(10.0).note(how),
        Figure::new("first zone with risk and advice", result, "s wall").at_most(10.0).note("the same"),
        Figure::new("weather, air and traffic of all zones", values, "s wall")
            .note("the same; five zones an API at a time (`CITY_LIVE_CONCURRENCY`)"),
        Figure::new("all zones processed of all of them", results, "s wall")
            .note("the same; a run every 2 s while data comes in"),
    ]
}
