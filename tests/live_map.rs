//! The live map of `docs/live-map.md`, as a reader would run it: another origin, a real browser.

use std::time::Duration;

use crate::common::{node, ports, root, server::Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_document_is_a_live_map() {
    let _turn = node::browser_turn().await;
    let port = ports::free();
    let origin = format!("http://127.0.0.1:{port}");
    let server = Server::start_command(&["demo"], &[("ALLOWED_ORIGINS", &origin)]).await;
    server.ready(Duration::from_secs(60)).await;
    let document = root().join("docs/live-map.md").display().to_string();
    let said = node::run("live_map.mjs", &[&document, &server.url(""), &port.to_string()], "").await;
    assert!(said.contains("\"wider\""), "{said}");
}
