//! What is sent to an API.

use reqwest::Url;

use crate::config::{ConfigError, MASK, Secret};

/// One GET.
#[derive(Clone)]
pub struct Request {
    /// With its parameters, which may hold the key: it is never logged.
    pub url: Url,
    /// A header beside the usual ones.
    pub header: Option<(&'static str, Secret)>,
    /// The key, wherever it stands: whatever an API answers is shown without it.
    pub secret: Option<Secret>,
}

impl Request {
    /// Without a key.
    pub fn new(url: Url) -> Self {
        Self { url, header: None, secret: None }
    }

    /// With a key that stands in the URL.
    pub fn keyed(url: Url, key: &Secret) -> Self {
        Self { url, header: None, secret: Some(key.clone()) }
    }

    /// A text of the API without our key in it.
    pub fn masked(&self, text: &str) -> String {
        match &self.secret {
            Some(secret) => text.replace(secret.expose(), MASK),
            None => text.to_owned(),
        }
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        write!(f, "Request({host}{})", self.url.path())
    }
}

/// Where an API is: the setting's scheme, host and port (and a gateway's path, where there is one) before the API's own path.
///
/// # Errors
/// Where the setting makes no URL.
pub fn endpoint(setting: &'static str, base: &str, path: &str) -> Result<Url, ConfigError> {
    let wrong = |error: <Url as std::str::FromStr>::Err| ConfigError::Value {
        setting: setting.to_owned(),
        value: format!("{base:?}"),
        accepted: format!("http:// or https:// with a host and perhaps a port and a path ({error})"),
    };
    // By itself, else the path's first name would be taken for a host that is missing.
    let host: Url = base.parse().map_err(wrong)?;
    format!("{}{path}", host.as_str().trim_end_matches('/')).parse().map_err(wrong)
}

/// The URL with these parameters.
pub fn with_parameters<'a>(url: &Url, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

/// A coordinate as APIs read it: five digits are a metre.
pub fn degrees(value: f64) -> String {
    format!("{value:.5}")
}

/// Whether a URL leads to this machine: a proxy of the environment is on its way to others.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
