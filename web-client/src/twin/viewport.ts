import type { Box, Kind } from '../api/index.ts';
import { holds, padded } from './geometry.ts';

/** What the feed is asked for. */
export interface Wanted {
  readonly box: Box;
  readonly zoom: number;
  readonly kinds: readonly Kind[];
}

// A little more than is seen, so that a short drag shows no bare edge, and not so much that it costs.
const MARGIN = 0.15;
// What was asked for may be so many times as wide as what is seen; beyond that most of it is of no use.
const WIDEST = 2.2;

/**
 * What to ask for when the map looks at `seen`; the same object as `last` where that still serves.
 *
 * The zoom counts by whole steps: squares and the thinning of roads change with these.
 */
export function wantedFor(last: Wanted | undefined, seen: Box, zoom: number, kinds: readonly Kind[]): Wanted {
  const stays =
    last !== undefined &&
    Math.floor(last.zoom) === Math.floor(zoom) &&
    holds(last.box, seen) &&
    last.box.east - last.box.west <= (seen.east - seen.west) * WIDEST &&
    last.kinds.length === kinds.length &&
    kinds.every((kind) => last.kinds.includes(kind));
  return stays ? last : { box: rounded(padded(seen, MARGIN)), zoom: round(zoom, 2), kinds };
}

/** To about a metre, outwards: an address and a filter that a person can read. */
function rounded({ north, south, east, west }: Box): Box {
  const [down, up] = [(value: number) => Math.floor(value * 1e5) / 1e5, (value: number) => Math.ceil(value * 1e5) / 1e5];
  return { north: Math.min(90, up(north)), south: Math.max(-90, down(south)), east: Math.min(180, up(east)), west: Math.max(-180, down(west)) };
}

export function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
