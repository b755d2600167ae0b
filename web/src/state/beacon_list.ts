// The ranked list, as the server sorts and filters it: page by page as it is scrolled. When the server tells of
// beacons, the pages in view are read anew; the others when they come into view.
import {useCallback, useEffect, useMemo, useRef, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {ListedBeacon} from '../api/types';
import {renewed, type Part} from './beacon_parts';
import {listen} from './store';

const kFirstPage = 100;  // is drawn at once
const kPage = 1000;
const kPause = 1000;  // ms, between two readings because of news

export interface BeaconList {
  beacons: ListedBeacon[];
  total: number;
  loading: boolean;
  error: api.ApiError | null;
  more: () => void;
  again: () => void;
  view: (first: number, end: number) => void;  // which rows are in view
}

interface State {
  key: string;
  parts: Part[];
  total: number;
  next: string | null;
  loading: boolean;
  error: api.ApiError | null;
}
type Page = Awaited<ReturnType<typeof api.beaconList>>;

export function useBeacons(query: api.BeaconQuery): BeaconList {
  const key = JSON.stringify(query);
  const now = useRef<State>({key: '', parts: [], total: 0, next: null, loading: true, error: null});
  const [state, setState] = useState(now.current);
  const turn = useRef(0), busy = useRef(false), wanted = useRef(false), held = useRef(false);
  const news = useRef(0);
  const inView = useRef<[number, number]>([0, 0]);

  const change = (next: Partial<State>) => {
    now.current = {...now.current, ...next};
    setState(now.current);
  };
  // The first part in view that is old; -1: none.
  const oldInView = () => {
    const {parts} = now.current;
    const all = parts.reduce((sum, part) => sum + part.rows.length, 0);
    const [from, until] = [Math.min(inView.current[0], all), inView.current[1]];
    let begin = 0;
    return parts.findIndex((part) => {
      const end = begin + part.rows.length, isSeen = begin <= until && end >= from;
      begin = end;
      return part.isOld && isSeen;
    });
  };

  // What fits better than what is here stays until it comes: a list that blinks cannot be read.
  const ask = useCallback(async (cursor: string, limit: number, take: (page: Page, isOld: boolean) => Partial<State>) => {
    const mine = turn.current, told = news.current;
    busy.current = true;
    change({loading: true});
    try {
      const page = await api.beaconList({...query, limit, ...(cursor ? {cursor} : {})});
      if (mine !== turn.current) return;
      change({key, loading: false, error: null, total: page.total, ...take(page, told !== news.current)});
    } catch (problem) {
      if (mine !== turn.current) return;
      const error = api.asApiError(problem);
      change({...(now.current.key === key ? {} : {parts: [], next: null}), key, loading: false, error});
      held.current = true;  // until there are news, or the reader wishes
    }
    busy.current = false;
    if (wanted.current && now.current.error === null) more();
  }, [key]);
  const more = useCallback(() => {
    const {next} = now.current;
    wanted.current = busy.current;
    if (busy.current || next === null || now.current.key !== key) return;
    void ask(next, kPage, (page, isOld) => {
      const {parts} = now.current;
      const known = new Set(parts.flatMap((part) => part.rows.map((one) => one.identity)));
      return {next: page.next_cursor,
        parts: [...parts, {from: next, rows: page.beacons.filter((one) => !known.has(one.identity)), isOld}]};
    });
  }, [key]);
  const renew = useCallback(() => {
    if (busy.current) return;
    if (now.current.key !== key || now.current.parts.length === 0) return first();
    const place = oldInView();
    const part = now.current.parts[place];
    if (!part) return;
    void ask(part.from, Math.max(kFirstPage, part.rows.length), (page, isOld) => {
      const isLast = place === now.current.parts.length - 1;
      return {parts: renewed(now.current.parts, place, page, isOld), ...(isLast || page.next_cursor === null ? {next: page.next_cursor} : {})};
    });
  }, [key]);
  const first = useCallback(() => void ask('', kFirstPage, (page, isOld) =>
    ({next: page.next_cursor, parts: [{from: '', rows: page.beacons, isOld}]})), [key]);

  useEffect(() => {
    wanted.current = held.current = false;
    first();
    const age = () => {
      held.current = false;
      news.current++;
      change({parts: now.current.parts.map((part) => ({...part, isOld: true}))});
    };
    const ends = [listen('back', age), listen('beacon', age)];
    const looks = window.setInterval(() => held.current || renew(), kPause);
    return () => {
      window.clearInterval(looks);
      ends.forEach((end) => end());
      turn.current++;
      busy.current = false;
    };
  }, [key]);

  const beacons = useMemo(() => state.parts.flatMap((part) => part.rows), [state.parts]);
  const {total, loading, error} = state;
  return {beacons, total, loading, error, more, again: () => (now.current.parts.length === 0 || oldInView() >= 0 ? renew() : more()),
    view: (begin, end) => {
      inView.current = [begin, end];
    }};
}
