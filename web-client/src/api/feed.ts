import { GraphQLProblem } from './graphql.ts';
import { LastingSubscription } from './lasting.ts';
import {
  type MoveViewportMutation,
  MoveViewportDocument,
  type TwinChangesSubscription,
  TwinChangesDocument,
} from './operations.ts';
import { TwinStore } from './store.ts';
import type { Transport } from './transport.ts';
import type { Cell, Connection, Filter, TwinEntity, TwinUpdate } from './twin.ts';

export interface TwinFeedOptions {
  /** The server's origin, such as `https://city.example`; the page's own where it is absent. */
  readonly url?: string;
  /** Ways to connect, the best first: a socket, then server-sent events, where it is absent. */
  readonly transports?: readonly Transport[];
  readonly filter: Filter;
  /** The map's zoom (tiles of 512 px), in [0, 24]. Only where it is given the server may answer in cells. */
  readonly zoom?: number;
  /** At least so many milliseconds lie between two batches; 100 where it is absent. */
  readonly minIntervalMs?: number;
  onUpdate(update: TwinUpdate): void;
  /** Called when the state changes, and about once a second while new data comes. */
  onConnection?(connection: Connection): void;
  /** What the server refuses, such as a box that is none; the next `move` is another chance. */
  onError?(error: Error): void;
}

/** What is looked at. */
interface View {
  readonly filter: Filter;
  readonly zoom: number | null;
}

/** A viewport that is dragged moves the subscription at most so often; where it ends is never left out. */
const MOVE_INTERVAL_MS = 100;
/** A move that did not get through is made again after so long, if the connection has not been replaced by then. */
const RETRY_MS = 1000;

/**
 * The city in a viewport, live: opens `twinChanges`, applies what comes, moves with the map, and comes back after a loss
 * with what was missed. `entities` and `cells` always are what all updates so far have given.
 */
export class TwinFeed {
  readonly #options: TwinFeedOptions;
  readonly #store = new TwinStore();
  readonly #subscription: LastingSubscription<TwinChangesSubscription>;
  #wanted: View;
  /** What the server was last told, as text, which compares. */
  #told = '';
  #cursor: string | null = null;
  /** The running subscription's id, which its first batch brings. */
  #id: string | null = null;
  #moving = false;
  #connection: Connection = { state: 'connecting', since: Date.now(), newestData: null, attempt: 0 };

  constructor(options: TwinFeedOptions) {
    this.#options = options;
    this.#wanted = { filter: options.filter, zoom: options.zoom ?? null };
    this.#subscription = new LastingSubscription<TwinChangesSubscription>({
      url: options.url,
      transports: options.transports,
      operation: () => this.#operation(),
      next: ({ twinChanges }) => this.#take(twinChanges),
      onState: (state, attempt) => this.#tell(state, attempt),
      onError: (error) => options.onError?.(error),
    });
  }

  get entities(): ReadonlyMap<string, TwinEntity> {
    return this.#store.entities;
  }

  get cells(): ReadonlyMap<string, Cell> {
    return this.#store.cells;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Follows another filter from now on. What is held and still chosen is not sent again. */
  move(filter: Filter, zoom?: number): void {
    this.#wanted = { filter, zoom: zoom ?? null };
    if (this.#subscription.refused) this.#subscription.restart();
    else void this.#steer();
  }

  close(): void {
    this.#id = null;
    this.#subscription.close();
  }

  #operation() {
    this.#id = null;
    this.#told = JSON.stringify(this.#wanted);
    const { minIntervalMs = 100 } = this.#options;
    return { query: TwinChangesDocument, variables: { ...this.#wanted, minIntervalMs, resumeFrom: this.#cursor } };
  }

  #take(batch: TwinChangesSubscription['twinChanges']): 'complete' | 'behind' | 'heard' {
    const update = this.#store.apply(batch);
    this.#cursor = batch.cursor;
    this.#options.onUpdate(update);
    if (this.#id !== batch.subscription) {
      this.#id = batch.subscription;
      void this.#steer();
    }
    const newest = this.#store.newest === null ? null : Date.parse(this.#store.newest);
    if (newest !== null && newest >= (this.#connection.newestData ?? 0) + 1000) this.#report({ newestData: newest });
    if (batch.complete) return 'complete';
    return batch.snapshot ? 'behind' : 'heard';
  }

  /** Tells the server where the view is, one move after the other, until it knows. */
  async #steer(): Promise<void> {
    if (this.#moving) return;
    this.#moving = true;
    for (;;) {
      const wanted = JSON.stringify(this.#wanted);
      if (this.#id === null || wanted === this.#told) break;
      // Each move waits for the one before it: that is the point.
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([this.#tellView(this.#id, wanted), pause(MOVE_INTERVAL_MS)]);
    }
    this.#moving = false;
  }

  async #tellView(subscription: string, wanted: string): Promise<void> {
    const variables = { subscription, ...(JSON.parse(wanted) as View) };
    try {
      await this.#subscription.execute<MoveViewportMutation>({ query: MoveViewportDocument, variables });
      if (this.#id === subscription) this.#told = wanted;
    } catch (error) {
      // Another subscription runs by now, and was told.
      if (this.#id !== subscription) return;
      if (!(error instanceof GraphQLProblem)) return pause(RETRY_MS);
      // It went to another instance, or is gone there: begun anew, it goes on from what is held.
      if (error.code === 'NOT_HERE') return this.#subscription.restart();
      this.#told = wanted;
      this.#options.onError?.(error);
    }
  }

  #tell(state: Connection['state'], attempt: number): void {
    const since = state === this.#connection.state ? this.#connection.since : Date.now();
    this.#report({ state, attempt, since });
  }

  #report(news: Partial<Connection>): void {
    const next = { ...this.#connection, ...news };
    const isNew = (Object.keys(next) as (keyof Connection)[]).some((key) => next[key] !== this.#connection[key]);
    this.#connection = next;
    if (isNew) this.#options.onConnection?.(next);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
