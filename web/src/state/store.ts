// What all of the page knows: who is here, whether the server answers, what it last told by itself.
// One stream of server-sent events a tab; views ask again when something of theirs came by it.
import {useEffect, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Alert, BeaconChange, FleetNews, Role, Session, Status} from '../api/types';

export type Topic = 'beacon' | 'alert' | 'leak' | 'status' | 'fleet' | 'instrument_event' | 'back';

export interface State {
  // starting: not known yet; login: a name and a password are needed; open: go on
  door: 'starting' | 'login' | 'open';
  session: Session | null;
  expired: boolean;          // there was a session, and it ended
  lostSince: number | null;  // when the server stopped answering; null while it does
  live: boolean;             // the stream of events is open
  status: Status | null;
}

let state: State = {
  door: 'starting', session: null, expired: false, lostSince: null, live: false, status: null,
};
const watchers = new Set<() => void>();
const listeners = new Map<Topic, Set<(data: unknown) => void>>();
let stream: EventSource | null = null;
let again: number | undefined;
let pause = 1000;
let openedBefore = false;

function set(change: Partial<State>) {
  state = {...state, ...change};
  watchers.forEach((tell) => tell());
}

export const current = () => state;

export function useStore<V>(select: (state: State) => V): V {
  const [value, setValue] = useState(() => select(state));
  useEffect(() => {
    const tell = () => setValue(() => select(state));
    tell();
    watchers.add(tell);
    return () => void watchers.delete(tell);
  }, []);
  return value;
}

export function listen(topic: 'beacon', f: (data: BeaconChange) => void): () => void;
export function listen(topic: 'alert', f: (data: Alert) => void): () => void;
export function listen(topic: 'status', f: (data: Status) => void): () => void;
export function listen(topic: 'fleet', f: (data: FleetNews) => void): () => void;
export function listen(topic: Topic, f: (data: never) => void): () => void;
export function listen(topic: Topic, f: (data: never) => void): () => void {
  const all = listeners.get(topic) ?? new Set();
  listeners.set(topic, all);
  all.add(f as (data: unknown) => void);
  return () => void all.delete(f as (data: unknown) => void);
}
function publish(topic: Topic, data: unknown) {
  listeners.get(topic)?.forEach((f) => f(data));
}

const kRanks: Role[] = ['none', 'viewer', 'analyst', 'operator', 'admin'];
// Whether who is here may do what needs this role. The server decides; this only spares a click.
export const may = (needed: Role, session = state.session) =>
  session !== null && kRanks.indexOf(session.role) >= kRanks.indexOf(needed);
export const useMay = (needed: Role) => useStore((s) => may(needed, s.session));

// -- the stream

function reached(answers: boolean) {
  if (!answers) set({lostSince: state.lostSince ?? Date.now(), live: false});
  else if (state.lostSince !== null) set({lostSince: null});
}

function closeStream() {
  window.clearTimeout(again);
  stream?.close();
  stream = null;
}

function openStream() {
  closeStream();
  if (state.door !== 'open' || document.visibilityState === 'hidden') return;
  const opened = new EventSource('/api/v1/events');
  stream = opened;
  opened.onopen = () => {
    pause = 1000;
    set({live: true});
    // What came while no stream was open is not told again. The first time nothing was missed.
    if (openedBefore) publish('back', null);
    openedBefore = true;
  };
  for (const topic of ['beacon', 'alert', 'leak', 'status', 'fleet', 'instrument_event'] as const) {
    opened.addEventListener(topic, (event) => {
      let data: unknown;
      try {
        data = JSON.parse((event as MessageEvent<string>).data);
      } catch {
        return;  // half an event at the end of a connection
      }
      if (topic === 'status') set({status: data as Status});
      publish(topic, data);
    });
  }
  opened.onerror = () => {
    // Our own pause instead of the browser's: a refusal (401, 503) would end its tries.
    closeStream();
    again = window.setTimeout(retry, pause);
    pause = Math.min(pause * 2, 15_000);
    set({live: false});
  };
}

async function retry() {
  try {
    await api.status();
  } catch (error) {
    if (error instanceof api.ApiError && error.status === 401) return;
    again = window.setTimeout(retry, pause);
    pause = Math.min(pause * 2, 15_000);
    return;
  }
  openStream();
}
export function retryNow() {
  window.clearTimeout(again);
  pause = 1000;
  // There is no stream yet whose opening would end the waiting.
  if (state.door === 'starting') return void knock();
  void retry();
}

// -- the session

function endSession() {
  closeStream();
  api.setCsrf('');
  // Several calls may be refused at once: the second is no news.
  set({door: 'login', expired: state.expired || state.session !== null, session: null, live: false, lostSince: null});
}

export function enter(session: Session) {
  api.setCsrf(session.csrf);
  set({door: 'open', session, expired: false, lostSince: null});
  openedBefore = false;
  openStream();
}

// One's own password or second factor is another: so are the session and its secret.
export function changed(session: Session) {
  api.setCsrf(session.csrf);
  set({session});
}

export async function leave() {
  try {
    await api.logout();
  } catch (error) {
    // While the server is away the session holds there: to say that it ended would be wrong.
    if (!(error instanceof api.ApiError && error.status === 401)) throw error;
  }
  endSession();
  set({expired: false});
}

export async function start() {
  api.onCalls(endSession, reached);
  // A browser gives one server few connections: a tab that nobody sees needs none.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') closeStream();
    else if (stream === null && state.door === 'open') retryNow();
  });
  await knock();
}

async function knock() {
  try {
    enter(await api.session());
    return;
  } catch (error) {
    const status = error instanceof api.ApiError ? error.status : 0;
    if (status === 401) return set({door: 'login'});
    if (status !== 404) return knockLater();
  }
  // A server without users: what this machine may do without a token, the page may.
  try {
    const status = await api.status();
    set({status});
    enter({name: 'this machine', role: 'admin', csrf: ''});
  } catch (error) {
    if (error instanceof api.ApiError && error.status === 401) return set({door: 'login'});
    knockLater();
  }
}

function knockLater() {
  set({lostSince: state.lostSince ?? Date.now()});
  window.clearTimeout(again);
  again = window.setTimeout(() => void knock(), pause);
  pause = Math.min(pause * 2, 15_000);
}
