//! City Live's feeds and catalogue against real replies of the real APIs and real outlines (they lie beside the repository);
//! and `citytwin produce`, the real binary, from APIs to Apache Kafka.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{Router, routing::get};

use citytwin::{
    city_live::{
        catalogue::Catalogue,
        feeds::{Ask, FeedId, Scope, switched_on},
        message::{LiveTopic, Message, Payload},
        simulated::{Simulated, SimulatedOptions},
    },
    config::{CityLiveConfig, Config, Secret},
    twin::{geo::Position, time::Time},
};
use serde_json::Value;

use crate::common::{
    data, eventually,
    kafka::{Kafka, read_all},
    server::Server,
};

/// All feeds on.
fn config() -> CityLiveConfig {
    let mut config = Config::defaults().city_live;
    config.openweather_api_key = Some(Secret::new("key"));
    config.tomtom_api_key = Some(Secret::new("key"));
    config.eia_api_key = Some(Secret::new("key"));
    config
}

fn read(id: FeedId, catalogue: &Catalogue, city: &str, body: &[u8]) -> Vec<Message> {
    let feeds = switched_on(&config(), false).unwrap();
    let feed = feeds.iter().find(|feed| feed.id() == id).unwrap();
    let city = catalogue.city(city).unwrap();
    let zone = city.zones.first().filter(|_| id.scope() == Scope::Zone);
    let now = Time::parse("2026-11-25T12:00:00Z").unwrap();
    feed.read(body, &Ask { city, zone, now, since: None }).unwrap_or_else(|error| panic!("{}: {error}", id.name()))
}

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

fn unpacked(file: &Path) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn real_replies_are_read() {
    let Some(folder) = data::city_live() else { return };
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let catalogue = Catalogue::shipped().unwrap();
    let one = |id, name: &str| {
        let mut messages = read(id, &catalogue, "nyc", &file(name));
        assert_eq!(messages.len(), 1, "{name}");
        messages.remove(0)
    };

    let message = one(FeedId::OpenMeteoWeather, "openmeteo_forecast_copenhagen.json");
    // 23:00 of Copenhagen's summer.
    assert_eq!(message.ts, at("2026-07-26T21:00:00Z"));
    let Payload::Weather(weather) = message.payload else { panic!("weather") };
    assert_eq!(
        (weather.temperature_c, weather.humidity_pct, weather.wind_speed_ms),
        (Some(16.8), Some(84.0), Some(2.5))
    );
    assert_eq!(
        (weather.precipitation_mm, weather.weather_code, weather.pressure_hpa),
        (Some(0.3), Some(55), Some(996.7))
    );
    assert_eq!(weather.hourly_temperature.len(), 48);
    assert_eq!(weather.hourly_temperature[0].ts, at("2026-07-26T21:00:00Z"));

    let message = one(FeedId::OpenMeteoAir, "openmeteo_air_quality_enschede.json");
    assert_eq!(message.ts, at("2026-10-03T10:00:00Z"));
    let Payload::Aqi(air) = message.payload else { panic!("air") };
    assert_eq!(
        (air.us_aqi, air.european_aqi, air.pm2_5_ugm3, air.co_ugm3),
        (Some(65.0), Some(44.0), Some(22.1), Some(229.0))
    );

    let message = one(FeedId::OpenWeather, "openweather_current_newyork.json");
    assert_eq!(message.ts, at("2024-03-20T02:13:29Z"));
    let Payload::Weather(weather) = message.payload else { panic!("weather") };
    // It was asked for in °F; we ask for metric units.
    assert_eq!(
        (weather.temperature_c, weather.humidity_pct, weather.pressure_hpa),
        (Some(39.2), Some(70.0), Some(1008.0))
    );
    assert_eq!(weather.weather_code, Some(2), "scattered clouds");

    let Payload::Traffic(traffic) = one(FeedId::TomTom, "tomtom_flow_nijmegen.json").payload else { panic!("traffic") };
    assert_eq!((traffic.current_speed_kmh, traffic.free_flow_speed_kmh, traffic.confidence), (25.0, 25.0, Some(1.0)));
    assert!(!traffic.road_closure);

    let message = one(FeedId::Socrata, "nyc311_socrata_record.json");
    assert_eq!(message.ts, at("2026-07-28T01:03:35Z"), "21:03 of New York's summer");
    assert_eq!(message.zone_id.as_deref(), Some("bx-pelham-wakefield"), "Wallace Avenue in the Bronx");
    let Payload::Call311(call) = message.payload else { panic!("a call") };
    assert_eq!((call.call_id.as_str(), call.complaint_type.as_str()), ("69860415", "Noise - Street/Sidewalk"));
}

#[test]
fn a_real_reply_of_eia_is_read_for_the_region_that_was_asked_about() {
    let Some(folder) = data::city_live() else { return };
    let body = std::fs::read(folder.join("eia_region_data_2024-04-02_03.json")).unwrap();
    let mut catalogue = Catalogue::shipped().unwrap();
    let demand = |catalogue: &Catalogue| -> Vec<(Time, f64, Option<f64>)> {
        let messages = read(FeedId::Eia, catalogue, "nyc", &body);
        assert!(messages.iter().all(|message| message.zone_id.is_none()));
        let power = messages.into_iter().filter_map(|message| match message.payload {
            Payload::PowerDemand(power) => Some((message.ts, power.demand_mwh.unwrap(), power.forecast_mwh)),
            _ => None,
        });
        power.collect()
    };
    assert!(demand(&catalogue).is_empty(), "of NYIS it has only the interchange");
    // Ours, counted by hand in the file.
    let reply: Value = serde_json::from_slice(&body).unwrap();
    let value = |kind: &str| {
        let rows = reply["response"]["data"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["respondent"] == "FLA" && row["type"] == kind && row["period"] == "2024-04-02T07");
        row.map(|row| row["value"].as_str().unwrap().parse::<f64>().unwrap())
    };
    catalogue.cities[0].eia_region = Some("FLA".into());
    assert_eq!(demand(&catalogue), [(at("2024-04-02T07:00:00Z"), value("D").unwrap(), value("DF"))]);
}

#[test]
fn real_calls_lie_in_the_zone_of_their_borough() {
    let Some(folder) = data::city_live() else { return };
    let text = unpacked(&folder.join("nyc311_2011_sample.csv.gz"));
    let catalogue = Catalogue::shipped().unwrap();
    let nyc = catalogue.city("nyc").unwrap();
    let (mut inside, mut outside, mut wrong) = (0, 0, 0);
    for line in text.lines().skip(1) {
        // The last column is "(latitude, longitude)" in quotes.
        let Some((_, pair)) = line.trim_end_matches(")\"").rsplit_once("\"(") else { continue };
        let Some((latitude, longitude)) = pair.split_once(", ") else { continue };
        let (Ok(latitude), Ok(longitude)) = (latitude.parse(), longitude.parse()) else { continue };
        let Some(zone) = nyc.zone_at(Position { latitude, longitude }) else {
            outside += 1;
            continue;
        };
        inside += 1;
        let boroughs =
            [("MANHATTAN", "mn-"), ("BRONX", "bx-"), ("BROOKLYN", "bk-"), ("QUEENS", "qn-"), ("STATEN ISLAND", "si-")];
        let told = boroughs.iter().find(|(name, _)| line.contains(&format!(",{name},")));
        wrong += usize::from(told.is_some_and(|(_, prefix)| !zone.id.starts_with(prefix)));
    }
    assert!(inside > 1300 && outside * 50 < inside, "{inside} inside, {outside} outside");
    assert!(wrong * 100 < inside, "{wrong} of {inside} in another borough");
}

#[test]
fn real_outlines_can_be_a_citys_zones() {
    let Some(folder) = data::city_live() else { return };
    let geojson = unpacked(&folder.join("nyc_taxi_zones.geojson.gz"));
    let own = tempfile::tempdir().unwrap();
    std::fs::write(own.path().join("taxi.geojson"), geojson).unwrap();
    let catalogue = |id: &str| {
        let text = format!(
            "[[cities]]\nid = \"taxi\"\nname = \"Taxi zones\"\ntime_zone = \"America/New_York\"\nzones_file = \"taxi.geojson\"\n\
             zone_id = \"{id}\"\nzone_name = \"zone\"\n"
        );
        let file = own.path().join("cities.toml");
        std::fs::write(&file, text).unwrap();
        Catalogue::load(Some(&file))
    };
    let read = catalogue("OBJECTID").unwrap();
    let city = read.city("taxi").unwrap();
    assert_eq!(city.zones.len(), 263);
    for zone in &city.zones {
        assert!(
            zone.shape.iter().any(|polygon| polygon.contains(zone.centre)),
            "{}: its centre lies inside",
            zone.name
        );
    }
    let times_square = city.zone_at(Position { latitude: 40.7580, longitude: -73.9855 }).unwrap();
    assert_eq!(times_square.name, "Times Sq/Theatre District");
    let wrong = catalogue("borough").unwrap_err().to_string();
    assert!(wrong.contains("\"Staten Island\" is not accepted"), "{wrong}");
}

#[test]
fn messages_have_the_names_that_others_rely_on() {
    let catalogue = Catalogue::shipped().unwrap();
    let reply = r#"[{"unique_key": "7", "created_date": "2026-07-27T21:03:35.000", "complaint_type": "Noise", "latitude": "40.758",
        "longitude": "-73.9855"}]"#;
    let message = &read(FeedId::Socrata, &catalogue, "nyc", reply.as_bytes())[0];
    let json: BTreeMap<String, Value> = serde_json::from_str(&serde_json::to_string(message).unwrap()).unwrap();
    assert_eq!(json.keys().map(String::as_str).collect::<Vec<_>>(), ["city_id", "payload", "source", "ts", "zone_id"]);
    assert_eq!(json["payload"]["type"], "call_311");
    assert_eq!((&json["ts"], &json["zone_id"]), (&"2026-07-28T01:03:35.000Z".into(), &"mn-midtown".into()));
    assert_eq!(json["source"], "socrata");
}

/// A server of which only the current city is asked.
async fn current_city(body: &'static str) -> String {
    let router = Router::new().route("/api/city/current", get(move || async move { body }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn citytwin_produce_sends_what_the_apis_say_to_a_real_kafka() {
    let kafka = Kafka::fresh().await;
    let brokers = kafka.brokers();
    let catalogue = Arc::new(Catalogue::shipped().unwrap());
    let options = SimulatedOptions { seed: 5, faults: true, delay: Duration::from_millis(5) };
    let apis = Simulated::start(options, Arc::clone(&catalogue)).await.unwrap();
    let server = current_city(r#"{"cityId": "nyc", "name": "New York", "status": "LOADING", "zones": 39, "selectedAt": "2026-11-25T12:00:00.000Z"}"#).await;
    let url = apis.url();
    let mut settings =
        vec![("KAFKA_BROKERS", brokers.as_str()), ("CITY_LIVE_SERVER", &server), ("CITY_LIVE_INTERVAL", "1s")];
    for name in ["OPEN_METEO_URL", "OPEN_METEO_AIR_URL", "TOMTOM_URL", "EIA_URL", "SOCRATA_URL"] {
        settings.push((name, &url));
    }
    settings.extend([("TOMTOM_API_KEY", "hunter2"), ("EIA_API_KEY", "hunter2")]);
    let mut producer = Server::new(&["produce"], &settings);
    producer.launch();

    let zones = catalogue.city("nyc").unwrap().zones.len();
    let told = eventually(Duration::from_secs(60), || async {
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for topic in LiveTopic::ALL {
            if !crate::common::kafka::topic_names(&brokers).await.contains(&topic.name().to_owned()) {
                return Err(format!("there is no {} yet", topic.name()));
            }
            for record in read_all(&brokers, topic.name()).await {
                let message = record.json();
                let kind = message["payload"]["type"].as_str().unwrap().to_owned();
                let zone = message["zone_id"].as_str().unwrap_or_default().to_owned();
                assert_eq!(record.key.as_deref().map(String::from_utf8_lossy).unwrap(), format!("nyc/{zone}"));
                let source = message["source"].as_str().unwrap();
                assert!(!source.ends_with("-simulated") && source != "openweather", "no key, no feed: {source}");
                told.entry(kind).or_default().insert(zone);
            }
        }
        let all = |kind: &str| told.get(kind).is_some_and(|told| told.len() == zones);
        let some = |kind: &str| told.contains_key(kind);
        let done = all("weather") && all("aqi") && all("traffic") && some("power_demand") && some("call_311");
        if done {
            Ok(told)
        } else {
            Err(format!("{:?}", told.iter().map(|(kind, zones)| (kind, zones.len())).collect::<Vec<_>>()))
        }
    })
    .await;
    assert_eq!(told["power_demand"], BTreeSet::from([String::new()]), "of the whole city");
    producer.stop_cleanly();
    let log = producer.log();
    assert!(log.contains("feed is off: it has no key") && log.contains("OPENWEATHER_API_KEY"), "{log}");
    assert!(!log.contains("hunter2"), "no key is in the log: {log}");
}

#[tokio::test]
async fn a_catalogue_that_is_wrong_stops_the_start_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cities.toml");
    std::fs::write(&file, "[[cities]]\nid = \"a\"\nname = \"A\"\ntime_zone = \"Mars/Olympus\"\nzones = []").unwrap();
    let file = file.display().to_string();
    let output = crate::common::server::citytwin(&["produce"], &[("CITIES_FILE", &file)], "").await;
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("city \"a\": time_zone: \"Mars/Olympus\" is not accepted"), "{said}");
}
