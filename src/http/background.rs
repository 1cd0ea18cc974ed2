//! What lies under the map's own geometry, where `MAP_BACKGROUND` names something: `/map.json` tells the page, and
//! `/background.pmtiles` is the file, where it is one of this machine.

use axum::{Router, http::header, routing::get};
use serde_json::{Value, json};
use tower_http::services::ServeFile;

use crate::config::{HttpConfig, MapBackground};

#[cfg(test)]
mod tests;

/// Where a file of this machine is handed out. Browsers ask for ranges of it.
const FILE: &str = "/background.pmtiles";

/// `/map.json`, and the file where there is one.
pub fn routes<S: Clone + Send + Sync + 'static>(config: &HttpConfig) -> Router<S> {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    let answer = json!({ "background": description(config) }).to_string();
    let router = Router::new().route("/map.json", get(async move || (headers, answer.clone())));
    match &config.map_background {
        Some(MapBackground::File(path)) => router.route_service(FILE, ServeFile::new(path)),
        _ => router,
    }
}

fn description(config: &HttpConfig) -> Value {
    let Some(background) = &config.map_background else { return Value::Null };
    let (kind, url) = match background {
        MapBackground::Tiles(url) => ("tiles", url.as_str()),
        MapBackground::Pmtiles(url) => ("pmtiles", url.as_str()),
        MapBackground::File(_) => ("pmtiles", FILE),
    };
    json!({ "kind": kind, "url": url, "attribution": config.map_attribution })
}

/// The other server that the map loads from, as a content security policy names it; `None` where there is none.
pub fn origin(config: &HttpConfig) -> Option<String> {
    let (MapBackground::Tiles(url) | MapBackground::Pmtiles(url)) = config.map_background.as_ref()? else {
        return None;
    };
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}"))
}
