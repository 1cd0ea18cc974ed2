use proptest::prelude::*;

use super::*;

fn value(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Random JSON values, as text with random space between tokens.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        any::<i32>().prop_map(|n| n.to_string()),
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
        "[a-z\\\\\"\u{1F600}]{0,6}".prop_map(|s| serde_json::to_string(&s).unwrap()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
            prop::collection::btree_map("[a-z\u{e9}]{0,5}", inner, 0..5).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("\"{k}\" :\t{v}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn accepts_what_serde_json_accepts(text in json()) {
        prop_assert!(check(&text).is_ok(), "{text}");
    }

    #[test]
    fn judges_damaged_text_as_serde_json_does(text in json(), at in any::<prop::sample::Index>(), with in "[ -~]{0,2}") {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..=at, with.chars());
        let damaged: String = chars.into_iter().collect();
        let ours = check(&damaged);
        match serde_json::from_str::<serde_json::Value>(&damaged) {
            Ok(_) => {
                let twice = ours.as_ref().is_err_and(|e| e.what.contains("stands twice"));
                prop_assert!(ours.is_ok() || twice, "{damaged}: {ours:?}");
            }
            // Numbers beyond a double are JSON; only serde_json's own value cannot hold them.
            Err(e) if e.to_string().contains("number out of range") => {}
            Err(e) => prop_assert!(ours.is_err(), "{damaged}: {e}"),
        }
    }

    #[test]
    fn strings_read_as_serde_json_reads_them(text in any::<String>()) {
        let written = serde_json::to_string(&text).unwrap();
        let Ok(Value::Text(read)) = check(&written) else { panic!("{written}") };
        prop_assert_eq!(&read.text(), &text);
        let mut out = Vec::new();
        write_text(&text, &mut out);
        prop_assert_eq!(std::str::from_utf8(&out).unwrap(), written);
    }

    #[test]
    fn free_json_keeps_its_value_and_loses_its_space(text in json()) {
        if let Ok(kept) = Json::new(&text) {
            prop_assert!(same_value(&value(kept.text()), &value(&text)));
            let again = Json::new(kept.text()).unwrap();
            prop_assert_eq!(again.text(), kept.text());
        }
    }

    #[test]
    fn numbers_come_back(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let mut out = Vec::new();
        write_number(number, &mut out);
        let text = String::from_utf8(out).unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap(), number);
        prop_assert_eq!(super::number(&text), Some(number));
        prop_assert!(check(&text).is_ok(), "{text}");
    }
}

proptest! {
    #[test]
    fn decimals_read_as_the_standard_library_reads_them(text in "-?(0|[1-9][0-9]{0,17})([.][0-9]{1,18})?([eE][+-]?[0-9]{1,3})?") {
        prop_assert_eq!(super::number(&text), text.parse().ok(), "{}", text);
    }
}

#[test]
fn numbers_in_their_shortest_form() {
    for (number, text) in [(1.0, "1"), (-0.0, "0"), (0.5, "0.5"), (45.2, "45.2"), (1e21, "1e21"), (-3.0, "-3")] {
        let mut out = Vec::new();
        write_number(number, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
}

#[test]
fn a_key_twice_anywhere_is_refused() {
    let many: Vec<_> = (0..40).map(|i| format!("\"k{i}\":0")).collect();
    for text in [
        r#"{"a":1,"a":2}"#.to_owned(),
        r#"{"x":1,"x":2}"#.to_owned(),
        r#"{"\u0061":1,"a":2}"#.to_owned(),
        r#"{"x":[{"y":{"z":1,"z":1}}]}"#.to_owned(),
        format!("{{{},\"k7\":1}}", many.join(",")),
        format!("{{\"a\":{{{},\"k7\":1}}}}", many.join(",")),
    ] {
        let refused = fields(&text, &["a", "b"]).unwrap_err();
        assert!(refused.what.contains("stands twice"), "{text}: {refused:?}");
    }
    assert!(fields(&format!("{{{}}}", many.join(",")), &["a"]).is_ok());
}

#[test]
fn fields_in_any_order_and_what_is_unknown() {
    let read = fields(r#" {"c":3, "b":"x\n", "zz":[1,{}], "a":null} "#, &["a", "b", "c", "d"]).unwrap();
    assert!(matches!(read.values[0], Value::Null));
    assert!(matches!(read.values[1], Value::Text(t) if t.text() == "x\n"));
    assert!(matches!(read.values[2], Value::Number("3")));
    assert!(matches!(read.values[3], Value::Absent));
    assert_eq!(read.unknown.len(), 1);
    for text in
        ["[]", "3", "", "null", r#"{"a":1}x"#, r#"{"a":1,}"#, "{a:1}", r#"{"a":01}"#, r#"{"a":+1}"#, "\u{feff}{}"]
    {
        assert!(fields(text, &["a"]).is_err(), "{text}");
    }
}

#[test]
fn free_json_has_bounds() {
    assert!(Json::new("1e999").is_err());
    assert!(Json::new(r#"{"a":[1,-1e400]}"#).is_err());
    assert!(Json::new(&format!("{}{}", "9".repeat(400), ".0")).is_err());
    assert!(Json::new(r#"{"a":"1e999"}"#).is_ok());
    assert!(Json::new(&format!("{}{}", "[".repeat(32), "]".repeat(32))).is_ok());
    assert!(Json::new(&format!("{}{}", "[".repeat(33), "]".repeat(33))).is_err());
    assert!(check(&format!("{}{}", "[".repeat(129), "]".repeat(129))).is_err());
}

#[test]
fn free_json_is_compared_by_value() {
    let json = |text: &str| Json::new(text).unwrap();
    assert_eq!(json(r#"{"a":1,"b":[2]}"#), json(r#"{ "b": [2.0], "a": 1e0 }"#));
    assert_ne!(json(r#"{"a":1}"#), json(r#"{"a":"1"}"#));
    assert_ne!(json("[1,2]"), json("[2,1]"));
}
