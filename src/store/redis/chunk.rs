//! A commit cut into scripts of at most 8 MiB, each with the rows of its tables together.

use std::collections::HashMap;

use crate::store::{Commit, Row, Table};

/// The most that one script writes: more would keep other clients of the server waiting (ground: 10,000 entities take
/// 17 ms), and Redis itself gives up at 5 s.
pub(super) const CHUNK_BYTES: usize = 8 << 20;

/// What a row costs beside its own bytes: its framing on the wire and the call in the script.
const ROW_OVERHEAD: usize = 32;

/// The rows of one script by table, in their order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk<'a> {
    pub(super) tables: Vec<(&'a Table, Vec<&'a Row>)>,
    /// Whether every table is dropped first.
    pub(super) replace: bool,
}

impl<'a> Chunk<'a> {
    fn extend(&mut self, rows: impl IntoIterator<Item = &'a Row>) {
        let mut places: HashMap<&Table, usize> = HashMap::new();
        for (place, (table, _)) in self.tables.iter().enumerate() {
            places.insert(table, place);
        }
        for row in rows {
            let place = *places.entry(&row.table).or_insert_with(|| {
                self.tables.push((&row.table, Vec::new()));
                self.tables.len() - 1
            });
            self.tables[place].1.push(row);
        }
    }
}

/// Cuts a commit into chunks: there is always one, only the first replaces, the tail is in the last.
///
/// A chunk that replaces also names the tables of all others, so that they are dropped even where the list of tables
/// was lost.
pub(super) fn chunks(commit: &Commit, limit: usize) -> Vec<Chunk<'_>> {
    let mut parts = Vec::new();
    let mut rest = commit.rows.as_slice();
    let mut size = commit.tail.iter().map(cost).sum::<usize>();
    // The tail's size counts in every chunk, which is simple and keeps the last within the limit.
    let tail = size;
    let mut count = 0;
    while let Some(row) = rest.get(count) {
        size += cost(row);
        if size > limit && count > 0 {
            let (part, after) = rest.split_at(count);
            parts.push(part);
            rest = after;
            count = 0;
            size = tail;
        } else {
            count += 1;
        }
    }
    parts.push(rest);
    let last = parts.len() - 1;
    let mut chunks = Vec::with_capacity(parts.len());
    for (place, part) in parts.into_iter().enumerate() {
        let mut chunk = Chunk { tables: Vec::new(), replace: commit.replace && place == 0 };
        chunk.extend(part);
        if place == last {
            chunk.extend(&commit.tail);
        }
        if chunk.replace && last > 0 {
            let mut all = Chunk::default();
            all.extend(commit.rows.iter().chain(&commit.tail));
            let known: Vec<&Table> = chunk.tables.iter().map(|(table, _)| *table).collect();
            chunk
                .tables
                .extend(all.tables.into_iter().filter(|(t, _)| !known.contains(t)).map(|(t, _)| (t, Vec::new())));
        }
        chunks.push(chunk);
    }
    chunks
}

fn cost(row: &Row) -> usize {
    row.field.len() + row.value.as_ref().map_or(0, bytes::Bytes::len) + ROW_OVERHEAD
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn row(table: Table, field: usize, size: usize) -> Row {
        Row { table, field: format!("{field:04}"), value: Some(Bytes::from(vec![b'1'; size])) }
    }

    #[test]
    fn an_empty_commit_is_one_chunk() {
        let commit = Commit { replace: true, ..Commit::default() };
        assert_eq!(chunks(&commit, 100), [Chunk { tables: Vec::new(), replace: true }]);
    }

    #[test]
    fn chunks_keep_the_limit_the_order_and_the_tail_for_the_end() {
        let rows: Vec<Row> =
            (0..100).map(|i| row(if i % 2 == 0 { Table::Buses } else { Table::Units }, i, 64)).collect();
        let commit = Commit { rows, tail: vec![row(Table::City, 0, 64)], replace: true };
        let chunks = chunks(&commit, 1000);
        // A row costs 100, the tail too: nine rows a chunk.
        assert_eq!(chunks.len(), 12);
        let written: Vec<&Row> =
            chunks.iter().flat_map(|c| c.tables.iter().flat_map(|(_, rows)| rows.iter().copied())).collect();
        assert_eq!(written.len(), 101);
        assert_eq!(written.last().unwrap().table, Table::City);
        for (place, chunk) in chunks.iter().enumerate() {
            let size: usize = chunk.tables.iter().flat_map(|(_, rows)| rows).map(|row| cost(row)).sum();
            assert!(size <= 1000, "{size}");
            assert_eq!(chunk.replace, place == 0);
        }
        let dropped: Vec<&Table> = chunks[0].tables.iter().map(|(table, _)| *table).collect();
        assert_eq!(dropped, [&Table::Buses, &Table::Units, &Table::City]);
    }

    #[test]
    fn a_row_above_the_limit_goes_alone() {
        let commit = Commit { rows: (0..3).map(|i| row(Table::Buses, i, 500)).collect(), ..Commit::default() };
        assert_eq!(chunks(&commit, 100).len(), 3);
    }
}
