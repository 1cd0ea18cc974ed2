//! The real citytwin, as a user starts it, on a free port.

use std::{
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::Once,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use super::{
    eventually, ports,
    process::{Launch, Process},
    socket::{Socket, Subscription},
};

/// Until it answers at all.
const START: Duration = Duration::from_secs(30);
/// A single request; the longest is an import of a big city.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a SIGTERM may take (contract, section 1).
pub const SHUTDOWN: Duration = Duration::from_secs(10);

/// A running server with settings of its own and an own folder; killed when dropped, and its log printed where the test fails.
#[derive(Debug)]
pub struct Server {
    port: u16,
    args: Vec<String>,
    env: Vec<(String, String)>,
    process: Option<Process>,
    folder: TempDir,
    http: reqwest::Client,
}

impl Server {
    /// `citytwin serve` with these settings (environment names); returns when it answers `/healthz`.
    ///
    /// Beyond them only `HTTP_ADDR` (a free port of 127.0.0.1), `DATA_DIR` (a temporary folder) and `CITY_LIVE` (`off`) are set.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_command(&["serve"], settings).await
    }

    /// The same with another command, such as `["demo", "--demo-rate", "1000"]`.
    pub async fn start_command(args: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut server = Self::new(args, settings);
        server.start_again().await;
        server
    }

    /// As [`Self::start`], and waits until it is ready.
    pub async fn start_ready(settings: &[(&str, &str)]) -> Self {
        let server = Self::start(settings).await;
        server.ready(Duration::from_secs(60)).await;
        server
    }

    /// One that is not started yet.
    pub fn new(args: &[&str], settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = ports::free();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("the folder is ours");
        let mut env = vec![
            ("HTTP_ADDR".to_owned(), format!("127.0.0.1:{port}")),
            ("DATA_DIR".to_owned(), data.display().to_string()),
        ];
        if args.first() == Some(&"serve") {
            // Tests of the twin have no MongoDB; those of City Live say where theirs is.
            env.push(("CITY_LIVE".to_owned(), "off".to_owned()));
        }
        for &(name, value) in settings {
            env.retain(|(other, _)| other != name);
            env.push((name.to_owned(), value.to_owned()));
        }
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Self { port, args, env, process: None, folder, http: client() }
    }

    /// Starts it (again) with the same settings and port, and waits until it answers `/healthz`.
    pub async fn start_again(&mut self) {
        self.launch();
        let port = self.port;
        let start = std::time::Instant::now();
        loop {
            if let Some(status) = self.exited() {
                panic!("citytwin {:?} ended at its start: {status}\n{}", self.args, self.log());
            }
            let answer = self.http.get(format!("http://127.0.0.1:{port}/healthz")).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            assert!(start.elapsed() < START, "/healthz did not answer within {START:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts it and waits for nothing.
    pub fn launch(&mut self) {
        assert!(self.process.is_none() || self.exited().is_some(), "it runs already");
        self.process = Some(Process::start(&Launch {
            program: binary(),
            args: &self.args,
            env: &self.env,
            // No citytwin.toml of the repository gets in.
            dir: self.folder.path(),
            log: &self.log_file(),
            clean: None,
        }));
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// Waits until `/readyz` is 200 and gives its body.
    pub async fn ready(&self, deadline: Duration) -> Value {
        eventually(deadline, || async {
            let answer = self.get("/readyz").await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let body = answer.text().await.map_err(|error| error.to_string())?;
            if status == 200 {
                Ok(serde_json::from_str(&body).expect("JSON"))
            } else {
                Err(format!("{status}: {body}"))
            }
        })
        .await
    }

    /// The address of a path, `http://…`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The port that it serves.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A client without proxies or redirects, for requests that the functions below do not cover.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// GET, whatever comes.
    pub async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.http.get(self.url(path)).send().await
    }

    /// GET of JSON; panics unless 200.
    pub async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).await.unwrap_or_else(|error| panic!("GET {path}: {error}"));
        let (status, body) = (answer.status(), answer.text().await.expect("a body"));
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path}: {error}: {body}"))
    }

    /// POST of JSON: the status and the answer's JSON (`Null` where the answer is none).
    pub async fn post_json(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.http.post(self.url(path)).json(body).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("POST {path}: {error}"));
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or(Value::Null))
    }

    /// A GraphQL request's whole answer, `data` and `errors`.
    pub async fn graphql_answer(&self, query: &str, variables: Value) -> Value {
        self.post_json("/graphql", &json!({ "query": query, "variables": variables })).await.1
    }

    /// A GraphQL request's `data`; panics on errors.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql_answer(query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].take()
    }

    /// A socket to `/graphql/ws`, greeted and acknowledged.
    pub async fn socket(&self) -> Socket {
        Socket::connect(&format!("ws://127.0.0.1:{}/graphql/ws", self.port)).await
    }

    /// A subscription on a socket of its own.
    pub async fn subscribe(&self, query: &str, variables: Value) -> Subscription {
        Subscription::start(self.socket().await, query, variables).await
    }

    /// How it ended; `None` while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.process.as_mut()?.exited()
    }

    /// Its process id; panics where it was never started.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("it was started").pid()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill();
        }
    }

    /// Sends a signal by its name (`TERM`, `STOP`, `CONT`).
    pub fn signal(&mut self, name: &str) {
        if let Some(process) = &mut self.process {
            process.signal(name);
        }
    }

    /// SIGTERM; asserts that it exits with 0 within the contract's ten seconds.
    pub fn stop_cleanly(&mut self) {
        let status = self.process.as_mut().expect("it was started").terminate(SHUTDOWN);
        let status = status.unwrap_or_else(|| panic!("it was still there {SHUTDOWN:?} after SIGTERM"));
        assert!(status.success(), "after SIGTERM: {status}");
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let process = self.process.as_mut().expect("it was started");
        process.wait(deadline).unwrap_or_else(|| panic!("still running after {deadline:?}"))
    }

    /// Everything that it has logged, over all its starts.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// Its folder, where the current directory is; gone with the value.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("citytwin.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(process) = &self.process
        {
            eprintln!("--- citytwin {:?} on port {}, end of its log:\n{}", self.args, self.port, process.log_tail(200));
        }
    }
}

/// The program under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_citytwin"))
}

/// Runs a command of citytwin to its end, in an empty folder of its own, with `stdin` as its input.
pub async fn citytwin(args: &[&str], settings: &[(&str, &str)], stdin: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = tokio::process::Command::new(binary())
        .args(args)
        .envs(settings.iter().copied())
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("citytwin starts");
    let mut input = child.stdin.take().expect("piped");
    let text = stdin.to_owned();
    // Written beside the reading, or a command that prints while it reads would block both sides.
    tokio::spawn(async move {
        let _ = input.write_all(text.as_bytes()).await;
    });
    let limit = Duration::from_secs(300);
    tokio::time::timeout(limit, child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("citytwin {args:?} did not end within {limit:?}"))
        .expect("it can be waited for")
}

/// A client that follows no redirects, which would hide them from the tests.
pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // The graph holds two; reqwest refuses to choose. An error means that somebody has chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER)
        .build()
        .expect("a client")
}
