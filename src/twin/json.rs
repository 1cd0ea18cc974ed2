//! A JSON reader over borrowed text, and free JSON as a value.
//!
//! serde would do, were it not for what a message must be refused for (contract, section 2): a key that stands twice
//! anywhere, also in keys that nobody reads, and for telling "absent" from `null` in every field. One pass does all
//! of it and leaves every value borrowed. The grammar is RFC 8259's; `tests.rs` holds it against serde_json.

mod free;
mod reader;
mod write;

use std::borrow::Cow;

use smallvec::SmallVec;

pub use free::{Json, same_value};
use reader::{Reader, no_key_twice, plain, unescape};
pub use write::{object, write_number, write_text};

/// Nesting beyond this is refused as no JSON: it bounds the reader's recursion.
pub const MAX_DEPTH: usize = 128;

/// The most levels of free JSON (`metadata`, unknown keys of `readings`): contract, section 2, rule 7.
pub const MAX_FREE_DEPTH: usize = 32;

/// Where a text stops being JSON. Functions return it in a box, so that what they mostly return stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong there.
    pub what: String,
}

/// A string of the text, still with its escapes.
#[derive(Clone, Copy, Debug)]
pub struct Str<'a>(&'a str);

impl<'a> Str<'a> {
    /// The string itself; borrowed where it holds no escape.
    pub fn text(self) -> Cow<'a, str> {
        if self.escaped() { Cow::Owned(unescape(self.0)) } else { Cow::Borrowed(self.0) }
    }

    fn escaped(self) -> bool {
        // It has neither quotes nor control characters.
        plain(self.0.as_bytes()) < self.0.len()
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

/// A key and its value.
pub type Member<'a> = (Str<'a>, Value<'a>);

/// The members of one object. Eight are more than what messages mostly have.
type Members<'a> = SmallVec<[Member<'a>; 8]>;

/// The members of the objects in an object that was read, so that those need not be read a second time.
#[derive(Debug, Default)]
pub struct Inside<'a> {
    members: Members<'a>,
    /// Where each object's text begins, and where its members stand.
    objects: SmallVec<[(*const u8, usize, usize); 2]>,
}

/// Reads an object that was found right, for `N` known keys: from what was kept of the objects around it, else anew.
pub fn pick<'a, const N: usize>(inside: Option<&'a Inside<'_>>, object: &'a str, names: &[&str; N]) -> Picked<'a, N> {
    let kept = inside.and_then(|inside| {
        let (_, from, to) = inside.objects.iter().find(|(text, ..)| *text == object.as_ptr())?;
        inside.members.get(*from..*to)
    });
    if let Some(members) = kept {
        return Picked::of(members, names);
    }
    let mut members = Members::new();
    // There is no syntax left to fail on.
    let _ = Reader::new(object).object(0, &mut members);
    Picked::of(&members, names)
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
pub type Unknown<'a> = SmallVec<[Member<'a>; 2]>;

/// An object read for `N` known keys.
#[derive(Debug)]
pub struct Fields<'a, const N: usize> {
    /// In the order of the names asked for.
    pub values: [Value<'a>; N],
    /// In the order of the text.
    pub unknown: Unknown<'a>,
    /// What is in the objects among the values.
    pub inside: Inside<'a>,
}

impl<const N: usize> Default for Fields<'_, N> {
    fn default() -> Self {
        Self { values: [Value::Absent; N], unknown: SmallVec::new(), inside: Inside::default() }
    }
}

/// `N` known keys of an object that was found right.
#[derive(Debug)]
pub struct Picked<'a, const N: usize> {
    /// In the order of the names asked for.
    pub values: [Value<'a>; N],
    /// In the order of the text.
    pub unknown: Unknown<'a>,
}

impl<'a, const N: usize> Picked<'a, N> {
    fn of<'m: 'a>(members: &[Member<'m>], names: &[&str; N]) -> Self {
        let mut picked = Self { values: [Value::Absent; N], unknown: SmallVec::new() };
        let mut expected = 0;
        for (key, value) in members {
            match position(*key, names, expected) {
                Some(i) => {
                    picked.values[i] = *value;
                    expected = i + 1;
                }
                None => picked.unknown.push((*key, *value)),
            }
        }
        picked
    }
}

/// Which of the names a key is. Messages mostly hold their keys in the reference's order, so the one after the last is
/// tried first.
fn position<const N: usize>(key: Str<'_>, names: &[&str; N], expected: usize) -> Option<usize> {
    if expected < N && key.0 == names[expected] {
        return Some(expected);
    }
    let known = names.iter().position(|name| key.0 == *name);
    if known.is_none() && key.escaped() {
        let key = unescape(key.0);
        return names.iter().position(|name| key == *name);
    }
    known
}

/// Reads a text that must be one object, for its known keys.
pub fn fields<'a, const N: usize>(text: &'a str, names: &[&str; N]) -> Result<Fields<'a, N>, Box<Syntax>> {
    let mut fields = Fields::default();
    fields.read(text, names)?;
    Ok(fields)
}

impl<'a, const N: usize> Fields<'a, N> {
    /// [`fields`] for those who read very often: returning some hundred bytes in a `Result` copies them.
    pub fn read(&mut self, text: &'a str, names: &[&str; N]) -> Result<(), Box<Syntax>> {
        let fields = self;
        let mut reader = Reader::new(text);
        reader.skip_space();
        if reader.peek() != Some(b'{') {
            return Err(reader.fail("expected an object"));
        }
        let mut expected = 0;
        reader.members(|reader, key| {
            match position(key, names, expected) {
                Some(i) if !matches!(fields.values[i], Value::Absent) => return Err(reader.fail_key(key)),
                Some(i) => {
                    expected = i + 1;
                    fields.values[i] = match reader.value_from() {
                        Some(b'{') => {
                            let Inside { members, objects } = &mut fields.inside;
                            let from = members.len();
                            let object = reader.object(1, members)?;
                            objects.push((object.as_ptr(), from, members.len()));
                            Value::Object(object)
                        }
                        _ => reader.value(1)?,
                    };
                }
                None => {
                    let value = reader.value(1)?;
                    fields.unknown.push((key, value));
                }
            }
            Ok(())
        })?;
        no_key_twice(&fields.unknown, reader.escapes).map_err(|key| reader.fail_key(key))?;
        reader.end()
    }
}

/// The values of a list that was read before.
pub fn elements(list: &str) -> Result<Vec<Value<'_>>, Box<Syntax>> {
    let mut reader = Reader::new(list);
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
pub fn check(text: &str) -> Result<Value<'_>, Box<Syntax>> {
    let mut reader = Reader::new(text);
    let value = reader.value(0)?;
    reader.end()?;
    Ok(value)
}

/// Reads a number that was found right. Up to 15 digits with up to 22 after the point are exact as a quotient of two
/// doubles ("How to read floating point numbers accurately", William Clinger 1990); all else is the standard library's.
pub fn number(raw: &str) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    if digits.len() > 16 {
        return raw.parse().ok();
    }
    let (mut whole, mut point) = (0_u64, None);
    for (at, byte) in digits.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => whole = whole * 10 + u64::from(byte - b'0'),
            b'.' => point = Some(at),
            _ => return raw.parse().ok(),
        }
    }
    let number = whole as f64 / POWERS[point.map_or(0, |at| digits.len() - 1 - at)];
    Some(if digits.len() == raw.len() { number } else { -number })
}

#[cfg(test)]
mod tests;
