// Runs a consumer of docs/state-feed.md:  node state_feed_run.mjs MODULE BROKERS URL
// `until T` on the standard input names a boundary: once the consumer is there, what it holds is compared with
// /api/state. Prints how many states it was given; exits with 1 where it holds anything else.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [module, brokers, url] = process.argv.slice(2);
const { follow } = await import(pathToFileURL(module));
let state = null;
let states = 0;
await follow({
  brokers: brokers.split(','),
  groupId: `state-feed-${process.pid}`,
  url,
  checkMs: 2000,
  onState: (next) => {
    state = next;
    states += 1;
  },
});
createInterface({ input: process.stdin }).on('line', async (line) => {
  const until = line.split(' ')[1];
  while (!state || state.timestamp < until) await new Promise((resolve) => setTimeout(resolve, 100));
  const theirs = await (await fetch(`${url}/api/state`)).json();
  assert.deepEqual(state, theirs);
  process.stdout.write(JSON.stringify({ states }), () => process.exit(0));
});
