import { useSyncExternalStore } from 'react';

/** A value that others may follow. */
export interface Readable<Value> {
  get(): Value;
  subscribe(listener: () => void): () => void;
}

/** A value that changes, with those who want to know when. */
export class Source<Value> implements Readable<Value> {
  #value: Value;
  readonly #listeners = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get = (): Value => this.#value;

  set(value: Value): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/** The present value of a source, in a component that is drawn again whenever it changes. */
export function useSource<Value>(source: Readable<Value>): Value {
  return useSyncExternalStore(source.subscribe, source.get);
}

/**
 * Counts what happens and tells of it at most once per `intervalMs`, so that what a person reads does not flicker and
 * a busy city costs React no more than a quiet one.
 */
export class Pulse implements Readable<number> {
  readonly #count = new Source(0);
  readonly #intervalMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get = this.#count.get;
  subscribe = this.#count.subscribe;

  beat(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#toldAt + this.#intervalMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#toldAt = performance.now();
      this.#count.set(this.#count.get() + 1);
    }, wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
