//! One line of a recording.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One record of a topic: `{"topic", "key", "timestamp", "value"}`.
///
/// The value stands there verbatim where it is JSON on one line, so that a recording can be read, searched and edited with
/// the usual tools. Bytes that JSON text cannot carry unchanged stand in `valueBase64` instead (no JSON, several lines,
/// space around it, or the word `null`, which in `value` means a record without a value), and a key that is no UTF-8 in
/// `keyBase64`. Unknown keys of a line are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The topic's name.
    pub topic: Cow<'a, str>,
    /// `None` is null.
    pub key: Option<Cow<'a, [u8]>>,
    /// Kafka's time of the record in milliseconds.
    pub timestamp: i64,
    /// `None` is null.
    pub value: Option<Cow<'a, [u8]>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    timestamp: i64,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &'a str) -> Result<Self, String> {
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if wire.topic.is_empty() {
            return Err("topic is empty".into());
        }
        let decode = |name: &str, text: &str| STANDARD.decode(text).map_err(|error| format!("{name}: {error}"));
        let key = match (wire.key, wire.key_base64) {
            (None, None) => None,
            (Some(Cow::Borrowed(key)), None) => Some(Cow::Borrowed(key.as_bytes())),
            (Some(Cow::Owned(key)), None) => Some(Cow::Owned(key.into_bytes())),
            (None, Some(text)) => Some(Cow::Owned(decode("keyBase64", &text)?)),
            (Some(_), Some(_)) => return Err("both key and keyBase64".into()),
        };
        let value = match (wire.value, wire.value_base64) {
            (None, None) => None,
            (Some(value), None) => Some(Cow::Borrowed(value.get().as_bytes())),
            (None, Some(text)) => Some(Cow::Owned(decode("valueBase64", &text)?)),
            (Some(_), Some(_)) => return Err("both value and valueBase64".into()),
        };
        Ok(Self { topic: wire.topic, key, timestamp: wire.timestamp, value })
    }

    /// Appends the line with its end to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (key, key_base64) = match self.key.as_deref().map(|key| (std::str::from_utf8(key), key)) {
            None => (None, None),
            Some((Ok(text), _)) => (Some(Cow::Borrowed(text)), None),
            Some((Err(_), bytes)) => (None, Some(STANDARD.encode(bytes))),
        };
        let (value, value_base64) = match self.value.as_deref().map(|value| (verbatim(value), value)) {
            None => (None, None),
            Some((Some(raw), _)) => (Some(raw), None),
            Some((None, bytes)) => (None, Some(STANDARD.encode(bytes))),
        };
        let wire =
            Wire { topic: Cow::Borrowed(&self.topic), key, key_base64, timestamp: self.timestamp, value, value_base64 };
        // Strings, numbers and JSON that was read as such: writing them to memory cannot fail.
        if serde_json::to_writer(&mut *out, &wire).is_ok() {
            out.push(b'\n');
        }
    }
}

/// The value as JSON, where that gives the same bytes back.
fn verbatim(value: &[u8]) -> Option<&RawValue> {
    let text = std::str::from_utf8(value).ok()?;
    if text == "null" || text.contains(['\n', '\r']) {
        return None;
    }
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    // Space around it is cut by the reader.
    (raw.get().len() == text.len()).then_some(raw)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Line<'a> {
        Line { topic: "t".into(), key: key.map(Cow::Borrowed), timestamp: 7, value: value.map(Cow::Borrowed) }
    }

    fn written(line: &Line<'_>) -> String {
        let mut out = Vec::new();
        line.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_stands_there_as_it_came() {
        let value = br#"{"b": 1.00, "a":1e5,"a":2}"#;
        assert_eq!(
            written(&line(Some(b"k"), Some(value))),
            "{\"topic\":\"t\",\"key\":\"k\",\"timestamp\":7,\"value\":{\"b\": 1.00, \"a\":1e5,\"a\":2}}\n"
        );
        assert_eq!(written(&line(None, None)), "{\"topic\":\"t\",\"key\":null,\"timestamp\":7,\"value\":null}\n");
    }

    #[test]
    fn what_json_cannot_carry_is_base64() {
        for value in [&b"null"[..], b"", b" {}", b"{\n}", b"\xff", b"not json", b"{}{}"] {
            let text = written(&line(Some(b"\xfe"), Some(value)));
            assert!(text.contains("valueBase64") && text.contains("keyBase64"), "{text}");
            assert_eq!(text.matches('\n').count(), 1);
            assert_eq!(Line::read(text.trim_end()).unwrap(), line(Some(b"\xfe"), Some(value)));
        }
    }

    #[test]
    fn wrong_lines_are_named() {
        for wrong in [
            "",
            "[]",
            r#"{"topic":"t"}"#,
            r#"{"topic":"","timestamp":1}"#,
            r#"{"topic":"t","timestamp":1.5}"#,
            r#"{"topic":"t","timestamp":1,"valueBase64":"?"}"#,
            r#"{"topic":"t","timestamp":1,"value":1,"valueBase64":""}"#,
        ] {
            assert!(Line::read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_record_comes_back(
            key in prop::option::of(prop::collection::vec(any::<u8>(), 0..8)),
            value in prop::option::of(prop_oneof![
                prop::collection::vec(any::<u8>(), 0..20),
                "[ \\n]?\\{\"a\": ?[0-9.\"e{}]{0,3}\\}".prop_map(String::into_bytes),
            ]),
        ) {
            let line = line(key.as_deref(), value.as_deref());
            let text = written(&line);
            prop_assert_eq!(Line::read(text.trim_end_matches('\n')).unwrap(), line);
        }
    }
}
