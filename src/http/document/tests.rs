use std::fmt::Write;

use super::*;
use crate::http::tests::toy::settings;

fn documents() -> Documents {
    Documents::new(&settings().1)
}

fn code(text: &str) -> String {
    match documents().get(text) {
        Ok(_) => "fine".into(),
        Err(error) => match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
            Some(async_graphql::Value::String(code)) => code.clone(),
            other => panic!("no code: {other:?}"),
        },
    }
}

#[test]
fn aliases_count_where_a_fragment_is_spread() {
    let aliases = |n: usize| (0..n).fold(String::new(), |text, i| text + &format!("a{i}: hello "));
    assert_eq!(code(&format!("{{ {} }}", aliases(20))), "fine");
    assert_eq!(code(&format!("{{ {} }}", aliases(21))), "TOO_MANY_ALIASES");
    let spread = format!("{{ inner {{ ...F }} other: inner {{ ...F }} }} fragment F on Query {{ {} }}", aliases(10));
    assert_eq!(code(&spread), "TOO_MANY_ALIASES");
    assert_eq!(code(&spread.replace("a9: ", "")), "fine");
}

#[test]
fn fragments_that_spread_themselves_or_double_are_refused_at_once() {
    assert_eq!(code("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"), "GRAPHQL_VALIDATION_FAILED");
    let mut bomb = String::from("{ ...F0 }");
    for n in 0..30 {
        write!(bomb, " fragment F{n} on Query {{ ...F{0} ...F{0} }}", n + 1).unwrap();
    }
    bomb += " fragment F30 on Query { hello }";
    assert_eq!(code(&bomb), "TOO_COMPLEX");
    let chain = (0..3000)
        .fold("{ ...F0 }".to_owned(), |text, n| text + &format!(" fragment F{n} on Query {{ ...F{} }}", n + 1));
    assert!(["TOO_DEEP", "TOO_COMPLEX"].contains(&code(&chain).as_str()));
}

#[test]
fn nesting_is_bounded_before_the_parser_sees_it() {
    let nested = |n: usize| format!("{}hello{}", "{ inner ".repeat(n) + "{ ", " }".repeat(n + 1));
    assert_eq!(code(&nested(15)), "fine");
    assert_eq!(code(&nested(16)), "TOO_DEEP");
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let value = open.repeat(100_000) + "1" + &close.repeat(100_000);
        assert_eq!(code(&format!("{{ double(of: {value}) }}")), "TOO_DEEP");
        assert_eq!(code(&format!("{{ double(of: {}", open.repeat(100_000))), "TOO_DEEP");
    }
    assert_eq!(code(&format!("query($a: {}Int{}) {{ hello }}", "[".repeat(70_000), "]".repeat(70_000))), "TOO_DEEP");
}

#[test]
fn tokens_are_counted_outside_of_strings_and_comments() {
    assert_eq!(code(&format!("{{ {} }}", "hello ".repeat(16_000))), "TOO_COMPLEX");
    assert_eq!(code(&format!("{{ hello(name: \"{}\") }}", "a [ \\\" ".repeat(20_000))), "fine");
    assert_eq!(code(&format!("{{ hello(name: \"\"\"{}\"\"\") }}", "a [ \" \\\"\"\" ".repeat(20_000))), "fine");
    assert_eq!(code(&format!("# {}\n{{ hello }}", "[ { ".repeat(20_000))), "fine");
    assert_eq!(code(&format!("{{ hello(name: \"{}", "a".repeat(20_000))), "GRAPHQL_PARSE_FAILED");
}

#[test]
fn directives_are_limited_in_each_place() {
    let many = "@skip(if: false) ".repeat(6);
    for text in [
        format!("{{ hello {many} }}"),
        format!("query {many} {{ hello }}"),
        format!("{{ ... {many} {{ hello }} }}"),
        format!("{{ ...F {many} }} fragment F on Query {{ hello }}"),
        format!("{{ ...F }} fragment F on Query {many} {{ hello }}"),
    ] {
        assert_eq!(code(&text), "TOO_MANY_DIRECTIVES", "{text}");
    }
}

#[test]
fn a_subscription_has_one_root_field() {
    assert_eq!(code("subscription { count(to: 1) }"), "fine");
    assert_eq!(code("subscription { ...F ...F } fragment F on Subscriptions { count(to: 1) }"), "fine");
    assert_eq!(code("subscription { count(to: 1) halting }"), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(
        code("subscription { count(to: 1) ...F } fragment F on Subscriptions { a: count(to: 1) }"),
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[test]
fn a_subscriptions_field_is_found_in_fragments() {
    let root = |text: &str| {
        let document = documents().get(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let items = &operation.node.selection_set.node.items;
        let fields: Vec<_> = items
            .iter()
            .map(|item| match &item.node {
                Selection::Field(field) => {
                    let inner = field.node.selection_set.node.items.len();
                    format!("{} {inner} {}", field.node.name.node, field.node.directives.len())
                }
                other => format!("{other:?}").split('(').next().unwrap().to_owned(),
            })
            .collect();
        (fields.join(", "), document.fragments.len())
    };
    let same = "subscription { a(x: 1) { b } ... on Subscription { a(x: 1) { c } } }";
    assert_eq!(root(same), ("a 2 0".into(), 0));
    let nested =
        "subscription { ...F @skip(if: false) } fragment F on Subscription { ... @include(if: true) { a { b } } }";
    assert_eq!(root(nested), ("a 1 2".into(), 0));
    // What is not valid is left to the validation: other arguments, another type, a fragment that is not there.
    assert_eq!(root("subscription { a(x: 1) { b } a(x: 2) { c } }"), ("a 1 0, a 1 0".into(), 0));
    let other = "subscription { ...F ...G } fragment F on Subscription { a } fragment G on Bus { a }";
    assert_eq!(root(other), ("FragmentSpread, FragmentSpread".into(), 2));
    assert_eq!(root("subscription { ...F ...H } fragment F on Subscription { a }").1, 1);
    // Other operations are as they were.
    assert_eq!(root("query { ...F } fragment F on Query { a }"), ("FragmentSpread".into(), 1));
}

#[test]
fn documents_are_kept_and_their_number_is_bounded() {
    let documents = documents();
    let first = documents.get("{ hello }").unwrap();
    for n in 0..3 * CACHED_DOCUMENTS {
        assert!(Arc::ptr_eq(&first, &documents.get("{ hello }").unwrap()), "what is used again stays");
        documents.get(&format!("{{ a{n}: hello }}")).unwrap();
    }
    let cache = documents.cache.lock().unwrap();
    assert!(cache.young.len() + cache.old.len() <= 2 * CACHED_DOCUMENTS);
}

#[test]
fn what_is_long_is_not_kept_and_what_is_refused_neither() {
    let documents = documents();
    documents.get(&format!("{{ hello(name: \"{}\") }}", "a".repeat(MAX_CACHED_BYTES))).unwrap();
    documents.get("{").unwrap_err();
    assert!(documents.cache.lock().unwrap().young.is_empty());
}

#[test]
fn the_scan_ends_on_any_bytes() {
    for text in ["\"", "\"\"\"", "\"\\", "\"\"\"\\\"\"\"", "#", "é", "{é}", "\u{feff}{hello}", "...", "$!=|&@:"] {
        scan(text).unwrap();
    }
}
