// Two whole sensors by the page alone: tests/lxd/fleet_test starts this, with a server and two machines
// that nobody enrolled yet. `on_sensor NUMBER COMMAND` is what a person at the machine does.
import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {parseArgs, promisify} from 'node:util';

import {assertNoFaults, kPassword, until, World} from './world.mjs';

const {values: given} = parseArgs({options: {
  folder: {type: 'string'}, tools: {type: 'string'}, beaconry: {type: 'string'}, url: {type: 'string'},
  good: {type: 'string'}, bad: {type: 'string'}}});
const kPatience = 120_000; // containers are made, started and taken back meanwhile

const steps = [];
const step = (name, run) => steps.push({name, run});
const onSensor = (number, ...command) =>
  promisify(execFile)(join(given.folder, 'on_sensor'), [String(number), ...command]);
const see = (locator) => locator.waitFor({timeout: kPatience});
// The whole words: "unhealthy" and "Wished: running" are others.
const healthy = (page, number) =>
  see(page.getByRole('row', {name: new RegExp(`plant-${number}`)}).getByText('healthy', {exact: true}));
const running = (page) => see(page.locator('.card', {has: page.getByRole('heading', {name: 'State', exact: true})})
  .getByText('RUNNING', {exact: true}));
const open = (page, path) => page.goto(`${given.url}/ui/${path}`);

step('a person logs in', async (page) => {
  await open(page, 'fleet');
  await page.getByLabel('Name', {exact: true}).fill('ana');
  await page.getByLabel('Password').fill(kPassword);
  await page.getByRole('button', {name: 'Log in'}).click();
  await see(page.getByText('There is no sensor yet'));
});

step('both machines are enrolled by the line that the page shows, and appear', async (page) => {
  for (const number of [1, 2]) {
    await open(page, 'edges');
    await page.getByRole('button', {name: 'Enrol a machine'}).click();
    const dialog = page.locator('dialog');
    await dialog.getByLabel('Kind').selectOption('sensor');
    await dialog.getByLabel('Name', {exact: true}).fill(`plant-${number}`);
    await dialog.getByRole('button', {name: 'Make its line'}).click();
    const line = await dialog.getByText('beaconry-sensor join').textContent();
    await onSensor(number, 'join', line);
  }
  await open(page, 'fleet');
  for (const number of [1, 2]) {
    await healthy(page, number);
  }
});

step('they get labels, and a group chooses them', async (page) => {
  for (const number of [1, 2]) {
    await open(page, `fleet/sensors/plant-${number}`);
    await page.getByLabel('Labels').fill('site=oulu');
    const saved = page.waitForResponse((answer) => answer.request().method() === 'PATCH' &&
      !answer.request().postData().includes('dry_run'));
    await page.getByRole('button', {name: 'Save name and labels'}).click();
    assert.equal((await saved).status(), 200);
  }
  await open(page, 'fleet/groups');
  await page.getByRole('button', {name: 'Make a group'}).click();
  await page.locator('dialog').getByLabel('Name', {exact: true}).fill('oulu');
  await page.getByLabel('It chooses sensors by labels').fill('site=oulu');
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await see(page.getByText('It reaches plant-1, plant-2'));
});

async function upload(page, image, heading) {
  await open(page, 'fleet/images');
  await page.getByRole('button', {name: 'Upload an image'}).click();
  await page.getByLabel('Image (.instrument)').setInputFiles(image);
  await page.getByLabel('Its signature (.minisig)').setInputFiles(`${image}.minisig`);
  await page.locator('dialog').getByRole('button', {name: 'Upload'}).click();
  await see(page.getByRole('heading', {name: heading}));
}

// What is chosen, as a rollout to the group.
async function rollOut(page) {
  await page.getByRole('button', {name: 'Next'}).click();
  await page.getByLabel('Healthy for so many seconds').fill('5');
  await page.getByLabel('Failed after so many seconds').fill('300');
  await page.getByRole('button', {name: /^Install it/}).click();
  await see(page.getByRole('heading', {name: 'Rollout to group oulu'}));
}

step('a signed image is uploaded and installed on the group: first one sensor, then the other', async (page) => {
  await upload(page, given.good, 'puppet 1.0');
  await open(page, 'fleet/install');
  await page.getByRole('button', {name: /^puppet 1.0/}).click();
  await page.getByRole('button', {name: /^group oulu/}).click();
  await rollOut(page);
  await see(page.getByText('2 done of 2 sensors'));
  for (const number of [1, 2]) {
    await open(page, `fleet/sensors/plant-${number}/puppet_0`);
    await running(page);
  }
});

step('its configuration is edited by the form until both instruments say APPLIED', async (page) => {
  await open(page, 'fleet/sensors/plant-1/puppet_0');
  await page.getByLabel('sick').fill('the valve is stuck');
  await page.getByRole('combobox', {name: /^For/}).selectOption('group:oulu');
  await page.getByRole('button', {name: 'See what changes'}).click();
  const dialog = page.locator('dialog');
  await see(dialog.getByText('the valve is stuck').first());
  await dialog.getByRole('combobox', {name: /^How/}).selectOption('');
  await dialog.getByRole('button', {name: 'Save', exact: true}).click();
  for (const number of [1, 2]) {
    await open(page, `fleet/sensors/plant-${number}/puppet_0`);
    await see(page.getByLabel('Configuration state').getByText('APPLIED'));
    await see(page.getByText('the valve is stuck').first());
  }
});

step('the one cause of both sensors is said once, and Today has it', async (page) => {
  await open(page, '');
  await see(page.getByText('the valve is stuck').first());
  await open(page, 'fleet');
  const causes = page.getByRole('list', {name: 'What is wrong, by cause'}).getByRole('listitem')
    .filter({hasText: 'the valve is stuck'});
  await see(causes.filter({hasText: 'plant-1'}).filter({hasText: 'plant-2'}));
  assert.equal(await causes.count(), 1);
});

step('it is taken back, and both are healthy', async (page) => {
  await open(page, 'fleet/sensors/plant-1/puppet_0');
  await page.getByLabel('sick').fill('');
  await page.getByRole('combobox', {name: /^For/}).selectOption('group:oulu');
  await page.getByRole('button', {name: 'See what changes'}).click();
  await page.locator('dialog').getByRole('combobox', {name: /^How/}).selectOption('');
  await page.locator('dialog').getByRole('button', {name: 'Save', exact: true}).click();
  await open(page, 'fleet');
  for (const number of [1, 2]) {
    await healthy(page, number);
  }
});

step('a rollout with a bad image reverts by itself; the good one runs on', async (page) => {
  await upload(page, given.bad, 'puppet 1.1');
  await open(page, 'fleet/sensors/plant-1/puppet_0');
  await page.getByRole('link', {name: 'Another version'}).click();
  await page.getByRole('button', {name: /^puppet 1.1/}).click();
  await rollOut(page);
  await see(page.getByText('reverted', {exact: true}).first());
  await see(page.getByText('1 returned').first());
  for (const number of [1, 2]) {
    await open(page, `fleet/sensors/plant-${number}/puppet_0`);
    await running(page);
    await see(page.getByRole('link', {name: 'puppet 1.0'}));
  }
});

step('the end of its log is read from the sensor', async (page) => {
  await open(page, 'fleet/sensors/plant-2/puppet_0');
  await page.getByRole('button', {name: 'Read its end'}).click();
  await see(page.getByLabel('End of the log').or(page.getByText('It is empty.')));
});

step('a sensor whose power fails obeys what it was told last', async (page) => {
  const started = () => page.evaluate(async () => (await (await fetch('/api/v1/fleet/sensors/plant-2')).json()).reported?.started);
  const before = await started();
  await onSensor(2, 'restart');
  // Until it is back it is shown as it was.
  await until('the sensor began anew', async () => await started() !== before, kPatience);
  await open(page, 'fleet');
  await healthy(page, 2);
  await open(page, 'fleet/sensors/plant-2/puppet_0');
  await running(page);
});

step('the audit log has who did what', async (page) => {
  await open(page, 'settings/audit');
  const grid = page.getByRole('grid', {name: 'Audit log'});
  await see(grid.getByText('/api/v1/fleet/rollouts').first());
  await see(grid.getByText('ana').first());
});

const world = Object.assign(Object.create(World.prototype), {...given, children: new Set()});
let status = 0;
await world.openBrowser();
const page = await world.openWindow();
for (const {name, run} of steps) {
  const began = Date.now();
  try {
    await run(page);
    // What the server refused, it was asked in vain on purpose: before the login.
    assertNoFaults({faults: page.faults.filter((one) => !one.includes('401'))}, name);
    console.log(`- ${name}: ${Date.now() - began} ms`);
  } catch (error) {
    console.log(`FAILED (${name}): ${error.stack ?? error}`);
    await page.screenshot({path: join(given.folder, 'failed.png'), fullPage: true}).catch(() => {});
    console.log(await page.locator('main').innerText().catch(() => ''));
    status = 1;
    break;
  }
}
await world.end();
process.exit(status);
