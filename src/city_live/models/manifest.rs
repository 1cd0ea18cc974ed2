//! The manifest of a model: what the file beside it takes and gives.

use serde::{Deserialize, Serialize};

/// The only series that there is so far.
pub const SERIES: &str = "demand_mwh";
/// The only scaling that there is so far: the series divided by its mean.
pub const SCALING: &str = "mean";
/// Longest input, hours: what the archive's history holds.
const LONGEST: usize = 24 * 14;
/// Longest output, hours.
const FARTHEST: usize = 24 * 7;

/// See the module. An unknown key is an error, so that a misspelt one does not pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What its outputs are called by: lower-case letters, digits and `-`; not `heuristic`.
    pub name: String,
    /// Of the model, free.
    pub version: String,
    /// What it is and what it was made from, in a sentence.
    pub description: String,
    /// The ONNX file, beside the manifest.
    pub file: String,
    /// Of that file, hex.
    pub sha256: String,
    /// Of the output: that of the input series.
    pub unit: String,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// How well it does on what it was not trained on.
    pub metrics: Metrics,
    /// One case with its result: checked at load.
    pub sample: Sample,
}

/// What goes in: the tensor `series` of shape [1, length], and with `calendar` the tensor `calendar` of shape [1, 27].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `demand_mwh`.
    pub series: String,
    /// How many hours, ending with the newest known.
    pub length: usize,
    /// `mean`: divided by its mean.
    pub scaling: String,
    /// Whether it also takes the hour of day of the first hour that it gives (24 numbers, one of them 1), and whether that day, the
    /// next and the one after are at a weekend (3 numbers, 0 or 1).
    pub calendar: bool,
}

/// What comes out: one tensor of shape [1, horizon].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Hours, from the one after the newest known on. At least 24; 48 bear a source that is a day late.
    pub horizon: usize,
}

/// Errors on weeks kept out of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The command that makes model and figures.
    pub command: String,
    /// Single homes.
    pub homes: Errors,
    /// All homes together.
    pub together: Errors,
}

/// Mean absolute errors over the next 24 hours, relative to the mean of what was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// This model.
    pub model: f64,
    /// The same hour a week before.
    pub seasonal_naive: f64,
    /// Average by hour of day times temperature response.
    pub heuristic: f64,
    /// Of how many forecast hours.
    pub hours: u32,
}

/// A case with its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// As many as the input is long.
    pub series: Vec<f64>,
    /// Hour of day of the first hour that comes out.
    pub hour: usize,
    /// Of that day, the next and the one after.
    pub weekend: [bool; 3],
    /// As many as the horizon, in the unit of the series.
    pub expected: Vec<f64>,
}

/// Why a model was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file or folder could not be read.
    #[error("{path}: {message}")]
    File {
        /// Which.
        path: String,
        /// What went wrong.
        message: String,
    },
    /// The manifest is no TOML, lacks a key or has one too many.
    #[error("{path}: {message}")]
    Form {
        /// Which manifest.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// A value of the manifest is not accepted.
    #[error("model `{model}`: `{field}` is {value}: {accepted}")]
    Value {
        /// The manifest's name.
        model: String,
        /// The key.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        accepted: String,
    },
    /// The file is another one than the manifest speaks of.
    #[error("model `{model}`: {file} has the SHA-256 {found}, its manifest says {expected}")]
    Hash {
        /// The manifest's name.
        model: String,
        /// The file.
        file: String,
        /// Of the file.
        found: String,
        /// Of the manifest.
        expected: String,
    },
    /// The file uses operators that are not known here.
    #[error("model `{model}`: {file} uses operators that tract does not have: {operators}")]
    Operators {
        /// The manifest's name.
        model: String,
        /// The file.
        file: String,
        /// Their names.
        operators: String,
    },
    /// The file is no usable ONNX.
    #[error("model `{model}`: {file} is not usable: {message}")]
    Onnx {
        /// The manifest's name.
        model: String,
        /// The file.
        file: String,
        /// What tract says.
        message: String,
    },
    /// Inputs or outputs have another shape than the manifest says.
    #[error("model `{model}`: {what} has the shape {found}, its manifest means {expected}")]
    Shape {
        /// The manifest's name.
        model: String,
        /// Which tensor.
        what: String,
        /// Of the file.
        found: String,
        /// By the manifest.
        expected: String,
    },
    /// The manifest's own case comes out otherwise.
    #[error("model `{model}`: its sample gives {found} at hour {hour}, its manifest says {expected}")]
    Sample {
        /// The manifest's name.
        model: String,
        /// Which of the output's hours, from 0.
        hour: usize,
        /// What came.
        found: String,
        /// What the manifest says.
        expected: String,
    },
    /// Two models have the same name.
    #[error("two models are called `{model}`: names must differ")]
    Twice {
        /// The name.
        model: String,
    },
}

impl Manifest {
    /// Reads and checks a manifest; `path` is for messages.
    pub fn parse(text: &str, path: &str) -> Result<Self, ModelError> {
        let manifest: Self = toml::from_str(text)
            .map_err(|error| ModelError::Form { path: path.to_owned(), message: error.to_string() })?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ModelError> {
        let refuse = |field, value: String, accepted: &str| {
            Err(ModelError::Value { model: self.name.clone(), field, value, accepted: accepted.to_owned() })
        };
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(letter) || self.name == "heuristic" {
            let accepted = "1 to 64 lower-case letters, digits and `-` are accepted, but not `heuristic`";
            return refuse("name", format!("`{}`", self.name), accepted);
        }
        // A manifest is no way to any other file of the machine.
        if self.file.is_empty() || self.file.contains(['/', '\\']) || self.file.starts_with('.') {
            return refuse("file", format!("`{}`", self.file), "the name of a file beside the manifest is accepted");
        }
        if self.unit != "MWh" {
            return refuse("unit", format!("`{}`", self.unit), "`MWh` is accepted");
        }
        if self.input.series != SERIES {
            return refuse("input.series", format!("`{}`", self.input.series), "`demand_mwh` is accepted");
        }
        if self.input.scaling != SCALING {
            return refuse("input.scaling", format!("`{}`", self.input.scaling), "`mean` is accepted");
        }
        if !(1..=LONGEST).contains(&self.input.length) {
            return refuse("input.length", self.input.length.to_string(), "1 to 336 hours are accepted");
        }
        if !(24..=FARTHEST).contains(&self.output.horizon) {
            return refuse("output.horizon", self.output.horizon.to_string(), "24 to 168 hours are accepted");
        }
        if self.sample.series.len() != self.input.length {
            let accepted = format!("{} are accepted, as `input.length` says", self.input.length);
            return refuse("sample.series", format!("{} numbers", self.sample.series.len()), &accepted);
        }
        if self.sample.expected.len() != self.output.horizon {
            let accepted = format!("{} are accepted, as `output.horizon` says", self.output.horizon);
            return refuse("sample.expected", format!("{} numbers", self.sample.expected.len()), &accepted);
        }
        if self.sample.hour > 23 {
            return refuse("sample.hour", self.sample.hour.to_string(), "0 to 23 is accepted");
        }
        for errors in [self.metrics.homes, self.metrics.together] {
            let all = [errors.model, errors.seasonal_naive, errors.heuristic];
            if let Some(error) = all.into_iter().find(|error| !(error.is_finite() && *error >= 0.0)) {
                return refuse("metrics", error.to_string(), "errors of 0 or more are accepted");
            }
        }
        Ok(())
    }
}
