// A consumer of both state topics that checks the chain (contract, section 3):
//   node follow_chain.mjs BROKERS URL [DROP]
// It takes a full, applies each incremental that fits, and compares every full with what it built. With DROP it loses
// every DROPth incremental, to come to the gaps that it has to close. `until T` on its standard input names the boundary
// at which it stops; then it compares itself with /api/state, prints a JSON report, and exits with 1 on any difference.
import { isDeepStrictEqual } from 'node:util';
import { createInterface } from 'node:readline';
import { Kafka, logLevel } from 'kafkajs';
import { create } from 'jsondiffpatch';

const [brokers, url, drop = 0] = process.argv.slice(2);
const differ = create();
const report = { fulls: 0, incrementals: 0, epochs: [], ignored: 0, skipped: 0, dropped: 0, byDeltas: 0, byState: 0, uncompared: 0, repeated: 0, problems: [] };

let state = null;
let epoch = 0;
let until = null;
let received = 0;
/** The states of the last boundaries by their timestamps, as JSON: a full may come after later incrementals. */
const built = new Map();
/** Fulls that came before the incremental that leads to them. */
const pending = new Map();
/** Fulls by epoch and timestamp: one that comes again says the same. */
const fulls = new Map();

function problem(text) {
  if (report.problems.length < 20) report.problems.push(text);
}

function compare(full, own) {
  if (isDeepStrictEqual(full, own)) report.fulls += 1;
  else problem(`the full of ${full.timestamp} differs: ${JSON.stringify(differ.diff(own, full)).slice(0, 2000)}`);
}

function now(next) {
  state = next;
  built.set(state.timestamp, structuredClone(state));
  if (built.size > 100) built.delete(built.keys().next().value);
  for (const [timestamp, full] of pending) {
    if (timestamp === state.timestamp) compare(full, state);
    else if (timestamp < state.timestamp) report.uncompared += 1;
    else continue;
    pending.delete(timestamp);
  }
}

function begin(newEpoch) {
  epoch = newEpoch;
  report.epochs.push(epoch);
  report.uncompared += pending.size;
  pending.clear();
  built.clear();
}

async function takeFull(full, its) {
  const key = `${its}/${full.timestamp}`;
  if (fulls.has(key)) {
    report.repeated += 1;
    // It came twice and its incremental never: that one is lost, and in a quiet city no other tells of the gap.
    if (drop > 0 && its === epoch && full.timestamp > state.timestamp) await closeGap(its);
    if (!isDeepStrictEqual(fulls.get(key), full)) problem(`two fulls of ${key} differ`);
  }
  fulls.set(key, full);
  if (its > epoch || !state) {
    if (its > epoch) begin(its);
    now(full);
  } else if (built.has(full.timestamp)) compare(full, built.get(full.timestamp));
  else if (full.timestamp > state.timestamp) pending.set(full.timestamp, full);
  else report.uncompared += 1;
}

function apply(message, previous) {
  if (previous !== state.timestamp) return problem(`${message.timestamp} follows ${previous}, not ${state.timestamp}`);
  const next = differ.patch(structuredClone(state), message.delta);
  if (next.timestamp !== message.timestamp) problem(`the delta of ${message.timestamp} leads to ${next.timestamp}`);
  report.incrementals += 1;
  now(next);
}

/** What the server says about a path; null while it is down. */
async function ask(path) {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      const response = await fetch(url + path);
      if (response.status !== 503) return response;
    } catch {
      // It restarts.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return null;
}

/** Goes on where something is missing: by the missed incrementals, else by the whole state. */
async function closeGap(its) {
  if (state && its === epoch) {
    const response = await ask(`/api/state/deltas?since=${state.timestamp}`);
    if (response?.status === 200) {
      const answer = await response.json();
      if (answer.epoch === epoch) {
        for (const message of answer.deltas) apply(message, message.previousTimestamp);
        report.byDeltas += 1;
        return;
      }
    }
  }
  const response = await ask('/api/state');
  if (response?.status !== 200) return;
  const its2 = Number(response.headers.get('citytwin-epoch'));
  const next = await response.json();
  if (its2 < epoch || (its2 === epoch && state && next.timestamp <= state.timestamp)) return;
  if (its2 > epoch) begin(its2);
  report.byState += 1;
  now(next);
}

async function takeIncremental(message, headers, its) {
  received += 1;
  if (drop > 0 && received % drop === 0) {
    report.dropped += 1;
    return;
  }
  if (its === epoch && state && message.timestamp <= state.timestamp) {
    report.skipped += 1;
    return;
  }
  const previous = headers.previousTimestamp;
  if (its > epoch || !state || previous !== state.timestamp) await closeGap(its);
  // What closed the gap may lead beyond it.
  if (its === epoch && state?.timestamp === previous) apply(message, previous);
}

const kafka = new Kafka({
  brokers: brokers.split(','),
  logLevel: logLevel.WARN,
  logCreator: () => ({ log }) => console.error('kafkajs', log.message, log.error ?? ''),
  retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 50 },
});
const consumer = kafka.consumer({ groupId: `follow-${process.pid}`, maxWaitTimeInMs: 50 });
await consumer.connect();
await consumer.subscribe({ topics: ['state.full', 'state.incremental'], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ topic, message }) => {
    const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, value.toString()]));
    const data = JSON.parse(message.value);
    const type = topic === 'state.full' ? 'full-state' : 'incremental-state';
    if (headers.type !== type || headers.version !== '1.0' || message.key.toString() !== data.cityId) {
      problem(`headers ${JSON.stringify(headers)}, key ${message.key} in ${topic}`);
    }
    const its = Number(headers.epoch);
    if (!(its > 0) || its < epoch) {
      report.ignored += 1;
      return;
    }
    if (topic === 'state.full') await takeFull(data, its);
    else await takeIncremental(data, headers, its);
    await endIfThere();
  },
});
console.error('following');

async function endIfThere() {
  if (!until || !state || state.timestamp < until || pending.size > 0) return;
  const response = await ask('/api/state');
  const theirs = await response.json();
  if (theirs.timestamp !== state.timestamp || Number(response.headers.get('citytwin-epoch')) !== epoch) return;
  until = null;
  if (!isDeepStrictEqual(theirs, state)) problem(`/api/state of ${theirs.timestamp} differs`);
  process.stdout.write(JSON.stringify(report), () => process.exit(report.problems.length > 0 ? 1 : 0));
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  until = line.split(' ')[1];
  for (let turn = 1; ; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    await endIfThere();
    if (turn % 100 === 0) console.error('still', state?.timestamp, 'of epoch', epoch, [...pending.keys()], JSON.stringify(report));
  }
});
