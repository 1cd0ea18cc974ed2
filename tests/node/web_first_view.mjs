// The map of the demo as somebody opens it for the first time: node web_first_view.mjs http://127.0.0.1:8080 SLACK
// SLACK stretches the deadlines where much else runs on the machine. Prints what it measured as JSON.
import assert from 'node:assert/strict';
import { seriousProblems } from './axe.mjs';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { ask, askedBox, countInBox, drawn, idle, jump, live } from './map_page.mjs';

const [server, slack = '1'] = process.argv.slice(2);

/** The time from when the map is there until so many roads and buses stand on it and are drawn, in milliseconds. */
const timeUntilAll = (page, roads, buses) =>
  page.evaluate(
    ([wantedRoads, wantedBuses]) =>
      new Promise((resolve) => {
        let ready;
        const look = () => {
          const { map } = globalThis.citytwin ?? {};
          if (map) ready ??= performance.now();
          if (map && map.roads.count >= wantedRoads && map.overlay.columns.get('BUS').count >= wantedBuses && map.map.loaded()) {
            resolve(Math.round(performance.now() - ready));
          } else requestAnimationFrame(look);
        };
        look();
      }),
    [roads, buses],
  );

await withBrowser(async (browser) => {
  const measured = {};
  const { edges, buses } = await ask(server, '{ edges { totalCount } buses { totalCount } }');

  const page = await openPage(browser, server);
  measured.firstViewMs = await timeUntilAll(page, edges.totalCount, buses.totalCount);
  assert.ok(measured.firstViewMs <= 1000 * Number(slack), `all roads and buses after ${measured.firstViewMs} ms`);
  await live(page, 120_000);
  await idle(page);
  // The page asks for what the map will show before there is a map, and the map shows just that.
  assert.equal(page.looks, 1, 'viewports asked for');
  const rendered = await page.evaluate(() => {
    const roads = globalThis.citytwin.map.map.queryRenderedFeatures({ layers: ['roads'] });
    return new Set(roads.map(({ id }) => id)).size;
  });
  // A few are shorter than a pixel from so far away, and MapLibre leaves them out.
  assert.ok(rendered >= 0.999 * edges.totalCount, `${rendered} roads are drawn`);

  // What the map holds is what the city has in that box, at three zooms and after a pan.
  for (const [longitude, latitude, zoom] of [[13.3995, 42.3498, 12], [13.3995, 42.3498, 14.3], [13.3995, 42.3498, 16.2], [13.365, 42.366, 16.2]]) {
    await jump(page, longitude, latitude, zoom);
    const { inView } = await eventually(`the same entities at zoom ${zoom}`, async () => {
      const box = await askedBox(page);
      if (!box) return false;
      const [{ counts: inView, state }, inCity] = [await drawn(page), await countInBox(server, box)];
      const same = Object.entries(inCity).every(([kind, count]) => inView[kind] === count);
      return state === 'live' && same && { inView };
    });
    (measured.inView ??= []).push({ zoom, ...inView });
  }

  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await seriousProblems(page), [], `axe, ${colorScheme}`);
  }
  assertGood(page);

  const phone = await openPage(browser, server, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true });
  await live(phone, 120_000);
  assert.deepEqual(await seriousProblems(phone), [], 'axe, phone');
  const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, 'the phone must not scroll sideways');
  assertGood(phone);
  console.log(JSON.stringify(measured));
});
