// A list that comes page by page, by the server's cursors.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import {asApiError, type ApiError} from '../api/client';
import {listen, type Topic} from './store';

const kMost = 10_000;  // rows that one answer may hold

export interface Listed<R> {
  rows: R[];
  complete: boolean;
  loading: boolean;
  error: ApiError | null;
  more: () => void;
  reload: () => void;
  again: () => void;  // what failed
}

// `key`: what is asked; another key begins anew. `ask` gives one page of so many rows. News are looked at
// once in `pause` milliseconds, with as many rows as are here: a reader stays where he is.
export function usePages<R>(key: string, page: number,
  ask: (cursor: string | null, limit: number) => Promise<{rows: R[]; next: string | null}>,
  topics: readonly Topic[] = [], pause = 1000): Listed<R> {
  const [state, setState] = useState<{key: string; rows: R[]; next: string | null; loading: boolean;
    error: ApiError | null}>({key, rows: [], next: null, loading: true, error: null});
  const turn = useRef(0), busy = useRef(false), dirty = useRef(false);
  const next = useRef<string | null>(null);
  const here = useRef(0);  // rows
  const failed = useRef(true);  // whether what failed began at the start
  const asked = useRef(ask);
  asked.current = ask;

  const load = useCallback(async (fromStart: boolean) => {
    if (!fromStart && next.current === null) return;
    if (busy.current) {
      dirty.current ||= fromStart;
      return;
    }
    const mine = turn.current;
    busy.current = true;
    if (fromStart) dirty.current = false;
    setState((old) => (old.key === key ? {...old, loading: true} : {key, rows: [], next: null, loading: true, error: null}));
    try {
      const got = await (fromStart ? asked.current(null, Math.min(kMost, Math.max(page, here.current)))
        : asked.current(next.current, page));
      if (mine !== turn.current) return;
      next.current = got.next;
      here.current = got.rows.length + (fromStart ? 0 : here.current);
      setState((old) => ({key, rows: fromStart ? got.rows : old.rows.concat(got.rows), next: got.next,
        loading: false, error: null}));
    } catch (problem) {
      if (mine !== turn.current) return;
      const error = asApiError(problem);
      failed.current = fromStart;
      setState((old) => ({...old, loading: false, error}));
    }
    busy.current = false;
    if (dirty.current) void load(true);
  }, [key]);

  useEffect(() => {
    next.current = null;
    here.current = 0;
    void load(true);
    let waiting: number | undefined;
    const soon = () => {
      waiting ??= window.setTimeout(() => {
        waiting = undefined;
        void load(true);
      }, pause);
    };
    const ends = [listen('back', () => void load(true)), ...topics.map((topic) => listen(topic, soon))];
    return () => {
      window.clearTimeout(waiting);
      ends.forEach((end) => end());
      turn.current++;
      busy.current = dirty.current = false;
    };
  }, [load]);

  const mine = state.key === key;
  return {rows: mine ? state.rows : [], complete: mine && !state.loading && state.next === null,
    loading: mine ? state.loading : true, error: mine ? state.error : null,
    more: () => void load(false), reload: () => void load(true), again: () => void load(failed.current)};
}

// The row that the address names: it stays open when later readings do not have it.
export function useChosen<R>(rows: R[], id: string | null, idOf: (row: R) => string): R | undefined {
  const last = useRef<R | undefined>(undefined);
  if (id === null) return undefined;
  const found = rows.find((row) => idOf(row) === id) ?? last.current;
  last.current = found !== undefined && idOf(found) === id ? found : undefined;
  return last.current;
}
