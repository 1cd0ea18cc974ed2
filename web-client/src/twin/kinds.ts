import type { Kind } from '../api/index.ts';

/** All kinds that the map shows, what lies below first. */
export const DRAWN_KINDS = ['EDGE', 'NODE', 'BUILDING', 'SENSOR', 'WEATHER_STATION', 'STATION', 'BUS', 'UNIT', 'INCIDENT'] as const satisfies readonly Kind[];

/** A kind that has a layer of its own. */
export type DrawnKind = (typeof DRAWN_KINDS)[number];

/** A kind that is drawn as a point. */
export type PointKind = Exclude<DrawnKind, 'EDGE'>;

/** All kinds that are drawn as points, what lies below first. */
export const POINT_KINDS: readonly PointKind[] = DRAWN_KINDS.filter((kind): kind is PointKind => kind !== 'EDGE');

/** As lists name them: what a person looks for first comes first. */
export const LISTED_KINDS: readonly DrawnKind[] = ['INCIDENT', 'UNIT', 'BUS', 'STATION', 'SENSOR', 'WEATHER_STATION', 'BUILDING', 'EDGE', 'NODE'];

/** The kinds that move. */
export function moves(kind: Kind): boolean {
  return kind === 'BUS' || kind === 'UNIT';
}

const PREFIXES: Record<string, Kind> = {
  district: 'DISTRICT',
  sensor: 'SENSOR',
  building: 'BUILDING',
  'weather-station': 'WEATHER_STATION',
  node: 'NODE',
  edge: 'EDGE',
  bus: 'BUS',
  station: 'STATION',
  incident: 'INCIDENT',
  unit: 'UNIT',
};

/** What a global id says: its kind, its district where the kind has one there, and the entity's own id. */
export interface IdParts {
  readonly kind: Kind;
  readonly district?: string;
  readonly ownId: string;
}

/** Reads `sensor/<district>/<id>` or `bus/<id>`; undefined for what is no global id. */
export function partsOf(id: string): IdParts | undefined {
  const [prefix = '', ...parts] = id.split('/');
  const kind = PREFIXES[prefix];
  const [first, second] = parts.map(decoded);
  if (!kind || !first || parts.length > 2) return undefined;
  return second === undefined ? { kind, ownId: first } : { kind, district: first, ownId: second };
}

/** The global id of a kind that has one without a district. */
export function cityWideId(kind: 'DISTRICT' | 'BUS' | 'STATION' | 'INCIDENT' | 'UNIT' | 'NODE' | 'EDGE', ownId: string): string {
  return `${kind.toLowerCase()}/${encodeURIComponent(ownId)}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
