//! The schema as it is written down.

use serde_json::Value;

use super::TestCity;

#[test]
fn the_file_is_the_schema() {
    let root = env!("CARGO_MANIFEST_DIR");
    let written = std::fs::read_to_string(format!("{root}/schema.graphql")).unwrap_or_default();
    let sdl = crate::graphql::sdl();
    if written != sdl {
        std::fs::write(format!("{root}/target/schema.graphql"), &sdl).expect("a writable target folder");
        panic!("schema.graphql lags behind: `make schema` writes it; target/schema.graphql is how it should be");
    }
}

#[test]
fn the_same_schema_is_written_each_time() {
    assert_eq!(crate::graphql::sdl(), crate::graphql::sdl());
}

/// Walks the introspection and names everything of ours that has no description.
#[tokio::test]
async fn everything_is_described() {
    let city = TestCity::small();
    let data = city
        .query(
            "{ __schema { types { name kind description
                fields(includeDeprecated: true) { name description args(includeDeprecated: true) { name description } }
                inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }",
        )
        .await;
    let mut missing = Vec::new();
    let mut seen = 0;
    let mut check = |path: String, of: &Value| {
        seen += 1;
        if of["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            missing.push(path);
        }
    };
    for of_type in data["__schema"]["types"].as_array().unwrap() {
        let name = of_type["name"].as_str().unwrap();
        if name.starts_with("__") {
            continue;
        }
        check(name.to_owned(), of_type);
        for list in ["fields", "inputFields", "enumValues"] {
            for member in of_type[list].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", member["name"].as_str().unwrap());
                for arg in member["args"].as_array().into_iter().flatten() {
                    check(format!("{path}({})", arg["name"].as_str().unwrap()), arg);
                }
                check(path, member);
            }
        }
    }
    assert!(seen > 400, "{seen} things are too few to be the schema");
    assert!(missing.is_empty(), "without a description: {missing:#?}");
}
