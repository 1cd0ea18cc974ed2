use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use super::{CALENDAR, Linear, Manifest, Model, ModelError, Models, PredictError, RemoteSettings, Window, shipped};
use crate::city_live::samples::with_tls;

/// A model that says "each hour is the last one again": its result is known without any run of it.
fn persistence() -> (Manifest, Vec<u8>) {
    let (length, horizon) = (24, 24);
    let mut weights = vec![0.0; (length + CALENDAR) * horizon];
    weights[(length - 1) * horizon..length * horizon].fill(1.0);
    let file = Linear { length, horizon, offset: 0.25, weights, bias: vec![0.0; horizon] }.encode();
    let mut manifest = shipped().unwrap().manifest().clone();
    manifest.name = "persistence".to_owned();
    manifest.file = "persistence.onnx".to_owned();
    manifest.sha256 = hex::encode(Sha256::digest(&file));
    manifest.input.length = length;
    manifest.output.horizon = horizon;
    manifest.sample.series = (1..=24).map(f64::from).collect();
    manifest.sample.expected = vec![24.0; horizon];
    (manifest, file)
}

fn window(values: Vec<f64>) -> Window {
    Window { values, hour: 3, weekend: [false, true, true] }
}

#[test]
fn the_shipped_model_loads_gives_its_sample_and_is_small() {
    let model = shipped().unwrap();
    let manifest = model.manifest();
    let sample = &manifest.sample;
    let given = Window { values: sample.series.clone(), hour: sample.hour, weekend: sample.weekend };
    for (value, told) in model.predict(&given).unwrap().iter().zip(&sample.expected) {
        assert!((value - told).abs() < 1e-3 * told.max(1.0), "{value}, not {told}");
    }
    let size = include_bytes!("shipped/demand-linear.onnx").len();
    assert!(size < 200_000, "{size} bytes");
}

#[test]
fn the_shipped_model_is_scale_free() {
    let model = shipped().unwrap();
    let sample = model.manifest().sample.clone();
    let at = |factor: f64| {
        let values = sample.series.iter().map(|value| value * factor).collect();
        model.predict(&Window { values, hour: sample.hour, weekend: sample.weekend }).unwrap()
    };
    for (small, large) in at(1.0).into_iter().zip(at(20_000.0)) {
        assert!((small * 20_000.0 / large - 1.0).abs() < 1e-3, "{small}, {large}");
    }
}

#[test]
fn the_page_tells_the_errors_of_the_shipped_manifest() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/city-live.md")).unwrap();
    let metrics = shipped().unwrap().manifest().metrics.clone();
    for (name, errors) in [("ten homes, each", metrics.homes), ("all ten together", metrics.together)] {
        let row = format!("| {name} | {:.4} | {:.4} | {:.4} |", errors.model, errors.seasonal_naive, errors.heuristic);
        assert!(page.contains(&row), "docs/city-live.md lacks: {row}");
        assert!(errors.model < errors.seasonal_naive, "{errors:?}");
    }
    assert!(page.contains(&metrics.command), "{}", metrics.command);
}

#[test]
fn a_model_that_we_write_says_what_its_formula_says() {
    let (manifest, file) = persistence();
    let model = Model::load(manifest, &file).unwrap();
    let mut values = vec![2.0; 24];
    values[23] = 5.0;
    for value in model.predict(&window(values)).unwrap() {
        assert!((value - 5.0).abs() < 1e-4, "{value}");
    }
}

#[test]
fn another_file_is_refused_by_its_hash() {
    let (manifest, mut file) = persistence();
    file.push(0);
    let error = Model::load(manifest, &file).unwrap_err();
    assert!(matches!(error, ModelError::Hash { .. }), "{error}");
    assert!(error.to_string().contains("persistence.onnx has the SHA-256"), "{error}");
}

fn load(manifest: Manifest, file: &[u8]) -> ModelError {
    Model::load(Manifest { sha256: hex::encode(Sha256::digest(file)), ..manifest }, file).unwrap_err()
}

#[test]
fn unknown_operators_are_named() {
    let (manifest, file) = persistence();
    // `Relu` in the file becomes another name of the same length.
    let place = file.windows(4).position(|bytes| bytes == b"Relu").unwrap();
    let mut changed = file;
    changed[place..place + 4].copy_from_slice(b"Rolu");
    let error = load(manifest, &changed);
    assert!(matches!(&error, ModelError::Operators { operators, .. } if operators == "Rolu"), "{error}");
}

#[test]
fn wrong_shapes_samples_and_files_are_refused_in_words() {
    let (manifest, file) = persistence();
    let mut longer = manifest.clone();
    longer.input.length = 48;
    longer.sample.series = vec![1.0; 48];
    let error = load(longer, &file);
    assert!(matches!(error, ModelError::Shape { .. }), "{error}");
    assert!(error.to_string().contains("input `series`") && error.to_string().contains("48"), "{error}");

    let mut farther = manifest.clone();
    farther.output.horizon = 48;
    farther.sample.expected = vec![24.0; 48];
    let error = load(farther, &file);
    assert!(error.to_string().contains("the output has the shape"), "{error}");

    let mut without = manifest.clone();
    without.input.calendar = false;
    assert!(load(without, &file).to_string().contains("the list of inputs"));

    let mut other = manifest.clone();
    other.sample.expected[5] = 23.0;
    let error = load(other, &file);
    assert!(matches!(error, ModelError::Sample { hour: 5, .. }), "{error}");

    assert!(matches!(load(manifest, b"no model"), ModelError::Onnx { .. }));
}

#[test]
fn a_manifest_is_checked_key_by_key() {
    let text = toml::to_string(&persistence().0).unwrap();
    assert_eq!(Manifest::parse(&text, "x.toml").unwrap(), persistence().0);
    let cases = [
        ("name = \"persistence\"", "name = \"heuristic\"", "`name` is `heuristic`"),
        ("name = \"persistence\"", "name = \"a b\"", "`name` is `a b`"),
        ("file = \"persistence.onnx\"", "file = \"../persistence.onnx\"", "the name of a file beside the manifest"),
        ("unit = \"MWh\"", "unit = \"kWh\"", "`unit` is `kWh`: `MWh` is accepted"),
        ("scaling = \"mean\"", "scaling = \"none\"", "`input.scaling` is `none`"),
        ("series = \"demand_mwh\"", "series = \"load\"", "`input.series` is `load`"),
        ("length = 24", "length = 25", "`sample.series` is 24 numbers: 25 are accepted"),
        ("length = 24", "length = 0", "`input.length` is 0"),
        ("horizon = 24", "horizon = 12", "`output.horizon` is 12"),
        ("hour = ", "hour = 2", "`sample.hour` is 2"),
        ("calendar = true", "calender = true", "unknown field `calender`"),
    ];
    for (from, to, told) in cases {
        assert!(text.contains(from), "{from} is not in {text}");
        let error = Manifest::parse(&text.replacen(from, to, 1), "x.toml").unwrap_err().to_string();
        assert!(error.contains(told), "{to}: {error}");
    }
}

#[test]
fn models_come_from_a_folder_and_names_must_differ() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, file) = persistence();
    std::fs::write(folder.path().join("a.toml"), toml::to_string(&manifest).unwrap()).unwrap();
    let error = Models::load(Some(folder.path()), None).unwrap_err();
    assert!(matches!(&error, ModelError::File { path, .. } if path.ends_with("persistence.onnx")), "{error}");
    std::fs::write(folder.path().join("persistence.onnx"), &file).unwrap();
    std::fs::write(folder.path().join("README.md"), "other files are left alone").unwrap();
    let models = Models::load(Some(folder.path()), None).unwrap();
    let names: Vec<&str> = models.list().map(|model| model.manifest().name.as_str()).collect();
    assert_eq!(names, ["demand-linear", "persistence"]);
    std::fs::write(folder.path().join("b.toml"), toml::to_string(&manifest).unwrap()).unwrap();
    let error = Models::load(Some(folder.path()), None).unwrap_err();
    assert_eq!(error.to_string(), "two models are called `persistence`: names must differ");
    assert!(Models::load(Some(&folder.path().join("nowhere")), None).is_err());
}

#[test]
fn what_has_no_scale_gets_no_answer() {
    let (manifest, file) = persistence();
    let model = Model::load(manifest, &file).unwrap();
    assert_eq!(model.predict(&window(vec![0.0; 24])), Err(PredictError::Scale(24)));
    assert_eq!(model.predict(&window(vec![f64::NAN; 24])), Err(PredictError::Scale(24)));
    assert_eq!(model.predict(&window(vec![1.0; 23])), Err(PredictError::Length { found: 23, expected: 24 }));
}

/// A server on loopback that answers every request with these bytes, or (empty) not at all, and counts them.
fn server(answer: &'static str) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/infer", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            count.fetch_add(1, Ordering::SeqCst);
            if answer.is_empty() {
                silent.push(stream);
                continue;
            }
            let mut request = vec![0; 65_536];
            let mut length = 0;
            // The question ends with the horizon.
            while !String::from_utf8_lossy(&request[..length]).contains("\"horizon\":24}") {
                match stream.read(&mut request[length..]) {
                    Ok(read) if read > 0 => length += read,
                    _ => break,
                }
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, asked)
}

fn with_remote(url: &str) -> Models {
    with_tls();
    let settings = RemoteSettings { url: url.to_owned(), timeout: Duration::from_millis(300) };
    Models::load(None, Some(&settings)).unwrap()
}

#[tokio::test]
async fn the_remote_service_is_asked_first() {
    let (manifest, file) = persistence();
    let model = Model::load(manifest, &file).unwrap();
    let (url, asked) = server(concat!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 82\r\n\r\n",
        "{\"values\":[1.5,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24]}     "
    ));
    let models = with_remote(&url);
    let (values, ran) = models.predict(&model, &window(vec![2.0; 24])).await;
    assert_eq!((values.unwrap()[..3].to_vec(), ran), (vec![1.5, 2.0, 3.0], "remote"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_bad_remote_service_is_replaced_by_the_local_model_and_then_left_alone() {
    let (manifest, file) = persistence();
    let model = Model::load(manifest, &file).unwrap();
    let bad = [
        "",
        "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\n{\"values\":[1,2",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 16\r\n\r\n{\"values\":[1,2]}",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\n{\"say\":1}",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 86\r\n\r\n{\"values\":[1e9,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}                        ",
    ];
    for answer in bad {
        let (url, asked) = server(answer);
        let models = with_remote(&url);
        for call in 1..=5 {
            let (values, ran) = models.predict(&model, &window(vec![2.0; 24])).await;
            assert_eq!(ran, "local", "{answer}");
            assert!((values.unwrap()[0] - 2.0).abs() < 1e-4);
            // Three times, then the breaker is open.
            assert_eq!(asked.load(Ordering::SeqCst), call.min(3), "{answer}");
        }
    }
}
