// Where we are is the address and nothing else: every view can be sent as a link.
import {useEffect, useState} from 'preact/hooks';

const kBase = '/ui';

export interface Place {
  parts: string[];  // decoded: ["beacons", "10.0.0.5->…"]
  query: URLSearchParams;
}

function read(): Place {
  const path = location.pathname.startsWith(kBase) ? location.pathname.slice(kBase.length) : '';
  const parts = path.split('/').filter(Boolean).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return {parts, query: new URLSearchParams(location.search)};
}

const watchers = new Set<() => void>();
const tell = () => watchers.forEach((watcher) => watcher());
window.addEventListener('popstate', tell);

export function usePlace(): Place {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const watcher = () => setPlace(read());
    watchers.add(watcher);
    watcher();
    return () => void watchers.delete(watcher);
  }, []);
  return place;
}

// to('beacons', identity) -> /ui/beacons/10.0.0.5-%3E…
export function to(...parts: string[]): string {
  return kBase + '/' + parts.map(encodeURIComponent).join('/');
}
export function withQuery(address: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${address}?${text}` : address;
}

export function go(address: string, how: 'push' | 'replace' = 'push') {
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  tell();
  if (how === 'push') {
    window.scrollTo(0, 0);
    // A screen reader and the keyboard go on from the new view's beginning.
    requestAnimationFrame(() => document.getElementById('main')?.focus({preventScroll: true}));
  }
}

// The query's parameters changed, in place: filters are no steps to go back through.
export function setQuery(change: Record<string, string | null>) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  go(location.pathname + (text ? '?' + text : ''), 'replace');
}

// Plain clicks on our own links change the view; with a key held they are the browser's.
export function followLinks(event: MouseEvent) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey ||
      event.altKey) return;
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!link.pathname.startsWith(kBase + '/') || link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
