//! What is kept between runs is what the archive holds.

use std::collections::BTreeMap;

use super::*;
use crate::city_live::{
    HOUR_MS,
    archive::FeatureHour,
    features::Features,
    models::Models,
    process::{self, Rules},
    samples::{self, Sample},
};

/// City Live that processes by the real rules.
async fn with_rules() -> Sample {
    let models = Arc::new(Models::load(None, None).unwrap());
    let process: Process = Arc::new(move |archive, city, job| {
        let models = Arc::clone(&models);
        Box::pin(async move { process::run(&*archive, &city, job.now, &Rules::default(), &models, job.history).await })
    });
    Sample::processed_by(samples::cities(), process).await
}

fn hour(zone: Option<&str>, ago: i64, values: &[(&str, f64)]) -> FeatureHour {
    FeatureHour {
        city_id: "nyc".to_owned(),
        zone_id: zone.map(str::to_owned),
        hour: Time((now().0 / HOUR_MS - ago) * HOUR_MS),
        values: values.iter().copied().collect(),
    }
}

/// Whether there is a kept history; where there is, it is the archive's.
async fn kept(sample: &Sample) -> bool {
    let kept = sample.live.running.lock().await;
    let Some((token, history)) = &*kept else { return false };
    assert_eq!(*token, sample.token);
    let documents = sample.archive().features("nyc", None, Time(history.first() * HOUR_MS)).await.unwrap();
    let mut stored: BTreeMap<(String, i64), Features> = BTreeMap::new();
    for document in documents {
        stored.insert((document.zone_id.unwrap_or_default(), document.hour.0 / HOUR_MS), document.values);
    }
    for zone in ["", "z0", "z1", "z2"] {
        for number in history.first()..=now().0 / HOUR_MS + 1 {
            let there = stored.get(&(zone.to_owned(), number)).cloned().unwrap_or_default();
            assert_eq!(history.at(zone, number), there, "{zone} {number}");
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_that_is_kept_is_the_archives_and_goes_with_any_doubt() {
    let sample = with_rules().await;
    let (live, token) = (&sample.live, sample.token);
    let old = |hours: Vec<FeatureHour>| Intake { hours, ..Intake::default() };
    // Before the first run there is nothing to keep.
    live.take_in(token, &old((2..60).map(|ago| hour(None, ago, &[("demand_mwh", 500.0 + ago as f64)])).collect()))
        .await
        .unwrap();
    assert!(!kept(&sample).await);
    sample.fill("nyc").await;
    live.process(Some("nyc"), true).await.unwrap();
    assert!(kept(&sample).await);
    // What comes in is put into it: over a value, beside one, in a new hour, of another city.
    let mut elsewhere = hour(Some("z1"), 3, &[("us_aqi", 9.0)]);
    elsewhere.city_id = "laquila".to_owned();
    let late = [
        hour(None, 4, &[("demand_mwh", 1.5)]),
        hour(None, 5, &[("forecast_mwh", 2.5)]),
        hour(Some("z1"), 3, &[("demand_mwh", 3.5)]),
        hour(Some("z1"), 3, &[("us_aqi", 4.5)]),
        elsewhere,
    ];
    live.take_in(token, &old(late.to_vec())).await.unwrap();
    assert!(kept(&sample).await);
    let expected = [("demand_mwh", 3.5), ("us_aqi", 4.5)].into();
    assert_eq!(live.running.lock().await.as_ref().unwrap().1.at("z1", now().0 / HOUR_MS - 3), expected);
    live.process(Some("nyc"), true).await.unwrap();
    assert!(kept(&sample).await);
    // The next run sees what came in, as one does that reads it all anew.
    let seen = live.archive().processed("nyc").await.unwrap();
    live.running.lock().await.take();
    live.process(Some("nyc"), true).await.unwrap();
    let anew = live.archive().processed("nyc").await.unwrap();
    for (seen, anew) in seen.iter().zip(&anew) {
        assert_eq!((&seen.features, &seen.anomalies, &seen.risk), (&anew.features, &anew.anomalies, &anew.risk));
    }
    // What was not written may stand there all the same.
    assert!(kept(&sample).await);
    assert!(live.take_in(token + 1, &old(vec![hour(None, 6, &[("demand_mwh", 7.5)])])).await.is_err());
    assert!(!kept(&sample).await);
    live.process(Some("nyc"), true).await.unwrap();
    assert!(kept(&sample).await);
    // A run of another city keeps that one's.
    sample.fill("laquila").await;
    live.process(Some("laquila"), true).await.unwrap();
    assert_eq!(live.running.lock().await.as_ref().unwrap().1.at("z1", now().0 / HOUR_MS - 3)["us_aqi"], 9.0);
}
