//! The dashboard.

use serde_json::json;

use super::TestCity;

const QUERY: &str = "query($districts: [String!]) { dashboard(districts: $districts) { district { districtId }
    sensors { type unit status count meanValue } occupancyRate edges { congestionLevel count meanSpeed } meanSpeed
    incidents { severity status count } units { status count } busesInService oldestUpdate newestUpdate oldestAge
    newestAge } }";

#[tokio::test]
async fn each_district_in_numbers() {
    let city = TestCity::small();
    let response = city.response(QUERY, json!({})).await;
    let mut dashboard = response["data"]["dashboard"].clone();
    for district in dashboard.as_array_mut().unwrap() {
        let district = district.as_object_mut().unwrap();
        let ages = [district.remove("oldestAge").unwrap(), district.remove("newestAge").unwrap()];
        let [oldest, newest] = ages.map(|age| age.as_f64().unwrap());
        assert!(oldest > newest && newest > 0.0, "{oldest} {newest}");
    }
    assert_eq!(
        dashboard,
        json!([
            {"district": {"districtId": "centro"},
             "sensors": [
                {"type": "air_quality", "unit": "AQI", "status": "ACTIVE", "count": 2, "meanValue": 50.0},
                {"type": "temperature", "unit": "°C", "status": "MAINTENANCE", "count": 1, "meanValue": 19.5}],
             "occupancyRate": 0.25,
             "edges": [{"congestionLevel": "MODERATE", "count": 1, "meanSpeed": 30.5},
                {"congestionLevel": null, "count": 1, "meanSpeed": null}],
             "meanSpeed": 30.5,
             "incidents": [{"severity": "CRITICAL", "status": "IN_PROGRESS", "count": 1}],
             "units": [{"status": "ON_SCENE", "count": 1}],
             "busesInService": 1,
             "oldestUpdate": "2026-01-05T00:01:00.000Z", "newestUpdate": "2026-01-05T00:12:00.000Z"},
            {"district": {"districtId": "nord"},
             "sensors": [{"type": "traffic_flow", "unit": null, "status": null, "count": 1, "meanValue": 7.0}],
             "occupancyRate": null, "edges": [{"congestionLevel": null, "count": 1, "meanSpeed": null}],
             "meanSpeed": null, "incidents": [], "units": [],
             // The bus there is in maintenance; its district has no boundaries, but the nearest centre.
             "busesInService": 0,
             "oldestUpdate": "2026-01-05T00:04:00.000Z", "newestUpdate": "2026-01-05T00:09:00.000Z"},
        ])
    );
    let one = city.response(QUERY, json!({"districts": ["nord", "nope"]})).await;
    assert_eq!(one["data"]["dashboard"].as_array().unwrap().len(), 1);
    assert_eq!(one["data"]["dashboard"][0]["district"]["districtId"], "nord");
}
