// The map while things happen to the city and to the server: node web_live.mjs http://127.0.0.1:8080 SLACK
// What shall happen is asked for on stdout, a line `? restart` or `? gps BUS LATITUDE LONGITUDE`, and is done when a line comes in.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { drawn, jump, live, seen } from './map_page.mjs';

const [server, slack = '1'] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const please = async (what) => {
  console.log(`? ${what}`);
  await answers.next();
};

/** The longest way that a bus on screen makes between two looks a second apart, in pixels. */
async function longestStep(page, seconds) {
  const places = () =>
    page.evaluate(() => {
      const { map } = globalThis.citytwin;
      return map.overlay.columns.get('BUS').ids().map((id) => [id, Object.values(map.map.project(map.overlay.place(id)))]);
    });
  let longest = 0;
  let before = new Map(await places());
  for (let second = 0; second < seconds; second += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = new Map(await places());
    for (const [id, [x, y]] of now) {
      const [fromX, fromY] = before.get(id) ?? [x, y];
      longest = Math.max(longest, Math.hypot(x - fromX, y - fromY));
    }
    before = now;
  }
  return longest;
}

await withBrowser(async (browser) => {
  const measured = {};
  const page = await openPage(browser, server);
  await live(page);

  // A message that somebody publishes moves that bus on screen.
  await jump(page, 13.3995, 42.3498, 15);
  await please('gps guest-1 42.3498 13.3995');
  const start = await eventually('the bus is there', () => seen(page, 'bus/guest-1'));
  const published = performance.now();
  await please('gps guest-1 42.3505 13.4005');
  await eventually('the bus moves', async () => {
    const now = await seen(page, 'bus/guest-1');
    return now && Math.hypot(now.x - start.x, now.y - start.y) > 1;
  });
  measured.messageToScreenMs = Math.round(performance.now() - published);
  assert.ok(measured.messageToScreenMs <= 1000 * Number(slack), `moved after ${measured.messageToScreenMs} ms`);

  // Buses glide: in the view of the whole city no step of a second is longer than 20 px.
  await jump(page, 13.3995, 42.3498, 13);
  measured.longestStepPx = Math.round(await longestStep(page, 5) * 10) / 10;
  assert.ok(measured.longestStepPx > 0 && measured.longestStepPx <= 20, `a step of ${measured.longestStepPx} px`);

  // The server goes and comes: the badge says so, and without a reload the buses glide on.
  await page.evaluate(() => {
    globalThis.sameDocument = true;
    globalThis.heardStates = [];
    const { connection } = globalThis.citytwin.page.city;
    connection.subscribe(() => globalThis.heardStates.push(connection.get().state));
  });
  page.mayFail = true;
  await please('stop');
  await eventually('the badge says that it is stale', async () => ['stale', 'offline'].includes((await drawn(page)).state));
  await please('start');
  const back = performance.now();
  await live(page, 60_000);
  const places = () => page.evaluate(() => JSON.stringify([...globalThis.citytwin.map.overlay.columns.get('BUS').data.slice(0, 90)]));
  const before = await places();
  await eventually('the buses glide on', async () => (await places()) !== before);
  measured.backAfterMs = Math.round(performance.now() - back);
  assert.ok(measured.backAfterMs <= 5000 * Number(slack), `back after ${measured.backAfterMs} ms`);
  page.mayFail = false;
  const states = await page.evaluate(() => globalThis.sameDocument && globalThis.heardStates);
  assert.ok(states.includes('stale') && states.includes('catching-up') && states.at(-1) === 'live', `${states}`);
  assertGood(page);

  // Where no socket gets through, event streams do the same.
  const context = await openPage(browser, 'about:blank', { origins: [server] });
  await context.routeWebSocket(/./, (socket) => socket.close());
  await context.goto(server);
  const { counts } = await live(context);
  assert.ok(counts.EDGE > 0 && counts.BUS > 0, JSON.stringify(counts));
  await jump(context, 13.3995, 42.3498, 15.5);
  await eventually('the view moves', async () => {
    const now = await drawn(context);
    return now.state === 'live' && now.counts.EDGE > 0 && now.counts.EDGE < counts.EDGE;
  });
  assertGood(context);
  console.log(JSON.stringify(measured));
});
