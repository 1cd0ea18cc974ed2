//! What only Redis can show.

use std::time::Instant;

use super::{
    cases::{run_all, suite},
    proxy::Proxy,
    server::{RedisCluster, RedisServer, free_port},
    *,
};
use crate::{config::StoreConfig, store};

const CITY: &str = "città di prova";

struct RedisPlace<S> {
    url: String,
    city: String,
    /// Keeps the server alive.
    _server: S,
}

impl RedisPlace<RedisServer> {
    fn single() -> Self {
        let server = RedisServer::start(&[]);
        Self { url: server.url(), city: CITY.to_owned(), _server: server }
    }
}

async fn open(url: &str, city: &str) -> Arc<dyn TwinStore> {
    let config = StoreConfig { redis_url: Some(url.to_owned()), data_dir: "/nowhere".into() };
    store::open(&config, city).await.unwrap()
}

#[async_trait::async_trait]
impl<S: Send + Sync> Place for RedisPlace<S> {
    async fn open(&self) -> Arc<dyn TwinStore> {
        open(&self.url, &self.city).await
    }

    async fn empty(&self) {
        let prefix = format!("twin:{{{}}}:", self.city);
        let script = "for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', ARGV[1] .. name) end
                      return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])";
        let mut command = ::redis::cmd("EVAL");
        command.arg(script).arg(3);
        command.arg(format!("{prefix}tables")).arg(format!("{prefix}token")).arg(format!("{prefix}lease")).arg(&prefix);
        if let Some(nodes) = self.url.strip_prefix("redis-cluster://") {
            let node = format!("redis://{}", nodes.split(',').next().unwrap());
            let client = ::redis::cluster::ClusterClient::new(vec![node]).unwrap();
            command.exec_async(&mut client.get_async_connection().await.unwrap()).await.unwrap();
        } else {
            let client = ::redis::Client::open(self.url.as_str()).unwrap();
            command.exec_async(&mut client.get_multiplexed_async_connection().await.unwrap()).await.unwrap();
        }
    }

    fn chunked(&self) -> bool {
        true
    }
}

suite!(RedisPlace::single());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_passes_the_suite() {
    let cluster = RedisCluster::start();
    // Some city is another node's, and then a URL of a single node is told what to be.
    let mut hints = 0;
    for city in 0..20 {
        if let Err(error) = open(&cluster.nodes[0].url(), &city.to_string()).await.holder().await {
            assert!(error.to_string().contains("redis-cluster://"), "{error}");
            hints += 1;
        }
    }
    assert!(hints > 0);
    run_all(|case| RedisPlace { url: cluster.url(), city: format!("city-{case}"), _server: () }).await;
}

#[tokio::test]
async fn keys_can_be_read_with_redis_cli() {
    let server = RedisServer::start(&[]);
    let store = open(&format!("{}/3", server.url()), "laquila-dt-001").await;
    let token = take(&*store, "a", MINUTE).await;
    let commit = [row(Table::Sensors("centro".into()), "s1", "{\"value\":1}"), row(Table::Buses, "b1", "{}")];
    store.commit(token, &rows(commit)).await.unwrap();
    let mut keys: Vec<String> = server.cli(&["-n", "3", "keys", "*"]).lines().map(str::to_owned).collect();
    keys.sort();
    let expected = ["buses", "district:centro:sensors", "lease", "sequence", "tables", "token"];
    assert_eq!(keys, expected.map(|key| format!("twin:{{laquila-dt-001}}:{key}")));
    let value = server.cli(&["-n", "3", "hget", "twin:{laquila-dt-001}:district:centro:sensors", "s1"]);
    assert_eq!(value, "{\"value\":1}\n");
    assert_eq!(server.cli(&["keys", "*"]).trim(), "");
}

#[tokio::test]
async fn a_key_of_another_type_is_named() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url(), "c").await;
    for (name, set) in [("token", "lpush"), ("lease", "set"), ("tables", "set"), ("buses", "set")] {
        server.cli(&["flushall"]);
        let token = take(&*store, "a", MINUTE).await;
        store.commit(token, &rows([row(Table::Units, "1", "{}")])).await.unwrap();
        let key = format!("twin:{{c}}:{name}");
        server.cli(&["del", &key]);
        server.cli(&[set, &key, "x"]);
        let commit = rows([row(Table::Units, "1", "new"), row(Table::Buses, "1", "{}")]);
        let foreign = |error: &StoreError| matches!(error, StoreError::Foreign { key: named, .. } if *named == key);
        if name == "lease" {
            let error = ask(&*store, "a", MINUTE, Some(token), 0).await.unwrap_err();
            assert!(foreign(&error), "{name}: {error}");
            assert!(foreign(&store.holder().await.unwrap_err()));
            assert!(foreign(&store.release("a", token).await.unwrap_err()));
        } else {
            for error in [store.commit(token, &commit).await.unwrap_err(), store.load().await.unwrap_err()] {
                assert!(foreign(&error), "{name}: {error}");
            }
            assert_eq!(store.get(&Table::Units, "1").await.unwrap().unwrap(), "{}", "nothing was written");
        }
        if name == "buses" {
            assert!(foreign(&store.get(&Table::Buses, "1").await.unwrap_err()));
        }
        if name == "token" {
            assert!(foreign(&ask(&*store, "a", MINUTE, None, 0).await.unwrap_err()));
        }
    }
    // A token that is no number.
    server.cli(&["flushall"]);
    server.cli(&["set", "twin:{c}:token", "many"]);
    assert!(matches!(ask(&*store, "a", MINUTE, None, 0).await, Err(StoreError::Foreign { .. })));
    assert!(matches!(store.load().await, Err(StoreError::Foreign { .. })));
}

#[tokio::test]
async fn half_a_city_is_never_loaded() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url(), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    let commit = rows([row(Table::Sensors("d".into()), "1", "{}"), row(Table::City, "name", "1")]);
    store.commit(token, &commit).await.unwrap();
    // As an eviction does it.
    server.cli(&["del", "twin:{c}:district:d:sensors"]);
    match store.load().await {
        Err(StoreError::Foreign { key, message }) => {
            assert_eq!(key, "twin:{c}:district:d:sensors");
            assert!(message.contains("noeviction"), "{message}");
        }
        outcome => panic!("{outcome:?}"),
    }
    server.cli(&["del", "twin:{c}:tables"]);
    assert!(matches!(store.load().await, Err(StoreError::Foreign { key, .. }) if key == "twin:{c}:city"));
    server.cli(&["sadd", "twin:{c}:tables", "city", "district:d:trees"]);
    server.cli(&["hset", "twin:{c}:district:d:trees", "1", "{}"]);
    assert!(matches!(store.load().await, Err(StoreError::Foreign { key, .. }) if key == "twin:{c}:district:d:trees"));
    // Writing everything anew heals it.
    store.commit(token, &Commit { replace: true, ..commit }).await.unwrap();
    assert_eq!(all(&*store).await.len(), 2);
}

#[tokio::test]
async fn passwords_are_used_and_never_shown() {
    let server = RedisServer::start(&["--requirepass", "geheim"]);
    let url = |user: &str| format!("redis://{user}@127.0.0.1:{}", server.port);
    for user in [":geheim", "default:geheim"] {
        assert!(open(&url(user), "c").await.load().await.is_ok());
    }
    for url in [url(":falsch!"), server.url()] {
        let store = open(&url, "c").await;
        for error in [store.load().await.unwrap_err(), store.holder().await.unwrap_err()] {
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
            assert!(!error.to_string().contains("falsch"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_server_may_come_go_and_come_back() {
    let port = free_port();
    let store = open(&format!("redis://127.0.0.1:{port}"), "c").await;
    let since = Instant::now();
    assert!(matches!(store.load().await, Err(StoreError::Unavailable { .. })));
    assert!(matches!(store.holder().await, Err(StoreError::Unavailable { .. })));
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    let server = RedisServer::start_on(port, &[]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let token = take(&*store, "a", MINUTE).await;
    store.commit(token, &rows([row(Table::Buses, "1", "{}")])).await.unwrap();
    drop(server);
    assert!(matches!(store.commit(token, &Commit::default()).await, Err(StoreError::Unavailable { .. })));
    let _server = RedisServer::start_on(port, &[]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    // It kept nothing on disk.
    assert!(matches!(store.commit(token, &Commit::default()).await, Err(StoreError::Emptied)));
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let store = open(&format!("redis://{}", listener.local_addr().unwrap()), "c").await;
    let since = Instant::now();
    assert!(matches!(store.holder().await, Err(StoreError::Unavailable { .. })));
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_server_that_stops_answering_costs_only_its_connection() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url(), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    server.cli(&["client", "pause", "3000", "ALL"]);
    let since = Instant::now();
    assert!(matches!(store.holder().await, Err(StoreError::Unavailable { .. })));
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    store.commit(token, &Commit::default()).await.unwrap();
}

#[tokio::test]
async fn a_lost_reply_and_the_inverse_end_right() {
    let server = RedisServer::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let store = open(&format!("redis://127.0.0.1:{}", proxy.port), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    store.commit(token, &rows([row(Table::Buses, "1", "before"), row(Table::Units, "1", "{}")])).await.unwrap();
    let change = rows([row(Table::Buses, "1", "after"), gone(Table::Units, "1"), row(Table::Stations, "1", "{}")]);
    proxy.lose_next_reply();
    assert!(matches!(store.commit(token, &change).await, Err(StoreError::Unavailable { .. })));
    assert!(proxy.has_lost());
    // It had landed, though nobody was told.
    assert_eq!(server.cli(&["hget", "twin:{c}:buses", "1"]), "after\n");
    let inverse = rows([row(Table::Buses, "1", "before"), row(Table::Units, "1", "{}"), gone(Table::Stations, "1")]);
    store.commit(token, &inverse).await.unwrap();
    let expected = [(Table::Buses, "1".into(), "before".into()), (Table::Units, "1".into(), "{}".into())];
    assert_eq!(all(&*store).await, expected);
    // A lease whose reply was lost is renewed under its token all the same.
    proxy.lose_next_reply();
    assert!(ask(&*store, "a", MINUTE, Some(token), 0).await.is_err());
    assert_eq!(ask(&*store, "a", MINUTE, Some(token), 0).await.unwrap(), Lease::Held { token });
}

#[tokio::test]
async fn what_was_given_up_cannot_land_later() {
    let server = RedisServer::start(&[]);
    let proxy = Proxy::start(server.port).await;
    let store = open(&format!("redis://127.0.0.1:{}", proxy.port), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    store.commit(token, &rows([row(Table::Buses, "1", "first")])).await.unwrap();
    proxy.hold_next_request();
    let since = Instant::now();
    let lost = store.commit(token, &rows([row(Table::Buses, "1", "lost")])).await;
    assert!(matches!(lost, Err(StoreError::Unavailable { .. })));
    assert!(since.elapsed() < Duration::from_secs(7), "{:?}", since.elapsed());
    store.commit(token, &rows([row(Table::Buses, "1", "last")])).await.unwrap();
    let calls = || {
        let stats = server.cli(&["info", "commandstats"]);
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap().to_owned();
        line.split(['=', ',']).nth(1).unwrap().parse::<u32>().unwrap()
    };
    let before = calls();
    proxy.release();
    while calls() == before {
        assert!(since.elapsed() < Duration::from_secs(15), "the held request never arrived");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(all(&*store).await, [(Table::Buses, "1".into(), "last".into())]);
}

/// A file that lags by a second, or a replica that took over: the token is right, acknowledged rows are gone.
#[tokio::test]
async fn a_server_that_came_back_older_is_noticed() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url(), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    store.commit(token, &rows([row(Table::Buses, "1", "{}")])).await.unwrap();
    let older = server.cli(&["get", "twin:{c}:sequence"]);
    store.commit(token, &rows([row(Table::Buses, "2", "{}")])).await.unwrap();
    server.cli(&["set", "twin:{c}:sequence", older.trim()]);
    let refused = store.commit(token, &rows([row(Table::Buses, "3", "{}")])).await;
    assert!(matches!(refused, Err(StoreError::Emptied)), "{refused:?}");
    assert_eq!(all(&*store).await.len(), 2, "nothing was written");
    // Also where the lease went on under a new token meanwhile.
    let Ok(Lease::Held { token }) = ask(&*store, "a", MINUTE, Some(token), token).await else { panic!("not held") };
    let refused = store.commit(token, &rows([row(Table::Buses, "3", "{}")])).await;
    assert!(matches!(refused, Err(StoreError::Emptied)), "{refused:?}");
    let next = take(&*store, "a", MINUTE).await;
    store.commit(next, &rows([row(Table::Buses, "3", "{}")])).await.unwrap();
}

#[tokio::test]
async fn a_script_that_the_server_forgot_is_sent_again() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url(), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    server.cli(&["script", "flush"]);
    store.commit(token, &rows([row(Table::Buses, "1", "{}")])).await.unwrap();
    assert_eq!(all(&*store).await.len(), 1);
}

#[tokio::test]
async fn a_full_server_writes_nothing() {
    let server = RedisServer::start(&["--maxmemory-policy", "noeviction"]);
    let store = open(&server.url(), "c").await;
    let token = take(&*store, "a", MINUTE).await;
    server.cli(&["config", "set", "maxmemory", "1"]);
    let commit = rows([row(Table::Buses, "1", "{}")]);
    assert!(matches!(store.commit(token, &commit).await, Err(StoreError::Unavailable { .. })));
    server.cli(&["config", "set", "maxmemory", "0"]);
    assert_eq!(all(&*store).await, []);
    store.commit(token, &commit).await.unwrap();
}

#[tokio::test]
async fn tls_trusts_the_ca_that_the_url_names() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let dir = tempfile::TempDir::new().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (ca, ca_key) = (file("ca.pem"), file("ca.key"));
    let (request, cert, key, extension) = (file("request"), file("cert.pem"), file("key.pem"), file("extension"));
    let openssl = |arguments: &[&str]| {
        let output = std::process::Command::new("openssl").args(arguments).output().expect("openssl is not installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    std::fs::write(&extension, "subjectAltName=IP:127.0.0.1\n").unwrap();
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test"];
    openssl(&[&new[..], &["-x509", "-keyout", &ca_key, "-out", &ca]].concat());
    openssl(&[&new[..], &["-keyout", &key, "-out", &request]].concat());
    let sign = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-out", &cert];
    openssl(&[&sign[..], &["-extfile", &extension]].concat());
    let tls = ["--tls-port", "--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca];
    let server = RedisServer::start(&[&tls[..], &["--tls-auth-clients", "no"]].concat());
    let trusting = open(&format!("rediss://127.0.0.1:{}?ca={ca}", server.port), "c").await;
    let token = take(&*trusting, "a", MINUTE).await;
    trusting.commit(token, &rows([row(Table::Buses, "1", "{}")])).await.unwrap();
    assert_eq!(all(&*trusting).await.len(), 1);
    // Without it only public CAs are trusted; without TLS nothing is understood.
    for url in [format!("rediss://127.0.0.1:{}", server.port), server.url()] {
        assert!(matches!(open(&url, "c").await.load().await, Err(StoreError::Unavailable { .. })));
    }
}
