//! The examples of `docs/graphql.md`.

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
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/graphql.md")).expect("docs/graphql.md");
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
            let refused = text.contains("mutation") && code == Some(&async_graphql::Value::from("FORBIDDEN"));
            assert!(refused, "{text}\n{error:?}");
        }
    }
    assert!(examples >= 8, "{examples} examples are too few");
}
