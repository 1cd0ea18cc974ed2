//! The store itself: what each call sends, and what its answer means.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use redis::{RedisError, Value};

use super::{
    address,
    chunk::{CHUNK_BYTES, Chunk, chunks},
    link::{Link, refused, unavailable, wrong_type},
    script::{Arguments, COMMIT, HOLDER, LEASE, RELEASE, Script},
};
use crate::store::{Commit, Lease, LeaseRequest, Row, StoreError, Stored, StoredRow, Table, TwinStore};

/// How long a small call may take, connecting included. Below the default lease (5 s), so that a renewal that got no
/// answer can be tried again in time.
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// How long one chunk of a commit may take: Redis's own limit for a script.
const COMMIT_LIMIT: Duration = Duration::from_secs(5);

/// How long a load may take: a million entities are read in a few seconds, slow networks in more.
const LOAD_LIMIT: Duration = Duration::from_secs(60);

/// How often a load is begun anew because a district came or went while it began.
const LOAD_ATTEMPTS: usize = 10;

/// Counts what this process writes. Of all stores of the process, since a token belongs to the process.
static SEQUENCE: AtomicU64 = AtomicU64::new(1);

/// A city in Redis.
pub struct RedisStore {
    link: Link,
    /// `twin:{<cityId>}:`
    prefix: String,
    token: String,
    lease: String,
    tables: String,
    sequence: String,
    /// The last sequence number that the server acknowledged since the lease was taken, with its token; 0 where there is
    /// none. A server that no longer knows it has lost writes.
    acknowledged: Mutex<(String, u64)>,
}

impl RedisStore {
    /// Reads the URL; connects with the first call.
    ///
    /// # Errors
    /// [`StoreError::Setting`] for a malformed URL or a CA file that cannot be read.
    pub async fn open(url: &str, city_id: &str) -> Result<Self, StoreError> {
        let link = Link::new(address::server(url).await?);
        let prefix = format!("twin:{{{city_id}}}:");
        Ok(Self {
            link,
            token: format!("{prefix}token"),
            lease: format!("{prefix}lease"),
            tables: format!("{prefix}tables"),
            sequence: format!("{prefix}sequence"),
            acknowledged: Mutex::default(),
            prefix,
        })
    }

    fn key(&self, table: &Table) -> String {
        format!("{}{}", self.prefix, table.name())
    }

    async fn run(&self, script: &Script, limit: Duration, arguments: &Arguments<'_>) -> Result<Answer, StoreError> {
        let words = self.link.call(limit, async |mut connection| script.run(&mut connection, arguments).await).await?;
        Answer::read(words)
    }

    async fn write(&self, token: &str, chunk: &Chunk<'_>) -> Result<(), StoreError> {
        let keys: Vec<String> = chunk.tables.iter().map(|(table, _)| self.key(table)).collect();
        let counts: Vec<String> = chunk.tables.iter().map(|(_, rows)| rows.len().to_string()).collect();
        let number = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        let sequence = number.to_string();
        let (writer, last) = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = last.to_string();
        let mut arguments = Arguments::default();
        arguments.keys.extend([&self.token, &self.tables, &self.sequence].map(std::string::String::as_bytes));
        arguments.keys.extend(keys.iter().map(String::as_bytes));
        let replace: &[u8] = if chunk.replace { b"1" } else { b"" };
        arguments.values.extend([token.as_bytes(), replace, self.prefix.as_bytes(), sequence.as_bytes()]);
        arguments.values.extend([writer.as_bytes(), last.as_bytes()]);
        for ((_, rows), count) in chunk.tables.iter().zip(&counts) {
            arguments.values.push(count.as_bytes());
            for Row { field, value, .. } in rows {
                arguments.values.extend([field.as_bytes(), value.as_deref().unwrap_or_default()]);
            }
        }
        match self.run(&COMMIT, COMMIT_LIMIT, &arguments).await? {
            Answer::Ok => {
                *self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner) = (token.to_owned(), number);
                Ok(())
            }
            Answer::Fenced(theirs) => Err(StoreError::Fenced { ours: token.parse().unwrap_or(0), theirs }),
            answer => Err(answer.error()),
        }
    }

    /// Reads all tables as they are at one moment, on a connection of its own.
    async fn read(&self) -> Result<Stored, StoreError> {
        let mut connection = self.link.own(LOAD_LIMIT).await?;
        for _ in 0..LOAD_ATTEMPTS {
            let listed: Result<BTreeSet<String>, RedisError> =
                redis::cmd("SMEMBERS").arg(&self.tables).query_async(&mut connection).await;
            let listed = listed.map_err(|error| reply_error(&error, &self.tables))?;
            let mut names = listed.clone();
            names.extend(Table::FIXED.iter().map(|table| table.name().into_owned()));
            let mut pipeline = redis::pipe();
            pipeline.atomic().ignore_errors();
            pipeline.cmd("SMEMBERS").arg(&self.tables).cmd("GET").arg(&self.token);
            for name in &names {
                pipeline.cmd("HGETALL").arg(format!("{}{name}", self.prefix));
            }
            let answers: Result<Vec<Result<Value, RedisError>>, RedisError> =
                pipeline.query_async(&mut connection).await;
            let mut answers = answers.map_err(|error| reply_error(&error, "a table"))?.into_iter();
            let mut next = |key: &str| {
                let answer = answers.next().ok_or_else(|| unavailable("fewer replies than asked for"))?;
                answer.map_err(|error| reply_error(&error, key))
            };
            let now: BTreeSet<String> =
                redis::from_redis_value(next(&self.tables)?).map_err(|_| wrong_type(&self.tables))?;
            if now != listed {
                continue;
            }
            let token = self.token_of(next(&self.token)?)?;
            let mut stored = Stored { rows: Vec::new(), token };
            for name in &names {
                let key = format!("{}{name}", self.prefix);
                let rows = next(&key)?;
                self.append(&mut stored.rows, name, &key, rows, listed.contains(name))?;
            }
            return Ok(stored);
        }
        Err(unavailable("its list of tables kept changing while it was read"))
    }

    /// Takes in one table's rows.
    fn append(
        &self,
        rows: &mut Vec<StoredRow>,
        name: &str,
        key: &str,
        reply: Value,
        listed: bool,
    ) -> Result<(), StoreError> {
        let foreign = |message: String| StoreError::Foreign { key: key.to_owned(), message };
        let fields: Vec<(Vec<u8>, Vec<u8>)> = redis::from_redis_value(reply).map_err(|_| wrong_type(key))?;
        match (listed, fields.is_empty()) {
            (true, false) => {}
            (false, true) => return Ok(()),
            (true, true) => {
                return Err(foreign(format!(
                    "{} lists it, but it is gone: deleted by hand, or evicted (`maxmemory-policy` must be \
                     `noeviction`); delete all keys that begin {} and the twin is built anew from Kafka and the city file",
                    self.tables, self.prefix
                )));
            }
            (false, false) => {
                return Err(foreign(format!(
                    "it has rows, but {} does not list it: written by hand or by another program; delete it, or all \
                     keys that begin {}",
                    self.tables, self.prefix
                )));
            }
        }
        let Some(table) = Table::from_name(name) else {
            return Err(foreign("this release knows no such table: it was written by another one".to_owned()));
        };
        rows.reserve(fields.len());
        for (field, value) in fields {
            let field = String::from_utf8(field).map_err(|_| foreign("a field is not UTF-8".to_owned()))?;
            rows.push(StoredRow { table: table.clone(), field, value: Bytes::from(value) });
        }
        Ok(())
    }

    fn token_of(&self, reply: Value) -> Result<u64, StoreError> {
        let text: Option<String> = redis::from_redis_value(reply).map_err(|_| wrong_type(&self.token))?;
        text.map_or(Ok(0), |text| text.parse().map_err(|_| wrong_type(&self.token)))
    }
}

#[async_trait]
impl TwinStore for RedisStore {
    async fn load(&self) -> Result<Stored, StoreError> {
        tokio::time::timeout(LOAD_LIMIT, self.read()).await.unwrap_or_else(|_| Err(unavailable("no answer in time")))
    }

    async fn get(&self, table: &Table, field: &str) -> Result<Option<Bytes>, StoreError> {
        let key = self.key(table);
        let value: Result<Option<Vec<u8>>, StoreError> = self
            .link
            .call(CALL_LIMIT, async |mut connection| {
                redis::cmd("HGET").arg(&key).arg(field).query_async(&mut connection).await
            })
            .await;
        match value {
            Ok(value) => Ok(value.map(Bytes::from)),
            Err(StoreError::Foreign { message, .. }) => Err(StoreError::Foreign { key, message }),
            Err(error) => Err(error),
        }
    }

    async fn commit(&self, token: u64, commit: &Commit) -> Result<(), StoreError> {
        let token = token.to_string();
        for chunk in chunks(commit, CHUNK_BYTES) {
            self.write(&token, &chunk).await?;
        }
        Ok(())
    }

    async fn lease(&self, request: &LeaseRequest<'_>) -> Result<Lease, StoreError> {
        // Redis counts in signed 64 bits.
        if request.above >= i64::MAX as u64 {
            return Err(StoreError::Foreign {
                key: self.token.clone(),
                message: format!("no token can be above {}", request.above),
            });
        }
        let ttl = request.ttl.as_millis().max(1).to_string();
        let token = request.token.map(|token| token.to_string()).unwrap_or_default();
        let above = request.above.to_string();
        let arguments = Arguments {
            keys: vec![self.token.as_bytes(), self.lease.as_bytes()],
            values: [request.holder, request.address, &ttl, &token, &above].map(str::as_bytes).to_vec(),
        };
        match self.run(&LEASE, CALL_LIMIT, &arguments).await? {
            Answer::Lease(lease) => {
                if request.token.is_none() {
                    // Others may have written since: nothing was acknowledged under this lease yet.
                    *self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner) = Default::default();
                }
                Ok(lease)
            }
            Answer::Fenced(theirs) => Err(StoreError::Fenced { ours: request.token.unwrap_or(0), theirs }),
            answer => Err(answer.error()),
        }
    }

    async fn holder(&self) -> Result<Lease, StoreError> {
        let arguments = Arguments { keys: vec![self.token.as_bytes(), self.lease.as_bytes()], values: Vec::new() };
        match self.run(&HOLDER, CALL_LIMIT, &arguments).await? {
            Answer::Lease(lease) => Ok(lease),
            answer => Err(answer.error()),
        }
    }

    async fn release(&self, holder: &str, token: u64) -> Result<(), StoreError> {
        let token = token.to_string();
        let arguments = Arguments {
            keys: vec![self.token.as_bytes(), self.lease.as_bytes()],
            values: vec![holder.as_bytes(), token.as_bytes()],
        };
        match self.run(&RELEASE, CALL_LIMIT, &arguments).await? {
            Answer::Ok => Ok(()),
            answer => Err(answer.error()),
        }
    }
}

/// A reply that is an error, to what was asked about a key.
fn reply_error(error: &RedisError, key: &str) -> StoreError {
    if error.code() == Some("WRONGTYPE") { wrong_type(key) } else { refused(error) }
}

/// What a script answered.
enum Answer {
    Ok,
    Emptied,
    /// A later commit of ours has landed already.
    Late,
    /// The token that the store holds.
    Fenced(u64),
    /// The key that is not ours.
    Foreign(String),
    Lease(Lease),
}

impl Answer {
    fn read(words: Vec<String>) -> Result<Self, StoreError> {
        let mut words = words.into_iter();
        let kind = words.next().unwrap_or_default();
        let mut word = || words.next().ok_or_else(|| unavailable("a script's answer was cut short"));
        let token = |text: String| text.parse().map_err(|_| wrong_type("the key of the token"));
        Ok(match kind.as_str() {
            "ok" => Self::Ok,
            "emptied" => Self::Emptied,
            "late" => Self::Late,
            "fenced" => Self::Fenced(token(word()?)?),
            "foreign" => Self::Foreign(word()?),
            "held" => Self::Lease(Lease::Held { token: token(word()?)? }),
            "free" => Self::Lease(Lease::Free { token: token(word()?)? }),
            "other" => Self::Lease(Lease::Other { token: token(word()?)?, holder: word()?, address: word()? }),
            _ => return Err(unavailable("a script's answer is none of ours")),
        })
    }

    /// The answer as the error that it is where no other answer was possible.
    fn error(self) -> StoreError {
        match self {
            Self::Emptied => StoreError::Emptied,
            Self::Late => unavailable("a later commit has overtaken this one"),
            Self::Foreign(key) => wrong_type(&key),
            Self::Fenced(theirs) => StoreError::Fenced { ours: 0, theirs },
            Self::Ok | Self::Lease(_) => unavailable("a script's answer fits no question"),
        }
    }
}
