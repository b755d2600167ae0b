// node units.mjs WEB TOOLS: the page's pure functions. TOOLS: the folder whose node_modules hold
// esbuild, which came with Vite.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join, resolve} from 'node:path';
import {test} from 'node:test';

const [web, tools] = process.argv.slice(2);
const {buildSync} = createRequire(resolve(tools, 'package.json'))('esbuild');
async function load(path) {
  const {outputFiles} = buildSync({entryPoints: [join(web, 'src', path)], bundle: true, format: 'esm', write: false});
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}
const stats = await load('stats.ts');
const format = await load('format.ts');
const {byTime, canariesOf, controlsOf, mattersOf, quietSince, sickOf, triedOf} = await load('pages/matters.ts');
const diff = await load('json_diff.ts');
const {renewed} = await load('state/beacon_parts.ts');
const {asText, asValue, fieldsOf, nested} = await load('pages/config_fields.ts');

test('a histogram counts every interval once, gaps beside it', () => {
  const intervals = Array.from({length: 300}, (_, i) => 60 + (i % 13)).concat([7200, 90_000]);
  const {from, width, counts, beyond} = stats.histogram(intervals);
  assert.equal(counts.reduce((a, b) => a + b, 0) + beyond, intervals.length);
  assert.equal(beyond, 2);
  assert.equal(from, 60);
  assert.ok(from + width * counts.length >= 72 && counts.length <= 80);
  assert.equal(stats.histogram([5]), null);
  assert.equal(stats.histogram([10, 10, 10]).counts.reduce((a, b) => a + b, 0), 3);
});

test('autocorrelation is high at the rhythm and low between', () => {
  const times = Array.from({length: 200}, (_, i) => 1_700_000_000 + i * 30);
  const {step, values} = stats.autocorrelation(times, 30);
  assert.equal(step, 3);
  assert.ok(values[9] > 0.9, `at the rhythm: ${values[9]}`);
  assert.ok(values[4] < 0.1, `between: ${values[4]}`);
  assert.ok(values.every((value) => Math.abs(value) <= 1));
  assert.equal(stats.autocorrelation(times, 0), null);
  assert.equal(stats.autocorrelation(times.slice(0, 4), 30), null);
});

test('lengths of time are said as people say them', () => {
  for (const [seconds, words] of [[0, '0 s'], [-0.001, '0 s'], [0.25, '0.25 s'], [20, '20.0 s'], [59.99, '60.0 s'],
    [60, '1 min'], [260, '4 min 20 s'], [11_100, '3 h 5 min'], [90_000, '1 d 1 h'], [-90, '-1 min 30 s'],
    [NaN, 'unknown']]) {
    assert.equal(format.length(seconds), words);
  }
  assert.equal(format.bytes(null), 'unknown');
  assert.equal(format.bytes(1_234_000), '1.2 MB');
});

const alert = (kind, subject, timestamp) =>
  ({kind, subject, timestamp, alert_id: kind + subject + timestamp, severity: 'HIGH', title: '', tags: []});

test('what needs a person is one matter a subject, and not what only ended', () => {
  const matters = mattersOf([
    alert('beacon.gone', 'b', '2026-01-01T05:00:00Z'), alert('beacon.worse', 'a', '2026-01-01T04:00:00Z'),
    alert('beacon.new', 'b', '2026-01-01T03:00:00Z'), alert('leak.closed', 'c', '2026-01-01T02:00:00Z'),
    alert('beacon.new', 'a', '2026-01-01T01:00:00Z')], new Map());
  assert.deepEqual(matters.map((one) => [one.subject, one.newest.kind, one.alerts.length, one.over !== null]).sort(),
    [['a', 'beacon.worse', 2, false], ['b', 'beacon.new', 2, true]]);
});

test('a decision covers what came before it, and not what comes after', () => {
  const decided = new Map([['a', '2026-01-01T02:00:00Z']]);
  assert.equal(mattersOf([alert('beacon.new', 'a', '2026-01-01T01:00:00Z')], decided).length, 0);
  assert.equal(mattersOf([alert('beacon.worse', 'a', '2026-01-01T03:00:00Z')], decided).length, 1);
});

const edge = (more) => ({id: 'e', name: 'gateway', kind: 'collector', enrolled: true, revoked: false,
  name_conflict: false, last_seen: '2026-01-01T00:00:00Z', sequence: 9, batches: 7, events: 100, batches_missing: 1,
  batches_dropped: 2, counters: {}, ...more});

test('who is silent or doubled is sick, who is revoked is not', () => {
  const later = Date.parse('2026-01-01T01:00:00Z');
  assert.equal(sickOf(null, [edge()], Date.parse('2026-01-01T00:10:00Z')).length, 0);
  assert.match(sickOf(null, [edge()], later)[0].title, /gateway has not been heard for 1 h/);
  assert.equal(sickOf(null, [edge({revoked: true, name_conflict: true})], later).length, 0);
  assert.equal(sickOf(null, [edge({name_conflict: true})], later).length, 2);
});

test('what is sick says since when, and leads to where it is seen to', () => {
  const later = Date.parse('2026-01-01T01:00:00Z');
  const [one] = sickOf(null, [edge()], later);
  assert.deepEqual([one.since, one.at, one.query, one.act], ['2026-01-01T00:00:00Z', ['edges'], {id: 'e'}, 'Look at gateway']);
  assert.deepEqual(sickOf(null, [edge({kind: 'sensor', name: 'oulu-1'})], later)[0].at, ['fleet', 'sensors', 'oulu-1']);
});

test('what needs a person is told newest first, what has no time before it', () => {
  const all = [{since: '2026-01-01T00:00:00Z'}, {since: null}, {since: '2026-01-03T00:00:00Z'}, {since: '2026-01-02T00:00:00Z'}];
  assert.deepEqual(byTime(all), [all[1], all[2], all[3], all[0]]);
});

test('it is quiet since the last of what happened, was decided or ended', () => {
  assert.equal(quietSince(['2026-01-01T00:00:00Z', null, undefined, '2026-01-03T00:00:00Z', '2026-01-02T00:00:00Z', 'never']),
    '2026-01-03T00:00:00Z');
  assert.equal(quietSince([]), null);
});

test('a positive control that is expected and does not arrive is missed', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const probe = (more) => ({name: 'p', state: 'active', control_every_seconds: 60, last_control: '2026-01-01T00:59:00Z', ...more});
  assert.deepEqual(controlsOf([probe(), probe({control_every_seconds: 0}), probe({state: 'retired'})], now).expected.length, 1);
  assert.equal(controlsOf([probe()], now).missing.length, 0);
  assert.equal(controlsOf([probe({last_control: '2026-01-01T00:57:00Z'}), probe({last_control: null})], now).missing.length, 2);
});

test('coverage counts the methods of records; canaries are found wherever in a tree', () => {
  const tried = (n) => ({method: 'm', tried: n});
  assert.deepEqual(triedOf({probes: [{record: {}, methods: [tried(3), tried(0), tried(null)]}, {record: null, methods: [tried(9)]}]}),
    {records: 1, probes: 2, methods: 3, tried: 1});
  const canary = {name: 'detection canary', state: 'healthy'};
  assert.deepEqual(canariesOf({name: 'detector', parts: [{name: 'x'}, {name: 'y', parts: [canary]}]}), [canary]);
  assert.deepEqual(canariesOf(undefined), []);
});

test('a part of a ranked list is read anew: each beacon once, none left out, the rest as it was', () => {
  const rows = (names) => [...names].map((identity) => ({identity}));
  const words = (parts) => parts.map((part) => [part.from, part.rows.map((one) => one.identity).join(''), part.isOld]);
  const parts = [{from: '', rows: rows('abc'), isOld: true}, {from: 'c', rows: rows('def'), isOld: false}, {from: 'f', rows: rows('g'), isOld: true}];
  // One came: what it pushed out begins the next part.
  assert.deepEqual(words(renewed(parts, 0, {beacons: rows('axb'), next_cursor: 'b'}, false)), [['', 'axb', false], ['b', 'cdef', true], ['f', 'g', true]]);
  // One went: the next part's first moved up.
  assert.deepEqual(words(renewed(parts, 0, {beacons: rows('acd'), next_cursor: 'd'}, true)), [['', 'acd', true], ['d', 'ef', true], ['f', 'g', true]]);
  // One rose from the second part.
  assert.deepEqual(words(renewed(parts, 0, {beacons: rows('fab'), next_cursor: 'b'}, false)), [['', 'fab', false], ['b', 'cde', true], ['f', 'g', true]]);
  // All but these went.
  assert.deepEqual(words(renewed(parts, 0, {beacons: rows('ab'), next_cursor: null}, false)), [['', 'ab', false]]);
});

test('midnight is 00, whatever the reader\'s language', () => {
  assert.match(format.clock(new Date(2026, 0, 1, 0, 5)), /^00.05$/);
  assert.match(format.local(new Date(2026, 0, 1, 0, 5)), /00.05.00/);
});

test('what a pointer points to', () => {
  assert.equal(diff.pointedAt({a: {'b/c': [1]}}, '/a/b~1c/0'), 1);
  assert.equal(diff.pointedAt({a: 1}, '/a/b'), null);
});

test('a form has the keys of the schema and sends what was typed, nested as the configuration is', () => {
  const config = {version: 3, detection: {cv_threshold: 0.15}, weights: {cv: 0.3},
    whitelist: {ports: null, names: ['a.example']}, alerting: {file: {enabled: false, path: '/x'}},
    origins: {'detection.cv_threshold': 'control.yaml line 4', 'detection.cv_weight': 'anna'}};
  const schema = [['detection.cv_threshold', 'number'], ['detection.min_duration', 'duration'], ['weights.cv', 'number'],
    ['whitelist.ports', 'texts'], ['whitelist.names', 'texts'], ['alerting.file.path', 'text'],
    ['alerting.file.enabled', 'boolean'], ['alerting.rules', 'entries']].map(([key, type]) => ({key, type}));
  const fields = ['detection', 'weights', 'whitelist', 'alerting'].flatMap((one) => fieldsOf(config, schema, one));
  const find = (key) => fields.find((field) => field.key === key);
  assert.equal(fields.length, schema.length);
  assert.equal(find('detection.cv_threshold').origin, 'control.yaml line 4');
  assert.equal(find('weights.cv').origin, 'anna');
  assert.equal(find('weights.cv').value, 0.3);
  assert.equal(find('detection.min_duration').value, null);
  assert.equal(asValue('0.2', find('detection.cv_threshold')), 0.2);
  assert.equal(asValue(' ', find('detection.cv_threshold')), null);
  assert.equal(asValue('5m', find('detection.min_duration')), '5m');
  assert.deepEqual(asValue('53\n 123/udp \n', find('whitelist.ports')), ['53', '123/udp']);
  assert.equal(asText(find('whitelist.names').value), 'a.example');
  assert.equal(asValue('12', find('alerting.file.path')), '12');
  assert.equal(asValue('false', find('alerting.file.enabled')), false);
  const rules = {'a.*': 'high: x', b: ''};
  assert.deepEqual(asValue(asText(rules), find('alerting.rules')), rules);
  assert.deepEqual(nested(new Map([['alerting.file.path', '/y'], ['alerting.file.enabled', true]])),
    {alerting: {file: {path: '/y', enabled: true}}});
});

test('the licences of what the page contains come with it', () => {
  const {dependencies} = JSON.parse(readFileSync(join(web, 'package.json'), 'utf8'));
  const told = readFileSync(join(web, 'public', 'licences.txt'), 'utf8');
  for (const name of Object.keys(dependencies)) {
    assert.ok(told.includes(readFileSync(join(tools, 'node_modules', name, 'LICENSE'), 'utf8')), name);
  }
});

const fields = await load('schema_fields.ts');
const {sha256Of} = await load('sha256.ts');
const fleet = await load('pages/fleet_words.ts');

test('documents are compared leaf by leaf, whatever their keys are called', () => {
  const before = JSON.parse('{"instances":{"a/b":{"config":{"x":1,"gone":true},"empty":{}}}}');
  const after = JSON.parse('{"instances":{"a/b":{"config":{"x":2,"__proto__":{"y":1}},"empty":{}}}}');
  assert.deepEqual(diff.changesOf(before, after), [
    {pointer: '/instances/a~1b/config/x', before: 1, after: 2},
    {pointer: '/instances/a~1b/config/gone', before: true, after: undefined},
    {pointer: '/instances/a~1b/config/__proto__/y', before: undefined, after: 1}]);
  assert.deepEqual(diff.changesOf({a: [1, {b: 2}]}, {a: [1, {b: 2}]}), []);
  assert.equal({}.y, undefined);
});

test('a line of the server is split where both sides are JSON', () => {
  assert.deepEqual(diff.readLine('/a/b: "x: 1 -> y" -> "z -> w"'), {pointer: '/a/b', before: '"x: 1 -> y"', after: '"z -> w"'});
  assert.deepEqual(diff.readLine('/a: nothing -> 3'), {pointer: '/a', before: 'nothing', after: '3'});
  assert.deepEqual(diff.readLine('/a: added "b -> c"'), {pointer: '/a', before: 'nothing', after: '"b -> c"'});
  assert.deepEqual(diff.readLine('/a: removed {"long":"cut…'), {pointer: '/a', before: '{"long":"cut…', after: 'nothing'});
  assert.deepEqual(diff.readLine('/a: "added x" -> 1'), {pointer: '/a', before: '"added x"', after: '1'});
  assert.equal(diff.readLine('no such line'), null);
});

// RFC 7396, as the server merges layers.
function merged(target, patch) {
  if (!diff.isObject(patch)) return patch;
  const out = diff.isObject(target) ? {...target} : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = merged(out[key], value);
  }
  return out;
}

test('a layer says as little as makes the configuration what was edited', () => {
  const below = {flows: 5000, networks: ['10.0.0.0/8'], update: {url: 'https://a', every: '1h'}};
  const layer = {canary: true, flows: 6000};
  const before = merged(below, layer);
  for (const [after, says] of [
    [{...before, flows: 7000}, {canary: true, flows: 7000}],
    [{...before, networks: []}, {...layer, networks: []}],
    [{...before, update: {url: 'https://a'}}, {...layer, update: {every: null}}],
    [{...before, update: {url: 'https://b', every: '1h', sha256: 'x'}}, {...layer, update: {url: 'https://b', sha256: 'x'}}],
    [(({canary, ...rest}) => rest)(before), {flows: 6000}],
    [(({flows, ...rest}) => rest)(before), {canary: true, flows: null}],
  ]) {
    const said = diff.laidOver(layer, before, after, (at) => at.split('/').slice(1).reduce(
      (inner, key) => (inner === undefined ? inner : inner[key]), below) !== undefined);
    assert.deepEqual(said, says);
    assert.deepEqual(merged(below, said), after);
  }
});

test('a schema is shown by what fits it, and as JSON where nothing does', () => {
  for (const [schema, control] of [
    [{type: 'string'}, 'text'], [{type: 'string', maxLength: 4096}, 'long'], [{type: 'string', writeOnly: true}, 'secret'],
    [{type: 'integer'}, 'number'], [{type: 'boolean'}, 'boolean'], [{enum: ['a', 1, null]}, 'choice'], [{const: 4}, 'choice'],
    [{enum: [{a: 1}]}, 'json'], [{type: 'array', items: {type: 'string'}}, 'list'], [{type: 'array'}, 'json'],
    [{type: 'object', properties: {a: {}}}, 'object'], [{properties: {a: {}}}, 'object'],
    [{type: 'object', additionalProperties: {type: 'string'}}, 'json'], [{type: ['number', 'string']}, 'mixed'],
    [{type: ['string', 'array']}, 'json'], [{oneOf: [{type: 'string'}]}, 'json'], [{}, 'json'],
  ]) assert.equal(fields.controlOf(schema), control, JSON.stringify(schema));
  const root = {definitions: {port: {type: 'integer'}, round: {$ref: '#/definitions/round'}}};
  assert.deepEqual(fields.resolve({$ref: '#/definitions/port'}, root), {type: 'integer'});
  assert.deepEqual(fields.resolve({$ref: '#/definitions/round'}, root), {});
  assert.deepEqual(fields.resolve({$ref: 'https://elsewhere.example/x'}, root), {});
});

test('what is typed becomes the value that is meant', () => {
  assert.equal(fields.valueOf('12', {type: 'integer'}), 12);
  assert.equal(fields.valueOf('12x', {type: 'integer'}), '12x');
  assert.equal(fields.valueOf('12', {type: 'string'}), '12');
  assert.equal(fields.valueOf('90s', {type: ['number', 'string']}), '90s');
  assert.equal(fields.valueOf('90', {type: ['number', 'string']}), 90);
  assert.deepEqual(fields.valueOf('{"a":1}', {type: ['string', 'object']}), {a: 1});
  assert.equal(fields.valueOf('{"a":', {type: ['string', 'object']}), '{"a":');
  assert.deepEqual(fields.blank({type: 'object', required: ['a', 'b'], properties: {a: {type: 'integer', minimum: 3}, b: {default: 'x'}, c: {}}}, {}),
    {a: 3, b: 'x'});
});

test('a configuration is checked as its schema says', () => {
  const schema = {type: 'object', additionalProperties: false, required: ['name'], properties: {
    name: {type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 4}, n: {type: 'integer', minimum: 1, exclusiveMaximum: 9},
    step: {type: 'number', multipleOf: 0.1}, list: {type: 'array', minItems: 1, maxItems: 2, uniqueItems: true, items: {$ref: '#/definitions/host'}},
    mode: {enum: ['a', 'b']}, inner: {type: 'object', required: ['url'], properties: {url: {type: 'string'}}}},
    definitions: {host: {type: 'string', pattern: '^h'}}};
  const wrong = (value) => Object.fromEntries(fields.problemsOf(schema, value));
  assert.deepEqual(wrong({name: 'abc', n: 8, step: 0.3, list: ['h1', 'h2'], mode: 'a', inner: {url: 'x'}}), {});
  assert.deepEqual(Object.keys(wrong({n: 9, list: ['h', 'h'], mode: 'c', inner: {}, other: 1})).sort(),
    ['/inner/url', '/list', '/mode', '/n', '/name', '/other']);
  for (const [value, at] of [[{name: 'a'}, '/name'], [{name: 'ABC'}, '/name'], [{name: 'abcde'}, '/name'], [{name: 1}, '/name'],
    [{name: 'abc', n: 1.5}, '/n'], [{name: 'abc', n: '1'}, '/n'], [{name: 'abc', step: 0.25}, '/step'],
    [{name: 'abc', list: []}, '/list'], [{name: 'abc', list: ['x']}, '/list/0'], [[], '']]) {
    assert.deepEqual(Object.keys(wrong(value)), [at], JSON.stringify(value));
  }
  // A pattern that this browser cannot read is the server's to check; a schema in a circle ends.
  assert.equal(fields.problemsOf({type: 'string', pattern: '(?<!x'}, 'y').size, 0);
  const circle = {type: 'array', items: {$ref: '#'}};
  assert.equal(fields.problemsOf(circle, [[[[]]]]).size, 0);
});

test('SHA-256 in pieces is SHA-256', async () => {
  for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, (4 << 20) + 77]) {
    const data = Buffer.alloc(size, 'beacon');
    assert.equal(await sha256Of(new Blob([data]), () => {}), createHash('sha256').update(data).digest('hex'), `of ${size}`);
  }
});

test('labels are read as they are written', () => {
  assert.deepEqual(fleet.readLabels('site=oulu, role=ot\nzone=a.b'), {site: 'oulu', role: 'ot', zone: 'a.b'});
  assert.deepEqual(fleet.readLabels(' '), {});
  assert.deepEqual(fleet.labelPatch({site: 'oulu', role: 'ot', spare: '1'}, {site: 'turku', role: 'ot', zone: 'a'}),
    {spare: null, site: 'turku', zone: 'a'});
  for (const wrong of ['site', 'site=', '=x', 'a b=c', 'site=<b>', 'k=' + 'v'.repeat(64)]) assert.equal(typeof fleet.readLabels(wrong), 'string', wrong);
});

test('of the fleet what waits for a person comes first, a cause once however many it meets', () => {
  const cause = {cause: 'proxy', evidence: 'e', fix: 'f', words: 'proxy: 14 sensors', sensors: ['a', 'b'], instances: 2, since: 's'};
  const rollout = (id, phase) => ({id, phase, target: 'group:ot', words: 'w', since: 's', widened: ['net_admin']});
  const all = fleet.fleetMatters({conflicts: 1, causes: [cause, {...cause, cause: 'full', sensors: ['a']}]},
    [rollout('1', 'running'), rollout('2', 'approval'), rollout('3', 'paused'), rollout('4', 'done')]);
  assert.deepEqual(all.map((one) => one.key), ['rollout 2', 'rollout 3', 'conflicts', 'cause proxy', 'cause full']);
  assert.deepEqual(all[4].at, ['fleet', 'sensors', 'a']);
  assert.ok(all.every((one) => one.act && one.title));
  assert.deepEqual(fleet.fleetMatters(null, []), []);
});

// Readings by a clock of ours. What is asked waits in `asked` until `answer` or `refuse`; `shown` has every state.
const {Readings} = await load('state/readings.ts');
function view() {
  let now = 0, timers = 0;
  const waiting = new Map(), asked = [], shown = [];
  const clock = {
    setTimeout: (act, pause) => (waiting.set(++timers, {act, at: now + pause}), timers),
    clearTimeout: (id) => waiting.delete(id),
  };
  const pass = (length) => {
    now += length;
    for (const [id, {act, at}] of waiting) if (at <= now && waiting.delete(id)) act();
  };
  const ask = (words) => () => new Promise((answer, refuse) => {
    const settle = (how) => (what) => (how(what), new Promise(setImmediate));
    asked.push({words, answer: settle(answer), refuse: settle(refuse)});
  });
  const readings = new Readings({rows: null}, ask('all'), () => shown.push(readings.state), 1000, clock);
  return {readings, ask, asked, shown, waiting, pass};
}

test('what is wished while it is read is read once more, however often it was wished', async () => {
  const {readings, asked, shown} = view();
  for (let i = 0; i < 3; i++) readings.load();
  assert.equal(asked.length, 1);
  await asked[0].answer({rows: 'old'});
  assert.equal(asked.length, 2);
  assert.deepEqual(readings.state, {rows: 'old', loading: true, error: null});
  await asked[1].answer({rows: 'new'});
  assert.equal(asked.length, 2);
  assert.deepEqual(shown.map(({rows, loading}) => [rows, loading]),
    [[null, true], ['old', false], ['old', true], ['new', false]]);
});

test('news are collected for a pause, which begins with the first', async () => {
  const {readings, asked, pass} = view();
  readings.news();
  pass(999);
  readings.news();
  assert.equal(asked.length, 0);
  pass(1);
  assert.equal(asked.length, 1);
  // Those that come while it is read lead to one more.
  readings.news();
  pass(1000);
  assert.equal(asked.length, 1);
  await asked[0].answer({rows: 'a'});
  assert.equal(asked.length, 2);
  await asked[1].answer({rows: 'b'});
  pass(5000);
  assert.equal(asked.length, 2);
});

test('after the end nothing is asked, shown or waited for', async () => {
  const {readings, asked, shown, waiting, pass} = view();
  readings.load();
  readings.load();
  readings.news();
  readings.end();
  assert.equal(waiting.size, 0);
  const before = shown.length;
  await asked[0].answer({rows: 'late'});
  readings.change({rows: 'later'});
  readings.load();
  pass(5000);
  assert.equal(asked.length, 1);
  assert.equal(shown.length, before);
  assert.equal(readings.state.rows, null);
});

test('a reading that fails leaves what is there, and the next reads', async () => {
  const {readings, asked, pass} = view();
  readings.load();
  await asked[0].answer({rows: 'a'});
  readings.load();
  readings.load();
  await asked[1].refuse(new Error('lost'));
  assert.equal(asked.length, 3);
  await asked[2].refuse(new Error('lost'));
  const {rows, loading, error} = readings.state;
  assert.deepEqual([rows, loading, error.status, error.message], ['a', false, 0, 'Error: lost']);
  readings.news();
  pass(1000);
  await asked[3].answer({rows: 'b'});
  assert.deepEqual(readings.state, {rows: 'b', loading: false, error: null});
});

test('more is read only while nothing is, and what failed is read again', async () => {
  const {readings, ask, asked} = view();
  const words = () => asked.map((one) => one.words);
  readings.load();
  readings.more(ask('more'));
  await asked[0].answer({rows: 'a'});
  assert.deepEqual(words(), ['all']);
  readings.more(ask('more'));
  readings.load();
  await asked[1].answer({rows: 'ab'});
  assert.deepEqual(words(), ['all', 'more', 'all']);
  await asked[2].refuse(new Error('lost'));
  readings.again();
  await asked[3].answer({rows: 'ab'});
  readings.more(ask('more'));
  await asked[4].refuse(new Error('lost'));
  readings.again();
  assert.deepEqual(words(), ['all', 'more', 'all', 'all', 'more', 'more']);
  await asked[5].answer({rows: 'abc'});
  assert.equal(readings.state.rows, 'abc');
});

test('a long reading shows what it has before its end', async () => {
  const {readings, ask, asked, shown} = view();
  readings.more(async (by) => {
    by.change({rows: 'first'});
    return ask('rest')();
  });
  await asked[0].answer({rows: 'first and rest'});
  assert.deepEqual(shown.map(({rows, loading}) => [rows, loading]), [[null, true], ['first', true], ['first and rest', false]]);
});
