//! What was, as charts take it.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Object, Result, SimpleObject};

use super::source::failed;
use crate::{city_live::board::Board, graphql::scalar::DateTime, twin::time::Time};

/// What a zone (`None`: the whole city) was from a moment on.
pub struct LiveHistory {
    pub board: Arc<Board>,
    pub zone: Option<String>,
    pub since: Time,
}

/// Times and values of the same length, ascending in time: columns, as charts take them.
#[derive(SimpleObject, Default)]
pub struct LiveSeries {
    /// What it is of.
    pub name: String,
    /// When.
    pub times: Vec<DateTime>,
    /// What, in the unit that the name tells.
    pub values: Vec<f64>,
}

/// Series by name, made point by point in the order of time.
#[derive(Default)]
pub struct Series(BTreeMap<String, LiveSeries>);

impl Series {
    /// One more point of a series.
    pub fn add(&mut self, name: &str, at: Time, value: f64) {
        let series = match self.0.get_mut(name) {
            Some(series) => series,
            None => self.0.entry(name.to_owned()).or_insert(LiveSeries { name: name.to_owned(), ..Default::default() }),
        };
        series.times.push(DateTime(at));
        series.values.push(value);
    }

    /// All of them, in the order of their names.
    pub fn into_list(self) -> Vec<LiveSeries> {
        self.0.into_values().collect()
    }
}

/// What was.
#[Object]
impl LiveHistory {
    /// Its features by the hour (the latest of each hour), one series for each, in the order of their names.
    #[graphql(complexity = "10 + 20 * child_complexity")]
    async fn features(
        &self,
        #[graphql(desc = "Only these, by their names; all where it is absent. Unknown ones are left out.")]
        names: Option<Vec<String>>,
    ) -> Result<Vec<LiveSeries>> {
        let board = &self.board;
        let hours = board.archive().features(&board.city.id, self.zone.as_deref(), self.since).await.map_err(failed)?;
        let mut series = Series::default();
        for hour in hours.iter().filter(|hour| hour.zone_id == self.zone) {
            for (name, value) in hour.values.iter() {
                if names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name)) {
                    series.add(name, hour.hour, value);
                }
            }
        }
        Ok(series.into_list())
    }

    /// Its risk at each run, 0 to 100: first `score`, then a series for each part that was known. Empty for the whole city.
    #[graphql(complexity = "10 + 6 * child_complexity")]
    async fn risk(&self) -> Result<Vec<LiveSeries>> {
        let Some(zone) = &self.zone else { return Ok(Vec::new()) };
        let board = &self.board;
        let scores = board.archive().risk_scores(&board.city.id, zone, self.since).await.map_err(failed)?;
        let (mut whole, mut parts) = (Series::default(), Series::default());
        for score in &scores {
            whole.add("score", score.ts, score.score);
            for (name, value) in &score.parts {
                parts.add(name, score.ts, *value);
            }
        }
        let mut series = whole.into_list();
        series.extend(parts.into_list());
        Ok(series)
    }
}
