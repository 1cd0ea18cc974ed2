// Pages that nobody listens to. Playwright has the browser hand over each message of each socket, which for the 9 MB of a city's first view
// takes a page longer than to draw them; what is measured on such a page is what a person's browser needs.

/**
 * Opens a page of 1280 x 800 at `url` in a profile of its own, runs `before` with `args` in it before its own scripts, then here
 * `use(evaluate)`: `evaluate(fn, ...args)` runs a function in the page and gives what it resolves to.
 */
export async function withBarePage(browser, url, { before, args }, use) {
  const cdp = await browser.newBrowserCDPSession();
  // Playwright leaves pages alone whose profile is not one of its own.
  const { browserContextId } = await cdp.send('Target.createBrowserContext');
  const { targetId } = await cdp.send('Target.createTarget', { url: 'about:blank', browserContextId });
  const { sessionId } = await cdp.send('Target.attachToTarget', { targetId, flatten: false });
  const waiting = new Map();
  cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, ...answer } = JSON.parse(message);
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  let last = 0;
  const send = async (method, params) => {
    last += 1;
    const answered = new Promise((resolve) => waiting.set(last, resolve));
    await cdp.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id: last, method, params }) });
    const { result, error } = await answered;
    if (error || result.exceptionDetails) throw new Error(`${method}: ${JSON.stringify(error ?? result.exceptionDetails)}`);
    return result;
  };
  const call = (fn, given) => `(${fn})(...${JSON.stringify(given)})`;
  const evaluate = async (fn, ...given) => {
    const expression = call(fn, given);
    const { result } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    return result.value;
  };
  try {
    await send('Emulation.setDeviceMetricsOverride', { width: 1280, height: 800, deviceScaleFactor: 1, mobile: false });
    await send('Page.enable', {});
    await send('Page.addScriptToEvaluateOnNewDocument', { source: call(before, args) });
    const { errorText } = await send('Page.navigate', { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    return await use(evaluate);
  } finally {
    await cdp.send('Target.disposeBrowserContext', { browserContextId });
    await cdp.detach();
  }
}
