//! The dashboard: each district in numbers.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use async_graphql::{ComplexObject, Context, Object, Result, SimpleObject};

use super::{
    connection::{Listed, list_cost},
    context::snapshot,
    entity::District,
    enums::{CongestionLevel, IncidentStatus, SensorStatus, Severity, UnitStatus},
    filter::bad_id,
    scalar::DateTime,
    snapshot::Snapshot,
};
use crate::twin::{
    entity::{Entity, Handle},
    model::{self, Kind},
    read::is_id,
    time::Time,
};

/// The dashboard among the query roots.
#[derive(Default)]
pub struct DashboardQueries;

/// The dashboard.
#[Object]
impl DashboardQueries {
    /// Each district in numbers, ordered by id. Sensors, buildings and road edges are counted in the district that they
    /// belong to. Buses, stations, incidents and units belong to none and are counted where they are: of the districts
    /// whose boundaries hold their position, else of all, in the one with the nearest centre; without a position nowhere.
    #[graphql(complexity = "list_cost(None, child_complexity)")]
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only these districts, by their `districtId`; all where it is absent. Unknown ones are left \
            out."
        )]
        districts: Option<Vec<String>>,
    ) -> Result<Vec<DistrictDashboard>> {
        check_districts(districts.as_deref())?;
        Ok(dashboards(&snapshot(ctx)?, districts.as_deref()))
    }
}

/// Refuses what can be no id of a district.
pub(super) fn check_districts(districts: Option<&[String]>) -> Result<()> {
    match districts.into_iter().flatten().find(|id| !is_id(id)) {
        Some(id) => Err(bad_id("districts", id)),
        None => Ok(()),
    }
}

/// Each district of a city in numbers, ordered by id; only those named, where some are.
pub(super) fn dashboards(snapshot: &Snapshot, districts: Option<&[String]>) -> Vec<DistrictDashboard> {
    let mut located: HashMap<Handle, Tally> = HashMap::new();
    for entity in snapshot.entities(&[Kind::Bus, Kind::Station, Kind::Incident, Kind::Unit]) {
        if let Some(district) = entity.position().and_then(|position| snapshot.district_at(position)) {
            located.entry(district.handle).or_default().count(entity);
        }
    }
    let entries = snapshot.districts().iter().filter_map(|entry| {
        let item = snapshot.get::<model::District>(entry.handle)?;
        let wanted = districts.is_none_or(|ids| ids.iter().any(|id| *item.id == **id));
        wanted.then_some((entry, item))
    });
    let dashboards = entries.map(|(entry, item)| {
        let mut tally = located.remove(&entry.handle).unwrap_or_default();
        for kind in [Kind::Sensor, Kind::Building, Kind::WeatherStation, Kind::Edge] {
            for entity in entry.members.list(kind).iter().filter_map(|handle| snapshot.entity(*handle)) {
                tally.count(entity);
            }
        }
        tally.dashboard(District::new(snapshot.clone(), Arc::clone(item)))
    });
    dashboards.collect()
}

/// A district in numbers.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct DistrictDashboard {
    /// The district.
    pub district: District,
    /// Its sensors by type, unit and status, in this order.
    pub sensors: Vec<SensorSummary>,
    /// The people in its buildings per place in them, without a unit: 1 is full, and it may be more. Counts the buildings
    /// of which both are known; null where these have no place.
    pub occupancy_rate: Option<f64>,
    /// Its road edges by how congested they are, the free ones first; those that are not known last.
    pub edges: Vec<EdgeSummary>,
    /// The mean of `averageSpeed` in km/h over its road edges that have one; null where none has.
    pub mean_speed: Option<f64>,
    /// The incidents in it by severity and status, the worst first, resolved ones included as long as they are kept.
    pub incidents: Vec<IncidentSummary>,
    /// The emergency units in it by status.
    pub units: Vec<UnitSummary>,
    /// How many buses with the status `IN_SERVICE` are in it.
    pub buses_in_service: i32,
    /// The oldest `lastUpdated` of what is counted here and of its weather stations; null where nothing has one.
    pub oldest_update: Option<DateTime>,
    /// The newest `lastUpdated` of the same.
    pub newest_update: Option<DateTime>,
}

/// How long ago its values came.
#[ComplexObject]
impl DistrictDashboard {
    /// How many seconds `oldestUpdate` is behind the server's clock.
    async fn oldest_age(&self) -> Option<f64> {
        self.oldest_update.map(age)
    }

    /// How many seconds `newestUpdate` is behind the server's clock.
    async fn newest_age(&self) -> Option<f64> {
        self.newest_update.map(age)
    }
}

/// Sensors of one type, unit and status.
#[derive(SimpleObject, Debug)]
pub struct SensorSummary {
    /// Their `type`.
    #[graphql(name = "type")]
    pub sensor_type: Option<String>,
    /// Their `unit`.
    pub unit: Option<String>,
    /// Their `status`.
    pub status: Option<SensorStatus>,
    /// How many there are.
    pub count: i32,
    /// The mean of those that have a value, in `unit`; null where none has.
    pub mean_value: Option<f64>,
}

/// Road edges of one congestion level.
#[derive(SimpleObject, Debug)]
pub struct EdgeSummary {
    /// Their `congestionLevel`; null where it is not known.
    pub congestion_level: Option<CongestionLevel>,
    /// How many there are.
    pub count: i32,
    /// The mean of `averageSpeed` in km/h over those that have one; null where none has.
    pub mean_speed: Option<f64>,
}

/// Incidents of one severity and status.
#[derive(SimpleObject, Debug)]
pub struct IncidentSummary {
    /// Their `severity`.
    pub severity: Option<Severity>,
    /// Their `status`.
    pub status: Option<IncidentStatus>,
    /// How many there are.
    pub count: i32,
}

/// Emergency units of one status.
#[derive(SimpleObject, Debug)]
pub struct UnitSummary {
    /// Their `status`.
    pub status: Option<UnitStatus>,
    /// How many there are.
    pub count: i32,
}

impl DistrictDashboard {
    /// What it shows, to be compared with what another one shows, without holding on to the city that it was counted in.
    pub(super) fn shown(&self) -> String {
        let district = self.district.item();
        format!(
            "{:?}",
            (
                (district.handle, district.revision, self.buses_in_service, self.occupancy_rate, self.mean_speed),
                (&self.sensors, &self.edges, &self.incidents, &self.units),
                (self.oldest_update, self.newest_update),
            )
        )
    }
}

/// Seconds from a moment to now.
fn age(moment: DateTime) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    (now - moment.0.0) as f64 / 1000.0
}

/// Numbers that have a mean.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    of: u32,
}

impl Mean {
    fn add(&mut self, number: Option<f64>) {
        if let Some(number) = number {
            self.sum += number;
            self.of += 1;
        }
    }

    fn mean(self) -> Option<f64> {
        let mean = self.sum / f64::from(self.of);
        mean.is_finite().then_some(mean)
    }
}

type SensorKey = (Option<String>, Option<String>, Last<model::SensorStatus>);

/// Orders what is not known after everything that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Last<T> {
    Known(T),
    Unknown,
}

impl<T> Last<T> {
    fn of(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }

    fn into<U: From<T>>(self) -> Option<U> {
        match self {
            Self::Known(value) => Some(U::from(value)),
            Self::Unknown => None,
        }
    }
}

/// What is counted of one district.
#[derive(Debug, Default)]
struct Tally {
    sensors: BTreeMap<SensorKey, (i32, Mean)>,
    occupancy: u64,
    capacity: u64,
    edges: BTreeMap<Last<model::Congestion>, (i32, Mean)>,
    speed: Mean,
    incidents: BTreeMap<(Last<model::Severity>, Last<model::IncidentStatus>), i32>,
    units: BTreeMap<Last<model::UnitStatus>, i32>,
    buses_in_service: i32,
    updates: Option<(Time, Time)>,
}

impl Tally {
    fn count(&mut self, entity: &Entity) {
        if let Some(time) = entity.last_updated() {
            let (oldest, newest) = self.updates.unwrap_or((time, time));
            self.updates = Some((oldest.min(time), newest.max(time)));
        }
        match entity {
            Entity::Sensor(s) => {
                let text = |text: &Option<compact_str::CompactString>| text.as_ref().map(ToString::to_string);
                let (count, mean) = self.sensors.entry((text(&s.kind), text(&s.unit), Last::of(s.status))).or_default();
                *count += 1;
                mean.add(s.value.value);
            }
            Entity::Building(b) => {
                if let (Some(current), Some(total)) = (b.current_occupancy, b.total_capacity) {
                    self.occupancy += u64::from(current);
                    self.capacity += u64::from(total);
                }
            }
            Entity::Edge(e) => {
                let traffic = e.traffic.as_ref();
                let level = traffic.and_then(|traffic| traffic.congestion_level.flatten());
                let speed = traffic.and_then(|traffic| traffic.average_speed.flatten());
                let (count, mean) = self.edges.entry(Last::of(level)).or_default();
                *count += 1;
                mean.add(speed);
                self.speed.add(speed);
            }
            Entity::Incident(i) => {
                *self.incidents.entry((Last::of(i.severity), Last::of(i.status))).or_default() += 1;
            }
            Entity::Unit(u) => *self.units.entry(Last::of(u.status)).or_default() += 1,
            Entity::Bus(b) => self.buses_in_service += i32::from(b.status == Some(model::BusStatus::InService)),
            Entity::District(_) | Entity::WeatherStation(_) | Entity::Node(_) | Entity::Station(_) => {}
        }
    }

    fn dashboard(self, district: District) -> DistrictDashboard {
        let sensors = self.sensors.into_iter().map(|((sensor_type, unit, status), (count, mean))| SensorSummary {
            sensor_type,
            unit,
            status: status.into(),
            count,
            mean_value: mean.mean(),
        });
        let edges = self.edges.into_iter().map(|(level, (count, mean))| EdgeSummary {
            congestion_level: level.into(),
            count,
            mean_speed: mean.mean(),
        });
        let incidents = self.incidents.into_iter().map(|((severity, status), count)| IncidentSummary {
            severity: severity.into(),
            status: status.into(),
            count,
        });
        let units = self.units.into_iter().map(|(status, count)| UnitSummary { status: status.into(), count });
        DistrictDashboard {
            district,
            sensors: sensors.collect(),
            occupancy_rate: (self.capacity > 0).then(|| self.occupancy as f64 / self.capacity as f64),
            edges: edges.collect(),
            mean_speed: self.speed.mean(),
            incidents: incidents.collect(),
            units: units.collect(),
            buses_in_service: self.buses_in_service,
            oldest_update: self.updates.map(|(oldest, _)| DateTime(oldest)),
            newest_update: self.updates.map(|(_, newest)| DateTime(newest)),
        }
    }
}
