//! Real Redis servers: single, cluster, TLS.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use super::{
    certificates, eventually_blocking, ports,
    process::{Launch, Process},
};

const START: Duration = Duration::from_secs(20);

/// One server of its own, gone with the value. It writes every command to a file before it answers, so that nothing
/// acknowledged is lost by [`Self::kill`].
#[derive(Debug)]
pub struct Redis {
    port: u16,
    args: Vec<String>,
    process: Option<Process>,
    folder: TempDir,
    url: String,
    tls: bool,
}

impl Redis {
    /// Starts an empty one.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts an empty one with further arguments for `redis-server`, such as `["--requirepass", "secret"]`.
    pub fn start_with(args: &[&str]) -> Self {
        let port = ports::free();
        let mut all = vec!["--port".to_owned(), port.to_string()];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        let password = args.iter().position(|&arg| arg == "--requirepass").and_then(|at| args.get(at + 1));
        let user = password.map_or_else(String::new, |password| format!(":{password}@"));
        let url = format!("redis://{user}127.0.0.1:{port}");
        Self::launch(port, all, tempfile::tempdir().expect("a temporary folder"), url, false)
    }

    /// Starts an empty one that speaks TLS only. Its certificate is for 127.0.0.1 and localhost, signed by the authority in
    /// [`Self::authority`], which no system trusts.
    pub fn start_tls() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        certificates::write(folder.path());
        let port = ports::free();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let args = [
            ["--port", "0"],
            ["--tls-port", &port.to_string()],
            ["--tls-cert-file", &file("server.crt")],
            ["--tls-key-file", &file("server.key")],
            ["--tls-ca-cert-file", &file("ca.crt")],
            ["--tls-auth-clients", "no"],
        ]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
        let url = format!("rediss://127.0.0.1:{port}");
        Self::launch(port, args, folder, url, true)
    }

    fn launch(port: u16, mut args: Vec<String>, folder: TempDir, url: String, tls: bool) -> Self {
        let dir = folder.path().display().to_string();
        // `appendfsync no` leaves the fsync to the system: the process may die at any moment, the machine not.
        args.extend(
            [
                ["--bind", "127.0.0.1"],
                ["--dir", &dir],
                ["--save", ""],
                ["--appendonly", "yes"],
                ["--appendfsync", "no"],
                ["--daemonize", "no"],
            ]
            .concat()
            .into_iter()
            .map(str::to_owned),
        );
        let mut redis = Self { port, args, process: None, folder, url, tls };
        redis.start_again();
        redis
    }

    /// Starts it once more on what it wrote, after [`Self::kill`], and waits until it has loaded that.
    pub fn start_again(&mut self) {
        self.process = Some(Process::start(&Launch {
            program: Path::new("redis-server"),
            args: &self.args,
            env: &[],
            dir: self.folder.path(),
            log: &self.log(),
            clean: None,
        }));
        let up = eventually_blocking(START, || match self.cli(&["PING"]).as_str() {
            "PONG" => Ok(()),
            // With a password set it answers, and that is enough.
            other if other.contains("NOAUTH") => Ok(()),
            other => Err(other.to_owned()),
        });
        if let Err(still) = up {
            let tail = self.process.as_ref().map(|process| process.log_tail(20)).unwrap_or_default();
            panic!("redis-server: {still}\n{tail}");
        }
    }

    /// `kill -9`; what it wrote stays.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Stops it in its tracks (SIGSTOP): connections stay, nothing answers.
    pub fn freeze(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal("STOP");
        }
    }

    /// Lets a frozen one go on.
    pub fn thaw(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal("CONT");
        }
    }

    /// Forgets everything, as an operator's slip does.
    pub fn flush_all(&self) {
        assert_eq!(self.cli(&["FLUSHALL"]), "OK");
    }

    /// What goes into `REDIS_URL`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// `host:port`, for a proxy in front of it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The certificate of the authority that signed the one of [`Self::start_tls`] (PEM).
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// What `redis-cli` prints, trimmed; an error's text where it fails. It knows no password.
    pub fn cli(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if self.tls {
            cli.arg("--tls").arg("--cacert").arg(self.authority());
        }
        run(cli.args(command))
    }

    /// A connection of its own.
    pub async fn connection(&self) -> MultiplexedConnection {
        redis::Client::open(self.url.as_str())
            .expect("a URL")
            .get_multiplexed_async_connection()
            .await
            .expect("the server is up")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("redis.log")
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("redis-cli is installed");
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    String::from_utf8_lossy(text).trim().to_owned()
}

/// Three masters without replicas, which share the 16,384 slots.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts an empty one and waits until all its nodes agree.
    pub fn start() -> Self {
        let nodes: Vec<Redis> = (0..3).map(|_| Self::node()).collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]).args(nodes.iter().map(Redis::address)).arg("--cluster-yes");
        let said = run(&mut create);
        assert!(said.contains("All 16384 slots covered"), "redis-cli --cluster create: {said}");
        for node in &nodes {
            eventually_blocking(START, || {
                let info = node.cli(&["CLUSTER", "INFO"]);
                if info.contains("cluster_state:ok") { Ok(()) } else { Err(info) }
            })
            .unwrap_or_else(|still| panic!("cluster: {still}"));
        }
        Self { nodes }
    }

    fn node() -> Redis {
        let port = ports::free_with_bus();
        let args = ["--port", &port.to_string(), "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
            .map(str::to_owned);
        let folder = tempfile::tempdir().expect("a temporary folder");
        Redis::launch(port, args.to_vec(), folder, format!("redis://127.0.0.1:{port}"), false)
    }

    /// Its servers, in the order of their slots.
    pub fn nodes(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }

    /// What goes into `REDIS_URL`: one node, which names the others.
    pub fn url(&self) -> String {
        format!("redis-cluster://{}", self.nodes[0].address())
    }

    /// The URLs of all nodes.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }
}
