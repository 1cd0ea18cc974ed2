//! What models say.

use async_graphql::Object;

use super::{
    processed::LiveForecastHour,
    source::{age, int},
};
use crate::{city_live::archive::ModelOutput, graphql::scalar::DateTime};

/// A model's output for a zone.
pub struct LiveModelOutput(pub ModelOutput);

/// A model's output for a zone, made when the zone was processed.
#[Object]
impl LiveModelOutput {
    /// The `cityId` of the city.
    async fn city_id(&self) -> &str {
        &self.0.city_id
    }

    /// The `zoneId` of the zone.
    async fn zone_id(&self) -> &str {
        &self.0.zone_id
    }

    /// The model's name: `heuristic`, or as its manifest has it.
    async fn model(&self) -> &str {
        &self.0.model
    }

    /// The model's version.
    async fn version(&self) -> &str {
        &self.0.version
    }

    /// When it was made.
    async fn ts(&self) -> DateTime {
        DateTime(self.0.ts)
    }

    /// How many seconds that is behind the server's clock.
    async fn age_seconds(&self) -> i32 {
        age(self.0.ts)
    }

    /// What its values are in, such as `MWh`.
    async fn unit(&self) -> &str {
        &self.0.unit
    }

    /// What it says, ascending in time; empty where there is a `problem`.
    #[graphql(complexity = "1 + 24 * child_complexity")]
    async fn hours(&self) -> Vec<LiveForecastHour> {
        self.0.hours.iter().map(LiveForecastHour::from).collect()
    }

    /// Where it ran: `local` or `remote`.
    async fn ran(&self) -> &str {
        &self.0.ran
    }

    /// Its error on this city's own history: the mean absolute error as a share of the mean, without a unit. Null where
    /// there is too little history.
    async fn error(&self) -> Option<f64> {
        self.0.error
    }

    /// Of how many hours that error is.
    async fn error_hours(&self) -> i32 {
        int(self.0.error_hours)
    }

    /// Whether it is the one whose forecast counts in this city.
    async fn chosen(&self) -> bool {
        self.0.chosen
    }

    /// Why there is no output, where there is none.
    async fn problem(&self) -> Option<&str> {
        self.0.problem.as_deref()
    }
}
