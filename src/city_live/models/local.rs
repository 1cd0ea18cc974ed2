//! A model that runs here, by tract.

use std::fmt;

use sha2::{Digest as _, Sha256};
use tract_onnx::prelude::*;

use super::manifest::{Manifest, ModelError};

/// Numbers of the calendar tensor: 24 for the hour of day, 3 for weekends.
pub const CALENDAR: usize = 27;
/// What is said may be this many times the mean of what was; more is a model that has lost its way.
const WILD: f64 = 50.0;

/// What a model is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The newest hours, in the unit of the series. As many as the manifest's `input.length`.
    pub values: Vec<f64>,
    /// Hour of day, 0 to 23, of the hour after them.
    pub hour: usize,
    /// Whether that hour's day is at a weekend, and the two after it.
    pub weekend: [bool; 3],
}

/// Why a model said nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// The wrong number of values.
    #[error("{found} hours were given, the model takes {expected}")]
    Length {
        /// Given.
        found: usize,
        /// Taken.
        expected: usize,
    },
    /// No scale: the mean is not above 0, or a value is no number.
    #[error("the demand of the last {0} hours has no mean above 0 to be measured by")]
    Scale(usize),
    /// tract failed.
    #[error("the model failed: {0}")]
    Run(String),
    /// What came out is no demand.
    #[error("the model said {value} for hour {hour}, which is no demand")]
    Output {
        /// Which hour, from 0.
        hour: usize,
        /// What it said.
        value: String,
    },
}

/// A loaded model.
pub struct Model {
    manifest: Manifest,
    plan: TypedRunnableModel<TypedModel>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.manifest.name)
            .field("version", &self.manifest.version)
            .finish_non_exhaustive()
    }
}

impl Model {
    /// Loads a model and checks hash, operators, shapes and the manifest's own case.
    pub fn load(manifest: Manifest, file: &[u8]) -> Result<Self, ModelError> {
        let found = hex::encode(Sha256::digest(file));
        if !found.eq_ignore_ascii_case(&manifest.sha256) {
            let (model, file, expected) = (manifest.name, manifest.file, manifest.sha256);
            return Err(ModelError::Hash { model, file, found, expected });
        }
        let plan = plan(&manifest, file)?;
        let model = Self { manifest, plan };
        model.check_sample()?;
        Ok(model)
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The hours after the window, in the unit of the series, as many as the manifest's horizon. Never negative.
    pub fn predict(&self, window: &Window) -> Result<Vec<f64>, PredictError> {
        let mean = scale(window, self.manifest.input.length)?;
        let run = |error: TractError| PredictError::Run(format!("{error:#}"));
        let series: Vec<f32> = window.values.iter().map(|value| (value / mean) as f32).collect();
        let series = Tensor::from_shape(&[1, series.len()], &series).map_err(run)?;
        let mut inputs: TVec<TValue> = tvec!(series.into());
        if self.manifest.input.calendar {
            let calendar = Tensor::from_shape(&[1, CALENDAR], &calendar(window)).map_err(run)?;
            inputs.push(calendar.into());
        }
        let outputs = self.plan.run(inputs).map_err(run)?;
        let output = outputs[0].as_slice::<f32>().map_err(run)?;
        checked(output.iter().map(|value| f64::from(*value) * mean).collect(), mean)
    }

    fn check_sample(&self) -> Result<(), ModelError> {
        let sample = &self.manifest.sample;
        let window = Window { values: sample.series.clone(), hour: sample.hour, weekend: sample.weekend };
        let failed = |message: String| ModelError::Onnx {
            model: self.manifest.name.clone(),
            file: self.manifest.file.clone(),
            message,
        };
        let values = self.predict(&window).map_err(|error| failed(error.to_string()))?;
        // f32 arithmetic differs in its last digits from machine to machine.
        let same = |value: f64, expected: f64| (value - expected).abs() <= 1e-3 * expected.abs().max(1e-3);
        let wrong = values.iter().zip(&sample.expected).enumerate().find(|(_, (value, told))| !same(**value, **told));
        match wrong {
            None => Ok(()),
            Some((hour, (found, expected))) => Err(ModelError::Sample {
                model: self.manifest.name.clone(),
                hour,
                found: found.to_string(),
                expected: expected.to_string(),
            }),
        }
    }
}

/// The mean of the window's values.
pub(super) fn scale(window: &Window, length: usize) -> Result<f64, PredictError> {
    if window.values.len() != length {
        return Err(PredictError::Length { found: window.values.len(), expected: length });
    }
    let mean = window.values.iter().sum::<f64>() / length as f64;
    if mean.is_finite() && mean > 0.0 { Ok(mean) } else { Err(PredictError::Scale(length)) }
}

/// Refuses what is no demand: not finite, or far beyond the mean. What is below 0 becomes 0.
pub(super) fn checked(values: Vec<f64>, mean: f64) -> Result<Vec<f64>, PredictError> {
    let wrong = values.iter().enumerate().find(|(_, value)| !(value.is_finite() && value.abs() <= WILD * mean));
    match wrong {
        Some((hour, value)) => Err(PredictError::Output { hour, value: value.to_string() }),
        None => Ok(values.into_iter().map(|value| value.max(0.0)).collect()),
    }
}

/// The calendar tensor of a window.
pub fn calendar(window: &Window) -> [f32; CALENDAR] {
    let mut calendar = [0.0; CALENDAR];
    calendar[window.hour % 24] = 1.0;
    for (place, weekend) in window.weekend.into_iter().enumerate() {
        calendar[24 + place] = if weekend { 1.0 } else { 0.0 };
    }
    calendar
}

fn plan(manifest: &Manifest, mut file: &[u8]) -> Result<TypedRunnableModel<TypedModel>, ModelError> {
    let unusable = |error: TractError| ModelError::Onnx {
        model: manifest.name.clone(),
        file: manifest.file.clone(),
        message: format!("{error:#}"),
    };
    let onnx = tract_onnx::onnx();
    let proto = onnx.proto_model_for_read(&mut file).map_err(unusable)?;
    let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
    let mut unknown: Vec<&str> =
        nodes.map(|node| node.op_type.as_str()).filter(|name| !onnx.op_register.0.contains_key(*name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    if !unknown.is_empty() {
        return Err(ModelError::Operators {
            model: manifest.name.clone(),
            file: manifest.file.clone(),
            operators: unknown.join(", "),
        });
    }
    let mut model = onnx.model_for_proto_model(&proto).map_err(unusable)?;
    let mut expected = vec![("series", vec![1, manifest.input.length])];
    if manifest.input.calendar {
        expected.push(("calendar", vec![1, CALENDAR]));
    }
    let wrong = |what: String, found: String, expected: String| ModelError::Shape {
        model: manifest.name.clone(),
        what,
        found,
        expected,
    };
    let inputs = model.input_outlets().map_err(unusable)?.to_vec();
    if inputs.len() != expected.len() {
        let what = "the list of inputs".to_owned();
        return Err(wrong(what, format!("[{}]", inputs.len()), format!("[{}]", expected.len())));
    }
    for (place, (name, shape)) in expected.iter().enumerate() {
        let found = model.node(inputs[place].node).name.clone();
        if found != *name {
            return Err(wrong(format!("input {place}"), format!("of `{found}`"), format!("that of `{name}`")));
        }
        let declared = model.input_fact(place).map_err(unusable)?.shape.clone();
        // A length that the file leaves open (a batch, say) is set here.
        let told = declared.as_concrete_finite().map_err(unusable)?;
        let fits = told.is_none_or(|found| found.as_slice() == shape.as_slice());
        if !fits {
            return Err(wrong(format!("input `{name}`"), format!("{declared:?}"), format!("{shape:?}")));
        }
        model.set_input_fact(place, InferenceFact::dt_shape(f32::datum_type(), shape)).map_err(unusable)?;
    }
    let model = model.into_optimized().map_err(unusable)?;
    let output = model.output_fact(0).map_err(unusable)?;
    let meant = [1, manifest.output.horizon];
    if output.shape.as_concrete() != Some(meant.as_slice()) || output.datum_type != f32::datum_type() {
        let found = format!("{:?} of {:?}", output.shape, output.datum_type);
        return Err(wrong("the output".to_owned(), found, format!("{meant:?} of F32")));
    }
    model.into_runnable().map_err(unusable)
}
