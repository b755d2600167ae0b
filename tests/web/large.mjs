// Lists of very many beacons and sensors on the web page: tests/web/pages starts this, bench/page with more of
// them. What it measures it prints, and adds to the file --table as rows of Markdown; only that each row is
// reached and few are drawn must hold.
import assert from 'node:assert/strict';
import {appendFileSync} from 'node:fs';

import {Sensor} from './sensors.mjs';
import {given, logIn, tell} from './story.mjs';
import {assertNoFaults, until} from './world.mjs';

const steps = [];
const step = (name, run) => steps.push({name, run});
const many = Number(given.beacons), sensors = Number(given.sensors);
const kVisits = 5, kJoinAtOnce = 8, kRow = 44, kFar = 5000;
const number = (value) => value.toLocaleString('en');

function tellOf(what, milliseconds, target) {
  const figure = milliseconds.map((each) => `${Math.round(each)} ms`).join(', ');
  console.log(`    ${what}: ${figure}`);
  if (given.table) appendFileSync(given.table, `| ${what} | ${figure} | ${target} |\n`);
}
const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];

// By somebody who was here before: a window each visit, its cache empty, until a key moves the first row.
async function visit(world, path, list, first) {
  const state = await world.window.context().storageState();
  const times = [];
  for (let i = 0; i < kVisits; ++i) {
    const page = await world.openWindow();
    await page.context().addCookies(state.cookies);
    const began = performance.now();
    await page.goto(`${world.url}/ui/${path}`, {waitUntil: 'commit'});
    const grid = page.getByRole('grid', {name: list});
    await grid.getByText(first).first().waitFor();
    await grid.focus();
    await page.keyboard.press('ArrowDown');
    await page.locator('#row-1.active').waitFor();
    times.push(performance.now() - began);
    assertNoFaults(page, path);
    await page.context().close();
  }
  return median(times);
}
// The time from one frame to the next while the wheel goes down the list.
function scroll(grid) {
  return grid.evaluate(async (element) => {
    const frames = [];
    let before = await new Promise((done) => requestAnimationFrame(done));
    for (let i = 0; i < 180; ++i) {
      element.scrollTop += 220;
      const now = await new Promise((done) => requestAnimationFrame(done));
      frames.push(now - before);
      before = now;
    }
    return frames;
  });
}
async function look(world, path, list, all, first) {
  tellOf(`${number(all)} ${list.toLowerCase()}: from the address to a list that obeys a key, median of ${kVisits}`,
    [await visit(world, path, list, first)], '1,000 ms');
  const page = world.window;
  await world.open(page, path);
  const grid = page.getByRole('grid', {name: list});
  await until('all count', async () => await grid.getAttribute('aria-rowcount') === String(all + 1));
  const drawn = () => page.locator('.rows .row').count();
  assert.ok(await drawn() < 80);
  await grid.focus();
  await page.keyboard.press('End');
  await page.locator('.row.active').waitFor();
  await until('more are read', async () =>
    await page.locator('.rows').evaluate((one, row) => one.clientHeight / row, kRow) >= Math.min(all, 200));
  // On and on: each page that is reached is read.
  const rows = () => page.locator('.rows').evaluate((one, row) => one.clientHeight / row, kRow);
  await until('further pages are read', async () => {
    await grid.evaluate((element) => {
      element.scrollTop = element.scrollHeight;
    });
    return await rows() >= Math.min(all, kFar);
  });
  await page.keyboard.press('Home');
  const frames = sorted(await scroll(grid));
  tellOf(`scrolling through them, five rows a frame: a frame's time, median, 95 %, most`,
    [median(frames), frames[Math.floor(frames.length * 0.95)], frames[frames.length - 1]], 'smooth: 17 ms');
  assert.ok(await drawn() < 80);
  return {page, grid};
}

step(`${number(sensors)} sensors join and report`, async (world) => {
  world.window = await world.openWindow();
  await world.window.goto(`${world.url}/ui/fleet`);
  await logIn(world.window);
  await world.window.getByRole('heading', {name: 'Fleet', level: 1}).waitFor();
  let next = 0;
  const join = async () => {
    while (next < sensors) {
      const sensor = await Sensor.join(world, `many-${String(next++).padStart(4, '0')}`);
      await sensor.report();
      sensor.end();
    }
  };
  await Promise.all(Array.from({length: kJoinAtOnce}, join));
});

step('each sensor is reached, and only those in view are drawn', async (world) => {
  const {page, grid} = await look(world, 'fleet', 'Sensors', sensors, 'many-0000');
  const last = `many-${String(sensors - 1).padStart(4, '0')}`;
  await page.getByLabel('Search').fill(last);
  await grid.getByText(last).waitFor();
  assertNoFaults(page, 'many sensors');
});

step('each beacon is reached, and only those in view are drawn', async (world) => {
  const {page, grid} = await look(world, 'beacons', 'Beacons', many, '10.0.0.0');
  const last = many - 1;
  const address = `10.${(last >> 16) & 255}.${(last >> 8) & 255}.${last & 255}`;
  await page.getByLabel('Search').fill(address);
  await grid.getByText(address).first().waitFor();
  await page.getByLabel('Search').fill('');
  await until('all count', async () => await grid.getAttribute('aria-rowcount') === String(many + 1));
  // The server sorts: the last comes first without any other being read.
  const began = performance.now();
  await page.getByRole('button', {name: 'Score'}).click();
  await page.locator('.rows .row').first().getByText(address).waitFor();
  tellOf('sorted the other way round', [performance.now() - began], '1,000 ms');
  assertNoFaults(page, 'many beacons');
});

await tell(steps, {people: true, many});
