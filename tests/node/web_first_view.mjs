// The map of the demo as somebody opens it for the first time: node web_first_view.mjs http://127.0.0.1:8080 SLACK
// SLACK stretches the deadlines where much else runs on the machine. Prints what it measured as JSON.
import assert from 'node:assert/strict';
import { seriousProblems } from './axe.mjs';
import { withBarePage } from './bare.mjs';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { ask, askedBox, countInBox, drawn, idle, jump, live } from './map_page.mjs';

const [server, slack = '1'] = process.argv.slice(2);

/**
 * Before the page's scripts: `firstView` becomes when the map has drawn its first frame, and how long after that so many roads and buses
 * stand on it, drawn by the graphics card; in milliseconds.
 */
const watchFirstView = (roads, buses) => {
  globalThis.firstView = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('not all is drawn within two minutes')), 120_000);
    const watch = ({ map, overlay, roads: lines }) => {
      let ready;
      const onRender = () => {
        ready ??= performance.now();
        if (lines.count < roads || overlay.columns.get('BUS').count < buses) return;
        map.off('render', onRender);
        // What was drawn is read back: that waits until it is done.
        for (const canvas of [map.getCanvas(), overlay.canvas]) {
          const gl = canvas.getContext('webgl2');
          gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
        }
        resolve({ mapMs: Math.round(ready), firstViewMs: Math.round(performance.now() - ready) });
      };
      map.on('render', onRender);
    };
    // The page leaves its map there before the map's first frame.
    let left;
    Object.defineProperty(globalThis, 'citytwin', {
      get: () => left,
      set: (value) => {
        left = value;
        watch(value.map);
      },
    });
  });
};

/**
 * How many roads have their middle on the map, and of how many something is drawn there or `aside` CSS pixels to the right of it; and how
 * many points, and of how many something is drawn.
 */
const seen = (page, aside) =>
  page.evaluate(
    (right) =>
      new Promise((resolve) => {
        const { map, page: shown } = globalThis.citytwin;
        // What is drawn is only there until the browser has it, so within the frame.
        const copy = (canvas) => {
          const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
          context.drawImage(canvas, 0, 0);
          return new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
        };
        const look = () => {
          const { width, height } = map.map.getCanvas();
          const [ground, above] = [copy(map.map.getCanvas()), copy(map.overlay.canvas)];
          const counts = { roads: 0, roadsSeen: 0, points: 0, pointsSeen: 0 };
          const count = ({ x, y }, pixels, what) => {
            if (x < 0 || y < 0 || x >= width || y >= height) return;
            counts[what] += 1;
            // Where nothing is, the page's ground shows through.
            counts[`${what}Seen`] += pixels[Math.floor(y) * width + Math.floor(x)] === 0 ? 0 : 1;
          };
          for (const { kind, fields } of shown.city.entities.values()) {
            if (kind !== 'EDGE') continue;
            const line = fields.geometry.coordinates;
            const [from, to] = [map.map.project(line[(line.length >> 1) - 1]), map.map.project(line[line.length >> 1])];
            const [dx, dy] = [to.x - from.x, to.y - from.y];
            const length = Math.hypot(dx, dy) || 1;
            count({ x: (from.x + to.x) / 2 - (dy / length) * right, y: (from.y + to.y) / 2 + (dx / length) * right }, ground, 'roads');
          }
          for (const columns of map.overlay.columns.values()) {
            for (const id of columns.ids()) count(map.map.project(map.overlay.place(id)), above, 'points');
          }
          resolve(counts);
        };
        map.map.once('render', look);
        map.map.triggerRepaint();
      }),
    aside,
  );

/** Takes the graphics card from both canvases of the map and gives it back. */
const loseGraphics = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const { map, overlay } = globalThis.citytwin.map;
        const cards = [map.getCanvas(), overlay.canvas].map((canvas) => canvas.getContext('webgl2').getExtension('WEBGL_lose_context'));
        map.once('webglcontextlost', () => setTimeout(() => cards.forEach((card) => card.restoreContext()), 300));
        map.once('style.load', () => resolve());
        cards.forEach((card) => card.loseContext());
      }),
  );

await withBrowser(async (browser) => {
  const measured = {};
  const { edges, buses } = await ask(server, '{ edges { totalCount } buses { totalCount } }');

  const watched = { before: watchFirstView, args: [edges.totalCount, buses.totalCount] };
  Object.assign(measured, await withBarePage(browser, server, watched, (evaluate) => evaluate(() => globalThis.firstView)));
  assert.ok(measured.firstViewMs <= 1000 * Number(slack), `all roads and buses after ${measured.firstViewMs} ms`);
  const page = await openPage(browser, server);
  await live(page, 120_000);
  await idle(page);
  // The page asks for what the map will show before there is a map, and the map shows just that.
  assert.equal(page.looks, 1, 'viewports asked for');
  const first = await seen(page, 0);
  assert.ok(first.roads >= 0.99 * edges.totalCount && first.points > 500, JSON.stringify(first));
  assert.deepEqual([first.roadsSeen, first.pointsSeen], [first.roads, first.points], 'roads and points that are seen');

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

  // From near each direction is seen by itself.
  await idle(page);
  const near = await seen(page, 2.3);
  assert.ok(near.roads > 200, JSON.stringify(near));
  assert.equal(near.roadsSeen, near.roads, 'directions that are seen');
  // A graphics card that was away (a computer that slept) gets all of it again, and the theme that was chosen meanwhile.
  await jump(page, 13.3995, 42.3498, 12);
  await live(page, 120_000);
  const lost = loseGraphics(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await lost;
  await idle(page);
  const again = await seen(page, 0);
  assert.ok(again.roads > 0.5 * edges.totalCount, JSON.stringify(again));
  assert.deepEqual([again.roadsSeen, again.pointsSeen], [again.roads, again.points], 'roads and points that are seen again');

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
