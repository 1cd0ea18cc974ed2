//! What is unusual: a value against the zone's own history.

use super::rules::AnomalyRules;
use crate::city_live::archive::Anomaly;

/// Judges a value by its history (without the value itself). `None`: too little history to say anything.
///
/// z = (value - mean) / deviation, with the sample deviation (n - 1). A flat history, whose deviation is nothing beside its
/// mean, has z = 0 and is no anomaly: the first value that differs says nothing yet about what is usual.
pub fn judge(feature: &str, value: f64, history: &[f64], rules: &AnomalyRules) -> Option<Anomaly> {
    if !value.is_finite() || history.len() < rules.min_samples.max(2) as usize {
        return None;
    }
    let count = history.len() as f64;
    let mean = history.iter().sum::<f64>() / count;
    let deviation = (history.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let flat = deviation <= 1e-9 * mean.abs().max(1.0);
    let z = if flat { 0.0 } else { (value - mean) / deviation };
    if !(mean.is_finite() && deviation.is_finite() && z.is_finite()) {
        return None;
    }
    Some(Anomaly {
        feature: feature.to_owned(),
        value,
        mean,
        deviation: if flat { 0.0 } else { deviation },
        z,
        samples: history.len() as u32,
        anomalous: z.abs() >= rules.z,
    })
}
