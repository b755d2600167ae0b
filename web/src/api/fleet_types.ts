// What the server answers of the fleet, by hand from docs/api.md; what a sensor reports, from
// docs/formats/sensor-state.md. A sensor may be older or newer than this page: what it reports is
// optional, all of it.
import type {Json} from './types';

export type SensorState = 'healthy' | 'unhealthy' | 'updating' | 'offline' | 'inactive';

export interface FleetCause {
  cause: string;
  evidence: string;
  fix: string;
  words: string;
  sensors: string[];
  instances: number;
  since: string;
}
export interface FleetOverview {
  sensors: number;
  states: Record<SensorState, number>;
  late: number;
  conflicts: number;
  drift: number;  // sensors
  instances: {total: number; by_state: {[state: string]: number}};
  causes: FleetCause[];
  rollouts: {running: number; paused: number; approval: number; reverting: number};
  key: string;
}

export type Labels = {[key: string]: string};
export interface Sensor {
  name: string;
  fingerprint: string;
  state: SensorState;
  since: string;
  why: string;
  late: boolean;
  labels: Labels;
  version: string;
  address: string;
  clock_skew: number | null;
  enrolled: string;
  heard: string | null;
  desired_version: number;
  reported_version: number;
  drift: number;
  conflict: boolean;
  instances: number;
  unwell: number;
  groups: string[];
}
export interface Cause {
  cause: string;
  subject: string;
  evidence: string;
  fix: string;
}
export interface Conflict {
  since: string;
  last: string;
  boots: string[];
  machines: string[];
  addresses: string[];
}
export interface SensorView extends Omit<Sensor, 'conflict' | 'drift'> {
  conflict: Conflict | null;
  drift: string[];
  causes: Cause[];
  desired: FleetDocument;
  origin: {[pointer: string]: string};
  reported: Report | null;
  rollouts: number[];
}

export interface Health {
  name?: string;
  state?: string;
  cause?: string;
  evidence?: string;
  fix?: string;
  since?: string | null;
  parts?: Health[];
}
export interface Report {
  name?: string;
  version?: string;
  runtime?: string;
  runtime_fault?: string;
  started?: string | null;
  now?: string | null;
  desired_version?: number;
  health?: Health;
  instances?: ReportedInstance[];
  pool?: {total: number; used: number};
  days_to_full?: number | null;
  bus_fault?: string;
  bus_restarts?: number;
  uplink?: {server: string; connected: boolean; error: string; waiting: number; dropped: number};
  problems?: string[];
  management?: Json;
}
export interface ReportedStorage {
  quota: number;
  used: number;
  days_to_full: number | null;
}
export interface ReportedInterface {
  name: string;
  present?: boolean;
  carrier?: boolean;
  cause?: string;
  evidence?: string;
  fix?: string;
  address?: string;
  received?: number;
  sent?: number;
  refused_sent?: number;
  refused_received?: number;
}
export interface ReportedInstance {
  name: string;
  version?: string;
  image?: string;
  wished_image?: string;
  wished_running?: boolean;
  state?: string;
  cause?: string;
  last_log?: string;
  since?: string | null;
  retry?: string | null;
  starts?: number;
  failures?: number;
  wants_approval?: string[];
  update?: {state: string; what: string; reason: string; since: string | null};
  resources?: {name: string; url: string; state: string; reason: string; version: string; since: string | null;
    looked: string | null; retry: string | null}[];
  config?: {state: string; wished: number; applied: number; reason: string};
  health?: Health;
  interfaces?: ReportedInterface[];
  persistent?: ReportedStorage;
  transient?: ReportedStorage;
  retention?: {commanded: string | null; answered: string | null; before: string | null; items: number; bytes: number;
    overdue: boolean; error: string};
  events?: {stored: number; duplicates: number; refused: number; malformed: number};
  relayed?: {taken: number; bytes: number; refused: number; waiting: number};
  memory?: number;
  processes?: number;
}

// A desired state, or a layer of one: see docs/formats/fleet.md.
export interface WishedInterface {
  name: string;
  kind?: string;
  parent?: string;
  address?: string;
  gateway?: string;
  resolvers?: string[];
}
export interface Wish {
  image?: string;
  running?: boolean;
  interfaces?: WishedInterface[];
  config?: {[key: string]: Json} | null;
  [key: string]: Json | WishedInterface[] | undefined;
}
export interface FleetDocument {
  instances?: {[name: string]: Wish | null};
  [key: string]: unknown;
}

export interface Group {
  name: string;
  selector: string;
  priority: number;
  sensors: number;
  version: number;
  instances: string[];
}
export interface Desired {
  target: string;
  version: number;
  time: string | null;
  who: string;
  how: string;
  document: FleetDocument;
  sensors: string[];
  rollout: number | null;
}
// What a change does, or would do.
export interface Effect {
  sensors: number;
  changed: {[sensor: string]: string[]};
  lost: string[];  // beacon_0@oulu-1: instruments that go, and their data with them
}
export interface DesiredChanged extends Effect {
  version: number;
}
export interface DesiredVersion {
  number: number;
  time: string;
  who: string;
  how: string;
}

export interface Ask {
  state: 'waiting' | 'answered' | 'expired';
  answer: {ok: boolean; text?: string; error?: string} | null;
}

export interface Image {
  sha256: string;
  name: string;
  version: string;
  bytes: number;
  have?: number;
  signer: string | null;
  added: string;
  who: string | null;
  complete: boolean;
  used_by: number;
}
export interface Contract {
  name: string;
  contract?: string;
  optional?: boolean;
  words?: string;
}
export interface ImageView extends Image {
  // Not of an upload that is not whole yet:
  manifest?: {[key: string]: Json};
  schema?: {[key: string]: Json} | null;
  defaults?: Json;
  permissions?: string[];
  permission_digest?: string;
  interfaces?: Contract[];
}

export type Stage = 'waiting' | 'changing' | 'done' | 'failed' | 'returning' | 'returned' | 'gone';
export interface Rollout {
  id: number;
  target: string;
  phase: string;  // approval, running, paused, reverting, done, reverted, aborted
  words: string;
  since: string;
  started: string;
  who: string;
  total: number;
  counts: Record<Stage, number>;
  widened: string[];
}
export interface Plan {
  canary: number;
  max_parallel: number;
  max_failures: number;
  min_healthy_time: number;
  healthy_deadline: number;
  auto_revert: boolean;
}
export interface RolloutView extends Rollout {
  plan: Plan;
  turns: {sensor: string; stage: Stage; since: string; words: string}[];
  changes: string[];
}

export interface User {
  name: string;
  role: string;
  disabled: boolean;
  totp: 'off' | 'pending' | 'on';
  created: string;
  created_by: string;
  last_login: string | null;
  totp_secret?: string;  // where one was just made
  totp_uri?: string;
}
export interface AuditEntry {
  id: number;
  time: string;
  who: string;
  role: string;
  address: string;
  action: string;
  object: string;
  before?: Json;
  after?: Json;
  outcome: string;
}

// What the stream tells of the fleet.
export interface FleetNews {
  what: 'sensor' | 'rollout' | 'desired' | 'ask';
  name?: string;  // of the sensor or the target
  id?: string;    // of a rollout or a question
  state: string;
}
