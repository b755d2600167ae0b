// Steps of the pages' story: settings, and a list whose next page fails.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {given} from './story.mjs';
import {assertNoFaults, until} from './world.mjs';

const kBeacon = '10.77.0.5->198.18.77.5:443/TCP';

export async function settings(world) {
  const page = await world.openWindow();
  await world.open(page, 'settings/config');
  const field = page.locator('[id="key-detection.alert_threshold"]');
  await field.fill('7');
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await page.locator('.field .problem').getByText('detection.alert_threshold').waitFor();
  page.faults.length = 0; // the refusal, as the browser tells of it
  await field.fill('0.65');
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await page.getByText('version 2', {exact: true}).waitFor();
  assert.equal((await world.get('/config')).detection.alert_threshold, 0.65);
  await page.getByRole('link', {name: 'History'}).click();
  await page.getByRole('button', {name: /Roll back to version 1/}).click();
  // Asked for twice; the focus is where the keyboard goes on.
  await page.getByRole('button', {name: 'Make version 1 hold again'}).waitFor();
  await page.keyboard.press('Enter');
  await until('it is taken back', async () => (await world.get('/config')).detection.alert_threshold === 0.7);

  // What somebody else saves meanwhile leaves what is typed, and is not taken back by it.
  await page.getByRole('link', {name: 'Configuration'}).click();
  await field.fill('0.66');
  await world.ask('POST', '/config', {detection: {cv_threshold: 0.2}});
  await page.getByText('It was changed meanwhile').waitFor();
  assert.equal(await field.inputValue(), '0.66');
  await page.getByRole('button', {name: 'Lay my changes over it'}).click();
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await until('both hold', async () => {
    const {detection} = await world.get('/config');
    return detection.alert_threshold === 0.66 && detection.cv_threshold === 0.2;
  });
  await world.ask('POST', '/config/rollback', {version: 1});

  // An allow-list shows what it would hide before it is saved.
  await page.getByRole('link', {name: 'Allow-list'}).click();
  await page.locator('[id="key-whitelist.source_ips"]').fill('10.77.0.5');
  await page.getByRole('button', {name: 'See what it would hide'}).click();
  await page.getByText(/It would hide \d/).waitFor();
  await page.getByRole('link', {name: kBeacon}).waitFor();
  await page.getByRole('button', {name: 'Take back'}).click();
  assert.equal((await world.get('/config')).whitelist.source_ips, null);

  await page.getByRole('link', {name: 'Sinks'}).click();
  await page.getByRole('button', {name: 'Send a test to file'}).click();
  await page.getByText('it was taken').waitFor();
  assert.ok(readFileSync(join(given.folder, 'alerts.json'), 'utf8').includes('A test of Beaconry'));
  assertNoFaults(page, 'settings');
  await page.context().close();
}

export async function listFails(world) {
  const page = await world.openWindow();
  const pair = (i) => ({pair_key: `10.0.0.9->203.0.113.7:${i}/TCP`, src_ip: '10.0.0.9', dst_ip: '203.0.113.7', dst_port: i, protocol: 'TCP',
    server_name: null, check_ins: 9, connection_count: 9, duration_seconds: 60, last_seen: new Date().toISOString()});
  let failing = true;
  await page.route('**/api/v1/connections?**', (route) => {
    const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
    if (from > 0 && failing) return route.fulfill({status: 500, json: {error: 'the disk is full'}});
    return route.fulfill({json: {count: 1000, total: 2000, next_cursor: from ? null : '1000',
      pairs: Array.from({length: 1000}, (_, i) => pair(from + i + 1))}});
  });
  await world.open(page, 'hosts/10.0.0.9');
  const grid = page.getByRole('grid', {name: 'Destinations'});
  await grid.focus();
  await page.keyboard.press('End');
  await page.getByRole('alert').getByText('the disk is full').waitFor();
  await grid.getByText('1000/TCP').waitFor();
  failing = false;
  await page.getByRole('button', {name: 'Try again'}).click();
  await page.getByRole('alert').waitFor({state: 'detached'});
  await page.keyboard.press('Tab');
  await grid.focus();
  await page.keyboard.press('End');
  await grid.getByText('2000/TCP').waitFor();
  await page.context().close();
}
