// The web page as a person meets it. tests/web/pages starts this and says what it needs.
import assert from 'node:assert/strict';

import {listFails, settings} from './settings.mjs';
import {kHostile, lookAtAll, photograph, tell} from './story.mjs';
import {assertNoFaults, seriousFindings, settled, until, World} from './world.mjs';

const kBeacon = '10.77.0.5->198.18.77.5:443/TCP';

// Each is a step of one story: what came before is there.
const steps = [];
const step = (name, run) => steps.push({name, run});
const part = encodeURIComponent;

step('a browser that asks for the server is led to the page', async (world) => {
  const answer = await fetch(world.url, {headers: {accept: 'text/html,*/*;q=0.8'}, redirect: 'manual'});
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('location'), '/ui/');
  assert.equal((await fetch(world.url)).headers.get('content-type'), 'application/json');
});

step('without data every page says what to do', async (world) => {
  const page = await world.openWindow();
  for (const [path, words] of [['', 'Nobody sends to this server'], ['beacons', 'No beacon has been found'],
    ['leaks', 'Nothing got out'], ['alerts', 'No alert so far'], ['edges', 'Nobody sends to this server yet'],
    ['events', 'No instrument has told anything'], ['hosts/192.0.2.9', 'Nothing is kept'], ['nowhere', 'There is no such page']]) {
    await page.goto(`${world.url}/ui/${path}`);
    await page.getByText(words).first().waitFor();
  }
  assertNoFaults(page, 'empty pages');
  await page.context().close();
});

step('edges send', async (world) => {
  world.simulate();
  await world.feedIn('home', world.url, world.spool());
  await world.feedIn('sensor', world.url, world.spool(), 'The mirrored port is silent');
  await until('the beacon is found', async () =>
    (await world.get('/beacons')).beacons.some((one) => one.identity === kBeacon));
});

const kPages = [
  ['today', '', 'Today'],
  ['beacons', 'beacons', 'Beacons'],
  ['beacon', `beacons/${part(kBeacon)}`, '10.77.0.5 → 198.18.77.5'],
  ['host', 'hosts/10.77.0.5', 'Destinations of 10.77.0.5'],
  ['leaks', 'leaks', 'Leaks'],
  ['leak', 'leaks/LEAK', 'substation-3'],
  ['alerts', 'alerts', 'Alerts'],
  ['events', 'events', 'Events'],
  ['edges', 'edges', 'Edges'],
  ['settings', 'settings/config', 'Settings'],
  ['history', 'settings/history', 'Settings'],
  ['sinks', 'settings/sinks', 'Settings'],
  ['tokens', 'settings/tokens', 'Settings'],
];

step('every page is whole in both themes, wide and narrow', async (world) => {
  const leaks = await until('four leaks', async () => {
    const all = (await world.get('/leaks')).leaks;
    return all.length === 4 && all;
  });
  const {id} = leaks.find((one) => one.path === 'neighbour-forwards');
  const page = await world.openWindow();
  await lookAtAll(world, page, kPages.map(([name, path, title]) => [name, path.replace('LEAK', id), title]));
  // The audit would have told.
  await page.evaluate(() => document.querySelector('main').append(document.createElement('button')));
  assert.match((await seriousFindings(world, page)).join(), /button-name/);
  await page.context().close();
});

step('words from outside are shown as words', async (world) => {
  await world.feedIn('sensor', world.url, world.spool(), kHostile);
  const page = await world.openWindow();
  await world.open(page, '');
  await page.getByText('onerror="window.pwned=1"').first().waitFor();
  await world.open(page, 'alerts?kind=instruments.detector.ev.alert');
  await page.getByText('onerror="window.pwned=1"').first().click();
  await page.locator('dialog').getByText('Details as they were sent').waitFor();
  assert.deepEqual(await seriousFindings(world, page), [], 'a dialog');
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assertNoFaults(page, 'hostile words');
  await page.context().close();
});

step('the keyboard alone leads to a beacon', async (world) => {
  const page = await world.openWindow();
  await world.open(page, 'beacons');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  const grid = page.getByRole('grid', {name: 'Beacons'});
  await grid.waitFor();
  for (let i = 0; i < 20 && !(await grid.evaluate((one) => one === document.activeElement)); i++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Home');
  const first = (await page.locator('.row.active').textContent()) ?? '';
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/ui\/beacons\/.+/);
  await settled(page);
  const heading = await page.locator('main h1').textContent();
  assert.ok(first.includes(heading.split(' ')[0]), `${first} led to ${heading}`);
  await page.goBack();
  await page.getByRole('grid', {name: 'Beacons'}).waitFor();
  await page.context().close();
});

step('what is decided of a beacon holds, and is found by a link', async (world) => {
  const page = await world.openWindow({width: 390});
  await world.open(page, `beacons/${part(kBeacon)}`);
  await page.getByLabel('Benign: it may go on').check();
  await page.getByLabel('Reason').fill(kHostile);
  await page.getByRole('button', {name: 'Decide'}).click();
  await page.locator('.card', {hasText: 'Triage'}).getByText('benign', {exact: true}).waitFor();
  const {triage} = await world.get(`/pairs/${part(kBeacon)}`);
  assert.equal(triage.decision, 'benign');
  assert.equal(triage.reason, kHostile);

  await world.open(page, 'beacons');
  await page.getByLabel('Triage').selectOption('benign');
  await page.waitForURL(/triage=benign/);
  const other = await world.openWindow();
  await other.goto(page.url());
  await other.getByRole('grid', {name: 'Beacons'}).getByText('10.77.0.5').waitFor();
  await other.getByText('1 fit', {exact: true}).waitFor();
  assertNoFaults(other, 'the link');
  await other.context().close();

  await world.open(page, `beacons/${part(kBeacon)}`);
  await page.getByRole('button', {name: 'Reopen'}).click();
  await page.locator('.card', {hasText: 'Triage'}).getByText('open', {exact: true}).waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assertNoFaults(page, 'triage');
  await page.context().close();
});

step('a view is saved, and there after the next visit', async (world) => {
  const page = await world.openWindow();
  page.on('dialog', (dialog) => void dialog.accept('Of the plant'));
  await world.open(page, 'beacons?q=10.77&sort=-last');
  await page.getByRole('button', {name: 'Save this view'}).click();
  await world.open(page, 'beacons');
  await page.getByRole('link', {name: 'Of the plant'}).click();
  await page.waitForURL(/q=10\.77&sort=-last/);
  await until('the search is the view’s', async () => await page.getByLabel('Search').inputValue() === '10.77');
  await page.context().close();
});

step('a new beacon appears by itself, and what it needs is acknowledged', async (world) => {
  const list = await world.openWindow();
  const today = await world.openWindow({scheme: 'dark', width: 390});
  const alerts = await world.openWindow();
  await world.open(alerts, 'alerts');
  const grid = alerts.getByRole('grid', {name: 'Alerts'});
  await grid.focus();
  await alerts.keyboard.press('ArrowDown');
  const chosen = await alerts.locator('.row.active a').textContent();
  await world.open(list, 'beacons?q=10.99.0.7');
  await world.open(today, '');
  await list.getByText('No beacon fits these filters').waitFor();
  await world.feedIn('collector', world.url, world.spool(), '10.99.0.7', '203.0.113.200');
  await list.getByRole('grid', {name: 'Beacons'}).getByText('203.0.113.200').waitFor();
  const matter = today.locator('.matter', {hasText: '10.99.0.7'}).first();
  await matter.waitFor();
  await matter.getByRole('button', {name: /^Acknowledge/}).click();
  await today.getByLabel('What is done about it').fill('The plant is called');
  await today.getByRole('button', {name: 'Acknowledge', exact: true}).click();
  await matter.waitFor({state: 'detached'});
  // What comes first now moves the chosen row down, and leaves it chosen.
  await grid.getByText(/10\.99\.0\.7/).first().waitFor();
  assert.equal(await alerts.locator('.row.active a').textContent(), chosen);
  await alerts.context().close();
  const told = await world.get('/alerts?acknowledged=true');
  assert.ok(told.alerts.some((one) => one.subject.startsWith('10.99.0.7') && one.acknowledged_reason === 'The plant is called'));
  assertNoFaults(list, 'live list');
  assertNoFaults(today, 'live today');
  await list.context().close();
  await today.context().close();
});

step('a new leak appears by itself, with its way out drawn', async (world) => {
  const page = await world.openWindow();
  await world.open(page, 'leaks');
  const count = page.getByRole('status');
  await count.getByText('4 leaks', {exact: true}).waitFor();
  await world.feedIn('leak', world.url, world.spool());
  await count.getByText('5 leaks', {exact: true}).waitFor();
  await page.getByRole('link', {name: /neighbour/}).first().click();
  await page.waitForURL(/\/ui\/leaks\/[0-9a-f]+/);
  await settled(page);
  const words = await page.locator('svg.path').getAttribute('aria-label');
  assert.match(words, /probe substation-3.*neighbour 10\.42\.0\.99.*home/);
  assertNoFaults(page, 'leak');
  await page.context().close();
});

step('events of instruments are searched, and lead to their alert', async (world) => {
  const page = await world.openWindow();
  await world.open(page, 'events?type=*.ev.nothing');
  await page.getByText('No event fits these filters').waitFor();
  await page.getByLabel('Type').fill('*.ev.alert');
  await page.getByRole('grid', {name: 'Events'}).getByText('The mirrored port is silent').click();
  assert.deepEqual(await seriousFindings(world, page), [], 'an event');
  // What comes is shown as it comes, also where no alert is made of it; what is open stays open.
  await page.keyboard.press('Escape');
  await page.getByLabel('Type').fill('*.ev.noted');
  await page.getByText('No event fits these filters').waitFor();
  await world.feedIn('sensor', world.url, world.spool(), 'A door was opened', 'instruments.detector.ev.noted');
  await page.getByRole('grid', {name: 'Events'}).getByText('A door was opened').waitFor();
  await page.getByLabel('Type').fill('*.ev.alert');
  await page.getByRole('grid', {name: 'Events'}).getByText('The mirrored port is silent').click();
  await page.getByRole('link', {name: 'the alert it made'}).click();
  await page.locator('dialog').getByText('Details as they were sent').waitFor();
  assertNoFaults(page, 'events');
  await page.context().close();
});

step('an edge shows what it lost', async (world) => {
  const page = await world.openWindow();
  await world.open(page, 'edges');
  await page.getByRole('link', {name: 'gateway', exact: true}).click();
  const ledger = page.getByLabel('Loss ledger of gateway');
  await ledger.getByText('1,292,451').waitFor(); // packets, of both interfaces
  await ledger.getByText('17 dropped by the kernel').waitFor();
  await page.getByText('Complete up to').last().waitFor();
  assert.deepEqual(await seriousFindings(world, page), [], 'an edge');
  await photograph(page, 'edge-light');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({state: 'detached'});
  assertNoFaults(page, 'edges');
  await page.context().close();
});

step('a setting is refused with its reason, then changed, then taken back', settings);

step('a list that cannot be read on says so above what is there', listFails);

step('when all is seen to, Today says since when, and on what that rests', async (world) => {
  const page = await world.openWindow();
  await world.open(page, 'alerts?id=nothing-of-this-name');
  await page.getByText('What the link names is not in this list').waitFor();
  for (;;) {
    const {alerts} = await world.get('/alerts?acknowledged=false&limit=1000');
    if (alerts.length === 0) break;
    for (const {alert_id} of alerts) await world.ask('POST', '/triage', {alert_id, decision: 'acknowledged', reason: 'All are called'});
  }
  await world.open(page, '');
  await page.getByText('Nothing needs you').waitFor();
  const since = await page.locator('.calm time').getAttribute('datetime');
  assert.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000, since);
  await page.getByText('no probe’s record is here').waitFor();
  await photograph(page, 'today-quiet');
  assertNoFaults(page, 'a quiet day');
  await page.context().close();
});

step('a theme is chosen against the system', async (world) => {
  const page = await world.openWindow({scheme: 'light'});
  await world.open(page, 'settings/page');
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await page.getByLabel('Theme').selectOption('dark');
  assert.notEqual(await back(), light);
  await world.open(page, 'settings/page');
  assert.notEqual(await back(), light);
  await page.context().close();
});

// The session as docs/api.md has it, in front of a server that asks for none.
step('who logs in is where he was, and what he orders bears his token', async (world) => {
  const page = await world.openWindow();
  let session = null;
  let tries = 0;
  await page.route('**/api/v1/session', async (route) => {
    const request = route.request();
    if (request.method() === 'POST') {
      const {name, password, code} = request.postDataJSON();
      const right = name === 'ana' && password === 'correct horse';
      if (++tries === 3) {
        return route.fulfill({status: 429, headers: {'retry-after': '30'}, json: {error: 'too many tries'}});
      }
      if (!right) return route.fulfill({status: 401, json: {error: 'the name or the password is wrong'}});
      if (code !== '123456') return route.fulfill({status: 401, json: {error: 'a code is needed', code_needed: true}});
      session = {name, role: 'analyst', expires: new Date(Date.now() + 3600e3).toISOString(), csrf: 'c5rf'};
    }
    if (request.method() === 'DELETE') session = null;
    return session ? route.fulfill({json: session}) : route.fulfill({status: 401, json: {error: 'log in'}});
  });
  await page.goto(`${world.url}/ui/beacons/${part(kBeacon)}`);
  await page.getByRole('heading', {name: 'Log in'}).waitFor();
  assert.deepEqual(await seriousFindings(world, page), [], 'login');
  await photograph(page, 'login-light');
  const log = async (password) => {
    await page.getByLabel('Name', {exact: true}).fill('ana');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', {name: 'Log in'}).click();
  };
  await log('wrong');
  await page.getByText('the name or the password is wrong').waitFor();
  await log('correct horse');
  await page.getByLabel('Code of your authenticator').fill('000000');
  await page.getByRole('button', {name: 'Log in'}).click();
  await page.getByText('Wait 30 seconds').waitFor();
  await page.getByLabel('Code of your authenticator').fill('123456');
  await page.getByRole('button', {name: 'Log in'}).click();
  await settled(page);
  assert.ok((await page.locator('main h1').textContent()).includes('10.77.0.5'));

  await page.getByLabel('Reason').fill('seen by ana');
  const [order] = await Promise.all([page.waitForRequest((one) => one.url().endsWith('/api/v1/triage') &&
    one.method() === 'POST'), page.getByRole('button', {name: 'Decide'}).click()]);
  assert.equal(order.headers()['x-beaconry-csrf'], 'c5rf');
  // An analyst is not offered what admins do.
  await world.open(page, 'settings/tokens');
  await page.getByText('Tokens are for admins').waitFor();

  // The session ends at the server: the next call is refused, and the address stays.
  session = null;
  await page.route('**/api/v1/alerts?**', (route) => route.fulfill({status: 401, json: {error: 'log in'}}));
  await page.getByRole('navigation', {name: 'Main'}).getByRole('link', {name: 'Alerts', exact: true}).click();
  await page.getByText('Your session has ended').waitFor();
  assert.ok(page.url().endsWith('/ui/alerts'));
  await page.context().close();
});

step('nothing that is written into the page runs', async (world) => {
  const page = await world.openWindow();
  await world.open(page, '');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.pwned = 1';
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.ok(page.faults.some((words) => words.includes('Content Security Policy')), page.faults.join());
  await page.context().close();
});

step('to ask at once while nothing answers does not end the asking', async (world) => {
  const page = await world.openWindow();
  for (const path of ['session', 'status']) await page.route(`**/api/v1/${path}`, (route) => route.abort());
  await page.goto(`${world.url}/ui/edges`);
  await page.getByText('The server has not answered since').waitFor();
  await page.getByRole('button', {name: 'Ask now'}).click();
  for (const path of ['session', 'status']) await page.unroute(`**/api/v1/${path}`);
  await page.getByRole('grid', {name: 'Edges'}).waitFor();
  await page.context().close();
});

step('the server goes away, which is said, and comes back', async (world) => {
  const page = await world.openWindow();
  await world.open(page, 'edges');
  await world.crashServer();
  await page.getByText('The server has not answered since').waitFor();
  await page.getByRole('grid', {name: 'Edges'}).getByText('gateway').waitFor(); // what was there stays
  assert.deepEqual(await seriousFindings(world, page), [], 'stale');
  await photograph(page, 'stale-light');
  await world.startServer();
  await page.getByText('The server has not answered since').waitFor({state: 'detached'});
  await page.getByRole('img', {name: 'live', exact: true}).waitFor();
  await page.context().close();
});

await tell(steps);
