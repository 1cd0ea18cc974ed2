use axum::{
    body::to_bytes,
    http::{Request, request},
};
use tower::ServiceExt;

use super::*;
use crate::{config::MapBackground, http::tests::toy::settings};

/// A file with all three forms; what they hold does not matter here.
fn script() -> Asset {
    Asset {
        identity: Cow::Borrowed(b"plain"),
        brotli: Some(Cow::Borrowed(b"brotli")),
        gzip: Some(Cow::Owned(b"gzip".to_vec())),
        content_type: "text/javascript; charset=utf-8".to_owned(),
        tag: "0123".to_owned(),
        cache_control: IMMUTABLE,
        policy: POLICY,
    }
}

fn accepting(encodings: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(encodings).unwrap())])
}

async fn body(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

fn get_request(path: &str) -> request::Builder {
    Request::get(path)
}

async fn ask(request: request::Builder) -> Response {
    ask_of(&settings().0, request).await
}

async fn ask_of(config: &HttpConfig, request: request::Builder) -> Response {
    routes(config).with_state(()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn header_of<'a>(response: &'a Response, name: &header::HeaderName) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
}

/// The hashed files that the page of this path loads.
async fn assets_of(path: &str) -> Vec<String> {
    let html = body(ask(get_request(path)).await).await;
    html.split('"').filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect()
}

fn has_bundle() -> bool {
    Bundle::iter().next().is_some()
}

#[test]
fn the_encoding_with_the_greatest_weight_is_chosen() {
    let all = |_| true;
    assert_eq!(choose(&HeaderMap::new(), all), Encoding::Identity);
    assert_eq!(choose(&accepting(""), all), Encoding::Identity);
    assert_eq!(choose(&accepting("gzip, deflate, br, zstd"), all), Encoding::Brotli);
    assert_eq!(choose(&accepting("GZIP"), all), Encoding::Gzip);
    assert_eq!(choose(&accepting("br;q=0.2, gzip;q=0.8"), all), Encoding::Gzip);
    assert_eq!(choose(&accepting("br;q=0, *"), all), Encoding::Gzip);
    assert_eq!(choose(&accepting("identity, br;q=0.5"), all), Encoding::Identity);
    assert_eq!(choose(&accepting("br;q=2, gzip;q=x"), all), Encoding::Identity);
    assert_eq!(choose(&accepting("*;q=0"), all), Encoding::Identity);
    assert_eq!(choose(&accepting("zstd"), all), Encoding::Identity);
    assert_eq!(choose(&accepting("br, gzip"), |encoding| encoding != Encoding::Brotli), Encoding::Gzip);
}

#[tokio::test]
async fn each_form_has_its_own_tag_and_names_its_encoding() {
    let packed = script().answer(&accepting("br"));
    assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(packed.headers()[header::ETAG], "\"0123-br\"");
    assert_eq!(packed.headers()[header::VARY], "accept-encoding");
    assert_eq!(packed.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(body(packed).await, "brotli");

    let packed = script().answer(&accepting("gzip"));
    assert_eq!(packed.headers()[header::ETAG], "\"0123-gzip\"");
    assert_eq!(body(packed).await, "gzip");

    let plain = script().answer(&HeaderMap::new());
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    assert_eq!(plain.headers()[header::ETAG], "\"0123\"");
    assert_eq!(plain.headers()[header::VARY], "accept-encoding");
    assert_eq!(body(plain).await, "plain");
}

#[tokio::test]
async fn a_known_tag_is_answered_with_304_and_no_body() {
    for known in ["\"0123-br\"", "W/\"0123-br\"", "\"other\", \"0123-br\"", "*"] {
        let mut request = accepting("br");
        request.insert(header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
        let response = script().answer(&request);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(response.headers()[header::ETAG], "\"0123-br\"");
        assert_eq!(response.headers()[header::CACHE_CONTROL], IMMUTABLE);
        assert_eq!(body(response).await, "");
    }
    // The tag of another form is another entity.
    let mut request = accepting("gzip");
    request.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"0123-br\""));
    assert_eq!(script().answer(&request).status(), StatusCode::OK);
}

#[tokio::test]
async fn all_pages_are_html_that_a_browser_asks_for_again() {
    for path in ["/", "/city-live", "/graphiql"] {
        let response = ask(get_request(path)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header_of(&response, &header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header_of(&response, &header::CACHE_CONTROL), "no-cache");
        assert_eq!(header_of(&response, &header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(header_of(&response, &header::REFERRER_POLICY), "same-origin");
        assert!(
            header_of(&response, &header::CONTENT_SECURITY_POLICY)
                .starts_with("default-src 'none'; script-src 'self';")
        );
        let etag = header_of(&response, &header::ETAG).to_owned();
        assert!(body(response).await.starts_with("<!doctype html>"), "{path}");

        let again = ask(get_request(path).header(header::IF_NONE_MATCH, etag)).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
}

#[tokio::test]
async fn only_graphiql_may_use_inline_styles() {
    for path in ["/", "/city-live"] {
        let page = ask(get_request(path)).await;
        assert!(!header_of(&page, &header::CONTENT_SECURITY_POLICY).contains("unsafe"), "{path}");
    }
    if has_bundle() {
        let graphiql = ask(get_request("/graphiql")).await;
        assert_eq!(header_of(&graphiql, &header::CONTENT_SECURITY_POLICY), GRAPHIQL_POLICY);
    }
}

#[tokio::test]
async fn what_the_pages_load_is_there_for_ever_and_packed() {
    for path in ["/", "/city-live", "/graphiql"] {
        let assets = assets_of(path).await;
        assert_eq!(assets.is_empty(), !has_bundle(), "{path} loads {assets:?}");
        for asset in assets {
            let response = ask(get_request(&asset).header(header::ACCEPT_ENCODING, "gzip, br")).await;
            assert_eq!(response.status(), StatusCode::OK, "{asset}");
            assert_eq!(header_of(&response, &header::CACHE_CONTROL), IMMUTABLE);
            let wanted = if asset.contains(".css") { "text/css" } else { "text/javascript" };
            assert_eq!(header_of(&response, &header::CONTENT_TYPE), format!("{wanted}; charset=utf-8"));
            let packed = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let plain = to_bytes(ask(get_request(&asset)).await.into_body(), usize::MAX).await.unwrap();
            assert!(packed.len() <= plain.len(), "{asset}");
        }
    }
}

#[tokio::test]
async fn the_favicon_is_an_svg() {
    let response = ask(get_request("/favicon.svg")).await;
    if has_bundle() {
        assert_eq!(header_of(&response, &header::CONTENT_TYPE), "image/svg+xml");
        assert_eq!(header_of(&response, &header::CACHE_CONTROL), REVALIDATE);
    } else {
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_map_may_load_its_background_and_nothing_else_from_elsewhere() {
    let mut config = settings().0;
    let policy_of = async |config: &HttpConfig, path: &str| {
        let response = ask_of(config, get_request(path)).await;
        header_of(&response, &header::CONTENT_SECURITY_POLICY).to_owned()
    };
    assert_eq!(policy_of(&config, "/").await, POLICY);
    config.map_background = Some(MapBackground::File("city.pmtiles".into()));
    assert_eq!(policy_of(&config, "/").await, POLICY);
    config.map_background = Some(MapBackground::Tiles("https://me@tiles.example:8443/{z}/{x}/{y}.png".into()));
    let widened = POLICY.replace("connect-src 'self'", "connect-src 'self' https://tiles.example:8443");
    assert_eq!(policy_of(&config, "/").await, widened);
    assert_eq!(policy_of(&config, "/favicon.svg").await, POLICY);
}

#[tokio::test]
async fn any_page_may_load_the_live_script() {
    let response = ask(get_request("/live.js")).await;
    assert_eq!(header_of(&response, &header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    if has_bundle() {
        assert_eq!(header_of(&response, &header::CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(header_of(&response, &header::CACHE_CONTROL), REVALIDATE);
        let script = body(response).await;
        assert!(script.contains("TwinFeed") && !script.contains("from \"./"), "it stands alone");
    } else {
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let mut missing: Vec<String> =
        ["/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/assets/"].map(str::to_owned).into();
    missing.extend(assets_of("/graphiql").await.iter().map(|asset| format!("{asset}.br")));
    for path in missing {
        assert_eq!(ask(get_request(&path)).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_head_request_has_the_headers_without_the_body() {
    let head = ask(Request::head("/")).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(header_of(&head, &header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(body(head).await, "");
}

#[tokio::test]
async fn without_a_bundle_a_plain_page_says_how_to_get_one() {
    let response = Asset::plain_page().answer(&HeaderMap::new());
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let html = body(response).await;
    assert!(html.contains("install Node 20"), "{html}");
    for link in ["/schema.graphql", "/api/state", "/readyz", "/metrics"] {
        assert!(html.contains(&format!("<a href=\"{link}\">")), "{link}");
    }
    // Its policy allows no script and no style of another origin, and it needs none.
    assert!(!html.contains("<script") && !html.contains("style="));
}
