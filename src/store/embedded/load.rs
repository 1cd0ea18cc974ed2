//! Everything that the file holds: base rows with the segments laid over them.

use std::{collections::HashMap, path::Path};

use bytes::Bytes;
use rusqlite::Connection;

use super::{
    disk::{self, corrupt, store_error},
    lease::stored_token,
    segment,
};
use crate::store::{StoreError, Stored, StoredRow, Table};

/// Reads a file on a connection of its own, as it is at one moment.
///
/// # Errors
/// `Unavailable`, `Foreign`.
pub(super) fn load(path: &Path, city_id: &str) -> Result<Stored, StoreError> {
    let connection = disk::open(path, city_id)?;
    let mut names = Names::default();
    let stored = read(&connection, &mut names).map_err(|error| store_error(path, &error))?;
    match names.unknown {
        None => Ok(stored),
        Some(name) => Err(StoreError::Foreign {
            key: path.display().to_string(),
            message: format!("this release knows no table `{name}`: it was written by another one"),
        }),
    }
}

fn read(connection: &Connection, names: &mut Names) -> Result<Stored, rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    let token = stored_token(&transaction)?.unwrap_or(0);
    let mut newest: HashMap<(Bytes, Bytes), Option<Bytes>> = HashMap::new();
    let mut segments = transaction.prepare("SELECT body FROM segment ORDER BY seq")?;
    let mut bodies = segments.query([])?;
    while let Some(row) = bodies.next()? {
        let body = Bytes::from(row.get::<_, Vec<u8>>(0)?);
        segment::decode(body, |entry| drop(newest.insert((entry.table, entry.field), entry.value)))
            .ok_or_else(corrupt)?;
    }
    let mut rows = Vec::new();
    let mut base = transaction.prepare("SELECT tbl, field, value FROM entry ORDER BY tbl, field")?;
    let mut entries = base.query([])?;
    let mut table = Bytes::new();
    while let Some(row) = entries.next()? {
        let name = row.get_ref(0)?.as_bytes()?;
        if table != name {
            table = Bytes::copy_from_slice(name);
        }
        let field = row.get_ref(1)?.as_str()?;
        if !newest.is_empty() && newest.contains_key(&(table.clone(), Bytes::copy_from_slice(field.as_bytes()))) {
            continue;
        }
        if let Some(table) = names.table(&table) {
            let value = Bytes::copy_from_slice(row.get_ref(2)?.as_blob()?);
            rows.push(StoredRow { table, field: field.to_owned(), value });
        }
    }
    for ((table, field), value) in newest {
        if let (Some(table), Some(value)) = (names.table(&table), value) {
            let field = String::from_utf8(field.into()).map_err(|_| corrupt())?;
            // Copied: a slice would keep its whole segment in memory for as long as the row lives.
            rows.push(StoredRow { table, field, value: Bytes::copy_from_slice(&value) });
        }
    }
    Ok(Stored { rows, token })
}

/// The tables by their names, each parsed once.
#[derive(Default)]
struct Names {
    known: HashMap<Bytes, Table>,
    /// A name that means no table.
    unknown: Option<String>,
}

impl Names {
    fn table(&mut self, name: &Bytes) -> Option<Table> {
        if let Some(table) = self.known.get(name) {
            return Some(table.clone());
        }
        let text = String::from_utf8_lossy(name);
        let Some(table) = Table::from_name(&text) else {
            self.unknown = Some(text.into_owned());
            return None;
        };
        self.known.insert(name.clone(), table.clone());
        Some(table)
    }
}
