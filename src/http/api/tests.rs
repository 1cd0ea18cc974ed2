use std::{sync::atomic::Ordering, time::Duration};

use serde_json::Value as Json;

use super::*;
use crate::http::tests::toy::{Seen, schema, settings};

async fn run(text: &str) -> (Outcome, Json) {
    let config = settings().1;
    let api = Api::new(schema(&config, &Seen::default()), &config);
    let params = Params { query: text.into(), ..Params::default() };
    let answer = match api.prepare(params, Caller::trusted()) {
        Ok(prepared) => api.execute(prepared).await,
        Err(refusal) => refusal,
    };
    (answer.outcome, serde_json::from_slice(&answer.body).unwrap())
}

/// The texts of async-graphql's own errors are what tells them apart: this holds them.
#[tokio::test]
async fn errors_of_the_library_get_the_right_codes() {
    let wide = format!("{{ {} }}", (0..20).fold(String::new(), |text, n| text + &format!("a{n}: double(of: {n}) ")));
    assert_eq!(run(&wide).await.0, Outcome::Ran);
    let mut config = settings().1;
    config.max_complexity = 5;
    let small = Api::new(schema(&config, &Seen::default()), &config);
    let params = Params { query: wide, ..Params::default() };
    let answer = small.execute(small.prepare(params, Caller::trusted()).ok().unwrap()).await;
    assert!(String::from_utf8_lossy(&answer.body).contains("TOO_COMPLEX"));
    let config = settings().1;
    let lax = GraphqlConfig { max_depth: 1000, max_directives: 1000, ..config.clone() };
    let strict = Api::new(schema(&config, &Seen::default()), &lax);
    for (text, code) in [
        (format!("{}hello{}", "{ inner ".repeat(16) + "{ ", " }".repeat(17)), "TOO_DEEP"),
        (format!("{}hello{}", "{ inner ".repeat(40) + "{ ", " }".repeat(41)), "TOO_DEEP"),
        (format!("{{ hello {} }}", "@skip(if: false)".repeat(6)), "TOO_MANY_DIRECTIVES"),
    ] {
        let params = Params { query: text, ..Params::default() };
        let answer = strict.execute(strict.prepare(params, Caller::trusted()).ok().unwrap()).await;
        let json: Json = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(json["errors"][0]["extensions"]["code"], code, "{json}");
    }
}

#[tokio::test]
async fn a_refusal_has_no_data_and_a_failed_field_has() {
    let (outcome, json) = run("{ nothing }").await;
    assert_eq!(outcome, Outcome::Refused);
    assert!(json.get("data").is_none());
    let (outcome, json) = run("{ hello failing }").await;
    assert_eq!(outcome, Outcome::Ran);
    assert_eq!(json["data"]["hello"], "hello world");
    assert_eq!(json["errors"][0]["extensions"]["code"], "INTERNAL_SERVER_ERROR");
}

#[tokio::test]
async fn a_required_variable_needs_a_value_even_if_it_is_unused() {
    let (outcome, json) = run("query Q($id: ID!) { hello }").await;
    assert_eq!(outcome, Outcome::Refused);
    assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(start_paused = true)]
async fn a_mutation_outlives_its_time_limit() {
    let config = settings().1;
    let seen = Seen::default();
    let api = Api::new(schema(&config, &seen), &config);
    let params = Params { query: "mutation { add(by: 3, afterMs: 2000) }".into(), ..Params::default() };
    let answer = api.execute(api.prepare(params, Caller::trusted()).ok().unwrap()).await;
    assert_eq!(answer.outcome, Outcome::TimedOut);
    assert_eq!(seen.sum.load(Ordering::SeqCst), 0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(seen.sum.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_subscription_that_fails_at_its_start_is_refused_and_a_failing_event_is_not() {
    let config = settings().1;
    let api = Api::new(schema(&config, &Seen::default()), &config);
    let answers = |text: &str| {
        let params = Params { query: text.into(), ..Params::default() };
        api.subscribe(api.prepare(params, Caller::trusted()).ok().unwrap(), Envelope::default()).collect::<Vec<_>>()
    };
    for text in ["subscription { refused }", "subscription { nothing }"] {
        let refused = answers(text).await;
        assert_eq!((refused.len(), refused[0].outcome), (1, Outcome::Refused), "{text}");
        assert!(refused[0].errors().starts_with(b"[{"), "{}", refused[0].errors().escape_ascii());
    }
    let events = answers("subscription { halting }").await;
    assert_eq!(events.iter().map(|event| event.outcome).collect::<Vec<_>>(), [Outcome::Ran; 3]);
}
