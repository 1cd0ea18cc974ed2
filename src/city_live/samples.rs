//! A small City Live for tests of what stands on it: two cities over an embedded archive in a folder of its own.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;

pub use super::clock::{HOUR_MS as HOUR, now};
use super::{
    CityLive, Process,
    archive::{
        Alert, AlertStatus, Anomaly, Archive, CallEntry, EmbeddedArchive, FeatureHour, FeedItem, Forecast,
        ForecastHour, Freshness, InputFreshness, Intake, Lease, ModelOutput, Processed, ProcessedZone, Raw311, RawKind,
        RawValue, Recommendation, Risk, RiskPart, Severity,
    },
    catalogue::{Calls311, LiveCity, Polygon, Zone},
    features::Features,
    message::{Aqi, Call311, GridAlert, GridAlertKind, Payload, PowerDemand, Traffic, Weather},
    process::{History, Made},
};
use crate::twin::{geo::Position, time::Time};

/// City Live under test. This instance holds the lease.
pub struct Sample {
    pub live: Arc<CityLive>,
    pub token: i64,
    seq: AtomicI64,
    _folder: tempfile::TempDir,
}

/// `main` does this; here the first test that needs a client.
pub fn with_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The city `id` with the zones `z0`, `z1`, …; `z0` has a shape and covers the twin's district `centro`.
pub fn city(id: &str, zones: usize) -> LiveCity {
    let zone = |at: usize| {
        let (latitude, longitude) = (40.0 + at as f64 / 100.0, -73.0);
        let corner = |north: f64, east: f64| Position { latitude: latitude + north, longitude: longitude + east };
        let ring = vec![corner(-0.1, -0.1), corner(-0.1, 0.1), corner(0.1, 0.1), corner(-0.1, -0.1)];
        Zone {
            id: format!("z{at}"),
            name: format!("Zone {at}"),
            centre: Position { latitude, longitude },
            shape: if at == 0 { vec![Polygon { outer: ring, holes: Vec::new() }] } else { Vec::new() },
            districts: if at == 0 { vec!["centro".to_owned(), "gone".to_owned()] } else { Vec::new() },
            weight: 1.0 + at as f64,
        }
    };
    LiveCity {
        id: id.to_owned(),
        name: format!("The city {id}"),
        time_zone: "America/New_York".to_owned(),
        eia_region: Some("NYIS".to_owned()),
        calls311: Some(Calls311 { dataset: "erm2-nwe9".to_owned() }),
        zones: (0..zones).map(zone).collect(),
    }
}

/// `nyc` with 3 zones, `laquila` with 2.
pub fn cities() -> Vec<LiveCity> {
    vec![city("nyc", 3), city("laquila", 2)]
}

impl Sample {
    /// The cities `nyc` (3 zones) and `laquila` (2 zones), empty.
    pub async fn new() -> Self {
        Self::with(cities()).await
    }

    pub async fn with(cities: Vec<LiveCity>) -> Self {
        Self::processed_by(cities, rules()).await
    }

    pub async fn processed_by(cities: Vec<LiveCity>, process: Process) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let archive: Arc<dyn Archive> = Arc::new(EmbeddedArchive::open(folder.path()));
        let lease = archive.lease("tests", Duration::from_secs(3600), None).await.expect("a lease");
        let Lease::Held { token } = lease else { panic!("{lease:?}") };
        let live = CityLive::new(archive, cities, Duration::from_secs(300), process);
        live.runs_under(Some(token));
        Self { live, token, seq: AtomicI64::new(0), _folder: folder }
    }

    /// City Live over an archive that does not answer: where its file should be there is a folder.
    pub fn down() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("city-live.db")).expect("a folder");
        let archive = Arc::new(EmbeddedArchive::open(folder.path()));
        let live = CityLive::new(archive, vec![city("nyc", 3)], Duration::from_secs(300), rules());
        live.runs_under(Some(1));
        Self { live, token: 1, seq: AtomicI64::new(0), _folder: folder }
    }

    pub fn archive(&self) -> &dyn Archive {
        &**self.live.archive()
    }

    /// Takes messages in, as the consumer does. Gives their rows.
    pub async fn take_in(&self, messages: Vec<(&str, Option<&str>, Time, Payload)>) -> Vec<FeedItem> {
        let mut intake = Intake::default();
        for (city, zone, ts, payload) in messages {
            let seq = self.seq.fetch_add(1, Ordering::SeqCst) + 1;
            let (city_id, zone_id) = (city.to_owned(), zone.map(str::to_owned));
            let source = source(&payload).to_owned();
            if RawKind::of(&payload).is_some() {
                intake.raw.push(RawValue {
                    city_id: city_id.clone(),
                    zone_id: zone_id.clone(),
                    ts,
                    source: source.clone(),
                    ingested_at: now(),
                    payload: payload.clone(),
                });
            }
            if let Payload::Call311(call) = &payload {
                intake.calls.push(Raw311 {
                    city_id: city_id.clone(),
                    zone_id: zone_id.clone(),
                    ts,
                    source: source.clone(),
                    by_type: BTreeMap::from([(call.complaint_type.clone(), 1)]),
                    calls: vec![CallEntry { ts, call: call.clone() }],
                });
            }
            let topic = payload.topic().name().to_owned();
            let ingested_at = now();
            let key = format!("{topic}/{seq}");
            intake.items.push(FeedItem { seq, key, topic, ts, ingested_at, source, payload, city_id, zone_id });
        }
        self.archive().take_in(self.token, &intake).await.expect("the archive takes it");
        self.live.wrote();
        intake.items
    }

    /// One value of each kind in the zone `z0`, and power demand and a grid alert of the whole city.
    pub async fn fill(&self, city: &str) {
        let ts = Time(now().0 - 60_000);
        let zone = Some("z0");
        self.take_in(vec![
            (city, zone, ts, weather(21.5)),
            (city, zone, ts, Payload::Aqi(Aqi { us_aqi: Some(42.0), pm2_5_ugm3: Some(8.5), ..Aqi::default() })),
            (city, zone, ts, traffic()),
            (city, None, ts, power()),
            (city, None, ts, grid_alert()),
            (city, zone, ts, call("c1")),
        ])
        .await;
    }

    /// Writes an alert, as a run does.
    pub async fn put_alert(&self, alert: &Alert) {
        let zones = self.archive().processed(&alert.city_id).await.expect("zones");
        let processed =
            Processed { city_id: alert.city_id.clone(), zones, alerts: vec![alert.clone()], ..Processed::default() };
        self.archive().put_processed(self.token, &processed).await.expect("the archive takes it");
        self.live.wrote();
    }
}

fn source(payload: &Payload) -> &'static str {
    match payload {
        Payload::Weather(_) | Payload::Aqi(_) => "open-meteo",
        Payload::Traffic(_) => "tomtom-simulated",
        Payload::PowerDemand(_) | Payload::GridAlert(_) => "eia",
        Payload::Call311(_) => "socrata",
    }
}

pub fn weather(temperature: f64) -> Payload {
    Payload::Weather(Weather { temperature_c: Some(temperature), humidity_pct: Some(60.0), ..Weather::default() })
}

fn traffic() -> Payload {
    Payload::Traffic(Traffic {
        current_speed_kmh: 20.0,
        free_flow_speed_kmh: 50.0,
        current_travel_time_s: Some(90.0),
        free_flow_travel_time_s: Some(36.0),
        confidence: Some(0.9),
        road_closure: false,
    })
}

fn power() -> Payload {
    Payload::PowerDemand(PowerDemand {
        region: "NYIS".to_owned(),
        demand_mwh: Some(17_000.0),
        forecast_mwh: Some(16_500.0),
    })
}

fn grid_alert() -> Payload {
    Payload::GridAlert(GridAlert {
        kind: GridAlertKind::AboveForecast,
        region: "NYIS".to_owned(),
        demand_mwh: 17_000.0,
        reference_mwh: 15_000.0,
        excess_pct: 13.3,
    })
}

pub fn call(id: &str) -> Payload {
    Payload::Call311(Call311 {
        call_id: id.to_owned(),
        complaint_type: "Noise - Street/Sidewalk".to_owned(),
        descriptor: Some("Loud Music/Party".to_owned()),
        status: Some("Open".to_owned()),
        latitude: Some(40.7),
        longitude: Some(-73.9),
    })
}

/// An alert that is open, in the zone `zone` of `nyc`.
pub fn alert(rule: &str, zone: &str, raised_at: Time) -> Alert {
    Alert {
        alert_id: format!("nyc/{zone}/{rule}/{}", raised_at.0),
        city_id: "nyc".to_owned(),
        zone_id: Some(zone.to_owned()),
        rule: rule.to_owned(),
        severity: Severity::Warning,
        status: AlertStatus::Open,
        reason: "the AQI is 160; the rule warns at 150".to_owned(),
        raised_at,
        updated_at: raised_at,
        acknowledged_at: None,
        cleared_at: None,
    }
}

/// Rules for tests: the temperature is the risk of each zone that has one, and 10 of each that has none.
fn rules() -> Process {
    Arc::new(|archive, city, job| {
        async move {
            let weather = archive.raw(&city.id, RawKind::Weather).await?;
            let mut processed = Processed { city_id: city.id.clone(), ..Processed::default() };
            for zone in &city.zones {
                let value = weather.iter().find(|value| value.zone_id.as_ref() == Some(&zone.id));
                let temperature = value.and_then(|value| match &value.payload {
                    Payload::Weather(weather) => weather.temperature_c,
                    _ => None,
                });
                let score = temperature.unwrap_or(10.0);
                let features: Features = temperature.map(|value| ("temperature_c", value)).into_iter().collect();
                let hour = Time(job.now.0 / HOUR * HOUR);
                let hours = vec![ForecastHour { ts: hour, value: score, low: score - 1.0, high: score + 1.0 }];
                processed.features.push(FeatureHour {
                    city_id: city.id.clone(),
                    zone_id: Some(zone.id.clone()),
                    hour,
                    values: features.clone(),
                });
                processed.outputs.push(ModelOutput {
                    city_id: city.id.clone(),
                    zone_id: zone.id.clone(),
                    model: "heuristic".to_owned(),
                    version: "1".to_owned(),
                    ts: job.now,
                    unit: "MWh".to_owned(),
                    hours: hours.clone(),
                    ran: "local".to_owned(),
                    error: Some(0.08),
                    error_hours: 48,
                    chosen: true,
                    problem: None,
                });
                let reason = format!("{score} °C");
                processed.zones.push(ProcessedZone {
                    city_id: city.id.clone(),
                    zone_id: zone.id.clone(),
                    name: zone.name.clone(),
                    run_id: job.run_id.clone(),
                    processed_at: job.now,
                    features,
                    forecast: Some(Forecast { model: "heuristic".to_owned(), hours, reason: reason.clone() }),
                    anomalies: vec![Anomaly {
                        feature: "temperature_c".to_owned(),
                        value: score,
                        mean: 10.0,
                        deviation: 2.0,
                        z: (score - 10.0) / 2.0,
                        samples: 48,
                        anomalous: score > 16.0,
                    }],
                    risk: Risk {
                        score,
                        level: if score < 20.0 { "low" } else { "moderate" }.to_owned(),
                        parts: vec![RiskPart {
                            name: "weather".to_owned(),
                            score,
                            weight: 1.0,
                            reason: reason.clone(),
                        }],
                    },
                    recommendations: vec![Recommendation {
                        rule: "drink".to_owned(),
                        priority: 1,
                        text: "Drink water".to_owned(),
                        reason,
                    }],
                    freshness: vec![InputFreshness {
                        input: "weather".to_owned(),
                        state: value.map_or(Freshness::Missing, |_| Freshness::Fresh),
                        ts: value.map(|value| value.ts),
                        age_s: value.map(|value| (job.now.0 - value.ts.0) / 1000),
                        limit_s: 3600,
                    }],
                    simulated: false,
                });
            }
            Ok(Made { processed, history: History::new(&city.id, 0, 0) })
        }
        .boxed()
    })
}
