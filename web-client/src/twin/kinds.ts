import { type IdParts, type Kind, partsOf } from '../api/index.ts';

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

/** What a global id says; undefined for what is none: an address may hold anything. */
export function idParts(id: string): IdParts | undefined {
  try {
    const parts = partsOf(id);
    return parts.ownId === '' ? undefined : parts;
  } catch {
    return undefined;
  }
}

/** The global id of a kind that has one without a district. */
export function cityWideId(kind: 'DISTRICT' | 'BUS' | 'STATION' | 'INCIDENT' | 'UNIT' | 'NODE' | 'EDGE', ownId: string): string {
  return `${kind.toLowerCase()}/${encodeURIComponent(ownId)}`;
}
