//! What becomes of a call: retries, pauses, time-outs, half and huge bodies, 304, breaker, redirects, secrets.

use tokio::time::Instant;

use super::{
    scripted::{Answer, Scripted, answer, ok},
    *,
};

async fn call(client: &Client, id: FeedId, server: &Scripted) -> Result<Called, CallError> {
    let catalogue = town();
    let asked = ask_for(id, &catalogue);
    client.call(feed(id, &server.url).as_ref(), &asked).await.expect("there is somebody to ask about")
}

fn client() -> Client {
    with_tls();
    Client::new(limits()).expect("it can be made")
}

/// Each feed against one script, with what came and how often it was asked.
async fn each(script: impl Fn(FeedId) -> Vec<Answer>, check: impl Fn(FeedId, Result<Called, CallError>, usize)) {
    for id in FeedId::ALL {
        let server = Scripted::start(script(id)).await;
        let result = call(&client(), id, &server).await;
        check(id, result, server.requests().len());
    }
}

#[tokio::test]
async fn an_answer_of_every_api_becomes_messages() {
    each(
        |id| vec![ok(sample(id))],
        |id, result, requests| {
            let called = result.unwrap_or_else(|error| panic!("{}: {error}", id.name()));
            assert!(!called.messages.is_empty() && !called.unchanged && requests == 1, "{}", id.name());
            for message in &called.messages {
                assert_eq!((message.city_id.as_str(), message.source.as_str()), ("town", id.source()));
            }
        },
    )
    .await;
}

#[tokio::test]
async fn after_429_and_500_it_is_tried_again() {
    let script = |id| {
        vec![
            answer("429 Too Many Requests", "Retry-After: 0\r\n", "slow down"),
            answer("500 Internal Server Error", "", "oops"),
            ok(sample(id)),
        ]
    };
    each(script, |id, result, requests| assert!(result.is_ok() && requests == 3, "{}: {result:?}", id.name())).await;
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let server =
        Scripted::start([answer("429 Too Many Requests", "Retry-After: 1\r\n", ""), ok(sample(FeedId::TomTom))]).await;
    let started = Instant::now();
    call(&client(), FeedId::TomTom, &server).await.expect("the second goes well");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_long_retry_after_rests_the_feed_and_no_other() {
    let server =
        Scripted::start([answer("429 Too Many Requests", "Retry-After: 3600\r\n", ""), ok(sample(FeedId::Eia))]).await;
    let client = client();
    let error = call(&client, FeedId::TomTom, &server).await.expect_err("it is throttled");
    assert_eq!(error, CallError::Throttled { status: 429, wait: Duration::from_secs(3600) });
    let error = call(&client, FeedId::TomTom, &server).await.expect_err("it rests");
    assert!(matches!(error, CallError::Resting(wait) if wait > Duration::from_secs(3500)), "{error}");
    assert_eq!(server.requests().len(), 1, "it is not called while it rests");
    assert!(error.wait().is_some());
    call(&client, FeedId::Eia, &server).await.expect("another feed does not rest");
}

#[tokio::test]
async fn a_failing_api_is_tried_three_times_and_then_left_alone() {
    let server = Scripted::start([answer("500 Internal Server Error", "", "oops")]).await;
    let client = client();
    let error = call(&client, FeedId::Socrata, &server).await.expect_err("it fails");
    assert_eq!(error, CallError::Status { status: 500, said: "oops".into() });
    assert_eq!(server.requests().len(), 3);
    call(&client, FeedId::Socrata, &server).await.expect_err("it fails");
    assert_eq!(server.requests().len(), 5, "five in a row open the circuit");
    let error = call(&client, FeedId::Socrata, &server).await.expect_err("it rests");
    assert!(matches!(error, CallError::Resting(_)), "{error}");
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn silence_ends_with_the_time_out() {
    each(
        |_| vec![Answer::Silence],
        |id, result, requests| {
            let error = result.expect_err(id.name());
            assert_eq!((error, requests), (CallError::Timeout(limits().timeout), 3));
        },
    )
    .await;
}

#[tokio::test]
async fn half_a_body_is_no_answer() {
    let script = |id| {
        let Answer::Bytes(whole) = ok(sample(id)) else { unreachable!("it is one") };
        vec![Answer::Bytes(whole[..whole.len() - 20].to_vec())]
    };
    each(script, |id, result, requests| {
        let error = result.expect_err(id.name());
        assert!(matches!(error, CallError::Broken(_)) && requests == 3, "{}: {error}", id.name());
    })
    .await;
}

#[tokio::test]
async fn a_huge_body_is_not_read_to_its_end() {
    // Once with its length told beforehand, once found out on the way.
    let huge = vec![b' '; 10 << 20];
    let untold = [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &huge].concat();
    for script in [answer("200 OK", "", &huge), Answer::Bytes(untold)] {
        each(
            |_| vec![script.clone()],
            |id, result, requests| {
                assert_eq!((result.expect_err(id.name()), requests), (CallError::TooLarge(64 << 10), 1));
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_changed_schema_is_told_by_its_field_and_not_tried_again() {
    let renamed = |id| match id {
        FeedId::OpenMeteoWeather => ("temperature_2m\":28.4", "temp_2m\":28.4", "current.temperature_2m"),
        FeedId::OpenMeteoAir => ("\"us_aqi\":65", "\"aqi\":65", "current.us_aqi"),
        FeedId::OpenWeather => ("\"temp\":28.4", "\"temp\":\"warm\"", "main.temp"),
        FeedId::TomTom => ("freeFlowSpeed", "free_flow_speed", "flowSegmentData.freeFlowSpeed"),
        FeedId::Eia => ("\"period\"", "\"hour\"", "response.data[0].period"),
        FeedId::Socrata => ("created_date", "created", "[0].created_date"),
    };
    each(
        |id| {
            let (from, to, _) = renamed(id);
            let text = sample(id).to_string();
            assert!(text.contains(from), "{}: {text}", id.name());
            vec![ok(text.replace(from, to))]
        },
        |id, result, requests| {
            let error = result.expect_err(id.name());
            assert!(matches!(error, CallError::Malformed(_)) && requests == 1, "{error}");
            assert!(error.to_string().starts_with(renamed(id).2), "{}: {error}", id.name());
        },
    )
    .await;
    each(
        |_| vec![answer("200 OK", "", "<html>Log in to the hotel's network</html>")],
        |id, result, _| {
            let error = result.expect_err(id.name()).to_string();
            assert!(error.starts_with("the reply is no JSON"), "{error}");
        },
    )
    .await;
}

#[tokio::test]
async fn malformed_answers_open_the_circuit_too() {
    let server = Scripted::start([ok("{}")]).await;
    let client = client();
    for _ in 0..5 {
        let error = call(&client, FeedId::TomTom, &server).await.expect_err("it is malformed");
        assert!(matches!(error, CallError::Malformed(_)), "{error}");
    }
    let error = call(&client, FeedId::TomTom, &server).await.expect_err("it rests");
    assert!(matches!(error, CallError::Resting(_)), "{error}");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    for id in FeedId::ALL {
        let headers = "ETag: \"v1\"\r\nLast-Modified: Mon, 27 Jul 2026 12:30:00 GMT\r\n";
        let server = Scripted::start([
            answer("200 OK", headers, sample(id).to_string()),
            answer("304 Not Modified", "ETag: \"v1\"\r\n", ""),
        ])
        .await;
        let client = client();
        let first = call(&client, id, &server).await.expect("it is read");
        let second = call(&client, id, &server).await.expect("it is known");
        assert!(!first.unchanged && second.unchanged, "{}", id.name());
        assert_eq!(first.messages, second.messages, "the answer of before holds");
        let asked = server.requests()[1].to_ascii_lowercase();
        assert!(asked.contains("if-none-match: \"v1\""), "{asked}");
        assert!(asked.contains("if-modified-since: mon, 27 jul 2026 12:30:00 gmt"), "{asked}");
        client.forget();
        call(&client, id, &server).await.expect_err("304 without a question is no answer");
    }
}

#[tokio::test]
async fn what_speaks_of_one_place_opens_no_circuit() {
    let server = Scripted::start([answer("400 Bad Request", "", "Point too far from nearest existing segment.")]).await;
    let client = client();
    for _ in 0..8 {
        let error = call(&client, FeedId::TomTom, &server).await.expect_err("it is refused");
        assert_eq!(error.to_string(), "it answers 400: Point too far from nearest existing segment.");
    }
    assert_eq!(server.requests().len(), 8, "neither tried again nor left alone");
}

#[tokio::test]
async fn no_key_is_in_what_is_said() {
    let said = format!("the key hunter2 of /v2/?api_key=hunter2 is unknown {}", "x".repeat(1000));
    for id in [FeedId::OpenWeather, FeedId::TomTom, FeedId::Eia, FeedId::Socrata] {
        let server = Scripted::start([answer("403 Forbidden", "", &said), Answer::Silence]).await;
        let error = call(&client(), id, &server).await.expect_err("it is refused").to_string();
        assert!(error.contains("********") && !error.contains("hunter2") && error.len() < 400, "{error}");
        let request = &server.requests()[0];
        assert!(request.contains("hunter2"), "the API gets it: {request}");
        let catalogue = town();
        let request = feed(id, &server.url).request(&ask_for(id, &catalogue)).expect("there is one");
        assert!(!format!("{request:?}").contains("hunter2"), "{request:?}");
    }
    // Nobody listens there: what the HTTP library says has the URL in it.
    let mut gone = Scripted::start([Answer::Silence]).await;
    gone.url = "http://127.0.0.1:1".into();
    let error = call(&client(), FeedId::TomTom, &gone).await.expect_err("nobody is there").to_string();
    assert!(error.starts_with("the connection failed: ") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let elsewhere = Scripted::start([ok(sample(FeedId::TomTom))]).await;
    let there = elsewhere.url.replace("127.0.0.1", "localhost");
    let server = Scripted::start([answer("302 Found", &format!("Location: {there}/\r\n"), "")]).await;
    let error = call(&client(), FeedId::TomTom, &server).await.expect_err("it is no answer");
    assert!(matches!(error, CallError::Status { status: 302, .. }), "{error}");
    assert!(elsewhere.requests().is_empty());
    let server =
        Scripted::start([answer("302 Found", "Location: /elsewhere\r\n", ""), ok(sample(FeedId::TomTom))]).await;
    call(&client(), FeedId::TomTom, &server).await.expect("within the host it is followed");
    assert!(server.requests()[1].starts_with("GET /elsewhere "));
}

#[tokio::test]
async fn a_spent_budget_stops_calls_before_they_are_made() {
    let server = Scripted::start([ok(sample(FeedId::Socrata))]).await;
    let client = client();
    let budget = Account::Socrata.budget().per_minute;
    for _ in 0..budget {
        call(&client, FeedId::Socrata, &server).await.expect("within the budget");
    }
    assert_eq!(client.room(Account::Socrata), 0);
    let error = call(&client, FeedId::Socrata, &server).await.expect_err("it is spent");
    assert!(
        matches!(error, CallError::OverBudget { account: Account::Socrata, wait } if wait > Duration::ZERO),
        "{error}"
    );
    assert_eq!(server.requests().len(), budget as usize);
}
