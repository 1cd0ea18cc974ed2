//! Models of demand: files, loaded once, checked when they are loaded, used for inference only.
//!
//! A model is an ONNX file with a manifest in TOML beside it that says what goes in, what comes out, its hash, its errors and one case
//! with its result. One is shipped in the binary; more come from a folder (`CITY_LIVE_MODELS`). Outputs are computed by the
//! processing job and kept in `model_outputs`; no request ever runs a model. A remote service can do the same computation
//! (`CITY_LIVE_MODEL_URL`); where it fails the local one does.
//!
//! Scale-free: a model sees a series divided by its mean, and what it says is multiplied by that mean.

mod encode;
mod list;
mod local;
mod manifest;
mod remote;

#[cfg(test)]
mod tests;

pub use encode::Linear;
pub use list::{Models, shipped};
pub use local::{CALENDAR, Model, PredictError, Window, calendar};
pub use manifest::{Errors, Input, Manifest, Metrics, ModelError, Output, Sample};
pub use remote::{Remote, RemoteSettings};
