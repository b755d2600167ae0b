// What needs a person, from what the server tells. Pure: tests/web/units.mjs.
import type {Alert, Coverage, Edge, Health, Probe, Sink, Status} from '../api/types';
import {length, plural} from '../format';

export interface Matter {
  subject: string;
  newest: Alert;
  alerts: Alert[];  // all that are open of this subject
  over: Alert | null;  // a later one says that it ended by itself
}

const kEnds = new Set(['beacon.gone', 'leak.closed', 'probe.heard']);

// Alerts, newest first, to matters: one a subject. What only says that something ended needs nobody,
// nor does what came before a decision about its subject; what comes after one has changed.
export function mattersOf(alerts: Alert[], decided: Map<string, string>): Matter[] {
  const bySubject = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const subject = alert.subject || alert.alert_id;
    const made = decided.get(subject);
    if (made !== undefined && Date.parse(alert.timestamp) <= Date.parse(made)) continue;
    const all = bySubject.get(subject);
    if (all) all.push(alert);
    else bySubject.set(subject, [alert]);
  }
  const matters: Matter[] = [];
  for (const [subject, all] of bySubject) {
    const newest = all.find((alert) => !kEnds.has(alert.kind));
    if (newest) matters.push({subject, newest, alerts: all, over: kEnds.has(all[0]!.kind) ? all[0]! : null});
  }
  return matters;
}

// What is sick besides alerts: who is not heard, whom alerts do not reach, what was lost.
export interface Sick {
  key: string;
  title: string;
  words: string;
  since: string | null;
  at: string[];  // where it is seen to: the page's path
  query?: Record<string, string>;
  act: string;   // the one action
}
export const kLate = 15 * 60;  // seconds
export function sickOf(status: Status | null, edges: Edge[], now: number): Sick[] {
  const all: Sick[] = [];
  for (const sink of status?.alerter.sinks ?? []) {
    if (sink.last_error && sink.waiting > 0) all.push(sinkIsSick(sink));
  }
  for (const edge of edges) {
    if (edge.name_conflict && !edge.revoked) {
      all.push({key: 'twice ' + edge.id, title: `Two machines call themselves ${edge.name}`,
        words: 'Revoke the one that should not, and enrol it anew under its own name.',
        since: edge.last_seen, at: ['edges'], query: {id: edge.id}, act: `Look at ${edge.name}`});
    }
    if (!edge.enrolled || edge.revoked || !edge.last_seen) continue;
    const silent = (now - Date.parse(edge.last_seen)) / 1000;
    if (silent > kLate) {
      all.push({key: 'silent ' + edge.id, title: `${edge.name} has not been heard for ${length(silent)}`,
        words: `Look whether the ${edge.kind ?? 'machine'} runs and reaches this server; what it sees meanwhile `
          + 'waits in its spool.', since: edge.last_seen, act: `Look at ${edge.name}`,
        ...(edge.kind === 'sensor' ? {at: ['fleet', 'sensors', edge.name]} : {at: ['edges'], query: {id: edge.id}})});
    }
  }
  return all;
}
const sinkIsSick = (sink: Sink): Sick => ({
  key: 'sink ' + sink.name, title: `Alerts do not reach ${sink.name}`,
  words: `${plural(sink.waiting, 'alert')} ${sink.waiting === 1 ? 'waits' : 'wait'}: ${sink.last_error ?? ''}`,
  since: sink.last_success, at: ['settings', 'sinks'], act: 'Look at the sinks',
});

export const isHeard = (edges: Edge[], now: number) => edges.some((edge) =>
  !edge.revoked && edge.last_seen && now - Date.parse(edge.last_seen) < kLate * 1000);

// The newest first; what has no time is now.
export const byTime = <M extends {since: string | null}>(all: M[]): M[] => all.map((one, place) => ({one, place,
  time: one.since === null ? Infinity : Date.parse(one.since)})).sort((a, b) =>
  (b.time === a.time ? a.place - b.place : b.time - a.time)).map(({one}) => one);

// Since when nothing needs anybody: the last that happened, was decided or ended.
export function quietSince(times: (string | null | undefined)[]): string | null {
  const known = times.filter((time): time is string => !!time && !Number.isNaN(Date.parse(time)));
  return known.reduce<string | null>((newest, time) =>
    (newest === null || Date.parse(time) > Date.parse(newest) ? time : newest), null);
}

// Which probes' positive controls are expected, and which of these do not arrive.
export function controlsOf(probes: Probe[], now: number): {expected: Probe[]; missing: Probe[]} {
  const expected = probes.filter((probe) => probe.state === 'active' && probe.control_every_seconds > 0);
  return {expected, missing: expected.filter((probe) => !probe.last_control ||
    now - Date.parse(probe.last_control) >= 2.5 * probe.control_every_seconds * 1000)};
}

// What the probes' records tell of what was tried.
export function triedOf(coverage: Coverage): {records: number; probes: number; tried: number; methods: number} {
  const recorded = coverage.probes.filter((one) => one.record !== null);
  const methods = recorded.flatMap((one) => one.methods);
  return {records: recorded.length, probes: coverage.probes.length, methods: methods.length,
    tried: methods.filter((one) => (one.tried ?? 0) > 0).length};
}

// Known traffic that a detector must find: the part of its health, wherever in the tree.
export function canariesOf(health: Health | undefined): Health[] {
  if (!health) return [];
  return [...(health.name === 'detection canary' ? [health] : []), ...(health.parts ?? []).flatMap(canariesOf)];
}
