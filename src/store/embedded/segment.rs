//! What one flush wrote, as bytes: groups of rows of one table, in the order of the commit.
//!
//! ```text
//! group: length of the table's name, name, number of rows, rows
//! row:   length of the field, field, length of the value (all ones: the row is removed), value
//! ```
//! Numbers are 32 bits, little-endian.

use bytes::{Buf, Bytes};

use crate::store::{Row, Table};

/// The most bytes of one segment, so that none nears SQLite's limit for a blob (10^9). A larger commit becomes several
/// segments in one transaction.
const SEGMENT_BYTES: usize = 8 << 20;

/// The length that stands for a removed row.
const REMOVED: u32 = u32::MAX;

/// A row of a segment, sharing its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The table's name.
    pub(super) table: Bytes,
    pub(super) field: Bytes,
    pub(super) value: Option<Bytes>,
}

/// Writes rows into segments.
pub(super) fn encode<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    let mut body: Vec<u8> = Vec::new();
    // Where the group's count stands, and the table it is of.
    let mut group: Option<(usize, &Table)> = None;
    for Row { table, field, value } in rows {
        if body.len() >= SEGMENT_BYTES {
            segments.push(std::mem::take(&mut body));
            group = None;
        }
        let count_at = match group {
            Some((at, of)) if of == table => at,
            _ => {
                put(&mut body, table.name().as_bytes());
                let at = body.len();
                body.extend_from_slice(&0_u32.to_le_bytes());
                group = Some((at, table));
                at
            }
        };
        let count = (&body[count_at..count_at + 4]).get_u32_le() + 1;
        body[count_at..count_at + 4].copy_from_slice(&count.to_le_bytes());
        put(&mut body, field.as_bytes());
        match value {
            Some(value) if !value.is_empty() => put(&mut body, value),
            _ => body.extend_from_slice(&REMOVED.to_le_bytes()),
        }
    }
    if !body.is_empty() {
        segments.push(body);
    }
    segments
}

fn put(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    body.extend_from_slice(bytes);
}

/// Reads a segment, row by row; `None` where the bytes are no segment.
pub(super) fn decode(mut body: Bytes, mut each: impl FnMut(Entry)) -> Option<()> {
    while !body.is_empty() {
        let table = take(&mut body)?.value()?;
        let rows = body.try_get_u32_le().ok()?;
        for _ in 0..rows {
            let field = take(&mut body)?.value()?;
            let value = take(&mut body)?.value();
            each(Entry { table: table.clone(), field, value });
        }
    }
    Some(())
}

/// What follows a length.
enum Run {
    Bytes(Bytes),
    Removed,
}

impl Run {
    fn value(self) -> Option<Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Removed => None,
        }
    }
}

/// The next run of bytes; `None` where the body ends before it.
fn take(body: &mut Bytes) -> Option<Run> {
    let length = body.try_get_u32_le().ok()?;
    if length == REMOVED {
        return Some(Run::Removed);
    }
    (length as usize <= body.len()).then(|| Run::Bytes(body.split_to(length as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: Table, field: &str, value: Option<&'static str>) -> Row {
        Row { table, field: field.to_owned(), value: value.map(Bytes::from) }
    }

    #[test]
    fn rows_come_back_in_their_order() {
        let district = || Table::Sensors("a:b".into());
        let rows = [
            row(district(), "1", Some("{}")),
            row(district(), "2", None),
            row(Table::Buses, "ü", Some("[1]")),
            row(district(), "1", Some("")),
        ];
        let segments = encode(rows.iter());
        assert_eq!(segments.len(), 1);
        let mut seen = Vec::new();
        decode(Bytes::from(segments[0].clone()), |entry| seen.push(entry)).unwrap();
        let expected: Vec<Entry> = rows
            .iter()
            .map(|row| Entry {
                table: Bytes::from(row.table.name().into_owned()),
                field: Bytes::from(row.field.clone()),
                value: row.value.clone().filter(|value| !value.is_empty()),
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_cut_segment_is_none() {
        let rows = [row(Table::Buses, "1", Some("{\"a\":1}")), row(Table::Units, "2", None)];
        let body = Bytes::from(encode(rows.iter()).remove(0));
        let whole: Vec<usize> = (0..=body.len()).filter(|end| decode(body.slice(..*end), |_| {}).is_some()).collect();
        // Nothing, the first group alone, and all of it.
        assert_eq!(whole, [0, 29, body.len()]);
    }
}
