// The server's API: one function a call, nothing else in the page fetches.
import type * as T from './types';

export class ApiError extends Error {
  constructor(
    readonly status: number,  // 0: no answer at all
    message: string,
    readonly all: string[] = [message],
    readonly codeNeeded = false,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}
export const asApiError = (problem: unknown) =>
  problem instanceof ApiError ? problem : new ApiError(0, String(problem));

let csrf = '';
let sessionLost: () => void = () => {};
let reachable: (answers: boolean) => void = () => {};
export function setCsrf(token: string) {
  csrf = token;
}
// `lost`: a call was answered with 401; `reached`: whether a call was answered at all.
export function onCalls(lost: () => void, reached: (answers: boolean) => void) {
  sessionLost = lost;
  reachable = reached;
}

type Query = Record<string, string | number | boolean | undefined | null>;

function address(path: string, query?: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') given.set(name, String(value));
  }
  const text = given.toString();
  return '/api/v1' + path + (text ? '?' + text : '');
}

async function refusal(answer: Response): Promise<ApiError> {
  let words = `the server answered ${answer.status}`;
  let all: string[] = [];
  let codeNeeded = false;
  try {
    const body = (await answer.json()) as {error?: string; errors?: string[]; code_needed?: boolean};
    if (body.error) words = body.error;
    if (body.errors) all = body.errors;
    codeNeeded = body.code_needed === true;
  } catch {
    // Not ours: a proxy's page, say. The status tells enough.
  }
  const wait = Number(answer.headers.get('retry-after') ?? NaN);
  return new ApiError(answer.status, words, all.length ? all : [words], codeNeeded,
    Number.isFinite(wait) ? wait : null);
}

// `body` is sent as JSON; `octets` as they are.
async function call<R>(method: string, path: string, options: {query?: Query | undefined; body?: unknown;
  octets?: Blob; login?: boolean; text?: boolean} = {}): Promise<R> {
  const headers: Record<string, string> = {accept: options.text ? 'text/plain' : 'application/json'};
  if (options.octets !== undefined) headers['content-type'] = 'application/octet-stream';
  else if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrf) headers['x-beaconry-csrf'] = csrf;
  let answer: Response;
  try {
    answer = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(options.octets !== undefined ? {body: options.octets}
        : options.body === undefined ? {} : {body: JSON.stringify(options.body)}),
    });
  } catch {
    reachable(false);
    throw new ApiError(0, 'the server does not answer');
  }
  reachable(true);
  if (answer.ok && options.text) return (await answer.text()) as R;
  if (answer.ok) return answer.status === 204 ? (undefined as R) : ((await answer.json()) as R);
  const error = await refusal(answer);
  if (answer.status === 401 && !options.login) sessionLost();
  throw error;
}

const get = <R>(path: string, query?: Query) => call<R>('GET', path, {query});
const part = (text: string) => encodeURIComponent(text);

// -- session
export const session = () => call<T.Session>('GET', '/session', {login: true});
export const login = (body: {name: string; password: string; code?: string}) =>
  call<T.Session>('POST', '/session', {body, login: true});
export const logout = () => call<unknown>('DELETE', '/session', {login: true});

export const changeOwn = (body: {password: string; new_password?: string; totp?: boolean; code?: string}) =>
  call<T.Session>('PATCH', '/session', {body});

// -- what was found
export const status = () => get<T.Status>('/status');
export type BeaconQuery = {sort?: string | undefined; q?: string | undefined; min_severity?: string | undefined;
  triage?: string | undefined; src?: string | undefined; dst?: string | undefined; with_gone?: boolean;
  limit?: number; cursor?: string};
export const beaconList = (query: BeaconQuery) =>
  get<T.Page & {beacons: T.ListedBeacon[]}>('/beacons', {...query, fields: 'list'});
export const pair = (key: string, limit = 5000) => get<T.PairView>(`/pairs/${part(key)}`, {limit});
export const connections = (query: {src_ip?: string; dst_ip?: string; limit?: number; cursor?: string}) =>
  get<T.Page & {pairs: T.Connection[]}>('/connections', query);
export const alerts = (query: {limit?: number; min_severity?: string | undefined; kind?: string | undefined;
  subject?: string; acknowledged?: boolean | undefined; cursor?: string}) =>
  get<T.Page & {alerts: T.Alert[]}>('/alerts', query);
export const leaks = (query: {state?: string | undefined; probe?: string | undefined; method?: string | undefined;
  path?: string | undefined; since?: string | undefined}) =>
  get<T.Page & {leaks: T.Leak[]}>('/leaks', query);
export const leak = (id: string) => get<T.LeakView>(`/leaks/${part(id)}`);
export const coverage = () => get<T.Coverage>('/coverage');
export const bringRecord = (file: Blob) =>
  call<{probe: string; name: string}>('POST', '/coverage', {octets: file});
export const probes = () => get<T.Page & {probes: T.Probe[]}>('/probes');

export const events = (query: {type?: string; instance?: string; edge?: string; context?: string; since?: string;
  until?: string; q?: string;
  limit?: number; cursor?: string}) =>
  get<{count: number; next_cursor: string | null; received: {stored: number; repeated: number};
    events: T.InstrumentEvent[]}>('/instrument-events', query);

export const testSink = (name: string) =>
  call<T.SinkTest>('POST', `/alerts/sinks/${part(name)}/test`);

// -- what people decide
export const triaged = () => get<T.Page & {triage: T.TriageEntry[]}>('/triage');
export const decide = (body: {subject?: string; alert_id?: string; decision: T.Decision; reason: string;
  expires?: string}) => call<unknown>('POST', '/triage', {body});
export const reopen = (subject: string, reason: string) =>
  call<unknown>('POST', '/triage', {body: {subject, decision: 'reopen', reason}});

// -- who sends
export const edges = () => get<T.Page & {edges: T.Edge[]}>('/edges');
export const edge = (id: string) => get<T.EdgeView>(`/edges/${part(id)}`);
export const revokeEdge = (id: string) => call<unknown>('DELETE', `/edges/${part(id)}`);
export const enrol = (body: {kind: string; name: string; expires?: string}) =>
  call<T.Enrolment>('POST', '/enrollments', {body});

// -- settings
export const config = () => get<{[section: string]: T.Json}>('/config', {origin: true});
export const changeConfig = (body: {[section: string]: T.Json}) =>
  call<T.ConfigChanged>('POST', '/config', {body});
export const configSchema = () => get<{keys: T.ConfigKey[]}>('/config/schema');
export const previewConfig = (body: {[section: string]: T.Json}, days = 7) =>
  call<T.AllowPreview>('POST', '/config/preview', {body, query: {days}});
export const configHistory = () =>
  get<{current: number; versions: T.ConfigVersion[]; next_cursor: string | null}>('/config/history');
export const rollBack = (version: number) =>
  call<T.ConfigChanged>('POST', '/config/rollback', {body: {version}});
export const tokens = () => get<{count: number; tokens: T.Token[]}>('/tokens');
export const makeToken = (body: {name: string; role: string; expires?: string}) =>
  call<{name: string; role: string; token: string; expires: string | null}>('POST', '/tokens', {body});
export const revokeToken = (name: string) => call<unknown>('DELETE', `/tokens/${part(name)}`);

// -- people
export const users = () => get<{count: number; users: T.User[]}>('/users');
export const makeUser = (body: {name: string; role: string; password: string}) =>
  call<T.User>('POST', '/users', {body});
export const changeUser = (name: string, body: {role?: string; password?: string; totp?: boolean;
  disabled?: boolean}) => call<T.User>('PATCH', `/users/${part(name)}`, {body});
export const removeUser = (name: string) => call<unknown>('DELETE', `/users/${part(name)}`);
export const audit = (query: {since?: string; who?: string; limit?: number; cursor?: string}) =>
  get<{count: number; entries: T.AuditEntry[]; next_cursor: string | null}>('/audit', query);

// -- the fleet
export const fleet = () => get<T.FleetOverview>('/fleet');
export const sensors = (query: {state?: string; labels?: string; text?: string; limit?: number; cursor?: string}) =>
  get<T.Page & {sensors: T.Sensor[]}>('/fleet/sensors', query);
export const sensor = (name: string) => get<T.SensorView>(`/fleet/sensors/${part(name)}`);
export const changeSensor = (name: string, body: {name?: string; labels?: Record<string, string | null>}) =>
  call<T.Sensor>('PATCH', `/fleet/sensors/${part(name)}`, {body});
export const trySensor = (name: string, body: {labels: Record<string, string | null>}) =>
  call<T.Effect>('PATCH', `/fleet/sensors/${part(name)}`, {body: {...body, dry_run: true}});
export const forgetSensor = (name: string) => call<unknown>('DELETE', `/fleet/sensors/${part(name)}`);
export const replaceSensor = (name: string) =>
  call<T.Enrolment>('POST', `/fleet/sensors/${part(name)}/replace`, {body: {}});
export const sensorFile = (name: string) => call<string>('GET', `/fleet/sensors/${part(name)}/file`, {text: true});
export const takeSensorFile = (name: string, file: Blob) =>
  call<unknown>('POST', `/fleet/sensors/${part(name)}/file`, {octets: file});

export const groups = () => get<{groups: T.Group[]}>('/fleet/groups');
export const setGroup = (name: string, body: {selector: string; priority: number}) =>
  call<T.Group>('PUT', `/fleet/groups/${part(name)}`, {body});
export const tryGroup = (name: string, body: {selector: string; priority: number}) =>
  call<T.Effect>('PUT', `/fleet/groups/${part(name)}`, {body: {...body, dry_run: true}});
export const removeGroup = (name: string) => call<unknown>('DELETE', `/fleet/groups/${part(name)}`);
export const tryRemoveGroup = (name: string) => call<T.Effect>('DELETE', `/fleet/groups/${part(name)}?dry_run=true`);

// Targets: fleet, group:NAME, sensor:NAME.
export const desired = (target: string, version?: number) =>
  get<T.Desired>(`/fleet/desired/${part(target)}`, {version});
export const setDesired = (target: string, body: {document: T.FleetDocument; expected_version?: number;
  dry_run?: boolean}) => call<T.DesiredChanged>('PUT', `/fleet/desired/${part(target)}`, {body});
export const desiredHistory = (target: string) =>
  get<{versions: T.DesiredVersion[]}>(`/fleet/desired/${part(target)}/history`);
export const rollBackDesired = (target: string, version: number, expected_version: number) =>
  call<T.DesiredChanged>('POST', `/fleet/desired/${part(target)}/rollback`, {body: {version, expected_version}});

// An instance is beacon_0@sensor001.
export const orderInstance = (instance: string, order: 'start' | 'stop' | 'restart' | 'update' | 'approve') =>
  call<unknown>('POST', `/fleet/instances/${part(instance)}/${order}`, {body: {}});
export const askSensor = (name: string, body: {what: 'log' | 'update'; instance: string; bytes?: number}) =>
  call<{id: string}>('POST', `/fleet/sensors/${part(name)}/asks`, {body});
export const ask = (id: string) => get<T.Ask>(`/fleet/asks/${part(id)}`);

export const images = () => get<{images: T.Image[]}>('/fleet/images');
export const image = (sha256: string) => get<T.ImageView>(`/fleet/images/${part(sha256)}`);
export const putImage = (sha256: string, offset: number, octets: Blob) =>
  call<{have: number}>('PUT', `/fleet/images/${part(sha256)}`, {query: {offset}, octets});
export const completeImage = (sha256: string, signature: string) =>
  call<T.Image>('POST', `/fleet/images/${part(sha256)}/complete`, {body: {signature}});
export const removeImage = (sha256: string) => call<unknown>('DELETE', `/fleet/images/${part(sha256)}`);

export const rollouts = () => get<{rollouts: T.Rollout[]}>('/fleet/rollouts');
export const rollout = (id: string | number) => get<T.RolloutView>(`/fleet/rollouts/${part(String(id))}`);
export const startRollout = (body: {target: string; document?: T.FleetDocument; patch?: T.FleetDocument;
  expected_version?: number; dry_run?: boolean} & Partial<T.Plan>) => call<T.RolloutView>('POST', '/fleet/rollouts', {body});
export const orderRollout = (id: string | number, order: 'pause' | 'resume' | 'abort' | 'approve') =>
  call<unknown>('POST', `/fleet/rollouts/${part(String(id))}/${order}`, {body: {}});
