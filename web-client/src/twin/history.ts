/** How far back a ring reaches. */
export const HISTORY_MS = 15 * 60_000;

// Closer samples replace each other: 15 minutes are then at most 450 of them, more than a chart has pixels.
const SPACING_MS = 2000;

// What is in view may be a whole city. A ring of a sensor takes about 6 kB when it is full, so all of them at most 15 MB.
const MOST_RINGS = 2500;

/** The samples of one entity, the oldest first; `values[i]` belongs to measure `i`, NaN where it was not known. */
export interface Series {
  readonly times: readonly number[];
  readonly values: readonly (readonly number[])[];
  /** When the recording began, in Unix milliseconds: what was before is not known. */
  readonly since: number;
}

class Ring {
  readonly times: number[] = [];
  readonly values: number[][];
  since: number;

  constructor(measures: number, at: number) {
    this.values = Array.from({ length: measures }, () => []);
    this.since = at;
  }

  add(at: number, sample: readonly number[]): void {
    const last = this.times.length - 1;
    // The first of a pair stays where the second is too near: a chart begins where the recording did.
    const replaces = last > 0 && at - this.times[last - 1]! < SPACING_MS;
    if (replaces) this.times[last] = at;
    else this.times.push(at);
    for (const [i, series] of this.values.entries()) {
      const value = sample[i] ?? Number.NaN;
      if (replaces) series[last] = value;
      else series.push(value);
    }
    this.#forget(at - HISTORY_MS);
  }

  #forget(before: number): void {
    // In one go, and seldom: shifting an array by one costs as much as by a hundred.
    const old = this.times.findIndex((time) => time >= before);
    if (old < 32 && this.times.length < 600) return;
    this.times.splice(0, old);
    for (const series of this.values) series.splice(0, old);
    this.since = this.times[0] ?? before;
  }
}

/** What was measured in the last 15 minutes, for as many entities as there is room for; the one longest silent goes first. */
export class History {
  // A map keeps the order of insertion: the first is the one that was longest not written.
  readonly #rings = new Map<string, Ring>();
  readonly #pinned = new Set<string>();

  /** These are kept, however many others come. */
  pin(id: string): void {
    this.#pinned.add(id);
  }

  unpin(id: string): void {
    this.#pinned.delete(id);
  }

  isPinned(id: string): boolean {
    return this.#pinned.has(id);
  }

  record(id: string, at: number, sample: readonly number[]): void {
    let ring = this.#rings.get(id);
    if (ring) this.#rings.delete(id);
    else {
      if (this.#rings.size >= MOST_RINGS && !this.#makeRoom()) return;
      ring = new Ring(sample.length, at);
    }
    ring.add(at, sample);
    this.#rings.set(id, ring);
  }

  /** What is known of an entity, or undefined where nothing was recorded. */
  of(id: string): Series | undefined {
    return this.#rings.get(id);
  }

  #makeRoom(): boolean {
    for (const id of this.#rings.keys()) {
      if (this.#pinned.has(id)) continue;
      this.#rings.delete(id);
      return true;
    }
    return false;
  }
}
