import { useEffect, useRef, useState } from 'react';
import { GraphQLProblem } from '../api/cityLive.ts';
import type { Say } from '../i18n/live.ts';

/** What the server was asked, as far as it has answered. */
export interface Answer<Data> {
  /** The newest answer; while it is asked again the one before. */
  readonly data?: Data;
  /** Why there is no newer one. It is asked again by itself. */
  readonly problem?: Error;
}

const RETRY_MS = 4000;

/** Asks until there is an answer; `onProblem` hears of each failure. Undefined where `signal` ended it. */
export async function persistently<Data>(ask: (signal: AbortSignal) => Promise<Data>, signal: AbortSignal, onProblem: (problem: Error) => void): Promise<Data | undefined> {
  while (!signal.aborted) {
    try {
      // One attempt after the other is what it is for.
      // oxlint-disable-next-line no-await-in-loop
      return await ask(signal);
    } catch (error) {
      if (signal.aborted) break;
      onProblem(error instanceof Error ? error : new Error(String(error)));
      // oxlint-disable-next-line no-await-in-loop
      await pause(RETRY_MS, signal);
    }
  }
  return undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/**
 * What the server answers to a question that is told apart by its `key`; it is asked again whenever `version` changes.
 * Without a key nothing is asked.
 */
export function useAnswer<Data>(key: string | undefined, version: unknown, ask: (signal: AbortSignal) => Promise<Data>): Answer<Data> {
  const [held, setHeld] = useState<Answer<Data> & { readonly key: string | undefined }>({ key });
  const question = useRef(ask);
  useEffect(() => {
    question.current = ask;
  });
  useEffect(() => {
    if (key === undefined) return undefined;
    const stop = new AbortController();
    const told = (problem: Error) => setHeld((before) => ({ ...(before.key === key && before), key, problem }));
    void persistently((signal) => question.current(signal), stop.signal, told).then((data) => {
      if (!stop.signal.aborted) setHeld({ key, data: data as Data });
    });
    return () => stop.abort();
    // A new version is what one asks again for.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [key, version]);
  return held.key === key ? held : {};
}

/** What went wrong, in a sentence. */
export function problemText(problem: Error, say: Say): string {
  const code = problem instanceof GraphQLProblem ? problem.code : undefined;
  if (code === 'CITY_LIVE_OFF') return say('problem.off');
  if (code === 'CITY_LIVE_DOWN') return say('problem.down');
  if (code === 'NOT_WRITER') return say('problem.notWriter');
  if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') return say('problem.signIn');
  return say('problem.other', { reason: problem.message });
}
