//! Zones of a GeoJSON file (RFC 7946): a `FeatureCollection` of `Polygon`, `MultiPolygon` or `Point`.

use serde_json::Value;

use super::{
    CatalogueError, Polygon, Zone,
    error::Place,
    read::{self, Draft},
};
use crate::twin::geo::Position;

/// Which properties of a feature say what of its zone.
pub struct Names<'a> {
    /// Its id: text or a whole number.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its weight, where there is one.
    pub weight: Option<&'a str>,
    /// Its twin districts: a list of texts, or one text with commas between the ids.
    pub districts: Option<&'a str>,
}

const GEOMETRIES: &str = "a Polygon, MultiPolygon or Point";
const POSITIONS: &str = "positions of [longitude, latitude] in degrees";

/// The zones of a file, in its order.
pub fn zones(place: &Place, text: &str, names: &Names<'_>) -> Result<Vec<Zone>, CatalogueError> {
    let file = |reason: String| CatalogueError::file(&place.file, reason);
    let json: Value = serde_json::from_str(text).map_err(|error| file(format!("it is no GeoJSON: {error}")))?;
    let features = json["features"].as_array().filter(|_| json["type"] == "FeatureCollection");
    let features = features.ok_or_else(|| file("it is no GeoJSON: accepted is a FeatureCollection".into()))?;
    features.iter().enumerate().map(|(index, feature)| zone(place, index, feature, names)).collect()
}

fn zone(place: &Place, index: usize, feature: &Value, names: &Names<'_>) -> Result<Zone, CatalogueError> {
    let place = place.zone(format!("number {}", index + 1));
    let properties = &feature["properties"];
    let id = plain(&place, properties, names.id)?;
    let place = place.zone(read::quoted(&id));
    let name = plain(&place, properties, names.name)?;
    let weight = match names.weight {
        None => None,
        Some(key) => match &properties[key] {
            Value::Null => return Err(place.lacks(key, read::WEIGHT)),
            value => Some(value.as_f64().ok_or_else(|| place.refuse(key, value, read::WEIGHT))?),
        },
    };
    let districts = names.districts.map_or(Ok(Vec::new()), |key| districts(&place, key, &properties[key]))?;
    let (centre, shape) = geometry(&place, &feature["geometry"])?;
    Draft { id, name, centre, shape, districts, weight }.finish(&place)
}

/// A property that is a text or a whole number.
fn plain(place: &Place, properties: &Value, key: &str) -> Result<String, CatalogueError> {
    match &properties[key] {
        Value::Null => Err(place.lacks(&format!("property {key}"), "a text or a whole number")),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
        other => Err(place.refuse(&format!("property {key}"), other, "a text or a whole number")),
    }
}

fn districts(place: &Place, key: &str, value: &Value) -> Result<Vec<String>, CatalogueError> {
    let refused = || place.refuse(key, value, "a list of ids, or one text with commas between them");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()),
        Value::Array(ids) => ids.iter().map(|id| id.as_str().map(str::to_owned).ok_or_else(refused)).collect(),
        _ => Err(refused()),
    }
}

/// A zone's centre, or its shape.
fn geometry(place: &Place, geometry: &Value) -> Result<(Option<Position>, Vec<Polygon>), CatalogueError> {
    let coordinates = &geometry["coordinates"];
    match geometry["type"].as_str() {
        Some("Point") => Ok((Some(position(place, coordinates)?), Vec::new())),
        Some("Polygon") => Ok((None, vec![polygon(place, coordinates)?])),
        Some("MultiPolygon") => {
            let polygons = list(place, coordinates)?.iter().map(|one| polygon(place, one));
            Ok((None, polygons.collect::<Result<_, _>>()?))
        }
        _ => Err(place.refuse("geometry", geometry, GEOMETRIES)),
    }
}

fn polygon(place: &Place, rings: &Value) -> Result<Polygon, CatalogueError> {
    let mut rings = list(place, rings)?.iter().map(|ring| {
        let positions = list(place, ring)?.iter().map(|one| position(place, one)).collect::<Result<Vec<_>, _>>()?;
        super::shape::ring(positions).map_err(|accepted| place.refuse("geometry", ring, accepted))
    });
    let outer = rings.next().unwrap_or_else(|| Err(place.refuse("geometry", "[]", "a polygon with an outer ring")))?;
    Ok(Polygon { outer, holes: rings.collect::<Result<_, _>>()? })
}

fn list<'a>(place: &Place, value: &'a Value) -> Result<&'a Vec<Value>, CatalogueError> {
    value.as_array().ok_or_else(|| place.refuse("geometry", value, POSITIONS))
}

/// GeoJSON has the longitude first; a third number is a height.
fn position(place: &Place, value: &Value) -> Result<Position, CatalogueError> {
    let number = |index: usize| value.get(index).and_then(Value::as_f64);
    let position = number(0).zip(number(1)).map(|(longitude, latitude)| Position { latitude, longitude });
    position.filter(|p| read::on_earth(*p)).ok_or_else(|| place.refuse("geometry", value, POSITIONS))
}
