// Checks event streams with the client of npm graphql-sse: node graphql_sse.mjs http://127.0.0.1:8080/graphql
// The server is the toy of src/http/tests/toy.rs. Prints a JSON report; exits with 1 on any failure.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-sse';

const url = process.argv[2];
const cases = [];
const test = (name, run) => cases.push({ name, run });
const client = (options = {}) => createClient({ url, retryAttempts: 0, ...options });
const collect = async (stream) => {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
};

test('a subscription gives its items and completes', async () => {
  const items = await collect(client().iterate({ query: 'subscription { count(to: 3) }' }));
  assert.deepEqual(items.map((item) => item.data.count), [1, 2, 3]);
});

test('variables and the operation name arrive', async () => {
  const query = 'subscription A($to: Int!) { count(to: $to) } subscription B { count(to: 9) }';
  const items = await collect(client().iterate({ query, operationName: 'A', variables: { to: 2 } }));
  assert.equal(items.length, 2);
});

test('a query gives one item and completes', async () => {
  const items = await collect(client().iterate({ query: '{ hello }' }));
  assert.deepEqual(items, [{ data: { hello: 'hello world' } }]);
});

test('a validation error is an item with errors, then the end', async () => {
  const items = await collect(client().iterate({ query: 'subscription { nothing }' }));
  assert.equal(items.length, 1);
  assert.equal(items[0].errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
});

test('an event that fails is an item with errors, and the stream goes on', async () => {
  const items = await collect(client().iterate({ query: 'subscription { halting }' }));
  assert.equal(items.length, 3);
  assert.equal(items[1].errors[0].message, 'the second fails');
  assert.equal(items[2].data.halting, 3);
});

test('GET works as EventSource does it, with named events and an empty data field at the end', async () => {
  const at = new URL(url);
  at.searchParams.set('query', 'subscription($to: Int!) { count(to: $to) }');
  at.searchParams.set('variables', '{"to":2}');
  const response = await fetch(at, { headers: { accept: 'text/event-stream' } });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  assert.equal(response.headers.get('content-encoding'), null);
  const text = await response.text();
  const events = text.replaceAll(':\n\n', '');
  const expected = [1, 2].map((n) => `event: next\ndata: {"data":{"count":${n}}}\n\n`).join('');
  assert.equal(events, `${expected}event: complete\ndata: \n\n`);
});

test('a quiet stream gets comments', async () => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'subscription { count(to: 1, everyMs: 1200) }' }),
  });
  const text = await response.text();
  assert.ok(text.split('\n').filter((line) => line === ':').length >= 3, text);
});

test('a subscription by plain POST is refused', async () => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'subscription { count(to: 1) }' }),
  });
  assert.equal(response.status, 406);
  assert.equal((await response.json()).errors[0].extensions.code, 'NOT_ACCEPTABLE');
});

test('a foreign origin is refused', async () => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', origin: 'https://evil.example' },
    body: JSON.stringify({ query: 'subscription { count(to: 1) }' }),
  });
  assert.equal(response.status, 403);
});

test('a restart ends the stream without complete, and the client comes back by itself', async () => {
  const raw = await fetch(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'subscription { count(to: 100000, everyMs: 50) }' }),
  });
  const rawText = raw.text();
  const messages = [];
  const stream = client({
    retryAttempts: 10,
    retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
    onMessage: ({ event }) => messages.push(event),
  }).iterate({ query: 'subscription { count(to: 100000, everyMs: 50) }' });
  const seen = [];
  let restarted = false;
  for await (const item of stream) {
    seen.push(item.data.count);
    if (item.data.count === 3 && !restarted) {
      restarted = true;
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: 'mutation { restart }' }),
      });
    }
    if (restarted && seen.filter((count) => count === 1).length === 2) break;
  }
  assert.ok(!messages.includes('complete'));
  assert.ok(!(await rawText).includes('complete'), 'the raw stream must end without complete');
});

const failed = [];
for (const { name, run } of cases) {
  const timer = setTimeout(() => {
    console.log(JSON.stringify({ cases: cases.length, failed: [{ name, reason: 'took longer than 15 s' }] }));
    process.exit(1);
  }, 15_000);
  try {
    await run();
  } catch (error) {
    failed.push({ name, reason: String(error?.stack ?? error) });
  }
  clearTimeout(timer);
}
console.log(JSON.stringify({ cases: cases.length, ok: cases.length - failed.length, failed }, null, 2));
process.exit(failed.length === 0 ? 0 : 1);
