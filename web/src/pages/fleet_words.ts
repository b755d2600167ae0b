// How states and targets of the fleet are said. Pure: tests/web/units.mjs.
import type {FleetCause, FleetNews, FleetOverview, Health, Labels, ReportedInstance, Rollout, SensorState} from '../api/types';
import type {Tone} from '../components/basics';
import {plural} from '../format';

export const kStates: SensorState[] = ['unhealthy', 'updating', 'healthy', 'offline', 'inactive'];
const kStateTones: Record<string, Tone> = {
  healthy: 'good', unhealthy: 'high', updating: 'low', offline: 'medium', inactive: 'quiet',
};
export const stateTone = (state: string): Tone => kStateTones[state.toLowerCase()] ?? 'quiet';

const kInstanceTones: Record<string, Tone> = {
  RUNNING: 'good', ERRORED: 'high', BROKEN: 'critical', FINISHED: 'quiet', STARTING: 'low', STOPPING: 'low',
  INSTALLED: 'quiet', NEW: 'low',
};
export const instanceTone = (state: string): Tone => kInstanceTones[state] ?? 'quiet';

const kConfigTones: Record<string, Tone> = {APPLIED: 'good', APPLYING: 'low', FAILED: 'critical'};
export const configTone = (state: string): Tone => kConfigTones[state] ?? 'quiet';

const kPhaseTones: Record<string, Tone> = {
  approval: 'high', running: 'low', paused: 'medium', reverting: 'high', done: 'good', reverted: 'quiet', aborted: 'quiet',
};
export const phaseTone = (phase: string): Tone => kPhaseTones[phase] ?? 'quiet';
export const isOver = (rollout: Rollout) => ['done', 'reverted', 'aborted'].includes(rollout.phase);

const isNews = (news: unknown): news is FleetNews => typeof news === 'object' && news !== null && 'what' in news;
// What the stream tells of other sensors changes nothing on a sensor's page.
export const concernsSensor = (name: string) => (news: unknown) =>
  !isNews(news) || (news.what === 'sensor' ? news.name === name : news.what !== 'ask');
// Nor does any sensor by itself change what documents and images there are.
export const concernsDocuments = (news: unknown) => !isNews(news) || news.what === 'desired' || news.what === 'rollout';
export const concernsRollouts = (news: unknown) => !isNews(news) || news.what === 'rollout';

// site=oulu, role=ot
export const labelWords = (labels: Labels) =>
  Object.entries(labels).map(([key, value]) => (value ? `${key}=${value}` : key)).sort().join(', ');

// What is typed as labels, one a line or with commas between; or what is wrong with it. The server checks too.
const kLabel = /^[A-Za-z0-9._-]{1,63}$/;
export function readLabels(text: string): Labels | string {
  const labels: Labels = {};
  for (const one of text.split(/[\n,]/).map((words) => words.trim()).filter(Boolean)) {
    const [key = '', ...rest] = one.split('=');
    const value = rest.join('=');
    if (!kLabel.test(key.trim()) || !kLabel.test(value.trim())) {
      return `“${one}”: a label is key=value, each 1 to 63 letters, digits, “.”, “_” or “-”`;
    }
    Object.defineProperty(labels, key.trim(), {value: value.trim(), enumerable: true, configurable: true});
  }
  return Object.keys(labels).length > 64 ? 'A sensor has 64 labels at most' : labels;
}

// What a person made of a sensor's labels, as a patch: null removes, and what somebody else set meanwhile stays.
export function labelPatch(before: Labels, after: Labels): Record<string, string | null> {
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key)).map((key) => [key, null] as const);
  const set = Object.entries(after).filter(([key, value]) => !Object.hasOwn(before, key) || before[key] !== value);
  return Object.fromEntries([...gone, ...set]);
}

export function targetWords(target: string): string {
  if (target === 'fleet') return 'the whole fleet';
  if (target.startsWith('group:')) return `group ${target.slice(6)}`;
  const sensor = /^sensor:(.*)$/.exec(target)?.[1];
  return sensor === undefined ? target : `sensor ${/^[0-9a-f]{64}$/.test(sensor) ? sensor.slice(0, 12) + '…' : sensor}`;
}

export const isUnwell = (instance: ReportedInstance) =>
  ['ERRORED', 'BROKEN'].includes(instance.state ?? '') || instance.config?.state === 'FAILED' ||
  instance.health?.state === 'failed' || instance.health?.state === 'degraded' || instance.update?.state === 'FAILED';

// Health without what is well.
export const worst = (health: Health | undefined): string => health?.cause || health?.state || '';

// A cause as one line: its words already count.
export const causeTitle = (cause: FleetCause) =>
  cause.words || `${cause.cause}: ${plural(cause.sensors.length, 'sensor')}`;

// What of the fleet needs a person today: causes, rollouts, conflicts.
export interface FleetMatter {
  key: string;
  tone: 'critical' | 'high' | 'medium';
  what: string;
  title: string;
  words: string;
  fix: string;
  since: string | null;
  at: string[];                      // where it is seen to: the page's path
  query?: Record<string, string>;
  act: string;                       // the one action
}
export function fleetMatters(overview: FleetOverview | null, rollouts: Rollout[]): FleetMatter[] {
  const all: FleetMatter[] = [];
  for (const one of rollouts) {
    if (one.phase !== 'approval' && one.phase !== 'paused') continue;
    const waits = one.phase === 'approval';
    all.push({key: `rollout ${one.id}`, tone: waits ? 'high' : 'medium', what: 'rollout', since: one.since, fix: '',
      title: waits ? `A rollout to ${targetWords(one.target)} waits for approval` : `The rollout to ${targetWords(one.target)} is paused`,
      words: waits && one.widened.length > 0 ? `It may do more than before: ${one.widened.join('; ')}` : one.words,
      at: ['fleet', 'rollouts', String(one.id)], act: waits ? 'Look and approve' : 'Look at it'});
  }
  if (overview && overview.conflicts > 0) {
    all.push({key: 'conflicts', tone: 'critical', what: 'conflict', since: null,
      title: `${plural(overview.conflicts, 'sensor')} ${overview.conflicts === 1 ? 'is' : 'are'} two systems with one key`,
      words: 'Mostly a cloned disk: what they report cannot be told apart.', fix: 'Enrol the copy under its own name.',
      at: ['fleet'], query: {conflict: 'yes'}, act: 'Show them'});
  }
  for (const cause of overview?.causes ?? []) {
    const only = cause.sensors.length === 1 ? cause.sensors[0]! : null;
    all.push({key: 'cause ' + cause.cause, tone: 'medium', what: 'sick', since: cause.since, title: causeTitle(cause),
      words: cause.evidence, fix: cause.fix, at: only ? ['fleet', 'sensors', only] : ['fleet'],
      ...(only ? {} : {query: {cause: cause.cause}}), act: only ? `Look at ${only}` : `Show the ${cause.sensors.length} sensors`});
  }
  return all;
}
