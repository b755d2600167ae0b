// Sensors as a server sees them: each has joined with a key of its own, follows the signed document that its
// stream brings, and reports what it is. What they run is made up; the wire is the real one.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createHash, createPublicKey, randomUUID, verify} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {Agent, request} from 'node:https';
import {join} from 'node:path';

const kKeyPrefix = Buffer.from('302a300506032b6570032100', 'hex'); // of an Ed25519 key, SPKI

export class Sensor {
  static async join(world, name) {
    const sensor = new Sensor();
    Object.assign(sensor, {world, name, folder: join(world.folder, 'sensors', randomUUID()), boot: randomUUID(),
      machine: randomUUID(), sequence: 0, document: {instances: {}}, version: 0, config: new Map(), asks: [],
      held: false, sick: new Map(), unfit: new Set(), started: new Date().toISOString(), labels: {}});
    const {token} = await world.ask('POST', '/enrollments', {kind: 'sensor', name});
    const child = spawn(world.feed, ['join', `https://127.0.0.1:${world.port}`, sensor.folder, name, world.ca],
      {stdio: ['pipe', 'inherit', 'inherit']});
    child.stdin.end(token + '\n');
    assert.equal(await new Promise((done) => child.on('exit', done)), 0, `${name} joins`);
    sensor.server = JSON.parse(readFileSync(join(sensor.folder, 'server.json')));
    sensor.agent = sensor.open();
    return sensor;
  }
  open() {
    return new Agent({keepAlive: true, key: readFileSync(join(this.folder, 'edge.key')),
      cert: readFileSync(join(this.folder, 'edge.crt')), ca: readFileSync(join(this.folder, 'ca.crt'))});
  }
  // The same disk in another machine: the same key, another boot.
  clone() {
    const other = Object.assign(new Sensor(), this, {boot: randomUUID(), machine: randomUUID(), sequence: 0});
    other.agent = other.open();
    return other;
  }

  send(method, path, body, take) {
    return new Promise((done, fail) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const sent = request({host: '127.0.0.1', port: this.world.port, method, path: `/api/v1/fleet/self/${path}`,
        agent: this.agent, headers: text ? {'content-type': 'application/json', 'content-length': Buffer.byteLength(text)} : {}},
      (answer) => {
        let all = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece) => (take && answer.statusCode === 200 ? take(piece) : (all += piece)));
        answer.on('end', () => done({status: answer.statusCode, text: all}));
        answer.on('error', fail);
      });
      sent.on('error', fail);
      if (take) this.streaming = sent;
      sent.end(text);
    });
  }

  // Follows its stream until end(); what breaks it, such as another server, begins it anew.
  follow() {
    this.ended = false;
    const run = async () => {
      while (!this.ended) {
        let waiting = '';
        try {
          await this.send('GET', `stream?after=${this.version}`, undefined, (piece) => {
            waiting += piece.replace(/\r/g, '');
            for (let end = waiting.indexOf('\n\n'); end >= 0; end = waiting.indexOf('\n\n')) {
              this.heard(waiting.slice(0, end));
              waiting = waiting.slice(end + 2);
            }
          });
        } catch {
          // The server is away.
        }
        if (!this.ended) await new Promise((done) => setTimeout(done, 100));
      }
    };
    void run();
    return this.report();
  }
  end() {
    this.ended = true;
    this.streaming?.destroy();
    this.agent.destroy();
  }

  heard(event) {
    const lines = event.split('\n');
    const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, ''));
    const what = lines.find((line) => line.startsWith('event:'))?.slice(6).trim();
    if (what === 'desired') void this.obey(data[0], data.slice(1).join('\n'));
    if (what === 'ask') void this.answer(JSON.parse(data.join('\n')));
  }
  async obey(head, body) {
    const signature = Buffer.from(head.split(' ')[2], 'hex');
    const key = createPublicKey({key: Buffer.concat([kKeyPrefix, Buffer.from(this.server.fleet_key, 'hex')]), format: 'der', type: 'spki'});
    assert.ok(verify(null, Buffer.from(body), key, signature), 'the document is signed by the fleet\'s key');
    const signed = JSON.parse(body);
    this.document = signed.document;
    this.version = signed.version;
    for (const [name, wish] of Object.entries(this.document.instances ?? {})) {
      const text = JSON.stringify(wish.config ?? null);
      const old = this.config.get(name);
      if (old?.text === text) continue;
      this.config.set(name, {text, wished: (old?.wished ?? 0) + 1, applied: old?.applied ?? 0, state: 'APPLYING', reason: ''});
    }
    await this.report();
    if (!this.held) await this.settle();
  }
  // Instruments have taken their configuration, or not.
  async settle() {
    this.held = false;
    let changed = false;
    for (const [name, config] of this.config) {
      if (config.state !== 'APPLYING') continue;
      changed = true;
      const unfit = this.document.instances?.[name]?.config?.filter === 'unfit';
      Object.assign(config, unfit ? {state: 'FAILED', reason: 'pcap-filter(7) does not know “unfit”'}
        : {state: 'APPLIED', applied: config.wished, reason: ''});
    }
    if (changed) await this.report();
  }
  async answer({id, what, instance}) {
    this.asks.push(what);
    await this.send('PUT', `answers/${id}`, {ok: true, text: `${instance}: ${this.log ?? 'nothing happened'}\n`});
  }

  instances() {
    return Object.entries(this.document.instances ?? {}).map(([name, wish]) => {
      const broken = this.unfit.has(wish.image);
      const sick = this.sick.get(name);
      const {text, ...config} = this.config.get(name) ?? {state: 'UNSET', wished: 0, applied: 0, reason: ''};
      void text;
      const health = sick ? {name, state: 'failed', ...sick, since: this.started, parts: []}
        : broken ? {name, state: 'failed', cause: 'ended 5 times in a row', evidence: 'status 127', fix: 'look at its log', parts: []}
        : {name, state: 'healthy', parts: []};
      return {name, version: '1.0', image: wish.image, wished_image: wish.image, wished_running: wish.running !== false,
        state: broken ? 'BROKEN' : wish.running === false ? 'INSTALLED' : 'RUNNING', cause: broken ? 'ended 5 times in a row' : '',
        last_log: broken ? 'exec: not found\n' : '', since: this.started, retry: null, starts: 1, failures: broken ? 5 : 0,
        wants_approval: [], update: {state: 'NONE', what: '', reason: '', since: null},
        resources: [{name: 'probe', url: 'https://files.plant.example/probe', state: 'INSTALLED', reason: '',
          version: createHash('sha256').update(name).digest('hex'), since: this.started, looked: this.started, retry: null}],
        config, health, interfaces: (wish.interfaces ?? []).map((one) => ({name: one.name, present: true, carrier: true, cause: '',
          evidence: '', fix: '', address: '', received: 120_345, sent: 0, refused_sent: 3, refused_received: 0})),
        persistent: {quota: 268_435_456, used: 96_000_000, days_to_full: 41}, transient: {quota: 0, used: 0, days_to_full: null},
        retention: {commanded: this.started, answered: this.started, before: '2026-10-01T00:00:00.000Z', items: 12, bytes: 40_960_000,
          overdue: false, error: ''},
        events: {stored: 14, duplicates: 0, refused: 0, malformed: 0}, relayed: {taken: 120, bytes: 400_000, refused: 0, waiting: 0},
        memory: 24_000_000, processes: 3};
    });
  }
  async report() {
    const instances = this.instances();
    const bad = instances.filter((one) => one.health.state !== 'healthy');
    const reported = {format: 1, name: this.name, version: '0.9.0', runtime: 'LXD 5.0.2', runtime_fault: '', started: this.started,
      now: new Date().toISOString(), desired_version: this.version,
      health: {name: this.name, state: bad.length > 0 ? 'degraded' : 'healthy', cause: bad.map((one) => one.health.cause).join('; '),
        evidence: '', fix: '', parts: [{name: 'platform', state: 'healthy', parts: []},
          {name: 'instruments', state: bad.length > 0 ? 'failed' : 'healthy', parts: instances.map((one) => one.health)}]},
      instances, pool: {total: 20_000_000_000, used: 4_000_000_000}, days_to_full: 300, bus_fault: '', bus_restarts: 0,
      uplink: {server: this.server.url, connected: true, error: '', waiting: 0, dropped: 0}, problems: this.problems ?? []};
    const answer = await this.send('PUT', 'reported', {boot: this.boot, machine: this.machine, sequence: ++this.sequence, reported});
    assert.equal(answer.status, 200, `${this.name} reports: ${answer.text}`);
  }
}
