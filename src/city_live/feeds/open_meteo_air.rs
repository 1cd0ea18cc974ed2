//! Air quality from Open-Meteo: `GET /v1/air-quality`, <https://open-meteo.com/en/docs/air-quality-api>. No key.

use reqwest::Url;

use super::{
    Ask, Feed, FeedId, ReadError, Request,
    open_meteo::{Current, Unit},
    read::{Place, json},
    request::{degrees, endpoint, with_parameters},
};
use crate::{
    city_live::message::{Aqi, Message, Payload},
    config::{CityLiveConfig, ConfigError},
};

const CURRENT: &str = "us_aqi,european_aqi,pm2_5,pm10,nitrogen_dioxide,ozone,sulphur_dioxide,carbon_monoxide";

/// The feed `open-meteo-air`.
pub struct OpenMeteoAir {
    url: Url,
    source: String,
}

impl OpenMeteoAir {
    /// As the settings have it.
    ///
    /// # Errors
    /// Where the URL is none.
    pub fn new(config: &CityLiveConfig, simulated: bool) -> Result<Self, ConfigError> {
        let url = endpoint("OPEN_METEO_AIR_URL", &config.open_meteo_air_url, "/v1/air-quality")?;
        Ok(Self { url, source: FeedId::OpenMeteoAir.source_of(simulated) })
    }
}

impl Feed for OpenMeteoAir {
    fn id(&self) -> FeedId {
        FeedId::OpenMeteoAir
    }

    fn request(&self, ask: &Ask<'_>) -> Option<Request> {
        let centre = ask.zone?.centre;
        let (latitude, longitude) = (degrees(centre.latitude), degrees(centre.longitude));
        let parameters =
            [("latitude", latitude.as_str()), ("longitude", &longitude), ("current", CURRENT), ("timezone", "GMT")];
        Some(Request::new(with_parameters(&self.url, parameters)))
    }

    fn read(&self, body: &[u8], ask: &Ask<'_>) -> Result<Vec<Message>, ReadError> {
        let reply = json(body)?;
        let now = Current::of(&Place::root(&reply))?;
        let dust = |variable: &str| now.get(variable, &Unit::MICROGRAMS);
        let air = Aqi {
            us_aqi: now.must("us_aqi", &Unit::BARE)?,
            european_aqi: now.get("european_aqi", &Unit::BARE)?,
            pm2_5_ugm3: dust("pm2_5")?,
            pm10_ugm3: dust("pm10")?,
            no2_ugm3: dust("nitrogen_dioxide")?,
            o3_ugm3: dust("ozone")?,
            so2_ugm3: dust("sulphur_dioxide")?,
            co_ugm3: dust("carbon_monoxide")?,
        };
        Ok(vec![ask.message(now.ts, &self.source, Payload::Aqi(air))])
    }
}
