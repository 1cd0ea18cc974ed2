import type { Position } from '../twin/geometry.ts';
import { type Camera, placeAt } from './camera.ts';
import { mercatorX, mercatorY, TILE_SIZE } from './mercator.ts';
import { LINE } from './webgl.ts';

/** Numbers of one stretch in `ways`: x and y of both ends, then for each end which way is to the right of it. */
export const STRIDE = 8;

/** Ranks of roads, the main ones first. */
export const RANKS = [0, 1, 2, 3] as const;
export type Rank = (typeof RANKS)[number];

/** How important a class of road is, from 0; the classes are OpenStreetMap's. */
export function rankOf(roadClass: string | undefined): Rank {
  switch (roadClass?.replace(/_link$/, '')) {
    case 'motorway':
    case 'trunk':
    case 'primary':
      return 0;
    case 'secondary':
      return 1;
    case 'tertiary':
      return 2;
    default:
      return 3;
  }
}

/** From this level of congestion on a road is busy: heavy traffic, or a jam. It is drawn above the others, and so much wider. */
export const BUSY = 2;
export const BUSY_WIDTH = 1.45;

/** A corner that turns more than this (the cosine of 120°) is not drawn out to a point. */
const SHARPEST = -0.5;

/** How a road of a rank is drawn, in CSS pixels. */
export interface Pen {
  readonly width: number;
  /** So far to the right of its line. */
  readonly offset: number;
}

/** Some rows of a rank: a road's, or all. */
export interface Rows {
  readonly rank: Rank;
  readonly first: number;
  readonly length: number;
}

/** The stretches of all roads of a rank, ready for the graphics card: a row for each. */
export class Bucket {
  ways = new Float32Array(LINE * STRIDE);
  /** How congested each is: its road's index in `CONGESTION_LEVELS`, -1 where that is not known. */
  levels = new Int8Array(LINE);
  count = 0;
  /** How many of them are busy. */
  busy = 0;
  /** Whether they, or only their levels, differ from what the graphics card has. */
  moved = true;
  coloured = true;
  readonly rank: Rank;
  readonly roads = new Map<string, Rows>();
  /** Rows of roads that are gone. */
  #gone = 0;

  constructor(rank: Rank) {
    this.rank = rank;
  }

  add(id: string, rows: readonly number[], level: number): void {
    const length = rows.length / STRIDE;
    // What is not seen is not drawn, which would pack it.
    if (this.count + length > this.levels.length) this.pack();
    this.#makeRoom(this.count + length);
    this.ways.set(rows, this.count * STRIDE);
    this.levels.fill(level, this.count, this.count + length);
    if (level >= BUSY) this.busy += length;
    this.roads.set(id, { rank: this.rank, first: this.count, length });
    this.count += length;
    this.moved = true;
  }

  remove(id: string): void {
    const road = this.roads.get(id);
    if (!road) return;
    this.colour(road, -1);
    this.roads.delete(id);
    this.#gone += road.length;
    this.moved = true;
  }

  /** Whether that is news. */
  colour({ first, length }: Rows, level: number): boolean {
    const before = this.levels[first]!;
    if (before === level) return false;
    this.levels.fill(level, first, first + length);
    this.busy += (Number(level >= BUSY) - Number(before >= BUSY)) * length;
    this.coloured = true;
    return true;
  }

  /** Closes the gaps of roads that are gone. */
  pack(): void {
    if (this.#gone === 0) return;
    let count = 0;
    // In the order of their rows, so that none is written over before it was moved.
    for (const [id, rows] of this.roads) {
      const { first, length } = rows;
      this.ways.copyWithin(count * STRIDE, first * STRIDE, (first + length) * STRIDE);
      this.levels.copyWithin(count, first, first + length);
      if (first !== count) this.roads.set(id, { ...rows, first: count });
      count += length;
    }
    this.count = count;
    this.#gone = 0;
  }

  #makeRoom(rows: number): void {
    if (rows <= this.levels.length) return;
    const room = Math.ceil(Math.max(rows, this.levels.length * 2) / LINE) * LINE;
    const [ways, levels] = [new Float32Array(room * STRIDE), new Int8Array(room)];
    ways.set(this.ways);
    levels.set(this.levels);
    this.ways = ways;
    this.levels = levels;
  }
}

/**
 * The roads of a map as columns of numbers, ready for the graphics card.
 *
 * A road is its stretches from bend to bend, each a row in the bucket of its rank. What changes with traffic stands in a column of
 * its own, a byte a row, so that a change of it moves no geometry.
 */
export class RoadColumns {
  readonly buckets: readonly Bucket[] = RANKS.map((rank) => new Bucket(rank));
  readonly #ranks = new Map<string, Rank>();
  /** Where positions are counted from, so that 32 bits hold them to a hundredth of a pixel at any zoom: where the first road begins. */
  origin: { readonly x: number; readonly y: number } | undefined;

  get count(): number {
    return this.#ranks.size;
  }

  has(id: string): boolean {
    return this.#ranks.has(id);
  }

  /** Puts a road there, in place of what it was; a line of less than two points is none. */
  set(id: string, line: readonly Position[], rank: Rank, level: number): void {
    this.remove(id);
    if (line.length < 2) return;
    const points = line.map(([longitude, latitude]) => ({ x: mercatorX(longitude), y: mercatorY(latitude) }));
    this.origin ??= points[0]!;
    this.buckets[rank]!.add(id, rowsOf(points, this.origin), level);
    this.#ranks.set(id, rank);
  }

  /** Says how congested a road is. Whether that is news. */
  colour(id: string, level: number): boolean {
    const rank = this.#ranks.get(id);
    if (rank === undefined) return false;
    const bucket = this.buckets[rank]!;
    return bucket.colour(bucket.roads.get(id)!, level);
  }

  remove(id: string): boolean {
    const rank = this.#ranks.get(id);
    if (rank === undefined) return false;
    this.buckets[rank]!.remove(id);
    return this.#ranks.delete(id);
  }

  /** Where a road stands in its bucket, until one is removed. */
  rows(id: string | undefined): Rows | undefined {
    const rank = id === undefined ? undefined : this.#ranks.get(id);
    if (rank === undefined) return undefined;
    this.buckets[rank]!.pack();
    return this.buckets[rank]!.roads.get(id!);
  }

  /**
   * The road whose edge is nearest to a place of the screen, if it is within `reach`; both in CSS pixels. Of those that lie there it is
   * the one that is drawn above the others.
   */
  nearest(at: { readonly x: number; readonly y: number }, camera: Camera, reach: number, penAt: (zoom: number, rank: Rank) => Pen): string | undefined {
    if (!this.origin) return undefined;
    const { zoom } = camera;
    const scale = TILE_SIZE * 2 ** zoom;
    const place = placeAt(camera, at);
    const [atX, atY] = [place.x - this.origin.x, place.y - this.origin.y];
    let found: { readonly id: string; readonly rank: Rank; readonly distance: number; readonly isBusy: boolean } | undefined;
    for (const rank of RANKS) {
      const { ways, levels, roads } = this.buckets[rank]!;
      const { width, offset } = penAt(zoom, rank);
      // Corners reach further to the side than `offset`, twice as far at most.
      const far = (reach + (width * BUSY_WIDTH) / 2 + 2 * offset) / scale;
      for (const [id, { first, length }] of roads) {
        const isBusy = levels[first]! >= BUSY;
        const edge = (isBusy ? width * BUSY_WIDTH : width) / 2;
        for (let i = first * STRIDE; i < (first + length) * STRIDE; i += STRIDE) {
          const [fromX, fromY, toX, toY] = [ways[i]! - atX, ways[i + 1]! - atY, ways[i + 2]! - atX, ways[i + 3]! - atY];
          if (Math.min(fromX, toX) > far || Math.max(fromX, toX) < -far || Math.min(fromY, toY) > far || Math.max(fromY, toY) < -far) continue;
          const distance = distanceTo(
            fromX * scale + ways[i + 4]! * offset,
            fromY * scale + ways[i + 5]! * offset,
            toX * scale + ways[i + 6]! * offset,
            toY * scale + ways[i + 7]! * offset,
          );
          const away = Math.max(0, distance - edge);
          if (away >= reach) continue;
          // The main ones come first, and of one rank the last is drawn above the others.
          const isAbove = !found || isBusy !== found.isBusy ? isBusy : found.rank === rank;
          if (!found || away < found.distance || (away === found.distance && isAbove)) found = { id, rank, distance: away, isBusy };
        }
      }
    }
    return found?.id;
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The rows of a line: at each bend both stretches end at the same place, also where they are drawn to the right of it. */
function rowsOf(points: readonly Point[], origin: Point): readonly number[] {
  const rights = points.slice(1).map((to, i) => rightOf(points[i]!, to));
  const bends = points.map((_, i) => [bend(rights[i], rights[i - 1]), bend(rights[i - 1], rights[i])] as const);
  return rights.flatMap((_, i) => {
    const [from, to] = [points[i]!, points[i + 1]!];
    // Of a bend that is too sharp each stretch has its own side.
    const [[begin], [, end]] = [bends[i]!, bends[i + 1]!];
    return [from.x - origin.x, from.y - origin.y, to.x - origin.x, to.y - origin.y, begin.x, begin.y, end.x, end.y];
  });
}

/** One to the right of who goes from one point to the other; y grows to the south. */
function rightOf(from: Point, to: Point): Point {
  const [x, y] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(x, y);
  return length === 0 ? { x: 0, y: 0 } : { x: -y / length, y: x / length };
}

/** Which way is to the right at the end of a stretch whose right is `own`, where one with another right goes on. */
function bend(own: Point | undefined, other: Point | undefined): Point {
  if (!own || !other) return own ?? other ?? { x: 0, y: 0 };
  const cosine = own.x * other.x + own.y * other.y;
  if (cosine < SHARPEST) return own;
  return { x: (own.x + other.x) / (1 + cosine), y: (own.y + other.y) / (1 + cosine) };
}

/** How far the origin is from a stretch. */
function distanceTo(fromX: number, fromY: number, toX: number, toY: number): number {
  const [x, y] = [toX - fromX, toY - fromY];
  const square = x * x + y * y;
  const share = square === 0 ? 0 : Math.max(0, Math.min(1, -(fromX * x + fromY * y) / square));
  return Math.hypot(fromX + x * share, fromY + y * share);
}
