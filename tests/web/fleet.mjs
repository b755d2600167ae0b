// Sensors and people on the web page: tests/web/pages starts this. The server has a user, so every window
// logs in; the sensors are those of sensors.mjs, which speak the real wire.
import assert from 'node:assert/strict';

import {anotherTry, backToAnotherImage, colleagueSaves, editsOutlast, openForm, twoEditTheSame, whatWouldGo} from './edits.mjs';
import {begin, build, kManifest, upload} from './images.mjs';
import {Sensor} from './sensors.mjs';
import {kHostile, logIn, lookAtAll, photograph, tell} from './story.mjs';
import {assertNoFaults, kPassword, seriousFindings, settled, until} from './world.mjs';

const steps = [];
const step = (name, run) => steps.push({name, run});
const part = encodeURIComponent;
const kCookie = 'beaconry_session';

const cookieOf = async (page) => (await page.context().cookies()).find((one) => one.name === kCookie);
async function noScriptRan(page, where) {
  assert.equal(await page.evaluate(() => window.pwned), undefined, where);
}

step('a wrong password is refused, a right one gives a session that nobody can have planted', async (world) => {
  const page = await world.openWindow();
  world.window = page;
  await page.context().addCookies([{name: kCookie, value: 'planted-by-somebody-else', url: world.url}]);
  await page.goto(`${world.url}/ui/fleet`);
  await page.getByRole('heading', {name: 'Log in'}).waitFor();
  await logIn(page, 'ana', 'wrong');
  await page.getByText('name or password is wrong').waitFor();
  await logIn(page);
  await page.getByRole('heading', {name: 'Fleet', level: 1}).waitFor();
  const first = await cookieOf(page);
  assert.notEqual(first.value, 'planted-by-somebody-else');
  assert.ok(first.httpOnly && first.sameSite === 'Strict');
  assert.equal((await fetch(`${world.url}/api/v1/fleet`, {headers: {cookie: `${kCookie}=planted-by-somebody-else`}})).status, 401);
  page.faults.length = 0; // refusals, as the browser tells of them
});

step('a session that the server ended leads to the login and back to where one was', async (world) => {
  const page = world.window;
  const old = await cookieOf(page);
  await world.open(page, 'fleet/groups?x=1');
  // Ended elsewhere: by its own cookie, with the secret that goes with it.
  const headers = {cookie: `${kCookie}=${old.value}`};
  const {csrf} = await (await fetch(`${world.url}/api/v1/session`, {headers})).json();
  assert.equal((await fetch(`${world.url}/api/v1/session`, {method: 'DELETE', headers})).status, 403, 'without the secret');
  assert.equal((await fetch(`${world.url}/api/v1/session`, {method: 'DELETE', headers: {...headers, 'x-beaconry-csrf': csrf}})).status, 200);
  await page.getByRole('link', {name: 'Rollouts'}).click();
  await page.getByText('Your session has ended').waitFor();
  assert.ok(page.url().endsWith('/ui/fleet/rollouts'));
  await logIn(page);
  await page.getByRole('heading', {name: 'Rollouts'}).waitFor();
  const fresh = await cookieOf(page);
  assert.notEqual(fresh.value, old.value);
  await page.getByRole('button', {name: 'Log out'}).click();
  await page.getByRole('heading', {name: 'Log in'}).waitFor();
  assert.equal(await page.getByText('Your session has ended').count(), 0);
  assert.equal((await fetch(`${world.url}/api/v1/fleet`, {headers: {cookie: `${kCookie}=${fresh.value}`}})).status, 401);
  await logIn(page);
  await page.getByRole('heading', {name: 'Rollouts'}).waitFor();
  page.faults.length = 0;
});

step('without sensors every page of the fleet says what to do', async (world) => {
  const page = world.window;
  for (const [path, words] of [['fleet', 'There is no sensor yet'], ['fleet/groups', 'There is no group yet'],
    ['fleet/images', 'There is no image yet'], ['fleet/rollouts', 'Nothing was rolled out yet'], ['fleet/install', 'There is no image to install'],
    ['fleet/nothing', 'There is no such page']]) {
    await page.goto(`${world.url}/ui/${path}`);
    await page.getByText(words).first().waitFor();
  }
  assertNoFaults(page, 'empty pages');
});

step('sensors appear as they join, and get labels', async (world) => {
  const page = world.window;
  await world.open(page, 'fleet');
  world.sensors = [];
  for (const name of ['oulu-1', 'oulu-2', 'turku-1', 'lab-1']) {
    const sensor = await Sensor.join(world, name);
    await sensor.follow();
    world.sensors.push(sensor);
  }
  const grid = page.getByRole('grid', {name: 'Sensors'});
  await grid.getByText('lab-1').waitFor();
  await grid.getByText('healthy', {exact: true}).first().waitFor();
  await grid.getByRole('link', {name: 'oulu-1', exact: true}).click();
  await page.getByLabel('Labels').fill('site=oulu\nrole=<ot>');
  await page.getByRole('button', {name: 'Save name and labels'}).click();
  await page.getByText('a label is key=value').waitFor();
  await page.getByLabel('Labels').fill('site=oulu\nrole=ot');
  await page.getByRole('button', {name: 'Save name and labels'}).click();
  await until('the labels hold', async () => (await world.get('/fleet/sensors/oulu-1')).labels.role === 'ot');
  for (const name of ['oulu-2', 'turku-1']) await world.ask('PATCH', `/fleet/sensors/${name}`, {labels: {site: name.split('-')[0], role: 'ot'}});
  await world.open(page, 'fleet?labels=site%3Doulu');
  await page.getByText('2 sensors').waitFor();
  await page.getByLabel('Search').fill('turku');
  await page.getByText('No sensor fits these filters').waitFor();
  assert.match(page.url(), /text=turku/);
  assertNoFaults(page, 'joining');
});

step('a group is made and chooses its sensors', async (world) => {
  const page = world.window;
  await world.open(page, 'fleet/groups');
  await page.getByRole('button', {name: 'Make a group'}).click();
  await page.locator('dialog').getByLabel('Name', {exact: true}).fill('ot');
  await page.getByLabel('It chooses sensors by labels').fill('role=');
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await page.locator('dialog .problem').waitFor();
  page.faults.length = 0; // the refusal
  await page.getByLabel('It chooses sensors by labels').fill('role=ot');
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await page.waitForURL(/groups\/group%3Aot/);
  await page.getByText('It reaches oulu-1, oulu-2, turku-1').waitFor();
  assertNoFaults(page, 'a group');
});

step('an image is uploaded with its signature, also where an upload broke off before', async (world) => {
  const page = world.window;
  world.image = await build(world, '1.0', kManifest);
  assert.equal(await begin(world, world.image, 1000), 1000);
  await world.open(page, 'fleet/images');
  await page.getByRole('button', {name: 'Upload an image'}).click();
  await page.getByLabel('Image (.instrument)').setInputFiles(world.image.path);
  await page.getByLabel('Its signature (.minisig)').setInputFiles(world.image.signature);
  await page.locator('dialog').getByRole('button', {name: 'Upload'}).click();
  await page.getByRole('heading', {name: 'recorder 1.0'}).waitFor();
  await page.getByText('net_raw').first().waitFor();
  assertNoFaults(page, 'an image');
});

step('an instrument is installed on a group in four clicks', async (world) => {
  const page = world.window;
  await world.open(page, 'fleet/install');
  await page.getByRole('button', {name: /^recorder 1.0/}).click();
  await page.getByRole('button', {name: /^group ot/}).click();
  await page.getByLabel('Interface of the sensor').fill('eth1');
  assert.deepEqual(await seriousFindings(world, page), [], 'installing');
  await photograph(page, 'install-light');
  await page.getByRole('button', {name: 'Next'}).click();
  await page.getByLabel('Healthy for so many seconds').fill('0');
  await page.getByRole('button', {name: /^Install it/}).click();
  await page.getByRole('heading', {name: 'Rollout to group ot'}).waitFor();
  await page.getByText('3 done of 3 sensors').waitFor();
  for (const sensor of world.sensors.slice(0, 3)) assert.equal(sensor.document.instances.recorder_0.config.snaplen, 65535);
  assert.deepEqual(world.sensors[3].document.instances, {});
  assertNoFaults(page, 'installing');
});

step('a configuration is edited by its form until the instrument says APPLIED', async (world) => {
  const page = await openForm(world);
  const state = page.getByLabel('Configuration state');
  await state.getByText('APPLIED').waitFor();
  await page.getByLabel('snaplen').fill('12');
  await page.getByText('must be 64 or more').waitFor();
  assert.ok(await page.getByRole('button', {name: 'See what changes'}).isDisabled());
  await page.getByLabel('snaplen').fill('4096');
  await page.getByLabel('rotate').selectOption('hourly');
  await page.getByLabel('compress').selectOption('no');
  await page.getByRole('button', {name: 'Set networks'}).click();
  await page.getByRole('button', {name: 'Add to networks'}).click();
  await page.getByLabel('networks 1', {exact: true}).fill('10.0.0.0/8');
  await page.getByRole('button', {name: 'Set upload'}).click();
  await page.getByLabel('url', {exact: true}).fill('ftp://x');
  await page.getByText('must fit ^https://').waitFor();
  await page.getByLabel('url', {exact: true}).fill('https://store.plant.example');
  await page.getByLabel('match', {exact: true}).fill('{"half":');
  await page.getByText(/^is no JSON/).waitFor();
  await page.getByLabel('match', {exact: true}).fill('443');
  assert.deepEqual(await seriousFindings(world, page), [], 'the form');
  await page.getByRole('button', {name: 'See what changes'}).click();
  const dialog = page.locator('dialog');
  await dialog.getByText('/instances/recorder_0/config/snaplen').first().waitFor();
  assert.deepEqual(await seriousFindings(world, page), [], 'what changes');
  world.sensors[0].held = true;
  await dialog.getByRole('button', {name: 'Save', exact: true}).click();
  await state.getByText('APPLYING').waitFor();
  await world.sensors[0].settle();
  await state.getByText('APPLIED').waitFor();
  assert.deepEqual(world.sensors[0].document.instances.recorder_0.config, {snaplen: 4096, rotate: 'hourly', compress: false,
    networks: ['10.0.0.0/8'], upload: {url: 'https://store.plant.example'}, match: 443});
  assert.equal(world.sensors[1].document.instances.recorder_0.config.snaplen, 65535, 'it is this sensor\'s alone');
  const {origin} = await world.get('/fleet/sensors/oulu-1');
  assert.equal(origin['/instances/recorder_0/config/snaplen'], 'sensor');
  assert.equal(origin['/instances/recorder_0/image'], 'group:ot');
  assertNoFaults(page, 'the form');
});

step('a configuration that the instrument refuses says why, and is rolled back', async (world) => {
  const page = await openForm(world);
  const state = page.getByLabel('Configuration state');
  await page.getByLabel('filter', {exact: true}).fill('unfit');
  await page.getByRole('button', {name: 'See what changes'}).click();
  await page.locator('dialog').getByRole('button', {name: 'Save', exact: true}).click();
  await state.getByText('FAILED').waitFor();
  await state.getByText('pcap-filter(7) does not know').waitFor();
  const history = page.locator('.card', {has: page.getByRole('heading', {name: 'History'})});
  await history.getByRole('button', {name: /^Compare with version/}).first().click();
  await history.getByText('/instances/recorder_0/config/filter').waitFor();
  await history.getByRole('button', {name: /^Roll back to version/}).first().click();
  await history.getByRole('button', {name: /hold again$/}).click();
  await state.getByText('APPLIED').waitFor();
  assert.equal(world.sensors[0].document.instances.recorder_0.config.filter, undefined);
  assertNoFaults(page, 'rolling back');
});

step('two people who edit the same thing: the second is told', twoEditTheSame);

step('what a colleague saves while one edits is not taken back by what one saves', colleagueSaves);

step('an instrument is stopped and started, and its log is read from the sensor', async (world) => {
  const page = await openForm(world);
  world.sensors[0].log = kHostile;
  await page.getByRole('button', {name: 'Read its end'}).click();
  await page.getByLabel('End of the log').getByText('onerror="window.pwned=1"').waitFor();
  await page.getByRole('button', {name: 'Stop …'}).click();
  await page.getByRole('button', {name: 'Stop it'}).click();
  await until('it is stopped', () => world.sensors[0].document.instances.recorder_0.running === false);
  await page.getByRole('button', {name: 'Start', exact: true}).click();
  await until('it runs', () => world.sensors[0].document.instances.recorder_0.running === true);
  await page.getByRole('button', {name: 'Update its files now'}).click();
  await until('the sensor is asked', () => world.sensors[0].asks.includes('update'));
  await noScriptRan(page, 'the log');
  assertNoFaults(page, 'orders');
});

step('what is wrong is one cause, however many sensors it meets, and its words are words', async (world) => {
  const page = world.window;
  await world.open(page, '');
  for (const sensor of world.sensors.slice(0, 2)) {
    sensor.sick.set('recorder_0', {cause: 'the upstream proxy does not answer', evidence: `10.1.1.1:3128 ${kHostile}`, fix: 'start the proxy'});
    await sensor.report();
  }
  const matter = page.locator('.matter', {hasText: 'upstream proxy'}).first();
  await matter.getByText('onerror="window.pwned=1"').waitFor();
  await matter.getByText('2 sensors').first().waitFor();
  await matter.getByRole('link', {name: 'Show the 2 sensors'}).click();
  await page.getByRole('grid', {name: 'Sensors'}).getByText('oulu-2').waitFor();
  await page.getByText('2 of 4 sensors').waitFor();
  await page.getByRole('grid', {name: 'Sensors'}).getByRole('link', {name: 'oulu-2', exact: true}).click();
  await page.getByLabel('Health of oulu-2').getByText('start the proxy').first().waitFor();
  await noScriptRan(page, 'causes');
  assertNoFaults(page, 'causes');
});

step('two machines with one key are a conflict, not two half-truths', async (world) => {
  const page = world.window;
  const copy = world.sensors[3].clone();
  await world.sensors[3].report();
  await copy.report();
  await world.sensors[3].report();
  await world.open(page, 'fleet/sensors/lab-1');
  const alert = page.getByRole('alert');
  await alert.getByText('Two systems live with the key').waitFor();
  await alert.getByText(copy.machine).waitFor();
  copy.agent.destroy();
  await world.open(page, '');
  await page.getByRole('link', {name: 'Show them'}).click();
  await page.getByText('1 of 4 sensors').waitFor();
  assertNoFaults(page, 'a conflict');
});

step('a rollout of a bad image goes back by itself', async (world) => {
  const page = world.window;
  const bad = await build(world, '1.1', kManifest);
  await upload(world, bad);
  world.sensors.forEach((sensor) => sensor.unfit.add(bad.sha256));
  world.sensors[0].sick.clear();
  world.sensors[1].sick.clear();
  for (const sensor of world.sensors) await sensor.report();
  const {id} = await world.ask('POST', '/fleet/rollouts', {target: 'group:ot', patch: {instances: {recorder_0: {image: bad.sha256}}},
    canary: 1, max_parallel: 2, max_failures: 0, min_healthy_time: 1, healthy_deadline: 2, auto_revert: true});
  await world.open(page, `fleet/rollouts/${id}`);
  await page.getByText('reverted', {exact: true}).first().waitFor();
  assert.deepEqual(await seriousFindings(world, page), [], 'a rollout');
  for (const sensor of world.sensors.slice(0, 3)) {
    await until(`${sensor.name} is back`, () => sensor.document.instances.recorder_0.image === world.image.sha256);
  }
  assertNoFaults(page, 'a bad image');
});

step('widened permissions wait for a person, who sees what is new', async (world) => {
  const page = world.window;
  const wide = await build(world, '2.0', kManifest.replace('[net_raw]', '[net_raw, setuid]'));
  await upload(world, wide);
  const {id} = await world.ask('POST', '/fleet/rollouts', {target: 'group:ot', patch: {instances: {recorder_0: {image: wide.sha256}}},
    canary: 1, max_parallel: 2, max_failures: 0, min_healthy_time: 0, healthy_deadline: 600, auto_revert: true});
  assert.equal((await world.get(`/fleet/rollouts/${id}`)).phase, 'approval');
  await world.open(page, '');
  await page.locator('.matter', {hasText: 'waits for approval'}).first().getByRole('link', {name: 'Look and approve'}).click();
  await page.waitForURL(new RegExp(`/rollouts/${id}$`));
  await page.getByLabel('Widened permissions').getByText('setuid').waitFor();
  await photograph(page, 'approval-light');
  assert.equal(world.sensors[0].document.instances.recorder_0.image, world.image.sha256);
  await page.getByRole('button', {name: 'Approve and go on'}).click();
  await page.getByText('3 done of 3 sensors').waitFor();
  assert.equal(world.sensors[0].document.instances.recorder_0.image, wide.sha256);
  assertNoFaults(page, 'an approval');
});

step('what was set for one image is not installed with another', backToAnotherImage);

step('edits of a document and of labels outlast what others change', editsOutlast);

step('what would take instruments away says which, and does nothing yet', whatWouldGo);

const kPages = (image, rollout) => [
  ['fleet-today', '', 'Today'],
  ['fleet', 'fleet', 'Fleet'],
  ['sensor', 'fleet/sensors/oulu-2', 'oulu-2'],
  ['instrument', 'fleet/sensors/oulu-2/recorder_0', 'recorder_0 on oulu-2'],
  ['conflict', 'fleet/sensors/lab-1', 'lab-1'],
  ['rollouts', 'fleet/rollouts', 'Rollouts'],
  ['rollout', `fleet/rollouts/${rollout}`, 'Rollout to group ot'],
  ['groups', 'fleet/groups', 'Groups'],
  ['group', 'fleet/groups/group%3Aot', 'group ot'],
  ['images', 'fleet/images', 'Images'],
  ['image', `fleet/images/${image}`, 'recorder 1.0'],
  ['install', `fleet/install?image=${image}`, 'Install an instrument'],
  ['users', 'settings/users', 'Settings'],
  ['audit', 'settings/audit', 'Settings'],
  ['you', 'settings/you', 'Settings'],
];

step('every page of the fleet is whole in both themes, wide and narrow', async (world) => {
  world.sensors[1].sick.set('recorder_0', {cause: 'the capture folder is full', evidence: '62 of 64 MiB', fix: 'raise limits.persistent'});
  await world.sensors[1].report();
  const {rollouts} = await world.get('/fleet/rollouts');
  await lookAtAll(world, world.window, kPages(world.image.sha256, rollouts[0].id));
});

step('where one of several installations failed, another try begins the others alone', anotherTry);

step('users are added, changed and disabled, and the audit log has it', async (world) => {
  const page = world.window;
  await world.open(page, 'settings/users');
  await page.getByRole('button', {name: 'Add a user'}).click();
  await page.locator('dialog').getByLabel('Name', {exact: true}).fill('ben');
  await page.getByLabel('First password').fill('a good password');
  await page.locator('dialog').getByRole('button', {name: 'Add'}).click();
  await page.getByRole('button', {name: 'Change ben'}).click();
  await page.getByRole('button', {name: 'Make a secret'}).click();
  await page.getByText('otpauth://').waitFor();
  assert.deepEqual(await seriousFindings(world, page), [], 'a user');
  await page.keyboard.press('Escape');
  await world.open(page, 'settings/audit');
  const grid = page.getByRole('grid', {name: 'Audit log'});
  await grid.getByText('/api/v1/users').first().waitFor();
  await page.getByLabel('What').fill('fleet/desired');
  await page.waitForURL(/q=fleet/);
  await grid.getByText('fleet/desired').first().waitFor();
  await until('the others are left out', async () => await grid.getByText('/api/v1/users').count() === 0);
  assertNoFaults(page, 'users');
});

step('a viewer sees all and is offered no order; the server refuses them anyway', async (world) => {
  const page = await world.openWindow({width: 390});
  await page.goto(`${world.url}/ui/fleet/sensors/oulu-1/recorder_0`);
  await logIn(page, 'ben', 'a good password');
  await page.getByRole('heading', {name: 'recorder_0 on oulu-1'}).waitFor();
  await settled(page);
  await page.getByText('Changing it needs the role operator').waitFor();
  for (const name of [/^Stop/, /^Restart/, /See what changes/, /Read its end/, /Roll back/]) {
    assert.equal(await page.getByRole('button', {name}).count(), 0, String(name));
  }
  assert.ok(await page.getByLabel('snaplen').isDisabled());
  for (const [path, words] of [['fleet/install', 'Installing needs the role operator'], ['settings/users', 'Users are for admins'],
    ['settings/audit', 'The audit log is for admins']]) {
    await world.open(page, path);
    await page.getByText(words).waitFor();
  }
  assertNoFaults(page, 'a viewer');
  const {value} = await cookieOf(page);
  const headers = {cookie: `${kCookie}=${value}`, 'content-type': 'application/json'};
  const {csrf} = await (await fetch(`${world.url}/api/v1/session`, {headers})).json();
  const stop = (more) => fetch(`${world.url}/api/v1/fleet/instances/recorder_0@oulu-1/stop`, {method: 'POST', headers: {...headers, ...more}, body: '{}'});
  assert.equal((await stop({'x-beaconry-csrf': csrf})).status, 403);

  // Who may order, but not enrol nor revoke, is not offered it.
  await world.ask('PATCH', '/users/ben', {role: 'operator'});
  await page.goto(`${world.url}/ui/edges`);
  await page.getByRole('heading', {name: /^(Edges|Log in)$/}).waitFor();
  if (await page.getByRole('heading', {name: 'Log in'}).count() > 0) await logIn(page, 'ben', 'a good password');
  await page.getByRole('grid', {name: 'Edges'}).waitFor();
  assert.equal(await page.getByRole('button', {name: 'Enrol a machine'}).count(), 0);
  await world.open(page, 'fleet');
  assert.equal(await page.getByRole('link', {name: /^Enrol/}).count(), 0);

  // Disabled: the session is over at the next call.
  await world.ask('PATCH', '/users/ben', {disabled: true});
  await page.getByRole('link', {name: 'Fleet', exact: true}).first().click();
  await page.getByText('Your session has ended').waitFor();
  await page.context().close();
});

step('the server goes away and comes back: sensors follow it again', async (world) => {
  const page = world.window;
  await world.open(page, 'fleet');
  await world.crashServer();
  await page.getByText('The server has not answered since').waitFor();
  await page.getByRole('grid', {name: 'Sensors'}).getByText('oulu-1').waitFor();
  // Nobody is logged out by a click that does not arrive.
  await page.getByRole('button', {name: 'Log out'}).click();
  await page.getByRole('banner').getByText('the server does not answer').waitFor();
  await page.getByRole('heading', {name: 'Fleet', level: 1}).waitFor();
  await world.startServer();
  await page.getByText('The server has not answered since').waitFor({state: 'detached'});
  await world.ask('PATCH', `/fleet/desired/${part('sensor:oulu-1')}`, {patch: {instances: {recorder_0: {config: {snaplen: 128}}}}});
  await until('the change arrives', () => world.sensors[0].document.instances.recorder_0.config.snaplen === 128);
  await page.getByRole('grid', {name: 'Sensors'}).getByRole('link', {name: 'oulu-1', exact: true}).click();
  await page.getByRole('heading', {name: 'oulu-1', exact: true}).waitFor();
  world.sensors.forEach((sensor) => sensor.end());
  await page.context().close();
});

await tell(steps, {people: true});
