// Pictures of the map: node screenshot.mjs CITYTWIN README_PICTURE [FOLDER], run by scripts/screenshot.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, openPage, withBrowser } from './browser.mjs';
import { idle, live } from './map_page.mjs';

const [citytwin, readme, folder] = process.argv.slice(2);
// GitHub shows it at this width at most, and a page that loads slowly is not read.
const README_BYTES = 320_000;

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** Runs `use(url, stop)` with a server of its own, which is gone afterwards. */
async function withServer(args, env, use) {
  const data = mkdtempSync(join(tmpdir(), 'citytwin-picture-'));
  const address = `127.0.0.1:${await freePort()}`;
  const server = spawn(citytwin, [...args, '--data-dir', data, '--http-addr', address], {
    stdio: 'ignore',
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const stop = async () => {
    server.kill('SIGTERM');
    await ended;
  };
  const url = `http://${address}`;
  try {
    await eventually('the server is ready', () => fetch(`${url}/readyz`).then(({ ok }) => ok, () => false), 300_000);
    await use(url, stop);
  } finally {
    await stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Waits until all is drawn; a busy machine is never idle, and draws enough of it in this time. */
const settled = (page) => Promise.race([idle(page), new Promise((resolve) => setTimeout(resolve, 15_000))]);

/** Opens the map, waits until all of it stands there, and for so long again that something has happened. */
async function openMap(browser, url, options) {
  const page = await openPage(browser, url, { locale: 'en-GB', ...options });
  await live(page, 300_000);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  await settled(page);
  return page;
}

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1440, height: 900 } };

await withBrowser(async (browser) => {
  await withServer(['demo'], {}, async (url, stop) => {
    // Units need some minutes to be on their way, and the dashboard its numbers.
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const page = await openMap(browser, url, { ...DESK, colorScheme: 'light' });
    await page.screenshot({ path: readme });
    const { size } = statSync(readme);
    if (size > README_BYTES) throw new Error(`${readme} has ${size} bytes, ${README_BYTES} are enough`);
    console.log(`${readme}: ${size} bytes`);
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    const shoot = async (name, options) => {
      const shown = await openMap(browser, url, options);
      await shown.screenshot({ path: join(folder, `${name}.png`) });
      await shown.context().close();
    };
    await shoot('light', { ...DESK, colorScheme: 'light' });
    await shoot('dark', { ...DESK, colorScheme: 'dark' });
    await shoot('phone', { ...PHONE, colorScheme: 'light' });
    await shoot('phone-dark', { ...PHONE, colorScheme: 'dark' });
    page.mayFail = true;
    await stop();
    await eventually('the badge says so', () => page.evaluate(() => globalThis.citytwin.page.city.connection.get().state === 'offline'), 60_000);
    await page.screenshot({ path: join(folder, 'disconnected.png') });
  });
  if (!folder) return;
  // So few entities count as too many that the demo's city is shown in squares.
  await withServer(['demo'], { LIVE_CELLS_ABOVE: '300' }, async (url) => {
    const page = await openMap(browser, url, { ...DESK, colorScheme: 'light' });
    await page.screenshot({ path: join(folder, 'dense.png') });
  });
  await withServer(['serve'], { KAFKA_BROKERS: 'embedded', REDIS_URL: 'embedded' }, async (url) => {
    const page = await openMap(browser, url, { ...DESK, colorScheme: 'light' });
    await page.screenshot({ path: join(folder, 'empty.png') });
  });
});
