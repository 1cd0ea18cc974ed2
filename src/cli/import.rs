//! `citytwin import FILE`: a city file into the running server, or into the store where none runs.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueHint;

use super::progress;
use crate::{
    config::{Config, Secret, SettingArgs},
    store,
    twin::{model::Kind, snapshot::CityFile},
    writer::Offline,
};

mod file;
mod server;

use server::Outcome;

const EXAMPLES: &str = "\
Examples:
  citytwin import city.json
  citytwin import city.json.gz --url https://twin.example --token \"$TOKEN\"
  curl -s http://127.0.0.1:8080/api/state > city.json      a backup is such a file";

/// The flags of `import`.
#[derive(Debug, clap::Args)]
#[command(long_about = "Replace the city model by a city file (the JSON of state.full). It is sent to the running server; \
    where none runs, the store is written, unless an instance holds the lease. Districts, buildings, weather stations, \
    nodes and edges are replaced and keep their live values; sensors, buses, stations, incidents and units are only \
    added.", after_help = EXAMPLES)]
pub struct Args {
    /// The city file: JSON, or compressed with an ending .gz or .zst
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The server to send it to [default: ADVERTISED_URL, else http:// and HTTP_ADDR]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// The server's ADMIN_TOKEN [default: our own setting of that name; env: ADMIN_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<Secret>,
    /// Settings given as flags.
    #[command(flatten)]
    pub settings: SettingArgs,
}

/// The kinds with their names in the server's answer and in the table.
const KINDS: [(Kind, &str, &str); 10] = [
    (Kind::District, "districts", "districts"),
    (Kind::Sensor, "sensors", "sensors"),
    (Kind::Building, "buildings", "buildings"),
    (Kind::WeatherStation, "weatherStations", "weather stations"),
    (Kind::Node, "nodes", "nodes"),
    (Kind::Edge, "edges", "edges"),
    (Kind::Bus, "buses", "buses"),
    (Kind::Station, "stations", "stations"),
    (Kind::Incident, "incidents", "incidents"),
    (Kind::Unit, "units", "units"),
];

/// Imports the file.
///
/// # Errors
/// Where the file cannot be read or is no city file (all that is wrong is listed on standard error), or the server or store
/// refuses it.
pub async fn run(args: Args, config: Config) -> anyhow::Result<()> {
    let path = args.file;
    let reading = progress::spinner(&format!("reading {}", path.display()));
    let read = tokio::task::spawn_blocking({
        let path = path.clone();
        move || file::read(&path)
    })
    .await??;
    let file = CityFile::parse(&read).map_err(|problems| {
        file::list(&path, problems.iter().map(|problem| (problem.field.as_str(), problem.message.as_str())))
    })?;
    reading.finish_and_clear();

    let url = args.url.clone().or_else(|| server::default_url(&config));
    if let Some(url) = &url {
        let token = args.token.or(config.http.admin_token.clone());
        let sending = progress::spinner(&format!("sending {:.1} MB to {url}", read.len() as f64 / 1e6));
        let outcome = server::send(url, token.as_ref(), read.into()).await?;
        sending.finish_and_clear();
        match outcome {
            Outcome::Imported(counts) => {
                return table(|(_, key, _), what| counts[key][what].as_u64().unwrap_or_default());
            }
            Outcome::Invalid(errors) => {
                let errors = errors.iter().map(|error| (error.path.as_str(), error.message.as_str()));
                return Err(file::list(&path, errors));
            }
            Outcome::NobodyThere if args.url.is_some() => anyhow::bail!("{url}: no server answers there"),
            Outcome::NobodyThere => {}
        }
    }
    into_store(&config, file, url.as_deref()).await
}

/// Writes the store itself.
async fn into_store(config: &Config, file: CityFile, url: Option<&str>) -> anyhow::Result<()> {
    if let Some(id) = config.city.id.as_ref().filter(|id| **id != file.city_id) {
        anyhow::bail!("the file describes the city {:?}, and CITY_ID is {id:?}", file.city_id);
    }
    let store = store::open(&config.store, &file.city_id).await?;
    let offline = Offline::begin(store, config.writer.lease).await.with_context(|| {
        url.map_or_else(|| "no server is known".to_owned(), |url| format!("no server answers at {url}"))
    })?;
    let writing = progress::spinner("writing the store");
    let report = offline.import(&config.city.name, file).await;
    offline.release().await;
    writing.finish_and_clear();
    let report = report?;
    table(|(kind, ..), what| {
        let count = report[kind as usize];
        let number = match what {
            "created" => count.created,
            "changed" => count.changed,
            _ => count.removed,
        };
        number as u64
    })
}

/// Prints the counts.
fn table(count: impl Fn((Kind, &str, &str), &str) -> u64) -> anyhow::Result<()> {
    let row = |kind: (Kind, &str, &str)| {
        let counts = ["created", "changed", "removed"].map(|what| count(kind, what).to_string());
        [vec![kind.2.to_owned()], counts.to_vec()].concat()
    };
    let rows: Vec<Vec<String>> = KINDS.into_iter().map(row).collect();
    super::print(&super::table::table(&["kind", "created", "changed", "removed"], &rows, 1))?;
    Ok(())
}
