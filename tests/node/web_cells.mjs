// Too much in view for single entities: node web_cells.mjs http://127.0.0.1:8080
// The server counts in squares above 300 points and movers, which the demo's city has in its first view.
import assert from 'node:assert/strict';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { askedBox, countInBox, drawn, idle, jump, live } from './map_page.mjs';

const [server] = process.argv.slice(2);

/** All but the roads, which stay single. */
const sum = ({ EDGE: _, ...points }) => Object.values(points).reduce((all, count) => all + count, 0);

/** Waits until what is drawn agrees with a query of its own. */
const agree = (page, wanted) =>
  eventually(`${wanted} that agree with the city`, async () => {
    const box = await askedBox(page);
    if (!box) return false;
    const [now, inCity] = [await drawn(page), await countInBox(server, box)];
    if (now.state !== 'live' || now.mode !== wanted || now.counts.EDGE !== inCity.EDGE) return false;
    // Never both: no point stands beside a square that counts it.
    const [single, counted] = [sum(now.counts), now.inCells];
    return wanted === 'CELLS' ? single === 0 && counted === sum(inCity) : single === sum(inCity) && counted === 0;
  });

await withBrowser(async (browser) => {
  const page = await openPage(browser, server);
  await live(page);
  await agree(page, 'CELLS');
  await idle(page);
  const squares = await page.evaluate(() => globalThis.citytwin.map.map.queryRenderedFeatures({ layers: ['cells'] }).length);
  assert.ok(squares > 10, `${squares} squares are drawn`);
  await jump(page, 13.3995, 42.3498, 16);
  await agree(page, 'ENTITIES');
  await jump(page, 13.37, 42.355, 12);
  await agree(page, 'CELLS');
  assertGood(page);
});
