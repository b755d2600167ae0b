// The fleet's sensors: the first page at once, the rest behind it; states as the stream tells them.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {FleetNews, Sensor} from '../api/types';
import {listen} from './store';

const kFirstPage = 200;
const kPage = 2000;
const kPause = 3000;  // ms, between two readings of the whole list

export interface SensorQuery {
  state?: string;
  labels?: string;
  text?: string;
}
export interface SensorList {
  sensors: Sensor[] | null;
  total: number;
  error: api.ApiError | null;
  at: number | null;
  reload: () => void;
}

export function useSensors(query: SensorQuery): SensorList {
  const key = JSON.stringify(query);
  const [state, setState] = useState<{key: string; sensors: Sensor[] | null; total: number; error: api.ApiError | null;
    at: number | null}>({key, sensors: null, total: 0, error: null, at: null});
  const turn = useRef(0), busy = useRef(false), dirty = useRef(false);

  // One reading at a time, and another where something changed meanwhile.
  const load = useCallback(async (isFirst: boolean) => {
    if (busy.current) {
      dirty.current = true;
      return;
    }
    const mine = turn.current;
    busy.current = true;
    dirty.current = false;
    const given = JSON.parse(key) as SensorQuery;
    let sensors: Sensor[] = [];
    let cursor: string | null = null;
    try {
      do {
        const page: Awaited<ReturnType<typeof api.sensors>> = await api.sensors({...given,
          limit: isFirst && sensors.length === 0 ? kFirstPage : kPage, ...(cursor ? {cursor} : {})});
        if (mine !== turn.current) return;
        sensors = sensors.concat(page.sensors);
        cursor = page.next_cursor;
        // The first page is drawn while the rest is read; later readings replace all at once.
        if (isFirst || cursor === null) setState({key, sensors, total: page.total, error: null, at: Date.now()});
      } while (cursor !== null);
    } catch (problem) {
      if (mine !== turn.current) return;
      const error = api.asApiError(problem);
      setState((old) => (old.key === key ? {...old, error} : {key, sensors: null, total: 0, error, at: null}));
    }
    busy.current = false;
    if (dirty.current) void load(false);
  }, [key]);

  useEffect(() => {
    void load(true);
    let waiting: number | undefined;
    const ends = [
      listen('back', () => void load(false)),
      listen('fleet', (news: FleetNews) => {
        if (news.what === 'ask') return;
        if (waiting === undefined) {
          waiting = window.setTimeout(() => {
            waiting = undefined;
            void load(false);
          }, kPause);
        }
      }),
    ];
    return () => {
      window.clearTimeout(waiting);
      ends.forEach((end) => end());
      turn.current++;
      busy.current = dirty.current = false;
    };
  }, [load]);

  const mine = state.key === key;
  return {sensors: mine ? state.sensors : null, total: mine ? state.total : 0, error: mine ? state.error : null,
    at: mine ? state.at : null, reload: () => void load(false)};
}
