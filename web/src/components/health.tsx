// A tree of health: a whole is as bad as its worst part, and what is bad says why and what helps.
import type {Health} from '../api/types';
import {Badge, Time, type Tone} from './basics';

const kTones: Record<string, Tone> = {healthy: 'good', degraded: 'medium', failed: 'critical', unknown: 'quiet'};
export const isBad = (health: Health | undefined): boolean => health?.state === 'degraded' || health?.state === 'failed';

const kDeepest = 32;

function Part({health, depth}: {health: Health; depth: number}) {
  const parts = health.parts ?? [];
  const state = health.state ?? 'unknown';
  const head = (
    <>
      <Badge tone={kTones[state] ?? 'quiet'}>{state}</Badge> <strong>{health.name || 'all of it'}</strong>
      {health.cause && <> {health.cause}</>}
      {health.since && isBad(health) && <span class="quiet"> <Time at={health.since} short /></span>}
    </>
  );
  const words = (
    <>
      {health.evidence && <p class="quiet">{health.evidence}</p>}
      {health.fix && <p class="fix">{health.fix}</p>}
    </>
  );
  if (parts.length === 0 || depth >= kDeepest) return <li><div>{head}</div>{words}</li>;
  return (
    <li>
      <details open={isBad(health) || depth === 0}>
        <summary>{head}</summary>
        {words}
        <ul class="tree">{parts.map((part, place) =>
          <Part key={`${part.name ?? ''} ${place}`} health={part} depth={depth + 1} />)}</ul>
      </details>
    </li>
  );
}

export function HealthTree({health, label}: {health: Health | undefined; label: string}) {
  if (!health || (!health.state && !health.parts?.length)) return <p class="quiet">It has said nothing of its health.</p>;
  return <ul class="tree" aria-label={label}><Part health={health} depth={0} /></ul>;
}
