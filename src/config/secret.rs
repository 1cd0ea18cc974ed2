//! Values that must never be seen: in logs, in `Debug` output, in what `citytwin config` prints.

use std::fmt;

/// What stands in a secret's place wherever settings are shown.
pub const MASK: &str = "********";

/// A password or token. `Debug` and `Display` show [`MASK`]; only [`expose`](Self::expose) gives the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into safe keeping.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// A URL without its password: `redis://user:pw@host` becomes `redis://user:********@host`.
///
/// A part of the query whose name speaks of a password, secret or token is masked too. The password is taken to
/// reach to the last `@` before the path, since an unescaped `@` in it is a common slip. Text that is no URL comes
/// back as it is.
pub fn mask_url(url: &str) -> String {
    let Some(scheme_end) = url.find("://") else { return url.to_owned() };
    let (scheme, rest) = url.split_at(scheme_end + 3);
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    // An unescaped `/` or `?` in a password would end the authority early and leave its tail visible: look for the
    // last `@` of the whole text instead wherever user information is there at all.
    let (masked, query) = match rest.rfind('@') {
        Some(at) if rest[..at].contains(':') && is_user_info(&rest[..at]) => {
            let user = rest[..at].split(':').next().unwrap_or_default();
            let host = &rest[at..];
            let (host, query) = host.split_once('?').map_or((host, None), |(host, query)| (host, Some(query)));
            (format!("{user}:{MASK}{host}"), query)
        }
        _ => (before_query.to_owned(), query),
    };
    let query = query.map(|query| format!("?{}", mask_query(query))).unwrap_or_default();
    format!("{scheme}{masked}{query}")
}

/// Whether what stands before an `@` can be user information: a host with a port and a path in front of it (an `@`
/// far behind, in a query) is not.
fn is_user_info(text: &str) -> bool {
    let first = text.split(':').next().unwrap_or_default();
    !first.contains(['/', '?', ','])
}

fn mask_query(query: &str) -> String {
    let masked = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}

/// Whether a name speaks of something secret, such as `sasl.password`, `ssl.key.pem` or `authToken`.
pub fn is_secret_name(name: &str) -> bool {
    const SIGNS: [&str; 7] = ["password", "passphrase", "secret", "private", "key.pem", "jaas", "oauthbearer.config"];
    let name = name.to_ascii_lowercase();
    SIGNS.iter().any(|sign| name.contains(sign)) || (name.contains("token") && !name.contains("url"))
}
