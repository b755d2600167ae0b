// What several pages of the fleet are made of.
import type {ComponentChildren} from 'preact';
import {useLayoutEffect, useRef, useState} from 'preact/hooks';

import type {Effect, ReportedStorage, SensorState} from '../api/types';
import {bytes, length} from '../format';
import {instanceTone, phaseTone, stateTone} from '../pages/fleet_words';
import {useAction} from '../state/query';
import {to} from '../state/router';
import {Badge, Problem} from './basics';

const kTabs: [string, string][] = [
  ['', 'Sensors'], ['rollouts', 'Rollouts'], ['groups', 'Groups'], ['images', 'Images'], ['install', 'Install'],
];
export function FleetTabs({at}: {at: string}) {
  return (
    <nav class="views" aria-label="Fleet">
      {kTabs.map(([key, title]) => (
        <a key={key} class={`chip${key === at ? ' on' : ''}`} href={key ? to('fleet', key) : to('fleet')}
          aria-current={key === at ? 'page' : undefined}>{title}</a>
      ))}
    </nav>
  );
}

export const SensorBadge = ({state, late, title}: {state: SensorState | string; late?: boolean; title?: string}) =>
  <Badge tone={stateTone(state)} {...(title ? {title} : {})}>{state.toLowerCase()}{late && ', late'}</Badge>;
export const InstanceBadge = ({state}: {state: string | undefined}) =>
  <Badge tone={instanceTone(state ?? '')}>{state ?? 'not reported'}</Badge>;
export const PhaseBadge = ({phase}: {phase: string}) =>
  <Badge tone={phaseTone(phase)}>{phase === 'approval' ? 'waits for approval' : phase}</Badge>;

// Instruments that a change takes from sensors.
const kNamed = 12;
export function Lost({lost}: {lost: string[]}) {
  if (lost.length === 0) return null;
  return (
    <p class="problem" role="alert">With their data go: {lost.slice(0, kNamed).join(', ')}
      {lost.length > kNamed && `, and ${lost.length - kNamed} more`}.</p>
  );
}

// Saves a form, and says so where that takes instruments away.
export const SaveButton = ({lost, label, busy}: {lost: string[]; label: string; busy: boolean}) =>
  <button class={lost.length > 0 ? 'danger' : 'primary'} disabled={busy}>{lost.length > 0 ? 'Save, and let them go' : label}</button>;

// An order that takes something away: asked for twice. `trial` tells what else goes with it.
export function Sure({label, sure, run, trial, small, name}: {label: string; sure: string; run: () => Promise<unknown>;
  trial?: () => Promise<Effect>; small?: boolean; name?: string}) {
  const [asked, setAsked] = useState(false);
  const [lost, setLost] = useState<string[]>([]);
  const ask = useAction(async () => {
    if (trial) setLost((await trial()).lost);
    setAsked(true);
  });
  const act = useAction(async () => {
    await run();
    setAsked(false);
  });
  // The focus follows from one button to the other: it would be lost with the one that goes, and at once,
  // since whoever answers by the keyboard may be as quick as the picture.
  const first = useRef<HTMLButtonElement>(null);
  const began = useRef(false);
  useLayoutEffect(() => {
    if (began.current) first.current?.focus();
    began.current = true;
  }, [asked]);
  const size = small ? ' small' : '';
  return (
    <>
      {asked
        ? <>
            <Lost lost={lost} />
            <button type="button" class={`danger${size}`} disabled={act.busy} ref={first}
              onClick={() => void act.run()}>{sure}</button>
            <button type="button" class={size} onClick={() => {
              setAsked(false);
              act.clear();
            }}>Leave it</button>
          </>
        : <button type="button" class={size} aria-label={name} ref={first} disabled={ask.busy}
            onClick={() => void ask.run()}>{label}</button>}
      <Problem error={ask.error ?? act.error} />
    </>
  );
}

// An order that takes nothing away.
export function Order({children, run, primary, small, name}: {children: ComponentChildren; run: () => Promise<unknown>;
  primary?: boolean; small?: boolean; name?: string}) {
  const act = useAction(run);
  return (
    <>
      <button type="button" class={`${primary ? 'primary' : ''}${small ? ' small' : ''}`} disabled={act.busy}
        aria-label={name} onClick={() => void act.run()}>{children}</button>
      <Problem error={act.error} />
    </>
  );
}

export function Storage({of, name}: {of: ReportedStorage | undefined; name: string}) {
  if (!of || !of.quota) return <span class="quiet">{of?.used ? bytes(of.used) : 'none'}</span>;
  return (
    <>
      <meter min={0} max={of.quota} value={of.used} aria-label={`${name} in use`} /> {bytes(of.used)} of {bytes(of.quota)}
      {of.days_to_full !== null && of.days_to_full !== undefined &&
        <span class={of.days_to_full < 7 ? 'warn' : 'quiet'}> full in {length(of.days_to_full * 86400)}</span>}
    </>
  );
}

// A table that is short: a few dozen rows at most.
export function ShortTable({label, heads, children}: {label: string; heads: string[]; children: ComponentChildren}) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="plain-table">
        <thead><tr>{heads.map((head) => <th scope="col" key={head}>{head}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
