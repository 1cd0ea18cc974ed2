use super::*;
use crate::http::tests::toy::settings;

fn auth(token: Option<&str>, origins: &[&str]) -> Auth {
    let mut http = settings().0;
    http.admin_token = token.map(Into::into);
    http.allowed_origins = origins.iter().map(ToString::to_string).collect();
    Auth::new(&http)
}

fn request(peer: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = axum::http::Request::builder().uri("/graphql");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut parts = request.body(()).unwrap().into_parts().0;
    let peer: IpAddr = peer.parse().unwrap();
    parts.extensions.insert(ConnectInfo(SocketAddr::from((peer, 4000))));
    parts
}

#[test]
fn without_a_token_only_this_machine_by_a_local_name_and_without_a_proxy_may_change() {
    let auth = auth(None, &["https://map.example"]);
    let cases: [(&str, &[(&str, &str)], Access); 16] = [
        ("127.0.0.1", &[("host", "localhost")], Access::Granted),
        ("127.0.0.1", &[("host", "LocalHost:8080")], Access::Granted),
        ("127.8.8.8", &[("host", "127.0.0.1:8080")], Access::Granted),
        ("::1", &[("host", "[::1]:8080")], Access::Granted),
        ("::ffff:127.0.0.1", &[("host", "localhost")], Access::Granted),
        ("127.0.0.1", &[], Access::NotLocal),
        ("127.0.0.1", &[("host", "evil.example")], Access::NotLocal),
        ("127.0.0.1", &[("host", "localhost.evil.example")], Access::NotLocal),
        ("127.0.0.1", &[("host", "127.0.0.1.evil.example")], Access::NotLocal),
        ("127.0.0.1", &[("host", "localhost"), ("host", "evil.example")], Access::NotLocal),
        ("10.0.0.1", &[("host", "localhost")], Access::NotLocal),
        ("127.0.0.1", &[("host", "localhost"), ("x-forwarded-for", "10.0.0.1")], Access::NotLocal),
        ("127.0.0.1", &[("host", "localhost"), ("forwarded", "for=10.0.0.1")], Access::NotLocal),
        ("127.0.0.1", &[("host", "localhost:80"), ("origin", "http://localhost")], Access::Granted),
        ("127.0.0.1", &[("host", "localhost"), ("origin", "https://map.example")], Access::Granted),
        ("127.0.0.1", &[("host", "localhost"), ("origin", "https://evil.example")], Access::NotLocal),
    ];
    for (peer, headers, access) in cases {
        assert_eq!(auth.caller(&request(peer, headers)).access, access, "{peer} {headers:?}");
    }
}

#[test]
fn a_page_that_only_a_star_lets_in_may_not_use_the_loopback_rule() {
    let headers = [("host", "localhost"), ("origin", "https://evil.example")];
    let parts = request("127.0.0.1", &headers);
    assert_eq!(auth(None, &["*"]).caller(&parts).access, Access::NotLocal);
    assert_eq!(auth(None, &["*"]).origin(&parts.uri, &parts.headers), Origin::Any);
}

#[test]
fn with_a_token_it_alone_counts() {
    let auth = auth(Some("secret"), &[]);
    let cases = [
        (None, Access::TokenMissing),
        (Some("Bearer secret"), Access::Granted),
        (Some("bearer  secret "), Access::Granted),
        (Some("Bearer secre"), Access::TokenWrong),
        (Some("Bearer "), Access::TokenMissing),
        (Some("Basic c2VjcmV0"), Access::TokenMissing),
        (Some("secret"), Access::TokenMissing),
    ];
    for (sent, access) in cases {
        let mut headers = vec![("host", "localhost")];
        headers.extend(sent.map(|sent| ("authorization", sent)));
        assert_eq!(auth.caller(&request("127.0.0.1", &headers)).access, access, "{sent:?}");
    }
    let caller = auth.caller(&request("10.0.0.1", &[("host", "city.example"), ("authorization", "Bearer secret")]));
    assert!(caller.may_change());
}

#[test]
fn origins_are_compared_as_scheme_host_and_port() {
    let auth = auth(None, &["https://Map.example/"]);
    let cases = [
        ("city.example", "http://city.example", Origin::Same),
        ("city.example", "https://city.example", Origin::Same),
        ("city.example:443", "https://city.example", Origin::Same),
        ("city.example:8080", "http://city.example:8080", Origin::Same),
        ("city.example:8080", "http://city.example:8081", Origin::Foreign),
        ("city.example", "http://city.example.evil.example", Origin::Foreign),
        ("[::1]:8080", "http://[::1]:8080", Origin::Same),
        ("city.example", "https://map.example", Origin::Listed),
        ("city.example", "http://map.example", Origin::Foreign),
        ("city.example", "null", Origin::Foreign),
        ("city.example", "file://", Origin::Foreign),
        ("city.example", "", Origin::Foreign),
    ];
    for (host, origin, verdict) in cases {
        let parts = request("127.0.0.1", &[("host", host), ("origin", origin)]);
        assert_eq!(auth.origin(&parts.uri, &parts.headers), verdict, "{host} {origin}");
    }
    let none = request("127.0.0.1", &[("host", "city.example")]);
    assert_eq!(auth.origin(&none.uri, &none.headers), Origin::None);
}

#[test]
fn a_sockets_own_token_replaces_what_the_upgrade_brought() {
    let caller = Caller { peer: IpAddr::from([10, 0, 0, 1]), access: Access::TokenMissing, socket: None };
    let auth_with = auth(Some("secret"), &[]);
    assert!(auth_with.with_authorization(caller, "Bearer secret").may_change());
    assert_eq!(auth_with.with_authorization(caller, "Bearer wrong").access, Access::TokenWrong);
    let local = Caller { access: Access::NotLocal, ..caller };
    assert_eq!(auth(None, &[]).with_authorization(local, "Bearer anything").access, Access::NotLocal);
}

#[test]
fn a_refusal_has_its_code() {
    let caller = Caller { peer: IpAddr::from([10, 0, 0, 1]), access: Access::NotLocal, socket: None };
    for (access, code) in [
        (Access::NotLocal, "FORBIDDEN"),
        (Access::TokenMissing, "UNAUTHENTICATED"),
        (Access::TokenWrong, "UNAUTHENTICATED"),
    ] {
        let error = Caller { access, ..caller }.require_change().unwrap_err();
        assert_eq!(error.extensions.unwrap().get("code"), Some(&async_graphql::Value::from(code)));
    }
    Caller::trusted().require_change().unwrap();
}
