// Reads cases {name, before, delta, after} as NDJSON from the standard input and holds citytwin's deltas against npm's
// jsondiffpatch: `patch` must give exactly `after`, and `diff` must say what the delta says, but for what citytwin
// always replaces whole (see docs on state.incremental). Prints {"cases": N}; exits 1 with the first difference.
import { isDeepStrictEqual } from 'node:util';
import { createInterface } from 'node:readline';
import { create } from 'jsondiffpatch';

const idKeys = ['districtId', 'sensorId', 'buildingId', 'stationId', 'nodeId', 'edgeId', 'busId', 'incidentId', 'unitId'];
// A sensor's `buildingId` is no id of its own: the entity's own id is its first key.
const objectHash = (object) => {
  const key = Object.keys(object)[0];
  return idKeys.includes(key) ? object[key] : undefined;
};
const library = create({ objectHash, arrays: { detectMove: false }, textDiff: { minLength: Number.MAX_SAFE_INTEGER } });

const KNOWN_TRAFFIC = ['averageSpeed', 'congestionLevel', 'vehicleCount', 'travelTime', 'incidents'];
const WHOLE = new Set(['metadata', 'readings', 'nextArrivals', 'assignedUnits', 'geometry']);

const ownKeys = (value) => Object.keys(value ?? {});
const hasUnknown = (traffic) => ownKeys(traffic).some((key) => !KNOWN_TRAFFIC.includes(key));

// The delta between two values at a key that citytwin replaces whole. The library takes two equal objects in a list for
// different ones, as they have no id.
const whole = (before, after) => (isDeepStrictEqual(before, after) ? {} : [before, after]);

// A delta without the nodes that say nothing.
function pruned(delta) {
  if (Array.isArray(delta) || typeof delta !== 'object') return delta;
  const members = Object.entries(delta).map(([key, inside]) => [key, pruned(inside)]);
  const rest = members.filter(([, inside]) => inside !== undefined);
  return rest.some(([key]) => key !== '_t') ? Object.fromEntries(rest) : undefined;
}

// Brings the library's delta of two entities to citytwin's form.
function entityDelta(delta, before, after, isBuilding) {
  const out = {};
  for (const [key, change] of Object.entries(delta)) {
    if (WHOLE.has(key) || (isBuilding && key === 'sensors')) {
      out[key] = whole(before[key], after[key]);
    } else if (key === 'trafficConditions' && before[key] && after[key]) {
      if (hasUnknown(before[key]) || hasUnknown(after[key])) {
        out[key] = whole(before[key], after[key]);
      } else {
        out[key] = { ...change };
        if (change.incidents !== undefined && !Array.isArray(change.incidents)) {
          out[key].incidents = whole(before[key].incidents, after[key].incidents);
        }
      }
    } else {
      out[key] = change;
    }
  }
  return out;
}

function listDelta(delta, before, after, inside) {
  const byId = new Map(before.map((item) => [objectHash(item), item]));
  const out = {};
  for (const [key, change] of Object.entries(delta)) {
    if (key === '_t' || key.startsWith('_') || Array.isArray(change)) {
      out[key] = change;
    } else {
      const now = after[Number(key)];
      out[key] = inside(change, byId.get(objectHash(now)), now);
    }
  }
  return out;
}

const entities = (isBuilding) => (delta, before, after) =>
  listDelta(delta, before, after, (change, a, b) => entityDelta(change, a, b, isBuilding));

function districtDelta(delta, before, after) {
  const out = { ...delta };
  for (const key of ['sensors', 'buildings', 'weatherStations']) {
    if (delta[key]) out[key] = entities(key === 'buildings')(delta[key], before[key], after[key]);
  }
  if (delta.cityGraph) {
    out.cityGraph = { ...delta.cityGraph };
    for (const key of ['nodes', 'edges']) {
      if (delta.cityGraph[key]) {
        out.cityGraph[key] = entities(false)(delta.cityGraph[key], before.cityGraph[key], after.cityGraph[key]);
      }
    }
  }
  return out;
}

function stateDelta(delta, before, after) {
  const out = { ...delta };
  if (delta.districts) out.districts = listDelta(delta.districts, before.districts, after.districts, districtDelta);
  for (const [group, lists] of [['publicTransport', ['buses', 'stations']], ['emergencyServices', ['incidents', 'units']]]) {
    if (!delta[group]) continue;
    out[group] = { ...delta[group] };
    for (const key of lists) {
      if (delta[group][key]) out[group][key] = entities(false)(delta[group][key], before[group][key], after[group][key]);
    }
  }
  return out;
}

function fail(name, what, ...values) {
  console.log(`${name}: ${what}`);
  for (const value of values) console.log(JSON.stringify(value));
  process.exit(1);
}

let cases = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { name, before, delta, after } = JSON.parse(line);
  // A consumer's library has no options of ours.
  const patched = create().patch(JSON.parse(line).before, JSON.parse(line).delta);
  if (!isDeepStrictEqual(patched, after)) fail(name, 'patch gives another state', delta, patched, after);
  const theirs = pruned(stateDelta(library.diff(before, after), before, after));
  if (!isDeepStrictEqual(delta, theirs)) fail(name, 'diff says something else', delta, theirs);
  cases += 1;
}
console.log(JSON.stringify({ cases }));
