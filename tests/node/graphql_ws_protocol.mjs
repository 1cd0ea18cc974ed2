// Checks the graphql-transport-ws protocol with the raw `ws` library, then the client of npm graphql-ws:
//   node graphql_ws_protocol.mjs ws://127.0.0.1:8080/graphql/ws [city]
// The server is the toy of src/http/tests/toy.rs or, with `city`, citytwin with the town of tests/common/town.rs; with
// the token `secret`, 1 s for connection_init, a ping every 500 ms, 5 operations a socket, 20 sockets an address and
// 64 KiB for a message. The toy restarts by a mutation; whoever runs `city` restarts it at each line `restart`. Prints
// a JSON report in its last line; exits with 1 on any failure.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, schema = 'toy'] = process.argv.slice(2);
const origin = url.replace(/^ws/, 'http').replace(/\/graphql.*/, '');
const toy = schema === 'toy';
/** What both schemas can do, each in its own words. */
const ops = toy
  ? {
      query: '{ hello }',
      answer: { hello: 'hello world' },
      asking: ['query($name: String!) { hello(name: $name) }', { name: 'x' }, { hello: 'hello x' }],
      unanswered: 'query($id: ID!) { hello }',
      endless: 'subscription { count(to: 100000, everyMs: 20) }',
      isFirst: (data) => data.count === 1,
      failing: ['subscription { refused }', 'INTERNAL_SERVER_ERROR'],
      change: 'mutation { add(by: 1) }',
    }
  : {
      query: '{ city { name } }',
      answer: { city: { name: 'Town' } },
      asking: ['query($id: ID!) { bus(id: $id) { busId } }', { id: 'none' }, { bus: null }],
      unanswered: 'query($id: ID!) { bus(id: $id) { busId } }',
      endless: 'subscription { busChanges { snapshot } }',
      isFirst: (data) => data.busChanges.snapshot,
      failing: ['subscription { busChanges(minIntervalMs: -1) { snapshot } }', 'BAD_USER_INPUT'],
      change: 'mutation { removeEntity(id: "bus/none") { removed } }',
    };
const restart = async () => {
  if (toy) (await connected()).subscribe('r', 'mutation { restart }');
  else console.log('restart');
};
const cases = [];
const test = (name, run) => cases.push({ name, run });
/** What takes a schema that does as it is told. */
const toyTest = (name, run) => toy && test(name, run);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const open = new Set();

/** A raw socket whose messages can be awaited one by one. */
class Socket {
  constructor({ protocol = 'graphql-transport-ws', at = url, ...options } = {}) {
    this.ws = protocol ? new WebSocket(at, protocol, options) : new WebSocket(at, options);
    open.add(this.ws);
    this.messages = [];
    this.pings = 0;
    this.waiting = [];
    this.ws.on('message', (data) => this.push(JSON.parse(data)));
    this.ws.on('ping', () => (this.pings += 1));
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => {
        open.delete(this.ws);
        resolve({ code, reason: String(reason) });
      });
    });
    this.opened = new Promise((resolve, reject) => {
      this.ws.on('open', resolve);
      this.ws.on('error', reject);
      this.ws.on('unexpected-response', (_, response) => reject(new Error(`status ${response.statusCode}`)));
    });
    this.opened.catch(() => {});
  }
  push(message) {
    const waiting = this.waiting.shift();
    if (waiting) waiting(message);
    else this.messages.push(message);
  }
  say(message) {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
  subscribe(id, query, rest = {}) {
    this.say({ id, type: 'subscribe', payload: { query, ...rest } });
  }
  async hear() {
    if (this.messages.length) return this.messages.shift();
    return await new Promise((resolve, reject) => {
      this.waiting.push(resolve);
      this.closed.then(({ code }) => reject(new Error(`closed with ${code} instead of a message`)));
    });
  }
  /** Nothing may come for a while. */
  async silence(ms = 250) {
    await sleep(ms);
    assert.deepEqual(this.messages, []);
  }
}

const connected = async (payload, options) => {
  const socket = new Socket(options);
  await socket.opened;
  socket.say({ type: 'connection_init', payload });
  assert.deepEqual(await socket.hear(), { type: 'connection_ack' });
  return socket;
};
const closes = async (socket, code, reason) => {
  const end = await socket.closed;
  assert.equal(end.code, code, end.reason);
  if (reason) assert.equal(end.reason, reason);
  assert.ok(Buffer.byteLength(end.reason) <= 123);
  return end;
};
const saying = (name, message, code, init = true) =>
  test(name, async () => {
    const socket = init ? await connected() : new Socket();
    await socket.opened;
    socket.say(message);
    await closes(socket, code);
  });

test('the subprotocol is agreed on', async () => {
  const socket = new Socket({ protocol: ['graphql-ws', 'graphql-transport-ws'] });
  await socket.opened;
  assert.equal(socket.ws.protocol, 'graphql-transport-ws');
});
test('4406: no subprotocol', async () => {
  const socket = new Socket({ protocol: null });
  await closes(socket, 4406, 'Subprotocol not acceptable');
});
test('an unknown subprotocol is not agreed to', async () => {
  const socket = new Socket({ protocol: 'graphql-ws' });
  await assert.rejects(socket.opened, /no subprotocol/i);
});
test('/graphql accepts the upgrade, too', async () => {
  const socket = await connected(undefined, { at: url.replace(/\/ws$/, '') });
  socket.subscribe('1', ops.query);
  assert.deepEqual((await socket.hear()).payload.data, ops.answer);
});
test('connection_init with null and with unknown keys is acknowledged', async () => {
  await connected(null);
  await connected({ whatever: 1 });
});
test('4408: no connection_init in time', async () => {
  const started = Date.now();
  const socket = new Socket();
  await closes(socket, 4408, 'Connection initialisation timeout');
  assert.ok(Date.now() - started >= 900);
});
test('pings do not stand in for connection_init', async () => {
  const socket = new Socket();
  await socket.opened;
  socket.say({ type: 'ping' });
  assert.deepEqual(await socket.hear(), { type: 'pong' });
  await closes(socket, 4408);
});
saying('4429: a second connection_init', { type: 'connection_init' }, 4429);
saying('4401: subscribe before connection_ack', { id: '1', type: 'subscribe', payload: { query: ops.query } }, 4401, false);
saying('4400: no JSON', 'hello', 4400);
saying('4400: an array', '[]', 4400);
saying('4400: an unknown type', { type: 'start', id: '1' }, 4400);
saying('4400: no type', { id: '1' }, 4400);
saying('4400: subscribe without an id', { type: 'subscribe', payload: { query: '{ hello }' } }, 4400);
saying('4400: an empty id', { id: '', type: 'subscribe', payload: { query: '{ hello }' } }, 4400);
saying('4400: query is no string', { id: '1', type: 'subscribe', payload: { query: 1 } }, 4400);
saying('4400: variables are no object', { id: '1', type: 'subscribe', payload: { query: '{ hello }', variables: [] } }, 4400);
saying('4400: connection_init with a text', { type: 'connection_init', payload: 'a' }, 4400, false);
saying('4400: a long reason is cut at a character', { type: 'é'.repeat(300) }, 4400);
test('4400: a binary message', async () => {
  const socket = await connected();
  socket.ws.send(Buffer.from('{"type":"ping"}'));
  await closes(socket, 4400);
});
test('1009: a message larger than a body may be', async () => {
  const socket = await connected();
  socket.say({ type: 'ping', payload: { a: 'x'.repeat(70_000) } });
  await closes(socket, 1009);
});
test('4409: the id of a running operation', async () => {
  const socket = await connected();
  socket.subscribe('a', ops.endless);
  socket.subscribe('a', ops.query);
  await closes(socket, 4409, 'Subscriber for a already exists');
});
test('4403: a wrong token in connection_init', async () => {
  const socket = new Socket();
  await socket.opened;
  socket.say({ type: 'connection_init', payload: { Authorization: 'Bearer wrong' } });
  await closes(socket, 4403, 'Forbidden');
});
test('a mutation needs the token, from connection_init or from the upgrade', async () => {
  const change = async (socket) => {
    socket.subscribe('1', ops.change);
    const message = await socket.hear();
    assert.equal(message.type, 'next');
    assert.equal((await socket.hear()).type, 'complete');
    return message.payload;
  };
  const none = await change(await connected());
  assert.equal(none.errors[0].extensions.code, 'UNAUTHENTICATED');
  const byInit = await change(await connected({ Authorization: 'Bearer secret' }));
  const byHeader = await change(await connected(undefined, { headers: { authorization: 'Bearer secret' } }));
  if (toy) assert.equal(byHeader.data.add, byInit.data.add + 1);
  else assert.deepEqual([byInit, byHeader], Array(2).fill({ data: { removeEntity: { removed: false } } }));
});
test('a query gives next, then complete', async () => {
  const socket = await connected();
  const [query, variables, data] = ops.asking;
  socket.subscribe('q', query, { variables, operationName: null });
  assert.deepEqual(await socket.hear(), { id: 'q', type: 'next', payload: { data } });
  assert.deepEqual(await socket.hear(), { id: 'q', type: 'complete' });
  await socket.silence();
});
toyTest('a subscription gives its events, then complete, and its id is free', async () => {
  const socket = await connected();
  for (let round = 0; round < 3; round += 1) {
    socket.subscribe('s', 'subscription { count(to: 3) }');
    for (const n of [1, 2, 3]) assert.equal((await socket.hear()).payload.data.count, n);
    assert.deepEqual(await socket.hear(), { id: 's', type: 'complete' });
  }
});
for (const [name, query, code] of [
  ['a document that does not parse', '{', 'GRAPHQL_PARSE_FAILED'],
  ['a document that is not valid', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ['an unknown subscription', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
  ['a subscription that fails at its start', ...ops.failing],
  ['a missing variable', ops.unanswered, 'BAD_USER_INPUT'],
  ...(toy ? [['a query that takes too long', '{ slow(ms: 5000) }', 'TIMEOUT']] : []),
]) {
  test(`error, then silence, and the id is free: ${name}`, async () => {
    const socket = await connected();
    socket.subscribe('e', query);
    const message = await socket.hear();
    assert.equal(message.type, 'error', JSON.stringify(message));
    assert.equal(message.id, 'e');
    assert.ok(Array.isArray(message.payload) && message.payload.length > 0);
    assert.equal(message.payload[0].extensions.code, code);
    await socket.silence(150);
    socket.subscribe('e', ops.query);
    assert.equal((await socket.hear()).type, 'next');
  });
}
toyTest('an event that fails is a next with errors, and the rest follows', async () => {
  const socket = await connected();
  socket.subscribe('h', 'subscription { halting }');
  assert.equal((await socket.hear()).payload.data.halting, 1);
  assert.equal((await socket.hear()).payload.errors[0].message, 'the second fails');
  assert.equal((await socket.hear()).payload.data.halting, 3);
  assert.equal((await socket.hear()).type, 'complete');
});
test(`nothing comes after the client said complete${toy ? ', not even for a flood' : ''}`, async () => {
  const socket = await connected();
  socket.subscribe('f', toy ? 'subscription { flood(bytes: 100) }' : ops.endless);
  await socket.hear();
  socket.say({ id: 'f', type: 'complete' });
  socket.say({ type: 'ping', payload: { after: 'complete' } });
  for (;;) {
    const message = await socket.hear();
    if (message.type === 'pong') break;
  }
  await sleep(50);
  const late = socket.messages.length;
  assert.ok(late <= 1, `${late} messages after the pong`);
  socket.messages.length = 0;
  await socket.silence();
  socket.say({ id: 'unknown', type: 'complete' });
  socket.subscribe('f', ops.query);
  assert.equal((await socket.hear()).type, 'next');
});
test('ping is answered with its payload, pong is taken in silence', async () => {
  const socket = await connected();
  socket.say({ type: 'ping', payload: { a: [1] } });
  assert.deepEqual(await socket.hear(), { type: 'pong', payload: { a: [1] } });
  socket.say({ type: 'pong', payload: { b: 1 } });
  socket.say({ type: 'pong' });
  await socket.silence();
});
test('a quiet socket is pinged and stays open', async () => {
  const socket = await connected();
  await sleep(2500);
  assert.ok(socket.pings >= 3, `${socket.pings} pings`);
  assert.equal(socket.ws.readyState, WebSocket.OPEN);
});
test('4008: a client that answers no pings', async () => {
  const socket = await connected(undefined, { autoPong: false });
  await closes(socket, 4008);
});
test('an operation too many gets an error, the others go on', async () => {
  const socket = await connected();
  const first = async (id) => {
    for (;;) {
      const message = await socket.hear();
      if (message.id === id) return message;
      assert.equal(message.type, 'next');
    }
  };
  for (let n = 0; n < 5; n += 1) socket.subscribe(`${n}`, ops.endless);
  socket.subscribe('5', ops.query);
  const refused = await first('5');
  assert.equal(refused.type, 'error');
  assert.equal(refused.payload[0].extensions.code, 'TOO_MANY_OPERATIONS');
  socket.say({ id: '0', type: 'complete' });
  socket.subscribe('5', ops.query);
  assert.deepEqual((await first('5')).payload.data, ops.answer);
});
toyTest('reading goes on while a write blocks', async () => {
  const socket = await connected();
  socket.ws.pause();
  socket.subscribe('1', 'subscription { flood(bytes: 1000000) }');
  await sleep(300);
  socket.say({ type: 'nonsense' });
  await sleep(200);
  socket.ws.resume();
  await closes(socket, 4400);
});
test('a socket too many of one address gets 429, and a place that is given back is free', async () => {
  for (const socket of open) socket.terminate();
  await sleep(200);
  const sockets = await Promise.all(Array.from({ length: 20 }, () => connected()));
  await assert.rejects(new Socket().opened, /status 429/);
  sockets[0].ws.close();
  await sockets[0].closed;
  await sleep(200);
  await connected();
});
test('a foreign origin gets 403, the own one and none are let in', async () => {
  await assert.rejects(new Socket({ headers: { origin: 'https://evil.example' } }).opened, /status 403/);
  await connected(undefined, { headers: { origin } });
  await connected(undefined, { headers: { origin: 'https://map.example' } });
  await connected();
});
test('1012 at a restart, without complete', async () => {
  const socket = await connected();
  socket.subscribe('1', ops.endless);
  await socket.hear();
  await restart();
  await closes(socket, 1012);
  assert.ok(socket.messages.every((message) => message.type === 'next'));
});
test('the client of graphql-ws comes back after a restart and goes on', async () => {
  const codes = [];
  let connections = 0;
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts: 200,
    retryWait: () => sleep(50),
    // By default the client gives up where the connection is refused, as while the server restarts.
    shouldRetry: () => true,
    on: { closed: (event) => codes.push(event.code), connected: () => (connections += 1) },
  });
  let beginnings = 0;
  for await (const item of client.iterate({ query: ops.endless })) {
    if (!ops.isFirst(item.data)) continue;
    beginnings += 1;
    if (beginnings === 3) break;
    await restart();
  }
  assert.equal(connections, 3);
  // 1006 is an attempt before it is there again.
  assert.deepEqual(codes.filter((code) => code !== 1006).slice(0, 2), [1012, 1012]);
  await client.dispose();
});
test(`the client of graphql-ws gets a query,${toy ? ' a subscription to its end,' : ''} and an error`, async () => {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  const all = async (query) => {
    const items = [];
    for await (const item of client.iterate({ query })) items.push(item);
    return items;
  };
  assert.deepEqual(await all(ops.query), [{ data: ops.answer }]);
  if (toy) assert.equal((await all('subscription { count(to: 4) }')).length, 4);
  await assert.rejects(all('{ nothing }'), (errors) => errors[0].extensions.code === 'GRAPHQL_VALIDATION_FAILED');
  await client.dispose();
});

/** A restart of the real server takes some seconds. */
const PATIENCE = toy ? 10_000 : 60_000;
const failed = [];
for (const { name, run } of cases) {
  // It may be restarting; the toy is never ready, but always there.
  while (!toy && !(await fetch(`${origin}/readyz`).catch(() => null))?.ok) await sleep(50);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${PATIENCE} ms`)), PATIENCE);
  });
  try {
    await Promise.race([run(), late]);
  } catch (error) {
    failed.push({ name, reason: String(error?.stack ?? error?.message ?? JSON.stringify(error?.code ?? error)) });
  }
  clearTimeout(timer);
  for (const socket of open) socket.terminate();
}
console.log(JSON.stringify({ cases: cases.length, ok: cases.length - failed.length, failed }));
process.exit(failed.length === 0 ? 0 : 1);
