import type { Feature, FeatureCollection, MultiPolygon, Point, Polygon } from 'geojson';
import type { Zone } from '../api/cityLive.ts';
import type { Box } from '../api/index.ts';
import type { JudgedZone } from './describe.ts';

const EARTH_RADIUS_M = 6_371_000;
const CORNERS = 48;
/** Of a zone of which only the centre is known. */
const LEAST_RADIUS_M = 250;
const MOST_RADIUS_M = 2500;

type Place = Zone['centre'];

/** The outline of each zone: its own, or a circle that reaches nearly half-way to the next centre. */
export function outlinesOf(zones: readonly Zone[]): ReadonlyMap<string, Polygon | MultiPolygon> {
  return new Map(zones.map((zone) => [zone.zoneId, isArea(zone.shape) ? zone.shape : circle(zone.centre, radiusOf(zone, zones))]));
}

function isArea(shape: unknown): shape is Polygon | MultiPolygon {
  const type = (shape as { readonly type?: unknown } | null)?.type;
  return type === 'Polygon' || type === 'MultiPolygon';
}

function radiusOf(zone: Zone, zones: readonly Zone[]): number {
  const distances = zones.filter((other) => other.zoneId !== zone.zoneId).map((other) => metresBetween(zone.centre, other.centre));
  return Math.min(MOST_RADIUS_M, Math.max(LEAST_RADIUS_M, 0.45 * Math.min(...distances, Number.POSITIVE_INFINITY)));
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;
const degrees = (value: number) => (value * 180) / Math.PI;

/** Over the ground, taken as a plane: zones of a city are near to each other. */
export function metresBetween(a: Place, b: Place): number {
  const north = radians(b.latitude - a.latitude);
  const east = radians(b.longitude - a.longitude) * Math.cos(radians((a.latitude + b.latitude) / 2));
  return EARTH_RADIUS_M * Math.hypot(north, east);
}

export function circle({ latitude, longitude }: Place, radiusM: number): Polygon {
  const [up, right] = [degrees(radiusM / EARTH_RADIUS_M), degrees(radiusM / EARTH_RADIUS_M / Math.cos(radians(latitude)))];
  const ring = Array.from({ length: CORNERS }, (_, i) => {
    const angle = (2 * Math.PI * i) / CORNERS;
    return [longitude + right * Math.cos(angle), latitude + up * Math.sin(angle)];
  });
  return { type: 'Polygon', coordinates: [[...ring, ring[0]!]] };
}

/** The box around all outlines; undefined where there is none. */
export function boxOf(outlines: Iterable<Polygon | MultiPolygon>): Box | undefined {
  let box: Box | undefined;
  for (const outline of outlines) {
    const rings = outline.type === 'Polygon' ? outline.coordinates : outline.coordinates.flat();
    for (const [longitude, latitude] of rings.flat() as [number, number][]) {
      box = box
        ? { north: Math.max(box.north, latitude), south: Math.min(box.south, latitude), east: Math.max(box.east, longitude), west: Math.min(box.west, longitude) }
        : { north: latitude, south: latitude, east: longitude, west: longitude };
    }
  }
  return box;
}

/** What the map draws of a zone. */
export interface ZoneProperties {
  readonly zoneId: string;
  /** `LOW` to `SEVERE`, `UNKNOWN`, or `NONE` before there is a result. */
  readonly level: string;
  /** Whether it was computed from old data. */
  readonly old: boolean;
  readonly label: string;
}

/** The zones as the map takes them: areas, and points that carry the names. */
export function featuresOf(
  judged: readonly JudgedZone[],
  outlines: ReadonlyMap<string, Polygon | MultiPolygon>,
  score: (score: number) => string,
): { readonly areas: FeatureCollection<Polygon | MultiPolygon, ZoneProperties>; readonly names: FeatureCollection<Point, ZoneProperties> } {
  const areas: Feature<Polygon | MultiPolygon, ZoneProperties>[] = [];
  const names: Feature<Point, ZoneProperties>[] = [];
  for (const { zone, result } of judged) {
    const geometry = outlines.get(zone.zoneId);
    if (!geometry) continue;
    const properties = {
      zoneId: zone.zoneId,
      level: result?.risk.level ?? 'NONE',
      old: result?.freshness.some(({ state }) => state === 'STALE') ?? false,
      label: result && result.risk.level !== 'UNKNOWN' ? `${zone.name}\n${score(result.risk.score)}` : zone.name,
    };
    areas.push({ type: 'Feature', geometry, properties });
    names.push({ type: 'Feature', geometry: { type: 'Point', coordinates: [zone.centre.longitude, zone.centre.latitude] }, properties });
  }
  return { areas: { type: 'FeatureCollection', features: areas }, names: { type: 'FeatureCollection', features: names } };
}
