//! City Live's pages at `/city-live` in a real browser: with the demo's city, and in every state that a city can be in.

use std::time::Duration;

use crate::common::{node, root, server::Server};

const READY: Duration = Duration::from_secs(90);

/// The demo has City Live with simulated APIs: a city is chosen on the page, loads, and its data comes without a reload.
#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_city_loads_and_then_shows_its_data() {
    let _turn = node::browser_turn().await;
    let server = Server::start_command(&["demo"], &[]).await;
    server.ready(READY).await;
    println!("{}", node::run("city_live_page.mjs", &[&server.url("")], "").await);
}

/// The pages of the real server, whose questions a small server with made-up data answers: its city loads, is whole or not,
/// old or empty, just as the script wants it.
async fn scenes(parts: &str) {
    let _turn = node::browser_turn().await;
    let server = Server::start_ready(&[("KAFKA_BROKERS", "embedded"), ("REDIS_URL", "embedded")]).await;
    let schema = root().join("schema.graphql").display().to_string();
    println!("{}", node::run("city_live_scenes.mjs", &[&schema, &server.url(""), parts], "").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_say_what_is_loading_missing_old_or_not_there() {
    scenes("loading,notWhole,empty").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_used_with_a_keyboard_and_by_visitors() {
    scenes("keyboard,visitors,stream,others").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_for_every_light_width_and_language() {
    scenes("looks").await;
}
