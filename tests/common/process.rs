//! A server process that cannot outlive the tests.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Runs its arguments and watches the standard input: when that ends, because the test process dropped it or is gone,
/// however it died, the server is killed. The first line of its output is the server's process id; its exit code is the server's
/// (128 + signal where a signal ended it). What `CLEAN` names is removed at the end.
const WATCHDOG: &str = r#"
log=$LOG clean=$CLEAN
unset LOG CLEAN
exec 3<&0 4>&1 </dev/null >>"$log" 2>&1
"$@" 3<&- 4>&- &
server=$!
echo "$server" >&4
exec 4>&-
( read -r _ <&3; kill -9 "$server" ) 2>/dev/null &
watcher=$!
wait "$server"
code=$?
exec 3<&-
kill "$watcher" 2>/dev/null
[ -z "$clean" ] || rm -rf "$clean"
exit "$code"
"#;

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct Process {
    watchdog: Child,
    /// Held open as long as the server may live.
    alive: Option<ChildStdin>,
    pid: u32,
    log: PathBuf,
}

/// How a server is started.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    pub program: &'a Path,
    pub args: &'a [String],
    /// Added to the environment of the tests.
    pub env: &'a [(String, String)],
    /// Its working directory.
    pub dir: &'a Path,
    /// All its output is added to this file.
    pub log: &'a Path,
    /// A folder that goes when the server does, also when the test process is killed; none where it is to be started again
    /// on what it wrote.
    pub clean: Option<&'a Path>,
}

impl Process {
    /// Starts it; it may still fail at once, which [`Self::exited`] tells.
    pub fn start(launch: &Launch<'_>) -> Self {
        File::options().create(true).append(true).open(launch.log).expect("the log's folder exists");
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(launch.program)
            .args(launch.args)
            .current_dir(launch.dir)
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .env("LOG", launch.log)
            .env("CLEAN", launch.clean.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let mut line = String::new();
        BufReader::new(watchdog.stdout.take().expect("piped")).read_line(&mut line).expect("the watchdog answers");
        let pid = line.trim().parse().unwrap_or_else(|_| panic!("no process id from the watchdog: {line:?}"));
        let alive = watchdog.stdin.take();
        Self { watchdog, alive, pid, log: launch.log.to_owned() }
    }

    /// The server's own process id (not the watchdog's).
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, `None` while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.watchdog.try_wait().expect("the watchdog can be waited for")
    }

    /// Sends a signal by its name (`TERM`, `STOP`, `CONT`, `KILL`); one to a process that is gone does nothing.
    pub fn signal(&mut self, name: &str) {
        if self.exited().is_none() {
            let _ =
                Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).stderr(Stdio::null()).status();
        }
    }

    /// Waits until it is gone, at most `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                return Some(status);
            }
            if start.elapsed() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.alive = None;
        let _ = self.watchdog.wait();
    }

    /// SIGTERM, and waits at most `deadline`; after that it is killed and the result is `None`.
    pub fn terminate(&mut self, deadline: Duration) -> Option<ExitStatus> {
        self.signal("TERM");
        let status = self.wait(deadline);
        if status.is_none() {
            self.kill();
        }
        status
    }

    /// The last `lines` lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        let text = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exited().is_none() {
            self.kill();
        }
    }
}
