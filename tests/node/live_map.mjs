// Runs the page of docs/live-map.md as it stands there, from an origin of its own:
//   node live_map.mjs docs/live-map.md http://127.0.0.1:8080 8000
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';

const [document, server, port] = process.argv.slice(2);
const [, example] = readFileSync(document, 'utf8').match(/^```html\n(.*?)^```/ms);
assert.ok(example.trim().split('\n').length <= 40, 'the page has more than 40 lines');
const page = example.replaceAll('http://127.0.0.1:8080', server);

const host = createServer((request, response) => {
  response.writeHead(request.url === '/' ? 200 : 204, { 'content-type': 'text/html' });
  response.end(request.url === '/' ? page : '');
});
await new Promise((resolve) => host.listen(Number(port), '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${port}`;

/** How many pixels are drawn, how many of them in the blue of a bus, and a number that changes with the picture. */
const look = (map) =>
  map.evaluate(() => {
    const { width, height } = document.querySelector('canvas');
    const { data } = document.querySelector('canvas').getContext('2d').getImageData(0, 0, width, height);
    let [drawn, buses, hash] = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] === 0) continue;
      drawn += 1;
      if (data[i] === 0x1d && data[i + 1] === 0x4e && data[i + 2] === 0xd8) buses += 1;
      hash = (hash * 31 + data[i] + i) | 0;
    }
    return { drawn, buses, hash };
  });

try {
  await withBrowser(async (browser) => {
    const map = await openPage(browser, origin, { origins: [origin, server] });
    const badge = map.locator('p');
    await eventually('live', async () => (await badge.textContent()) === 'live');
    const first = await eventually('roads and buses', async () => {
      const seen = await look(map);
      return seen.drawn > 10_000 && seen.buses > 50 && seen;
    });
    await eventually('a change', async () => (await look(map)).hash !== first.hash);

    await map.mouse.move(600, 400);
    await map.mouse.down();
    await map.mouse.move(200, 300, { steps: 10 });
    await map.mouse.up();
    await map.mouse.wheel(0, 500);
    const wider = await eventually('more of the city', async () => {
      const seen = await look(map);
      return seen.buses > 100 && seen;
    });
    assert.equal(await badge.textContent(), 'live');
    assertGood(map);
    console.log(JSON.stringify({ first, wider }));
  });
} finally {
  host.close();
}
