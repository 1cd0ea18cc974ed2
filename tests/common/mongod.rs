//! A server that speaks MongoDB's protocol (`services/mongod`), kept in SQLite files of a temporary folder.

use std::{net::TcpStream, path::PathBuf, time::Duration};

use tempfile::TempDir;

use super::{
    eventually_blocking, ports,
    process::{Launch, Process},
    services,
};

/// One server, gone with the value.
#[derive(Debug)]
pub struct Mongod {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Mongod {
    /// Starts an empty one and waits until it takes connections.
    pub fn start() -> Self {
        let program: PathBuf = services().join("bin/mongod");
        assert!(program.is_file(), "{} is missing: run `scripts/services-deps`", program.display());
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("the folder is ours");
        let port = ports::free();
        let args = [format!("127.0.0.1:{port}"), data.display().to_string()];
        // Tests send nothing to anyone's telemetry.
        let env = [("DO_NOT_TRACK".to_owned(), "1".to_owned())];
        let process = Process::start(&Launch {
            program: &program,
            args: &args,
            env: &env,
            dir: folder.path(),
            log: &folder.path().join("mongod.log"),
            clean: Some(folder.path()),
        });
        let up = eventually_blocking(Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", port)));
        if let Err(still) = up {
            panic!("mongod: {still}\n{}", process.log_tail(40));
        }
        Self { port, _process: process, _folder: folder }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What goes into `MONGODB_URI`.
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://{}/{database}", self.address())
    }
}
