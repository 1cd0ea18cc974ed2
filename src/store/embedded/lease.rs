//! The lease and the token, in the same file as what they guard.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

use super::disk::{Disk, foreign};
use crate::store::{Lease, StoreError};

impl Disk {
    /// Takes, renews or refuses the lease (see [`crate::store::TwinStore::lease`]).
    pub(super) fn lease(
        &mut self,
        holder: &str,
        address: &str,
        ttl: Duration,
        ours: Option<u64>,
        above: u64,
    ) -> Result<Lease, StoreError> {
        let now = now_ms();
        let path = self.path().to_owned();
        self.write(|transaction| {
            let stored = stored_lease(transaction)?;
            if let (Some(_), None) = (ours, &stored) {
                return Ok(Err(StoreError::Emptied));
            }
            if let Some(lease) = &stored
                && lease.ends > now
                && lease.holder != holder
            {
                return Ok(Ok(lease.other()));
            }
            let token = stored.map_or(0, |lease| lease.token);
            let token = match ours {
                Some(ours) if ours != token => return Ok(Err(StoreError::Fenced { ours, theirs: token })),
                Some(ours) if ours > above => ours,
                _ => match token.max(above).checked_add(1).filter(|token| i64::try_from(*token).is_ok()) {
                    Some(token) => token,
                    None => return Ok(Err(foreign(&path, &format!("no token can be above {above}")))),
                },
            };
            let ends = now.saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
            transaction.execute("DELETE FROM lease", [])?;
            transaction
                .execute("INSERT INTO lease VALUES (?1, ?2, ?3, ?4)", params![token as i64, holder, address, ends])?;
            Ok(Ok(Lease::Held { token }))
        })
    }

    /// Who holds the lease.
    pub(super) fn holder(&mut self) -> Result<Lease, StoreError> {
        let path = self.path().to_owned();
        let stored = stored_lease(self.connection()?);
        Ok(match stored.map_err(|error| self.failed(&path, &error))? {
            None => Lease::Free { token: 0 },
            Some(lease) if lease.ends > now_ms() => lease.other(),
            Some(lease) => Lease::Free { token: lease.token },
        })
    }

    /// Ends the lease if it is still the holder's.
    pub(super) fn release(&mut self, holder: &str, token: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "UPDATE lease SET ends = 0 WHERE holder = ?1 AND token = ?2",
                params![holder, i64::try_from(token).unwrap_or(-1)],
            )?;
            Ok(Ok(()))
        })
    }
}

/// The row of `lease`.
struct StoredLease {
    token: u64,
    holder: String,
    address: String,
    /// Milliseconds since 1970.
    ends: i64,
}

impl StoredLease {
    fn other(&self) -> Lease {
        Lease::Other { token: self.token, holder: self.holder.clone(), address: self.address.clone() }
    }
}

fn stored_lease(connection: &Connection) -> Result<Option<StoredLease>, rusqlite::Error> {
    let mut select = connection.prepare_cached("SELECT token, holder, address, ends FROM lease")?;
    select
        .query_row([], |row| {
            Ok(StoredLease {
                token: row.get::<_, i64>(0)? as u64,
                holder: row.get(1)?,
                address: row.get(2)?,
                ends: row.get(3)?,
            })
        })
        .optional()
}

/// The last token that was handed out.
pub(super) fn stored_token(connection: &Connection) -> Result<Option<u64>, rusqlite::Error> {
    Ok(stored_lease(connection)?.map(|lease| lease.token))
}

/// Milliseconds since 1970. A lease is an agreement between processes, so the wall clock is the clock for it.
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}
