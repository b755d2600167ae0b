// How a story of steps is told in the browser, and how every page of it is looked at.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';

import {assertNoFaults, kPassword, seriousFindings, World} from './world.mjs';

export const {values: given} = parseArgs({options: {
  folder: {type: 'string'}, tools: {type: 'string'}, beaconry: {type: 'string'}, control: {type: 'string'},
  feed: {type: 'string'}, screenshots: {type: 'string'},
  beacons: {type: 'string', default: '20000'}, sensors: {type: 'string', default: '120'}, table: {type: 'string'}}});

export const kHostile = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'"&`;

export async function logIn(page, name = 'ana', password = kPassword) {
  await page.getByLabel('Name', {exact: true}).fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', {name: 'Log in'}).click();
}

// As if the reader had changed the system's theme and the window's width.
export async function look(page, scheme, width) {
  await page.emulateMedia({colorScheme: scheme});
  await page.setViewportSize({width, height: width < 600 ? 844 : 800});
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

// Pictures of these are of the whole page, and of those also on a phone.
const kWhole = new Set(['beacon', 'leaks', 'instrument']), kNarrow = new Set(['today', 'fleet']);

export async function photograph(page, name, fullPage = false) {
  if (!given.screenshots) return;
  await page.mouse.move(2, 2); // nothing is hovered over
  const window = page.viewportSize();
  // As high as the page: what sticks to the window's edges is at the page's.
  if (fullPage) await page.setViewportSize({width: window.width, height: await page.evaluate(() => document.documentElement.scrollHeight)});
  await page.screenshot({path: join(given.screenshots, `${name}.png`)});
  if (fullPage) await page.setViewportSize(window);
}

// `pages`: name, path and heading of each. Both themes, wide and narrow: none too wide, none with a fault.
export async function lookAtAll(world, page, pages) {
  for (const [name, path, title] of pages) {
    await world.open(page, path);
    const heading = await page.locator('main h1').first().textContent();
    assert.ok(heading.includes(title), `${name}: is headed "${heading}"`);
    for (const [scheme, width, audit] of [['light', 1280, true], ['dark', 1280, false], ['dark', 390, true],
      ['light', 390, false]]) {
      const where = `${name}, ${scheme}, ${width}`;
      await look(page, scheme, width);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${where}: ${over} pixels too wide`);
      const wide = await page.evaluate(() => [...document.querySelectorAll('.table')].filter((one) => one.scrollWidth > one.clientWidth)
        .map((one) => `${one.getAttribute('aria-label')}: ${one.scrollWidth} of ${one.clientWidth}`));
      assert.deepEqual(wide, [], `${where}: tables wider than their boxes`);
      if (audit) assert.deepEqual(await seriousFindings(world, page), [], where);
      assertNoFaults(page, where);
      if (width === 1280 || (kNarrow.has(name) && scheme === 'light')) {
        await photograph(page, `${name}-${width === 1280 ? scheme : 'narrow'}`, kWhole.has(name));
      }
    }
    await look(page, 'light', 1280);
  }
}

// Steps of one story, in order: what came before is there. Ends the program.
export async function tell(steps, options = {}) {
  if (given.screenshots) mkdirSync(given.screenshots, {recursive: true});
  const world = await World.begin({...given, ...options});
  let status = 0;
  try {
    const ui = await fetch(`${world.url}/ui/`);
    if (ui.status === 503) {
      console.log('skipped: this beaconry-control was built without its web page');
      status = 77;
    } else {
      await world.openBrowser();
      for (const {name, run} of steps) {
        const began = Date.now();
        try {
          await run(world);
          console.log(`- ${name}: ${Date.now() - began} ms`);
        } catch (error) {
          console.log(`FAILED (${name}): ${error.stack ?? error}`);
          status = 1;
          break;
        }
      }
    }
  } finally {
    await world.end();
  }
  process.exit(status);
}
