//! What only the embedded store can show.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{cases::suite, *};
use crate::{
    config::StoreConfig,
    store::{self, embedded::EmbeddedStore},
};

const CITY: &str = "città/di prova";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::TempDir::new().unwrap())
    }

    fn file(&self) -> PathBuf {
        EmbeddedStore::open(self.0.path(), CITY).path().to_owned()
    }
}

#[async_trait::async_trait]
impl Place for Folder {
    async fn open(&self) -> Arc<dyn TwinStore> {
        let config = StoreConfig { redis_url: None, data_dir: self.0.path().join("made/on/demand") };
        store::open(&config, CITY).await.unwrap()
    }

    async fn empty(&self) {
        fs::remove_dir_all(self.0.path().join("made")).unwrap();
    }

    fn chunked(&self) -> bool {
        false
    }
}

suite!(Folder::new());

fn is_foreign(error: &StoreError, file: &Path) -> bool {
    matches!(error, StoreError::Foreign { key, .. } if Path::new(key) == file)
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new();
    let file = folder.file();
    fs::write(&file, "this is no database, but it is long enough to look like one to nobody".repeat(100)).unwrap();
    let store = EmbeddedStore::open(folder.0.path(), CITY);
    let errors = [
        store.load().await.unwrap_err(),
        store.get(&Table::City, "name").await.unwrap_err(),
        store.commit(1, &Commit::default()).await.unwrap_err(),
        ask(&store, "a", MINUTE, None, 0).await.unwrap_err(),
        store.holder().await.unwrap_err(),
    ];
    for error in errors {
        assert!(is_foreign(&error, &file), "{error}");
        assert!(error.to_string().contains("move it away"), "{error}");
    }
    // Moved away, as it says.
    fs::remove_file(&file).unwrap();
    assert_eq!(take(&store, "a", MINUTE).await, 1);
}

#[tokio::test]
async fn a_damaged_page_is_no_half_city() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.0.path(), CITY);
    let token = take(&store, "a", MINUTE).await;
    for n in 0..200 {
        store
            .commit(token, &rows((0..100).map(|i| row(Table::Buses, &format!("{n}-{i}"), "{\"a\":[1,2,3]}"))))
            .await
            .unwrap();
    }
    drop(store);
    let file = folder.file();
    // The last connection writes the log into the file when it closes.
    let log = file.with_extension("sqlite3-wal");
    for _ in 0..1000 {
        if !log.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut bytes = fs::read(&file).unwrap();
    let size = bytes.len();
    assert!(size > 100_000);
    bytes[8192..size].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let error = EmbeddedStore::open(folder.0.path(), CITY).load().await.unwrap_err();
    assert!(is_foreign(&error, &file), "{error}");
}

#[tokio::test]
async fn a_file_of_another_release_program_or_city_is_named() {
    let folder = Folder::new();
    let file = folder.file();
    let store = EmbeddedStore::open(folder.0.path(), CITY);
    take(&store, "a", MINUTE).await;
    let change = |sql: &str| rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    let cases = [
        ("PRAGMA user_version = 2", "PRAGMA user_version = 1", "schema version 2"),
        ("PRAGMA application_id = 7", "PRAGMA application_id = 1129609070", "not a twin's"),
        ("UPDATE city SET city_id = 'x'", "UPDATE city SET city_id = 'città/di prova'", "of the city `x`"),
    ];
    for (breaking, healing, says) in cases {
        change(breaking);
        let store = EmbeddedStore::open(folder.0.path(), CITY);
        for error in [store.load().await.unwrap_err(), store.holder().await.unwrap_err()] {
            assert!(is_foreign(&error, &file), "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        change(healing);
        assert!(store.load().await.is_ok());
    }
}

#[tokio::test]
async fn each_city_has_its_own_file() {
    let folder = Folder::new();
    let long = "x/".repeat(128);
    for city in ["a", "a b", "../a", ".", "ü", &long, &format!("{}y", &long[..255])] {
        let store = EmbeddedStore::open(folder.0.path(), city);
        assert_eq!(store.path().parent(), Some(folder.0.path()));
        assert!(store.load().await.unwrap().rows.is_empty(), "{city}");
        let token = take(&store, "a", MINUTE).await;
        store.commit(token, &rows([row(Table::City, "cityId", city)])).await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_unavailable() {
    let folder = Folder::new();
    let file = folder.0.path().join("file");
    fs::write(&file, "").unwrap();
    let store = EmbeddedStore::open(&file.join("below"), CITY);
    for error in [store.load().await.unwrap_err(), store.holder().await.unwrap_err()] {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }
}

#[tokio::test]
async fn segments_become_base_rows() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.0.path(), CITY);
    let token = take(&store, "a", MINUTE).await;
    for n in 0..100 {
        let commit = rows((0..500).map(|i| row(Table::Buses, &(i + n).to_string(), &n.to_string())));
        store.commit(token, &commit).await.unwrap();
    }
    let count = |table: &str| -> i64 {
        let connection = rusqlite::Connection::open(store.path()).unwrap();
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    for _ in 0..1000 {
        if count("segment") < 64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(count("segment") < 64);
    assert!(count("entry") >= 500);
    assert_eq!(store.load().await.unwrap().rows.len(), 599);
}
