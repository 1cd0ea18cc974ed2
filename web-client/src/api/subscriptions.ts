import { type Client, createClient } from 'graphql-ws';
import type { Operation, Result } from './graphql.ts';

/** Who hears what a subscription yields. */
export interface Observer {
  next(value: Result): void;
  error(error: Error): void;
  complete(): void;
}

/** A running subscription. */
export interface Subscription {
  unsubscribe(): void;
}

/** The socket's address on the server that served the page. */
export function socketUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/graphql/ws`;
}

/**
 * Starts a subscription on a socket of its own over `/graphql/ws`; `connectionParams` go along in `connection_init`.
 *
 * One socket for one subscription keeps each with the parameters that its tab had. A lost connection is taken up
 * again without end: the server restarts, laptops sleep. What the server refuses for good ends with an error.
 */
export function subscribe(
  operation: Operation,
  observer: Observer,
  connectionParams: Record<string, unknown> = {},
  connect: typeof createClient = createClient,
): Subscription {
  const client: Client = connect({
    url: socketUrl(window.location),
    connectionParams,
    retryAttempts: Number.POSITIVE_INFINITY,
  });
  const unsubscribe = client.subscribe(operation, {
    next: (result) => observer.next(result as Result),
    error: (error) => observer.error(describeError(error)),
    complete: () => observer.complete(),
  });
  return { unsubscribe };
}

/** graphql-ws reports a list of GraphQL errors, an `Error`, or the event that closed the socket: makes each an `Error`. */
export function describeError(error: unknown): Error {
  if (error instanceof Error) return error;
  if (Array.isArray(error)) return new Error(error.map((each: { message: string }) => each.message).join('\n'));
  if (typeof error === 'object' && error !== null && 'code' in error) {
    const { code, reason } = error as { code: unknown; reason?: unknown };
    return new Error(`The socket was closed with ${String(code)}${reason ? `: ${String(reason)}` : ''}`);
  }
  return new Error('The socket could not be opened');
}
