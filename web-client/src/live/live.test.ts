import { describe, expect, test } from 'vitest';
import type { Alert, FeedItem, ModelOutput, Processed, Raw, Zone } from '../api/cityLive.ts';
import { sayIn } from '../i18n/live.ts';
import { Texts } from '../i18n/texts.ts';
import { changed } from './cityLive.ts';
import { adviceOf, byRisk, featureText, inputStates, payloadRows, quantity, troublesOf, unitOf } from './describe.ts';
import { type Held, MOST_HELD, withNews, withOlder } from './feedList.ts';
import { modelsOf } from './models.ts';
import { aligned, hourRows, summaryOf } from './series.ts';
import { boxOf, circle, featuresOf, metresBetween, outlinesOf } from './shapes.ts';

const say = sayIn('en');
const texts = new Texts('en');
const HOUR = 3_600_000;

const zone = (zoneId: string, name: string, latitude = 40.7, longitude = -74): Zone => ({ zoneId, name, shape: null, centre: { latitude, longitude } });

const processed = (score: number, more: Partial<Processed> = {}): Processed => ({
  runId: 'r',
  processedAt: '2026-01-05T12:00:00Z',
  simulated: false,
  features: [],
  anomalies: [],
  risk: { score, level: 'LOW', parts: [] },
  recommendations: [],
  freshness: [],
  ...more,
});

const limit = (input: string) => ({ input, state: 'FRESH' as const, ts: null, limitSeconds: 3600 });

const having = (...states: Processed['freshness'][number]['state'][]) => processed(1, { freshness: states.map((state, i) => ({ input: ['weather', 'traffic'][i] ?? '', state, ts: null, limitSeconds: 1 })) });

const advice = (priority: number, rule: string, reason: string) => ({ rule, priority, text: `do ${rule}`, reason });

const alert = (alertId: string, raisedAt: string, status: Alert['status'] = 'OPEN'): Alert => ({
  alertId, zoneId: null, rule: 'r', severity: 'INFO', status, reason: '', raisedAt, updatedAt: raisedAt, acknowledgedAt: null, clearedAt: null,
});

const items = (...ids: number[]) => ids.map((id): FeedItem => ({ id: String(id), topic: 'AQI_STREAM', type: 'aqi', ts: '', ingestedAt: '', source: '', simulated: false, payload: {}, zoneId: null }));

const idsOf = (held: Held) => held.items.map(({ id }) => Number(id));

const output = (model: string, chosen: boolean, error: number | null): ModelOutput => ({
  zoneId: 'z', model, version: '1', ts: '', unit: 'MWh', ran: 'local', error, errorHours: 24, chosen, problem: error === null ? 'too little' : null, hours: [],
});

describe('names and units', () => {
  test.each([
    ['temperature_c', 'temperature', '°C'],
    ['wind_speed_ms', 'wind_speed', 'm/s'],
    ['pm2_5_ugm3', 'pm2_5', 'µg/m³'],
    ['current_travel_time_s', 'current_travel_time', 's'],
    ['us_aqi', 'us_aqi', ''],
  ])('%s is %s in %s', (name, base, unit) => {
    expect(unitOf(name)).toEqual({ base, unit });
  });

  test('a number has the decimals that its size needs', () => {
    expect([quantity(16_840.4, 'MWh', texts), quantity(12.34, '°C', texts), quantity(0.128, 'mm', texts), quantity(71, '%', texts), quantity(250, '°', texts)]).toEqual([
      '16,840 MWh',
      '12.3 °C',
      '0.13 mm',
      '71 %',
      '250°',
    ]);
    expect(featureText('congestion_ratio', 0.42, texts)).toBe('42%');
  });

  test('a payload is told in words, without its lists', () => {
    const payload = { type: 'weather', temperature_c: 3.5, hourly_temperature: [{ ts: '', value: 1 }], road_closure: false, descriptor: null, moon_phase_deg: 90 };
    expect(payloadRows(payload, say, texts)).toEqual([
      { label: 'Temperature', value: '3.5 °C' },
      { label: 'Road closed', value: 'no' },
      { label: 'moon phase', value: '90°' },
    ]);
    expect(payloadRows('odd', say, texts)).toEqual([]);
  });
});

describe('inputs', () => {
  const now = Date.parse('2026-01-05T12:00:00Z');
  const nothing: Raw = { weather: null, aqi: null, traffic: null, power: null, gridAlert: null, calls311: null };
  const stamp = (hoursAgo: number) => ({ ts: new Date(now - hoursAgo * HOUR).toISOString(), source: 'tomtom-simulated', simulated: true });

  test('are missing, fresh or old by their own age, whatever the last run said', () => {
    const raw: Raw = {
      ...nothing,
      traffic: { ...stamp(2), currentSpeed: 20, freeFlowSpeed: 40, confidence: null, roadClosure: false },
      calls311: { ...stamp(20), count: 3, byType: [] },
    };
    const states = inputStates(raw, ['weather', 'traffic', 'calls311'].map(limit), now, say, texts);
    expect(states.map(({ input, state }) => [input, state])).toEqual([
      ['weather', 'MISSING'],
      ['aqi', 'MISSING'],
      ['traffic', 'STALE'],
      ['power', 'MISSING'],
      // Nobody called for 20 hours: that is no old value.
      ['calls311', 'FRESH'],
    ]);
    expect(states[2]).toMatchObject({ source: 'tomtom-simulated', simulated: true, limitSeconds: 3600 });
    expect(states[2]?.rows).toEqual([
      { label: 'Speed', value: '20 km/h' },
      { label: 'Speed when free', value: '40 km/h' },
    ]);
  });

  test('that are not as they should be are counted over the zones', () => {
    expect(troublesOf([having('FRESH', 'MISSING'), having('FRESH', 'STALE'), having('FRESH', 'MISSING')])).toEqual([{ input: 'traffic', missing: 2, stale: 1 }]);
    expect(troublesOf([])).toEqual([]);
  });
});

test('zones come by risk, those without a result last, and equal ones by name', () => {
  const zones = [zone('a', 'Zoo'), zone('b', 'Bay'), zone('c', 'Hill'), zone('d', 'Mill')];
  const results = new Map([
    ['a', processed(10)],
    ['c', processed(10)],
    ['d', processed(80)],
  ]);
  expect(byRisk(zones, results, texts.compare).map((each) => each.zone.name)).toEqual(['Mill', 'Hill', 'Zoo', 'Bay']);
});

test('advice that several zones share stands once, the most urgent first', () => {
  const judged = [
    { zone: zone('a', 'A'), result: processed(1, { recommendations: [advice(2, 'divert', 'one'), advice(1, 'indoors', 'two')] }) },
    { zone: zone('b', 'B'), result: processed(1, { recommendations: [advice(2, 'divert', 'three')] }) },
    { zone: zone('c', 'C'), result: undefined },
  ];
  expect(adviceOf(judged).map(({ rule, zones }) => [rule, zones.map((each) => [each.zone.zoneId, each.reason])])).toEqual([
    ['indoors', [['a', 'two']]],
    ['divert', [['a', 'one'], ['b', 'three']]],
  ]);
});

test('an alert that changed stands once, a cleared one not at all', () => {
  const held = [alert('b', '2026-01-05T02:00:00Z'), alert('a', '2026-01-05T01:00:00Z')];
  const news = [alert('a', '2026-01-05T01:00:00Z', 'ACKNOWLEDGED'), alert('b', '2026-01-05T02:00:00Z', 'CLEARED'), alert('c', '2026-01-05T03:00:00Z')];
  expect(changed(held, news).map(({ alertId, status }) => [alertId, status])).toEqual([
    ['c', 'OPEN'],
    ['a', 'ACKNOWLEDGED'],
  ]);
});

describe('the feed', () => {
  test('puts what is new in front, once', () => {
    const held: Held = { items: items(5, 4), next: '4', cut: false };
    const after = withNews(held, items(4, 5, 6, 7));
    expect(idsOf(after)).toEqual([7, 6, 5, 4]);
    expect(after.next).toBe('4');
    expect(withNews(after, items(6))).toBe(after);
  });

  test('puts older ones behind, once', () => {
    const held: Held = { items: items(5, 4), next: '4', cut: false };
    expect(withOlder(held, { items: items(4, 3, 2), next: '2' })).toEqual({ items: items(5, 4, 3, 2), next: '2', cut: false });
  });

  test('does not grow without end by itself, and forgets where it ended', () => {
    const many = Array.from({ length: MOST_HELD }, (_, i) => MOST_HELD - i);
    const held = withNews({ items: items(...many), next: '1', cut: false }, items(MOST_HELD + 1));
    expect(held.items).toHaveLength(MOST_HELD);
    expect(idsOf(held)[0]).toBe(MOST_HELD + 1);
    expect([held.cut, held.next]).toEqual([true, undefined]);
  });
});

describe('lines', () => {
  test('share one axis; a time of another line is no gap, a missing hour is', () => {
    const a = { times: [0, HOUR, 6 * HOUR], values: [1, 2, 3] };
    const b = { times: [HOUR / 2, 3 * HOUR], values: [8, 9] };
    expect(aligned([a, b])).toEqual([
      [0, 1800, 3600, 10_800, 21_600],
      [1, undefined, 2, null, 3],
      [null, 8, undefined, 9, null],
    ]);
  });

  test('are summed up, and become rows', () => {
    expect(summaryOf({ times: [0, 1], values: [4, 2] })).toEqual({ least: 2, mean: 3, most: 4, last: 2 });
    expect(summaryOf({ times: [], values: [] })).toBeUndefined();
    expect(hourRows([{ times: [0, HOUR], values: [1, 2] }, { times: [HOUR], values: [5] }])).toEqual([
      { time: HOUR, values: [2, 5] },
      { time: 0, values: [1, undefined] },
    ]);
  });
});

describe('outlines', () => {
  test('a zone without a shape is a circle that does not reach the next one', () => {
    const shaped: Zone = { ...zone('c', 'C', 41), shape: { type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] } };
    const outlines = outlinesOf([zone('a', 'A', 40.7, -74), zone('b', 'B', 40.71, -74), shaped]);
    expect(outlines.get('c')).toBe(shaped.shape);
    const ring = outlines.get('a')?.coordinates[0] as [number, number][];
    const radii = ring.map(([longitude, latitude]) => metresBetween({ latitude, longitude }, { latitude: 40.7, longitude: -74 }));
    expect(ring[0]).toEqual(ring.at(-1));
    // 0.01 degrees of latitude are 1112 m.
    for (const radius of radii) expect(radius).toBeCloseTo(0.45 * 1112, -1);
  });

  test('have a box', () => {
    const box = boxOf([circle({ latitude: 0, longitude: 10 }, 111_195)]);
    expect(box?.north).toBeCloseTo(1, 2);
    expect(box?.west).toBeCloseTo(9, 2);
    expect(boxOf([])).toBeUndefined();
  });

  test('tell the map how great the risk is, and whether it is from old data', () => {
    const zones = [zone('a', 'A'), zone('b', 'B', 40.8)];
    const results = new Map([['a', processed(55.4, { risk: { score: 55.4, level: 'HIGH', parts: [] }, freshness: [{ input: 'aqi', state: 'STALE', ts: null, limitSeconds: 1 }] })]]);
    const { areas, names } = featuresOf(byRisk(zones, results, texts.compare), outlinesOf(zones), (score) => texts.number(score));
    expect(areas.features.map(({ properties }) => properties)).toEqual([
      { zoneId: 'a', level: 'HIGH', old: true, label: 'A\n55' },
      { zoneId: 'b', level: 'NONE', old: false, label: 'B' },
    ]);
    expect(names.features[1]?.geometry.coordinates).toEqual([-74, 40.8]);
  });
});

test('a model is summed up over its zones, the one in use first', () => {
  expect(modelsOf([output('net', false, 0.2), output('net', false, null), output('heuristic', true, 0.1), output('heuristic', true, 0.3)])).toEqual([
    { model: 'heuristic', version: '1', chosen: true, zones: 2, meanError: 0.2, problems: 0 },
    { model: 'net', version: '1', chosen: false, zones: 2, meanError: 0.2, problems: 1 },
  ]);
});
