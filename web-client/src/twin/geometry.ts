import type { Box, TwinEntity } from '../api/index.ts';

/** Longitude and latitude in degrees, in GeoJSON's order. */
export type Position = readonly [longitude: number, latitude: number];

/** Where an entity is: of a district its centre, of a road the middle of its line; undefined where that is unknown. */
export function positionOf(entity: TwinEntity): Position | undefined {
  const { kind, fields } = entity;
  if (kind === 'EDGE') {
    const line = lineOf(entity);
    return line.length > 0 ? middleOf(line) : undefined;
  }
  if (kind === 'DISTRICT') {
    const at = fields['location'] as { centerLatitude: number; centerLongitude: number } | null | undefined;
    return at ? [at.centerLongitude, at.centerLatitude] : undefined;
  }
  const at = (fields['currentLocation'] ?? fields['location']) as { latitude: number; longitude: number } | null | undefined;
  return at ? [at.longitude, at.latitude] : undefined;
}

/** The line of a road; empty where its geometry is no `LineString`, or not of positions alone. */
export function lineOf(edge: TwinEntity): readonly Position[] {
  const geometry = edge.fields['geometry'] as { type?: unknown; coordinates?: unknown } | null | undefined;
  if (geometry?.type !== 'LineString' || !Array.isArray(geometry.coordinates)) return [];
  return geometry.coordinates.every(isPosition) ? geometry.coordinates : [];
}

function isPosition(value: unknown): value is Position {
  return Array.isArray(value) && Number.isFinite(value[0]) && Number.isFinite(value[1]);
}

/** The point half-way along a line. Degrees are taken as a plane: a road is short. */
export function middleOf(line: readonly Position[]): Position {
  const steps = line.slice(1).map((to, i) => Math.hypot(to[0] - line[i]![0], to[1] - line[i]![1]));
  let left = steps.reduce((sum, step) => sum + step, 0) / 2;
  for (const [i, step] of steps.entries()) {
    if (left <= step && step > 0) {
      const [from, to] = [line[i]!, line[i + 1]!];
      const share = left / step;
      return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    }
    left -= step;
  }
  return line[0]!;
}

/** The smallest box that holds both; the other where one is undefined. */
export function union(a: Box | undefined, b: Box): Box {
  if (!a) return b;
  return { north: Math.max(a.north, b.north), south: Math.min(a.south, b.south), east: Math.max(a.east, b.east), west: Math.min(a.west, b.west) };
}

/** A box that is larger by `share` of its width and height on each side, cut off at what a filter accepts. */
export function padded(box: Box, share: number): Box {
  const [height, width] = [box.north - box.south, box.east - box.west];
  return {
    north: Math.min(90, box.north + height * share),
    south: Math.max(-90, box.south - height * share),
    east: Math.min(180, box.east + width * share),
    west: Math.max(-180, box.west - width * share),
  };
}

/** Whether `outer` holds all of `inner`. */
export function holds(outer: Box, inner: Box): boolean {
  return outer.north >= inner.north && outer.south <= inner.south && outer.east >= inner.east && outer.west <= inner.west;
}

/** A box of some metres around a point, so that a filter chooses what stands just there. */
export function around([longitude, latitude]: Position): Box {
  const margin = 0.0001;
  return { north: latitude + margin, south: latitude - margin, east: longitude + margin, west: longitude - margin };
}

/** The boundaries of a district, where it has any. */
export function boundariesOf(district: TwinEntity): Box | undefined {
  const location = district.fields['location'] as { boundaries?: Box | null } | null | undefined;
  return location?.boundaries ?? undefined;
}
