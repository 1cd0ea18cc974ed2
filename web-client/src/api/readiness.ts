import { describeStatus } from './graphql.ts';

/** A part of the server that is not at its best. */
export interface Degraded {
  readonly what: string;
  readonly state: 'down' | 'behind' | 'lost' | 'paused';
  readonly since: string;
  readonly message: string;
}

/** The body of `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  readonly role: 'writer' | 'replica';
  readonly epoch: number | string;
  readonly degraded: readonly Degraded[];
}

/** Asks whether the server is ready. It says so with 200 or 503, and both carry the same body. */
export async function fetchReadiness(signal: AbortSignal): Promise<Readiness> {
  const response = await fetch('/readyz', { signal, headers: { accept: 'application/json' } });
  const body: unknown = await response.json().catch(() => undefined);
  if (!isReadiness(body)) throw new Error(`/readyz answered ${describeStatus(response)}`);
  return body;
}

function isReadiness(body: unknown): body is Readiness {
  return typeof body === 'object' && body !== null && 'ready' in body && 'role' in body && 'degraded' in body;
}
