use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    response::Response,
};
use tower::ServiceExt;

use super::*;
use crate::http::tests::toy::settings;

fn with(background: Option<MapBackground>) -> HttpConfig {
    HttpConfig { map_background: background, map_attribution: Some("© somebody".into()), ..settings().0 }
}

async fn ask(config: &HttpConfig, path: &str, range: Option<&str>) -> Response {
    let mut request = Request::get(path);
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    routes(config).with_state(()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_is_told_what_lies_under_the_map() {
    let tiles = "https://tiles.example/{z}/{x}/{y}.png";
    for (background, kind, url) in [
        (MapBackground::Tiles(tiles.into()), "tiles", tiles),
        (
            MapBackground::Pmtiles("https://tiles.example/a.pmtiles".into()),
            "pmtiles",
            "https://tiles.example/a.pmtiles",
        ),
        (MapBackground::File("a.pmtiles".into()), "pmtiles", FILE),
    ] {
        let told: Value =
            serde_json::from_str(&text(ask(&with(Some(background)), "/map.json", None).await).await).unwrap();
        assert_eq!(told, json!({ "background": { "kind": kind, "url": url, "attribution": "© somebody" } }));
    }
    assert_eq!(text(ask(&with(None), "/map.json", None).await).await, r#"{"background":null}"#);
}

#[tokio::test]
async fn a_file_is_handed_out_in_ranges_and_only_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.pmtiles");
    std::fs::write(&path, "PMTiles and more").unwrap();
    let config = with(Some(MapBackground::File(path)));
    let response = ask(&config, FILE, Some("bytes=0-6")).await;
    assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(text(response).await, "PMTiles");
    assert_eq!(ask(&with(None), FILE, None).await.status(), StatusCode::NOT_FOUND);
}

#[test]
fn another_server_is_named_without_user_and_path() {
    let origin_of = |url: &str| origin(&with(Some(MapBackground::Pmtiles(url.into()))));
    assert_eq!(origin_of("https://tiles.example/a.pmtiles").as_deref(), Some("https://tiles.example"));
    assert_eq!(origin_of("http://me:secret@[::1]:8080/a.pmtiles").as_deref(), Some("http://[::1]:8080"));
    assert_eq!(origin(&with(Some(MapBackground::File("a.pmtiles".into())))), None);
    assert_eq!(origin(&with(None)), None);
}
