// Readings for as long as a view shows them.
import {useEffect, useMemo, useReducer, useRef} from 'preact/hooks';

import {Readings, type Read} from './readings';
import {listen, type Topic} from './store';

// `key`: what is asked; another key forgets what was read. Topics: what makes it ask again, at most once in
// `pause` milliseconds, where what came `concerns` the view.
export function useReadings<S>(key: string, empty: S, read: Read<S>, topics: readonly Topic[], pause: number,
  concerns: (news: unknown) => boolean = () => true): Readings<S> {
  const [, redraw] = useReducer<number, void>((n) => n + 1, 0);
  const given = useRef({read, concerns});
  given.current = {read, concerns};
  const readings = useMemo(() => new Readings<S>(empty, (of) => given.current.read(of), redraw, pause), [key]);
  useEffect(() => {
    const soon = (news: unknown) => given.current.concerns(news) && readings.news();
    const ends = [listen('back', readings.load), ...topics.map((topic) => listen(topic, soon)), readings.end];
    readings.load();
    return () => ends.forEach((end) => end());
  }, [readings]);
  return readings;
}
