//! A processing run: what the archive holds, what the models say of it, and what is made of both.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{
    backtest::{Compared, compare},
    history::History,
    job::{Demand, Inputs, ModelRun, last_hour, process},
    rules::Rules,
    series::{Calendar, HOUR_MS, Series, hour_number, hour_start},
};
use crate::{
    city_live::{
        archive::{AlertQuery, AlertStatus, Archive, ArchiveError, FeedQuery, Processed, RawKind},
        catalogue::LiveCity,
        message::LiveTopic,
        models::{Model, Models, Window},
    },
    twin::time::Time,
};

/// Rows of `power_demand` of the last days that a run reads: a week of hours, several times over.
const POWER_ROWS: usize = 5000;
/// Rows of `grid_alerts` that a run reads.
const GRID_ROWS: usize = 500;
/// Alerts that are not cleared: far more than a city of 1,000 zones can have.
const ALERTS: usize = 100_000;
/// How far back rows of the feed are read. What is older is in `features_hourly`.
const FEED_MS: i64 = 72 * HOUR_MS;

/// What a run made.
#[derive(Debug)]
pub struct Made {
    /// To be written.
    pub processed: Processed,
    /// What it read, for the next run once `processed` is written and put into it.
    pub history: History,
}

/// Processes a city as it stands at `now`. Only reads: the caller writes what comes back with [`Archive::put_processed`]. The history is
/// read where the `kept` one is not the one that is needed.
///
/// # Errors
/// Those of the archive. A model that fails is no error: its output says why there is none.
pub async fn run(
    archive: &dyn Archive,
    city: &LiveCity,
    now: Time,
    rules: &Rules,
    models: &Arc<Models>,
    kept: Option<History>,
) -> Result<Made, ArchiveError> {
    let inputs = read(archive, city, now, rules, kept).await?;
    let (city, rules, models, runtime) = (city.clone(), rules.clone(), Arc::clone(models), Handle::current());
    blocking(move || {
        let demand = Demand::new(&city, &inputs, now, &rules);
        let runs = runtime.block_on(ask(&models, &demand, &rules));
        let processed = process(&city, &inputs, &demand, &runs, now, &rules);
        Made { processed, history: inputs.history }
    })
    .await
}

/// Does what takes a good part of a second for a thousand zones, not on a thread that serves others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ArchiveError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(made) => Ok(made),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => {
            Err(ArchiveError::Unavailable { archive: "processing", message: "the server is stopping".to_owned() })
        }
    }
}

/// Reads what a run needs.
async fn read(
    archive: &dyn Archive,
    city: &LiveCity,
    now: Time,
    rules: &Rules,
    kept: Option<History>,
) -> Result<Inputs, ArchiveError> {
    let id = city.id.as_str();
    let query = |topic, limit| FeedQuery {
        city_id: Some(id.to_owned()),
        topic: Some(topic),
        since: Some(Time(now.0 - FEED_MS)),
        limit,
        ..FeedQuery::default()
    };
    let (power, grid) = (query(LiveTopic::PowerDemand, POWER_ROWS), query(LiveTopic::GridAlerts, GRID_ROWS));
    let alerts = AlertQuery {
        city_id: id.to_owned(),
        zone_id: None,
        status: vec![AlertStatus::Open, AlertStatus::Acknowledged],
        limit: ALERTS,
    };
    let (calls, power, grid, history, alerts) = tokio::try_join!(
        archive.calls(id),
        archive.feed(&power),
        archive.feed(&grid),
        history(archive, id, now, rules, kept),
        archive.alerts(&alerts),
    )?;
    let mut raw = Vec::new();
    for kind in RawKind::ALL {
        raw.extend(archive.raw(id, kind).await?);
    }
    let mut feed = power;
    feed.extend(grid);
    Ok(Inputs { raw, calls, feed, history, alerts })
}

/// The kept history, moved on to `now`, or else the archive's.
async fn history(
    archive: &dyn Archive,
    city_id: &str,
    now: Time,
    rules: &Rules,
    kept: Option<History>,
) -> Result<History, ArchiveError> {
    let (first, last) = (hour_number(now) - i64::from(rules.forecast.history_days) * 24, last_hour(now));
    if let Some(kept) = kept.and_then(|kept| kept.moved(city_id, first, last)) {
        return Ok(kept);
    }
    let (documents, city_id) = (archive.features(city_id, None, hour_start(first)).await?, city_id.to_owned());
    blocking(move || History::of(&city_id, first, last, &documents)).await
}

/// Asks every model about every demand series: the city's, and that of each zone that has its own.
pub async fn ask(models: &Models, demand: &Demand<'_>, rules: &Rules) -> Vec<ModelRun> {
    let mut runs = Vec::new();
    for model in models.list() {
        let compared = compared(model, demand, rules);
        let of_city = (None, &demand.city);
        let own = demand.own.iter().map(|(zone, series)| (Some((*zone).to_owned()), series));
        for (zone_id, series) in std::iter::once(of_city).chain(own) {
            runs.push(one(models, model, zone_id, series, &demand.calendar, compared).await);
        }
    }
    runs
}

async fn one(
    models: &Models,
    model: &Model,
    zone_id: Option<String>,
    series: &Series,
    calendar: &Calendar,
    compared: Option<Compared>,
) -> ModelRun {
    let manifest = model.manifest();
    // A normal distribution's deviation is 1.25 times its mean absolute error.
    let deviation = 1.25 * compared.map_or(manifest.metrics.homes.model, |compared| compared.model);
    let mut run = ModelRun {
        model: manifest.name.clone(),
        version: manifest.version.clone(),
        unit: manifest.unit.clone(),
        zone_id,
        ran: "local".to_owned(),
        hours: Vec::new(),
        deviation,
        compared,
        problem: None,
    };
    let Some(last) = series.last() else {
        run.problem = Some("no power demand is known here: no feed gives it".to_owned());
        return run;
    };
    let Some(window) = window(model, series, calendar, last) else {
        run.problem = Some(format!(
            "the model needs {} hours of demand on end (one in twenty may be missing) before {}",
            manifest.input.length,
            hour_start(last + 1)
        ));
        return run;
    };
    let (answer, ran) = models.predict(model, &window).await;
    run.ran = ran.to_owned();
    match answer {
        Ok(values) => run.hours = (last + 1..).map(hour_start).zip(values).collect(),
        Err(error) => run.problem = Some(error.to_string()),
    }
    run
}

/// The model against the heuristic on the city's own history. Always by the local model: it is the same one.
fn compared(model: &Model, demand: &Demand<'_>, rules: &Rules) -> Option<Compared> {
    let series = &demand.reference;
    compare(series, &demand.city_temperature, &demand.calendar, &rules.forecast, |issue| {
        model.predict(&window(model, series, &demand.calendar, issue)?).ok()
    })
}

/// What a model is given to say what follows the hour `last`.
pub fn window(model: &Model, series: &Series, calendar: &Calendar, last: i64) -> Option<Window> {
    let values = series.window(last, model.manifest().input.length)?;
    let first = last + 1;
    let weekend = [0, 24, 48].map(|ahead| calendar.is_weekend(first + ahead));
    Some(Window { values, hour: calendar.hour_of_day(first), weekend })
}
