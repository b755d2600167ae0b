// A server of its own with data that edges sent, and a browser in front of it.
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {mkdirSync, openSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {createServer} from 'node:net';
import {join, resolve} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {promisify} from 'node:util';

const kPatience = 60_000;
export const kPassword = 'correct horse battery';

// Until `ask` gives something true, which comes back.
export async function until(what, ask, patience = kPatience) {
  const end = Date.now() + patience;
  let last;
  for (;;) {
    try {
      const got = await ask();
      if (got) return got;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not in ${patience / 1000} s: ${what}${last ? `: ${last.message}` : ''}`);
    await pause(50);
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const {port} = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// `many`: a server that knows so many beacons already, and analyses nothing. `people`: one with a CA, an
// admin token, and the user ana, so that nobody comes in unasked and sensors can join.
export class World {
  static async begin(options) {
    const world = new World();
    Object.assign(world, options);
    world.children = new Set();
    world.port = await freePort();
    world.url = `http://127.0.0.1:${world.port}`;
    mkdirSync(join(world.folder, 'state'), {recursive: true});
    writeFileSync(join(world.folder, 'control.yaml'), `control_plane:
  listen_port: ${world.port}
  state_dir: ${world.folder}/state
  rate_limit: 0
  workers: 2
detection:
  analysis_interval: ${world.many ? '1h' : '1s'}
alerting:
  file: {enabled: true, path: ${world.folder}/alerts.json}
`);
    const database = join(world.folder, 'state', 'beaconry.db');
    await (world.many ? world.feedIn('beacons', database, String(world.many)) : world.feedIn('probes', database));
    if (world.people) await world.initialise();
    await world.startServer();
    return world;
  }

  async initialise() {
    const password = join(this.folder, 'password');
    writeFileSync(password, kPassword, {mode: 0o600});
    const {stdout} = await promisify(execFile)(this.control, ['-c', join(this.folder, 'control.yaml'), 'init',
      '--name', '127.0.0.1', '--user', 'ana', '--password-file', password]);
    this.ca = /CA fingerprint: (SHA256:\S+)/.exec(stdout)[1];
    this.token = /BEACONRY_TOKEN\):\s*(\S+)/.exec(stdout)[1];
  }

  start(program, given, log) {
    const out = openSync(join(this.folder, log), 'a');
    const child = spawn(program, given, {stdio: ['ignore', out, out]});
    this.children.add(child);
    child.on('exit', () => this.children.delete(child));
    return child;
  }
  async startServer() {
    this.server = this.start(this.control, ['-c', join(this.folder, 'control.yaml')], 'control.log');
    await until('the server answers', () => this.get('/health'));
  }
  async crashServer() {
    const ended = new Promise((done) => this.server.once('exit', done));
    this.server.kill('SIGKILL');
    await ended;
  }
  // A network with a beacon, as it happens.
  simulate() {
    this.start(this.beaconry, ['simulate', '--to', this.url, '--interval', '10s', '--backfill', '40m'], 'simulate.log');
  }
  async feedIn(...given) {
    await promisify(execFile)(this.feed, given);
  }
  spool() {
    this.spools = (this.spools ?? 0) + 1;
    return join(this.folder, `spool-${this.spools}`);
  }

  async call(method, path, body) {
    return fetch(`${this.url}/api/v1${path}`, {method, headers: {'content-type': 'application/json',
      ...(this.token ? {authorization: `Bearer ${this.token}`} : {})},
      ...(body === undefined ? {} : {body: JSON.stringify(body)})});
  }
  async ask(method, path, body) {
    const answer = await this.call(method, path, body);
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? '' : await answer.text()}`);
    return answer.json();
  }
  get(path) {
    return this.ask('GET', path);
  }

  async openBrowser() {
    const require = createRequire(resolve(this.tools, 'package.json'));
    const {chromium} = require('playwright-core');
    this.axe = require('axe-core').source;
    this.browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: [
      '--disable-gpu', '--disable-dev-shm-usage', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])]});
  }

  // A window whose faults are noted: errors of scripts and policy, requests to elsewhere.
  async openWindow({scheme = 'light', width = 1280, height = width < 600 ? 844 : 800} = {}) {
    const context = await this.browser.newContext({
      colorScheme: scheme, viewport: {width, height}, locale: 'en-GB', timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce', ignoreHTTPSErrors: this.url.startsWith('https:')}); // of a CA of its own
    const page = await context.newPage();
    page.setDefaultTimeout(kPatience);
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
    page.on('console', (message) => {
      // A browser tells of every answer that is no success; that nobody is logged in is none.
      if (message.location().url.endsWith('/api/v1/session')) return;
      if (message.type() === 'error' || message.type() === 'warning') page.faults.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const {origin, protocol} = new URL(request.url());
      if (origin !== this.url && protocol !== 'data:') page.faults.push(`request to ${request.url()}`);
    });
    return page;
  }
  async open(page, path) {
    await page.goto(`${this.url}/ui/${path}`);
    await settled(page);
  }

  async end() {
    await this.browser?.close();
    for (const child of this.children) child.kill('SIGKILL');
  }
}

// Nothing is being read any more.
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('.state .bar'));
}

export function assertNoFaults(page, where) {
  assert.deepEqual(page.faults, [], where);
}

// What axe-core finds serious or worse. In the page's own world, where its policy does not bind.
export async function seriousFindings(world, page) {
  await page.evaluate(world.axe);
  return page.evaluate(async () => {
    const {violations} = await globalThis.axe.run(document, {resultTypes: ['violations']});
    return violations.filter((one) => ['serious', 'critical'].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} (${node.failureSummary})`).join('; ')}`);
  });
}
