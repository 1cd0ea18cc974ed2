//! City Live's paths, through the router itself.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    city_live::{
        archive::AlertStatus,
        samples::{HOUR, Sample, alert, now, weather},
    },
    http::{
        AppState, router,
        tests::toy::{Seen, settings, state},
    },
    twin::time::Time,
};

fn app(sample: Option<&Sample>) -> AppState {
    let (http, graphql) = settings();
    let city_live = sample.map(|sample| Arc::clone(&sample.live));
    AppState { city_live, ..state(http, graphql, &Seen::default()) }
}

struct Sent {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Sent {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// A request from this machine: `METHOD PATH`.
async fn send(app: &AppState, line: &str) -> Sent {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
    let response = router(app.clone()).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000_000).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{line}: no JSON: {}", body.escape_ascii()));
    Sent { status: parts.status, headers: parts.headers, body }
}

#[tokio::test]
async fn a_city_is_chosen_and_processed() {
    let sample = Sample::new().await;
    let app = app(Some(&sample));
    let none = send(&app, "GET /api/city/current").await;
    assert_eq!((none.status, none.code()), (StatusCode::NOT_FOUND, "NO_CITY"));
    let none = send(&app, "POST /api/city/process/from-kafka").await;
    assert_eq!((none.status, none.code()), (StatusCode::NOT_FOUND, "NO_CITY"));

    let chosen = send(&app, "POST /api/city/select/nyc").await;
    assert_eq!(chosen.status, StatusCode::ACCEPTED);
    let selected_at = sample.archive().selection().await.unwrap().expect("a choice").selected_at.to_string();
    assert_eq!(
        chosen.body,
        json!({"cityId": "nyc", "name": "The city nyc", "status": "LOADING", "zones": 3, "selectedAt": selected_at,
            "processedAt": null})
    );
    let current = send(&app, "GET /api/city/current").await;
    assert_eq!((current.status, &current.body), (StatusCode::OK, &chosen.body));
    assert_eq!(current.headers["cache-control"], "no-store");

    let unknown = send(&app, "POST /api/city/select/rome").await;
    assert_eq!((unknown.status, unknown.code()), (StatusCode::NOT_FOUND, "UNKNOWN_CITY"));
    assert!(unknown.body["error"]["message"].as_str().unwrap().contains("nyc, laquila"), "{}", unknown.body);

    let run = send(&app, "POST /api/city/process/from-kafka").await;
    assert_eq!(run.status, StatusCode::ACCEPTED);
    assert_eq!(run.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["runId"]);
    let run = send(&app, "POST /api/city/process/from-kafka?wait=true").await;
    assert_eq!(run.status, StatusCode::OK);
    assert_eq!(run.body["zones"].as_array().unwrap().len(), 3);
    assert_eq!(run.body["zones"][0]["runId"], run.body["runId"]);
    let current = send(&app, "GET /api/city/current").await;
    assert_eq!(current.body, chosen.body, "nothing is known of it yet");

    sample.fill("nyc").await;
    let run = send(&app, "POST /api/city/process/from-kafka?wait=true").await;
    let current = send(&app, "GET /api/city/current").await;
    assert_eq!((&current.body["status"], &current.body["processedAt"]), (&json!("READY"), &run.body["processedAt"]));

    let other = send(&app, "POST /api/city/process/from-kafka?wait=true&city=laquila").await;
    assert_eq!(other.body["cityId"], "laquila");
    let wrong = send(&app, "POST /api/city/process/from-kafka?wait=yes").await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::BAD_REQUEST, "BAD_PARAMETER"));
    sample.live.runs_under(None);
    let elsewhere = send(&app, "POST /api/city/process/from-kafka").await;
    assert_eq!((elsewhere.status, elsewhere.code()), (StatusCode::SERVICE_UNAVAILABLE, "NOT_WRITER"));
    assert_eq!(elsewhere.headers["retry-after"], "1");
}

#[tokio::test]
async fn zones_have_the_form_that_is_promised() {
    let sample = Sample::new().await;
    let app = app(Some(&sample));
    sample.fill("nyc").await;
    let before = send(&app, "GET /api/city/nyc/zones").await;
    assert_eq!((before.status, &before.body["processedAt"]), (StatusCode::OK, &Value::Null));
    let zone = &before.body["zones"][0];
    assert_eq!((&zone["forecast"], &zone["risk"], &zone["recommendations"]), (&Value::Null, &Value::Null, &json!([])));
    assert_eq!(zone["raw"]["weather"]["temperature_c"], 21.5, "raw values need no run");

    sample.live.process(Some("nyc"), true).await.expect("a run");
    let raised = alert("aqi", "z0", now());
    sample.put_alert(&raised).await;
    let zones = send(&app, "GET /api/city/nyc/zones").await.body;
    assert_eq!(zones["cityId"], "nyc");
    let zone = &zones["zones"][0];
    assert_eq!((&zone["zoneId"], &zone["name"]), (&json!("z0"), &json!("Zone 0")));
    let mut weather = zone["raw"]["weather"].clone();
    for field in ["ts", "ingested_at"] {
        assert!(weather[field].take().is_string(), "{field}");
    }
    assert_eq!(
        weather,
        json!({"ts": null, "ingested_at": null, "source": "open-meteo", "zone_id": "z0", "type": "weather",
            "temperature_c": 21.5, "humidity_pct": 60.0})
    );
    let raw = &zone["raw"];
    assert_eq!((&raw["aqi"]["us_aqi"], &raw["traffic"]["source"]), (&json!(42.0), &json!("tomtom-simulated")));
    assert_eq!((&raw["power"]["demand_mwh"], &raw["power"]["zone_id"]), (&json!(17000.0), &Value::Null));
    assert_eq!(raw["calls311"]["count"], 1);
    assert_eq!(raw["calls311"].get("calls"), None, "only where one zone is asked for");
    assert_eq!(zone["forecast"]["hours"][0]["value"], 21.5);
    assert_eq!(zone["anomaly"][0]["z"], 5.75);
    assert_eq!((&zone["risk"]["score"], &zone["risk"]["parts"][0]["name"]), (&json!(21.5), &json!("weather")));
    assert_eq!(zone["recommendations"][0]["rule"], "drink");
    assert_eq!(zone["alerts"][0]["alert_id"], raised.alert_id);
    assert_eq!(zone["freshness"][0]["state"], "FRESH");
    assert_eq!((&zones["zones"][1]["alerts"], &zones["zones"][1]["raw"]["weather"]), (&json!([]), &Value::Null));

    let one = send(&app, "GET /api/city/nyc/zones/z0").await;
    assert_eq!(one.status, StatusCode::OK);
    assert_eq!((&one.body["zoneId"], &one.body["risk"]), (&json!("z0"), &zone["risk"]));
    assert_eq!(one.body["raw"]["calls311"]["calls"][0]["call_id"], "c1");
    assert_eq!(
        (&one.body["districts"], &one.body["models"][0]["model"]),
        (&json!(["centro", "gone"]), &json!("heuristic"))
    );
    for (path, code) in [
        ("/api/city/rome/zones", "UNKNOWN_CITY"),
        ("/api/city/rome/zones/z0", "UNKNOWN_CITY"),
        ("/api/city/nyc/zones/z9", "UNKNOWN_ZONE"),
        ("/api/city/rome/alerts", "UNKNOWN_CITY"),
    ] {
        let answer = send(&app, &format!("GET {path}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, code), "{path}");
    }
}

#[tokio::test]
async fn the_live_stream_is_paged_and_filtered() {
    let sample = Sample::new().await;
    let app = app(Some(&sample));
    let mut expected = Vec::new();
    for n in 0..25 {
        sample.take_in(vec![("nyc", Some("z0"), Time(now().0 - n * HOUR), weather(n as f64))]).await;
        expected.push(json!(n as f64));
    }
    expected.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/live-stream?topic=&zone=&since=&limit=10&cursor=".to_owned());
    for page in 0.. {
        let body = send(&app, &format!("GET {path}")).await.body;
        seen.extend(body["items"].as_array().unwrap().iter().map(|item| item["payload"]["temperature_c"].clone()));
        sample.take_in(vec![("laquila", Some("z0"), now(), weather(-1.0))]).await;
        let Some(next) = body["next"].as_str() else {
            assert_eq!(page, 2);
            break;
        };
        path = format!("/api/live-stream?limit=10&cursor={next}");
    }
    assert_eq!(seen, expected);

    let body = send(&app, "GET /api/live-stream?limit=1&city=nyc").await.body;
    let mut item = body["items"][0].clone();
    for field in ["ts", "ingested_at"] {
        assert!(item[field].take().is_string(), "{field}");
    }
    assert_eq!(
        item,
        json!({"topic": "aqi_stream", "ts": null, "ingested_at": null, "source": "open-meteo", "city_id": "nyc",
            "zone_id": "z0", "payload": {"type": "weather", "temperature_c": 24.0, "humidity_pct": 60.0}})
    );
    let count = async |query: &str| {
        send(&app, &format!("GET /api/live-stream?{query}")).await.body["items"].as_array().unwrap().len()
    };
    assert_eq!(count("city=laquila").await, 3);
    assert_eq!(count("topic=traffic_events").await, 0);
    assert_eq!(count("topic=aqi_stream&zone=z0&city=nyc").await, 25);
    assert_eq!(count("zone=z1").await, 0);
    // A time with a `+` that nobody encoded.
    let since = Time(now().0 - 5 * HOUR - HOUR / 2).to_string().replace('Z', "+00:00");
    assert_eq!(count(&format!("city=nyc&since={since}")).await, 6);
    for (query, named) in [
        (
            "topic=aqi",
            "`topic` is \"aqi\"; accepted: aqi_stream, power_demand, traffic_events, grid_alerts, incident_text",
        ),
        ("since=yesterday", "`since` is \"yesterday\"; accepted: an RFC 3339 time"),
        ("limit=0", "`limit` is \"0\"; accepted: a whole number from 1 to 100"),
        ("limit=101", "`limit` is \"101\""),
        ("limit=ten", "`limit` is \"ten\""),
        ("cursor=12", "`cursor` is \"12\""),
    ] {
        let answer = send(&app, &format!("GET /api/live-stream?{query}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "BAD_PARAMETER"), "{query}");
        assert!(answer.body["error"]["message"].as_str().unwrap().starts_with(named), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn alerts_are_listed() {
    let sample = Sample::new().await;
    let app = app(Some(&sample));
    let (open, mut cleared) = (alert("aqi", "z0", Time(now().0 - 1000)), alert("heat", "z1", now()));
    (cleared.status, cleared.cleared_at) = (AlertStatus::Cleared, Some(now()));
    for alert in [&open, &cleared] {
        sample.put_alert(alert).await;
    }
    let rules = async |query: &str| {
        let body = send(&app, &format!("GET /api/city/nyc/alerts{query}")).await.body;
        assert_eq!(body["cityId"], "nyc");
        body["alerts"].as_array().unwrap().iter().map(|alert| alert["rule"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(rules("").await, ["aqi"]);
    assert_eq!(rules("?status=CLEARED").await, ["heat"]);
    assert_eq!(rules("?status=OPEN,CLEARED").await, ["heat", "aqi"]);
    assert_eq!(rules("?status=OPEN,CLEARED&limit=1").await, ["heat"]);
    assert_eq!(rules("?zone=z1").await, [] as [Value; 0]);
    let wrong = send(&app, "GET /api/city/nyc/alerts?status=open").await;
    assert_eq!((wrong.status, wrong.code()), (StatusCode::BAD_REQUEST, "BAD_PARAMETER"));
}

const READS: [&str; 5] = [
    "GET /api/city/current",
    "GET /api/live-stream",
    "GET /api/city/nyc/zones",
    "GET /api/city/nyc/zones/z0",
    "GET /api/city/nyc/alerts",
];
const CHANGES: [&str; 2] = ["POST /api/city/select/nyc", "POST /api/city/process/from-kafka?city=nyc&wait=true"];

#[tokio::test]
async fn without_city_live_or_its_archive_each_path_says_so() {
    let down = Sample::down();
    for (app, code) in [(app(None), "CITY_LIVE_OFF"), (app(Some(&down)), "CITY_LIVE_DOWN")] {
        for line in READS.iter().chain(&CHANGES) {
            let answer = send(&app, line).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, code), "{line}");
            assert_eq!(answer.headers["retry-after"], "1", "{line}");
        }
    }
}

#[tokio::test]
async fn changes_need_the_token_and_reads_do_not() {
    let sample = Sample::new().await;
    let (mut http, graphql) = settings();
    http.admin_token = Some("secret".into());
    let app = AppState { city_live: Some(Arc::clone(&sample.live)), ..state(http, graphql, &Seen::default()) };
    for line in CHANGES {
        let answer = send(&app, line).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"), "{line}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{line}");
    }
    assert_eq!(sample.archive().selection().await.unwrap(), None);
    assert_eq!(send(&app, "GET /api/city/nyc/zones").await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_methods_are_refused_and_the_city_file_stays_where_it_was() {
    let sample = Sample::new().await;
    let app = app(Some(&sample));
    for line in [
        "POST /api/live-stream",
        "GET /api/city/select/nyc",
        "GET /api/city/process/from-kafka",
        "PUT /api/city/current",
    ] {
        let answer = send(&app, line).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"), "{line}");
    }
    assert_eq!(send(&app, "PUT /api/city").await.body, json!({"bytes": 0}), "the twin's own import");
}
