// A list that comes page by page, by the server's cursors.
import {useRef} from 'preact/hooks';

import type {ApiError} from '../api/client';
import type {Topic} from './store';
import {useReadings} from './use_readings';

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

// As useReadings: `ask` gives one page of so many rows. News are looked at with as many rows as are here: a reader
// stays where he is.
export function usePages<R>(key: string, page: number,
  ask: (cursor: string | null, limit: number) => Promise<{rows: R[]; next: string | null}>,
  topics: readonly Topic[] = [], pause = 1000): Listed<R> {
  const empty: {rows: R[]; next: string | null} = {rows: [], next: null};
  const readings = useReadings(key, empty,
    (by) => ask(null, Math.min(kMost, Math.max(page, by.state.rows.length))), topics, pause);
  const more = () => {
    const {rows, next} = readings.state;
    if (next === null) return;
    readings.more(async () => {
      const got = await ask(next, page);
      return {rows: rows.concat(got.rows), next: got.next};
    });
  };
  const {rows, next, loading, error} = readings.state;
  return {rows, complete: !loading && next === null, loading, error, more, reload: readings.load, again: readings.again};
}

// The row that the address names: it stays open when later readings do not have it.
export function useChosen<R>(rows: R[], id: string | null, idOf: (row: R) => string): R | undefined {
  const last = useRef<R | undefined>(undefined);
  if (id === null) return undefined;
  const found = rows.find((row) => idOf(row) === id) ?? last.current;
  last.current = found !== undefined && idOf(found) === id ? found : undefined;
  return last.current;
}
