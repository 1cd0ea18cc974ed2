//! One pass over a text: each value is checked, and stays borrowed.

use std::collections::HashSet;

use super::{MAX_DEPTH, Member, Members, Str, Syntax, Value, cut};

/// `escapes`: whether a key may have an escape.
pub(super) fn no_key_twice<'a>(members: &[Member<'a>], escapes: bool) -> Result<(), Str<'a>> {
    // A few keys are compared each with each, without a hash.
    if members.len() <= 16 && !escapes {
        for (i, (key, _)) in members.iter().enumerate() {
            if members[..i].iter().any(|(other, _)| key.0 == other.0) {
                return Err(*key);
            }
        }
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(members.len());
    match members.iter().find(|(key, _)| !seen.insert(key.text())) {
        Some((key, _)) => Err(*key),
        None => Ok(()),
    }
}

pub(super) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether a string with an escape was read.
    pub(super) escapes: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, escapes: false }
    }

    #[cold]
    #[allow(clippy::unnecessary_box_returns)] // in a `Result` it is boxed, see `Syntax`
    pub(super) fn fail(&self, what: &str) -> Box<Syntax> {
        Box::new(Syntax { at: self.at, what: what.to_owned() })
    }

    #[cold]
    #[allow(clippy::unnecessary_box_returns)] // in a `Result` it is boxed, see `Syntax`
    pub(super) fn fail_key(&self, key: Str<'_>) -> Box<Syntax> {
        Box::new(Syntax { at: self.at, what: format!("the key {:?} stands twice", cut(&key.text(), 80)) })
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// The first byte of the next value.
    #[inline]
    pub(super) fn value_from(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    pub(super) fn end(&mut self) -> Result<(), Box<Syntax>> {
        self.skip_space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.fail("expected the end")) }
    }

    /// Reads and checks one value.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value<'a>, Box<Syntax>> {
        match self.value_from() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'{') => self.object(depth, &mut Members::new()).map(Value::Object),
            Some(b'[') => {
                self.deeper(depth)?;
                let start = self.at;
                self.items(|reader| reader.value(depth + 1).map(drop))?;
                Ok(Value::List(&self.text[start..self.at]))
            }
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.fail("expected a value")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<(), Box<Syntax>> {
        if depth >= MAX_DEPTH { Err(self.fail("nested deeper than 128 levels")) } else { Ok(()) }
    }

    /// Reads an object from its `{` and adds its members to `inside`.
    pub(super) fn object(&mut self, depth: usize, inside: &mut Members<'a>) -> Result<&'a str, Box<Syntax>> {
        self.deeper(depth)?;
        let (start, first) = (self.at, inside.len());
        self.members(|reader, key| {
            let value = reader.value(depth + 1)?;
            inside.push((key, value));
            Ok(())
        })?;
        no_key_twice(&inside[first..], self.escapes).map_err(|key| self.fail_key(key))?;
        Ok(&self.text[start..self.at])
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Box<Syntax>> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fail("expected a value"))
        }
    }

    /// Reads an object from its `{`, and hands each key over with the reader at its value.
    pub(super) fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, Str<'a>) -> Result<(), Box<Syntax>>,
    ) -> Result<(), Box<Syntax>> {
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
    pub(super) fn items(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Box<Syntax>>,
    ) -> Result<(), Box<Syntax>> {
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

    fn string(&mut self) -> Result<Str<'a>, Box<Syntax>> {
        self.at += 1;
        let start = self.at;
        loop {
            self.at += plain(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Str(raw));
                }
                Some(b'\\') => {
                    self.escapes = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.fail("a control character in a string")),
                None => return Err(self.fail("a string without an end")),
            }
        }
    }

    /// Checks one escape, from its backslash.
    fn escape(&mut self) -> Result<(), Box<Syntax>> {
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
    fn hex4(&mut self) -> Result<u32, Box<Syntax>> {
        let digits = self.bytes.get(self.at + 1..self.at + 5).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.fail("expected four hexadecimal digits")) };
        self.at += 5;
        Ok(digits.iter().fold(0, |sum, digit| sum * 16 + (*digit as char).to_digit(16).unwrap_or(0)))
    }

    fn number(&mut self) -> Result<&'a str, Box<Syntax>> {
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

    fn some_digits(&mut self) -> Result<(), Box<Syntax>> {
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

/// How many bytes there are before the first quote, backslash or control character: eight are looked at together, by
/// "Bit Twiddling Hacks" (Sean Eron Anderson), "Determine if a word has a byte less than n".
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // The lowest bit that is set is right; above it there may be some too many.
    let less = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & (ONES << 7);
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special =
            less(word ^ (ONES * u64::from(b'"')), 1) | less(word ^ (ONES * u64::from(b'\\')), 1) | less(word, 0x20);
        if special != 0 {
            return i * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
    words.len() * 8 + end
}

/// The text of a checked JSON string.
pub(super) fn unescape(raw: &str) -> String {
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
