// A browser that a test leads by the hand: one command in JSON a line on standard input, one answer a line on standard
// output. It ends with its input, whoever started it, and the browser ends with it.
//
//   {"do": "open", "page": NAME, …}  →  {"value": …}  or  {"error": "…"}
//
// Nothing here knows what is right; browser.py and the tests do.

import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {createRequire} from 'node:module';
import {chromium} from 'playwright-core';

import {install, look, reachable, focused} from './look.mjs';
import {kPageMark, longTasks} from './trace.mjs';

const kDeadlineMs = 20_000;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const browser = await chromium.launch({
  executablePath: process.env.WK_CHROMIUM,
  chromiumSandbox: process.getuid() !== 0,
  // No name but the loopback address is ever resolved: a page that asks for the outside fails instead of succeeding.
  args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', '--no-proxy-server', '--disable-lcd-text',
         '--font-render-hinting=none', '--hide-scrollbars'],
});
const pages = new Map();

/** A page with everything that it ever said or asked for. */
async function open({page: name, url, width = 1440, height = 900, scheme = 'light', clock_wrong_by_ms = 0, zone = 'UTC', scale = 1}) {
  const context = await browser.newContext({
    viewport: {width, height}, colorScheme: scheme, timezoneId: zone, deviceScaleFactor: scale, locale: 'en-GB',
  });
  context.setDefaultTimeout(kDeadlineMs);
  const page = await context.newPage();
  const said = {console: [], errors: [], requests: [], failed: [], sockets: []};
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      said.console.push({type: message.type(), text: message.text(), url: message.location().url});
  });
  page.on('pageerror', (error) => said.errors.push(String(error.stack ?? error)));
  page.on('websocket', (socket) => said.sockets.push(socket.url()));
  page.on('request', (request) => said.requests.push({request, url: request.url(), type: request.resourceType()}));
  page.on('requestfailed', (request) => said.failed.push({url: request.url(), why: request.failure()?.errorText ?? ''}));
  await page.addInitScript(install, clock_wrong_by_ms);
  pages.set(name, {context, page, said});
  return go({page: name, url});
}

async function go({page: name, url}) {
  const answer = await pages.get(name).page.goto(url, {waitUntil: 'load'});
  return {status: answer?.status() ?? null};
}

/** What was asked for, with the bytes that came; an answer that has not ended (a stream) has null. */
async function report({page: name}) {
  const {said} = pages.get(name);
  const requests = await Promise.all(said.requests.map(async ({request, url, type}) => {
    const answer = request.timing().responseEnd < 0 ? null : await request.response().catch(() => null);
    const sizes = answer === null ? null : await request.sizes().catch(() => null);
    return {url, type, status: answer?.status() ?? null,
            bytes: sizes === null ? null : sizes.responseBodySize + sizes.responseHeadersSize};
  }));
  return {console: said.console, errors: said.errors, failed: said.failed, sockets: said.sockets, requests};
}

/** Violations of axe's rules; the impact decides what a test makes of them. */
async function accessibility({page: name}) {
  const {page} = pages.get(name);
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, {resultTypes: ['violations']}));
  return found.violations.map(({id, impact, help, nodes}) => ({
    id, impact, help, nodes: nodes.slice(0, 5).map(({target, html, failureSummary}) => ({target, html: html.slice(0, 200), failureSummary})),
  }));
}

/** Presses Tab until focus comes back to where it began, and tells each stop. */
async function tabThrough({page: name}) {
  const {page} = pages.get(name);
  const wanted = await page.evaluate(reachable);
  const stops = [];
  for (let i = 0; i < wanted.length + 60; ++i) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(focused);
    if (stop === null) break;
    stops.push(stop);
  }
  return {wanted, stops};
}

/** From here on everything that the browser does is recorded; each page leaves its name in its own thread. */
async function traceBegin({page: name}) {
  await browser.startTracing(pages.get(name).page, {
    categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', 'blink.user_timing'],
  });
  await Promise.all([...pages].map(([each, {page}]) => page.evaluate((mark) => performance.mark(mark), `${kPageMark}${each}`)));
}

const commands = {
  open, go, report, accessibility, tabThrough, traceBegin,
  look: ({page}) => pages.get(page).page.evaluate(look),
  evaluate: ({page, script, value}) => pages.get(page).page.evaluate(new Function('value', script), value),
  reload: ({page}) => pages.get(page).page.reload({waitUntil: 'load'}).then(() => null),
  scheme: ({page, scheme}) => pages.get(page).page.emulateMedia({colorScheme: scheme}),
  press: ({page, key}) => pages.get(page).page.keyboard.press(key),
  type: ({page, text}) => pages.get(page).page.keyboard.type(text),
  focus: ({page, selector}) => pages.get(page).page.focus(selector),
  click: ({page, selector}) => pages.get(page).page.click(selector),
  screenshot: ({page, path, selector}) => (selector ? pages.get(page).page.locator(selector) : pages.get(page).page)
      .screenshot({path, animations: 'disabled', caret: 'hide'}).then(() => null),
  traceEnd: async () => longTasks(JSON.parse((await browser.stopTracing()).toString())),
  close: ({page}) => {
    const {context} = pages.get(page);
    pages.delete(page);
    return context.close();
  },
};

const answer = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);

answer({value: browser.version()});
for await (const line of createInterface({input: process.stdin})) {
  const command = JSON.parse(line);
  try {
    answer({value: await commands[command.do](command) ?? null});
  } catch (error) {
    answer({error: String(error.stack ?? error)});
  }
}
await browser.close();
