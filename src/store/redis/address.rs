//! `REDIS_URL`: parsed, checked, and shown without its password.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use redis::{
    Client, ClientTlsConfig, IntoConnectionInfo, TlsCertificates,
    cluster::{ClusterClient, ClusterClientBuilder},
};

use crate::store::StoreError;

/// What `REDIS_URL` accepts, for error messages.
const ACCEPTED: &str = "accepted are `embedded`, redis://[user:password@]host[:port][/db], rediss://… (TLS; \
                        ?ca=FILE names a private CA), and redis-cluster://host:port[,host:port…] or rediss-cluster://…";

/// How long connecting to a node may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A server or a cluster, not yet connected.
pub(super) enum Server {
    /// `redis://`, `rediss://`.
    Single(Client),
    /// `redis-cluster://`, `rediss-cluster://`.
    Cluster(Box<ClusterClient>),
}

/// The parts of a URL that we read ourselves; the rest is the client's.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    cluster: bool,
    /// One URL per node, as the client reads it.
    nodes: Vec<String>,
    /// A PEM file with the certificates of the CA to trust instead of the public ones.
    ca: Option<String>,
}

/// Reads a URL into a client.
///
/// # Errors
/// `Setting`, with the URL's password masked.
pub(super) async fn server(url: &str) -> Result<Server, StoreError> {
    let wrong = |reason: &str| StoreError::Setting {
        setting: "REDIS_URL",
        message: format!("`{}` {}; {ACCEPTED}", masked(url), without_secret(reason, url)),
    };
    let parts = split(url).map_err(&wrong)?;
    let certificates = match &parts.ca {
        None => None,
        Some(path) => {
            let pem =
                tokio::fs::read(path).await.map_err(|error| wrong(&format!("names the CA file {path}: {error}")))?;
            Some(TlsCertificates { client_tls: None::<ClientTlsConfig>, root_cert: Some(pem) })
        }
    };
    build(&parts, certificates).map_err(|error| wrong(&format!("is not a Redis URL: {error}")))
}

fn build(parts: &Parts, certificates: Option<TlsCertificates>) -> redis::RedisResult<Server> {
    if parts.cluster {
        let mut nodes = Vec::new();
        for node in &parts.nodes {
            nodes.push(node.as_str().into_connection_info()?);
        }
        // Retries of the client repeat what it asks: our scripts may all be repeated. The time is bounded by us.
        let mut builder = ClusterClientBuilder::new(nodes)
            .retries(3)
            .connection_timeout(CONNECT_TIMEOUT)
            .overall_response_timeout(None);
        if let Some(certificates) = certificates {
            builder = builder.certs(certificates);
        }
        return Ok(Server::Cluster(Box::new(builder.build()?)));
    }
    let info = parts.nodes[0].as_str().into_connection_info()?;
    Ok(Server::Single(match certificates {
        Some(certificates) => Client::build_with_tls(info, certificates)?,
        None => Client::open(info)?,
    }))
}

/// Splits a URL into its nodes and what only we know of (`-cluster`, several hosts, `ca`).
fn split(url: &str) -> Result<Parts, &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or("has no scheme")?;
    let (client_scheme, cluster) = match scheme {
        "redis" | "rediss" => (scheme, false),
        "redis-cluster" => ("redis", true),
        "rediss-cluster" => ("rediss", true),
        _ => return Err("has a scheme that we do not know"),
    };
    let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(user, rest)| (user, rest));
    let separator = if url.contains('@') { "@" } else { "" };
    let (rest, fragment) = rest.split_once('#').map_or((rest, String::new()), |(rest, it)| (rest, format!("#{it}")));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, path) = rest.split_once('/').map_or((rest, String::new()), |(hosts, path)| (hosts, format!("/{path}")));
    let mut ca = None;
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.strip_prefix("ca=") {
            Some(path) => ca = Some(percent_decode_str(path).decode_utf8().map_err(|_| "has a bad ca")?.into_owned()),
            None => kept.push(pair),
        }
    }
    if ca.is_some() && client_scheme != "rediss" {
        return Err("names a CA, but its scheme has no TLS");
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let hosts: Vec<&str> = hosts.split(',').collect();
    if hosts.iter().any(|host| host.is_empty()) {
        return Err("names no host");
    }
    if hosts.len() > 1 && !cluster {
        return Err("names several hosts, but its scheme is not a cluster's");
    }
    let node = |host: &&str| format!("{client_scheme}://{user}{separator}{host}{path}{query}{fragment}");
    Ok(Parts { cluster, nodes: hosts.iter().map(node).collect(), ca })
}

/// A URL with its password (and whatever might be one) replaced by `***`.
pub(super) fn masked(url: &str) -> String {
    let Some((user, rest)) = url.rsplit_once('@') else { return url.to_owned() };
    let (scheme, user) = user.split_once("://").map_or(("", user), |(scheme, user)| (scheme, user));
    let name = user.split_once(':').map_or("", |(name, _)| name);
    if scheme.is_empty() { format!("***@{rest}") } else { format!("{scheme}://{name}:***@{rest}") }
}

/// An error's text, without the password should a library ever quote it.
fn without_secret(text: &str, url: &str) -> String {
    let user = url.rsplit_once('@').map_or("", |(user, _)| user);
    let user = user.split_once("://").map_or(user, |(_, user)| user);
    let password = user.split_once(':').map_or(user, |(_, password)| password);
    if password.is_empty() { text.to_owned() } else { text.replace(password, "***") }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn error(url: &str) -> String {
        match server(url).await {
            Ok(_) => panic!("{url} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn urls_of_every_kind_are_accepted() {
        rustls::crypto::ring::default_provider().install_default().ok();
        for url in ["redis://localhost", "redis://localhost:6379/3", "redis://:secret@h:1", "rediss://u:p@h:1/0"] {
            assert!(matches!(server(url).await, Ok(Server::Single(_))), "{url}");
        }
        for url in ["redis-cluster://h:1", "redis-cluster://u:p@h:1,h:2", "rediss-cluster://:p@h:1,i:2"] {
            assert!(matches!(server(url).await, Ok(Server::Cluster(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn a_wrong_url_names_setting_value_and_what_is_accepted() {
        let urls = [
            "http://u:geheim@h",
            "localhost:6379",
            "u:geheim@h:6379",
            "redis://u:geheim@",
            "redis://u:geheim@h:port",
            "redis://u:geheim@h/many",
            "redis://u:geheim@h:1,h:2",
            "redis://u:geheim@h?ca=/x",
            "rediss://u:geheim@h?ca=/no/such/file",
            "redis-cluster://u:geheim@h:1,",
            "redis://u:ge@heim:geheim@h:port",
        ];
        for url in urls {
            let text = error(url).await;
            assert!(text.starts_with("REDIS_URL: `"), "{text}");
            assert!(text.contains("accepted are `embedded`, redis://"), "{text}");
            assert!(!text.contains("geheim") && !text.contains("heim:"), "{text}");
        }
    }

    #[test]
    fn a_cluster_url_gives_a_url_per_node() {
        let parts = split("rediss-cluster://u:p@a:1,b:2/0?ca=%2Fca.pem&protocol=resp3#insecure").unwrap();
        let node = |host: &str| format!("rediss://u:p@{host}/0?protocol=resp3#insecure");
        assert_eq!(parts, Parts { cluster: true, nodes: vec![node("a:1"), node("b:2")], ca: Some("/ca.pem".into()) });
    }

    #[test]
    fn passwords_are_masked() {
        assert_eq!(masked("redis://h:1/2"), "redis://h:1/2");
        assert_eq!(masked("redis://:pw@h"), "redis://:***@h");
        assert_eq!(masked("redis://u:p:w@x@h"), "redis://u:***@h");
        assert_eq!(masked("pw@h"), "***@h");
    }
}
