// City Live as somebody opens it in the demo: node city_live_page.mjs http://127.0.0.1:8080
// From the live map to City Live, another city, its loading, its data by subscription, and what each page makes of it. Prints what it
// measured as JSON.
import assert from 'node:assert/strict';
import { seriousProblems } from './axe.mjs';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { ask } from './map_page.mjs';

const [server] = process.argv.slice(2);
// A server that was built without optimisation, on a machine that has much else to do.
const LONG_MS = 120_000;

const chosen = async () => (await ask(server, '{ cities { cityId name chosen zoneCount status } }')).cities;
const notices = (page) => page.locator('.notices .notice').allTextContents();

await withBrowser(async (browser) => {
  const measured = {};
  const page = await openPage(browser, server, { locale: 'en-GB' });
  await page.getByRole('link', { name: 'City Live' }).click();
  await page.waitForURL(/\/city-live/);
  await page.getByRole('heading', { name: 'City Live', exact: true }).waitFor();

  const cities = await chosen();
  const next = cities.find((city) => !city.chosen);
  assert.ok(next, `the catalogue has a city that is not chosen: ${JSON.stringify(cities)}`);
  await page.locator('.city-choice').focus();
  await page.keyboard.press('Enter');
  await page.locator('.cities .entry', { hasText: next.name }).focus();
  // It may be loading for a second only: whatever the page says is noted.
  await page.evaluate(() => {
    globalThis.said = new Set();
    const note = () => document.querySelectorAll('.notices .notice').forEach(({ textContent }) => globalThis.said.add(textContent));
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  const began = performance.now();
  await page.keyboard.press('Enter');
  const born = await page.evaluate(() => (globalThis.born = Math.random()));
  await eventually('the page says that it is loading', () => page.evaluate(() => globalThis.said.has('Data is loading…')), LONG_MS);
  measured.loadingAfterMs = Math.round(performance.now() - began);
  await page.locator('.city-choice', { hasText: next.name }).waitFor();

  const entries = page.locator('.zone-list .entries .entry');
  await eventually('each zone of the city', async () => (await entries.count()) === next.zoneCount, LONG_MS);
  await eventually('a risk', async () => /\d+(low|moderate|high|severe)/.test((await entries.first().textContent()) ?? ''), LONG_MS);
  measured.dataAfterMs = Math.round(performance.now() - began);
  await eventually('it is loaded', async () => !(await notices(page)).includes('Data is loading…'), LONG_MS);
  assert.equal(await page.evaluate(() => globalThis.born), born, 'the page was loaded anew');
  assert.ok((await notices(page)).some((text) => text.startsWith('Simulated data')), 'simulated data is called so');

  // What stands in the list is what the server says.
  const { cityLive } = await ask(server, 'query ($id: String) { cityLive(cityId: $id) { zones { name processed { risk { score level } } } } }', { id: next.cityId });
  const judged = cityLive.zones.filter(({ processed }) => processed !== null);
  assert.ok(judged.length > 0);
  await eventually('the map shows the zones', () =>
    page.evaluate((count) => {
      const { map } = globalThis.cityLive ?? {};
      return map?.loaded() && new Set(map.queryRenderedFeatures({ layers: ['zones'] }).map(({ properties }) => properties.zoneId)).size >= 0.8 * count;
    }, next.zoneCount),
  );

  await entries.first().focus();
  await page.keyboard.press('Enter');
  const panel = page.locator('.zone-panel');
  await panel.getByRole('heading', { name: 'What the risk is made of' }).waitFor();
  await panel.getByRole('heading', { name: 'Latest values' }).waitFor();
  await eventually('a simulated value with its unit', async () => /simulated[\s\S]*°C/.test(await panel.locator('.inputs').innerText()), LONG_MS);
  await panel.getByRole('heading', { name: 'Power demand, next 24 hours' }).waitFor();
  assert.deepEqual(await seriousProblems(page), [], 'axe, zone');
  await page.keyboard.press('Escape');
  assert.equal(await panel.count(), 0);

  await page.getByRole('link', { name: 'Live stream' }).click();
  const messages = page.locator('.message');
  await eventually('messages', async () => (await messages.count()) > 0, LONG_MS);
  await page.getByLabel('Topic').selectOption('AQI_STREAM');
  await eventually('only weather and air', async () => {
    const texts = await messages.allTextContents();
    return texts.length > 0 && texts.every((text) => /^(Weather|Air quality)/.test(text));
  });
  assert.ok((await messages.allTextContents()).every((text) => text.includes('simulated')));

  await page.getByRole('link', { name: 'Analytics' }).click();
  await page.locator('section', { has: page.locator('#now-title') }).locator('tbody tr').first().waitFor();
  assert.equal(await page.locator('section', { has: page.locator('#now-title') }).locator('tbody tr').count(), next.zoneCount);
  await page.getByRole('link', { name: 'Models' }).click();
  await page.locator('#models-title, .models-view').first().waitFor();
  await page.getByRole('link', { name: 'Alerts' }).click();
  await page.getByRole('heading', { name: 'Recommendations' }).waitFor();
  const acknowledge = page.getByRole('button', { name: 'Acknowledge' });
  measured.alerts = await acknowledge.count();
  if (measured.alerts > 0) {
    await acknowledge.first().click();
    await eventually('it is acknowledged', async () => (await acknowledge.count()) < measured.alerts || (await page.locator('.alert', { hasText: 'Acknowledged' }).count()) > 0);
  }
  await page.getByRole('button', { name: 'Process' }).click();
  await page.locator('.process output', { hasText: /\d+ zones processed/ }).waitFor({ timeout: LONG_MS });
  assert.deepEqual(await seriousProblems(page), [], 'axe, alerts');
  await page.getByRole('link', { name: 'Live map', exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/');
  assertGood(page);
  console.log(JSON.stringify(measured));
});
