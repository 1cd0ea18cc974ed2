//! Power demand from EIA: `GET /v2/electricity/rto/region-data/data/`, <https://www.eia.gov/opendata/documentation.php>. With a
//! key. One call for each city: demand (`D`) and EIA's day-ahead forecast of it (`DF`) of its region, hour by hour.
//!
//! Values are texts; a `period` is an hour of UTC, which the reply does not say either. An hour is told once its demand is
//! known: what is deduplicated by its hour could not be corrected afterwards.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use reqwest::Url;

use super::{
    Ask, Feed, FeedId, ReadError, Request,
    read::{Place, json, utc},
    request::{endpoint, with_parameters},
};
use crate::{
    city_live::{
        catalogue::LiveCity,
        clock::HOUR_MS,
        message::{GridAlert, GridAlertKind, Message, Payload, PowerDemand},
    },
    config::{CityLiveConfig, ConfigError, Secret},
    twin::time::Time,
};

/// How far back it asks: three days give a forecast something to stand on, and a late hour time to appear.
const WINDOW_MS: i64 = 72 * HOUR_MS;

/// The feed `eia`.
pub struct Eia {
    url: Url,
    key: Secret,
    source: String,
    margin_pct: f64,
}

/// One hour as EIA has it, MWh.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Hour {
    demand: Option<f64>,
    forecast: Option<f64>,
}

impl Eia {
    /// As the settings have it; `None` without a key.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(config: &CityLiveConfig, simulated: bool) -> Result<Option<Self>, ConfigError> {
        let Some(key) = config.eia_api_key.clone() else { return Ok(None) };
        // Without the last slash it answers with a redirect.
        let url = endpoint("EIA_URL", &config.eia_url, "/v2/electricity/rto/region-data/data/")?;
        let margin_pct = f64::from(config.grid_alert_margin_pct);
        Ok(Some(Self { url, key, source: FeedId::Eia.source_of(simulated), margin_pct }))
    }
}

impl Feed for Eia {
    fn id(&self) -> FeedId {
        FeedId::Eia
    }

    fn serves(&self, city: &LiveCity) -> bool {
        city.eia_region.is_some()
    }

    fn request(&self, ask: &Ask<'_>) -> Option<Request> {
        let region = ask.city.eia_region.as_deref()?;
        let start = Time(ask.now.0 - WINDOW_MS).to_string();
        let parameters = [
            ("api_key", self.key.expose()),
            ("frequency", "hourly"),
            ("data[0]", "value"),
            ("facets[respondent][]", region),
            ("facets[type][]", "D"),
            ("facets[type][]", "DF"),
            ("start", start.get(.."2024-04-02T07".len()).unwrap_or_default()),
            ("sort[0][column]", "period"),
            ("sort[0][direction]", "desc"),
            ("offset", "0"),
            // Three days and the forecast of the next two, twice over.
            ("length", "500"),
        ];
        Some(Request::keyed(with_parameters(&self.url, parameters), &self.key))
    }

    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError> {
        let Some(region) = ask.city.eia_region.as_deref() else { return Ok(Vec::new()) };
        let reply = json(body)?;
        let hours = hours(&Place::root(&reply), region)?;
        let newest = hours.iter().rev().find(|(_, hour)| hour.demand.is_some()).map(|(ts, _)| *ts);
        // At first only the newest hour is news.
        let is_news = |ts: Time| ask.since.map_or(Some(ts) == newest, |since| ts > since);
        let mut messages = Vec::new();
        // All of them each time: an hour that came late is among them, and what was told already is the producer's to know.
        for (ts, hour) in hours.iter().filter(|(_, hour)| hour.demand.is_some()) {
            let demand =
                PowerDemand { region: region.to_owned(), demand_mwh: hour.demand, forecast_mwh: hour.forecast };
            messages.push(ask.message(*ts, &self.source, Payload::PowerDemand(demand)));
            if is_news(*ts)
                && let Some(alert) = alert(&hours, *ts, region, self.margin_pct, &ask.city.clock())
            {
                messages.push(ask.message(*ts, &self.source, Payload::GridAlert(alert)));
            }
        }
        Ok(messages)
    }
}

/// The hours of a region in a reply, ascending.
fn hours(root: &Place<'_>, region: &str) -> Result<BTreeMap<Time, Hour>, ReadError> {
    let mut hours: BTreeMap<Time, Hour> = BTreeMap::new();
    for row in root.at("response").at("data").entries()? {
        if row.at("respondent").text()? != region {
            continue;
        }
        let kind = row.at("type").text()?;
        if kind != "D" && kind != "DF" {
            continue;
        }
        let unit = row.at("value-units");
        if unit.optional_text()?.is_some_and(|unit| unit != "megawatthours") {
            return Err(unit.refuse("megawatthours"));
        }
        if row.at("value").is_missing() {
            return Err(row.at("value").refuse("a number, or a text that holds one"));
        }
        let hour = hours.entry(utc(row.at("period").local_time()?, 0.0)).or_default();
        let value = row.at("value").optional_decimal()?;
        if kind == "D" {
            hour.demand = value;
        } else {
            hour.forecast = value;
        }
    }
    Ok(hours)
}

/// What is out of line in an hour: demand above EIA's own forecast of that hour by more than the margin, else above the day's
/// peak: the highest that EIA's forecast has for the same local day, and that demand has had in it before. At most one for an
/// hour, since messages of one hour are one.
fn alert(hours: &BTreeMap<Time, Hour>, ts: Time, region: &str, margin_pct: f64, clock: &TimeZone) -> Option<GridAlert> {
    let hour = hours.get(&ts)?;
    let demand = hour.demand?;
    let above = |kind: GridAlertKind, reference: f64, margin_pct: f64| {
        let excess_pct = (demand - reference) / reference * 100.0;
        (reference > 0.0 && excess_pct > margin_pct).then(|| GridAlert {
            kind,
            region: region.to_owned(),
            demand_mwh: demand,
            reference_mwh: reference,
            excess_pct,
        })
    };
    let beyond_forecast = hour.forecast.and_then(|forecast| above(GridAlertKind::AboveForecast, forecast, margin_pct));
    beyond_forecast.or_else(|| {
        let day = local_day(ts, clock);
        let same_day = hours.iter().filter(|(other, _)| local_day(**other, clock) == day);
        let peak = same_day
            .flat_map(|(other, hour)| [hour.forecast, hour.demand.filter(|_| *other < ts)])
            .flatten()
            .max_by(f64::total_cmp)?;
        above(GridAlertKind::AbovePeak, peak, 0.0)
    })
}

fn local_day(ts: Time, clock: &TimeZone) -> Option<jiff::civil::Date> {
    Timestamp::from_millisecond(ts.0).ok().map(|moment| clock.to_datetime(moment).date())
}
