//! Numbers, times and ids written straight into JSON text: an event is built in one buffer, without a tree of values.

use super::geo::Point;
use super::rhythm::civil;

/// Appends `value` at `decimals` digits, in its shortest form: no trailing zero, a whole number without a point.
pub fn number(out: &mut String, value: f64, decimals: u32) {
    let scale = 10i64.pow(decimals);
    let scaled = (value * scale as f64).round() as i64;
    if scaled < 0 {
        out.push('-');
    }
    let scaled = scaled.unsigned_abs();
    let (whole, mut rest) = (scaled / scale as u64, scaled % scale as u64);
    out.push_str(itoa::Buffer::new().format(whole));
    if rest == 0 {
        return;
    }
    let mut digits = decimals;
    while rest.is_multiple_of(10) {
        rest /= 10;
        digits -= 1;
    }
    out.push('.');
    padded(out, rest, digits);
}

/// Appends `value` with leading zeros to at least `width` digits.
pub fn padded(out: &mut String, value: u64, width: u32) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    for _ in text.len()..width as usize {
        out.push('0');
    }
    out.push_str(text);
}

/// Appends a whole number.
pub fn integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends `"2026-01-05T00:00:00.000Z"` with its quotes.
pub fn time(out: &mut String, ms: i64) {
    let (year, month, day) = civil(ms.div_euclid(86_400_000));
    let of_day = ms.rem_euclid(86_400_000) as u64;
    out.push('"');
    padded(out, year.unsigned_abs(), 4);
    for (mark, value) in [('-', u64::from(month)), ('-', u64::from(day)), ('T', of_day / 3_600_000)] {
        out.push(mark);
        padded(out, value, 2);
    }
    for value in [of_day / 60_000 % 60, of_day / 1000 % 60] {
        out.push(':');
        padded(out, value, 2);
    }
    out.push('.');
    padded(out, of_day % 1000, 3);
    out.push_str("Z\"");
}

/// Appends `{"latitude":…,"longitude":…}`.
pub fn position(out: &mut String, at: Point) {
    out.push_str("{\"latitude\":");
    number(out, at.latitude, 6);
    out.push_str(",\"longitude\":");
    number(out, at.longitude, 6);
    out.push('}');
}

/// Appends `text` as a JSON string.
pub fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
