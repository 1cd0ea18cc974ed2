//! JSON in its canonical form.

use super::{Unknown, Value};

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
