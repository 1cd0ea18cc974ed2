//! The dashboard as it changes.

use std::time::Duration;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, StreamExt, future::ready};

use super::start::{hub, interval, running};
use crate::{
    graphql::{
        connection::list_cost,
        dashboard::{DistrictDashboard, check_districts, dashboards},
        snapshot::Snapshot,
    },
    live,
};

/// The shortest time between two dashboards: one counts the whole city.
const SHORTEST: Duration = Duration::from_secs(1);

/// The dashboard among the subscriptions.
#[derive(Default)]
pub struct DashboardSubscription;

/// The dashboard.
#[Subscription]
impl DashboardSubscription {
    /// Follows the dashboard: first as it is, then all of it again whenever one of its numbers has changed, at least a
    /// second apart. The last one is never stale: what changes within that second comes at its end. That its ages grow
    /// is no change.
    #[graphql(complexity = "list_cost(None, child_complexity)")]
    async fn dashboard_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only these districts, by their `districtId`; all where it is absent. Unknown ones are left \
            out."
        )]
        districts: Option<Vec<String>>,
        #[graphql(
            desc = "At least so many milliseconds lie between two dashboards, in [0, 60000]; below 1000, and where it \
            is absent or null, as 1000."
        )]
        min_interval_ms: Option<i32>,
    ) -> Result<impl Stream<Item = Vec<DistrictDashboard>> + use<>> {
        check_districts(districts.as_deref())?;
        let interval = interval(min_interval_ms, SHORTEST)?.max(SHORTEST);
        let mut last: Option<Vec<String>> = None;
        let dashboards = live::views(hub(ctx)?, interval).filter_map(move |view| {
            let now = dashboards(&Snapshot::from(view), districts.as_deref());
            let shown = now.iter().map(DistrictDashboard::shown).collect();
            ready((last.as_ref() != Some(&shown)).then(|| {
                last = Some(shown);
                now
            }))
        });
        Ok(running(ctx, dashboards))
    }
}
