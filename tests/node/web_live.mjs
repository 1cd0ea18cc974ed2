// The map while things happen to the city and to the server: node web_live.mjs http://127.0.0.1:8080 SLACK
// What shall happen is asked for on stdout, a line `? stop`, `? start` or `? gps BUS LATITUDE LONGITUDE`, and is done when a line comes in.
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

/** Publishes a bus, and that it goes on; how long after that it moves on screen, in milliseconds. */
async function moved(page, bus) {
  await please(`gps ${bus} 42.3498 13.3995`);
  const start = await eventually('the bus is there', () => seen(page, `bus/${bus}`));
  const published = performance.now();
  await please(`gps ${bus} 42.3505 13.4005`);
  await eventually('the bus moves', async () => {
    const now = await seen(page, `bus/${bus}`);
    return now && Math.hypot(now.x - start.x, now.y - start.y) > 1;
  });
  return Math.round(performance.now() - published);
}

/** The longest way that a bus on screen makes in a second, in pixels, seen over so many looks. */
async function longestStep(page, looks) {
  const look = () =>
    page.evaluate(() => {
      const { map } = globalThis.citytwin;
      const places = map.overlay.columns.get('BUS').ids().map((id) => [id, Object.values(map.map.project(map.overlay.place(id)))]);
      return [performance.now(), places];
    });
  let longest = 0;
  let [at, places] = await look();
  for (let each = 0; each < looks; each += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const [then, before] = [at, new Map(places)];
    [at, places] = await look();
    // Where much else runs the look comes late, and the buses have gone on meanwhile.
    const seconds = Math.max(1, (at - then) / 1000);
    for (const [id, [x, y]] of places) {
      const [fromX, fromY] = before.get(id) ?? [x, y];
      longest = Math.max(longest, Math.hypot(x - fromX, y - fromY) / seconds);
    }
  }
  return longest;
}

await withBrowser(async (browser) => {
  const measured = {};
  const page = await openPage(browser, server);
  await live(page, 120_000);

  // A message that somebody publishes moves that bus on screen.
  await jump(page, 13.3995, 42.3498, 15);
  measured.messageToScreenMs = await moved(page, 'guest-1');
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

  // Where no socket gets through, event streams do the same. A browser has six connections to a host: the page's streams, with all
  // that may be open at once, leave some for what it asks.
  const streaming = await openPage(browser, 'about:blank', { origins: [server] });
  await streaming.routeWebSocket(/./, (socket) => socket.close());
  await streaming.goto(server);
  const { counts } = await live(streaming, 120_000);
  assert.ok(counts.EDGE > 0 && counts.BUS > 0, JSON.stringify(counts));
  const far = await streaming.evaluate(() => [...globalThis.citytwin.page.city.entities.keys()].find((id) => id.startsWith('edge/')));
  assert.ok(far, 'a road is there');
  await jump(streaming, 13.3995, 42.3498, 15.5);
  await eventually('the view moves', async () => {
    const now = await drawn(streaming);
    return now.state === 'live' && now.counts.EDGE > 0 && now.counts.EDGE < counts.EDGE;
  });
  await moved(streaming, 'guest-2');
  await streaming.evaluate((id) => {
    const { state } = globalThis.citytwin.page;
    state.panel.set('districts');
    state.chosen.set({ id });
  }, far);
  await jump(streaming, 13.365, 42.366, 16.2);
  await streaming.getByRole('combobox').fill('guest-2');
  await streaming.getByRole('option', { name: 'guest-2' }).first().waitFor();
  await jump(streaming, 13.3995, 42.3498, 13);
  await eventually('the view moves back', async () => {
    const now = await drawn(streaming);
    return now.state === 'live' && now.counts.EDGE > counts.EDGE / 2;
  });
  assertGood(streaming);
  console.log(JSON.stringify(measured));
});
// Else the process would wait for answers to come.
process.stdin.destroy();
