import { latitudeOf, longitudeOf, mercatorX, mercatorY } from './mercator.ts';
import type { Position } from '../twin/geometry.ts';
import { LINE } from './webgl.ts';

/** Numbers of one point in `data`: from x and y, to x and y, start and length of the glide, heading and turn, sprite, three of nothing. */
export const STRIDE = 12;
const FROM_X = 0;
const FROM_Y = 1;
const TO_X = 2;
const TO_Y = 3;
const START = 4;
const LENGTH = 5;
const HEADING = 6;
const TURN = 7;
const SPRITE = 8;

// A mover arrives when its next message is due. Longer than this it would only lag behind; shorter it would jerk.
const SHORTEST_GLIDE_S = 0.25;
const LONGEST_GLIDE_S = 3;
const FIRST_GLIDE_S = 1;

// About 1.5 km in the middle latitudes: what goes so far at once did not drive there.
const LEAP = 5e-5;

/** Where things are counted from, so that 32 bits hold a position to a hundredth of a pixel at any zoom. */
export interface Origin {
  readonly x: number;
  readonly y: number;
  /** Milliseconds of `performance.now()`. */
  readonly time: number;
}

export interface Placement {
  readonly at: Position;
  /** Degrees clockwise from north. */
  readonly heading: number;
  readonly sprite: number;
}

/**
 * The points of one kind as columns of numbers, ready for the graphics card.
 *
 * A point that moves has two places and a time: the shader works out where it is in between, so that gliding costs no
 * script. `rows` are packed: where one leaves, the last takes its place.
 */
export class PointColumns {
  data = new Float32Array(LINE * STRIDE);
  count = 0;
  /** Rows from `dirtyFrom` up to `dirtyTo` differ from what the graphics card has. */
  dirtyFrom = 0;
  dirtyTo = 0;
  /** When the last glide ends, in seconds after the origin's time. */
  gliding = Number.NEGATIVE_INFINITY;

  readonly #origin: Origin;
  readonly #glides: boolean;
  readonly #rows = new Map<string, number>();
  readonly #ids: string[] = [];
  #heardAt = new Float64Array(LINE);

  constructor(origin: Origin, glides: boolean) {
    this.#origin = origin;
    this.#glides = glides;
  }

  has(id: string): boolean {
    return this.#rows.has(id);
  }

  ids(): readonly string[] {
    return this.#ids;
  }

  /** Puts a point there, or makes it glide there from where it is now. `now` is `performance.now()`. */
  set(id: string, { at, heading, sprite }: Placement, now: number, still = false): void {
    const x = mercatorX(at[0]) - this.#origin.x;
    const y = mercatorY(at[1]) - this.#origin.y;
    const seconds = (now - this.#origin.time) / 1000;
    const known = this.#rows.get(id);
    const row = known ?? this.#append(id);
    const { data } = this;
    const i = row * STRIDE;
    this.#touch(row);
    data[i + SPRITE] = sprite;
    if (known === undefined || !this.#glides || still || far(data[i + TO_X]! - x, data[i + TO_Y]! - y)) {
      data.set([x, y, x, y, seconds, 0, heading, 0], i);
      this.#heardAt[row] = known === undefined ? Number.NaN : seconds;
      return;
    }
    if (data[i + TO_X] === Math.fround(x) && data[i + TO_Y] === Math.fround(y)) {
      // It has news, but not of its place: an earlier glide goes on.
      if (this.#share(i, seconds) < 1) return;
      data[i + HEADING] = heading;
      data[i + TURN] = 0;
      return;
    }
    const share = this.#share(i, seconds);
    const fromX = data[i + FROM_X]! + (data[i + TO_X]! - data[i + FROM_X]!) * share;
    const fromY = data[i + FROM_Y]! + (data[i + TO_Y]! - data[i + FROM_Y]!) * share;
    const fromHeading = data[i + HEADING]! + data[i + TURN]! * share;
    const gap = seconds - this.#heardAt[row]!;
    const length = Number.isNaN(gap) ? FIRST_GLIDE_S : Math.max(SHORTEST_GLIDE_S, Math.min(LONGEST_GLIDE_S, gap));
    data.set([fromX, fromY, x, y, seconds, length, fromHeading, turn(fromHeading, heading)], i);
    this.#heardAt[row] = seconds;
    this.gliding = Math.max(this.gliding, seconds + length);
  }

  remove(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    const last = this.count - 1;
    if (row !== last) {
      this.data.copyWithin(row * STRIDE, last * STRIDE, (last + 1) * STRIDE);
      this.#heardAt[row] = this.#heardAt[last]!;
      const moved = this.#ids[last]!;
      this.#ids[row] = moved;
      this.#rows.set(moved, row);
      this.#touch(row);
    }
    this.#ids.pop();
    this.count = last;
  }

  clear(): void {
    this.#rows.clear();
    this.#ids.length = 0;
    this.count = 0;
  }

  /** Where a point is now, glide and all, and where it heads. */
  place(id: string, now: number): { readonly at: Position; readonly heading: number; readonly sprite: number } | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    const i = row * STRIDE;
    const [x, y] = this.#now(i, (now - this.#origin.time) / 1000);
    return {
      at: [longitudeOf(x + this.#origin.x), latitudeOf(y + this.#origin.y)],
      heading: this.data[i + HEADING]! + this.data[i + TURN]!,
      sprite: this.data[i + SPRITE]!,
    };
  }

  /** The point nearest to a place in Mercator units and its distance, if it is within `radius`. */
  nearest(x: number, y: number, radius: number, now: number): { readonly id: string; readonly distance: number } | undefined {
    const seconds = (now - this.#origin.time) / 1000;
    const [wantedX, wantedY] = [x - this.#origin.x, y - this.#origin.y];
    let best = radius;
    let row = -1;
    for (let each = 0; each < this.count; each += 1) {
      const [atX, atY] = this.#now(each * STRIDE, seconds);
      const distance = Math.hypot(atX - wantedX, atY - wantedY);
      if (distance < best) [best, row] = [distance, each];
    }
    return row < 0 ? undefined : { id: this.#ids[row]!, distance: best };
  }

  #now(i: number, seconds: number): readonly [number, number] {
    const { data } = this;
    const share = this.#share(i, seconds);
    return [
      data[i + FROM_X]! + (data[i + TO_X]! - data[i + FROM_X]!) * share,
      data[i + FROM_Y]! + (data[i + TO_Y]! - data[i + FROM_Y]!) * share,
    ];
  }

  #share(i: number, seconds: number): number {
    const length = this.data[i + LENGTH]!;
    return length === 0 ? 1 : Math.max(0, Math.min(1, (seconds - this.data[i + START]!) / length));
  }

  #append(id: string): number {
    const row = this.count;
    if ((row + 1) * STRIDE > this.data.length) {
      const data = new Float32Array(this.data.length * 2);
      data.set(this.data);
      this.data = data;
      const heardAt = new Float64Array(this.#heardAt.length * 2);
      heardAt.set(this.#heardAt);
      this.#heardAt = heardAt;
    }
    this.count += 1;
    this.#rows.set(id, row);
    this.#ids[row] = id;
    return row;
  }

  #touch(row: number): void {
    if (this.dirtyFrom === this.dirtyTo) {
      this.dirtyFrom = row;
      this.dirtyTo = row + 1;
      return;
    }
    this.dirtyFrom = Math.min(this.dirtyFrom, row);
    this.dirtyTo = Math.max(this.dirtyTo, row + 1);
  }
}

function far(x: number, y: number): boolean {
  return Math.abs(x) > LEAP || Math.abs(y) > LEAP;
}

/** How far to turn from one heading to the other, the shorter way. */
function turn(from: number, to: number): number {
  return ((((to - from) % 360) + 540) % 360) - 180;
}
