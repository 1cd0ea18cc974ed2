//! What Open-Meteo's two APIs have in common: <https://open-meteo.com/en/docs>.
//!
//! Values stand in blocks (`current`, `hourly`) beside blocks with their units (`current_units`, …). Times are local to
//! `utc_offset_seconds`, without saying so themselves; we ask for GMT and read whatever offset comes.

use super::read::{Place, ReadError, utc};
use crate::twin::time::Time;

/// The block `current` of a reply.
pub struct Current<'a> {
    values: Place<'a>,
    units: Place<'a>,
    /// When it was measured (or modelled).
    pub ts: Time,
    /// Seconds that the reply's times are ahead of UTC.
    pub offset_s: f64,
}

impl<'a> Current<'a> {
    /// Of this reply.
    pub fn of(root: &Place<'a>) -> Result<Self, ReadError> {
        let offset_s = root.at("utc_offset_seconds").number()?;
        let values = root.at("current");
        let ts = utc(values.at("time").local_time()?, offset_s);
        Ok(Self { values, units: root.at("current_units"), ts, offset_s })
    }

    /// A variable in this unit; `None` where the API has no value for the place.
    pub fn get(&self, variable: &str, unit: &Unit) -> Result<Option<f64>, ReadError> {
        let Some(value) = self.values.at(variable).optional_number()? else { return Ok(None) };
        unit.convert(&self.units.at(variable), value).map(Some)
    }

    /// As [`Self::get`], of a variable without which the reply says nothing: it may be `null`, and must not be missing.
    pub fn must(&self, variable: &str, unit: &Unit) -> Result<Option<f64>, ReadError> {
        if self.values.at(variable).is_missing() {
            return Err(self.values.at(variable).refuse("a number"));
        }
        self.get(variable, unit)
    }
}

/// A unit that we keep, by the names that the API gives it, and others that it may answer in (where a gateway or a copy of the
/// API passes over our parameters), each with the factor and the term that lead to ours.
pub struct Unit {
    ours: &'static str,
    others: &'static [(&'static str, f64, f64)],
}

impl Unit {
    /// °C.
    pub const CELSIUS: Self = Self { ours: "°C", others: &[("°F", 5.0 / 9.0, -160.0 / 9.0)] };
    /// m/s.
    pub const METRES_A_SECOND: Self = Self {
        ours: "m/s",
        others: &[("km/h", 1.0 / 3.6, 0.0), ("mp/h", 0.447_04, 0.0), ("mph", 0.447_04, 0.0), ("kn", 0.514_444, 0.0)],
    };
    /// Millimetres.
    pub const MILLIMETRES: Self = Self { ours: "mm", others: &[("inch", 25.4, 0.0)] };
    /// %.
    pub const PERCENT: Self = Self { ours: "%", others: &[] };
    /// Degrees.
    pub const DEGREES: Self = Self { ours: "°", others: &[] };
    /// hPa.
    pub const HECTOPASCALS: Self = Self { ours: "hPa", others: &[] };
    /// µg/m³; the API writes the Greek letter, others the micro sign.
    pub const MICROGRAMS: Self = Self { ours: "μg/m³", others: &[("µg/m³", 1.0, 0.0)] };
    /// A number of an index or a code, whatever it is called.
    pub const BARE: Self = Self { ours: "", others: &[] };

    /// The value in our unit. A reply without units has those that were asked for.
    pub fn convert(&self, unit: &Place<'_>, value: f64) -> Result<f64, ReadError> {
        match unit.optional_text()? {
            Some(name) if !self.ours.is_empty() && name != self.ours => {
                let found = self.others.iter().find(|(other, ..)| *other == name);
                found.map(|(_, factor, term)| value * factor + term).ok_or_else(|| unit.refuse(self.ours))
            }
            _ => Ok(value),
        }
    }
}
