//! Builds the web pages of `web-client/` into `$OUT_DIR/web`, which `src/http/assets.rs` embeds.
//!
//! Without Node, or with `CITYTWIN_SKIP_WEB=1`, that folder stays empty and the server serves a plain page that says
//! how to get the real ones; a warning says why. Cargo runs this again only when something in [`SOURCES`] has changed.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What the pages are made from, in `web-client/`.
const SOURCES: [&str; 11] = [
    "src",
    "public",
    "build",
    "index.html",
    "city-live.html",
    "graphiql.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vite.config.ts",
];

/// The oldest Node that Vite 8 runs on.
const NODE_MAJOR: u32 = 20;

fn main() -> io::Result<()> {
    let web_client = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("web-client");
    let out_dir = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it")).join("web");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CITYTWIN_SKIP_WEB");
    for source in SOURCES {
        println!("cargo:rerun-if-changed=web-client/{source}");
    }

    // Pages of an earlier build must not pass for these.
    match fs::remove_dir_all(&out_dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&out_dir)?,
    }
    if env::var_os("CITYTWIN_SKIP_WEB").is_some_and(|value| !value.is_empty() && value != "0") {
        println!("cargo:warning=built without the web pages, as CITYTWIN_SKIP_WEB says");
        return Ok(());
    }
    if let Err(problem) = build_pages(&web_client, &out_dir) {
        // Half a bundle is worse than none.
        fs::remove_dir_all(&out_dir)?;
        fs::create_dir_all(&out_dir)?;
        println!("cargo:warning=built without the web pages: {problem}; then `touch build.rs` and build again");
    }
    Ok(())
}

/// Installs what the pages need where it is not there yet, and bundles them into `out_dir`.
fn build_pages(web_client: &Path, out_dir: &Path) -> Result<(), String> {
    require_node()?;
    if must_install(web_client) {
        npm(web_client, &["ci", "--prefer-offline"])?;
    }
    let out_dir = out_dir.to_str().ok_or("the path of the target directory is not UTF-8")?;
    npm(web_client, &["run", "build", "--", "--outDir", out_dir, "--emptyOutDir", "--logLevel", "warn"])
}

fn require_node() -> Result<(), String> {
    let wanted = format!("install Node {NODE_MAJOR} or newer with npm");
    let output = Command::new("node").arg("--version").output().map_err(|_| wanted.clone())?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR => Ok(()),
        _ => Err(format!("{wanted} (node --version says {version:?})")),
    }
}

/// Whether `node_modules` is missing or older than the lock file. npm writes `.package-lock.json` there when it is done.
fn must_install(web_client: &Path) -> bool {
    let modified = |path: &str| fs::metadata(web_client.join(path)).and_then(|metadata| metadata.modified()).ok();
    modified("node_modules/.package-lock.json") < modified("package-lock.json")
}

/// Runs npm in `web_client`. On failure the error is the command and its own first words on the reason.
fn npm(web_client: &Path, arguments: &[&str]) -> Result<(), String> {
    let words = arguments.iter().take_while(|argument| !argument.starts_with('-'));
    let command = words.fold("npm".to_owned(), |command, word| command + " " + word);
    // On Windows npm is a script with an ending of its own.
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output =
        Command::new(program).args(arguments).current_dir(web_client).stdin(Stdio::null()).output().map_err(
            |error| format!("{command} did not start ({error}); install Node {NODE_MAJOR} or newer with npm"),
        )?;
    if output.status.success() {
        return Ok(());
    }
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let reason = reason_in(&said).unwrap_or_else(|| output.status.to_string());
    Err(format!("`{command}` in web-client failed: {reason}"))
}

/// The first line that says what went wrong, in what npm or Vite printed: not a bare `npm error code E404`, nor a heading.
fn reason_in(said: &str) -> Option<String> {
    let lines = said.lines().map(str::trim);
    let from_the_error_on = lines.skip_while(|line| !line.to_lowercase().contains("error"));
    from_the_error_on
        .map(|line| line.trim_start_matches("npm error").trim())
        .find(|line| !line.is_empty() && !line.ends_with(':') && !line.starts_with("code "))
        .map(str::to_owned)
}
