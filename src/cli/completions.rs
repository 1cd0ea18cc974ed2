//! `citytwin completions SHELL`: a completion script.

use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  citytwin completions bash > ~/.local/share/bash-completion/completions/citytwin
  citytwin completions zsh > ~/.zfunc/_citytwin        with fpath+=~/.zfunc before compinit
  citytwin completions fish > ~/.config/fish/completions/citytwin.fish";

/// The flags of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// Where nobody reads the output.
pub fn run(args: &Args) -> anyhow::Result<()> {
    super::print(&script(args.shell))?;
    Ok(())
}

/// The script of a shell.
pub(super) fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "citytwin", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
