//! The models of this process: the shipped one, those of a folder, and the remote service where there is one.

use std::path::Path;

use super::{
    local::{Model, PredictError, Window},
    manifest::{Manifest, ModelError},
    remote::{Remote, RemoteSettings},
};

const SHIPPED_MANIFEST: &str = include_str!("shipped/demand-linear.toml");
const SHIPPED_FILE: &[u8] = include_bytes!("shipped/demand-linear.onnx");

/// The model that is part of the binary.
pub fn shipped() -> Result<Model, ModelError> {
    Model::load(Manifest::parse(SHIPPED_MANIFEST, "shipped/demand-linear.toml")?, SHIPPED_FILE)
}

/// All models. Loaded once, at start.
#[derive(Debug, Default)]
pub struct Models {
    models: Vec<Model>,
    remote: Option<Remote>,
}

impl Models {
    /// The shipped model, and those whose manifests (`*.toml`) lie in `folder`, in the order of their names. Reads files: at start only.
    ///
    /// # Errors
    /// The first model that cannot be used: better no start than a model that is silently missing.
    pub fn load(folder: Option<&Path>, remote: Option<&RemoteSettings>) -> Result<Self, ModelError> {
        let mut models = vec![shipped()?];
        for path in folder.map(manifests).transpose()?.unwrap_or_default() {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            let manifest = Manifest::parse(&text, &path.display().to_string())?;
            let file = path.with_file_name(&manifest.file);
            let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
            models.push(Model::load(manifest, &bytes)?);
        }
        models.sort_by(|a, b| a.manifest().name.cmp(&b.manifest().name));
        if let Some(pair) = models.windows(2).find(|pair| pair[0].manifest().name == pair[1].manifest().name) {
            return Err(ModelError::Twice { model: pair[0].manifest().name.clone() });
        }
        Ok(Self { models, remote: remote.map(Remote::new) })
    }

    /// All of them, by name.
    pub fn list(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// What a model says, and where it ran (`remote`, `local`). The remote service is asked first where there is one; whatever is
    /// wrong with it or its answer, the local model does the work.
    pub async fn predict(&self, model: &Model, window: &Window) -> (Result<Vec<f64>, PredictError>, &'static str) {
        if let Some(remote) = &self.remote
            && let Some(values) = remote.predict(model.manifest(), window).await
        {
            return (Ok(values), "remote");
        }
        (model.predict(window), "local")
    }
}

fn manifests(folder: &Path) -> Result<Vec<std::path::PathBuf>, ModelError> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::File { path: path.display().to_string(), message: error.to_string() }
}
