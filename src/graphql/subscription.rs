//! Subscriptions: first what is, then what changes. What they follow is in [`crate::live`].

mod batch;
mod dashboard;
mod item;
mod kinds;
mod start;
mod state;
mod twin;
mod twin_batch;
mod written;

#[cfg(test)]
mod tests;

use async_graphql::MergedSubscription;

use super::city_live::CityLiveSubscription;

pub(super) use start::{hub, interval, running};
pub(super) use twin::level;

/// What can be followed. Each subscription gives first what is and then what changes, with no gap between, so that no
/// query is needed beside it. Whoever reads slowly gets fewer, later, merged changes, and always the last value.
#[derive(MergedSubscription, Default)]
pub struct Subscription(
    twin::TwinSubscription,
    kinds::KindSubscriptions,
    dashboard::DashboardSubscription,
    state::StateSubscription,
    CityLiveSubscription,
);
