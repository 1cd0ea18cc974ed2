//! The demo city as a city file: the JSON of `state.full`, in its canonical form.

use super::city::{CITY_NAME, DemoCity};
use super::conditions::{Conditions, Demand};
use super::events::{edge_id, node_id, road_conditions};
use super::rhythm::{LocalTime, hash};
use super::sensors::Moment;
use super::write::{integer, number, padded, position, string, time};

/// Appends the items of `items` as a JSON array, each by `item`.
fn array<T>(out: &mut String, items: impl Iterator<Item = T>, mut item: impl FnMut(&mut String, T)) {
    out.push('[');
    for (i, value) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        item(out, value);
    }
    out.push(']');
}

impl DemoCity {
    /// The city file: what belongs to the city model, as it is at `start_ms` (milliseconds since 1970, UTC). Sensors, buses, stations,
    /// incidents and units are not in it: they come into being with their first events.
    pub fn city_file(&self, start_ms: i64) -> String {
        let mut out = String::with_capacity(8 << 20);
        out.push_str("{\"cityId\":");
        string(&mut out, &self.id());
        out.push_str(",\"name\":");
        string(&mut out, CITY_NAME);
        out.push_str(",\"timestamp\":");
        time(&mut out, start_ms);
        out.push_str(",\"districts\":");
        array(&mut out, 0..self.districts.len(), |out, d| self.district(out, d, start_ms));
        out.push_str(",\"publicTransport\":{\"buses\":[],\"stations\":[]}");
        out.push_str(",\"emergencyServices\":{\"incidents\":[],\"units\":[]}}");
        out
    }

    /// One moment of this city.
    pub(super) fn moment(&self, seed: u64, at_ms: i64) -> Moment<'_> {
        Moment {
            network: &self.network,
            buildings: &self.buildings,
            seed,
            at_ms,
            local: LocalTime::at(at_ms),
            demand: Demand::at(at_ms),
        }
    }

    fn district(&self, out: &mut String, d: usize, start_ms: i64) {
        let district = &self.districts[d];
        out.push_str("{\"districtId\":");
        string(out, &district.id);
        out.push_str(",\"name\":");
        string(out, district.name);
        for (key, value) in [
            (",\"location\":{\"centerLatitude\":", district.centre.latitude),
            (",\"centerLongitude\":", district.centre.longitude),
            (",\"boundaries\":{\"north\":", district.north_east.latitude),
            (",\"south\":", district.south_west.latitude),
            (",\"east\":", district.north_east.longitude),
            (",\"west\":", district.south_west.longitude),
        ] {
            out.push_str(key);
            number(out, value, 6);
        }
        out.push_str("}},\"sensors\":[],\"buildings\":");
        let moment = self.moment(self.seed, start_ms);
        let own = (0..self.buildings.len()).filter(|&b| self.buildings[b].district == d);
        array(out, own, |out, b| self.building(out, b, &moment));
        out.push_str(",\"weatherStations\":");
        let own = self.weather_stations.iter().enumerate().filter(|(_, s)| s.district == d);
        array(out, own, |out, (n, station)| {
            out.push_str("{\"stationId\":");
            string(out, &station.id);
            out.push_str(",\"location\":");
            position(out, station.at);
            out.push_str(",\"readings\":");
            moment.readings(out, station, n);
            out.push_str(",\"status\":\"active\",\"lastUpdated\":");
            time(out, start_ms);
            out.push('}');
        });
        out.push_str(",\"cityGraph\":{\"nodes\":");
        let own = (0..self.network.nodes.len()).filter(|&n| self.network.nodes[n].district == d);
        array(out, own, |out, n| {
            out.push_str("{\"nodeId\":");
            node_id(out, n as u32);
            out.push_str(",\"type\":");
            string(out, self.network.nodes[n].kind);
            out.push_str(",\"location\":");
            position(out, self.network.nodes[n].at);
            out.push('}');
        });
        out.push_str(",\"edges\":");
        let own = (0..self.network.edges.len() as u32).filter(|&e| self.network.edge(e).district == d);
        array(out, own, |out, e| self.edge(out, e, &moment));
        out.push_str("}}");
    }

    fn building(&self, out: &mut String, b: usize, moment: &Moment<'_>) {
        let building = &self.buildings[b];
        let people = building.occupancy(moment.local, hash(self.seed, b as u64), moment.at_ms);
        out.push_str("{\"buildingId\":");
        string(out, &building.id);
        out.push_str(",\"name\":");
        string(out, &building.name);
        out.push_str(",\"type\":");
        string(out, building.kind);
        out.push_str(",\"location\":");
        position(out, building.at);
        out.push_str(",\"currentOccupancy\":");
        integer(out, people);
        out.push_str(",\"totalCapacity\":");
        integer(out, building.capacity);
        out.push_str(",\"occupancyRate\":");
        // The exact quotient, as the twin itself works it out.
        let rate = f64::from(people) / f64::from(building.capacity);
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format(rate);
        out.push_str(text.strip_suffix(".0").unwrap_or(text));
        out.push_str(",\"sensors\":[],\"lastUpdated\":");
        time(out, moment.at_ms);
        out.push('}');
    }

    fn edge(&self, out: &mut String, e: u32, moment: &Moment<'_>) {
        let edge = self.network.edge(e);
        out.push_str("{\"edgeId\":");
        edge_id(out, e);
        out.push_str(",\"roadSegmentId\":\"RS-");
        padded(out, u64::from(edge.segment) + 1, 5);
        out.push_str("\",\"fromNode\":");
        node_id(out, edge.from);
        out.push_str(",\"toNode\":");
        node_id(out, edge.to);
        out.push_str(",\"name\":");
        string(out, &edge.name);
        out.push_str(",\"class\":");
        string(out, edge.class.name());
        out.push_str(",\"length\":");
        number(out, edge.length, 1);
        out.push_str(",\"speedLimit\":");
        integer(out, edge.speed_limit);
        out.push_str(",\"lanes\":");
        integer(out, edge.lanes);
        out.push_str(",\"trafficConditions\":");
        let now = Conditions::of(edge, e, self.seed, moment.demand, moment.at_ms, false);
        road_conditions(out, &now, |_| {});
        out.push_str(",\"lastUpdated\":");
        time(out, moment.at_ms);
        out.push_str(",\"geometry\":{\"type\":\"LineString\",\"coordinates\":");
        array(out, edge.line.points().iter(), |out, point| {
            out.push('[');
            number(out, point.longitude, 6);
            out.push(',');
            number(out, point.latitude, 6);
            out.push(']');
        });
        out.push_str("}}");
    }
}
