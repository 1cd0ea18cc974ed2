//! The web pages, served from the binary: `/`, `/city-live`, `/graphiql`, the files that they load, and `/live.js` for pages of others.
//!
//! `build.rs` bundles `web-client/` into `$OUT_DIR/web` with a `.br` and a `.gz` beside each file that shrinks; here they
//! are embedded and answered as a browser asks for them. Names below `/assets/` hold a hash of their content, so
//! that a browser keeps them for ever; the pages are asked for again each time and mostly answered with 304.
//! Where the binary was built without Node there is no bundle, and all pages are one plain one that says so.

use std::borrow::Cow;

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

use super::background;
use crate::config::HttpConfig;

#[cfg(test)]
mod tests;

/// What `build.rs` made of `web-client/`; nothing where Node was not there.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Bundle;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";

/// What a page may do: load its own scripts, styles and pictures, start its own workers (the map prepares its geometry in
/// them), and talk to this server; nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// GraphiQL's editor (Monaco) also writes style elements, starts workers, and its styles hold fonts and pictures.
const GRAPHIQL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; worker-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages of a binary that was built without Node.
const PLAIN_PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>citytwin</title>
</head>
<body>
<h1>citytwin</h1>
<p>The server runs. This binary was built without its web pages, because Node was not there.</p>
<p>To have them: install Node 20 or newer with npm, then <code>touch build.rs</code> and
<code>cargo build --release</code> in the repository.</p>
<p>All else works without them:</p>
<ul>
<li><code>/graphql</code>: GraphQL by <code>POST</code>; subscriptions over <code>/graphql/ws</code>.
Any client does, for example
<code>curl -H 'content-type: application/json' -d '{"query": "{ city { name } }"}' …/graphql</code></li>
<li><a href="/schema.graphql">/schema.graphql</a>: every type and field, with its meaning</li>
<li><a href="/api/state">/api/state</a>: the whole twin as JSON</li>
<li><a href="/readyz">/readyz</a>: is it ready, and what is not at its best</li>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
</ul>
</body>
</html>
"#;

/// The pages and what they load: `/`, `/city-live`, `/graphiql`, `/assets/*`, `/favicon.svg` and `/live.js`.
pub fn routes<S: Clone + Send + Sync + 'static>(config: &HttpConfig) -> Router<S> {
    let map_policy = map_policy(config);
    let city_live_policy = map_policy.clone();
    Router::new()
        .route("/", get(async move |headers: HeaderMap| map("index.html", map_policy.clone(), &headers)))
        .route(
            "/city-live",
            get(async move |headers: HeaderMap| map("city-live.html", city_live_policy.clone(), &headers)),
        )
        .route("/graphiql", get(async |headers: HeaderMap| page("graphiql.html", GRAPHIQL_POLICY, &headers)))
        .route("/assets/{*path}", get(async |Path(path): Path<String>, headers: HeaderMap| asset(&path, &headers)))
        .route("/favicon.svg", get(async |headers: HeaderMap| fixed("favicon.svg", &headers)))
        .route("/live.js", get(async |headers: HeaderMap| live_script(&headers)))
}

/// [`POLICY`], and the one other server that the map's background may come from.
fn map_policy(config: &HttpConfig) -> HeaderValue {
    let policy = match background::origin(config) {
        Some(origin) => POLICY.replace("connect-src 'self'", &format!("connect-src 'self' {origin}")),
        None => POLICY.to_owned(),
    };
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(POLICY))
}

/// A page with a map, which may have a background from elsewhere.
fn map(name: &str, policy: HeaderValue, headers: &HeaderMap) -> Response {
    let mut response = page(name, POLICY, headers);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn page(name: &str, policy: &'static str, headers: &HeaderMap) -> Response {
    match Asset::find(name, REVALIDATE, policy) {
        Some(asset) => asset.answer(headers),
        None => Asset::plain_page().answer(headers),
    }
}

fn asset(path: &str, headers: &HeaderMap) -> Response {
    match Asset::find(&format!("assets/{path}"), IMMUTABLE, POLICY) {
        Some(asset) => asset.answer(headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A file whose name has no hash.
fn fixed(name: &str, headers: &HeaderMap) -> Response {
    match Asset::find(name, REVALIDATE, POLICY) {
        Some(asset) => asset.answer(headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `web-client/src/api` in one file. Any page may load it, as it holds nothing but code; what it then may ask of this
/// server is another matter (`ALLOWED_ORIGINS`).
fn live_script(headers: &HeaderMap) -> Response {
    let mut response = fixed("live.js", headers);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// How the bytes of an answer are packed (RFC 9110, section 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The best first: what a client likes equally well is answered in this order.
    const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Gzip, Encoding::Identity];

    /// As in `Accept-Encoding` and `Content-Encoding`.
    fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
            Encoding::Identity => "identity",
        }
    }
}

/// One file in the forms that the bundle has of it.
struct Asset {
    identity: Cow<'static, [u8]>,
    brotli: Option<Cow<'static, [u8]>>,
    gzip: Option<Cow<'static, [u8]>>,
    content_type: String,
    /// Names the content: the first half of its SHA-256 in hexadecimal.
    tag: String,
    cache_control: &'static str,
    policy: &'static str,
}

impl Asset {
    /// A file of the bundle; `None` where there is none of that name.
    fn find(name: &str, cache_control: &'static str, policy: &'static str) -> Option<Asset> {
        // The packed forms are answers to the plain name, not files of their own.
        if matches!(name.rsplit('.').next(), Some("br" | "gz")) {
            return None;
        }
        let file = Bundle::get(name)?;
        let mime = mime_guess::from_path(name).first_or_octet_stream();
        let is_text = mime.type_() == mime_guess::mime::TEXT;
        Some(Asset {
            identity: file.data,
            brotli: Bundle::get(&format!("{name}.br")).map(|file| file.data),
            gzip: Bundle::get(&format!("{name}.gz")).map(|file| file.data),
            content_type: format!("{mime}{}", if is_text { "; charset=utf-8" } else { "" }),
            tag: hex::encode(&file.metadata.sha256_hash()[..16]),
            cache_control,
            policy,
        })
    }

    /// The page of a binary without a bundle.
    fn plain_page() -> Asset {
        Asset {
            identity: Cow::Borrowed(PLAIN_PAGE.as_bytes()),
            brotli: None,
            gzip: None,
            content_type: "text/html; charset=utf-8".to_owned(),
            tag: format!("plain-{}", env!("CARGO_PKG_VERSION")),
            cache_control: REVALIDATE,
            policy: POLICY,
        }
    }

    fn form(&self, encoding: Encoding) -> Option<&Cow<'static, [u8]>> {
        match encoding {
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
            Encoding::Identity => Some(&self.identity),
        }
    }

    /// The answer to a request with these headers: the file in the form that the client likes best, or 304.
    fn answer(&self, request: &HeaderMap) -> Response {
        let encoding = choose(request, |encoding| self.form(encoding).is_some());
        let etag = match encoding {
            Encoding::Identity => format!("\"{}\"", self.tag),
            packed => format!("\"{}-{}\"", self.tag, packed.name()),
        };
        let mut response =
            if is_known(request, &etag) { StatusCode::NOT_MODIFIED.into_response() } else { self.whole(encoding) };
        let headers = response.headers_mut();
        if let Ok(etag) = HeaderValue::try_from(etag) {
            headers.insert(header::ETAG, etag);
        }
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(self.policy));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }

    fn whole(&self, encoding: Encoding) -> Response {
        let bytes = match self.form(encoding).unwrap_or(&self.identity) {
            Cow::Borrowed(bytes) => Body::from(*bytes),
            Cow::Owned(bytes) => Body::from(bytes.clone()),
        };
        let mut response = ([(header::CONTENT_TYPE, self.content_type.as_str())], bytes).into_response();
        if encoding != Encoding::Identity {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
        }
        response
    }
}

/// The encoding with the greatest weight in `Accept-Encoding` among those that are there (RFC 9110, section 12.5.3).
///
/// What the header does not name comes last if it is identity and not at all otherwise. Where the client refuses
/// everything, it gets the plain bytes: the section allows that, and it helps more than a 406.
fn choose(request: &HeaderMap, is_there: impl Fn(Encoding) -> bool) -> Encoding {
    let accepted: Vec<(&str, f32)> = request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(weighted)
        .collect();
    let weight_of = |name: &str| accepted.iter().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, q)| *q);
    let mut best = (Encoding::Identity, 0.0);
    for encoding in Encoding::ALL.into_iter().filter(|encoding| is_there(*encoding)) {
        let unnamed = if encoding == Encoding::Identity { f32::MIN_POSITIVE } else { 0.0 };
        let weight = weight_of(encoding.name()).or_else(|| weight_of("*")).unwrap_or(unnamed);
        if weight > best.1 {
            best = (encoding, weight);
        }
    }
    best.0
}

/// `gzip;q=0.5` as its name and weight; a weight that is no number between 0 and 1 counts as 0.
fn weighted(item: &str) -> (&str, f32) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight = q.map_or(Some(1.0), |q| q.parse().ok()).filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0);
    (name, weight)
}

/// Whether `If-None-Match` names this entity tag (RFC 9110, section 13.1.2: a weak comparison).
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}
