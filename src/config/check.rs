//! Reads single values: text in, value out, `None` where it is not accepted.

use std::{net::SocketAddr, time::Duration};

use rdkafka::{ClientConfig, error::KafkaError};

use super::{Brokers, MapBackground};

/// A whole number within bounds, digits only: no sign, no fraction, no underscores.
pub fn whole(text: &str, min: u64, max: u64) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| (min..=max).contains(number))
}

/// `30s`, `90m`, `24h`, `7d`, or `off`. The outer `None` is "not accepted", the inner one `off`.
#[expect(clippy::option_option, reason = "the inner one is the setting's value, the outer one the verdict")]
pub fn retention(text: &str) -> Option<Option<Duration>> {
    /// Ten years: beyond that somebody means `off`, and sums of milliseconds stay far from their limits.
    const LONGEST_SECONDS: u64 = 3650 * 86_400;
    if text == "off" {
        return Some(None);
    }
    let (number, seconds) = match text.chars().last()? {
        's' => (text.strip_suffix('s')?, 1),
        'm' => (text.strip_suffix('m')?, 60),
        'h' => (text.strip_suffix('h')?, 3600),
        'd' => (text.strip_suffix('d')?, 86_400),
        _ => return None,
    };
    Some(Some(Duration::from_secs(whole(number, 0, LONGEST_SECONDS / seconds)? * seconds)))
}

/// `500ms`, `45s`, `5m`, `1h`; a bare number is seconds. Bounds in milliseconds, both included.
pub fn span(text: &str, min: u64, max: u64) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let millis = whole(number, 0, max / millis)? * millis;
    (millis >= min).then(|| Duration::from_millis(millis))
}

/// 1 to 256 bytes without control characters.
pub fn text(text: &str) -> Option<&str> {
    (1..=256).contains(&text.len()).then_some(text).filter(|text| !text.chars().any(char::is_control))
}

/// 1 to 4096 visible ASCII characters: what an `Authorization` header can carry.
pub fn secret(text: &str) -> Option<&str> {
    (1..=4096).contains(&text.len()).then_some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// As [`text`], and without braces: `{<cityId>}` is Redis Cluster's hash tag in our keys.
pub fn city_id(id: &str) -> Option<&str> {
    text(id).filter(|id| !id.contains(['{', '}']))
}

/// Any path but an empty one or one with a NUL.
pub fn path(text: &str) -> Option<&str> {
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

/// `host:port` with commas between them, or `embedded`. The port may be left out, as librdkafka allows (9092).
pub fn brokers(text: &str) -> Option<Brokers> {
    if text == "embedded" {
        return Some(Brokers::Embedded);
    }
    let list: Vec<&str> = text.split(',').map(str::trim).collect();
    list.iter().all(|broker| is_host(broker)).then(|| Brokers::List(list.join(",")))
}

/// A URL of one of the schemes with something behind it; a user or a path is the client library's business.
pub fn url<'a>(text: &'a str, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, rest) = text.split_once("://")?;
    let host = rest.rsplit('@').next()?.split(['/', '?', '#']).next()?;
    let hosts_fit = host.split(',').all(is_host);
    let visible = text.len() <= 4096 && text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    (schemes.contains(&scheme) && hosts_fit && visible).then_some(text)
}

/// `http://` or `https://` with a host and perhaps a port and a path, without the slash at its end: what stands in front of
/// an API's own path. Who calls is told by keys, not by a user in the URL.
pub fn api(text: &str) -> Option<&str> {
    let base = url(text, &["http", "https"])?.trim_end_matches('/');
    (!base.contains(['@', '?', '#'])).then_some(base)
}

/// `address:port`; `localhost` stands for 127.0.0.1.
pub fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse().ok(),
        None => text.parse().ok(),
    }
}

/// `scheme://host[:port]` with commas between them, or `*`.
pub fn origins(text: &str) -> Option<Vec<String>> {
    let list: Vec<String> = text.split(',').map(|origin| origin.trim().to_ascii_lowercase()).collect();
    list.iter().all(|origin| origin == "*" || is_origin(origin)).then_some(list)
}

/// A tile URL with its three placeholders, or a PMTiles file by its URL or its path.
pub fn background(text: &str) -> Option<MapBackground> {
    let is_pmtiles = text.split(['?', '#']).next()?.ends_with(".pmtiles");
    if !text.contains("://") {
        return (is_pmtiles && path(text).is_some()).then(|| MapBackground::File(text.into()));
    }
    let url = url(text, &["http", "https"])?.to_owned();
    if ["{z}", "{x}", "{y}"].iter().all(|part| url.contains(part)) {
        return Some(MapBackground::Tiles(url));
    }
    is_pmtiles.then_some(MapBackground::Pmtiles(url))
}

fn is_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(scheme, host)| {
        let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        scheme_fits && is_host(host)
    })
}

/// `host` or `host:port`, IPv6 in brackets.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("ipv6", port.strip_prefix(':')),
        Some(_) => return false,
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let host_fits = !host.is_empty()
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && host.len() <= 253;
    host_fits && port.is_none_or(|port| whole(port, 1, 65_535).is_some())
}

/// A level, or filters `target=level` with commas between them. A lone word that is no level is refused, since
/// `tracing` would take `verbose` for a module of that name and log nothing; our own modules may stand alone.
pub fn log_level(text: &str) -> Option<&str> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let known = text.split(',').all(|filter| {
        let filter = filter.trim();
        filter.contains('=') || filter.starts_with("citytwin") || LEVELS.contains(&filter.to_ascii_lowercase().as_str())
    });
    (known && tracing_subscriber::EnvFilter::try_new(text).is_ok()).then_some(text)
}

/// Asks librdkafka whether it takes this property, without making a client.
///
/// # Errors
/// What librdkafka says, on one line: an unknown property, a bad value, or one that this build leaves out.
pub fn kafka_property(name: &str, value: &str) -> Result<(), String> {
    if name.contains('\0') || value.contains('\0') {
        return Err("no NUL may stand in it".to_owned());
    }
    match ClientConfig::new().set(name, value).create_native_config() {
        Ok(_) => Ok(()),
        Err(KafkaError::ClientConfig(_, message, _, _)) => Err(message.replace(['\n', '\r'], " ")),
        Err(error) => Err(error.to_string()),
    }
}
