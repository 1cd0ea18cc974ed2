// A small server with City Live's part of the schema and made-up data, which serves the pages of a real server: its scenes (loading,
// ready, stale, partly failed, empty) stand still and can be changed at once, which a real city's cannot.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { buildSchema, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const HOUR = 3_600_000;
const INPUTS = ['weather', 'aqi', 'traffic', 'power', 'calls311'];

const iso = (at) => new Date(at).toISOString();
/** The same number in [0, 1) for the same seed. */
const noise = (seed) => {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return x - Math.floor(x);
};

/** A made-up city of rectangles, the last zone with a centre only. */
function madeUpZones() {
  const names = ['Harbour', 'Old Town', 'Market', 'North Gate', 'Riverside', 'Gardens', 'Station Quarter', 'Hillside', 'University', 'Mills', 'Airport', 'Island'];
  return names.map((name, i) => {
    const [west, south] = [-74.02 + (i % 4) * 0.03, 40.69 + Math.floor(i / 4) * 0.025];
    const ring = [[west, south], [west + 0.029, south], [west + 0.029, south + 0.024], [west, south + 0.024], [west, south]];
    return {
      zoneId: `zone-${i + 1}`,
      name,
      centre: { latitude: south + 0.012, longitude: west + 0.0145 },
      shape: i === names.length - 1 ? null : { type: 'MultiPolygon', coordinates: [[ring]] },
    };
  });
}

/**
 * Starts it at a free port, with the pages that the server at `pages` has. `scene` may be changed at any time; then `changed()` tells the subscribers:
 *
 * - `status`: LOADING, READY or STALE; `processed`: whether there are results; `ageMs`: how old everything is;
 * - `missing`, `stale`: inputs that are so everywhere; `simulated`; `zones`; `feedSize`; `allowed`: whether anybody may change things;
 * - `chosen`: the id of the chosen city, or null; `off`: whether all is answered with CITY_LIVE_OFF.
 */
export async function startMock({ schema: schemaFile, pages, zones = madeUpZones(), ...first }) {
  const schema = buildSchema(readFileSync(schemaFile, 'utf8'));
  const scene = { status: 'READY', processed: true, ageMs: 60_000, missing: [], stale: [], simulated: true, zones, feedSize: 130, allowed: true, chosen: 'made-up', off: false, outputs: true, ...first };
  const acknowledged = new Set();
  const listeners = new Set();
  const news = [];
  let runs = 1;
  const began = Date.now();

  const problem = (message, code) => Object.assign(new Error(message), { extensions: { code } });
  const guard = () => {
    if (scene.off) throw problem('City Live is off', 'CITY_LIVE_OFF');
  };
  const operator = () => {
    if (!scene.allowed) throw problem('Changing needs the token', 'UNAUTHENTICATED');
  };

  const source = (name) => (scene.simulated ? `${name}-simulated` : name);
  const stamp = (input, name, extra = 0) => {
    const age = scene.ageMs + extra + (scene.stale.includes(input) ? 5 * HOUR : 0);
    const ts = Date.now() - age;
    return { ts: iso(ts), ingestedAt: iso(ts + 2000), ageSeconds: Math.round(age / 1000), source: source(name), simulated: scene.simulated };
  };
  const there = (input, value) => (scene.missing.includes(input) || scene.ageMs === Infinity ? null : value);
  const rawOf = (i, whole = false) => ({
    weather: whole ? null : there('weather', { ...stamp('weather', 'open-meteo'), temperature: 3 + 4 * noise(i), apparentTemperature: 1.2, humidity: 71, windSpeed: 4.1, windDirection: 250, precipitation: 0, pressure: 1016.4, hourlyTemperature: [] }),
    aqi: whole ? null : there('aqi', { ...stamp('aqi', 'open-meteo'), usAqi: Math.round(30 + 60 * noise(i + 7)), europeanAqi: 34, pm25: 8.4, pm10: 14.1, no2: 21.3, o3: 48, so2: null, co: 230 }),
    traffic: whole ? null : there('traffic', { ...stamp('traffic', 'tomtom'), currentSpeed: 18 + 20 * noise(i + 3), freeFlowSpeed: 42, confidence: 0.94, roadClosure: false }),
    power: there('power', { ...stamp('power', 'eia', HOUR), wholeCity: true, region: 'NYIS', demand: 16_840, demandForecast: 16_200 }),
    gridAlert: there('power', { ...stamp('power', 'eia', HOUR), wholeCity: true, kind: 'ABOVE_FORECAST', region: 'NYIS', demand: 16_840, reference: 16_200, excess: 3.95 }),
    calls311: there('calls311', { ...stamp('calls311', 'socrata'), count: whole ? 7 : 12 + i, byType: [{ type: 'Noise - Residential', count: 5 }, { type: 'Illegal Parking', count: 4 }], calls: [] }),
  });

  const hour = () => Math.floor(Date.now() / HOUR) * HOUR;
  const demandAt = (i, at) => (900 + 80 * i) * (0.8 + 0.25 * Math.sin(((at / HOUR - 9) / 24) * 2 * Math.PI)) * (0.97 + 0.06 * noise(i + at / HOUR));
  const forecastOf = (i, factor = 1) =>
    Array.from({ length: 24 }, (_, h) => {
      const ts = hour() + (h + 1) * HOUR;
      const value = factor * demandAt(i, ts);
      return { ts: iso(ts), value, low: value * (0.95 - h * 0.004), high: value * (1.05 + h * 0.004) };
    });
  const seriesOf = (name, i, hours, value) => {
    if (!scene.processed) return { name, times: [], values: [] };
    const times = Array.from({ length: hours }, (_, h) => hour() - (hours - 1 - h) * HOUR);
    return { name, times: times.map(iso), values: times.map((at) => value(i, at)) };
  };
  const FEATURES = {
    temperature_c: (i, at) => 4 + 3 * Math.sin(at / HOUR / 4) + noise(i),
    us_aqi: (i, at) => 45 + 20 * noise(i + at / HOUR),
    congestion_ratio: (i, at) => 0.2 + 0.3 * noise(i * 3 + at / HOUR),
    demand_mwh: demandAt,
    calls_311: (i) => 12 + i,
  };
  const featureNames = () => Object.keys(FEATURES).filter((name) => !(name === 'congestion_ratio' && scene.missing.includes('traffic')));

  const LEVELS = ['LOW', 'MODERATE', 'HIGH', 'SEVERE'];
  const processedOf = (i) => {
    if (!scene.processed) return null;
    const known = INPUTS.filter((input) => !scene.missing.includes(input));
    const name = { aqi: 'air' };
    const parts = known.map((input, k) => ({
      name: name[input] ?? input,
      score: Math.round(100 * noise(i * 5 + k)),
      weight: 1 / known.length,
      reason: `Made up: ${input} is at ${Math.round(100 * noise(i * 5 + k))} of 100 in this zone`,
    }));
    const score = parts.reduce((sum, part) => sum + part.score * part.weight, 0);
    return {
      runId: `run-${runs}`,
      processedAt: iso(Date.now() - Math.min(scene.ageMs, 6 * HOUR)),
      features: featureNames().map((each) => ({ name: each, value: FEATURES[each](i, hour()) })),
      forecast: { model: 'heuristic', hours: forecastOf(i), reason: 'The mean of this hour on the last 7 days, times 1.04 for 3.2 °C' },
      anomalies: [{ feature: 'us_aqi', value: 91, mean: 52.1, deviation: 12.2, z: 3.2, samples: 160, anomalous: i % 4 === 0 }],
      risk: { score, level: LEVELS[Math.min(3, Math.floor(score / 25))], parts },
      recommendations: [
        ...(i % 3 === 0 ? [{ rule: 'air-sensitive', priority: 1, text: 'Advise sensitive people to stay indoors', reason: `US AQI ${60 + i} is above 50` }] : []),
        ...(i % 2 === 0 ? [{ rule: 'traffic-divert', priority: 2, text: 'Lead traffic around the zone', reason: `Traffic moves at ${40 + i} % of its free speed` }] : []),
      ],
      freshness: INPUTS.map((input) => {
        const state = scene.missing.includes(input) ? 'MISSING' : scene.stale.includes(input) || scene.ageMs > HOUR ? 'STALE' : 'FRESH';
        return { input, state, ts: state === 'MISSING' ? null : iso(Date.now() - scene.ageMs), ageSeconds: null, limitSeconds: 3600 };
      }),
      simulated: scene.simulated,
    };
  };
  const zoneOf = (zone, i) => ({
    id: `live-zone/${scene.chosen}/${zone.zoneId}`,
    cityId: cityId(),
    weight: 1,
    districtIds: i === 0 ? ['d-1'] : [],
    districts: i === 0 ? [{ __typename: 'District', id: 'district/d-1', name: 'Harbour district' }] : [],
    ...zone,
    raw: () => rawOf(i),
    processed: () => processedOf(i),
    alerts: () => [],
    models: () => modelsOf().filter(({ zoneId }) => zoneId === zone.zoneId),
    history: ({ lastHours = 24 }) => ({
      features: () => featureNames().map((name) => seriesOf(name, i, lastHours, FEATURES[name])),
      risk: () => [seriesOf('score', i, lastHours, (k, at) => 30 + 30 * noise(k + at / HOUR))],
    }),
  });
  const modelsOf = () =>
    scene.processed && scene.outputs
      ? scene.zones.flatMap((zone, i) => [
          { cityId: cityId(), zoneId: zone.zoneId, model: 'heuristic', version: '1', ts: iso(Date.now() - 60_000), ageSeconds: 60, unit: 'MWh', hours: forecastOf(i), ran: 'local', error: 0.061, errorHours: 168, chosen: true, problem: null },
          { cityId: cityId(), zoneId: zone.zoneId, model: 'demand-scale-free', version: '1.0', ts: iso(Date.now() - 60_000), ageSeconds: 60, unit: 'MWh', hours: i === 1 ? [] : forecastOf(i, 1.03), ran: 'local', error: i === 1 ? null : 0.074, errorHours: i === 1 ? 0 : 168, chosen: false, problem: i === 1 ? 'Fewer than 48 hours of demand' : null },
        ])
      : [];
  const alertsOf = () =>
    scene.processed
      ? scene.zones.slice(0, 3).map((zone, i) => ({
          id: `live-alert/a${i}`,
          alertId: `a${i}`,
          cityId: cityId(),
          zoneId: i === 2 ? null : zone.zoneId,
          rule: 'risk-high',
          severity: ['CRITICAL', 'WARNING', 'INFO'][i],
          status: acknowledged.has(`a${i}`) ? 'ACKNOWLEDGED' : 'OPEN',
          reason: `Risk ${80 - 10 * i} is above 60`,
          raisedAt: iso(began - i * HOUR),
          updatedAt: iso(began),
          acknowledgedAt: acknowledged.has(`a${i}`) ? iso(Date.now()) : null,
          clearedAt: null,
        }))
      : [];
  const cleared = () => [{ id: 'live-alert/old', alertId: 'old', cityId: cityId(), zoneId: null, rule: 'risk-high', severity: 'WARNING', status: 'CLEARED', reason: 'Risk 71 was above 60', raisedAt: iso(began - 9 * HOUR), updatedAt: iso(began), acknowledgedAt: null, clearedAt: iso(began - HOUR) }];

  const CITIES = { 'made-up': 'Made-up City', second: 'Second City' };
  let looked = 'made-up';
  const cityId = () => scene.chosen ?? looked;
  const cityOf = (id) => ({
    id: `live-city/${id}`,
    cityId: id,
    name: CITIES[id],
    timeZone: 'America/New_York',
    powerRegion: 'NYIS',
    has311: true,
    chosen: id === scene.chosen,
    status: scene.status,
    selectedAt: iso(began),
    processedAt: scene.processed ? iso(Date.now() - Math.min(scene.ageMs, 6 * HOUR)) : null,
    zoneCount: scene.zones.length,
    zones: () => scene.zones.map(zoneOf),
    zone: ({ zoneId }) => {
      const i = scene.zones.findIndex((zone) => zone.zoneId === zoneId);
      return i < 0 ? null : zoneOf(scene.zones[i], i);
    },
    raw: () => rawOf(0, true),
    alerts: ({ status }) => (status?.includes('CLEARED') ? cleared() : alertsOf()),
    models: () => modelsOf(),
    history: () => ({ features: [], risk: [] }),
    compare: ({ feature, lastHours = 24 }) => scene.zones.map((zone, i) => ({ ...seriesOf(feature, i, lastHours, FEATURES[feature] ?? (() => 0)), name: zone.zoneId })),
  });

  const PAYLOADS = [
    ['AQI_STREAM', 'weather', 'open-meteo', (n) => ({ temperature_c: 3.2 + noise(n), humidity_pct: 71, wind_speed_ms: 4.1 })],
    ['AQI_STREAM', 'aqi', 'open-meteo', (n) => ({ us_aqi: 40 + Math.round(30 * noise(n)), pm2_5_ugm3: 8.4 })],
    ['TRAFFIC_EVENTS', 'traffic', 'tomtom', () => ({ current_speed_kmh: 21, free_flow_speed_kmh: 42, road_closure: false })],
    ['POWER_DEMAND', 'power_demand', 'eia', () => ({ region: 'NYIS', demand_mwh: 16_840, forecast_mwh: 16_200 })],
    ['INCIDENT_TEXT', 'call_311', 'socrata', () => ({ call_id: '39888071', complaint_type: 'Noise - Street/Sidewalk', descriptor: 'Loud Music/Party', status: 'Open' })],
  ];
  const messageOf = (n) => {
    const [topic, type, name, payload] = PAYLOADS[n % PAYLOADS.length];
    const zone = scene.zones.length === 0 ? null : scene.zones[n % scene.zones.length];
    const at = began - (scene.feedSize - n) * 9000;
    return { id: `live-message/${n}`, topic, type, ts: iso(at - 3000), ingestedAt: iso(at), source: source(name), simulated: scene.simulated, payload: { type, ...payload(n) }, cityId: cityId(), zoneId: type === 'power_demand' ? null : (zone?.zoneId ?? null) };
  };
  const matches = ({ topic, zoneId }) => (item) => (!topic || item.topic === topic) && (!zoneId || item.zoneId === zoneId);
  const feed = () => [...Array.from({ length: scene.feedSize }, (_, n) => messageOf(n)), ...news].toReversed();

  /** Yields what `look` gives now and after each change. */
  async function* following(look) {
    let wake = () => {};
    let pending = true;
    const listener = () => {
      pending = true;
      wake();
    };
    listeners.add(listener);
    try {
      for (;;) {
        if (!pending) await new Promise((resolve) => (wake = resolve));
        pending = false;
        const value = look();
        if (value !== undefined) yield value;
      }
    } finally {
      listeners.delete(listener);
    }
  }

  const root = {
    city: () => ({ cityId: 'mock', name: 'Mock' }),
    cities: () => {
      guard();
      return Object.keys(scene.cities ?? CITIES).map(cityOf);
    },
    cityLive: ({ cityId: id }) => {
      guard();
      return cityOf(id ?? scene.chosen);
    },
    liveFeed: ({ first = 100, after, ...filter }) => {
      guard();
      const all = feed().filter(matches(filter));
      const from = after ? all.findIndex(({ id }) => id === after) + 1 : 0;
      const nodes = all.slice(from, from + first);
      return { nodes, edges: nodes.map((node) => ({ cursor: node.id, node })), pageInfo: { hasNextPage: from + first < all.length, hasPreviousPage: from > 0, startCursor: nodes[0]?.id ?? null, endCursor: nodes.at(-1)?.id ?? null } };
    },
    // The operator's question of `mayChange`.
    removeEntity: () => {
      operator();
      throw problem('no id', 'BAD_USER_INPUT');
    },
    selectCity: ({ cityId: id }) => {
      operator();
      Object.assign(scene, { chosen: id, status: 'LOADING', processed: false });
      changed();
      return cityOf(id);
    },
    processCity: () => {
      operator();
      runs += 1;
      Object.assign(scene, { processed: true, status: scene.status === 'LOADING' ? 'READY' : scene.status });
      changed();
      return { runId: `run-${runs}`, cityId: cityId(), done: true, processedAt: iso(Date.now()), zones: scene.zones.length };
    },
    acknowledgeAlert: ({ alertId }) => {
      operator();
      acknowledged.add(alertId);
      changed();
      return alertsOf().find((alert) => alert.alertId === alertId);
    },
  };
  const once = (field, make) => async function* begin(args) {
    guard();
    for await (const value of following(() => make(args))) yield { [field]: value };
  };
  const roots = {
    subscription: {
      cityLiveChanged: once('cityLiveChanged', ({ cityId: id }) => {
        const wanted = id ?? scene.chosen;
        if (wanted) looked = wanted;
        return wanted ? cityOf(wanted) : undefined;
      }),
      zoneProcessed: once('zoneProcessed', () => ({ cityId: cityId(), snapshot: true, zones: scene.processed ? scene.zones.map(zoneOf) : [] })),
      alertRaised: once('alertRaised', () => ({ cityId: cityId(), snapshot: true, alerts: alertsOf() })),
      liveFeed: (args) => {
        let sent = -1;
        return once('liveFeed', (filter) => {
          const snapshot = sent < 0;
          const items = snapshot ? [] : news.slice(sent).filter(matches(filter));
          sent = news.length;
          return snapshot || items.length > 0 ? { snapshot, items } : undefined;
        })(args);
      },
    },
  };

  const changed = () => {
    for (const listener of listeners) listener();
  };
  const body = async (request) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    return JSON.parse(text);
  };
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://mock').pathname;
    const answer = (content) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    if (path === '/graphql') {
      const { query, variables } = await body(request);
      return answer(await graphql({ schema, source: query, variableValues: variables, rootValue: root }));
    }
    if (path === '/map.json') return answer({ background: null });
    if (path === '/readyz') return answer({ ready: true, role: 'writer', epoch: 1, degraded: [] });
    const page = await fetch(new URL(request.url, pages));
    const headers = ['content-type', 'content-security-policy'].map((name) => [name, page.headers.get(name)]).filter(([, value]) => value !== null);
    return response.writeHead(page.status, Object.fromEntries(headers)).end(Buffer.from(await page.arrayBuffer()));
  });
  const sockets = new WebSocketServer({ server, path: '/graphql/ws' });
  useServer({ schema, roots }, sockets);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    scene,
    changed,
    /** A new message comes in. */
    say(count = 1) {
      for (let i = 0; i < count; i += 1) {
        const n = scene.feedSize + news.length;
        news.push({ ...messageOf(n), ingestedAt: iso(Date.now()) });
      }
      changed();
    },
    set(next) {
      Object.assign(scene, next);
      changed();
    },
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
