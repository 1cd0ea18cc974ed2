import type { Readiness } from '../api/readiness.ts';

/** How the server is, in a word, a sentence and a tone. */
export interface Status {
  readonly tone: 'good' | 'waiting' | 'bad';
  readonly label: string;
  readonly detail: string;
}

/** Says in plain words what `/readyz` says, or that it said nothing. */
export function statusOf(readiness: Readiness | undefined, problem: string | undefined): Status {
  if (problem !== undefined) return { tone: 'bad', label: 'Not reachable', detail: `Trying again: ${problem}.` };
  if (readiness === undefined) return { tone: 'waiting', label: 'Asking', detail: 'Asking the server how it is.' };
  if (!readiness.ready) {
    return { tone: 'waiting', label: 'Starting', detail: 'Loading the city and catching up with its topics.' };
  }
  const role = readiness.role === 'writer' ? 'This instance writes the state.' : 'This instance is a replica: it serves readers.';
  return readiness.degraded.length === 0
    ? { tone: 'good', label: 'Ready', detail: role }
    : { tone: 'waiting', label: 'Ready, with troubles', detail: role };
}

/** A count with the reader's own thousands separators. */
export function formatCount(count: number, locale?: string): string {
  return new Intl.NumberFormat(locale).format(count);
}
