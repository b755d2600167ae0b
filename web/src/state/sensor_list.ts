// The fleet's sensors: the first page at once, the rest behind it; states as the stream tells them.
import * as api from '../api/client';
import type {FleetNews, Sensor} from '../api/types';
import {useReadings} from './use_readings';

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
  const empty: Pick<SensorList, 'sensors' | 'total' | 'at'> = {sensors: null, total: 0, at: null};
  const {state, load} = useReadings(JSON.stringify(query), empty, async (by) => {
    // The first page is drawn while the rest is read; later readings replace all at once.
    const isFirst = by.state.sensors === null && by.state.error === null;
    let sensors: Sensor[] = [];
    let cursor: string | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof api.sensors>> = await api.sensors({...query,
        limit: isFirst && cursor === null ? kFirstPage : kPage, ...(cursor ? {cursor} : {})});
      sensors = sensors.concat(page.sensors);
      cursor = page.next_cursor;
      const known = {sensors, total: page.total, at: Date.now()};
      if (cursor === null || by.isOver) return known;
      if (isFirst) by.change(known);
    }
  }, ['fleet'], kPause, (news) => (news as FleetNews).what !== 'ask');
  return {...state, reload: load};
}
