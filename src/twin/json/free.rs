//! Free JSON: what we keep without knowing what it says.

use std::sync::Arc;

use super::MAX_FREE_DEPTH;

/// JSON that we keep as it came, without the space between its tokens.
///
/// Compared by value: key order and the spelling of a number make no difference.
#[derive(Clone, Debug)]
pub struct Json(Arc<str>);

impl Json {
    /// Takes a value that [`check`] or [`fields`] has read.
    ///
    /// # Errors
    /// What is accepted, where a number is not finite or the nesting is deeper than [`MAX_FREE_DEPTH`].
    pub fn new(raw: &str) -> Result<Self, &'static str> {
        let mut text = String::with_capacity(raw.len());
        let mut copied = 0;
        let mut depth = 0_usize;
        let mut in_string = false;
        let mut escaped = false;
        let mut number_from = None;
        for (at, byte) in raw.bytes().enumerate() {
            if in_string {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E' => {
                    // The `e` of a word begins no number.
                    if number_from.is_none() && (byte == b'-' || byte.is_ascii_digit()) {
                        number_from = Some(at);
                    }
                    continue;
                }
                b'"' => in_string = true,
                b'{' | b'[' => {
                    depth += 1;
                    if depth > MAX_FREE_DEPTH {
                        return Err("at most 32 levels");
                    }
                }
                b'}' | b']' => depth -= 1,
                b' ' | b'\n' | b'\r' | b'\t' => {
                    text.push_str(&raw[copied..at]);
                    copied = at + 1;
                }
                _ => {}
            }
            if let Some(from) = number_from.take() {
                finite(&raw[from..at])?;
            }
        }
        if let Some(from) = number_from {
            finite(&raw[from..])?;
        }
        text.push_str(&raw[copied..]);
        Ok(Self(text.into()))
    }

    /// The text, without space between tokens.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn finite(number: &str) -> Result<(), &'static str> {
    // Short numbers without an exponent cannot overflow.
    if number.len() < 300 && !number.contains(['e', 'E']) {
        return Ok(());
    }
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(()),
        _ => Err("finite numbers"),
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0 {
            return true;
        }
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text);
        match (value(&self.0), value(&other.0)) {
            (Ok(a), Ok(b)) => same_value(&a, &b),
            _ => false,
        }
    }
}

/// Equality as JavaScript sees it: 1 and 1.0 are the same number, key order makes no difference.
pub fn same_value(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as V;
    match (a, b) {
        (V::Number(a), V::Number(b)) => a.as_f64() == b.as_f64(),
        (V::Array(a), V::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b)),
        (V::Object(a), V::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        (a, b) => a == b,
    }
}
