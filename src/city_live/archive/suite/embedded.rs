//! What only the embedded archive can show.

use std::{fs, time::Instant};

use super::{cases::suite, *};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for Folder {
    fn open(&self) -> Arc<dyn Archive> {
        Arc::new(EmbeddedArchive::open(&self.0.path().join("made/on/demand")))
    }
}

suite!(Folder::new());

#[tokio::test]
async fn a_file_that_is_no_archive_is_named() {
    let folder = Folder::new();
    let path = folder.0.path().join("city-live.db");
    let archive = EmbeddedArchive::open(folder.0.path());
    let says = |error: ArchiveError, what: &str| {
        assert!(
            matches!(&error, ArchiveError::Foreign { collection, .. } if *collection == path.display().to_string())
        );
        assert!(error.to_string().contains(what), "{error}");
    };
    fs::write(&path, "this is no database, but it is long enough to look like one to nobody".repeat(100)).unwrap();
    says(archive.revision().await.unwrap_err(), "move it away");
    says(archive.lease("a", MINUTE, None).await.unwrap_err(), "move it away");
    fs::remove_file(&path).unwrap();
    take(&archive, "a", MINUTE).await;
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    says(EmbeddedArchive::open(folder.0.path()).revision().await.unwrap_err(), "schema version 9");
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA application_id = 9").unwrap();
    says(EmbeddedArchive::open(folder.0.path()).revision().await.unwrap_err(), "not City Live's");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_unavailable() {
    let folder = Folder::new();
    let file = folder.0.path().join("file");
    fs::write(&file, "").unwrap();
    let archive = EmbeddedArchive::open(&file.join("below"));
    assert!(matches!(archive.revision().await, Err(ArchiveError::Unavailable { .. })));
    assert!(matches!(archive.lease("a", MINUTE, None).await, Err(ArchiveError::Unavailable { .. })));
}

/// Each query walks an index and sorts nothing: the plan says so, whatever the size.
#[tokio::test]
async fn pages_of_the_feed_walk_indexes() {
    let folder = Folder::new();
    let archive = EmbeddedArchive::open(folder.0.path());
    take(&archive, "a", MINUTE).await;
    let connection = rusqlite::Connection::open(archive.path()).unwrap();
    for (index, condition) in [
        ("INDEXED BY feed_zone", "WHERE city_id = 'a' AND topic = 'b' AND zone_id = 'c' AND seq < 5"),
        ("INDEXED BY feed_city_topic", "WHERE city_id = 'a' AND topic = 'b'"),
        ("INDEXED BY feed_topic", "WHERE topic = 'b'"),
        ("INDEXED BY feed_city", "WHERE city_id = 'a' AND ts >= 4"),
        ("NOT INDEXED", "WHERE seq > 4"),
    ] {
        let sql =
            format!("EXPLAIN QUERY PLAN SELECT * FROM kafka_live_feed {index} {condition} ORDER BY seq DESC LIMIT 5");
        let mut statement = connection.prepare(&sql).unwrap();
        let plan: Vec<String> = statement.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
    }
}

/// What `make bench` measures at full size, small, to be seen here: a page stays fast beside many rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_wait_for_a_writer() {
    let folder = Folder::new();
    let archive = Arc::new(EmbeddedArchive::open(folder.0.path()));
    let token = take(&*archive, "a", MINUTE).await;
    let writing = tokio::spawn({
        let archive = Arc::clone(&archive);
        async move {
            for batch in 0..20 {
                let items =
                    (1..=500).map(|n| item(batch * 500 + n, "nyc", Some("z0"), samples::weather(1.0))).collect();
                archive.take_in(token, &Intake { items, ..Intake::default() }).await.unwrap();
            }
        }
    });
    let mut slowest = Duration::ZERO;
    while !writing.is_finished() {
        let began = Instant::now();
        archive.feed(&FeedQuery { limit: 50, ..FeedQuery::default() }).await.unwrap();
        slowest = slowest.max(began.elapsed());
    }
    writing.await.unwrap();
    assert_eq!(archive.last_seq().await.unwrap(), 10_000);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // Few rows since a moment, and many, are found in different ways.
    for (since, found) in [(9998, 3), (1, 50)] {
        let since = Some(Time(NOON.0 + since * 1000));
        let rows = archive.feed(&FeedQuery { since, limit: 50, ..FeedQuery::default() }).await.unwrap();
        assert_eq!((rows.len(), rows[0].seq), (found, 10_000));
    }
}
