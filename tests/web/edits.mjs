// Steps of the fleet's story in which somebody else changes what one edits.
import assert from 'node:assert/strict';

import {assertNoFaults, until} from './world.mjs';

const part = encodeURIComponent;

// The form of recorder_0 on oulu-1.
export async function openForm(world) {
  await world.open(world.window, 'fleet/sensors/oulu-1/recorder_0');
  return world.window;
}

export async function twoEditTheSame(world) {
  const page = await openForm(world);
  await page.getByLabel('snaplen').fill('8192');
  await page.getByRole('button', {name: 'See what changes'}).click();
  const dialog = page.locator('dialog');
  await dialog.getByText('/instances/recorder_0/config/snaplen').first().waitFor();
  await world.ask('PATCH', `/fleet/desired/${part('sensor:oulu-1')}`, {patch: {instances: {recorder_0: {config: {filter: 'tcp'}}}}});
  await dialog.getByRole('button', {name: 'Save', exact: true}).click();
  await dialog.locator('.problem').waitFor();
  page.faults.length = 0; // the refusal
  await page.keyboard.press('Escape');
}

export async function colleagueSaves(world) {
  const page = await openForm(world);
  await page.getByLabel('snaplen').fill('2048');
  await world.ask('PATCH', `/fleet/desired/${part('sensor:oulu-1')}`, {patch: {instances: {recorder_0: {config: {filter: 'udp'}}}}});
  await page.getByText('It was changed meanwhile').waitFor();
  await page.getByRole('button', {name: 'See what changes'}).click();
  await page.locator('dialog').getByRole('button', {name: 'Save', exact: true}).click();
  await until('both hold', () => {
    const {filter, snaplen} = world.sensors[0].document.instances.recorder_0.config;
    return filter === 'udp' && snaplen === 2048;
  });
  // It is said that it was sent until the sensor has it, and no longer.
  await page.getByLabel('Configuration state').getByText('APPLIED').waitFor();
  assertNoFaults(page, 'two at once');
}

export async function backToAnotherImage(world) {
  const page = world.window;
  await world.open(page, 'fleet/install');
  await page.getByRole('button', {name: /^recorder 1.0/}).click();
  await page.getByRole('button', {name: /^group ot/}).click();
  await page.getByLabel('snaplen').fill('999');
  await page.goBack();
  await page.getByRole('button', {name: /^group ot/}).waitFor();
  await page.goBack();
  await page.getByRole('button', {name: /^recorder 2.0/}).click();
  await page.getByRole('button', {name: /^group ot/}).click();
  await until('the form is the other image’s', async () => await page.getByLabel('snaplen').inputValue() === '65535');
  await page.getByRole('button', {name: 'Next'}).click();
  await page.getByText('/instances/recorder_1').first().waitFor(); // what the server says would change
  assertNoFaults(page, 'back and another image');
}

export async function editsOutlast(world) {
  const page = world.window;
  await world.open(page, 'fleet/groups/group%3Aot');
  const document = page.getByLabel('Document', {exact: true});
  const mine = JSON.parse(await document.inputValue());
  mine.instances.recorder_0.config = {...mine.instances.recorder_0.config, rotate: 'daily'};
  await document.fill(JSON.stringify(mine));
  await world.ask('PATCH', `/fleet/desired/${part('group:ot')}`, {patch: {instances: {recorder_0: {config: {compress: false}}}}});
  await page.getByText('It was changed meanwhile').waitFor();
  assert.ok((await document.inputValue()).includes('daily'));
  await page.getByRole('button', {name: 'Lay my changes over it'}).click();
  const {config} = JSON.parse(await document.inputValue()).instances.recorder_0;
  assert.deepEqual([config.rotate, config.compress], ['daily', false]);
  await page.getByRole('button', {name: 'Take back'}).click();
  await world.open(page, 'fleet/sensors/turku-1');
  await page.getByLabel('Name', {exact: true}).fill('turku-9');
  await world.ask('PATCH', '/fleet/sensors/turku-1', {labels: {site: 'turku', role: 'ot', floor: '2'}});
  await page.getByText('It was changed meanwhile').waitFor();
  assert.equal(await page.getByLabel('Name', {exact: true}).inputValue(), 'turku-9');
  assertNoFaults(page, 'edits');
}

export async function whatWouldGo(world) {
  const page = world.window;
  await world.ask('PUT', '/fleet/groups/harbour', {selector: 'site=turku', priority: 1});
  await world.ask('PUT', `/fleet/desired/${part('group:harbour')}`,
    {document: {instances: {recorder_7: {image: world.image.sha256, running: false}}}});
  const said = page.getByText(/With their data go: .*recorder_7@turku-1/);
  await world.open(page, 'fleet/sensors/turku-1');
  await page.getByLabel('Labels').fill('role=ot');
  await page.getByRole('button', {name: 'Save name and labels'}).click();
  await said.waitFor();
  await page.getByRole('button', {name: 'Save, and let them go'}).waitFor();
  await page.getByRole('button', {name: 'Take back'}).click();
  await said.waitFor({state: 'detached'});
  assert.equal((await world.get('/fleet/sensors/turku-1')).labels.site, 'turku');
  await world.open(page, 'fleet/groups/group%3Aharbour');
  await page.getByRole('button', {name: 'Change …'}).click();
  await page.getByLabel('It chooses sensors by labels').fill('site=none');
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await said.waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({state: 'detached'});
  assert.equal((await world.get('/fleet/groups')).groups.find((one) => one.name === 'harbour').selector, 'site=turku');
  await page.getByRole('button', {name: 'Remove the group'}).click();
  await said.waitFor();
  await page.getByRole('button', {name: 'Remove harbour'}).click();
  await page.waitForURL(/fleet\/groups$/);
  await until('it is gone', () => !('recorder_7' in world.sensors[2].document.instances));
  assertNoFaults(page, 'what would go');
}

export async function anotherTry(world) {
  const page = world.window;
  let failing = true;
  await page.route('**/api/v1/fleet/rollouts', (route) => {
    const {target, dry_run: isTrial} = route.request().postDataJSON() ?? {};
    if (target !== 'sensor:oulu-2' || isTrial || !failing) return route.continue();
    failing = false;
    return route.fulfill({status: 500, json: {error: 'the disk is full'}});
  });
  await world.open(page, `fleet/install?image=${world.image.sha256}&target=${part('sensor:oulu-1 sensor:oulu-2')}`);
  await page.getByLabel('Interface of the sensor').fill('eth2');
  await page.getByRole('button', {name: 'Next'}).click();
  await page.getByRole('button', {name: /^Install it/}).click();
  await page.getByText('the disk is full').waitFor();
  await page.getByText('Begun for sensor oulu-1').waitFor();
  page.faults.length = 0; // the refusal
  await page.getByRole('button', {name: /^Install it/}).click();
  await page.getByRole('heading', {name: 'Rollouts', level: 1}).waitFor();
  const {rollouts} = await world.get('/fleet/rollouts');
  for (const target of ['sensor:oulu-1', 'sensor:oulu-2']) {
    const [one, other] = rollouts.filter((each) => each.target === target);
    assert.ok(one && !other, target);
    await world.ask('POST', `/fleet/rollouts/${one.id}/abort`, {});
    await until('it goes back', async () => ['aborted', 'reverted'].includes((await world.get(`/fleet/rollouts/${one.id}`)).phase));
  }
  await page.unroute('**/api/v1/fleet/rollouts');
  assertNoFaults(page, 'another try');
}
