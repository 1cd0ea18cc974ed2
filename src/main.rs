//! citytwin: parse the command, run it, map the error to an exit code.

use std::{env, io::Write as _, process::ExitCode, time::Duration};

use citytwin::{
    cli,
    config::{Config, ConfigError},
    telemetry,
};

/// Entities and their JSON are allocated on one thread and freed on others all the time, which mimalloc is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the process waits at its end for threads that are still at work.
const LAST_MOMENT: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let cli = match cli::parse(env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; they go to standard output, which nobody may be reading any more.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(ConfigError::EXIT_CODE) } else { ExitCode::SUCCESS };
        }
    };
    // An error says that a provider is there already, which is all that is needed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (code, line) = cli::exit_code(&error);
            if let Some(line) = line {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            ExitCode::from(code)
        }
    }
}

fn run(command: cli::Command) -> anyhow::Result<()> {
    let (config, effective) = match command.settings() {
        Some(settings) => Config::load(&settings, env::vars_os())?,
        None => (Config::defaults(), Vec::new()),
    };
    telemetry::init_logs(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(cli::run(command, config, &effective));
    // What matters has ended by now. What may still be blocked is a question to a broker that is away, of ten seconds.
    runtime.shutdown_timeout(LAST_MOMENT);
    result
}
