import { type Box, type Cell, type Connection, type Filter, TwinFeed, type TwinEntity, type TwinUpdate, type ViewMode } from '../api/index.ts';
import { measuresOf } from './describe.ts';
import { boundariesOf, union } from './geometry.ts';
import { History } from './history.ts';
import { idParts } from './kinds.ts';
import { Pulse, Source } from './source.ts';
import type { Wanted } from './viewport.ts';
import { Watch } from './watch.ts';

// Fast enough that a message is on screen well within a second, slow enough that a busy city comes in few batches.
const VIEW_INTERVAL_MS = 250;
const LIST_INTERVAL_MS = 1000;

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** What the city is, for pages: the viewport that the map looks at, and what is followed beside it. */
export class LiveCity {
  readonly history = new History();
  readonly connection = new Source<Connection>({ state: 'connecting', since: Date.now(), newestData: null, attempt: 0 });
  readonly mode = new Source<ViewMode>('ENTITIES');
  /** The districts of the whole city; undefined before they are known. */
  readonly districts = new Source<readonly TwinEntity[] | undefined>(undefined);
  /** All incidents and units of the city; undefined before they are known. */
  readonly emergencies = new Source<readonly TwinEntity[] | undefined>(undefined);
  /** Beats while what is in view changes, at most once a second. */
  readonly viewPulse = new Pulse(LIST_INTERVAL_MS);
  /** What the server refused last, in its own words. */
  readonly problem = new Source<string | undefined>(undefined);

  /** What the feed of the viewport was asked for last. */
  wanted: Wanted | undefined;

  readonly #url: string | undefined;
  readonly #listeners = new Set<(update: TwinUpdate) => void>();
  readonly #watches = new Map<string, Watch>();
  #view: TwinFeed | undefined;
  /** What is followed in the whole city, whatever is in view, because panels need it and it is not much. */
  readonly #few: TwinFeed;
  #hasNewDistricts = false;

  constructor(url?: string) {
    this.#url = url;
    this.#few = this.feed({ filter: { kinds: ['DISTRICT', 'INCIDENT', 'UNIT'] }, minIntervalMs: LIST_INTERVAL_MS }, (update) => this.#onFew(update));
  }

  /** What the feed of the viewport holds. */
  get entities(): ReadonlyMap<string, TwinEntity> {
    return this.#view?.entities ?? NOTHING;
  }

  get cells(): ReadonlyMap<string, Cell> {
    return this.#view?.cells ?? NOTHING;
  }

  /** Looks there from now on; nothing happens where that is where it looks already. */
  look(next: Wanted): void {
    if (next === this.wanted) return;
    this.wanted = next;
    const { box, kinds, zoom } = next;
    const filter: Filter = { box, kinds };
    if (this.#view) {
      this.#view.move(filter, zoom);
      return;
    }
    this.#view = this.feed({ filter, zoom, minIntervalMs: VIEW_INTERVAL_MS }, (update) => this.#onView(update), (connection) => this.connection.set(connection));
  }

  /** Hears every change of what is in view. */
  onUpdate(listener: (update: TwinUpdate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows one entity, in view or not, until `close` has been called as often as this. */
  watch(id: string): Watch {
    let watch = this.#watches.get(id);
    if (!watch) {
      watch = new Watch(id, this, () => this.#watches.delete(id));
      this.#watches.set(id, watch);
    }
    watch.open();
    return watch;
  }

  /** The box of all districts that have boundaries; undefined where none has. */
  frame(): Box | undefined {
    let frame: Box | undefined;
    for (const district of this.districts.get() ?? []) {
      const box = boundariesOf(district);
      if (box) frame = union(frame, box);
    }
    return frame;
  }

  /** A name for a district's id. */
  districtName(districtId: string): string {
    const district = this.districts.get()?.find(({ fields }) => fields['districtId'] === districtId);
    return (district?.fields['name'] as string | undefined) ?? districtId;
  }

  /** Notes what an entity measures now. */
  record(entity: TwinEntity, at: number): void {
    const measures = measuresOf(entity.kind);
    if (measures.length === 0) return;
    this.history.record(entity.id, at, measures.map((measure) => measure.of(entity.fields) ?? Number.NaN));
  }

  feed(
    what: { readonly filter: Filter; readonly zoom?: number; readonly minIntervalMs?: number },
    onUpdate: (update: TwinUpdate) => void,
    onConnection: (connection: Connection) => void = () => {},
  ): TwinFeed {
    const url = this.#url === undefined ? {} : { url: this.#url };
    return new TwinFeed({ ...url, ...what, onUpdate, onConnection, onError: (error) => this.problem.set(error.message) });
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.end();
    this.#few.close();
    this.#view?.close();
    this.#view = undefined;
    this.viewPulse.stop();
  }

  #onView(update: TwinUpdate): void {
    this.problem.set(undefined);
    this.mode.set(update.mode);
    const now = Date.now();
    // Roads are too many to keep what each of them measured; those that somebody looks at have a watch.
    for (const entity of update.entered) if (entity.kind !== 'EDGE') this.record(entity, now);
    for (const { entity } of update.updated) if (entity.kind !== 'EDGE') this.record(entity, now);
    for (const listener of this.#listeners) listener(update);
    for (const watch of this.#watches.values()) watch.onView(update);
    this.viewPulse.beat();
  }

  #onFew(update: TwinUpdate): void {
    // Districts change by an import only, and names on the map hang on them: they are told of only then.
    this.#hasNewDistricts ||= [...update.entered, ...update.updated.map(({ entity }) => entity)].some(({ kind }) => kind === 'DISTRICT');
    this.#hasNewDistricts ||= update.left.some(({ id }) => idParts(id)?.kind === 'DISTRICT');
    if (!update.complete) return;
    const held = [...this.#few.entities.values()];
    this.emergencies.set(held.filter(({ kind }) => kind !== 'DISTRICT'));
    if (!this.#hasNewDistricts && this.districts.get() !== undefined) return;
    this.#hasNewDistricts = false;
    this.districts.set(held.filter(({ kind }) => kind === 'DISTRICT'));
  }
}
