// What the server answers, by hand from docs/api.md. Times are RFC 3339 in UTC, durations seconds.

export type * from './fleet_types';

export type Severity = 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export type Role = 'none' | 'ingest' | 'viewer' | 'analyst' | 'operator' | 'admin';
export type Json = null | boolean | number | string | Json[] | {[key: string]: Json};

export interface Session {
  name: string;
  role: Role;
  expires?: string | null;
  csrf: string;
  totp?: 'off' | 'pending' | 'on';
  totp_secret?: string;
  totp_uri?: string;
}

export interface Signal {
  name: string;
  score: number;
  weight: number;
  contribution: number;
  raw_value: number;
  threshold: number;
}
export interface Adjustment {
  name: string;
  contribution: number;
  reason: string;
}
export interface Rhythm {
  model: string;
  sleep_seconds: number;
  jitter_percent: number;
  second_sleep_seconds: number;
  missing_share: number;
  coherence: number;
  episodes: number;
  active_seconds: number;
  description: string;
}
export interface Beacon {
  pair_key: string;
  identity: string;
  kind: 'named' | 'address';
  src_ip: string;
  src_name: string | null;
  dst_ip: string;
  dst_ips?: string[];
  server_name: string | null;
  dst_name: string | null;
  dst_port: number;
  protocol: string;
  cv_score: number;
  periodicity_score: number;
  jitter_score: number;
  size_score: number;
  combined_score: number;
  is_beacon: boolean;
  confidence: string;
  severity: Severity;
  interval_stats: {
    count: number;
    mean: number;
    std_dev: number;
    cv: number;
    median: number;
    min_interval: number;
    max_interval: number;
    jitter: number;
  };
  rhythm?: Rhythm;
  jitter_percent: number;
  connection_count: number;
  check_ins: number;
  bytes_out: number | null;
  bytes_in: number | null;
  duration_seconds: number;
  first_seen: string;
  last_seen: string;
  analysis_time: string;
  uids?: string[];
  hidden: string | null;
  hidden_reason: string | null;
  ours: string | null;
  explanation: {
    summary: string;
    detected_interval_seconds: number;
    sleep_model: string;
    contributing_signals: Signal[];
    adjustments: Adjustment[];
  };
}
// As `fields=list` tells it.
export interface ListedBeacon extends Pick<Beacon, 'identity' | 'src_ip' | 'src_name' | 'dst_ip' | 'dst_ips' |
  'server_name' | 'dst_name' | 'dst_port' | 'protocol' | 'combined_score' | 'severity' | 'check_ins' | 'first_seen' |
  'last_seen' | 'ours'> {
  interval_seconds: number;
  gone: boolean;
  summary: string;
  triage: Decision | null;
}
export interface BeaconChange extends Beacon {
  change: 'new' | 'worse' | 'gone';
}

export interface CheckIn {
  time: string;
  interval: number | null;
  connections: number;
  inside_flow: boolean;
  bytes_out: number | null;
  bytes_in: number | null;
}
export type Decision = 'acknowledged' | 'benign';
export interface TriageStep {
  time: string;
  who: string;
  what: string;
  words: string;
}
export interface PairView {
  identity: string;
  pair: Beacon;
  check_ins_left_out: number;
  series: CheckIn[];
  history: {time: string; score: number; severity: Severity}[];
  triage: {
    decision: Decision;
    reason: string;
    author: string;
    made: string;
    expires: string | null;
  } | null;
  triage_history: TriageStep[];
}
export interface Connection {
  pair_key: string;
  src_ip: string;
  dst_ip: string;
  dst_port: number;
  protocol: string;
  server_name: string | null;
  connection_count: number;
  check_ins: number;
  duration_seconds: number;
  first_seen: string;
  last_seen: string;
}

export interface Alert {
  alert_id: string;
  title: string;
  description: string;
  severity: Severity;
  source: string;
  details: {[key: string]: Json};
  timestamp: string;
  tags: string[];
  kind: string;
  subject: string;
  acknowledged_by?: string;
  acknowledged_reason?: string;
  acknowledged_at?: string;
}
export interface TriageEntry {
  subject: string;
  decision: Decision;
  reason: string;
  author: string;
  made: string;
  expires: string | null;
}

export interface Leak {
  id: string;
  state: 'open' | 'closed';
  triage: Decision | null;
  probe: string;
  probe_name: string;
  method: string;
  family: 'ipv4' | 'ipv6';
  path: string;
  route: string[];
  two_way: boolean;
  title: string;
  explanation: string;
  fix: string;
  outer_source: string | null;
  via: string | null;
  inside: string | null;
  ports: [number, number][];
  variants: number[];
  first: string;
  last: string;
  opened: string;
  closed: string | null;
  open_seconds: number;
  times_opened: number;
  open_times: {from: string; to: string; seconds: number}[];
  count: number;
  duplicates: number;
  replayed: number;
  late: number;
  seen_in: string;
}
export interface Observation {
  number: number;
  received: string;
  class: string;
  authenticity: string;
  carrier: string;
  receiver: string;
  source: string | null;
  source_port: number;
  destination: string | null;
  destination_port: number;
  protocol: number;
  ttl: number | null;
  delay_seconds?: number;
}
export interface LeakView extends Leak {
  history: TriageStep[];
  observations_kept: number;
  observations: Observation[];
}
export interface Probe {
  id: string;
  name: string;
  state: string;
  home_name: string | null;
  control: string;
  control_every_seconds: number;
  last_heard: string | null;
  last_control: string | null;
  leaks_open: number;
  leaks: number;
}

export interface Coverage {
  probes: {
    id: string;
    name: string;
    last_heard: string | null;
    last_control: string | null;
    record: {received: string; who: string; first: string; last: string; last_signed: string; entries: number;
      unsigned_entries: number; lost_tries: number; finished: boolean;
      last_short_cycle: {number: number; begun: string; completed: string} | null;
      last_long_cycle: {number: number; begun: string; completed: string} | null} | null;
    methods: {method: string; tried: number | null; answered: number | null; last_tried: string | null;
      not_tried_because: string | null; leaks: number; leaks_open: number}[];
  }[];
  matrix: {
    from: string[];
    rows: {heard_by: string; cells: {state: 'reached' | 'silent' | 'unknown'; may_reach: boolean | null;
      pings: number; first: string | null; last: string | null}[]}[];
  };
}

export interface Edge {
  id: string;
  fingerprint: string | null;
  state: 'enrolled' | 'revoked' | 'relayed' | 'not enrolled';
  via: string | null;
  name: string;
  kind: string | null;
  enrolled: boolean;
  revoked: boolean;
  enrolments: number;
  name_conflict: boolean;
  enrolled_at: string | null;
  last_seen: string | null;
  last_address: string | null;
  clock_skew_seconds: number | null;
  incarnation: string | null;
  sequence: number;
  batches: number;
  repeated: number;
  events: number;
  batches_missing: number;
  batches_dropped: number;
  batches_refused: number;
  batches_unexplained: number;
  lost: number;
  complete_up_to: string | null;
  counters: {[name: string]: Json};
}
export interface LedgerHop {
  hop: string;
  what: string;
  count: number | null;
  lost: number | null;
  how: string;
}
export interface EdgeView extends Edge {
  ledger: LedgerHop[];
}
export interface Enrolment {
  kind: string;
  name: string;
  token: string;
  expires: string;
  ca_fingerprint: string | null;
  url: string;
  join: string;
}

export interface InstrumentEvent {
  number: number;
  source: string;  // beacon_0@sensor001
  instance: string | null;
  sensor: string;
  edge: string;
  uuid: string;
  context_uuid: string | null;
  time: string;
  accepted: string;
  type: string;
  message: string;
  data: Json;
  alert: string | null;
}

export interface Sink {
  name: string;
  waiting: number;
  sent: number;
  failed_tries: number;
  undeliverable: number;
  last_error: string | null;
  last_success: string | null;
}
export interface SinkTest {
  sink: string;
  delivered: boolean;
  words: string;
  seconds: number;
}
export interface Status {
  status: string;
  version: string;
  uptime_seconds: number;
  start_time: string;
  time: string;
  batches_processed: number;
  events_received: number;
  events_invalid: number;
  batches_duplicate: number;
  batches_refused: number;
  batches_storage_full: number;
  alert_queue_drops: number;
  ebpf_drops_total: number;
  buffer_overflow_total: number;
  config_version: number;
  storage: {
    pair_count: number;
    check_ins: number;
    unique_src_ips: number;
    unique_dst_ips: number;
    journal_dropped: number;
    retention_seconds: number;
    oldest: string | null;
    newest: string | null;
  };
  analyzer: {
    total_runs: number;
    beacons_detected: number;
    errors: number;
    last_duration_seconds: number;
    last_run: string | null;
  };
  alerter: {sinks: Sink[]; queue_fill_percent: number; queue_drops: number};
  leaks: {open: number; two_way: number; total: number; probes: number; probes_heard: number; homes: number};
}

export interface ConfigVersion {
  version: number;
  time: string;
  who: string;
  how: string;
  words: string;
  change: string;
  changes: {key: string; before: Json; after: Json}[];
}
export interface ConfigKey {
  key: string;
  type: 'boolean' | 'count' | 'number' | 'duration' | 'size' | 'text' | 'texts' | 'entries' | 'records';
  words: string;
  takes: string;
  default: string | null;
  least: number | null;
  most: number | null;
  choices: string[];
  secret: boolean;
}
export interface AllowPreview {
  since: string;
  beacons_hidden: number;
  beacons: {identity: string; src_name: string | null; combined_score: number; severity: Severity;
    last_seen: string}[];
  alerts_hidden: number;
  alerts_looked_at: number;
  alerts: {alert_id: string; title: string; severity: Severity; timestamp: string}[];
}
export interface ConfigChanged {
  status: string;
  version: number;
  warnings: string[];
}
export interface Token {
  name: string;
  role: string;
  created: string;
  created_by: string;
  expires: string | null;
}

export interface Page {
  count: number;
  total: number;
  next_cursor: string | null;
}
