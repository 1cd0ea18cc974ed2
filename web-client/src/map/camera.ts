import type { Box } from '../api/index.ts';
import type { Position } from '../twin/geometry.ts';
import { latitudeOf, longitudeOf, mercatorX, mercatorY, TILE_SIZE } from './mercator.ts';
import type { Insets, View } from './twinMap.ts';

/** In CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where the map looks, and how much of it there is. */
export interface Camera {
  readonly centre: Position;
  readonly zoom: number;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** The place of the map under a place of the screen (CSS pixels), in Mercator units. */
export function placeAt({ centre, zoom, width, height }: Camera, at: { readonly x: number; readonly y: number }): { readonly x: number; readonly y: number } {
  const world = TILE_SIZE * 2 ** zoom;
  return { x: mercatorX(centre[0]) + (at.x - width / 2) / world, y: mercatorY(centre[1]) + (at.y - height / 2) / world };
}

/** As near as the page goes by itself: one street in view. */
export const NEAREST = 17;

/** The view in which all of a box is seen beside what panels cover: that of MapLibre's `fitBounds`, known before there is a map. */
export function viewOf({ north, south, east, west }: Box, { width, height }: Size, { top, bottom, left, right }: Insets): View {
  const [x, y] = [(mercatorX(west) + mercatorX(east)) / 2, (mercatorY(north) + mercatorY(south)) / 2];
  const [across, down] = [mercatorX(east) - mercatorX(west), mercatorY(south) - mercatorY(north)];
  const scale = Math.min(Math.max(1, width - left - right) / across, Math.max(1, height - top - bottom) / down);
  const zoom = Math.max(0, Math.min(NEAREST, Math.log2(scale / TILE_SIZE)));
  const world = TILE_SIZE * 2 ** zoom;
  return { centre: [longitudeOf(x + (right - left) / 2 / world), latitudeOf(y + (bottom - top) / 2 / world)], zoom };
}

/** What a map of this size shows. */
export function boxOf({ centre: [longitude, latitude], zoom }: View, { width, height }: Size): Box {
  const world = TILE_SIZE * 2 ** zoom;
  const [x, y] = [mercatorX(longitude), mercatorY(latitude)];
  const [across, down] = [width / 2 / world, height / 2 / world];
  return { north: latitudeOf(y - down), south: latitudeOf(y + down), east: longitudeOf(x + across), west: longitudeOf(x - across) };
}
