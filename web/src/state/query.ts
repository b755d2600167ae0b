// A view's data: asked for when it is shown, again when the server tells of a change or is back.
import {useState} from 'preact/hooks';

import {asApiError, type ApiError} from '../api/client';
import type {Topic} from './store';
import {useReadings} from './use_readings';

export interface Loaded<D> {
  data: D | null;
  error: ApiError | null;  // of the last try; data is then what came before
  loading: boolean;
  at: number | null;  // when data came
  reload: () => void;
}

// As useReadings: `ask` gives all of it.
export function useQuery<D>(key: string, ask: () => Promise<D>, topics: readonly Topic[] = [], pause = 1000,
  concerns?: (news: unknown) => boolean): Loaded<D> {
  const {state, load} = useReadings<{data: D | null; at: number | null}>(key, {data: null, at: null},
    async () => ({data: await ask(), at: Date.now()}), topics, pause, concerns);
  return {...state, reload: load};
}

// A thing that a person orders: one at a time, and its words if it fails.
export function useAction<A extends unknown[]>(act: (...given: A) => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = async (...given: A): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setError(null);
    try {
      await act(...given);
      return true;
    } catch (problem) {
      setError(asApiError(problem));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return {run, busy, error, clear: () => setError(null)};
}
