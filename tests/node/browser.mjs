// A real Chromium for the scripts beside this file. Each page must behave: no console error, no request to elsewhere.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

// Software rendering, and nothing that Chromium would ask of the network by itself.
const FLAGS = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
];

/** Runs `use(browser)` and closes the browser, whatever comes. */
export async function withBrowser(use) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/**
 * Opens a page at `url`, which may talk to the hosts of `origins` (its own, where there are none). What it does beyond
 * that, and what it complains of, stands in `misdeeds`. While the server is away on purpose, `page.mayFail` is true. `page.asked`
 * is the viewport that it last asked for on its socket: `{filter, zoom}`; `page.looks` counts how often it asked.
 */
export async function openPage(browser, url, { origins = [new URL(url).origin], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const hosts = new Set(origins.map((origin) => new URL(origin).host));
  const misdeeds = [];
  const check = (address) => {
    const { protocol, host } = new URL(address);
    if (/^(http|ws)s?:$/.test(protocol) && !hosts.has(host)) misdeeds.push(`asked ${address}`);
  };
  page.mayFail = false;
  page.looks = 0;
  page.on('request', (request) => check(request.url()));
  page.on('websocket', (socket) => {
    check(socket.url());
    socket.on('framesent', ({ payload }) => {
      const variables = JSON.parse(String(payload)).payload?.variables;
      if (!variables?.filter?.box) return;
      page.asked = variables;
      page.looks += 1;
    });
  });
  page.on('pageerror', (error) => misdeeds.push(`threw ${error.stack}`));
  page.on('console', (message) => {
    const isLoss = /Failed to load resource|WebSocket connection|ERR_/.test(message.text());
    if (message.type() === 'error' && !(page.mayFail && isLoss)) misdeeds.push(`complained: ${message.text()}`);
  });
  page.misdeeds = misdeeds;
  await page.goto(url);
  return page;
}

/** Fails where a page misbehaved. */
export function assertGood(page) {
  assert.deepEqual(page.misdeeds, [], 'the page misbehaves');
}

/** Asks again until `check` gives something true, and returns it. */
export async function eventually(what, check, timeoutMs = 60_000) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    assert.ok(performance.now() < end, `${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
