//! A JSON reader over borrowed text, and free JSON as a value.
//!
//! serde would do, were it not for what a message must be refused for (contract, section 2): a key that stands twice
//! anywhere, also in keys that nobody reads, and for telling "absent" from `null` in every field. One pass does all
//! of it and leaves every value borrowed. The grammar is RFC 8259's; `tests.rs` holds it against serde_json.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use smallvec::SmallVec;

/// Nesting beyond this is refused as no JSON: it bounds the reader's recursion.
pub const MAX_DEPTH: usize = 128;

/// The most levels of free JSON (`metadata`, unknown keys of `readings`): contract, section 2, rule 7.
pub const MAX_FREE_DEPTH: usize = 32;

/// Where a text stops being JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
}

/// A string of the text, still with its escapes.
#[derive(Clone, Copy, Debug)]
pub struct Str<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Str<'a> {
    /// The string itself; borrowed where it holds no escape.
    pub fn text(self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    fn is(self, name: &str) -> bool {
        if self.escaped { unescape(self.raw) == name } else { self.raw == name }
    }
}

/// One value of the text: scalars read, objects and lists checked and left as text.
#[derive(Clone, Copy, Debug, Default)]
pub enum Value<'a> {
    /// The key is not there.
    #[default]
    Absent,
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Str<'a>),
    List(&'a str),
    Object(&'a str),
}

impl Value<'_> {
    /// What it is, for error messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The value as text for error messages, cut to 80 characters.
    pub fn shown(&self) -> String {
        let text = match self {
            Self::Absent => "nothing".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Number(raw) | Self::List(raw) | Self::Object(raw) => (*raw).to_owned(),
            Self::Text(text) => format!("{:?}", text.text()),
        };
        cut(&text, 80)
    }
}

/// At most `most` characters of a text, with `…` where something was left out.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Keys that the caller does not know, with their values.
pub type Unknown<'a> = SmallVec<[(Str<'a>, Value<'a>); 2]>;

/// An object read for `N` known keys.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    /// In the order of the names asked for.
    pub values: [Value<'a>; N],
    /// In the order of the text.
    pub unknown: Unknown<'a>,
}

/// Reads a text that must be one object, for its known keys.
pub fn fields<'a, const N: usize>(text: &'a str, names: &[&str; N]) -> Result<Fields<'a, N>, Syntax> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    reader.skip_space();
    if reader.peek() != Some(b'{') {
        return Err(reader.fail("expected an object"));
    }
    let mut fields = Fields { values: [Value::Absent; N], unknown: SmallVec::new() };
    // Messages mostly hold their keys in the reference's order, so the key after the last one is tried first.
    let mut expected = 0;
    reader.members(|reader, key| {
        let known = (expected..N).chain(0..expected).find(|&i| key.is(names[i]));
        if let Some(i) = known {
            if !matches!(fields.values[i], Value::Absent) {
                return Err(reader.fail_key(key));
            }
            expected = i + 1;
            fields.values[i] = reader.value(1)?;
        } else {
            let value = reader.value(1)?;
            fields.unknown.push((key, value));
        }
        Ok(())
    })?;
    no_key_twice(fields.unknown.iter().map(|(key, _)| *key)).map_err(|key| reader.fail_key(key))?;
    reader.end()?;
    Ok(fields)
}

/// The values of a list that was read before.
pub fn elements(list: &str) -> Result<Vec<Value<'_>>, Syntax> {
    let mut reader = Reader { text: list, bytes: list.as_bytes(), at: 0 };
    let mut values = Vec::new();
    reader.skip_space();
    if reader.peek() != Some(b'[') {
        return Err(reader.fail("expected a list"));
    }
    reader.items(|reader| {
        values.push(reader.value(1)?);
        Ok(())
    })?;
    reader.end()?;
    Ok(values)
}

/// Whether a text is one JSON value, by every rule of this module.
pub fn check(text: &str) -> Result<Value<'_>, Syntax> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
    let value = reader.value(0)?;
    reader.end()?;
    Ok(value)
}

fn no_key_twice<'a>(keys: impl ExactSizeIterator<Item = Str<'a>> + Clone) -> Result<(), Str<'a>> {
    match keys.len() {
        0 | 1 => Ok(()),
        // A few keys are compared each with each, without a hash.
        2..=16 => {
            for (i, key) in keys.clone().enumerate() {
                for other in keys.clone().take(i) {
                    let same =
                        if key.escaped || other.escaped { key.text() == other.text() } else { key.raw == other.raw };
                    if same {
                        return Err(key);
                    }
                }
            }
            Ok(())
        }
        n => {
            let mut seen = HashSet::with_capacity(n);
            for key in keys {
                if !seen.insert(key.text()) {
                    return Err(key);
                }
            }
            Ok(())
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    #[cold]
    fn fail(&self, what: &str) -> Syntax {
        Syntax { at: self.at, what: what.to_owned() }
    }

    #[cold]
    fn fail_key(&self, key: Str<'_>) -> Syntax {
        Syntax { at: self.at, what: format!("the key {:?} stands twice", cut(&key.text(), 80)) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), Syntax> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.fail("expected the end")) }
    }

    /// Reads and checks one value.
    fn value(&mut self, depth: usize) -> Result<Value<'a>, Syntax> {
        self.skip_space();
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'{') => {
                self.nested_object(depth)?;
                Ok(Value::Object(&self.text[start..self.at]))
            }
            Some(b'[') => {
                self.deeper(depth)?;
                self.items(|reader| reader.value(depth + 1).map(drop))?;
                Ok(Value::List(&self.text[start..self.at]))
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.fail("expected a value")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<(), Syntax> {
        if depth >= MAX_DEPTH { Err(self.fail("nested deeper than 128 levels")) } else { Ok(()) }
    }

    fn nested_object(&mut self, depth: usize) -> Result<(), Syntax> {
        self.deeper(depth)?;
        let mut keys: SmallVec<[Str<'a>; 8]> = SmallVec::new();
        self.members(|reader, key| {
            keys.push(key);
            reader.value(depth + 1).map(drop)
        })?;
        no_key_twice(keys.iter().copied()).map_err(|key| self.fail_key(key))
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Syntax> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fail("expected a value"))
        }
    }

    /// Reads an object from its `{`, and hands each key over with the reader at its value.
    fn members(&mut self, mut each: impl FnMut(&mut Self, Str<'a>) -> Result<(), Syntax>) -> Result<(), Syntax> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.fail("expected a key"));
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.fail("expected a colon"));
            }
            self.at += 1;
            each(self, key)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fail("expected a comma or a closing brace")),
            }
        }
    }

    /// Reads a list from its `[`, with the reader at each value.
    fn items(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Syntax>) -> Result<(), Syntax> {
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fail("expected a comma or a closing bracket")),
            }
        }
    }

    fn string(&mut self) -> Result<Str<'a>, Syntax> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Str { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..0x20) => return Err(self.fail("a control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.fail("a string without an end")),
            }
        }
    }

    /// Checks one escape, from its backslash.
    fn escape(&mut self) -> Result<(), Syntax> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let high = self.hex4()?;
                match high {
                    0xD800..0xDC00 => {
                        if !self.bytes[self.at..].starts_with(b"\\u") {
                            return Err(self.fail("half of a surrogate pair"));
                        }
                        self.at += 1;
                        match self.hex4()? {
                            0xDC00..0xE000 => Ok(()),
                            _ => Err(self.fail("half of a surrogate pair")),
                        }
                    }
                    0xDC00..0xE000 => Err(self.fail("half of a surrogate pair")),
                    _ => Ok(()),
                }
            }
            _ => Err(self.fail("an unknown escape")),
        }
    }

    /// Reads four hexadecimal digits, from the `u` before them.
    fn hex4(&mut self) -> Result<u32, Syntax> {
        let digits = self.bytes.get(self.at + 1..self.at + 5).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.fail("expected four hexadecimal digits")) };
        self.at += 5;
        Ok(digits.iter().fold(0, |sum, digit| sum * 16 + (*digit as char).to_digit(16).unwrap_or(0)))
    }

    fn number(&mut self) -> Result<&'a str, Syntax> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.fail("expected a digit")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn some_digits(&mut self) -> Result<(), Syntax> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.fail("expected a digit"));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }
}

/// The text of a checked JSON string.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = |text: &str| u32::from_str_radix(&text[..4], 16).unwrap_or(0xFFFD);
                let first = unit(rest);
                rest = &rest[4..];
                let code = if (0xD800..0xDC00).contains(&first) {
                    let second = unit(&rest[2..]);
                    rest = &rest[6..];
                    0x1_0000 + ((first - 0xD800) << 10) + (second.wrapping_sub(0xDC00) & 0x3FF)
                } else {
                    first
                };
                out.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
            }
            other => out.push(other as char),
        }
    }
    out.push_str(rest);
    out
}

/// Writes a string with its quotes and the escapes that JSON asks for.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..0x20 => b'u',
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[start..at]);
        start = at + 1;
        out.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            out.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
    out.extend_from_slice(&text.as_bytes()[start..]);
    out.push(b'"');
}

/// Writes members as one object, in their order.
pub fn object(members: &Unknown<'_>) -> String {
    let mut text = vec![b'{'];
    for (i, (key, value)) in members.iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        write_text(&key.text(), &mut text);
        text.push(b':');
        match value {
            Value::Absent | Value::Null => text.extend_from_slice(b"null"),
            Value::Bool(true) => text.extend_from_slice(b"true"),
            Value::Bool(false) => text.extend_from_slice(b"false"),
            Value::Number(raw) | Value::List(raw) | Value::Object(raw) => text.extend_from_slice(raw.as_bytes()),
            Value::Text(value) => write_text(&value.text(), &mut text),
        }
    }
    text.push(b'}');
    // Built from text, so it is text.
    String::from_utf8(text).unwrap_or_default()
}

/// Writes a finite number in its shortest form: a whole one without a fraction, no -0.
pub fn write_number(number: f64, out: &mut Vec<u8>) {
    // Whole numbers that a double holds exactly.
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        out.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
    } else {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(number);
        // ryu writes whole numbers below 1e16 with a fraction.
        out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    }
}

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

#[cfg(test)]
mod tests;
