import { createClient } from 'graphql-ws/client';
import { type Operation, type Result, GraphQLProblem, type Problem, describeStatus, execute } from './graphql.ts';
import { readEvents } from './sse.ts';

/** What a connection tells of itself. Nothing comes after `ended`. */
export interface Listener {
  /** The server has answered, and takes the operation. */
  acknowledged(): void;
  /** The server gave a sign of life, whatever it was. */
  heard(): void;
  next(result: Result): void;
  /** A `GraphQLProblem` is the server's answer to the operation; all else is the connection's end. */
  ended(error: Error): void;
}

/** One subscription on a connection. */
export interface Link {
  /** Runs a query or a mutation beside the subscription, in a way that the server can tell that it is the same client. */
  execute(operation: Operation): Promise<Result>;
  /** Ends the subscription. */
  close(): void;
  /** Gives up the connection below it, which does not answer. */
  abandon(): void;
}

/** A way to connect. */
export interface Transport {
  readonly name: string;
  /** A connection that was not heard for so many milliseconds is suspect. */
  readonly quietAfterMs: number;
  open(origin: string, operation: Operation, listener: Listener): Link;
}

const PING_MS = 5000;

/** `graphql-transport-ws`; all subscriptions of a page share one socket to a server. */
export const socket: Transport = {
  name: 'socket',
  quietAfterMs: 2 * PING_MS + 2000,
  open(origin, operation, listener) {
    let shared = sockets.get(origin);
    if (!shared) sockets.set(origin, (shared = new SharedSocket(`${origin.replace(/^http/, 'ws')}/graphql/ws`)));
    return shared.open(operation, listener);
  },
};

const sockets = new Map<string, SharedSocket>();

/** A socket that is there while a subscription is on it. */
class SharedSocket {
  readonly #client;
  readonly #listeners = new Set<Listener>();
  #isConnected = false;

  constructor(url: string) {
    this.#client = createClient({
      url,
      // A retry of the library would ask for what there was at the first attempt, not for what was missed since.
      retryAttempts: 0,
      keepAlive: PING_MS,
      on: {
        connected: () => {
          this.#isConnected = true;
          for (const listener of this.#listeners) listener.acknowledged();
        },
        closed: () => {
          this.#isConnected = false;
        },
        message: () => {
          for (const listener of this.#listeners) listener.heard();
        },
      },
    });
  }

  open(operation: Operation, listener: Listener): Link {
    const isOpen = () => this.#listeners.has(listener);
    const end = (error: unknown) => {
      if (this.#listeners.delete(listener)) listener.ended(asError(error));
    };
    this.#listeners.add(listener);
    const unsubscribe = this.#client.subscribe(operation, {
      next: (result) => isOpen() && listener.next(result as Result),
      error: end,
      complete: () => end(new Error('The server ended the subscription')),
    });
    // Else the first message of a new subscription on a socket that is there would have to do.
    if (this.#isConnected) queueMicrotask(() => isOpen() && listener.acknowledged());
    const close = () => {
      this.#listeners.delete(listener);
      unsubscribe();
    };
    return {
      execute: (beside) => first(this.#client, beside),
      close,
      abandon: () => {
        close();
        // Not `dispose`, which waits for an answer that a dead socket never gives.
        this.#client.terminate();
      },
    };
  }
}

/** The first and only result of a query or a mutation on a socket. */
function first(client: ReturnType<typeof createClient>, operation: Operation): Promise<Result> {
  return new Promise((resolve, reject) => {
    client.subscribe(operation, {
      next: (result) => resolve(result as Result),
      error: (error) => (isProblems(error) ? resolve({ errors: error }) : reject(asError(error))),
      complete: () => reject(new Error('The server answered nothing')),
    });
  });
}

/** graphql-ws reports a list of GraphQL errors, an `Error`, or the event that closed the socket. */
function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  if (isProblems(error)) return new GraphQLProblem(error);
  const { code, reason } = (error ?? {}) as { code?: number; reason?: string };
  return new Error(code === undefined ? 'The socket could not be opened' : `The socket was closed with ${code} ${reason ?? ''}`.trim());
}

function isProblems(error: unknown): error is readonly Problem[] {
  return Array.isArray(error);
}

/** Server-sent events, for where a proxy lets no socket through (`graphql-sse`, distinct connections). */
export const serverSentEvents: Transport = {
  name: 'sse',
  // The server sends a comment every 25 s.
  quietAfterMs: 40_000,
  open(origin, operation, listener) {
    const stop = new AbortController();
    const stream = async () => {
      const response = await fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify(operation),
        signal: stop.signal,
      });
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
      if (!response.ok || !isStream || !response.body) throw await refusal(response);
      listener.acknowledged();
      await readEvents(response.body, () => listener.heard(), ({ event, data }) => {
        if (event === 'next') listener.next(JSON.parse(data) as Result);
      });
      throw new Error('The event stream ended');
    };
    stream().catch((error: unknown) => {
      if (stop.signal.aborted) return;
      stop.abort();
      listener.ended(asError(error));
    });
    const close = () => stop.abort();
    return { execute: (beside) => execute(beside, { signal: stop.signal }, origin), close, abandon: close };
  },
};

/** What an answer that is no stream says: errors of GraphQL where it has some. */
async function refusal(response: Response): Promise<Error> {
  const body: unknown = await response.json().catch(() => undefined);
  const errors = (body as { errors?: unknown } | undefined)?.errors;
  return isProblems(errors) ? new GraphQLProblem(errors) : new Error(`/graphql answered ${describeStatus(response)}`);
}
