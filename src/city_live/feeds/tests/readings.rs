//! What each API's answer says, and how it is asked.

use super::*;
use crate::city_live::message::{GridAlertKind, HourValue};

fn read(id: FeedId, reply: &Value) -> Result<Vec<Message>, ReadError> {
    let catalogue = town();
    feed(id, "http://api").read(reply.to_string().as_bytes(), &ask_for(id, &catalogue))
}

fn good(id: FeedId, reply: &Value) -> Vec<Message> {
    read(id, reply).expect("it is read")
}

fn url(id: FeedId) -> String {
    let catalogue = town();
    let request = feed(id, "http://api").request(&ask_for(id, &catalogue)).expect("there is one");
    percent_encoding::percent_decode_str(request.url.as_str()).decode_utf8_lossy().replace('+', " ")
}

fn time(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

#[test]
fn each_api_is_asked_by_its_own_path_and_parameters() {
    let place = "latitude=40.75000&longitude=-73.95000";
    let weather = url(FeedId::OpenMeteoWeather);
    assert!(weather.starts_with(&format!("http://api/v1/forecast?{place}&current=temperature_2m,")), "{weather}");
    assert!(weather.contains("&hourly=temperature_2m,precipitation&wind_speed_unit=ms&timezone=GMT"), "{weather}");
    assert!(url(FeedId::OpenMeteoAir).starts_with(&format!("http://api/v1/air-quality?{place}&current=us_aqi,")));
    let openweather = "http://api/data/2.5/weather?lat=40.75000&lon=-73.95000&units=metric&appid=hunter2";
    assert_eq!(url(FeedId::OpenWeather), openweather);
    let tomtom =
        "http://api/traffic/services/4/flowSegmentData/absolute/10/json?point=40.75000,-73.95000&unit=KMPH&key=hunter2";
    assert_eq!(url(FeedId::TomTom), tomtom);
    let eia = "http://api/v2/electricity/rto/region-data/data/?api_key=hunter2&frequency=hourly&data[0]=value\
               &facets[respondent][]=TOWN&facets[type][]=D&facets[type][]=DF&start=2026-07-24T12";
    assert!(url(FeedId::Eia).starts_with(eia), "{}", url(FeedId::Eia));
    // 12:34 UTC less two days, in New York's time and whole hours.
    let calls = "http://api/resource/abcd-1234.json?$select=unique_key,created_date,complaint_type,descriptor,status,latitude,\
                 longitude&$where=created_date >= '2026-07-25T08:00:00'&$order=created_date DESC&$limit=40000";
    assert_eq!(url(FeedId::Socrata), calls);
}

#[test]
fn calls_are_asked_for_again_from_a_while_before_the_newest_known() {
    let catalogue = town();
    let since = Some(time("2026-07-27T11:59:00Z"));
    let ask = Ask { since, ..ask_for(FeedId::Socrata, &catalogue) };
    let request = feed(FeedId::Socrata, "http://api").request(&ask).expect("there is one");
    let condition = request.url.query_pairs().find(|(name, _)| name == "$where").expect("it is there").1;
    assert_eq!(condition, "created_date >= '2026-07-27T04:00:00'");
    let (name, token) = request.header.expect("the token goes along");
    assert_eq!((name, token.expose()), ("X-App-Token", "hunter2"));
}

#[test]
fn weather_of_open_meteo() {
    let messages = good(FeedId::OpenMeteoWeather, &sample(FeedId::OpenMeteoWeather));
    let message = only(&messages);
    assert_eq!((message.ts, message.zone_id.as_deref()), (time("2026-07-27T12:30:00Z"), Some("square")));
    let weather = weather(message);
    assert_eq!((weather.temperature_c, weather.humidity_pct), (Some(28.4), Some(61.0)));
    assert_eq!((weather.wind_speed_ms, weather.wind_direction_deg), (Some(3.2), Some(200.0)));
    assert_eq!((weather.pressure_hpa, weather.weather_code), (Some(1009.5), Some(61)));
    assert_eq!(weather.precipitation_mm, Some(0.7), "the hour before, not the quarter of an hour");
    let hour = |text, value| HourValue { ts: time(text), value };
    assert_eq!(weather.hourly_temperature, [hour("2026-07-27T12:00:00Z", 28.0), hour("2026-07-27T13:00:00Z", 29.0)]);
}

#[test]
fn open_meteos_times_are_local_and_its_units_may_be_others() {
    let mut reply = sample(FeedId::OpenMeteoWeather);
    reply["utc_offset_seconds"] = json!(-14400);
    reply["current_units"] = json!({"temperature_2m": "°F", "wind_speed_10m": "km/h"});
    reply["current"]["temperature_2m"] = json!(50.0);
    reply["current"]["wind_speed_10m"] = json!(36.0);
    reply["hourly"] = Value::Null;
    let messages = good(FeedId::OpenMeteoWeather, &reply);
    let message = only(&messages);
    assert_eq!(message.ts, time("2026-07-27T16:30:00Z"));
    let weather = weather(message);
    assert!((weather.temperature_c.expect("there") - 10.0).abs() < 1e-9);
    assert!((weather.wind_speed_ms.expect("there") - 10.0).abs() < 1e-9);
    assert_eq!(weather.precipitation_mm, Some(0.1), "there is no better value");
    assert!(weather.hourly_temperature.is_empty());
    reply["current_units"]["temperature_2m"] = json!("K");
    let error = read(FeedId::OpenMeteoWeather, &reply).expect_err("nobody asked for Kelvin").to_string();
    assert_eq!(error, "current_units.temperature_2m of the reply is \"K\", which is not accepted; accepted is °C");
}

#[test]
fn a_value_that_an_api_has_not_is_left_out() {
    let mut reply = sample(FeedId::OpenMeteoWeather);
    reply["current"]["temperature_2m"] = Value::Null;
    reply["current"].as_object_mut().expect("an object").remove("surface_pressure");
    let messages = good(FeedId::OpenMeteoWeather, &reply);
    let weather = weather(only(&messages));
    assert_eq!((weather.temperature_c, weather.pressure_hpa), (None, None));
    reply["current"]["weather_code"] = json!("rain");
    let error = read(FeedId::OpenMeteoWeather, &reply).expect_err("it is no code").to_string();
    assert!(error.starts_with("current.weather_code of the reply is \"rain\""), "{error}");
}

#[test]
fn air_of_open_meteo() {
    let messages = good(FeedId::OpenMeteoAir, &sample(FeedId::OpenMeteoAir));
    let Payload::Aqi(air) = &only(&messages).payload else { panic!("no air: {messages:?}") };
    assert_eq!((air.us_aqi, air.european_aqi), (Some(65.0), Some(44.0)));
    assert_eq!((air.pm2_5_ugm3, air.pm10_ugm3, air.no2_ugm3), (Some(22.1), Some(28.2), Some(11.2)));
    assert_eq!((air.o3_ugm3, air.so2_ugm3, air.co_ugm3), (Some(42.0), Some(2.5), Some(229.0)));
}

#[test]
fn weather_of_openweather() {
    let messages = good(FeedId::OpenWeather, &sample(FeedId::OpenWeather));
    let message = only(&messages);
    assert_eq!(message.ts, time("2026-07-27T12:30:00Z"));
    let first = weather(message);
    assert_eq!((first.temperature_c, first.pressure_hpa), (Some(28.4), Some(1008.0)));
    assert_eq!((first.precipitation_mm, first.weather_code), (Some(0.7), Some(63)));
    let mut dry = sample(FeedId::OpenWeather);
    dry.as_object_mut().expect("an object").remove("rain");
    let messages = good(FeedId::OpenWeather, &dry);
    assert_eq!(weather(only(&messages)).precipitation_mm, Some(0.0));
}

#[test]
fn traffic_of_tomtom() {
    let messages = good(FeedId::TomTom, &sample(FeedId::TomTom));
    let message = only(&messages);
    assert_eq!(message.ts, time("2026-07-27T12:34:56Z"), "the reply has no time: it is now");
    let Payload::Traffic(traffic) = &message.payload else { panic!("no traffic: {message:?}") };
    assert_eq!((traffic.current_speed_kmh, traffic.free_flow_speed_kmh), (18.0, 45.0));
    assert_eq!((traffic.current_travel_time_s, traffic.free_flow_travel_time_s), (Some(80.0), Some(32.0)));
    assert_eq!((traffic.confidence, traffic.road_closure), (Some(0.9), false));
}

#[test]
fn demand_of_eia_hour_by_hour_for_the_whole_city() {
    let messages = good(FeedId::Eia, &sample(FeedId::Eia));
    assert!(messages.iter().all(|message| message.zone_id.is_none()));
    let power: Vec<_> = messages
        .iter()
        .filter_map(|message| match &message.payload {
            Payload::PowerDemand(power) => Some((message.ts, power.demand_mwh, power.forecast_mwh)),
            _ => None,
        })
        .collect();
    assert_eq!(
        power,
        [
            (time("2026-07-27T10:00:00Z"), Some(18_500.0), None),
            (time("2026-07-27T11:00:00Z"), Some(19_000.0), Some(17_500.0)),
        ]
    );
    let mut other = sample(FeedId::Eia);
    other["response"]["data"][0]["value-units"] = json!("kilowatthours");
    let error = read(FeedId::Eia, &other).expect_err("another unit").to_string();
    assert!(error.starts_with("response.data[0].value-units"), "{error}");
    other = sample(FeedId::Eia);
    other["response"]["data"][0]["value"] = json!("much");
    let error = read(FeedId::Eia, &other).expect_err("no number").to_string();
    assert!(error.starts_with("response.data[0].value of the reply is \"much\""), "{error}");
}

/// Rows of a day: (hour of UTC, demand, forecast).
fn day(hours: &[(&str, Option<f64>, Option<f64>)]) -> Value {
    let row = |period: &str, kind: &str, value: f64| json!({"period": period, "respondent": "TOWN", "type": kind, "value": value.to_string(), "value-units": "megawatthours"});
    let rows = hours.iter().flat_map(|(period, demand, forecast)| {
        let demand = demand.map(|demand| row(period, "D", demand));
        demand.into_iter().chain(forecast.map(|forecast| row(period, "DF", forecast)))
    });
    json!({"response": {"data": rows.collect::<Vec<_>>()}})
}

fn alerts(reply: &Value, since: Option<Time>) -> Vec<(Time, GridAlertKind, f64, f64)> {
    let catalogue = town();
    let ask = Ask { since, ..ask_for(FeedId::Eia, &catalogue) };
    let messages = feed(FeedId::Eia, "http://api").read(reply.to_string().as_bytes(), &ask).expect("it is read");
    let alert = |message: &Message| match &message.payload {
        Payload::GridAlert(alert) => {
            assert_eq!((alert.region.as_str(), message.zone_id.as_deref()), ("TOWN", None));
            Some((message.ts, alert.kind, alert.reference_mwh, alert.excess_pct))
        }
        _ => None,
    };
    messages.iter().filter_map(alert).collect()
}

#[test]
fn demand_above_eias_own_forecast_by_more_than_the_margin_is_an_alert() {
    // The margin is 5 %.
    let at = time("2026-07-27T11:00:00Z");
    let above = |demand| {
        alerts(&day(&[("2026-07-27T11", Some(demand), Some(1000.0)), ("2026-07-27T20", None, Some(2000.0))]), None)
    };
    assert!(above(1050.0).is_empty());
    let found = above(1051.0);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1, found[0].2), (at, GridAlertKind::AboveForecast, 1000.0));
    assert!((found[0].3 - 5.1).abs() < 1e-9, "{found:?}");
}

#[test]
fn demand_above_the_days_peak_is_an_alert_and_the_day_is_the_citys() {
    // 04:00 UTC is midnight in New York in summer: 03:00 is of the day before.
    let hours = |newest: f64| {
        day(&[
            ("2026-07-27T03", Some(9000.0), None),
            ("2026-07-27T05", Some(900.0), Some(1000.0)),
            ("2026-07-27T10", Some(1000.0), Some(1040.0)),
            ("2026-07-27T11", Some(newest), Some(1040.0)),
            ("2026-07-28T04", None, Some(9000.0)),
        ])
    };
    assert!(alerts(&hours(1040.0), None).is_empty(), "at the peak is not above it");
    let found = alerts(&hours(1045.0), None);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].1, found[0].2), (GridAlertKind::AbovePeak, 1040.0));
    // Without a forecast, the highest hour so far.
    let found = alerts(&day(&[("2026-07-27T10", Some(100.0), None), ("2026-07-27T11", Some(130.0), None)]), None);
    assert_eq!((found.len(), found[0].1, found[0].2), (1, GridAlertKind::AbovePeak, 100.0));
}

#[test]
fn of_hours_long_gone_there_is_no_alert() {
    let hours = day(&[
        ("2026-07-27T09", Some(2000.0), Some(1000.0)),
        ("2026-07-27T10", Some(2000.0), Some(1000.0)),
        ("2026-07-27T11", Some(1000.0), Some(1000.0)),
    ]);
    assert!(alerts(&hours, None).is_empty(), "at first only the newest hour is news");
    let later = alerts(&hours, Some(time("2026-07-27T09:00:00Z")));
    assert_eq!(later.iter().map(|alert| alert.0).collect::<Vec<_>>(), [time("2026-07-27T10:00:00Z")]);
}

#[test]
fn calls_lie_in_the_zone_whose_shape_holds_them() {
    let messages = good(FeedId::Socrata, &sample(FeedId::Socrata));
    let call = |message: &Message| match &message.payload {
        Payload::Call311(call) => call.clone(),
        other => panic!("no call: {other:?}"),
    };
    assert_eq!(messages.len(), 2);
    // Oldest first; 21:03 in New York is 01:03 of UTC's next day.
    assert_eq!((messages[0].ts, messages[0].zone_id.as_deref()), (time("2026-07-27T01:03:35Z"), Some("square")));
    let first = call(&messages[0]);
    assert_eq!((first.call_id.as_str(), first.complaint_type.as_str()), ("1", "Noise - Residential"));
    assert_eq!((first.latitude, first.longitude), (Some(40.75), Some(-73.95)));
    assert_eq!(first.status.as_deref(), Some("Closed"));
    assert_eq!((messages[1].zone_id.as_deref(), call(&messages[1]).latitude), (None, None), "nobody knows where");
}

#[test]
fn one_odd_row_does_not_hide_the_other_calls() {
    let mut rows = sample(FeedId::Socrata);
    rows[0]["created_date"] = json!("yesterday");
    let messages = good(FeedId::Socrata, &rows);
    assert_eq!(messages.len(), 1);
    rows[1]["created_date"] = json!("the day before");
    let error = read(FeedId::Socrata, &rows).expect_err("none can be read").to_string();
    assert!(error.contains("created_date of the reply is"), "{error}");
    assert!(good(FeedId::Socrata, &json!([])).is_empty(), "no calls are no error");
}

#[test]
fn feeds_without_a_key_or_a_city_are_off() {
    let names = |config: &CityLiveConfig| -> Vec<&str> {
        switched_on(config, false).expect("made").iter().map(|feed| feed.id().name()).collect()
    };
    assert_eq!(names(&Config::defaults().city_live), ["open-meteo-weather", "open-meteo-air", "socrata"]);
    assert_eq!(names(&config("http://api")).len(), 6);
    let mut without = town();
    without.cities[0].eia_region = None;
    without.cities[0].calls311 = None;
    for id in [FeedId::Eia, FeedId::Socrata] {
        assert!(!feed(id, "http://api").serves(&without.cities[0]));
        assert!(feed(id, "http://api").request(&ask_for(id, &without)).is_none());
    }
    let wrong = switched_on(&config("http://"), false).err().expect("no URL").to_string();
    assert!(wrong.starts_with("OPEN_METEO_URL: \"http:"), "{wrong}");
}

#[test]
fn simulated_messages_say_so() {
    let catalogue = town();
    for feed in switched_on(&config("http://api"), true).expect("made") {
        let body = sample(feed.id()).to_string();
        for message in feed.read(body.as_bytes(), &ask_for(feed.id(), &catalogue)).expect("it is read") {
            assert_eq!(message.source, format!("{}-simulated", feed.id().source()));
        }
    }
}
