//! The city as a whole.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    graphql::{
        lists::{CityLists, EmergencyServices, PublicTransport},
        scalar::DateTime,
        snapshot::Snapshot,
    },
    publish::Chain,
};

/// The city as a whole, at one moment.
pub struct City(pub Snapshot);

/// The city as a whole, at the moment of the request.
#[Object]
impl City {
    /// `city/<cityId>`, its part percent-encoded.
    async fn id(&self) -> ID {
        ID(format!("city/{}", utf8_percent_encode(&self.0.city_id, NON_ALPHANUMERIC)))
    }

    /// The id of the city, as set by `CITY_ID` or the city file.
    async fn city_id(&self) -> &str {
        &self.0.city_id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The newest boundary that was published on the state topics; null before the first. What the other fields tell
    /// may be newer.
    async fn timestamp(&self, ctx: &Context<'_>) -> Option<DateTime> {
        let (_, timestamp) = *ctx.data_opt::<Arc<Chain>>()?.newest().borrow();
        (timestamp.0 > 0).then_some(DateTime(timestamp))
    }

    #[graphql(flatten)]
    async fn lists(&self) -> CityLists {
        CityLists(self.0.clone())
    }

    /// Its buses and stations.
    async fn public_transport(&self) -> PublicTransport {
        PublicTransport(self.0.clone())
    }

    /// Its incidents and emergency units.
    async fn emergency_services(&self) -> EmergencyServices {
        EmergencyServices(self.0.clone())
    }
}
