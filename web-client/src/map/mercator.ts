/** Web Mercator on a square from 0 to 1: x grows to the east, y to the south. */

// Where the square ends: arctan(sinh(π)) in degrees.
const LAST_LATITUDE = 85.051129;

/** CSS pixels of the whole world at zoom 0, as MapLibre counts. */
export const TILE_SIZE = 512;

export function mercatorX(longitude: number): number {
  return (longitude + 180) / 360;
}

export function mercatorY(latitude: number): number {
  const radians = (Math.max(-LAST_LATITUDE, Math.min(LAST_LATITUDE, latitude)) * Math.PI) / 180;
  return (1 - Math.log(Math.tan(Math.PI / 4 + radians / 2)) / Math.PI) / 2;
}

export function longitudeOf(x: number): number {
  return x * 360 - 180;
}

export function latitudeOf(y: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
}

/** Metres of one CSS pixel. */
export function metresPerPixel(latitude: number, zoom: number): number {
  const earth = 40_075_016.7;
  return (earth * Math.cos((latitude * Math.PI) / 180)) / (TILE_SIZE * 2 ** zoom);
}
