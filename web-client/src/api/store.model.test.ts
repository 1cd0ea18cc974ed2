import { expect, test } from 'vitest';
import { type Batch, TwinStore } from './store.ts';

/** A sequence of numbers in [0, 1) that is the same for a seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Change = Batch['changes'][number];

/** A server of one subscriber: what the city holds, and what the subscriber was told of it, by cursor. */
class Server {
  readonly city = new Map<string, number>();
  mode: Batch['mode'] = 'ENTITIES';
  #told = new Map<string, number>();
  #toldMode: Batch['mode'] = 'ENTITIES';
  readonly #byCursor = new Map<string, readonly [Map<string, number>, Batch['mode']]>();
  #cursor = 0;

  /** The batches of one round, at most `size` changes in each. */
  round(start: 'resume' | 'snapshot' | 'go on', size: number, cursor?: string): Batch[] {
    if (start === 'snapshot') [this.#told, this.#toldMode] = [new Map(), this.mode];
    if (start === 'resume') {
      const [told, mode] = this.#byCursor.get(cursor ?? '') ?? [new Map<string, number>(), this.mode];
      [this.#told, this.#toldMode] = [new Map(told), mode];
    }
    if (this.mode !== this.#toldMode) {
      // The switch: points and movers are dropped by the client itself.
      if (this.mode === 'CELLS') for (const id of this.#told.keys()) if (!id.startsWith('edge/')) this.#told.delete(id);
      this.#toldMode = this.mode;
    }
    const wanted = [...this.city].filter(([id]) => this.mode === 'ENTITIES' || id.startsWith('edge/'));
    const changes: Change[] = [...this.#told.keys()]
      .filter((id) => !this.city.has(id))
      .map((id): Change => ({ kind: 'LEFT', id, reason: 'REMOVED', patch: null }));
    for (const [id, value] of wanted) {
      const told = this.#told.get(id);
      if (told === undefined) changes.push({ kind: 'ENTERED', id, reason: null, patch: { id, value } });
      else if (told !== value) changes.push({ kind: 'UPDATED', id, reason: null, patch: { value } });
    }
    const batches: Batch[] = [];
    do {
      const part = changes.splice(0, size);
      for (const { kind, id } of part) {
        if (kind === 'LEFT') this.#told.delete(id);
        else this.#told.set(id, this.city.get(id) as number);
      }
      this.#cursor += 1;
      this.#byCursor.set(String(this.#cursor), [new Map(this.#told), this.#toldMode]);
      batches.push({
        cursor: String(this.#cursor),
        subscription: 's',
        viewport: 0,
        mode: this.mode,
        snapshot: start === 'snapshot',
        reason: start === 'snapshot' && batches.length === 0 ? 'START' : null,
        complete: changes.length === 0,
        changes: part,
        cells: [],
      });
    } while (changes.length > 0);
    return batches;
  }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))('what is held is what the city has, whatever is lost on the way (%i)', (seed) => {
  const next = random(seed);
  const one = <Item>(items: readonly Item[]): Item => items[Math.floor(next() * items.length)] as Item;
  const server = new Server();
  const store = new TwinStore();
  // What a page keeps beside it by following the updates alone.
  const followed = new Set<string>();
  let cursor: string | undefined;
  let start: 'resume' | 'snapshot' | 'go on' = 'snapshot';
  for (let round = 0; round < 60; round += 1) {
    for (let event = 0; event < 10; event += 1) {
      const id = `${one(['bus', 'edge'])}/${Math.floor(next() * 20)}`;
      if (next() < 0.3) server.city.delete(id);
      else server.city.set(id, Math.floor(next() * 1000));
    }
    if (next() < 0.1) server.mode = one(['ENTITIES', 'CELLS']);
    const batches = server.round(start, 1 + Math.floor(next() * 8), cursor);
    // Now and then the connection is lost in the middle of a round.
    const lost = next() < 0.3;
    for (const batch of lost ? batches.slice(0, Math.floor(next() * batches.length)) : batches) {
      const { entered, left } = store.apply(batch);
      for (const { id } of left) expect(followed.delete(id)).toBe(true);
      for (const { id } of entered) followed.add(id);
      cursor = batch.cursor;
    }
    expect(followed).toEqual(new Set(store.entities.keys()));
    start = lost ? one(['resume', 'snapshot']) : 'go on';
    if (lost) continue;
    const wanted = [...server.city].filter(([id]) => server.mode === 'ENTITIES' || id.startsWith('edge/'));
    const held = [...store.entities.values()].map(({ fields }) => [fields['id'], fields['value']]);
    expect(new Map(held as [string, number][])).toEqual(new Map(wanted));
  }
});
