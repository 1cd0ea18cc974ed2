//! A city file to a running server: `PUT /api/city`.

use std::{error::Error as _, io, net::SocketAddr, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use reqwest::{Client, StatusCode, Url, header};
use serde::Deserialize;
use serde_json::Value;

use crate::config::{Config, Secret};

/// How long the whole may take: a big file over a slow line, and the flush that holds it.
const LIMIT: Duration = Duration::from_secs(600);
/// How long a server may take to take the connection.
const CONNECT: Duration = Duration::from_secs(10);

/// What became of it.
pub enum Outcome {
    /// Done: the server's counts.
    Imported(Value),
    /// The file has errors.
    Invalid(Vec<FileError>),
    /// The connection was refused: no server runs there.
    NobodyThere,
}

/// One error of a city file.
#[derive(Debug, Deserialize)]
pub struct FileError {
    /// Where.
    pub path: String,
    /// What is wrong and what is accepted.
    pub message: String,
}

/// Where the server of these settings is; `None` where that cannot be known (port 0).
pub fn default_url(config: &Config) -> Option<String> {
    config.writer.advertised_url.clone().or_else(|| {
        let addr = config.http.addr;
        // An address that stands for all of them is reached over loopback.
        let ip = match addr.ip() {
            ip if !ip.is_unspecified() => ip,
            std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        (addr.port() > 0).then(|| format!("http://{}", SocketAddr::new(ip, addr.port())))
    })
}

/// Sends the file to a server, and once more to the writer that a replica names.
///
/// # Errors
/// Every answer but the outcomes above, in the server's own words.
pub async fn send(url: &str, token: Option<&Secret>, file: Bytes) -> anyhow::Result<Outcome> {
    let mut url = url.to_owned();
    for attempt in 0..2 {
        let Some((status, answer)) = put(&url, token, file.clone()).await? else { return Ok(Outcome::NobodyThere) };
        let writer = answer["writer"].as_str().filter(|_| answer["code"] == "REPLICA" && attempt == 0);
        match (status, writer) {
            (StatusCode::OK, _) => return Ok(Outcome::Imported(answer)),
            (StatusCode::UNPROCESSABLE_ENTITY, _) => {
                let errors = Vec::<FileError>::deserialize(&answer["errors"]);
                return errors.map(Outcome::Invalid).with_context(|| format!("{url}: its answer cannot be read"));
            }
            (_, Some(writer)) => url = writer.to_owned(),
            _ => {
                let said = answer["detail"].as_str().or(answer["title"].as_str()).unwrap_or_default();
                anyhow::bail!("{url} answers {status}: {said}");
            }
        }
    }
    anyhow::bail!("{url}: no instance says that it is the writer; try again in a moment")
}

/// One request: its status and JSON (`Null` where it is none); `None` where the connection is refused.
async fn put(url: &str, token: Option<&Secret>, file: Bytes) -> anyhow::Result<Option<(StatusCode, Value)>> {
    let address: Url = format!("{}/api/city", url.trim_end_matches('/')).parse().with_context(|| url.to_owned())?;
    let mut client = Client::builder().connect_timeout(CONNECT).timeout(LIMIT);
    if is_loopback(&address) {
        // A proxy of the environment is on its way to others.
        client = client.no_proxy();
    }
    let mut request = client.build()?.put(address).header(header::CONTENT_TYPE, "application/json").body(file);
    if let Some(token) = token {
        request = request.bearer_auth(token.expose());
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if is_refused(&error) => return Ok(None),
        Err(error) => return Err(error).with_context(|| url.to_owned()),
    };
    let status = answer.status();
    let body = answer.bytes().await.with_context(|| url.to_owned())?;
    Ok(Some((status, serde_json::from_slice(&body).unwrap_or_default())))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}
