//! What both archives make of documents, so that they make the same.

use serde_json::{Value, json};

use super::{Alert, AlertStatus, Document, ProcessedZone, RiskScore};
use crate::{
    city_live::catalogue::{LiveCity, Polygon},
    twin::{geo::Position, time::Time},
};

impl AlertStatus {
    /// The word that stands in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Cleared => "CLEARED",
        }
    }
}

impl Alert {
    /// Notes that somebody has seen it; `false`: it stays as it is, because somebody had, or because it is cleared.
    pub fn acknowledge(&mut self, at: Time) -> bool {
        if self.status != AlertStatus::Open {
            return false;
        }
        self.status = AlertStatus::Acknowledged;
        self.acknowledged_at = Some(at);
        self.updated_at = self.updated_at.max(at);
        true
    }
}

impl RiskScore {
    /// A zone's risk as a chart wants it.
    pub fn of(zone: &ProcessedZone) -> Self {
        Self {
            city_id: zone.city_id.clone(),
            zone_id: zone.zone_id.clone(),
            ts: zone.processed_at,
            score: zone.risk.score,
            parts: zone.risk.parts.iter().map(|part| (part.name.clone(), part.score)).collect(),
        }
    }
}

/// A run's alert with what people said of it since the run read it.
pub(super) fn merge_acknowledgement(alert: &Alert, stored: Option<&Alert>) -> Alert {
    let mut merged = alert.clone();
    let Some(acknowledged_at) = stored.and_then(|stored| stored.acknowledged_at) else { return merged };
    merged.acknowledged_at.get_or_insert(acknowledged_at);
    if merged.status == AlertStatus::Open {
        merged.status = AlertStatus::Acknowledged;
    }
    merged
}

/// The documents of `zones`, for whoever else reads the collection. The GeoJSON geometry is text: lists in lists are not
/// taken by every server that speaks MongoDB's protocol.
pub(super) fn zone_documents(city: &LiveCity) -> impl Iterator<Item = Document> {
    city.zones.iter().map(|zone| {
        let geometry = if zone.shape.is_empty() {
            json!({"type": "Point", "coordinates": coordinates(&zone.centre)})
        } else {
            json!({"type": "MultiPolygon", "coordinates": zone.shape.iter().map(polygon).collect::<Vec<_>>()})
        };
        let document = json!({
            "city_id": city.id,
            "zone_id": zone.id,
            "name": zone.name,
            "latitude": zone.centre.latitude,
            "longitude": zone.centre.longitude,
            "geometry": geometry.to_string(),
            "districts": zone.districts,
            "weight": zone.weight,
        });
        match document {
            Value::Object(document) => document,
            _ => Document::new(),
        }
    })
}

fn polygon(polygon: &Polygon) -> Value {
    let ring = |ring: &Vec<Position>| Value::from(ring.iter().map(coordinates).collect::<Vec<_>>());
    std::iter::once(&polygon.outer).chain(&polygon.holes).map(ring).collect()
}

/// Longitude first, as GeoJSON (RFC 7946) has it.
fn coordinates(position: &Position) -> Value {
    json!([position.longitude, position.latitude])
}
