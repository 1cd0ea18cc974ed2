// What a busy city costs the page: node web_load.mjs http://127.0.0.1:8080 SLACK
// The city has 15,000 roads and 2,000 buses in view, and each of them changes once a second.
import assert from 'node:assert/strict';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { drawn, live } from './map_page.mjs';

const [server, slack = '1'] = process.argv.slice(2);
const SECONDS = 10;

await withBrowser(async (browser) => {
  const began = Date.now();
  const page = await openPage(browser, server);
  // A debug build on a slow machine takes long to come to the present of 17,000 changes a second.
  await live(page, 200_000);
  const liveAfterMs = Date.now() - began;
  await eventually('all is in view', async () => {
    const { counts } = await drawn(page);
    return counts.EDGE === 15_000 && counts.BUS === 2000;
  }, 120_000);
  await page.evaluate(() => {
    const counter = (globalThis.counter = { updates: 0, entities: 0 });
    globalThis.citytwin.page.city.onUpdate(({ updated }) => {
      counter.updates += updated.length > 0 ? 1 : 0;
      counter.entities += updated.length;
    });
  });
  const cdp = await page.context().newCDPSession(page);
  // Of the page's thread alone: what else runs on the machine is not the page's.
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const read = async () => {
    const { metrics } = await cdp.send('Performance.getMetrics');
    const script = metrics.find(({ name }) => name === 'ScriptDuration').value * 1000;
    return { script, ...(await page.evaluate(() => globalThis.counter)) };
  };
  const before = await read();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const after = await read();
  const updates = after.updates - before.updates;
  const script = after.script - before.script;
  const measured = {
    liveAfterMs,
    updates,
    entitiesPerSecond: Math.round((after.entities - before.entities) / SECONDS),
    scriptPerUpdateMs: Math.round((script / updates) * 10) / 10,
    scriptPerSecondMs: Math.round(script / SECONDS),
  };
  console.log(JSON.stringify(measured));
  // How many get here is the server's matter (and that of whoever made the events); what each batch costs is the page's.
  assert.ok(measured.entitiesPerSecond > 1000, 'the page gets what happens');
  assert.ok(measured.scriptPerUpdateMs <= 10 * Number(slack), `${measured.scriptPerUpdateMs} ms of script per update`);
  assertGood(page);
});
