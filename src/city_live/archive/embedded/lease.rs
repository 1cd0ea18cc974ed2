//! The lease and its token, in the same file as what they guard.

use std::time::Duration;

use rusqlite::{Transaction, params};

use crate::{city_live::archive::Lease, twin::time::Time};

/// Why nothing was written.
pub(super) struct Fenced;

/// Whether this token is the lease's.
pub(super) fn check(transaction: &Transaction<'_>, token: i64) -> rusqlite::Result<Result<(), Fenced>> {
    let stored: i64 = transaction.prepare_cached("SELECT token FROM state")?.query_row([], |row| row.get(0))?;
    Ok(if stored == token { Ok(()) } else { Err(Fenced) })
}

/// Counts the revision up.
pub(super) fn revise(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.prepare_cached("UPDATE state SET revision = revision + 1")?.execute([])?;
    Ok(())
}

/// Takes, renews or refuses the lease. All who share a file share the machine and its clock.
pub(super) fn lease(
    transaction: &Transaction<'_>,
    holder: &str,
    ttl: Duration,
    ours: Option<i64>,
    now: Time,
) -> rusqlite::Result<Result<Lease, Fenced>> {
    let (token, theirs, ends): (i64, String, i64) = transaction
        .prepare_cached("SELECT token, holder, ends FROM state")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let token = match ours {
        Some(ours) if ours == token => ours,
        Some(_) => return Ok(Err(Fenced)),
        None if ends > now.0 && theirs != holder => return Ok(Ok(Lease::Other)),
        None => token + 1,
    };
    let ends = now.0 + ttl.as_millis() as i64;
    transaction
        .prepare_cached("UPDATE state SET token = ?1, holder = ?2, ends = ?3")?
        .execute(params![token, holder, ends])?;
    Ok(Ok(Lease::Held { token }))
}

/// Ends the lease if it is still this one's.
pub(super) fn release(transaction: &Transaction<'_>, holder: &str, token: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE state SET ends = 0 WHERE holder = ?1 AND token = ?2")?
        .execute(params![holder, token])?;
    Ok(())
}
