//! Moving the times inside a message, in its text: all else stays byte for byte.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

/// The message's own times; `estimatedArrival` also inside the items of `nextArrivals`.
const TIMES: [&str; 3] = ["lastUpdated", "reportedAt", "estimatedArrival"];

/// The JSON text with the message's own times moved by `shift_ms`. What is no RFC 3339 time with a zone stays as it is, and so
/// does text that is no JSON object. Moved times are UTC with as many fraction digits as they had, at least three.
pub fn shift_times(text: &str, shift_ms: i64) -> Cow<'_, str> {
    let mut scan = Scan { text, at: 0, shift_ms, out: String::new(), copied: 0 };
    if scan.space().byte() != Some(b'{') || scan.value(Place::Message).is_none() || scan.out.is_empty() {
        return Cow::Borrowed(text);
    }
    let Scan { mut out, copied, .. } = scan;
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Where in the message a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Message,
    NextArrivals,
    NextArrival,
    Elsewhere,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    shift_ms: i64,
    out: String,
    /// How much of `text` is in `out`.
    copied: usize,
}

/// Deeper text is left alone: a message of that depth is refused anyway, and the stack is finite.
const DEEPEST: usize = 64;

impl<'a> Scan<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) -> &mut Self {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.space().byte() == Some(byte)).then(|| self.at += 1)
    }

    fn value(&mut self, place: Place) -> Option<()> {
        self.nested(place, 0)
    }

    /// Passes one value; `None` where the text is no JSON (what was moved before is then dropped).
    fn nested(&mut self, place: Place, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.space().byte()? {
            b'{' => {
                self.at += 1;
                if self.take(b'}').is_some() {
                    return Some(());
                }
                loop {
                    self.space();
                    let key = self.string()?;
                    self.take(b':')?;
                    let timed = match place {
                        Place::Message => TIMES.contains(&key),
                        Place::NextArrival => key == "estimatedArrival",
                        Place::NextArrivals | Place::Elsewhere => false,
                    };
                    if timed && self.space().byte() == Some(b'"') {
                        self.time()?;
                    } else {
                        let arrivals = place == Place::Message && key == "nextArrivals";
                        self.nested(if arrivals { Place::NextArrivals } else { Place::Elsewhere }, depth + 1)?;
                    }
                    if self.take(b',').is_none() {
                        return self.take(b'}');
                    }
                }
            }
            b'[' => {
                self.at += 1;
                if self.take(b']').is_some() {
                    return Some(());
                }
                let item = if place == Place::NextArrivals { Place::NextArrival } else { Place::Elsewhere };
                loop {
                    self.nested(item, depth + 1)?;
                    if self.take(b',').is_none() {
                        return self.take(b']');
                    }
                }
            }
            b'"' => self.string().map(drop),
            _ => {
                let start = self.at;
                while self.byte().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.')) {
                    self.at += 1;
                }
                (self.at > start).then_some(())
            }
        }
    }

    /// Passes a string and returns what stands between its quotes, escapes as they are.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let start = self.at;
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at - 1)
    }

    fn time(&mut self) -> Option<()> {
        let start = self.at + 1;
        let old = self.string()?;
        if let Some(new) = moved(old, self.shift_ms) {
            self.out.push_str(&self.text[self.copied..start]);
            self.out.push_str(&new);
            self.copied = start + old.len();
        }
        Some(())
    }
}

fn moved(text: &str, shift_ms: i64) -> Option<String> {
    let time: Timestamp = text.parse().ok()?;
    let time = time.checked_add(SignedDuration::from_millis(shift_ms)).ok()?;
    let digits = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    Some(format!("{time:.*}", digits.clamp(3, 9)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_messages_own_times_move_and_nothing_else() {
        let text = r#"{ "lastUpdated" : "2026-01-05T00:00:00.000Z","metadata":{"lastUpdated":"2026-01-05T00:00:00.000Z"},
            "reportedAt":"2026-01-05T01:00:00+01:00", "x":"\"lastUpdated\":\"2026-01-05T00:00:00.000Z\"", "n": -1.50e2,
            "nextArrivals":[{"busId":"b","estimatedArrival":"2026-01-05T00:10:00.123456Z","lastUpdated":"2026-01-05T00:00:00Z"}, 7],
            "estimatedArrival":"soon"}"#;
        let expected = r#"{ "lastUpdated" : "2026-01-05T00:00:01.500Z","metadata":{"lastUpdated":"2026-01-05T00:00:00.000Z"},
            "reportedAt":"2026-01-05T00:00:01.500Z", "x":"\"lastUpdated\":\"2026-01-05T00:00:00.000Z\"", "n": -1.50e2,
            "nextArrivals":[{"busId":"b","estimatedArrival":"2026-01-05T00:10:01.623456Z","lastUpdated":"2026-01-05T00:00:00Z"}, 7],
            "estimatedArrival":"soon"}"#;
        assert_eq!(shift_times(text, 1500), expected);
        assert_eq!(shift_times(expected, -1500), text.replace("01:00:00+01:00", "00:00:00.000Z"));
    }

    #[test]
    fn what_is_no_object_stays() {
        for text in
            ["", "[]", "null", "{", r#"{"lastUpdated":"2026-01-05T00:00:00Z""#, r#"{"lastUpdated":7}"#, "{\"a\\"]
        {
            assert!(matches!(shift_times(text, 1000), Cow::Borrowed(same) if same == text), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(shift_times(&format!("{{\"a\":{deep}"), 1).len(), deep.len() + 5);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[{}\\[\\]\",:a\\\\\u{e9}0-9]{0,40}|\\{\"lastUpdated\":\"[^\"]{0,30}\"\\}") {
            shift_times(&text, 1000);
        }

        #[test]
        fn moving_back_gives_the_same(ms in 0_i64..4_000_000_000_000, shift in -1_000_000_000_i64..1_000_000_000) {
            let time = Timestamp::from_millisecond(ms).unwrap();
            let text = format!("{{\"lastUpdated\":\"{time:.3}\"}}");
            let there = shift_times(&text, shift).into_owned();
            prop_assert_eq!(shift_times(&there, -shift), text);
        }
    }
}
