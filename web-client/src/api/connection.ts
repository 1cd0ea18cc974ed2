import type { Connection } from './twin.ts';

/**
 * Where a subscription that outlives its connections stands. Pure: no clock, no timer, no socket.
 *
 * - `waiting`: not connected; the next attempt comes when its time has come;
 * - `opening`: an attempt is being made;
 * - `catching-up`: the server has answered, and sends what there is or what was missed;
 * - `live`: all of that is here;
 * - `silent`: the server has not been heard for longer than it should be quiet;
 * - `refused`: the server will not have this operation, however often it is asked.
 */
export type Phase = 'waiting' | 'opening' | 'catching-up' | 'live' | 'silent' | 'refused';

/** What happens to it. `behind` and `complete` are batches: one that others follow at the beginning, and the last of these. */
export type Signal = 'try' | 'acknowledged' | 'heard' | 'behind' | 'complete' | 'quiet' | 'lost' | 'refused';

/** Each phase with the signals that change it; all others leave it as it is. */
export const TRANSITIONS: Readonly<Record<Phase, Readonly<Partial<Record<Signal, Phase>>>>> = {
  waiting: { try: 'opening' },
  opening: { acknowledged: 'catching-up', lost: 'waiting', refused: 'refused' },
  'catching-up': { complete: 'live', lost: 'waiting', refused: 'refused' },
  live: { behind: 'catching-up', quiet: 'silent', lost: 'waiting', refused: 'refused' },
  silent: { heard: 'live', behind: 'catching-up', complete: 'live', lost: 'waiting', refused: 'refused' },
  refused: { try: 'opening' },
};

export interface State {
  readonly phase: Phase;
  /** How many attempts in a row ended before all was there. */
  readonly failures: number;
  /** Whether all was there at least once: then something is held that can be stale. */
  readonly held: boolean;
}

export const START: State = { phase: 'waiting', failures: 0, held: false };

/** The state after a signal; the same object where nothing changes. */
export function after(state: State, signal: Signal): State {
  const phase = TRANSITIONS[state.phase][signal];
  if (phase === undefined) return state;
  if (phase === 'live') return { phase, failures: 0, held: true };
  return { ...state, phase, failures: state.failures + (signal === 'lost' ? 1 : 0) };
}

/** So many failures in a row, and the server counts as out of reach. */
export const OFFLINE_AFTER = 4;

/** What a person is told of it. */
export function badge({ phase, failures, held }: State, hasNetwork: boolean): Connection['state'] {
  switch (phase) {
    case 'catching-up':
    case 'live':
      return phase;
    case 'silent':
      return 'stale';
    case 'refused':
      return 'offline';
    default:
      if (!hasNetwork || failures >= OFFLINE_AFTER) return 'offline';
      return held ? 'stale' : 'connecting';
  }
}

/**
 * How long to wait after so many failures, in milliseconds: 0.25 s, 0.5 s, 1 s, 2 s, and 10 s once a minute has passed so.
 * `random` in [0, 1) takes up to half of it off, so that the viewers of a server that comes back do not come as one.
 */
export function delayOf(failures: number, random: number): number {
  const longest = failures > 30 ? 10_000 : 2000;
  return Math.min(longest, 125 * 2 ** failures) * (1 - random / 2);
}

/**
 * Which of so many transports, the best first, the next attempt takes.
 *
 * Until one has worked they take turns. After that only each fourth failure tries another: a server that restarts fails
 * on all of them, and shall not find its viewers on the second best for it; a network that changed may need it.
 */
export function transportOf(failures: number, worked: number | undefined, count: number): number {
  if (worked === undefined) return failures % count;
  return failures % 4 === 3 ? (worked + 1) % count : worked;
}
