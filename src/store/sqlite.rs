//! A SQLite file: opened, made where there is none, checked. The embedded store and City Live's embedded archive are such files.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

/// How long a write waits for another process that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);

/// What a file must be.
pub(crate) struct Format {
    /// SQLite's `application_id`: whose file it is.
    pub(crate) application_id: i32,
    /// SQLite's `user_version`: changes with the layout of the file.
    pub(crate) version: i32,
    /// Whose file it must be, as errors say it: "a twin's".
    pub(crate) owner: &'static str,
    /// What comes back after the file was moved away, as errors say it: "it is filled anew from Kafka".
    pub(crate) afterwards: &'static str,
    /// SQLite's `synchronous`: `FULL` where what was answered survives a power cut, `NORMAL` where the last commits may go.
    pub(crate) synchronous: &'static str,
}

/// Why a file was not opened.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Its folder cannot be made.
    Folder(io::Error),
    /// SQLite's error.
    Sql(rusqlite::Error),
    /// It is another application's or another release's: what a person reads.
    Foreign(String),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Opens the file; `make` fills a new one, in the transaction that marks it as of this format.
pub(crate) fn open(
    path: &Path,
    format: &Format,
    make: impl FnOnce(&Transaction) -> rusqlite::Result<()>,
) -> Result<Connection, Refused> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Refused::Folder)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    log_ahead(&connection)?;
    // 64 MiB of cache; a checkpoint every 32 MiB of log.
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {}; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;",
        format.synchronous
    ))?;
    check(&mut connection, format, make)?;
    Ok(connection)
}

/// Turns the write-ahead log on. SQLite does not wait `busy_timeout` here: of several that open a new file at once, all but one are told
/// that it is locked.
fn log_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let end = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}

fn check(
    connection: &mut Connection,
    format: &Format,
    make: impl FnOnce(&Transaction) -> rusqlite::Result<()>,
) -> Result<(), Refused> {
    let pragma = |connection: &Connection, name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if pragma(connection, "user_version")? == 0 {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        // Not where another process was first.
        if tables == 0 {
            make(&transaction)?;
            transaction.pragma_update(None, "application_id", format.application_id)?;
            transaction.pragma_update(None, "user_version", format.version)?;
            transaction.commit()?;
        }
    }
    if pragma(connection, "application_id")? != format.application_id {
        return Err(Refused::Foreign(format!("it is a database, but not {}: move it away", format.owner)));
    }
    let version = pragma(connection, "user_version")?;
    if version == format.version {
        return Ok(());
    }
    Err(Refused::Foreign(format!(
        "it has the schema version {version} of another release, this one reads {}: use that release, or move the file away, and {}",
        format.version, format.afterwards
    )))
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const FORMAT: Format =
        Format { application_id: 7, version: 1, owner: "ours", afterwards: "it is made anew", synchronous: "NORMAL" };

    #[test]
    fn many_open_a_new_file_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("new.db");
            let start = Barrier::new(8);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        start.wait();
                        open(&path, &FORMAT, |new| new.execute_batch("CREATE TABLE made (id INTEGER)"))
                            .expect("opened");
                    });
                }
            });
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("old.db");
        open(&path, &FORMAT, |new| new.execute_batch("CREATE TABLE made (id INTEGER)")).expect("opened");
        for (format, why) in [
            (Format { application_id: 8, ..FORMAT }, "it is a database, but not ours: move it away"),
            (
                Format { version: 2, ..FORMAT },
                "it has the schema version 1 of another release, this one reads 2: use that release, or move the file away, and it \
                 is made anew",
            ),
        ] {
            let refused = open(&path, &format, |_| panic!("nothing is made where something stands"));
            assert!(matches!(&refused, Err(Refused::Foreign(message)) if message == why), "{refused:?}");
        }
    }
}
