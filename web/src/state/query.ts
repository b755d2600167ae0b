// A view's data: asked for when it is shown, again when the server tells of a change or is back.
import {useCallback, useEffect, useRef, useState} from 'preact/hooks';

import {asApiError, type ApiError} from '../api/client';
import {listen, type Topic} from './store';

export interface Loaded<D> {
  data: D | null;
  error: ApiError | null;  // of the last try; data is then what came before
  loading: boolean;
  at: number | null;  // when data came
  reload: () => void;
  change: (edit: (data: D) => D) => void;  // what is known before the server says it
}

// `key`: what is asked; another key forgets the answer. Topics: what makes it ask again, at most
// once in `pause` milliseconds, where what came `concerns` the view.
export function useQuery<D>(key: string, ask: () => Promise<D>, topics: readonly Topic[] = [], pause = 1000,
  concerns: (news: unknown) => boolean = () => true): Loaded<D> {
  const [answer, setAnswer] = useState<{key: string; data: D | null; error: ApiError | null; loading: boolean;
    at: number | null}>({key, data: null, error: null, loading: true, at: null});
  const turn = useRef(0), busy = useRef(false), dirty = useRef(false);
  const asked = useRef(ask);
  asked.current = ask;
  const concerned = useRef(concerns);
  concerned.current = concerns;

  // One at a time, and again where something changed meanwhile: to begin anew each time would never end
  // where news come faster than answers.
  const load = useCallback(() => {
    if (busy.current) {
      dirty.current = true;
      return;
    }
    const mine = turn.current;
    busy.current = true;
    dirty.current = false;
    const ended = () => {
      busy.current = false;
      if (dirty.current) load();
    };
    setAnswer((old) => (old.key === key ? {...old, loading: true}
                                        : {key, data: null, error: null, loading: true, at: null}));
    asked.current().then(
      (data) => {
        if (mine !== turn.current) return;
        setAnswer({key, data, error: null, loading: false, at: Date.now()});
        ended();
      },
      (error: unknown) => {
        if (mine !== turn.current) return;
        setAnswer((old) => ({...old, error: asApiError(error), loading: false}));
        ended();
      });
  }, [key]);

  useEffect(() => {
    load();
    let waiting: number | undefined;
    const soon = (news: unknown) => {
      if (waiting !== undefined || !concerned.current(news)) return;
      waiting = window.setTimeout(() => {
        waiting = undefined;
        load();
      }, pause);
    };
    const ends = [listen('back', load), ...topics.map((topic) => listen(topic, soon))];
    return () => {
      window.clearTimeout(waiting);
      ends.forEach((end) => end());
      turn.current++;
      busy.current = dirty.current = false;
    };
  }, [load]);

  const change = useCallback((edit: (data: D) => D) => {
    setAnswer((old) => (old.data === null ? old : {...old, data: edit(old.data)}));
  }, []);
  const mine = answer.key === key;
  return {
    data: mine ? answer.data : null, error: mine ? answer.error : null,
    loading: mine ? answer.loading : true, at: mine ? answer.at : null, reload: load, change,
  };
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
