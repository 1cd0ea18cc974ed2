//! A real `redis-server` for one test, on a free loopback port, killed with it.

use std::{
    io::ErrorKind,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A running server; dropping it kills it.
pub(super) struct RedisServer {
    process: Child,
    pub(super) port: u16,
    _dir: TempDir,
}

impl RedisServer {
    /// Starts a server on a free port, with more arguments.
    pub(super) fn start(arguments: &[&str]) -> Self {
        Self::start_on(free_port(), arguments)
    }

    /// Starts a server on a port.
    pub(super) fn start_on(port: u16, arguments: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let mut command = program("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]).arg(dir.path());
        if arguments.contains(&"--tls-port") {
            command.args(["--port", "0", "--tls-port", &port.to_string()]);
        } else {
            command.args(["--port", &port.to_string()]);
        }
        command.args(arguments.iter().filter(|argument| **argument != "--tls-port"));
        let process = spawn(&mut command);
        let server = Self { process, port, _dir: dir };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < Duration::from_secs(20), "redis-server does not answer on port {port}");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// `redis://127.0.0.1:<port>`
    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs one command with `redis-cli`, and gives what it printed.
    pub(super) fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = program("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Three masters that share the slots.
pub(super) struct RedisCluster {
    pub(super) nodes: Vec<RedisServer>,
}

impl RedisCluster {
    pub(super) fn start() -> Self {
        let nodes: Vec<RedisServer> = (0..3)
            .map(|_| {
                let bus = free_port().to_string();
                RedisServer::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])
            })
            .collect();
        let mut create = program("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        let output = create.arg("--cluster-yes").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let since = Instant::now();
        while !nodes.iter().all(|node| node.cli(&["cluster", "info"]).contains("cluster_state:ok")) {
            assert!(since.elapsed() < Duration::from_secs(20), "the cluster does not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { nodes }
    }

    /// A URL that names two of the nodes.
    pub(super) fn url(&self) -> String {
        format!("redis-cluster://127.0.0.1:{},127.0.0.1:{}", self.nodes[0].port, self.nodes[1].port)
    }
}

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

fn spawn(command: &mut Command) -> Child {
    match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(process) => process,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "{} is not installed: `make test` installs it (Debian: apt-get install redis-server)",
            command.get_program().display()
        ),
        Err(error) => panic!("{}: {error}", command.get_program().display()),
    }
}

/// A port that nobody listens on now.
pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
