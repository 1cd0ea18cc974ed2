//! What each field of a payload may hold.

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// A finite number within bounds, both included.
    Number(f64, f64),
    /// A whole number within bounds, both included.
    Whole(i64, i64),
    /// Text that is not blank, of at most so many bytes.
    Text(usize),
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of `{ts, value}` with values within bounds.
    Hours(f64, f64),
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) required: bool,
}

/// The most hours of a list: 16 days, the longest forecast that Open-Meteo gives.
pub(super) const MOST_HOURS: usize = 384;

const fn may(name: &'static str, form: Form) -> Rule {
    Rule { name, form, required: false }
}

const fn must(name: &'static str, form: Form) -> Rule {
    Rule { name, form, required: true }
}

/// Wider than anything that was ever measured on the ground (-89.2 to 56.7 °C; 113 m/s; 1085 hPa, and 330 hPa on the highest
/// mountain): what is outside is a broken reading.
const WEATHER: &[Rule] = &[
    may("temperature_c", Form::Number(-95.0, 65.0)),
    may("apparent_temperature_c", Form::Number(-130.0, 100.0)),
    may("humidity_pct", Form::Number(0.0, 100.0)),
    may("wind_speed_ms", Form::Number(0.0, 150.0)),
    may("wind_direction_deg", Form::Number(0.0, 360.0)),
    may("precipitation_mm", Form::Number(0.0, 500.0)),
    may("pressure_hpa", Form::Number(300.0, 1100.0)),
    may("weather_code", Form::Whole(0, 99)),
    may("hourly_temperature", Form::Hours(-95.0, 65.0)),
];

/// Indices go beyond 500 in dust storms and fires; concentrations are µg/m³.
const AQI: &[Rule] = &[
    may("us_aqi", Form::Number(0.0, 2000.0)),
    may("european_aqi", Form::Number(0.0, 2000.0)),
    may("pm2_5_ugm3", Form::Number(0.0, 20_000.0)),
    may("pm10_ugm3", Form::Number(0.0, 50_000.0)),
    may("no2_ugm3", Form::Number(0.0, 10_000.0)),
    may("o3_ugm3", Form::Number(0.0, 10_000.0)),
    may("so2_ugm3", Form::Number(0.0, 100_000.0)),
    may("co_ugm3", Form::Number(0.0, 1_000_000.0)),
];

/// A free-flow speed of 0 would make no ratio.
const TRAFFIC: &[Rule] = &[
    must("current_speed_kmh", Form::Number(0.0, 300.0)),
    must("free_flow_speed_kmh", Form::Number(0.1, 300.0)),
    may("current_travel_time_s", Form::Number(0.0, 86_400.0)),
    may("free_flow_travel_time_s", Form::Number(0.0, 86_400.0)),
    may("confidence", Form::Number(0.0, 1.0)),
    may("road_closure", Form::Flag),
];

/// The whole of the United States needs some 800,000 MWh in its highest hour.
const MOST_MWH: f64 = 5_000_000.0;

const POWER_DEMAND: &[Rule] = &[
    must("region", Form::Text(64)),
    may("demand_mwh", Form::Number(0.0, MOST_MWH)),
    may("forecast_mwh", Form::Number(0.0, MOST_MWH)),
];

const GRID_ALERT: &[Rule] = &[
    must("kind", Form::Word(&["above_forecast", "above_peak"])),
    must("region", Form::Text(64)),
    must("demand_mwh", Form::Number(0.0, MOST_MWH)),
    must("reference_mwh", Form::Number(0.0, MOST_MWH)),
    must("excess_pct", Form::Number(0.0, 1_000_000.0)),
];

const CALL_311: &[Rule] = &[
    must("call_id", Form::Text(128)),
    must("complaint_type", Form::Text(256)),
    may("descriptor", Form::Text(4096)),
    may("status", Form::Text(128)),
    may("latitude", Form::Number(-90.0, 90.0)),
    may("longitude", Form::Number(-180.0, 180.0)),
];

/// The fields of a `payload.type`, and which of them say something: one at least must be there.
pub(super) fn of(kind: &str) -> Option<(&'static [Rule], &'static [&'static str])> {
    Some(match kind {
        "weather" => (
            WEATHER,
            &[
                "temperature_c",
                "apparent_temperature_c",
                "humidity_pct",
                "wind_speed_ms",
                "wind_direction_deg",
                "precipitation_mm",
                "pressure_hpa",
                "weather_code",
            ],
        ),
        "aqi" => {
            (AQI, &["us_aqi", "european_aqi", "pm2_5_ugm3", "pm10_ugm3", "no2_ugm3", "o3_ugm3", "so2_ugm3", "co_ugm3"])
        }
        "traffic" => (TRAFFIC, &[]),
        "power_demand" => (POWER_DEMAND, &["demand_mwh", "forecast_mwh"]),
        "grid_alert" => (GRID_ALERT, &[]),
        "call_311" => (CALL_311, &[]),
        _ => return None,
    })
}
