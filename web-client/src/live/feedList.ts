import { type FeedFilter, type FeedItem, type FeedPage, fetchFeed, followFeed } from '../api/cityLive.ts';
import { Source } from '../twin/source.ts';
import { persistently } from './answer.ts';

/** So many messages are read at once. */
export const PAGE_SIZE = 50;
/** More than this a list that grows by itself does not hold: the oldest go, and can be read again. */
export const MOST_HELD = 500;

/** Messages, newest first, and where the older ones begin. */
export interface Held extends FeedPage {
  /** Whether the end was cut off, so that `next` is no longer where the list ends. */
  readonly cut: boolean;
}

/** The list after new messages (oldest first) came; each is there once. */
export function withNews(held: Held, news: readonly FeedItem[]): Held {
  const known = new Set(held.items.map(({ id }) => id));
  const fresh = news.filter(({ id }) => !known.has(id)).toReversed();
  if (fresh.length === 0) return held;
  const items = [...fresh, ...held.items];
  return items.length > MOST_HELD ? { items: items.slice(0, MOST_HELD), cut: true } : { ...held, items };
}

/** The list with an older page behind it. */
export function withOlder(held: Held, page: FeedPage): Held {
  const known = new Set(held.items.map(({ id }) => id));
  return { items: [...held.items, ...page.items.filter(({ id }) => !known.has(id))], next: page.next, cut: false };
}

/** The feed of a city as one reads it: the newest messages, those that come, and older ones when they are asked for. */
export class FeedList {
  readonly held = new Source<Held | undefined>(undefined);
  readonly problem = new Source<Error | undefined>(undefined);
  /** How many came while it was paused. */
  readonly waiting = new Source(0);
  readonly #cityId: string;
  readonly #filter: FeedFilter;
  #stop: (() => void) | undefined;
  #reading = new AbortController();
  /** What came before the first page was there, or while it was paused. */
  #buffer: FeedItem[] = [];
  #paused = false;
  /** Whether the newest page has been read since the last beginning. */
  #hasBegun = false;

  constructor(cityId: string, filter: FeedFilter) {
    this.#cityId = cityId;
    this.#filter = filter;
  }

  open(): void {
    this.#stop = followFeed(this.#cityId, this.#filter, {
      begin: () => void this.#begin(),
      next: (items) => this.#take(items),
      error: (problem) => this.problem.set(problem),
    });
  }

  /** Holds back what comes until it is called with false. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#take([]);
  }

  async older(): Promise<void> {
    const held = this.held.get();
    if (!held) return;
    try {
      let { next } = held;
      if (held.cut) ({ next } = await this.#read(MOST_HELD));
      if (next === undefined) return;
      const page = await this.#read(PAGE_SIZE, next);
      const now = this.held.get();
      if (now) this.held.set(withOlder(now, page));
      this.problem.set(undefined);
    } catch (error) {
      this.problem.set(error as Error);
    }
  }

  close(): void {
    this.#reading.abort();
    this.#stop?.();
  }

  /** At the beginning, and after a loss: what was missed is read with the newest page. */
  async #begin(): Promise<void> {
    this.#hasBegun = false;
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const page = await persistently(() => this.#read(PAGE_SIZE, undefined, signal), signal, (problem) => this.problem.set(problem));
    if (!page || signal.aborted) return;
    this.problem.set(undefined);
    this.held.set({ ...page, cut: false });
    this.#hasBegun = true;
    this.#take([]);
  }

  #take(items: readonly FeedItem[]): void {
    this.#buffer.push(...items);
    const held = this.held.get();
    if (!held || !this.#hasBegun || this.#paused) {
      this.#buffer = this.#buffer.slice(-MOST_HELD);
      this.waiting.set(this.#paused ? this.#buffer.length : 0);
      return;
    }
    this.held.set(withNews(held, this.#buffer));
    this.#buffer = [];
    this.waiting.set(0);
  }

  #read(first: number, after?: string, signal?: AbortSignal): Promise<FeedPage> {
    return fetchFeed(this.#cityId, this.#filter, first, after, { signal });
  }
}
