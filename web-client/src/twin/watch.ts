import { entity as find, type Filter, type IdParts, type TwinEntity, type TwinFeed, type TwinUpdate } from '../api/index.ts';
import { around, type Position, positionOf } from './geometry.ts';
import { idParts } from './kinds.ts';
import type { LiveCity } from './liveCity.ts';
import { Pulse, type Readable } from './source.ts';

/** What is known of an entity that somebody looks at. */
export type Watched =
  | { readonly state: 'asking'; readonly entity: undefined }
  | { readonly state: 'here' | 'gone'; readonly entity: TwinEntity | undefined };

/**
 * Follows one entity: through the viewport's feed while it is in view, else through a feed of its own.
 *
 * Beats whenever the entity changes, at most four times a second.
 */
export class Watch implements Readable<number> {
  readonly id: string;
  readonly #city: LiveCity;
  readonly #onEnd: () => void;
  readonly #pulse = new Pulse(250);
  #watched: Watched = { state: 'asking', entity: undefined };
  #own: TwinFeed | undefined;
  #asking = false;
  #users = 0;

  constructor(id: string, city: LiveCity, onEnd: () => void) {
    this.id = id;
    this.#city = city;
    this.#onEnd = onEnd;
  }

  get = this.#pulse.get;
  subscribe = this.#pulse.subscribe;

  get watched(): Watched {
    return this.#watched;
  }

  open(): void {
    this.#users += 1;
    if (this.#users === 1) this.#begin();
  }

  close(): void {
    this.#users -= 1;
    if (this.#users === 0) this.end();
  }

  end(): void {
    this.#own?.close();
    this.#own = undefined;
    this.#pulse.stop();
    this.#city.history.unpin(this.id);
    this.#onEnd();
  }

  /** The viewport's feed has changed. */
  onView(update: TwinUpdate): void {
    const seen = this.#city.entities.get(this.id);
    if (seen) {
      this.#own?.close();
      this.#own = undefined;
      const isNew = this.#watched.entity !== seen || this.#watched.state !== 'here';
      if (isNew || update.updated.some(({ entity }) => entity === seen)) this.#here(seen);
      return;
    }
    const left = update.left.find(({ id }) => id === this.id);
    if (left?.reason === 'REMOVED') this.#gone();
    // A filter that is being changed takes things out and in again: only what stays out is asked for.
    else if (update.complete && !this.#own) this.#ask();
  }

  #begin(): void {
    this.#city.history.pin(this.id);
    const seen = this.#city.entities.get(this.id);
    if (seen) this.#here(seen);
    else this.#ask();
  }

  #ask(): void {
    if (this.#own || this.#asking || this.#watched.state === 'gone') return;
    const parts = idParts(this.id);
    if (!parts) return this.#gone();
    const known = this.#watched.entity;
    const at = known && positionOf(known);
    const filter = filterFor(parts, at);
    if (filter) return this.#follow(filter);
    this.#asking = true;
    void this.#locate(parts);
  }

  /** A road or a junction is known by no filter but that of its place. */
  async #locate(parts: IdParts): Promise<void> {
    try {
      const found = await find(this.id);
      const at: Position | undefined = found?.position ? [found.position.longitude, found.position.latitude] : undefined;
      if (this.#users > 0 && !this.#own) {
        const filter = filterFor(parts, at);
        if (found && filter) this.#follow(filter);
        else if (!found) this.#gone();
      }
    } catch {
      // The server cannot be reached; the next batch of the viewport's feed asks again.
    } finally {
      this.#asking = false;
    }
  }

  #follow(filter: Filter): void {
    this.#own = this.#city.feed({ filter, minIntervalMs: 500 }, (update) => {
      const entity = this.#own?.entities.get(this.id);
      if (entity) {
        const isNew = this.#watched.entity !== entity || this.#watched.state !== 'here';
        if (isNew || update.updated.some((each) => each.entity === entity)) this.#here(entity);
      } else if (update.complete) this.#gone();
    });
  }

  #here(entity: TwinEntity): void {
    this.#watched = { state: 'here', entity };
    this.#city.record(entity, Date.now());
    this.#pulse.beat();
  }

  #gone(): void {
    this.#watched = { state: 'gone', entity: this.#watched.entity };
    this.#pulse.beat();
  }
}

/** A filter that chooses the entity, and little else. */
function filterFor({ kind, district }: IdParts, at: Position | undefined): Filter | undefined {
  const kinds = [kind];
  // What moves leaves any box, and what is added and removed by the hour is few.
  if (kind === 'BUS' || kind === 'UNIT' || kind === 'INCIDENT' || kind === 'DISTRICT') return { kinds };
  if (at) return { kinds, box: around(at) };
  if (district) return { kinds, districts: [district] };
  return kind === 'STATION' ? { kinds } : undefined;
}
