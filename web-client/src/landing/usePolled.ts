import { useEffect, useState } from 'react';

/** The newest value that came, and what went wrong since, if anything did. */
export interface Polled<Value> {
  readonly value: Value | undefined;
  readonly problem: string | undefined;
}

/**
 * Loads a value at once and then `intervalMs` after each answer, while the page is visible.
 *
 * A failure keeps the last value: a number that is a little old beats an empty page. `load` must be a constant function.
 */
export function usePolled<Value>(load: (signal: AbortSignal) => Promise<Value>, intervalMs: number): Polled<Value> {
  const [polled, setPolled] = useState<Polled<Value>>({ value: undefined, problem: undefined });

  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;

    const next = async () => {
      // A hidden page asks nothing; it is asked again when it shows.
      if (document.hidden) return;
      try {
        const value = await load(AbortSignal.any([stop.signal, AbortSignal.timeout(10_000)]));
        if (!stop.signal.aborted) setPolled({ value, problem: undefined });
      } catch (error) {
        if (!stop.signal.aborted) setPolled(({ value }) => ({ value, problem: problemOf(error) }));
      }
      if (!stop.signal.aborted) timer = window.setTimeout(next, intervalMs);
    };

    const onShow = () => {
      window.clearTimeout(timer);
      void next();
    };

    document.addEventListener('visibilitychange', onShow);
    void next();
    return () => {
      stop.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', onShow);
    };
  }, [load, intervalMs]);

  return polled;
}

/** What a person is told of a failure. */
export function problemOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'the server takes long to answer';
  if (error instanceof TypeError) return 'the server cannot be reached';
  return error instanceof Error ? error.message : String(error);
}
