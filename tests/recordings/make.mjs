// Makes the recorded day of `town/` anew:  node tests/recordings/make.mjs
// A made-up town, its events over all nine topics, and the state that must result, folded here by the rules of the contract
// and nothing else: a second opinion on the server's own fold, small enough to be kept in the repository.
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const START = Date.parse('2026-01-05T06:00:00Z');
const EVENTS = 2400;
const MEAN_GAP_MS = 9000;

let seed = 20260105;
/** A number in [0, 1): mulberry32. */
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const number = (low, high, digits) => Number((low + random() * (high - low)).toFixed(digits));
const place = () => ({ latitude: number(42.3, 42.4, 6), longitude: number(13.3, 13.5, 6) });
/** A field that is there, null or absent. */
const maybe = (name, value) => pick([{ [name]: value }, { [name]: value }, { [name]: null }, {}]);
const iso = (ms) => new Date(ms).toISOString();

const DISTRICTS = ['centro', 'città-alta'];
const city = {
  cityId: 'town-day-001',
  name: "A Town's Day",
  timestamp: iso(START),
  districts: DISTRICTS.map((districtId, d) => ({
    districtId,
    name: `District ${d}`,
    location: { centerLatitude: 42.35, centerLongitude: 13.4, boundaries: null },
    sensors: [],
    buildings: [0, 1, 2, 3].map((n) => ({
      buildingId: `house-${n}`,
      name: `House ${n} “Aquila”`,
      type: 'office',
      location: place(),
      ...(n > 0 && { totalCapacity: 50 * n }),
      sensors: [{ sensorId: `in-${n}`, note: 'as the file has it' }],
    })),
    weatherStations: [0, 1].map((n) => ({ stationId: `sky-${n}`, location: place(), status: 'active' })),
    cityGraph: {
      nodes: [0, 1, 2, 3].map((n) => ({ nodeId: `N-${d}-${n}`, type: 'intersection', location: place() })),
      edges: [0, 1, 2].map((n) => ({
        edgeId: `E-${d}-${n}`,
        roadSegmentId: `R-${d}-${n}`,
        fromNode: `N-${d}-${n}`,
        toNode: `N-${d}-${n + 1}`,
        name: 'Via Roma',
        class: 'primary',
        length: number(50, 400, 1),
        speedLimit: 50,
        lanes: 2,
        geometry: { type: 'LineString', coordinates: [0, 1, 2].map(() => [number(13.3, 13.5, 6), number(42.3, 42.4, 6)]) },
      })),
    },
  })),
  publicTransport: { buses: [], stations: [] },
  emergencyServices: { incidents: [], units: [] },
};

/** Events of each topic, without their time: the key and the value. */
const topics = {
  'sensors.environmental': () => sensor('air_quality', `air-${below(8)}`, [...DISTRICTS, 'unmapped']),
  'sensors.traffic': () => sensor('traffic_flow', `flow-${below(6)}`, DISTRICTS),
  'buildings.sensors': () => sensor('energy_consumption', `meter-${below(6)}`, DISTRICTS, maybe('buildingId', `house-${below(4)}`)),
  'buildings.occupancy': () => {
    const [districtId, buildingId] = [pick(DISTRICTS), `house-${below(4)}`];
    const value = { districtId, buildingId, currentOccupancy: below(220), ...maybe('totalCapacity', pick([0, 100, 200])) };
    return [`${districtId}/${buildingId}`, value];
  },
  'weather.stations': () => {
    const [districtId, stationId] = [pick(DISTRICTS), `sky-${below(2)}`];
    const readings = { temperature: number(-5, 30, 1), ...maybe('humidity', below(101)), ...maybe('pm', [{ ten: below(90) }]) };
    return [`${districtId}/${stationId}`, { districtId, stationId, readings, ...maybe('status', pick(['active', 'maintenance'])) }];
  },
  'traffic.graph': () => {
    const edgeId = `E-${below(2)}-${below(3)}`;
    const trafficConditions = {
      averageSpeed: number(3, 50, 1),
      congestionLevel: pick(['low', 'moderate', 'high', 'severe']),
      ...maybe('vehicleCount', below(40)),
      incidents: pick([[], [], [{ type: 'works', lane: below(2) }]]),
      ...pick([{}, {}, { camera: 'as seen from the roof' }]),
    };
    return [edgeId, { edgeId, trafficConditions }];
  },
  'transport.gps': () => {
    const busId = `bus-${below(12)}`;
    const more = { ...maybe('routeId', pick(['1', '2/'])), ...maybe('heading', number(0, 359, 1)), ...maybe('speed', number(0, 50, 2)) };
    return [busId, { busId, currentLocation: place(), ...more, ...maybe('passengerCount', below(60)), ...maybe('status', 'in_service') }];
  },
  'transport.stations': () => {
    const stationId = `stop-${below(6)}`;
    const nextArrivals = [0, 1, 2].slice(below(3)).map((n) => ({ busId: `bus-${n}`, routeId: '1', platform: null }));
    const more = { ...maybe('location', place()), ...maybe('waitingPassengers', below(30)), ...maybe('nextArrivals', nextArrivals) };
    return [stationId, { stationId, ...maybe('name', `Piazza ${below(3)}`), ...more }];
  },
  'emergency.incidents': () => {
    if (random() < 0.5) {
      const unitId = `unit-${below(5)}`;
      const more = { ...maybe('status', pick(['available', 'dispatched', 'on_scene'])), ...maybe('currentLocation', place()) };
      return [unitId, { unitId, ...maybe('type', 'ambulance'), ...more, ...maybe('assignedIncident', `case-${below(9)}`) }];
    }
    const incidentId = `case-${below(9)}`;
    const more = { ...maybe('location', place()), ...maybe('severity', pick(['low', 'high'])), ...maybe('assignedUnits', ['unit-1', 'unit-0']) };
    const status = maybe('status', pick(['reported', 'dispatched', 'in_progress', 'resolved']));
    return [incidentId, { incidentId, ...maybe('type', 'fire'), ...more, ...status, ...maybe('description', 'smoke'), ...maybe('reportedAt', iso(START)) }];
  },
};
function sensor(type, sensorId, districts, more = {}) {
  const districtId = pick(districts);
  const value = { districtId, sensorId, type, value: pick([below(90), number(0, 90, 2)]), ...maybe('unit', 'AQI'), ...more };
  const deep = { model: `M${below(3)}`, deep: [1.5, { a: null }] };
  return [`${districtId}/${sensorId}`, { ...value, ...maybe('status', pick(['active', 'inactive'])), ...maybe('location', place()), ...maybe('metadata', deep) }];
}

/** When it happened: now, some minutes ago (stale where a newer one came already), in another zone, too exact, or unsaid. */
function happened(now) {
  const zoned = (ms) => iso(ms + 3_600_000).replace('Z', '+01:00');
  return pick([
    () => ({ lastUpdated: iso(now) }),
    () => ({ lastUpdated: iso(now) }),
    () => ({ lastUpdated: iso(now - 60_000 * below(20)) }),
    () => ({ lastUpdated: zoned(now) }),
    () => ({ lastUpdated: iso(now).replace('Z', '999Z') }),
    () => maybe('lastUpdated', iso(now)),
  ])();
}

/** The update rules, one entity at a time. */
const FIELDS = {
  sensor: ['buildingId', 'type', 'value', 'unit', 'status', 'location', 'metadata'],
  building: ['currentOccupancy', 'totalCapacity'],
  weather: ['readings', 'status'],
  edge: ['trafficConditions'],
  bus: ['routeId', 'currentLocation', 'heading', 'speed', 'passengerCount', 'status'],
  stop: ['name', 'location', 'waitingPassengers', 'nextArrivals'],
  incident: ['type', 'severity', 'location', 'description', 'status', 'assignedUnits', 'reportedAt'],
  unit: ['type', 'status', 'currentLocation', 'assignedIncident'],
};
const LISTS = ['nextArrivals', 'assignedUnits'];

function fold(entity, kind, value, timestamp) {
  const at = value.lastUpdated ? Date.parse(value.lastUpdated) : timestamp;
  if (entity.lastUpdated && at < Date.parse(entity.lastUpdated)) return;
  for (const name of FIELDS[kind].filter((name) => name in value)) {
    entity[name] = value[name] ?? (LISTS.includes(name) ? [] : null);
  }
  entity.lastUpdated = iso(at);
  if (kind === 'building') entity.occupancyRate = entity.totalCapacity ? entity.currentOccupancy / entity.totalCapacity : null;
}

const state = structuredClone(city);
const found = (list, name, id) => {
  let entity = list.find((one) => one[name] === id);
  if (!entity) list.push((entity = { [name]: id }));
  return entity;
};
const district = (id) => {
  const entity = found(state.districts, 'districtId', id);
  entity.name ??= id;
  entity.sensors ??= [];
  for (const list of ['buildings', 'weatherStations']) entity[list] ??= [];
  entity.cityGraph ??= { nodes: [], edges: [] };
  return entity;
};
function apply(topic, value, timestamp) {
  const { buses, stations } = state.publicTransport;
  const { incidents, units } = state.emergencyServices;
  if (value.sensorId) fold(found(district(value.districtId).sensors, 'sensorId', value.sensorId), 'sensor', value, timestamp);
  else if (value.buildingId) fold(found(district(value.districtId).buildings, 'buildingId', value.buildingId), 'building', value, timestamp);
  else if (topic === 'weather.stations') fold(found(district(value.districtId).weatherStations, 'stationId', value.stationId), 'weather', value, timestamp);
  else if (value.edgeId) fold(state.districts.flatMap((d) => d.cityGraph.edges).find((e) => e.edgeId === value.edgeId), 'edge', value, timestamp);
  else if (value.busId) fold(found(buses, 'busId', value.busId), 'bus', value, timestamp);
  else if (value.stationId) fold(found(stations, 'stationId', value.stationId), 'stop', value, timestamp);
  else if (value.incidentId) fold(found(incidents, 'incidentId', value.incidentId), 'incident', value, timestamp);
  else fold(found(units, 'unitId', value.unitId), 'unit', value, timestamp);
}

const lines = [];
let now = START;
for (let n = 0; n < EVENTS; n += 1) {
  now += below(2 * MEAN_GAP_MS);
  const topic = pick(Object.keys(topics));
  const [key, said] = topics[topic]();
  const value = { ...said, ...happened(now) };
  lines.push(JSON.stringify({ topic, key, timestamp: now, value }));
  apply(topic, value, now);
}
const ids = ['districtId', 'sensorId', 'buildingId', 'busId', 'incidentId', 'unitId', 'stationId'];
/** Lists of entities are ordered by id, by bytes. */
(function order(value) {
  if (!value || typeof value !== 'object') return;
  for (const [name, list] of Object.entries(value)) {
    const id = ['districts', 'sensors', 'buildings', 'weatherStations', 'buses', 'stations', 'incidents', 'units'].includes(name);
    const by = id && ids.find((id) => list[0]?.[id] && (id !== 'buildingId' || name === 'buildings'));
    if (by) list.sort((a, b) => Buffer.compare(Buffer.from(a[by]), Buffer.from(b[by])));
    order(list);
  }
})(state);

const folder = new URL('town/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('city.json', folder), JSON.stringify(city));
writeFileSync(new URL('day.ndjson.gz', folder), gzipSync(`${lines.join('\n')}\n`, { level: 9 }));
writeFileSync(new URL('expected.json.gz', folder), gzipSync(JSON.stringify({ ...state, timestamp: iso(now) }), { level: 9 }));
