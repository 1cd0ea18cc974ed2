// City Live's pages in every state that a city can be in: node city_live_scenes.mjs SCHEMA PAGES PARTS [FOLDER]
// PAGES is a server whose pages are taken; what they ask is answered by city_live_mock.mjs. PARTS are names from the list at the end,
// with commas. Into FOLDER go pictures of what was seen.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { seriousProblems } from './axe.mjs';
import { assertGood, eventually, openPage, withBrowser } from './browser.mjs';
import { startMock } from './city_live_mock.mjs';

const [schema, pages, parts, folder] = process.argv.slice(2);
if (folder) mkdirSync(folder, { recursive: true });

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const VIEWS = ['zones', 'stream', 'analytics', 'models', 'advice'];

const notices = (page) => page.locator('.notices .notice').allTextContents();
/** Waits for a notice that says so. */
const noticed = (page, pattern) => eventually(`a notice ${pattern}`, async () => (await notices(page)).some((text) => pattern.test(text)));
const unnoticed = (page, pattern) => eventually(`no notice ${pattern}`, async () => !(await notices(page)).some((text) => pattern.test(text)));
const entries = (page) => page.locator('.zone-list .entries .entry').allTextContents();
/** Waits until the map has drawn a zone of each of these levels, and no others. */
const painted = (page, levels) =>
  eventually(`zones of ${levels}`, () =>
    page.evaluate((wanted) => {
      const { map } = globalThis.cityLive ?? {};
      if (!map?.loaded()) return false;
      const found = new Set(map.queryRenderedFeatures({ layers: ['zones'] }).map(({ properties }) => properties.level));
      return found.size === wanted.length && wanted.every((level) => found.has(level));
    }, levels),
  );
const focused = (page) => page.evaluate(() => document.activeElement?.textContent ?? '');
const picture = (page, name) => folder && page.screenshot({ path: join(folder, `${name}.png`) });

/** Runs `use(mock, open)` with a mock in this scene; `open(hash)` opens a page of it. */
async function withScene(browser, scene, use) {
  const mock = await startMock({ schema, pages, ...scene });
  const opened = [];
  try {
    await use(mock, async (hash = '', options = {}) => {
      const page = await openPage(browser, `${mock.url}/city-live${hash}`, { locale: 'en-GB', ...options });
      opened.push(page);
      return page;
    });
    for (const page of opened) assertGood(page);
  } finally {
    for (const page of opened) await page.context().close();
    await mock.stop();
  }
}

async function loading(browser) {
  await withScene(browser, { status: 'LOADING', processed: false }, async (mock, open) => {
    const page = await open();
    await noticed(page, /^Data is loading…$/);
    await painted(page, ['NONE']);
    assert.ok((await entries(page)).every((text) => text.includes('not yet known')), 'no zone has a risk yet');
    await picture(page, 'loading');
    const born = await page.evaluate(() => (globalThis.born = Math.random()));

    mock.set({ status: 'READY', processed: true });
    await unnoticed(page, /loading/);
    await eventually('risks', async () => (await entries(page)).every((text) => /\d+(low|moderate|high|severe)/.test(text)));
    const levels = new Set((await entries(page)).map((text) => text.match(/(low|moderate|high|severe)$/)[0].toUpperCase()));
    assert.ok(levels.size > 1, 'the scene has zones of several levels');
    await painted(page, [...levels]);
    assert.equal(await page.evaluate(() => globalThis.born), born, 'the page was loaded anew');
    await noticed(page, /^Simulated data/);
    await picture(page, 'ready');
  });
}

async function keyboard(browser) {
  await withScene(browser, {}, async (mock, open) => {
    const page = await open();
    const first = page.locator('.zone-list .entries .entry').first();
    await first.waitFor();
    const name = (await page.locator('.zone-list .entries .name').first().textContent()) ?? '';
    await first.focus();
    await page.keyboard.press('Enter');
    await eventually('the panel has the keyboard', async () => (await focused(page)) === name);
    for (const heading of ['Latest values', 'What the risk is made of', 'Power demand, next 24 hours', 'Last 48 hours']) {
      await page.locator('.zone-panel h3', { hasText: heading }).waitFor();
    }
    assert.match(await page.locator('.zone-panel .inputs').innerText(), /Weather\s*fresh[\s\S]*Open-Meteo\s*simulated[\s\S]*Temperature\s*[\d.]+ °C/);
    assert.match(await page.locator('.zone-panel .risk-parts').innerText(), /of 100 · weighs 20%[\s\S]*Made up: weather/);
    await page.locator('.zone-panel canvas').first().waitFor();
    assert.match(page.url(), /zone=zone-\d+/);
    await page.keyboard.press('Escape');
    await eventually('the keyboard is back on the list', async () => (await focused(page)).startsWith(name));
    assert.equal(await page.locator('.zone-panel').count(), 0);

    // The city is chosen with the keyboard; what follows comes by itself.
    await page.locator('.city-choice').focus();
    await page.keyboard.press('Enter');
    await page.locator('.cities .entry', { hasText: 'Second City' }).focus();
    await page.keyboard.press('Enter');
    await noticed(page, /^Data is loading…$/);
    await page.locator('.city-choice', { hasText: 'Second City' }).waitFor();
    assert.equal(mock.scene.chosen, 'second');
    await page.getByRole('button', { name: 'Process' }).press('Enter');
    await page.locator('.process output', { hasText: '12 zones processed' }).waitFor();
    await unnoticed(page, /loading/);
    await page.locator('.skip').focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'page');
  });
}

async function notWhole(browser) {
  await withScene(browser, { missing: ['traffic'], stale: ['aqi'], simulated: false }, async (mock, open) => {
    const page = await open('#zone=zone-1');
    await noticed(page, /^Missing: Traffic \(12 of 12 zones\)\./);
    await noticed(page, /^Old: Air \(12 of 12 zones\)\./);
    await unnoticed(page, /^Simulated/);
    const panel = page.locator('.zone-panel');
    await panel.locator('.notice', { hasText: 'Computed from old data: Air.' }).waitFor();
    await eventually('each input says how it is', async () => {
      const text = (await panel.locator('.inputs').innerText()).replaceAll(/\s+/g, ' ');
      return /Traffic missing Nothing came yet/.test(text) && /Air old 5 h ago · Open-Meteo · old after 60 min/.test(text) && /Weather fresh/.test(text);
    });
    assert.doesNotMatch(await panel.innerText(), /simulated/);
    await picture(page, 'partly-failed');
    // It has come: nothing is left of the notice.
    mock.set({ missing: [], stale: [] });
    await unnoticed(page, /^(Missing|Old)/);
    assert.deepEqual(await seriousProblems(page), []);
  });
  await withScene(browser, { status: 'STALE', ageMs: 8 * 3_600_000 }, async (_, open) => {
    const page = await open('#zone=zone-2');
    await noticed(page, /^What you see is old: it was last processed 6 h ago/);
    await page.locator('.zone-panel .notice', { hasText: 'Computed from old data' }).waitFor();
    await picture(page, 'stale');
  });
}

async function empty(browser) {
  await withScene(browser, { chosen: null }, async (mock, open) => {
    const page = await open();
    await noticed(page, /^No city is chosen yet/);
    await picture(page, 'unchosen');
    mock.set({ chosen: 'made-up' });
    await eventually('zones', async () => (await entries(page)).length === 12);
    await unnoticed(page, /chosen/);
  });
  await withScene(browser, { zones: [], feedSize: 0, processed: false, outputs: false }, async (_, open) => {
    const said = { zones: /This city has no zone/, stream: /No message has come yet/, analytics: /Nothing is stored for this time yet/, models: /No model has said anything/, advice: /There is no alert/ };
    for (const view of VIEWS) {
      const page = await open(`#view=${view}`);
      await eventually(`${view} says that it is empty`, async () => said[view].test(await page.locator('main').innerText()));
      assert.deepEqual(await seriousProblems(page), [], `axe, empty ${view}`);
    }
  });
  await withScene(browser, { off: true }, async (_, open) => noticed(await open(), /^City Live is off on this server/));
}

async function visitors(browser) {
  await withScene(browser, { allowed: false }, async (mock, open) => {
    const page = await open('#view=advice');
    await page.locator('.alert').first().waitFor();
    await page.getByText('To acknowledge alerts, sign in from the menu.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Acknowledge' }).count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Process' }).count(), 0);
    await page.locator('.city-choice').click();
    await page.locator('.cities .entry', { hasText: 'Second City' }).click();
    await noticed(page, /^Data is gathered for another city now\. Of Second City/);
    assert.equal(mock.scene.chosen, 'made-up', 'a visitor chooses for nobody');
    assert.match(page.url(), /city=second/);
  });
}

async function stream(browser) {
  await withScene(browser, {}, async (mock, open) => {
    const page = await open('#view=stream');
    const messages = page.locator('.message');
    await eventually('the first page', async () => (await messages.count()) === 50);
    mock.say(3);
    await eventually('what is new', async () => (await messages.count()) === 53);
    await page.getByRole('button', { name: 'Pause' }).click();
    mock.say(2);
    await page.getByText('Paused: 2 new messages wait.').waitFor();
    assert.equal(await messages.count(), 53);
    await page.getByRole('button', { name: 'Pause' }).click();
    await eventually('what waited', async () => (await messages.count()) === 55);
    const older = page.getByRole('button', { name: 'Show older ones' });
    await older.click();
    await eventually('the second page', async () => (await messages.count()) === 105);
    await older.click();
    await eventually('all', async () => (await messages.count()) === 135 && (await older.count()) === 0);
    await page.getByLabel('Topic').selectOption('TRAFFIC_EVENTS');
    await eventually('one topic', async () => (await messages.count()) === 27);
    assert.ok((await messages.allTextContents()).every((text) => text.startsWith('Traffic')));
    await page.getByLabel('Zone').selectOption('zone-3');
    await eventually('one zone of it', async () => {
      const texts = await messages.allTextContents();
      return texts.length > 0 && texts.length < 5 && texts.every((text) => text.includes('Market'));
    });
    assert.match(page.url(), /zone=zone-3&topic=traffic_events/);
  });
}

async function others(browser) {
  await withScene(browser, {}, async (_, open) => {
    const analytics = await open('#view=analytics');
    const hours = analytics.locator('section', { has: analytics.locator('#hours-title') });
    await eventually('a row for each hour and three sums', async () => (await hours.locator('tbody tr').count()) === 27);
    await analytics.locator('.picker summary').click();
    await analytics.getByLabel('Airport').check();
    await eventually('a column for each zone', async () => (await hours.locator('thead th').count()) === 5);
    await analytics.getByLabel('What').selectOption('us_aqi');
    await hours.locator('canvas').waitFor();
    assert.match(analytics.url(), /feature=us_aqi&zones=/);
    const now = analytics.locator('section', { has: analytics.locator('#now-title') });
    await now.getByRole('button', { name: 'Temperature' }).click();
    const column = (await now.locator('tbody tr td:nth-of-type(3)').allTextContents()).map((text) => Number.parseFloat(text));
    assert.deepEqual(column, column.toSorted((a, b) => b - a), 'sorted by temperature');

    const models = await open('#view=models');
    const rows = models.locator('section', { has: models.locator('#outputs-title') }).locator('tbody tr');
    await eventually('two models for each zone', async () => (await rows.count()) === 24);
    assert.match(await rows.filter({ hasText: 'Old Town' }).filter({ hasText: 'demand-scale-free' }).innerText(), /Fewer than 48 hours of demand/);
    assert.match((await rows.first().innerText()).replaceAll(/\s+/g, ' '), /Heuristic 1 in use [\d,]+ MWh [\d,]+ MWh 6% over 168 h 1 min ago on this server/);

    const advice = await open('#view=advice');
    await advice.locator('nav .dot', { hasText: '3' }).waitFor();
    await advice.getByRole('button', { name: 'Acknowledge' }).first().click();
    await advice.locator('nav .dot', { hasText: '2' }).waitFor();
    await advice.locator('.alert', { hasText: 'Acknowledged just now' }).waitFor();
    await advice.getByLabel('Show those that are over').check();
    await advice.locator('.alert', { hasText: 'Risk 71 was above 60' }).waitFor();
    await advice.locator('.advice-groups > li', { hasText: 'Lead traffic around the zone' }).waitFor();
  });
}

/** Every page, in every light and width, and in the other languages. */
async function looks(browser) {
  await withScene(browser, { stale: ['traffic'] }, async (_, open) => {
    const LOOKS = { light: { colorScheme: 'light' }, dark: { colorScheme: 'dark' }, phone: { ...PHONE, colorScheme: 'light' }, 'phone-de': { ...PHONE, colorScheme: 'dark', locale: 'de-DE' } };
    for (const [look, options] of Object.entries(LOOKS)) {
      for (const view of [...VIEWS, 'zones&zone=zone-1']) {
        const page = await open(`#view=${view}`, options);
        await page.locator('main h2').first().waitFor();
        if (view.includes('zone=')) await page.locator('.zone-panel h3').nth(4).waitFor();
        await page.waitForLoadState('networkidle');
        assert.deepEqual(await seriousProblems(page), [], `axe, ${look}, ${view}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(overflow, 0, `${look}, ${view} must not scroll sideways`);
        await picture(page, `${look}-${view.replace('&zone=', '-')}`);
        await page.context().close();
      }
    }
    const italian = await open('', { locale: 'it-IT' });
    await italian.getByRole('heading', { name: /Zone per rischio/ }).waitFor();
  });
}

const PARTS = { loading, keyboard, notWhole, empty, visitors, stream, others, looks };

await withBrowser(async (browser) => {
  for (const name of parts.split(',')) {
    const began = performance.now();
    await PARTS[name](browser);
    console.log(`${name}: ${Math.round(performance.now() - began)} ms`);
  }
});
