// Small things that every page is made of.
import type {ComponentChildren} from 'preact';
import {useEffect, useState} from 'preact/hooks';

import type {ApiError} from '../api/client';
import type {Severity} from '../api/types';
import {ago, local, utc, whole} from '../format';

export type Tone = 'critical' | 'high' | 'medium' | 'low' | 'good' | 'quiet';

export function Badge({tone, children, title}: {tone: Tone; children: ComponentChildren; title?: string}) {
  return <span class={`badge ${tone}`} title={title}>{children}</span>;
}
const kTones: Record<Severity, Tone> = {CRITICAL: 'critical', HIGH: 'high', MEDIUM: 'medium', LOW: 'low'};
export const SeverityBadge = ({severity}: {severity: Severity}) =>
  <Badge tone={kTones[severity] ?? 'quiet'}>{severity.toLowerCase()}</Badge>;

// The minute, for everything that says how long ago something was.
let minute = Date.now();
const minuteWatchers = new Set<(now: number) => void>();
window.setInterval(() => {
  minute = Date.now();
  minuteWatchers.forEach((tell) => tell(minute));
}, 20_000);
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    minuteWatchers.add(setNow);
    return () => void minuteWatchers.delete(setNow);
  }, []);
  return now;
}

// In the reader's zone, UTC on hover and, among facts, beside it; `short`: how long ago.
export function Time({at, short}: {at: string | null | undefined; short?: boolean}) {
  const now = useNow();
  if (!at) return <span class="quiet">never</span>;
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return <span>{at}</span>;
  const both = `${local(time)} · ${utc(time)}`;
  return <time dateTime={at} title={both}>{short ? ago(time, now) : <>{local(time)}<span class="utc"> {utc(time)}</span></>}</time>;
}

export function Loading({what}: {what: string}) {
  return (
    <div class="state" role="status">
      <span class="bar" aria-hidden="true" />
      <p>Reading {what} …</p>
    </div>
  );
}
export function Empty({title, children}: {title: string; children?: ComponentChildren}) {
  return (
    <div class="state">
      <p class="big">{title}</p>
      {children && <div class="quiet">{children}</div>}
    </div>
  );
}
export function Failed({error, retry}: {error: ApiError; retry?: () => void}) {
  return (
    <div class="state failed" role="alert">
      <p class="big">{error.status === 403 ? 'You may not see this' : 'This could not be read'}</p>
      {error.all.map((words) => <p key={words}>{words}</p>)}
      {retry && <button type="button" onClick={retry}>Try again</button>}
    </div>
  );
}
// An order that failed: beside what ordered it.
export function Problem({error}: {error: ApiError | null}) {
  if (!error) return null;
  return <div class="problem" role="alert">{error.all.map((words) => <p key={words}>{words}</p>)}</div>;
}

// Above a list that goes on to show what came before.
export function ListProblem({error, retry}: {error: ApiError | null; retry: () => void}) {
  if (!error) return null;
  return (
    <div class="stale" role="alert"><span>The list could not be read on: {error.message}</span>
      <button type="button" class="small" onClick={retry}>Try again</button></div>
  );
}

// A link to one row of a list that has it no more, or does not reach it.
export function NotHere({of, found, list}: {of: string | null; found: unknown;
  list: {rows: unknown[]; loading: boolean; complete: boolean}}) {
  if (!of || found || list.loading || (!list.complete && list.rows.length === 0)) return null;
  return <p class="hint" role="status">{list.complete ? 'What the link names is not in this list, or is kept no more.'
    : `What the link names is not among the newest ${whole(list.rows.length)}: scroll on, or set a filter.`}</p>;
}

// Loading, failed or empty, or what came. What is there stays while it is asked for again.
export function Show<D>({of, what, children}: {
  of: {data: D | null; error: ApiError | null; loading: boolean; at: number | null; reload: () => void};
  what: string;
  children: (data: D) => ComponentChildren;
}) {
  if (of.data !== null) {
    // An answer that fails is said here; that none comes at all, the frame says.
    return <>{of.error && of.error.status !== 0 && <div class="stale" role="alert">
      <span>What you see was read <Time at={of.at === null ? null : new Date(of.at).toISOString()} />; reading it again
        failed: {of.error.message}</span>
      <button type="button" class="small" onClick={of.reload}>Try again</button></div>}{children(of.data)}</>;
  }
  if (of.error) return <Failed error={of.error} retry={of.reload} />;
  return <Loading what={what} />;
}

export function Copy({text, label}: {text: string; label: string}) {
  const [done, setDone] = useState<boolean | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
    } catch {
      setDone(false);  // over plain http a browser gives no clipboard; the text can be selected
    }
    window.setTimeout(() => setDone(null), 1500);
  };
  return (
    <div class="copy">
      <span class="quiet">{label}</span>
      <code>{text}</code>
      <button type="button" class="small" onClick={copy} aria-label={`Copy ${label}`}>
        <span aria-live="polite">{done === null ? 'Copy' : done ? 'Copied' : 'Select it'}</span>
      </button>
    </div>
  );
}

export function Fact({name, children}: {name: string; children: ComponentChildren}) {
  return <div class="fact"><dt>{name}</dt><dd>{children}</dd></div>;
}

export function Section({title, children, aside}: {title: string; children: ComponentChildren;
  aside?: ComponentChildren}) {
  return (
    <section class="card">
      <header><h2>{title}</h2>{aside}</header>
      {children}
    </section>
  );
}

export function Title({children, aside}: {children: string; aside?: ComponentChildren}) {
  useEffect(() => {
    document.title = `${children} · Beaconry`;
  }, [children]);
  return <div class="title"><h1>{children}</h1>{aside}</div>;
}
