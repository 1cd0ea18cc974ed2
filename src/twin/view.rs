//! A city at one moment: cheap to take, immutable, consistent.
//!
//! Entities stand in slots, in chunks that are copied when they are written while somebody else still holds them. So
//! a view costs a list of pointers, the fold pays for the chunks that it touches, and nobody waits for anybody.

use std::sync::Arc;

use super::{
    entity::{Entity, Handle, Variant},
    history::History,
    model::Kind,
};

/// Entities of one chunk: few enough that copying one costs less than a microsecond, enough that a view of 100,000
/// entities is a list of some 3,000 pointers.
const CHUNK: usize = 32;

/// What stands at a handle.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The present value, or the last one of an entity that is gone.
    pub entity: Entity,
    /// The revision at which it went; 0 where it is there.
    pub gone: u64,
}

#[derive(Clone, Debug)]
struct Chunk([Option<Slot>; CHUNK]);

/// The entities of a district, each list ordered by id.
#[derive(Clone, Debug, Default)]
pub struct Members {
    pub sensors: Vec<Handle>,
    pub buildings: Vec<Handle>,
    pub weather_stations: Vec<Handle>,
    pub nodes: Vec<Handle>,
    pub edges: Vec<Handle>,
}

impl Members {
    /// The list of a kind; empty for kinds that are not in districts.
    pub fn list(&self, kind: Kind) -> &[Handle] {
        match kind {
            Kind::Sensor => &self.sensors,
            Kind::Building => &self.buildings,
            Kind::WeatherStation => &self.weather_stations,
            Kind::Node => &self.nodes,
            Kind::Edge => &self.edges,
            _ => &[],
        }
    }

    fn list_mut(&mut self, kind: Kind) -> Option<&mut Vec<Handle>> {
        match kind {
            Kind::Sensor => Some(&mut self.sensors),
            Kind::Building => Some(&mut self.buildings),
            Kind::WeatherStation => Some(&mut self.weather_stations),
            Kind::Node => Some(&mut self.nodes),
            Kind::Edge => Some(&mut self.edges),
            _ => None,
        }
    }

    /// The kinds that are in districts, in the order of `state.full`.
    pub const KINDS: [Kind; 5] = [Kind::Sensor, Kind::Building, Kind::WeatherStation, Kind::Node, Kind::Edge];
}

/// A district with the handles of what is in it.
#[derive(Clone, Debug)]
pub struct DistrictEntry {
    pub handle: Handle,
    pub members: Members,
}

/// A city at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub city_id: Arc<str>,
    pub name: Arc<str>,
    /// How many changes it has seen.
    pub revision: u64,
    /// What changed last, by revision.
    pub history: History,
    chunks: Vec<Arc<Chunk>>,
    /// How many handles were ever given.
    given: u32,
    /// Ordered by id.
    districts: Arc<Vec<Arc<DistrictEntry>>>,
    buses: Arc<Vec<Handle>>,
    stations: Arc<Vec<Handle>>,
    incidents: Arc<Vec<Handle>>,
    units: Arc<Vec<Handle>>,
}

impl View {
    pub(super) fn new(city_id: &str, name: &str) -> Self {
        Self {
            city_id: city_id.into(),
            name: name.into(),
            revision: 0,
            history: History::default(),
            chunks: Vec::new(),
            given: 0,
            districts: Arc::default(),
            buses: Arc::default(),
            stations: Arc::default(),
            incidents: Arc::default(),
            units: Arc::default(),
        }
    }

    /// What stands at a handle, be it there or gone.
    pub fn slot(&self, handle: Handle) -> Option<&Slot> {
        let at = handle.0 as usize;
        self.chunks.get(at / CHUNK)?.0[at % CHUNK].as_ref()
    }

    /// The entity of a handle, if it is there.
    pub fn entity(&self, handle: Handle) -> Option<&Entity> {
        self.slot(handle).filter(|slot| slot.gone == 0).map(|slot| &slot.entity)
    }

    /// The entity of a handle, if it is there and of that kind.
    pub fn get<T: Variant>(&self, handle: Handle) -> Option<&Arc<super::entity::Item<T>>> {
        self.entity(handle).and_then(T::unwrap)
    }

    /// How many handles were ever given: all are below this.
    pub fn handles(&self) -> u32 {
        self.given
    }

    /// The districts, ordered by id.
    pub fn districts(&self) -> &[Arc<DistrictEntry>] {
        &self.districts
    }

    /// The district of that id.
    pub fn district(&self, id: &str) -> Option<&Arc<DistrictEntry>> {
        self.district_rank(id).ok().map(|rank| &self.districts[rank])
    }

    pub(super) fn district_rank(&self, id: &str) -> Result<usize, usize> {
        self.districts.binary_search_by(|entry| self.id(entry.handle).cmp(id))
    }

    /// The list of a kind, ordered by id: of the district named, or of the city. Empty where there is none.
    pub fn list(&self, kind: Kind, district: Option<&str>) -> &[Handle] {
        match (kind, district) {
            (Kind::Bus, _) => &self.buses,
            (Kind::Station, _) => &self.stations,
            (Kind::Incident, _) => &self.incidents,
            (Kind::Unit, _) => &self.units,
            (kind, Some(district)) => self.district(district).map_or(&[], |entry| entry.members.list(kind)),
            (_, None) => &[],
        }
    }

    /// Where an id stands in a list, or where it would.
    ///
    /// # Errors
    /// The rank that it would have.
    pub fn rank(&self, list: &[Handle], id: &str) -> Result<usize, usize> {
        list.binary_search_by(|handle| self.id(*handle).cmp(id))
    }

    /// The entity of that kind and id. Sensors, buildings and weather stations need their district; nodes and edges
    /// are found in any.
    pub fn find(&self, kind: Kind, district: Option<&str>, id: &str) -> Option<&Entity> {
        let within = |list: &[Handle]| self.rank(list, id).ok().map(|rank| list[rank]);
        let handle = match kind {
            Kind::District => self.district(id)?.handle,
            Kind::Node | Kind::Edge if district.is_none() => {
                self.districts.iter().find_map(|entry| within(entry.members.list(kind)))?
            }
            _ => within(self.list(kind, district))?,
        };
        self.entity(handle)
    }

    /// All entities of the kinds, in the order of `state.full`.
    pub fn entities<'a>(&'a self, kinds: &[Kind]) -> impl Iterator<Item = &'a Entity> {
        let wanted = |kind: &Kind| kinds.contains(kind);
        let in_districts = self.districts.iter().flat_map(move |entry| {
            let district = kinds.contains(&Kind::District).then_some(entry.handle);
            let members = Members::KINDS.into_iter().filter(move |kind| kinds.contains(kind));
            district.into_iter().chain(members.flat_map(|kind| entry.members.list(kind).iter().copied()))
        });
        let shared = [Kind::Bus, Kind::Station, Kind::Incident, Kind::Unit].into_iter().filter(move |k| wanted(k));
        in_districts
            .chain(shared.flat_map(|kind| self.list(kind, None).iter().copied()))
            .filter_map(|handle| self.entity(handle))
    }

    /// How many entities of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::District => self.districts.len(),
            Kind::Bus | Kind::Station | Kind::Incident | Kind::Unit => self.list(kind, None).len(),
            _ => self.districts.iter().map(|entry| entry.members.list(kind).len()).sum(),
        }
    }

    fn id(&self, handle: Handle) -> &str {
        self.slot(handle).map_or("", |slot| slot.entity.id())
    }

    pub(super) fn give_handle(&mut self) -> Handle {
        let handle = Handle(self.given);
        self.given += 1;
        handle
    }

    pub(super) fn put(&mut self, slot: Slot) {
        let at = slot.entity.handle().0 as usize;
        while self.chunks.len() <= at / CHUNK {
            self.chunks.push(Arc::new(Chunk([const { None }; CHUNK])));
        }
        Arc::make_mut(&mut self.chunks[at / CHUNK]).0[at % CHUNK] = Some(slot);
    }

    /// Puts a handle into the list where it belongs. Its entity must stand in its slot, and its district exist.
    pub(super) fn enlist(&mut self, handle: Handle) {
        let Some(entity) = self.entity(handle).cloned() else { return };
        if let Entity::District(_) = entity {
            if let Err(rank) = self.district_rank(entity.id()) {
                let entry = Arc::new(DistrictEntry { handle, members: Members::default() });
                Arc::make_mut(&mut self.districts).insert(rank, entry);
            }
            return;
        }
        if let Err(rank) = self.rank(self.list(entity.kind(), entity.district()), entity.id()) {
            self.edit_list(&entity, |list| list.insert(rank, handle));
        }
    }

    /// Takes an entity out of its list; a district with all that is listed in it.
    pub(super) fn delist(&mut self, entity: &Entity) {
        if let Entity::District(_) = entity {
            if let Ok(rank) = self.district_rank(entity.id()) {
                Arc::make_mut(&mut self.districts).remove(rank);
            }
            return;
        }
        if let Ok(rank) = self.rank(self.list(entity.kind(), entity.district()), entity.id()) {
            self.edit_list(entity, |list| {
                list.remove(rank);
            });
        }
    }

    fn edit_list(&mut self, entity: &Entity, edit: impl FnOnce(&mut Vec<Handle>)) {
        match entity.kind() {
            Kind::Bus => edit(Arc::make_mut(&mut self.buses)),
            Kind::Station => edit(Arc::make_mut(&mut self.stations)),
            Kind::Incident => edit(Arc::make_mut(&mut self.incidents)),
            Kind::Unit => edit(Arc::make_mut(&mut self.units)),
            kind => {
                let Some(Ok(rank)) = entity.district().map(|id| self.district_rank(id)) else { return };
                let entry = Arc::make_mut(&mut Arc::make_mut(&mut self.districts)[rank]);
                if let Some(list) = entry.members.list_mut(kind) {
                    edit(list);
                }
            }
        }
    }
}
