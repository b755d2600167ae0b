// An instrument in four clicks: which image, on which sensors, with what, go. Where one is stands in the
// address, so the way back is the browser's.
import {useMemo, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Contract, FleetDocument, ImageView, Json, WishedInterface} from '../api/types';
import {Badge, Empty, Failed, Problem, Section, Show, Title} from '../components/basics';
import {DiffLines} from '../components/diff';
import {FleetTabs} from '../components/fleet_bits';
import {SchemaForm} from '../components/schema_form';
import {Words} from '../components/words';
import {bytes, plural} from '../format';
import {isObject, same, type JsonObject} from '../json_diff';
import {problemsOf, type Schema} from '../schema_fields';
import {useAction, useQuery} from '../state/query';
import {go, setQuery, to, usePlace} from '../state/router';
import {useSensors} from '../state/sensor_list';
import {useMay} from '../state/store';
import {concernsDocuments, labelWords, targetWords} from './fleet_words';

function Steps({at}: {at: number}) {
  return (
    <ol class="stages" aria-label="Steps">
      {['Image', 'Sensors', 'Interfaces and configuration', 'Go'].map((words, place) => (
        <li key={words} aria-current={place === at ? 'step' : undefined} class={place < at ? 'past' : ''}>{place + 1}. {words}</li>
      ))}
    </ol>
  );
}

const step = (change: Record<string, string>) => {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(change)) query.set(name, value);
  go(`${location.pathname}?${query.toString()}`);
};

function ChooseImage() {
  const images = useQuery('images', api.images, ['fleet'], 1000, concernsDocuments);
  return (
    <Show of={images} what="images">
      {(data) => {
        const whole = data.images.filter((one) => one.complete);
        return whole.length === 0 ? <Empty title="There is no image to install"><a href={to('fleet', 'images')}>Upload one</a> first.</Empty> : (
          <ul class="choices" aria-label="Images">{whole.map((one) => (
            <li key={one.sha256}><button type="button" class="choice" onClick={() => step({image: one.sha256})}>
              <strong>{one.name} {one.version}</strong> <span class="quiet">{bytes(one.bytes)}, signed by {one.signer || 'unknown'}
                {one.used_by > 0 && `, used by ${plural(one.used_by, 'instrument')}`}</span></button></li>
          ))}</ul>
        );
      }}
    </Show>
  );
}

function ChooseTarget() {
  const {query} = usePlace();
  const groups = useQuery('groups', api.groups, ['fleet'], 1000, concernsDocuments);
  const list = useSensors({text: query.get('text') ?? ''});
  const [chosen, setChosen] = useState(new Set<string>());
  const toggle = (name: string) => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  };
  return (
    <>
      <Show of={groups} what="groups">
        {(data) => (
          <ul class="choices" aria-label="Groups">
            {data.groups.map((one) => (
              <li key={one.name}><button type="button" class="choice" onClick={() => step({target: `group:${one.name}`})}>
                <strong>group {one.name}</strong> <span class="quiet">{plural(one.sensors, 'sensor')}, {one.selector}</span></button></li>
            ))}
            <li><button type="button" class="choice" onClick={() => step({target: 'fleet'})}><strong>the whole fleet</strong>{' '}
              <span class="quiet">also sensors that join later</span></button></li>
          </ul>
        )}
      </Show>
      <Section title="Or single sensors" aside={<Words name="text" label="Search" example="name, label" />}>
        {list.error && <Problem error={list.error} />}
        <ul class="picks">{(list.sensors ?? []).slice(0, 200).map((one) => (
          <li key={one.fingerprint}><label><input type="checkbox" checked={chosen.has(one.name)} onChange={() => toggle(one.name)} />{' '}
            {one.name} <span class="quiet">{labelWords(one.labels)}</span></label></li>
        ))}</ul>
        {(list.sensors?.length ?? 0) > 200 && <p class="quiet">The first 200 are shown: search for others.</p>}
        <div class="buttons"><button type="button" class="primary" disabled={chosen.size === 0}
          onClick={() => step({target: [...chosen].map((name) => `sensor:${name}`).join(' ')})}>
          Take {plural(chosen.size, 'sensor')}</button></div>
      </Section>
    </>
  );
}

// What an interface of this contract is mostly made of.
const kindFor = (contract: string | undefined) => (contract === 'rx' ? 'mirror' : 'bridge');

function Interface({one, contract, change}: {one: WishedInterface; contract: Contract | undefined;
  change: (next: WishedInterface) => void}) {
  return (
    <fieldset class="part across">
      <legend>{one.name} <span class="quiet">{contract?.contract}{contract?.words && `: ${contract.words}`}</span></legend>
      <label>Kind <select value={one.kind} onChange={(event) => change({...one, kind: event.currentTarget.value})}>
        {['mirror', 'bridge', 'macvlan', 'physical'].map((kind) => <option key={kind} value={kind}>{kind}</option>)}</select></label>
      <label>Interface of the sensor {contract?.optional && '(empty: none)'} <input required={!contract?.optional} list="parents" value={one.parent} spellcheck={false}
        onInput={(event) => change({...one, parent: event.currentTarget.value})} /></label>
      <label>Address <input required value={one.address} spellcheck={false} placeholder="none, dhcp or 10.0.0.5/24"
        onInput={(event) => change({...one, address: event.currentTarget.value})} /></label>
    </fieldset>
  );
}

interface Made {
  name: string;
  had: {interfaces: WishedInterface[]; config: JsonObject} | null;  // of one that is there
  interfaces: WishedInterface[];
  config: JsonObject;
}

// An instance's name that no layer uses yet: beacon_0, beacon_1 …
function freeName(image: ImageView, used: Set<string>): string {
  const base = image.name.replace(/-/g, '_');
  for (let n = 0; ; n++) if (!used.has(`${base}_${n}`)) return `${base}_${n}`;
}

// `instrument`: one that is there and gets this image, with what it has; else a new one.
function Settings({image, documents, instrument, made, set, next}: {image: ImageView; documents: FleetDocument[];
  instrument: string; made: Made | null;
  set: (made: Made) => void; next: () => void}) {
  const all = documents.flatMap((one) => Object.entries(one.instances ?? {}));
  // What other instruments of these sensors are on is the likeliest answer.
  const wished = all.flatMap(([, wish]) => wish?.interfaces ?? []);
  const parents = [...new Set(wished.map((one) => one.parent ?? '').filter(Boolean))];
  const defaults = isObject(image.defaults) ? image.defaults : {};
  // Of the sensor's whole document, which comes last: what all layers say.
  const there = instrument ? all.filter(([name]) => name === instrument).pop()?.[1] : undefined;
  const fresh = {
    name: instrument || freeName(image, new Set(all.map(([name]) => name))),
    config: isObject(there?.config) ? there.config : instrument ? {} : defaults,
    interfaces: (image.interfaces ?? []).map((one) => {
      const kind = kindFor(one.contract);
      const like = (there?.interfaces ?? wished).find((two) => two.name === one.name) ?? wished.find((two) => two.kind === kind);
      return {name: one.name, kind: like?.kind ?? kind, parent: like?.parent ?? '', address: like?.name === one.name ? like.address ?? 'none' : 'none'};
    }),
  };
  const current: Made = made ?? {...fresh, had: there ? {interfaces: fresh.interfaces, config: fresh.config} : null};
  const [unread, setUnread] = useState(new Map<string, string>());
  const schema = (image.schema ?? null) as Schema | null;
  const problems = useMemo(() => {
    const found = schema ? problemsOf(schema, current.config) : new Map<string, string>();
    unread.forEach((words, at) => found.set(at, words));
    return found;
  }, [schema, JSON.stringify(current.config), unread]);
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      if (problems.size > 0) return;
      set(current);
      next();
    }}>
      <label>Name of the instrument <input required pattern="[a-z][a-z0-9_]*" maxLength={40} value={current.name}
        onInput={(event) => set({...current, name: event.currentTarget.value})} /></label>
      <datalist id="parents">{parents.map((name) => <option key={name} value={name} />)}</datalist>
      {current.interfaces.length > 0 && <Section title="Interfaces">
        {current.interfaces.map((one, place) => <Interface key={one.name} one={one}
          contract={image.interfaces?.[place]}
          change={(changed) => set({...current, interfaces: current.interfaces.map((old, i) => (i === place ? changed : old))})} />)}
      </Section>}
      <Section title="Configuration">
        <SchemaForm schema={schema} value={current.config} problems={problems} readOnly={false}
          set={(config) => set({...current, config})} unread={(at, words) => {
            const changed = new Map(unread);
            if (words === null) changed.delete(at);
            else changed.set(at, words);
            if (changed.size > 0 || unread.size > 0) setUnread(changed);
          }} />
      </Section>
      <div class="buttons"><button class="primary" disabled={problems.size > 0}>Next</button>
        {problems.size > 0 && <span class="problem" role="status">{plural(problems.size, 'value')} cannot be taken</span>}</div>
    </form>
  );
}

const kTried = 5;  // targets whose changes are shown

function Launch({image, targets, made, sensors}: {image: ImageView; targets: string[]; made: Made; sensors: number}) {
  const [canary, setCanary] = useState('1');
  const [parallel, setParallel] = useState(String(Math.max(1, Math.min(10, Math.ceil(sensors / 10)))));
  const [failures, setFailures] = useState('0');
  const [healthy, setHealthy] = useState('60');
  const [deadline, setDeadline] = useState('600');
  const [revert, setRevert] = useState(true);
  // Of one that is there only what is changed here: the rest may be another layer's to say.
  const {had} = made;
  const patch = {instances: {[made.name]: {image: image.sha256, ...(had ? {} : {running: true}),
    ...(had && same(had.interfaces as unknown as Json, made.interfaces as unknown as Json) ? {} : {interfaces: made.interfaces.filter((one) => one.parent)}),
    ...(had && same(had.config, made.config) ? {} : {config: made.config})}}} as FleetDocument;
  const trial = useQuery('trial ' + JSON.stringify([targets, patch]), () => Promise.all(targets.slice(0, kTried).map((target) =>
    api.startRollout({target, patch, dry_run: true}))));
  // Where one of several failed, what began goes on, and another try begins the others.
  const [begun, setBegun] = useState(new Map<string, number>());
  const begin = useAction(async () => {
    const all = new Map(begun);
    try {
      for (const target of targets) {
        if (all.has(target)) continue;
        const rollout = await api.startRollout({target, patch, canary: Number(canary), max_parallel: Number(parallel),
          max_failures: Number(failures), min_healthy_time: Number(healthy), healthy_deadline: Number(deadline), auto_revert: revert});
        all.set(target, rollout.id);
      }
    } finally {
      setBegun(all);
    }
    go(targets.length === 1 ? to('fleet', 'rollouts', String(all.get(targets[0]!))) : to('fleet', 'rollouts'));
  });
  const number = (label: string, value: string, set: (text: string) => void, least = 0) => (
    <label>{label} <input type="number" required min={least} step={1} value={value} onInput={(event) => set(event.currentTarget.value)} /></label>);
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void begin.run();
    }}>
      <Section title={`Install ${made.name} on ${targets.length === 1 ? targetWords(targets[0]!) : plural(targets.length, 'sensor')}`}>
        {(image.permissions ?? []).length > 0 && <><p>It may:</p><ul class="bullets">{image.permissions!.map((words) => <li key={words}>{words}</li>)}</ul></>}
        <Show of={trial} what="what changes">{(tried) => (
          <>
            {tried.some((one) => one.widened.length > 0) && <><p>It may do more than before, which waits for approval:</p>
              <ul class="bullets" aria-label="Widened permissions">{[...new Set(tried.flatMap((one) => one.widened))].map((words) =>
                <li key={words}><ins>{words}</ins></li>)}</ul></>}
            {tried.map((one) => <div key={one.target}><h3>In the document of {targetWords(one.target)}</h3>
              {one.changes.length > 0 ? <DiffLines lines={one.changes} /> : <p class="quiet">Nothing changes.</p>}</div>)}
            {targets.length > kTried && <p class="quiet">and so for the {targets.length - kTried} others</p>}
          </>
        )}</Show>
      </Section>
      {targets.length === 1 && !targets[0]!.startsWith('sensor:') && (
        <Section title="How carefully">
          <fieldset class="part across"><legend class="hidden">How carefully</legend>
            {number('Sensors that try it first', canary, setCanary)}{number('Then at once', parallel, setParallel, 1)}
            {number('Failures that are borne', failures, setFailures)}{number('Healthy for so many seconds', healthy, setHealthy)}
            {number('Failed after so many seconds', deadline, setDeadline, 1)}
            <label><input type="checkbox" checked={revert} onChange={(event) => setRevert(event.currentTarget.checked)} /> goes back by itself</label>
          </fieldset>
        </Section>
      )}
      <div class="buttons"><button class="primary" disabled={begin.busy}>Install it <Badge tone="quiet">{plural(sensors, 'sensor')}</Badge></button></div>
      {begun.size > 0 && <p role="status">Begun for {[...begun.keys()].map(targetWords).join(', ')}.</p>}
      <Problem error={begin.error} />
    </form>
  );
}

export function FleetInstall() {
  const {query} = usePlace();
  const allowed = useMay('operator');
  const sha256 = query.get('image') ?? '', target = query.get('target') ?? '';
  const targets = useMemo(() => target.split(' ').filter(Boolean), [target]);
  // What was set belongs to what it was set for: the browser's way back may lead to another image.
  const wanted = query.get('instrument') ?? '';
  const subject = `${sha256}|${target}|${wanted}`;
  const [kept, setKept] = useState<{subject: string; made: Made} | null>(null);
  const made = kept?.subject === subject ? kept.made : null;
  const at = !sha256 ? 0 : targets.length === 0 ? 1 : query.get('step') === 'go' && made ? 3 : 2;
  const image = useQuery('image ' + sha256, () => (sha256 ? api.image(sha256) : Promise.resolve(null)));
  const wished = useQuery('install on ' + target, () => Promise.all(targets.slice(0, 20).map((one) => api.desired(one))));
  const others = useQuery('documents of ' + target, async () => {
    // What one of the sensors has in all, also of other layers.
    const desired = targets.length > 0 ? await api.desired(targets[0]!) : null;
    const first = targets[0]?.startsWith('sensor:') ? targets[0].slice(7) : desired?.sensors[0];
    return first ? (await api.sensor(first)).desired : {};
  });
  const documents = [...(wished.data ?? []).map((one) => one.document), ...(others.data ? [others.data] : [])];
  const sensors = targets.every((one) => one.startsWith('sensor:')) ? targets.length : wished.data?.[0]?.sensors.length ?? 0;
  return (
    <>
      <p class="crumbs"><a href={to('fleet')}>Fleet</a></p>
      <Title>Install an instrument</Title>
      <FleetTabs at="install" />
      {!allowed ? <Failed error={new api.ApiError(403, 'Installing needs the role operator.')} /> : (
        <>
          <Steps at={at} />
          {at === 0 && <ChooseImage />}
          {at === 1 && <ChooseTarget />}
          {at >= 2 && <Show of={image} what="the image">{(data) => (data === null ? null : (
            <Show of={wished} what="what is there">{() => (
              <Show of={others} what="what is there">{() => (at === 2
                ? <Settings key={subject} image={data} documents={documents} instrument={wanted} made={made}
                    set={(next) => setKept({subject, made: next})} next={() => step({step: 'go'})} />
                : <Launch key={subject} image={data} targets={targets} made={made!} sensors={sensors} />)}</Show>
            )}</Show>
          ))}</Show>}
          {at > 0 && <p><button type="button" class="small" onClick={() => {
            setKept(null);
            setQuery({image: null, target: null, step: null, text: null});
          }}>Begin anew</button></p>}
        </>
      )}
    </>
  );
}
