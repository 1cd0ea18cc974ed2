import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GraphQLProblem } from './graphql.ts';
import { type Listener, serverSentEvents, socket } from './transport.ts';

/** Sockets that a test plays the server of. */
class FakeSocket {
  static readonly OPEN = 1;
  static readonly all: FakeSocket[] = [];
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readyState = 0;
  readonly sent: { id?: string; type: string; payload?: unknown }[] = [];
  closedWith: number | undefined;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as never);
  }

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 3;
    this.onclose?.({ code, reason: '' });
  }

  async accept(): Promise<void> {
    this.readyState = 1;
    this.onopen?.();
    await settled();
    this.say({ type: 'connection_ack' });
    await settled();
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  subscriptions() {
    return this.sent.filter(({ type }) => type === 'subscribe');
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const listen = () => {
  const listener = { acknowledged: vi.fn(), heard: vi.fn(), next: vi.fn(), ended: vi.fn() };
  return listener satisfies Listener;
};
const operation = { query: 'subscription { a }' };
let origins = 0;

const open = (listener: Listener) => socket.open(`https://city${origins}.example`, operation, listener);
const only = () => FakeSocket.all.at(-1) as FakeSocket;

const stream = { headers: { 'content-type': 'text/event-stream' } };
const answer = (body: string, init: ResponseInit) => {
  const asked = vi.fn<typeof fetch>(async () => new Response(body, init));
  vi.stubGlobal('fetch', asked);
  return asked;
};

beforeEach(() => {
  vi.stubGlobal('WebSocket', FakeSocket);
  FakeSocket.all.length = 0;
  origins += 1;
});
afterEach(() => vi.unstubAllGlobals());

describe('a socket', () => {
  test('is shared by the subscriptions of a page, and goes with the last one', async () => {
    const [one, two] = [listen(), listen()];
    const first = open(one);
    await settled();
    expect(only().url).toBe(`wss://city${origins}.example/graphql/ws`);
    await only().accept();
    const second = open(two);
    await settled();
    expect(FakeSocket.all).toHaveLength(1);
    expect([one.acknowledged, two.acknowledged].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    const [, { id } = { id: '' }] = only().subscriptions();
    only().say({ id, type: 'next', payload: { data: { a: 1 } } });
    expect(two.next).toHaveBeenCalledWith({ data: { a: 1 } });
    expect(one.next).not.toHaveBeenCalled();
    expect(one.heard).toHaveBeenCalled();
    first.close();
    await settled();
    expect(only().closedWith).toBeUndefined();
    second.close();
    await settled();
    expect(only().closedWith).toBe(1000);
    expect([one.ended, two.ended].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });

  test('that the server closes ends every subscription, and the next one is on a new socket', async () => {
    const [one, two] = [listen(), listen()];
    open(one);
    open(two);
    await settled();
    await only().accept();
    only().close(1012);
    await settled();
    expect([one, two].map(({ ended }) => String(ended.mock.calls[0]?.[0]))).toEqual([
      'Error: The socket was closed with 1012',
      'Error: The socket was closed with 1012',
    ]);
    open(one);
    await settled();
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('that is given up ends the others on it at once', async () => {
    const [one, two] = [listen(), listen()];
    const link = open(one);
    open(two);
    await settled();
    await only().accept();
    link.abandon();
    await settled();
    expect(only().closedWith).toBe(4499);
    expect(one.ended).not.toHaveBeenCalled();
    expect(two.ended).toHaveBeenCalledOnce();
  });

  test('carries other operations, whose errors are their results', async () => {
    const link = open(listen());
    await settled();
    await only().accept();
    const answers = [link.execute({ query: 'mutation { a }' }), link.execute({ query: 'mutation { b }' })];
    await settled();
    const [, a, b] = only().subscriptions();
    only().say({ id: a?.id, type: 'next', payload: { data: { a: 1 } } });
    only().say({ id: a?.id, type: 'complete' });
    only().say({ id: b?.id, type: 'error', payload: [{ message: 'no' }] });
    expect(await Promise.all(answers)).toEqual([{ data: { a: 1 } }, { errors: [{ message: 'no' }] }]);
    link.close();
  });

  test('says what the server has against the operation', async () => {
    const listener = listen();
    open(listener);
    await settled();
    await only().accept();
    const [{ id } = { id: '' }] = only().subscriptions();
    only().say({ id, type: 'error', payload: [{ message: 'no', extensions: { code: 'BAD_USER_INPUT' } }] });
    const error: unknown = listener.ended.mock.calls[0]?.[0];
    expect(error).toBeInstanceOf(GraphQLProblem);
    expect((error as GraphQLProblem).code).toBe('BAD_USER_INPUT');
  });
});

describe('server-sent events', () => {
  test('bring each result, and their end is that of the connection', async () => {
    const asked = answer(':\n\nevent: next\ndata: {"data": {"a": 1}}\n\n', stream);
    const listener = listen();
    serverSentEvents.open('https://city.example', operation, listener);
    await vi.waitFor(() => expect(listener.ended).toHaveBeenCalledOnce());
    expect(asked.mock.calls[0]?.[0]).toBe('https://city.example/graphql');
    expect(listener.acknowledged).toHaveBeenCalledOnce();
    expect(listener.next.mock.calls).toEqual([[{ data: { a: 1 } }]]);
    expect(String(listener.ended.mock.calls[0]?.[0])).toBe('Error: The event stream ended');
  });

  test.each([
    ['{"errors": [{"message": "no box", "extensions": {"code": "BAD_USER_INPUT"}}]}', 400, 'GraphQLProblem: no box'],
    ['<html>', 502, 'Error: /graphql answered 502'],
    ['{"data": {}}', 200, 'Error: /graphql answered 200'],
  ])('%s with %i is %s', async (body, status, said) => {
    answer(body, { status });
    const listener = listen();
    serverSentEvents.open('', operation, listener);
    await vi.waitFor(() => expect(listener.ended).toHaveBeenCalledOnce());
    expect(String(listener.ended.mock.calls[0]?.[0])).toBe(said);
    expect(listener.acknowledged).not.toHaveBeenCalled();
  });

  test('that are closed are silent', async () => {
    answer('', stream);
    const listener = listen();
    serverSentEvents.open('', operation, listener).close();
    await settled();
    expect(listener.ended).not.toHaveBeenCalled();
  });
});
