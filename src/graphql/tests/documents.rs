//! The examples of `docs/graphql.md` and of City Live's page.

use std::time::Duration;

use async_graphql::{Request, Response, Variables};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{TestCity, at_one_moment};

/// The fenced blocks of a page: their language and their text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            blocks.push((language.trim(), text.join("\n")));
        }
    }
    blocks
}

/// Each `graphql` block runs; a `json` block that begins with `{` right behind it holds its variables. Mutations are
/// refused for want of a caller, which comes after their validation.
#[tokio::test]
async fn every_example_is_valid() {
    for page in ["graphql.md", "city-live-api.md"] {
        every_example_of(page).await;
    }
}

async fn every_example_of(page: &str) {
    let page = std::fs::read_to_string(format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"))).expect(page);
    let blocks = blocks(&page);
    let mut examples = 0;
    for (at, (language, text)) in blocks.iter().enumerate() {
        if *language != "graphql" {
            continue;
        }
        examples += 1;
        let variables: Value = match blocks.get(at + 1) {
            Some(("json", text)) => serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")),
            _ => json!({}),
        };
        let city = TestCity::small();
        let request = at_one_moment(Request::new(text).variables(Variables::from_json(variables)));
        let mut stream = city.schema.execute_stream(request);
        // A subscription may wait for a change; a document that is not valid is refused at once.
        let Ok(Some(response)) = tokio::time::timeout(Duration::from_millis(300), stream.next()).await else {
            continue;
        };
        let response: Response = response;
        for error in &response.errors {
            let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
            let is = |expected: &str| code == Some(&async_graphql::Value::from(expected));
            // The city under test has no City Live: its fields say so once their document is valid.
            let refused = (text.contains("mutation") && is("FORBIDDEN")) || is("CITY_LIVE_OFF");
            assert!(refused, "{text}\n{error:?}");
        }
    }
    assert!(examples >= 7, "{examples} examples are too few");
}
