//! Who may change things, and which pages may use the API from a browser.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use super::problem::problem_at;
use crate::{
    config::HttpConfig,
    graphql::caller::{Access, Caller},
};

/// Headers that a proxy adds: with one of them a loopback peer is not the real sender.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-server", "x-real-ip"];

/// The rules of the contract's section 1: the admin token, else loopback; same origin, else `ALLOWED_ORIGINS`.
#[derive(Clone)]
pub struct Auth {
    token: Option<Arc<str>>,
    origins: Arc<[String]>,
}

/// Where a request comes from, as a browser tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No `Origin` header: not a page, or a plain `GET` from the same one.
    None,
    /// The page was served under this very host.
    Same,
    /// `ALLOWED_ORIGINS` names it.
    Listed,
    /// `ALLOWED_ORIGINS` has `*`: it may read, and change things with a token, but the loopback rule does not hold.
    Any,
    /// Refused.
    Foreign,
}

impl Auth {
    /// Rules as configured.
    pub fn new(config: &HttpConfig) -> Self {
        let origins = config.allowed_origins.iter().map(|origin| plain(origin)).collect();
        Self { token: config.admin_token.as_ref().map(|token| Arc::from(token.expose())), origins }
    }

    /// Who sends this request.
    pub fn caller(&self, parts: &Parts) -> Caller {
        let peer = peer(&parts.extensions);
        let access = match (&self.token, bearer(parts.headers.get(header::AUTHORIZATION))) {
            (Some(token), Some(sent)) if same_token(token, sent) => Access::Granted,
            (Some(_), Some(_)) => Access::TokenWrong,
            (Some(_), None) => Access::TokenMissing,
            (None, _) if self.is_local(parts, peer) => Access::Granted,
            (None, _) => Access::NotLocal,
        };
        Caller { peer, access, socket: None }
    }

    /// The caller after a socket's `connection_init` brought `authorization`; a wrong token is `TokenWrong`. Without an
    /// `ADMIN_TOKEN` it changes nothing.
    pub fn with_authorization(&self, caller: Caller, authorization: &str) -> Caller {
        let Some(token) = &self.token else { return caller };
        let sent = strip_bearer(authorization).unwrap_or(authorization);
        let access = if same_token(token, sent) { Access::Granted } else { Access::TokenWrong };
        Caller { access, ..caller }
    }

    /// What the request's `Origin` is to this server.
    pub fn origin(&self, uri: &Uri, headers: &HeaderMap) -> Origin {
        let mut sent = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = sent.next() else { return Origin::None };
        let (Ok(origin), None) = (origin.to_str(), sent.next()) else { return Origin::Foreign };
        let origin = plain(origin);
        if host(uri, headers).is_some_and(|host| is_same(&origin, &host)) {
            Origin::Same
        } else if self.origins.contains(&origin) {
            Origin::Listed
        } else if self.origins.iter().any(|allowed| allowed == "*") {
            Origin::Any
        } else {
            Origin::Foreign
        }
    }

    /// Plainly from this machine: a loopback peer, a local host name (else a page could reach us by a name that it
    /// points here), no proxy between, and no page that only `*` lets in.
    fn is_local(&self, parts: &Parts, peer: IpAddr) -> bool {
        peer.is_loopback()
            && host(&parts.uri, &parts.headers).is_some_and(|host| is_local_name(&host))
            && !FORWARDING.iter().any(|name| parts.headers.contains_key(*name))
            && matches!(self.origin(&parts.uri, &parts.headers), Origin::None | Origin::Same | Origin::Listed)
    }
}

/// Refuses foreign origins with 403, answers preflight requests, and marks answers to other allowed origins (CORS).
pub async fn cross_origin(State(auth): State<Auth>, request: Request, next: Next) -> Response {
    let verdict = auth.origin(request.uri(), request.headers());
    let origin = request.headers().get(header::ORIGIN).cloned();
    if verdict == Origin::Foreign {
        let text = "this origin may not use the API: it is neither the server's own nor in ALLOWED_ORIGINS";
        let mut refused = problem_at(request.uri(), StatusCode::FORBIDDEN, "FORBIDDEN_ORIGIN", text);
        refused.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
        return refused;
    }
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight && origin.is_some() {
        let mut answer = StatusCode::NO_CONTENT.into_response();
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST, PUT"));
        let allowed = HeaderValue::from_static("authorization, content-type, accept, if-none-match, last-event-id");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        answer
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let (Some(origin), Origin::Listed | Origin::Any | Origin::Same) = (origin, verdict) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static("etag, retry-after, citytwin-state-timestamp, citytwin-epoch");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

/// The TCP peer that [`super::serve`] put there; unknown is nobody's address, hence never local.
fn peer(extensions: &Extensions) -> IpAddr {
    extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip().to_canonical())
}

fn bearer(header: Option<&HeaderValue>) -> Option<&str> {
    strip_bearer(header?.to_str().ok()?)
}

fn strip_bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares in a time that does not tell how much of the token was right.
fn same_token(token: &str, sent: &str) -> bool {
    token.as_bytes().ct_eq(sent.as_bytes()).into()
}

/// The host that the client asked for, in lower case and with its port if one was named. Where HTTP/2 names one beside
/// the header, they must agree.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let mut sent = headers.get_all(header::HOST).iter();
    let named = sent.next().and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
    let authority = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase());
    match (named, authority) {
        (Some(named), Some(authority)) if named != authority => None,
        (Some(named), _) if sent.next().is_none() => Some(named),
        (None, authority) => authority,
        _ => None,
    }
}

/// `host` or `host:port`, split; an IPv6 address keeps its brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn is_local_name(host: &str) -> bool {
    let (name, _) = split_port(host);
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether an origin is the host that the request went to. The scheme only gives the default port: behind a proxy that
/// ends TLS we do not see the client's.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default = match scheme {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    let ((name, port), (own_name, own_port)) = (split_port(authority), split_port(host));
    name == own_name && port.unwrap_or(default) == own_port.unwrap_or(default)
}

fn plain(origin: &str) -> String {
    origin.trim().trim_end_matches('/').to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
