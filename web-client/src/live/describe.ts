import type { Freshness, LiveFreshnessState, LiveRiskLevel, Processed, Raw, Zone } from '../api/cityLive.ts';
import type { Say } from '../i18n/live.ts';
import type { Texts } from '../i18n/texts.ts';
import { type Palette, RISK_LEVELS } from '../map/palette.ts';

/** What a zone is judged by, in the order in which the pages show it. */
export const INPUTS = ['weather', 'aqi', 'traffic', 'power', 'calls311'] as const;
export type Input = (typeof INPUTS)[number];

/** A value with what it is and its unit. */
export interface Row {
  readonly label: string;
  readonly value: string;
}

/** The unit that the end of a name tells, as in `temperature_c`; the longest first. */
const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ['_ugm3', 'µg/m³'],
  ['_kmh', 'km/h'],
  ['_mwh', 'MWh'],
  ['_hpa', 'hPa'],
  ['_pct', '%'],
  ['_deg', '°'],
  ['_mm', 'mm'],
  ['_ms', 'm/s'],
  ['_c', '°C'],
  ['_s', 's'],
];

/** The unit in a name, and the name without it. */
export function unitOf(name: string): { readonly base: string; readonly unit: string } {
  const [ending, unit] = UNITS.find(([each]) => name.endsWith(each)) ?? ['', ''];
  return { base: name.slice(0, name.length - ending.length), unit };
}

/** A number with so many decimals as its size needs, and its unit. */
export function quantity(value: number, unit: string, texts: Texts): string {
  const size = Math.abs(value);
  const text = texts.number(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return unit === '' ? text : unit === '°' || unit === '%' ? `${text}${unit === '%' ? ' %' : '°'}` : `${text} ${unit}`;
}

/** A feature's value in words: shares of 1 as percent, all else in the unit of its name. */
export function featureText(name: string, value: number, texts: Texts): string {
  return name.endsWith('_ratio') ? texts.percent(value) : quantity(value, unitOf(name).unit, texts);
}

/** A message's payload as rows: what it names in its units, without what is a list. */
export function payloadRows(payload: unknown, say: Say, texts: Texts): readonly Row[] {
  if (typeof payload !== 'object' || payload === null) return [];
  return Object.entries(payload).flatMap(([name, value]): Row[] => {
    if (name === 'type') return [];
    const { base, unit } = unitOf(name);
    const label = say.word('feature', say.word('feature', name) === name.replaceAll('_', ' ') ? base : name);
    if (typeof value === 'number') return [{ label, value: quantity(value, unit, texts) }];
    if (typeof value === 'boolean') return [{ label, value: say(value ? 'value.yes' : 'value.no') }];
    return typeof value === 'string' && value !== '' ? [{ label, value }] : [];
  });
}

/** What is known of one input now. */
export interface InputState {
  readonly input: Input;
  readonly rows: readonly Row[];
  readonly source?: string;
  readonly simulated: boolean;
  /** When it was measured, in Unix milliseconds. */
  readonly ts?: number;
  readonly state: LiveFreshnessState;
  /** Beyond this many seconds it is stale. */
  readonly limitSeconds?: number;
  /** Whether it is the city's value, for want of one of the zone's own. */
  readonly wholeCity: boolean;
}

/** The latest values of a zone, one entry for each input, those that are missing as well. */
export function inputStates(raw: Raw | undefined, freshness: readonly Freshness[], now: number, say: Say, texts: Texts): readonly InputState[] {
  return INPUTS.map((input): InputState => {
    const value = raw?.[input] ?? undefined;
    const limitSeconds = freshness.find((each) => each.input === input)?.limitSeconds;
    const limit = limitSeconds === undefined ? {} : { limitSeconds };
    if (!value) return { input, rows: [], simulated: false, state: 'MISSING', wholeCity: false, ...limit };
    const ts = Date.parse(value.ts);
    const isOld = limitSeconds !== undefined && now - ts > limitSeconds * 1000;
    return {
      input,
      rows: rowsOf(input, raw as Raw, say, texts),
      source: value.source,
      simulated: value.simulated,
      ts,
      // No call is good news and not an old value: how old the last one is says nothing.
      state: isOld && input !== 'calls311' ? 'STALE' : 'FRESH',
      wholeCity: 'wholeCity' in value && value.wholeCity,
      ...limit,
    };
  });
}

function rowsOf(input: Input, { weather, aqi, traffic, power, calls311 }: Raw, say: Say, texts: Texts): readonly Row[] {
  const row = (name: string, value: number | null | undefined, unit: string): Row[] =>
    value === null || value === undefined ? [] : [{ label: say.word('feature', name), value: quantity(value, unit, texts) }];
  switch (input) {
    case 'weather':
      return [
        ...row('temperature', weather?.temperature, '°C'),
        ...row('apparent_temperature', weather?.apparentTemperature, '°C'),
        ...row('humidity', weather?.humidity, '%'),
        ...row('wind_speed', weather?.windSpeed, 'm/s'),
        ...row('wind_direction', weather?.windDirection, '°'),
        ...row('precipitation', weather?.precipitation, 'mm'),
        ...row('pressure', weather?.pressure, 'hPa'),
      ];
    case 'aqi':
      return [
        ...row('us_aqi', aqi?.usAqi, ''),
        ...row('european_aqi', aqi?.europeanAqi, ''),
        ...row('pm2_5', aqi?.pm25, 'µg/m³'),
        ...row('pm10', aqi?.pm10, 'µg/m³'),
        ...row('no2', aqi?.no2, 'µg/m³'),
        ...row('o3', aqi?.o3, 'µg/m³'),
        ...row('so2', aqi?.so2, 'µg/m³'),
        ...row('co', aqi?.co, 'µg/m³'),
      ];
    case 'traffic':
      return [
        ...row('current_speed', traffic?.currentSpeed, 'km/h'),
        ...row('free_flow_speed', traffic?.freeFlowSpeed, 'km/h'),
        ...(traffic?.roadClosure ? [{ label: say.word('feature', 'road_closure'), value: say('value.yes') }] : []),
      ];
    case 'power':
      return [...row('demand', power?.demand, 'MWh'), ...row('forecast', power?.demandForecast, 'MWh')];
    default:
      return [
        ...row('calls_311', calls311?.count, ''),
        ...(calls311?.byType.slice(0, 4).map(({ type, count }) => ({ label: type, value: texts.number(count) })) ?? []),
      ];
  }
}

/** What of a city's inputs is missing or old, by how many zones; only what is not as it should be. */
export interface Trouble {
  readonly input: string;
  readonly missing: number;
  readonly stale: number;
}

export function troublesOf(results: Iterable<Processed>): readonly Trouble[] {
  const counts = new Map<string, { missing: number; stale: number }>();
  for (const { freshness } of results) {
    for (const { input, state } of freshness) {
      const count = counts.get(input) ?? { missing: 0, stale: 0 };
      counts.set(input, count);
      if (state === 'MISSING') count.missing += 1;
      if (state === 'STALE') count.stale += 1;
    }
  }
  return [...counts].map(([input, count]) => ({ input, ...count })).filter(({ missing, stale }) => missing > 0 || stale > 0);
}

/** The inputs of a result that were older than they should be. */
export function staleInputs({ freshness }: Processed): readonly Freshness[] {
  return freshness.filter(({ state }) => state === 'STALE');
}

/** A zone with what is made of it. */
export interface JudgedZone {
  readonly zone: Zone;
  readonly result: Processed | undefined;
}

/** The zones with their results, the greatest risk first; those without one last. */
export function byRisk(zones: readonly Zone[], results: ReadonlyMap<string, Processed> | undefined, compare: (a: string, b: string) => number): readonly JudgedZone[] {
  return zones
    .map((zone) => ({ zone, result: results?.get(zone.zoneId) }))
    .toSorted((a, b) => (b.result?.risk.score ?? -1) - (a.result?.risk.score ?? -1) || compare(a.zone.name, b.zone.name));
}

/** The colour of a level. */
export function colourOf(palette: Palette, level: LiveRiskLevel): string {
  return level === 'UNKNOWN' ? palette.quiet : palette.risk[RISK_LEVELS.indexOf(level)]!;
}

/** A piece of advice, and the zones that it is for, each with its reason. */
export interface Advice {
  readonly rule: string;
  readonly priority: number;
  readonly text: string;
  readonly zones: readonly { readonly zone: Zone; readonly reason: string }[];
}

/** What is advised in all zones, the most urgent first; what is advised in several of them stands once. */
export function adviceOf(judged: readonly JudgedZone[]): readonly Advice[] {
  const found = new Map<string, Advice & { readonly zones: { zone: Zone; reason: string }[] }>();
  for (const { zone, result } of judged) {
    for (const { rule, priority, text, reason } of result?.recommendations ?? []) {
      const key = JSON.stringify([priority, rule, text]);
      const advice = found.get(key) ?? { rule, priority, text, zones: [] };
      found.set(key, advice);
      advice.zones.push({ zone, reason });
    }
  }
  return [...found.values()].toSorted((a, b) => a.priority - b.priority || b.zones.length - a.zones.length);
}
