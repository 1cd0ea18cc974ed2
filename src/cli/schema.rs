//! `citytwin schema`: the GraphQL schema.

const EXAMPLES: &str = "\
Examples:
  citytwin schema > schema.graphql";

/// The flags of `schema`: none.
#[derive(Debug, clap::Args)]
#[command(long_about = "Print the GraphQL schema in SDL: the same as /schema.graphql of the server and the file \
    schema.graphql of the repository. It needs no settings and no server.", after_help = EXAMPLES)]
pub struct Args {}

/// Prints the schema.
///
/// # Errors
/// Where nobody reads the output.
pub fn run(_args: &Args) -> anyhow::Result<()> {
    super::print(&crate::graphql::sdl())?;
    Ok(())
}
