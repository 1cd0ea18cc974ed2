//! A Kafka that is spoken to by TLS, and where one signs in.

use std::time::Duration;

use serde_json::json;

use crate::common::{
    eventually,
    kafka::{Broker, produce, read_all},
    server::{Server, citytwin},
    town,
};

const DEADLINE: Duration = Duration::from_secs(90);
const PASSWORD: &str = "sesame-and-salt";

/// The settings of a client that signs in with this password and trusts the broker's authority.
fn settings<'a>(brokers: &'a str, authority: &'a str, password: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("KAFKA_BROKERS", brokers),
        ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl"),
        ("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512"),
        ("KAFKA_SASL_USERNAME", "twin"),
        ("KAFKA_SASL_PASSWORD", password),
        ("KAFKA_SSL_CA_LOCATION", authority),
    ]
}

/// Waits until readiness says that Kafka is down.
async fn kafka_is_down(server: &Server) {
    eventually(DEADLINE, || async {
        let body = server.get("/readyz").await.map_err(|error| error.to_string())?.text().await;
        let body = body.map_err(|error| error.to_string())?;
        if body.contains("\"what\":\"kafka\"") { Ok(()) } else { Err(body) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_signs_in_by_scram_over_tls() {
    let broker = tokio::task::spawn_blocking(|| Broker::start_secured("twin", PASSWORD)).await.expect("Kafka starts");
    let (brokers, authority) = (broker.brokers(), broker.authority().display().to_string());
    let right = settings(&brokers, &authority, PASSWORD);
    let more = [("LEASE_MS", "1000"), ("INCREMENTAL_STATE_PUBLISH_INTERVAL_MS", "300")];
    let mut server = town::server(&brokers, "embedded", &[right.as_slice(), &more].concat());
    server.start_again().await;
    server.ready(DEADLINE).await;
    produce(&broker.direct(), [town::bus("secret-bus", 7)]).await;
    eventually(DEADLINE, || async {
        let data = server.graphql("{ bus(id: \"secret-bus\") { busId } }", json!({})).await;
        if data["bus"]["busId"] == "secret-bus" { Ok(()) } else { Err(data.to_string()) }
    })
    .await;
    assert!(!read_all(&broker.direct(), "state.full").await.is_empty());
    let follow = citytwin(&["follow", "--once", "--format", "json"], &right, "").await;
    assert!(follow.status.success(), "{}", String::from_utf8_lossy(&follow.stderr));
    server.stop_cleanly();

    // A wrong password, and an authority that signed nothing here: both wait, and say so without the secret.
    let elsewhere = tempfile::tempdir().expect("a folder");
    crate::common::certificates::write(elsewhere.path());
    let stranger = elsewhere.path().join("ca.crt").display().to_string();
    for wrong in [settings(&brokers, &authority, "guessed-wrong"), settings(&brokers, &stranger, PASSWORD)] {
        let mut server = town::server(&brokers, "embedded", &wrong);
        server.start_again().await;
        kafka_is_down(&server).await;
        assert_eq!(server.get("/readyz").await.expect("an answer").status(), 503);
        for secret in [PASSWORD, "guessed-wrong"] {
            assert!(!server.log().contains(secret));
        }
    }
}
