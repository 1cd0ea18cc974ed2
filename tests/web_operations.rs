//! The pages ask only what the schema has: every operation of `web-client/` against `schema.graphql`.

use std::path::{Path, PathBuf};

use crate::common::{node, root};

#[tokio::test]
async fn every_operation_of_the_pages_is_valid() {
    let mut files = Vec::new();
    collect(&root().join("web-client/src"), &mut files);
    assert!(files.len() >= 10, "the examples of GraphiQL and the map's operations: {files:?}");
    let schema = root().join("schema.graphql").display().to_string();
    let args: Vec<String> =
        std::iter::once(schema).chain(files.iter().map(|file| file.display().to_string())).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let report = node::run("validate_operations.mjs", &args, "").await;
    assert!(report.contains(&format!("\"operations\":{}", files.len())), "{report}");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("web-client/src is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "graphql") {
            files.push(path);
        }
    }
}
