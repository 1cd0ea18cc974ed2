//! Moments as UTC milliseconds, read from and written as RFC 3339.

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

/// 0000-01-01T00:00:00.000Z: RFC 3339 has years of four digits.
const FIRST: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z.
const LAST: i64 = 253_402_300_799_999;

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        serializer.serialize_str(&String::from_utf8_lossy(&text))
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format_args!("`{text}` is not a time: accepted is RFC 3339 with its zone"))
        })
    }
}

impl Time {
    /// Reads RFC 3339 with its zone; fractions of a second are cut to milliseconds. `None` where it is not that.
    pub fn parse(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        if b.len() < 20 || b[4] != b'-' || b[7] != b'-' || b[13] != b':' || b[16] != b':' {
            return None;
        }
        if !matches!(b[10], b'T' | b't' | b' ') {
            return None;
        }
        let (year, month, day) = (number(&b[..4])?, number(&b[5..7])?, number(&b[8..10])?);
        let (hour, minute, second) = (number(&b[11..13])?, number(&b[14..16])?, number(&b[17..19])?);
        // A leap second counts as the first moment of the next minute, as in POSIX time.
        if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        if day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let (millis, zone) = fraction(&b[19..])?;
        let offset = match zone {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                (hours * 60 + minutes) * if *sign == b'+' { 60_000 } else { -60_000 }
            }
            _ => return None,
        };
        let days = days_from_civil(year, month, day);
        let time = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + millis - offset;
        Some(Self(time)).filter(|time| time.has_form())
    }

    /// Whether RFC 3339 has a form for it: the years 0 to 9999. What has none would come back from a store as another one.
    pub fn has_form(self) -> bool {
        (FIRST..=LAST).contains(&self.0)
    }

    /// Writes `2026-01-05T00:00:00.000Z`. Moments outside of years 0 to 9999 are written as the nearest end.
    pub fn write(self, out: &mut Vec<u8>) {
        let millis = self.0.clamp(FIRST, LAST);
        let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        let (year, month, day) = civil_from_days(days);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        digits(&mut text[11..13], rest / 3_600_000);
        digits(&mut text[14..16], rest / 60_000 % 60);
        digits(&mut text[17..19], rest / 1000 % 60);
        digits(&mut text[20..23], rest % 1000);
        out.extend_from_slice(&text);
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

fn digits(out: &mut [u8], mut number: i64) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Splits `.123456Z` into its milliseconds and its zone.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(after) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let millis = (0..3).fold(0, |sum, i| sum * 10 + if i < length { i64::from(after[i] - b'0') } else { 0 });
    Some((millis, &after[length..]))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_as_jiff_does() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let millis = random.i64(FIRST..=LAST);
            let text = Time(millis).to_string();
            assert_eq!(Time::parse(&text), Some(Time(millis)), "{text}");
            let jiff: jiff::Timestamp = text.parse().unwrap();
            assert_eq!(jiff.as_millisecond(), millis, "{text}");
        }
    }

    #[test]
    fn zones_and_fractions() {
        let at = Time(1_767_571_200_000);
        for text in [
            "2026-01-05T00:00:00Z",
            "2026-01-05t00:00:00.0009z",
            "2026-01-05T01:30:00.000+01:30",
            "2026-01-04 19:00:00-05:00",
            "2026-01-04T23:59:60Z",
        ] {
            assert_eq!(Time::parse(text), Some(at), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_rfc_3339() {
        for text in [
            "",
            "now",
            "2026-01-05",
            "2026-01-05T00:00:00",
            "2026-01-05T00:00Z",
            "2026-13-05T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-05T24:00:00Z",
            "2026-01-05T00:60:00Z",
            "2026-01-05T00:00:00.Z",
            "2026-01-05T00:00:00+0100",
            "2026-01-05T00:00:00+24:00",
            "20260105T000000Z",
            "0000-01-01T00:00:00+01:00",
            "2026-01-05T00:00:00Zx",
            "+2026-01-05T00:00:00Z",
            "2026-1-05T00:00:00.000Z",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}
