//! Scripts of `tests/node/`, which check citytwin with the real JavaScript libraries.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::{Mutex, MutexGuard},
};

/// No script of ours needs longer; one that hangs shall fail its test and not the whole run.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// One browser at a time: each draws in software, and two of them on two cores only wait for each other.
static BROWSER: Mutex<()> = Mutex::const_new(());

/// The turn to use the browser, until it is dropped.
pub async fn browser_turn() -> MutexGuard<'static, ()> {
    BROWSER.lock().await
}

fn folder() -> PathBuf {
    super::root().join("tests/node")
}

/// A command that runs `tests/node/<script>`; killed when dropped.
pub fn command(script: &str, args: &[&str]) -> Command {
    let folder = folder();
    assert!(folder.join("node_modules").is_dir(), "tests/node/node_modules is missing: run `scripts/services-deps`");
    let mut command = Command::new("node");
    command.arg(folder.join(script)).args(args).current_dir(folder).kill_on_drop(true);
    if let Some(chromium) = chromium() {
        command.env("CHROMIUM", chromium);
    }
    command
}

/// Starts a script whose three streams are ours; its stdin apart.
fn start(script: &str, args: &[&str]) -> (Child, ChildStdin) {
    let mut command = command(script, args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("node starts");
    let input = child.stdin.take().expect("piped");
    (child, input)
}

/// Panics with what a script printed where it failed.
fn check(script: &str, args: &[&str], output: &Output, stdout: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {args:?}: {}\n{stderr}\n{stdout}", output.status);
}

/// Runs a script with `args` and `stdin` to its end and gives what it printed.
///
/// Panics with its stderr when it fails or takes over five minutes.
pub async fn run(script: &str, args: &[&str], stdin: &str) -> String {
    let (child, mut input) = start(script, args);
    let text = stdin.to_owned();
    // Written beside the reading, or a script that prints while it reads would block both sides.
    let feed = tokio::spawn(async move {
        // A script may end before it has read everything.
        let _ = input.write_all(text.as_bytes()).await;
    });
    let output = tokio::time::timeout(TIME_LIMIT, child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("{script} did not end within {TIME_LIMIT:?}"))
        .expect("node can be waited for");
    feed.abort();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    check(script, args, &output, &stdout);
    stdout
}

/// Runs a script that asks for things while it runs: `act` gets each line that begins with `? `, and when it is done the
/// script gets a line. Returns what else it printed.
///
/// Panics with its stderr when it fails or takes over five minutes.
pub async fn converse(script: &str, args: &[&str], mut act: impl AsyncFnMut(&str)) -> String {
    let (mut child, mut input) = start(script, args);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut stdout = String::new();
    let talk = async {
        while let Some(line) = lines.next_line().await.expect("readable") {
            match line.strip_prefix("? ") {
                Some(wish) => {
                    act(wish).await;
                    // A script that has failed meanwhile says why on its stderr.
                    let _ = input.write_all(b"done\n").await;
                }
                None => stdout.push_str(&format!("{line}\n")),
            }
        }
    };
    tokio::time::timeout(TIME_LIMIT, talk)
        .await
        .unwrap_or_else(|_| panic!("{script} did not end within {TIME_LIMIT:?}"));
    let output = child.wait_with_output().await.expect("node can be waited for");
    check(script, args, &output, &stdout);
    stdout
}

/// The browser for scripts that need one: `CHROMIUM`, else the first of the usual names in `PATH`.
pub fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(path));
    }
    let path = std::env::var_os("PATH")?;
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}
