// Hands messages in an order of its own to a consumer of docs/state-feed.md, and answers its requests:
//   node state_feed_epochs.mjs MODULE
// MODULE finds beside it a `kafkajs` that leaves in `globalThis` the `topics` and what `take`s their messages. Prints the
// timestamps of the states that the consumer came to.
import { pathToFileURL } from 'node:url';

const { follow } = await import(pathToFileURL(process.argv[2]));
const states = [];
let published = { epoch: 5, timestamp: '1' };
globalThis.fetch = async (url) =>
  url.includes('/deltas')
    ? Response.json({}, { status: 410 })
    : Response.json({ timestamp: published.timestamp }, { headers: { 'citytwin-epoch': String(published.epoch) } });
const stop = await follow({ brokers: [], groupId: '', url: '', onState: (state) => states.push(state.timestamp) });

const send = (topic, epoch, value, previousTimestamp) =>
  globalThis.topics.includes(topic) &&
  globalThis.take({ topic, message: { headers: { epoch, previousTimestamp }, value: JSON.stringify(value) } });
const full = (epoch, timestamp) => send('state.full', epoch, { timestamp });
const incremental = (epoch, from, to) =>
  send('state.incremental', epoch, { timestamp: to, delta: { timestamp: [from, to] } }, from);

await full(5, '1');
// Another writer's incremental overtakes its full; this instance's `/api/state` has not heard of it yet.
published = { epoch: 5, timestamp: '4' };
await incremental(6, '2', '3');
// What the former writer still sends is void from here on.
await full(5, '5');
await incremental(5, '1', '6');
published = { epoch: 6, timestamp: '3' };
await full(6, '2');
await incremental(6, '2', '3');
await incremental(6, '3', '7');
await stop();
console.log(JSON.stringify(states));
