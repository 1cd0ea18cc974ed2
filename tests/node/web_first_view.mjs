// The map of the demo as somebody opens it for the first time: node web_first_view.mjs http://127.0.0.1:8080 SLACK
// SLACK stretches the deadlines where much else runs on the machine. Prints what it measured as JSON.
import assert from 'node:assert/strict';
import { seriousProblems } from './axe.mjs';
import { withBarePage } from './bare.mjs';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { ask, askedBox, countInBox, drawn, idle, jump, live } from './map_page.mjs';

const [server, slack = '1'] = process.argv.slice(2);

/**
 * In the page: when the map has drawn its first frame, and how long after that so many roads and buses stand on it, drawn by the graphics
 * card; in milliseconds.
 */
const timeUntilAll = (roads, buses) =>
  new Promise((resolve) => {
    const look = () => {
      const { map } = globalThis.citytwin ?? {};
      if (!map) return requestAnimationFrame(look);
      let ready;
      const onRender = () => {
        ready ??= performance.now();
        if (map.roads.count < roads || map.overlay.columns.get('BUS').count < buses) return;
        map.map.off('render', onRender);
        // What was drawn is read back: that waits until it is done.
        const gl = map.map.getCanvas().getContext('webgl2');
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
        resolve({ mapMs: Math.round(ready), firstViewMs: Math.round(performance.now() - ready) });
      };
      map.map.on('render', onRender);
      map.map.triggerRepaint();
    };
    look();
  });

/** How many roads have their middle on the map, and of how many of them something is drawn there. */
const seenRoads = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const { map, page: shown } = globalThis.citytwin;
        const look = () => {
          const { width, height } = map.map.getCanvas();
          const context = new OffscreenCanvas(width, height).getContext('2d');
          // What is drawn is only there until the browser has it, so within the frame.
          context.drawImage(map.map.getCanvas(), 0, 0);
          const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
          const often = new Map();
          for (const pixel of pixels) often.set(pixel, (often.get(pixel) ?? 0) + 1);
          const [ground] = [...often].reduce((a, b) => (b[1] > a[1] ? b : a));
          let [onMap, seen] = [0, 0];
          for (const { kind, fields } of shown.city.entities.values()) {
            if (kind !== 'EDGE') continue;
            const line = fields.geometry.coordinates;
            const [from, to] = [line[(line.length >> 1) - 1], line[line.length >> 1]];
            const { x, y } = map.map.project([(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]);
            if (x < 0 || y < 0 || x >= width || y >= height) continue;
            onMap += 1;
            seen += pixels[Math.floor(y) * width + Math.floor(x)] === ground ? 0 : 1;
          }
          resolve({ onMap, seen });
        };
        map.map.once('render', look);
        map.map.triggerRepaint();
      }),
  );

await withBrowser(async (browser) => {
  const measured = {};
  const { edges, buses } = await ask(server, '{ edges { totalCount } buses { totalCount } }');

  Object.assign(measured, await withBarePage(browser, server, (evaluate) => evaluate(timeUntilAll, edges.totalCount, buses.totalCount)));
  assert.ok(measured.firstViewMs <= 1000 * Number(slack), `all roads and buses after ${measured.firstViewMs} ms`);
  const page = await openPage(browser, server);
  await live(page, 120_000);
  await idle(page);
  // The page asks for what the map will show before there is a map, and the map shows just that.
  assert.equal(page.looks, 1, 'viewports asked for');
  const { onMap, seen } = await seenRoads(page);
  assert.ok(onMap >= 0.99 * edges.totalCount, `${onMap} roads lie in view`);
  assert.equal(seen, onMap, 'roads that are seen');

  // A graphics card that was away (a computer that slept) gets all of it again.
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const { map } = globalThis.citytwin.map;
        const card = map.getCanvas().getContext('webgl2').getExtension('WEBGL_lose_context');
        map.once('webglcontextlost', () => setTimeout(() => card.restoreContext(), 50));
        map.once('webglcontextrestored', () => resolve());
        card.loseContext();
      }),
  );
  await idle(page);
  assert.deepEqual(await seenRoads(page), { onMap, seen }, 'roads that are seen again');

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
