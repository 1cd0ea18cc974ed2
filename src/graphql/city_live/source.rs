//! Where the resolvers of City Live get what they answer.

use std::{borrow::Borrow, sync::Arc};

use async_graphql::{Context, Error, Result};

use crate::{
    city_live::{
        CityLive, OperationError,
        archive::{ArchiveError, Selection},
        board::Board,
        catalogue::LiveCity,
        now,
    },
    graphql::error::coded,
    twin::{json::cut, time::Time},
};

/// City Live, where this server runs it.
pub fn running<'a>(ctx: &Context<'a>) -> Option<&'a Arc<CityLive>> {
    ctx.data_opt()
}

/// City Live.
///
/// # Errors
/// `CITY_LIVE_OFF` where this server runs without it.
pub fn live<'a>(ctx: &Context<'a>) -> Result<&'a Arc<CityLive>> {
    running(ctx).ok_or_else(|| coded("CITY_LIVE_OFF", "this server runs without City Live"))
}

/// Why the archive did not give what was asked for, as clients see it.
pub fn failed(error: impl Borrow<ArchiveError>) -> Error {
    match error.borrow() {
        error @ ArchiveError::Unavailable { .. } => coded("CITY_LIVE_DOWN", error.to_string()),
        error @ ArchiveError::Fenced => coded("NOT_WRITER", error.to_string()),
        error => {
            tracing::error!(%error, "City Live's archive");
            coded("INTERNAL_SERVER_ERROR", error.to_string())
        }
    }
}

/// Why City Live did not do what it was asked, as clients see it.
pub fn not_done(live: &CityLive, error: &OperationError) -> Error {
    match error {
        OperationError::UnknownCity { id } => unknown_city(live, id),
        OperationError::NoCity => coded("UNKNOWN_CITY", "no city was chosen yet: `selectCity` chooses one"),
        OperationError::NotRunner => coded("NOT_WRITER", "another instance runs City Live"),
        OperationError::Archive(error) => failed(error),
    }
}

/// Whole seconds from a moment until now; 0 for what is yet to come.
pub fn age(since: Time) -> i32 {
    i32::try_from((now().0 - since.0).max(0) / 1000).unwrap_or(i32::MAX)
}

/// Whether what a source says is simulated.
pub fn is_simulated(source: &str) -> bool {
    source.ends_with("-simulated")
}

/// A count as GraphQL's `Int`.
pub fn int(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// The city that a subscription looks at: a certain one, or the chosen one, whichever that is.
pub struct Watched {
    pub live: Arc<CityLive>,
    city: Option<Arc<LiveCity>>,
}

impl Watched {
    /// The city of that id; the chosen one where there is no id.
    ///
    /// # Errors
    /// `UNKNOWN_CITY` where the catalogue has none of that id.
    pub fn new(live: &Arc<CityLive>, city_id: Option<String>) -> Result<Self> {
        let find = |id: String| live.city(&id).cloned().ok_or_else(|| unknown_city(live, &id));
        Ok(Self { live: Arc::clone(live), city: city_id.map(find).transpose()? })
    }

    /// The city as it was at that revision, or later, and what is chosen; `None` where nothing is.
    pub async fn board(&self, revision: i64) -> Result<Option<(Arc<Board>, Option<Selection>)>> {
        let selection = self.live.archive().selection().await.map_err(failed)?;
        let chosen = || self.live.city(&selection.as_ref()?.city_id);
        let Some(city) = self.city.as_ref().or_else(chosen) else { return Ok(None) };
        Ok(Some((self.live.boards().at(city, revision), selection)))
    }
}

/// `UNKNOWN_CITY`: the catalogue has none of that id.
pub fn unknown_city(live: &CityLive, id: &str) -> Error {
    let known: Vec<_> = live.cities().iter().map(|city| city.id.as_str()).collect();
    coded("UNKNOWN_CITY", format!("the catalogue has no city {:?}; it has {}", cut(id, 80), known.join(", ")))
}
