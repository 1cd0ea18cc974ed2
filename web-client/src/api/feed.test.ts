import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TwinFeed, type TwinFeedOptions } from './feed.ts';
import type { Operation, Result } from './graphql.ts';
import { GraphQLProblem } from './graphql.ts';
import type { Batch } from './store.ts';
import type { Link, Listener, Transport } from './transport.ts';
import type { Connection, Filter } from './twin.ts';

const QUIET_MS = 10_000;

/** One connection that a test plays the server of. */
interface Opened {
  readonly transport: string;
  readonly variables: Record<string, unknown>;
  readonly listener: Listener;
  readonly executed: Operation[];
  readonly close: ReturnType<typeof vi.fn>;
}

class Server {
  readonly opened: Opened[] = [];
  answer: (operation: Operation) => Promise<Result> = async () => ({ data: { moveViewport: 1 } });

  transport(name: string): Transport {
    return {
      name,
      quietAfterMs: QUIET_MS,
      open: (_, operation, listener): Link => {
        const close = vi.fn<() => void>();
        const executed: Operation[] = [];
        this.opened.push({ transport: name, variables: operation.variables ?? {}, listener, executed, close });
        return {
          execute: (beside) => {
            executed.push(beside);
            return this.answer(beside);
          },
          close,
          abandon: close,
        };
      },
    };
  }

  get last(): Opened {
    return this.opened.at(-1) as Opened;
  }

  send(rest: Partial<Batch>): void {
    const batch: Batch = {
      cursor: 'c1',
      subscription: `s${this.opened.length}`,
      viewport: 0,
      mode: 'ENTITIES',
      snapshot: false,
      complete: true,
      reason: null,
      changes: [],
      cells: [],
      ...rest,
    };
    this.last.listener.heard();
    this.last.listener.next({ data: { twinChanges: batch } });
  }

  /** The first connection, with one bus. */
  begin(): void {
    this.last.listener.acknowledged();
    const patch = { busId: '1', lastUpdated: '2026-01-05T00:00:01.000Z' };
    this.send({ snapshot: true, reason: 'START', changes: [{ kind: 'ENTERED', id: 'bus/1', reason: null, patch }] });
  }
}

const box = (north: number): Filter => ({ box: { north, south: 0, east: 1, west: 0 } });

function follow(server: Server, options: Partial<TwinFeedOptions> = {}) {
  const states: Connection['state'][] = [];
  const feed = new TwinFeed({
    url: 'http://city',
    transports: [server.transport('socket'), server.transport('sse')],
    filter: box(1),
    zoom: 12,
    onUpdate: () => {},
    onConnection: ({ state }) => states.at(-1) === state || states.push(state),
    ...options,
  });
  return { feed, states };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a feed', () => {
  test('asks for what it is to show, and tells of each step', () => {
    const server = new Server();
    const { feed, states } = follow(server);
    expect(server.last.variables).toEqual({ filter: box(1), zoom: 12, minIntervalMs: 100, resumeFrom: null });
    expect(feed.connection).toMatchObject({ state: 'connecting', newestData: null });
    server.last.listener.acknowledged();
    server.send({ snapshot: true, complete: false, reason: 'START' });
    expect(feed.connection.state).toBe('catching-up');
    server.begin();
    expect(feed.connection).toMatchObject({ state: 'live', newestData: Date.parse('2026-01-05T00:00:01.000Z'), attempt: 0 });
    server.send({ complete: false });
    expect(states).toEqual(['catching-up', 'live']);
    expect([...feed.entities.keys()]).toEqual(['bus/1']);
    feed.close();
    expect(server.last.close).toHaveBeenCalledOnce();
  });

  test('comes back after a loss with the last cursor, and keeps what it holds', () => {
    const server = new Server();
    const { feed, states } = follow(server);
    server.begin();
    server.send({ cursor: 'c2' });
    server.last.listener.ended(new Error('gone'));
    expect(feed.connection).toMatchObject({ state: 'stale', attempt: 1 });
    vi.advanceTimersByTime(250);
    expect(server.opened.map(({ transport }) => transport)).toEqual(['socket', 'socket']);
    expect(server.last.variables).toMatchObject({ resumeFrom: 'c2' });
    server.last.listener.acknowledged();
    server.send({ cursor: 'c3' });
    expect(states).toEqual(['catching-up', 'live', 'stale', 'catching-up', 'live']);
    expect(feed.entities.size).toBe(1);
    feed.close();
  });

  test('tries server-sent events where no socket gets through, and is offline after some failures', () => {
    const server = new Server();
    const { feed, states } = follow(server);
    for (let failure = 0; failure < 4; failure += 1) {
      server.last.listener.ended(new Error('no'));
      vi.advanceTimersByTime(2000);
    }
    expect(server.opened.map(({ transport }) => transport)).toEqual(['socket', 'sse', 'socket', 'sse', 'socket']);
    expect(states).toEqual(['connecting', 'offline']);
    server.begin();
    expect(feed.connection.state).toBe('live');
    feed.close();
  });

  test('takes an attempt that is not answered for a failed one', () => {
    const server = new Server();
    const { feed } = follow(server);
    vi.advanceTimersByTime(8000 + 250);
    expect(server.opened).toHaveLength(2);
    expect(server.opened[0]?.close).toHaveBeenCalled();
    feed.close();
  });

  test('is stale while the server is silent, and leaves a connection that stays so', () => {
    const server = new Server();
    const { feed } = follow(server);
    server.begin();
    vi.advanceTimersByTime(QUIET_MS - 1);
    server.last.listener.heard();
    vi.advanceTimersByTime(QUIET_MS - 1);
    expect(feed.connection.state).toBe('live');
    vi.advanceTimersByTime(1);
    expect(feed.connection.state).toBe('stale');
    server.last.listener.heard();
    expect(feed.connection.state).toBe('live');
    vi.advanceTimersByTime(2 * QUIET_MS + 250);
    expect(server.opened).toHaveLength(2);
    feed.close();
  });

  test('stops at what the server refuses, says it, and goes on with another view', () => {
    const server = new Server();
    const onError = vi.fn<(error: Error) => void>();
    const { feed } = follow(server, { onError });
    server.last.listener.ended(new GraphQLProblem([{ message: 'no box', extensions: { code: 'BAD_USER_INPUT' } }]));
    expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['no box']);
    vi.advanceTimersByTime(60_000);
    expect(server.opened).toHaveLength(1);
    feed.move(box(2));
    expect(server.last.variables).toMatchObject({ filter: box(2), zoom: null });
    feed.close();
  });

  test('asks again where the server is not ready yet', () => {
    const server = new Server();
    const onError = vi.fn<(error: Error) => void>();
    const { feed } = follow(server, { onError });
    server.last.listener.ended(new GraphQLProblem([{ message: 'loading', extensions: { code: 'UNAVAILABLE' } }]));
    vi.advanceTimersByTime(250);
    expect(server.opened).toHaveLength(2);
    expect(onError).not.toHaveBeenCalled();
    feed.close();
  });
});

const moves = (opened: Opened) => opened.executed.map(({ variables }) => variables);

describe('a move', () => {
  test('goes to the running subscription, one at a time, the last one always', async () => {
    const server = new Server();
    const { feed } = follow(server);
    server.begin();
    for (const north of [2, 3, 4]) feed.move(box(north), 12);
    await vi.advanceTimersByTimeAsync(1000);
    expect(moves(server.last)).toEqual([
      { subscription: 's1', filter: box(2), zoom: 12 },
      { subscription: 's1', filter: box(4), zoom: 12 },
    ]);
    feed.move(box(4), 12);
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.last.executed).toHaveLength(2);
    feed.close();
  });

  test('before the first batch waits for it', async () => {
    const server = new Server();
    const { feed } = follow(server);
    feed.move(box(2), 12);
    await vi.advanceTimersByTimeAsync(10);
    expect(server.last.executed).toEqual([]);
    server.begin();
    await vi.advanceTimersByTimeAsync(10);
    expect(moves(server.last)).toEqual([{ subscription: 's1', filter: box(2), zoom: 12 }]);
    feed.close();
  });

  test('while the connection is lost goes into the next one', async () => {
    const server = new Server();
    const { feed } = follow(server);
    server.begin();
    server.last.listener.ended(new Error('gone'));
    feed.move(box(2), 12);
    await vi.advanceTimersByTimeAsync(250);
    expect(server.opened).toHaveLength(2);
    expect(server.last.variables).toMatchObject({ filter: box(2), resumeFrom: 'c1' });
    server.begin();
    await vi.advanceTimersByTimeAsync(5000);
    expect(server.last.executed).toEqual([]);
    feed.close();
  });

  test('that finds its subscription elsewhere begins it anew where it stands', async () => {
    const server = new Server();
    server.answer = async () => ({ errors: [{ message: 'not here', extensions: { code: 'NOT_HERE' } }] });
    const { feed } = follow(server);
    server.begin();
    feed.move(box(2), 12);
    await vi.advanceTimersByTimeAsync(10);
    expect(server.opened).toHaveLength(2);
    expect(server.last.variables).toMatchObject({ filter: box(2), resumeFrom: 'c1' });
    feed.close();
  });

  test('that the server refuses is told and not made again', async () => {
    const server = new Server();
    server.answer = async () => ({ errors: [{ message: 'no box', extensions: { code: 'BAD_USER_INPUT' } }] });
    const onError = vi.fn<(error: Error) => void>();
    const { feed } = follow(server, { onError });
    server.begin();
    feed.move(box(2), 12);
    await vi.advanceTimersByTimeAsync(5000);
    expect(onError).toHaveBeenCalledOnce();
    expect(server.last.executed).toHaveLength(1);
    expect(feed.connection.state).toBe('live');
    feed.close();
  });

  test('that does not get through is made again', async () => {
    const server = new Server();
    let failures = 1;
    server.answer = async () => {
      failures -= 1;
      if (failures >= 0) throw new TypeError('Failed to fetch');
      return { data: { moveViewport: 1 } };
    };
    const { feed } = follow(server);
    server.begin();
    feed.move(box(2), 12);
    await vi.advanceTimersByTimeAsync(1100);
    expect(server.last.executed).toHaveLength(2);
    feed.close();
  });
});
