//! What only MongoDB can show; and the suite, on the server that `make test` builds (`services/mongod`).

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use mongodb::bson::{Bson, Document, doc};

use super::{cases::suite, *};

const KEEP: Duration = Duration::from_secs(24 * 3600);

/// A server in a folder of its own; dropping it kills it.
struct Server {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".services/bin/mongod");
        assert!(program.is_file(), "{} is missing: run `scripts/services-deps`", program.display());
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .arg(format!("127.0.0.1:{port}"))
            .arg(folder.path())
            .env("DO_NOT_TRACK", "1")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, port, _folder: folder };
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < Duration::from_secs(30), "mongod does not answer on port {port}");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/citytwin", self.port)
    }

    async fn database(&self) -> mongodb::Database {
        mongodb::Client::with_uri_str(self.uri()).await.unwrap().database("citytwin")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Place for Server {
    fn open(&self) -> Arc<dyn Archive> {
        Arc::new(MongoArchive::open(&self.uri(), KEEP, KEEP).unwrap())
    }
}

suite!(Server::start());

#[test]
fn a_uri_that_cannot_be_meant_is_a_setting() {
    for (uri, says) in [
        ("mongodb://localhost:27017", "names no database"),
        ("mongodb://localhost:27017/", "names no database"),
        ("mongodb://localhost:port/db", "MONGODB_URI"),
        ("http://localhost/db", "MONGODB_URI"),
    ] {
        let error = MongoArchive::open(uri, KEEP, KEEP).err().unwrap();
        assert!(matches!(error, ArchiveError::Setting { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = MongoArchive::open("mongodb://u:hunter2@localhost:x/db", KEEP, KEEP).err().unwrap();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_is_found_when_it_comes() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let archive = MongoArchive::open(&format!("mongodb://127.0.0.1:{port}/db"), KEEP, KEEP).unwrap();
    let began = Instant::now();
    let error = archive.revision().await.unwrap_err();
    assert!(matches!(error, ArchiveError::Unavailable { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_have_the_originals_names_and_dates() {
    let server = Server::start();
    let archive = server.open();
    let token = take(&*archive, "a", MINUTE).await;
    let intake = Intake {
        items: vec![item(1, "nyc", Some("z0"), samples::weather(1.5))],
        raw: vec![raw("nyc", Some("z0"), NOON, 1.5)],
        ..Intake::default()
    };
    archive.take_in(token, &intake).await.unwrap();
    archive.put_zones(token, &samples::city("nyc", 2)).await.unwrap();
    let database = server.database().await;
    let one = |name: &'static str| {
        let collection = database.collection::<Document>(name);
        async move { collection.find_one(doc! {"zone_id": "z0"}).await.unwrap().unwrap() }
    };
    let row = one("kafka_live_feed").await;
    for field in ["ts", "ingested_at", "expire_at"] {
        assert!(matches!(row.get(field), Some(Bson::DateTime(_))), "{field}: {row}");
    }
    assert_eq!((row.get_str("topic").unwrap(), row.get_str("city_id").unwrap()), ("aqi_stream", "nyc"));
    let value = one("raw_weather").await;
    assert_eq!(value.get_str("_id").unwrap(), "nyc/z0");
    assert_eq!(value.get_document("payload").unwrap().get_f64("temperature_c").unwrap(), 1.5);
    let zone = one("zones").await;
    let geometry: serde_json::Value = serde_json::from_str(zone.get_str("geometry").unwrap()).unwrap();
    assert_eq!(geometry["type"], "MultiPolygon");
    assert_eq!(database.collection::<Document>("zones").count_documents(doc! {}).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_document_is_named() {
    let server = Server::start();
    let archive = server.open();
    take(&*archive, "a", MINUTE).await;
    let strange = doc! {"_id": "nyc/z9", "city_id": "nyc", "zone_id": "z9", "ts": "soon"};
    server.database().await.collection::<Document>("raw_aqi").insert_one(strange).await.unwrap();
    let error = archive.raw("nyc", RawKind::Aqi).await.unwrap_err();
    assert!(matches!(&error, ArchiveError::Foreign { collection, .. } if collection == "raw_aqi"), "{error}");
    assert!(error.to_string().contains("nyc/z9"), "{error}");
}
