//! The Lua scripts: each is one atomic step, and checks what it depends on before it writes.

use std::sync::LazyLock;

use redis::{Cmd, RedisError, aio::ConnectionLike};

/// Defined for every script.
const COMMON: &str = include_str!("scripts/common.lua");

/// Writes one chunk of a commit.
pub(super) static COMMIT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/commit.lua")));
/// Takes, renews or refuses the lease.
pub(super) static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/lease.lua")));
/// Says who holds the lease.
pub(super) static HOLDER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/holder.lua")));
/// Gives the lease back.
pub(super) static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/release.lua")));

/// A script and the name that Redis caches it by.
pub(super) struct Script {
    text: String,
    hash: String,
}

/// The keys and arguments of one run.
#[derive(Default)]
pub(super) struct Arguments<'a> {
    pub(super) keys: Vec<&'a [u8]>,
    pub(super) values: Vec<&'a [u8]>,
}

impl Script {
    fn new(body: &str) -> Self {
        let text = format!("{COMMON}\n{body}");
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Runs the script by its cached name, and with its text where the server does not know it.
    pub(super) async fn run(
        &self,
        connection: &mut impl ConnectionLike,
        arguments: &Arguments<'_>,
    ) -> Result<Vec<String>, RedisError> {
        match command("EVALSHA", &self.hash, arguments).query_async(connection).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                command("EVAL", &self.text, arguments).query_async(connection).await
            }
            answer => answer,
        }
    }
}

fn command(name: &str, script: &str, arguments: &Arguments<'_>) -> Cmd {
    let size: usize = arguments.keys.iter().chain(&arguments.values).map(|part| part.len()).sum();
    let mut command = Cmd::with_capacity(arguments.keys.len() + arguments.values.len() + 3, size + script.len() + 32);
    command.arg(name).arg(script).arg(arguments.keys.len());
    for part in arguments.keys.iter().chain(&arguments.values) {
        command.arg(*part);
    }
    command
}
