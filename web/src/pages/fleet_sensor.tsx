// One sensor: how it is and why, what runs on it, what it shall be and where that is said.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Enrolment, Json, SensorView} from '../api/types';
import {Badge, Copy, Fact, Problem, Section, Show, Time, Title} from '../components/basics';
import {DiffLines} from '../components/diff';
import {Dialog} from '../components/dialog';
import {FleetTabs, InstanceBadge, Lost, Order, SaveButton, SensorBadge, ShortTable, Storage, Sure} from '../components/fleet_bits';
import {HealthTree} from '../components/health';
import {bytes, length, plural} from '../format';
import {pointedAt} from '../json_diff';
import {isPlain} from '../schema_fields';
import {useAction, useQuery} from '../state/query';
import {go, to, withQuery} from '../state/router';
import {useMay} from '../state/store';
import {EventsOf} from './events_of';
import {concernsSensor, configTone, labelPatch, labelWords, readLabels, worst} from './fleet_words';

function Identity({sensor, done}: {sensor: SensorView; done: () => void}) {
  // What is edited, and what it was when that began.
  const given = {name: sensor.name, known: sensor.labels, labels: labelWords(sensor.labels).split(', ').join('\n')};
  const [edit, setEdit] = useState<{began: typeof given; name: string; labels: string} | null>(null);
  const began = edit?.began ?? given;
  const {name, labels} = edit ?? given;
  const [wrong, setWrong] = useState('');
  const [lost, setLost] = useState<string[]>([]);  // what goes with these labels, if that was asked
  const change = (next: typeof edit) => {
    setEdit(next);
    setLost([]);
  };
  const act = useAction(async () => {
    const read = readLabels(labels);
    if (typeof read === 'string') return setWrong(read);
    setWrong('');
    const patch = labelPatch(began.known, read);
    if (lost.length === 0 && Object.keys(patch).length > 0) {
      const trial = await api.trySensor(sensor.name, {labels: patch});
      if (trial.lost.length > 0) return setLost(trial.lost);
    }
    const changed = await api.changeSensor(sensor.name, {...(name.trim() === began.name ? {} : {name: name.trim()}),
      labels: patch});
    change(null);
    if (changed.name !== sensor.name) go(to('fleet', 'sensors', changed.name), 'replace');
    done();
  });
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void act.run();
    }}>
      <label>Name <input required maxLength={63} value={name} onInput={(event) => change({began, name: event.currentTarget.value, labels})} /></label>
      <label>Labels <textarea rows={3} spellcheck={false} placeholder="site=oulu" value={labels}
        aria-invalid={wrong !== ''} onInput={(event) => change({began, name, labels: event.currentTarget.value})} /></label>
      <p class="quiet">Groups choose sensors by labels: other labels may change what it shall be.</p>
      {wrong && <p class="problem" role="alert">{wrong}</p>}
      {(began.name !== given.name || began.labels !== given.labels) && <p class="problem" role="alert">
        It was changed meanwhile: {given.name}, {labelWords(sensor.labels) || 'no labels'}.</p>}
      <Lost lost={lost} />
      <div class="buttons"><SaveButton lost={lost} label="Save name and labels" busy={act.busy} />
        {edit && <button type="button" onClick={() => change(null)}>Take back</button>}</div>
      <Problem error={act.error} />
    </form>
  );
}

function Replace({name, close}: {name: string; close: () => void}) {
  const [made, setMade] = useState<Enrolment | null>(null);
  const act = useAction(async () => setMade(await api.replaceSensor(name)));
  const line = made && ((made as Enrolment & {command?: string}).command ?? made.join);
  return (
    <Dialog title={`Replace the machine of ${name}`} close={close}>
      {made ? (
        <>
          <p>Run this on the new machine, as root, before <Time at={made.expires} />. It is shown this once.</p>
          <Copy label="join" text={line ?? made.token} />
        </>
      ) : (
        <>
          <p>The machine that joins with the line takes over name, labels and document. The old key is revoked at that
            moment, and not before.</p>
          <div class="buttons"><button type="button" class="primary" disabled={act.busy} onClick={() => void act.run()}>
            Make its line</button></div>
          <Problem error={act.error} />
        </>
      )}
    </Dialog>
  );
}

// Without a wire: the signed document to carry there, the signed report carried back.
function ByFile({sensor, done}: {sensor: SensorView; done: () => void}) {
  const [taken, setTaken] = useState(false);
  const take = async () => {
    const text = await api.sensorFile(sensor.name);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], {type: 'text/plain'}));
    link.download = `${sensor.name}.beaconry`;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const bring = useAction(async (file: File) => {
    await api.takeSensorFile(sensor.name, file);
    setTaken(true);
    done();
  });
  return (
    <>
      <p class="quiet">For a sensor without a way here: carry the first to it, and the second back.</p>
      <div class="buttons">
        <Order run={take} small>Save its signed document</Order>
        <label class="file">Take its report <input type="file" onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) void bring.run(file);
        }} /></label>
      </div>
      {taken && <p role="status">The report is taken.</p>}
      <Problem error={bring.error} />
    </>
  );
}

function Instruments({sensor}: {sensor: SensorView}) {
  const reported = new Map((sensor.reported?.instances ?? []).map((one) => [one.name, one]));
  const names = [...new Set([...Object.keys(sensor.desired.instances ?? {}), ...reported.keys()])].sort();
  return (
    <Section title="Instruments" aside={<a href={withQuery(to('fleet', 'install'), {target: `sensor:${sensor.name}`})}>
      Install one</a>}>
      {names.length === 0 ? <p class="quiet">None is wished and none is there.</p> : (
        <ShortTable label="Instruments" heads={['Instrument', 'State', 'Configuration', 'Health', 'Storage']}>
          {names.map((name) => {
            const one = reported.get(name);
            return (
              <tr key={name}>
                <th scope="row"><a href={to('fleet', 'sensors', sensor.name, name)}>{name}</a>
                  {one?.version && <span class="quiet"> {one.version}</span>}</th>
                <td><InstanceBadge state={one?.state} /> {one?.cause}
                  {(one?.wants_approval?.length ?? 0) > 0 && <> <Badge tone="high">wants approval</Badge></>}</td>
                <td>{one?.config && <Badge tone={configTone(one.config.state)}>{one.config.state}</Badge>}</td>
                <td>{worst(one?.health)}</td>
                <td><Storage of={one?.persistent} name={name} />
                  {one?.retention?.overdue && <> <Badge tone="high">retention overdue</Badge></>}</td>
              </tr>
            );
          })}
        </ShortTable>
      )}
    </Section>
  );
}

function Management({of}: {of: Json}) {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return null;
  const plain = Object.entries(of).filter(([, value]) => isPlain(value) && value !== '');
  return (
    <Section title="Management network">
      <dl class="facts">{plain.map(([key, value]) =>
        <Fact key={key} name={key.replace(/_/g, ' ')}>{typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)}</Fact>)}</dl>
      {plain.length < Object.keys(of).length && <details><summary>All of it</summary>
        <pre tabIndex={0}>{JSON.stringify(of, null, 2)}</pre></details>}
    </Section>
  );
}

function Documents({sensor}: {sensor: SensorView}) {
  const origins = Object.entries(sensor.origin);
  return (
    <Section title="What it shall be" aside={<span class="quiet">version {sensor.desired_version}; it follows {sensor.reported_version}</span>}>
      {sensor.drift.length > 0
        ? <><p class="warn">It is other than wished: wished, then found.</p><DiffLines lines={sensor.drift} label="Drift" /></>
        : <p>{sensor.reported ? 'It is as wished.' : 'It has not reported yet.'}</p>}
      <p>From {['fleet', ...sensor.groups.map((name) => `group:${name}`), `sensor:${sensor.name}`].map((target, place) =>
        <span key={target}>{place > 0 && ', then '}<a href={to('fleet', 'groups', target)}>{target}</a></span>)}.</p>
      {origins.length > 0 && (
        <details>
          <summary>Where each value is from</summary>
          <ShortTable label="Origin of values" heads={['Value', 'Is', 'From']}>
            {origins.map(([at, from]) => (
              <tr key={at}><th scope="row"><code>{at}</code></th><td><code>{JSON.stringify(pointedAt(sensor.desired as Json, at))}</code></td>
                <td>{from}</td></tr>
            ))}
          </ShortTable>
        </details>
      )}
      <details><summary>The document as a whole</summary>
        <pre tabIndex={0}>{JSON.stringify(sensor.desired, null, 2)}</pre></details>
    </Section>
  );
}

function Standing({sensor}: {sensor: SensorView}) {
  const {reported} = sensor;
  return (
    <section class={`card${sensor.state === 'healthy' ? ' calm' : ''}`}>
      <div class="badges"><SensorBadge state={sensor.state} late={sensor.late} />
        <span class="quiet">since <Time at={sensor.since} /></span></div>
      {sensor.why && <p class="lead">{sensor.why}</p>}
      {sensor.causes.length > 0 && (
        <ul class="causes" aria-label="Causes">
          {sensor.causes.map((one) => (
            <li key={one.subject + one.cause}><strong>{one.cause}</strong>{one.subject && <> ({one.subject})</>}
              {one.evidence && <p class="quiet">{one.evidence}</p>}{one.fix && <p class="fix">{one.fix}</p>}</li>
          ))}
        </ul>
      )}
      <dl class="facts">
        <Fact name="Last heard"><Time at={sensor.heard} />{sensor.address && `, from ${sensor.address}`}</Fact>
        <Fact name="Enrolled"><Time at={sensor.enrolled} /></Fact>
        <Fact name="Version">{sensor.version || 'not told'}{reported?.runtime && `, ${reported.runtime}`}</Fact>
        <Fact name="Its clock less ours">{sensor.clock_skew === null ? 'not told'
          : Math.abs(sensor.clock_skew) < 2 ? 'right' : <span class="warn">{length(sensor.clock_skew)}</span>}</Fact>
        {reported?.pool && <Fact name="Storage pool"><Storage of={{quota: reported.pool.total, used: reported.pool.used,
          days_to_full: reported.days_to_full ?? null}} name="Storage pool" /></Fact>}
        {reported?.uplink && <Fact name="Waits to be sent">{reported.uplink.error
          ? <span class="warn">{reported.uplink.error}</span> : bytes(reported.uplink.waiting)}
          {reported.uplink.dropped > 0 && <span class="warn"> {bytes(reported.uplink.dropped)} dropped</span>}</Fact>}
        {(reported?.bus_fault || (reported?.bus_restarts ?? 0) > 0) && <Fact name="Bus">
          {reported?.bus_fault || plural(reported?.bus_restarts ?? 0, 'restart')}</Fact>}
      </dl>
      {reported?.runtime_fault && <p class="problem">{reported.runtime_fault}</p>}
      {reported?.problems?.map((words) => <p class="problem" key={words}>{words}</p>)}
      <Copy label="fingerprint of its key" text={sensor.fingerprint} />
    </section>
  );
}

function ConflictCard({sensor}: {sensor: SensorView}) {
  const {conflict} = sensor;
  if (!conflict) return null;
  return (
    <section class="card matter critical" role="alert">
      <div class="badges"><Badge tone="critical">conflict</Badge><span class="quiet">since <Time at={conflict.since} />, last
        seen <Time at={conflict.last} short /></span></div>
      <p class="lead">Two systems live with the key of {sensor.name}, mostly by a cloned disk. What is shown here is of
        whichever spoke last.</p>
      <dl class="facts">
        <Fact name="Addresses">{conflict.addresses.join(', ')}</Fact>
        <Fact name="Machines">{conflict.machines.join(', ')}</Fact>
        <Fact name="Boots">{conflict.boots.join(', ')}</Fact>
      </dl>
      <p class="fix">Enrol the copy anew under a name of its own, or switch it off.</p>
    </section>
  );
}

export function FleetSensor({name}: {name: string}) {
  const sensor = useQuery('sensor ' + name, () => api.sensor(name), ['fleet', 'status'], 1000, concernsSensor(name));
  const operator = useMay('operator'), admin = useMay('admin');
  const [replacing, setReplacing] = useState(false);
  return (
    <>
      <p class="crumbs"><a href={to('fleet')}>Fleet</a></p>
      <Title>{name}</Title>
      <FleetTabs at="" />
      <Show of={sensor} what={name}>
        {(data) => (
          <>
            <ConflictCard sensor={data} />
            <div class="sides">
              <div>
                <Standing sensor={data} />
                <Instruments sensor={data} />
                <Documents sensor={data} />
                <Section title="Events" aside={<a href={withQuery(to('events'), {edge: data.name})}>All</a>}>
                  <EventsOf query={{edge: data.name}} />
                </Section>
              </div>
              <div>
                <Section title="Health"><HealthTree health={data.reported?.health} label={`Health of ${data.name}`} /></Section>
                {data.reported?.management && <Management of={data.reported.management} />}
                {data.rollouts.length > 0 && <Section title="Rollouts"><ul class="links">{data.rollouts.map((id) =>
                  <li key={id}><a href={to('fleet', 'rollouts', String(id))}>rollout {id}</a></li>)}</ul></Section>}
                <Section title="Name and labels">
                  {operator ? <Identity key={data.fingerprint} sensor={data} done={sensor.reload} />
                    : <p>{labelWords(data.labels) || 'It has no labels.'}</p>}
                </Section>
                {operator && <Section title="By file"><ByFile sensor={data} done={sensor.reload} /></Section>}
                {admin && (
                  <Section title="Machine">
                    <div class="buttons">
                      <button type="button" onClick={() => setReplacing(true)}>Replace the machine …</button>
                      <Sure label="Revoke and forget …" sure={`Revoke ${data.name}: it gets nothing more, and nothing is taken from it`}
                        run={async () => {
                          await api.forgetSensor(data.name);
                          go(to('fleet'));
                        }} />
                    </div>
                  </Section>
                )}
              </div>
            </div>
            {replacing && <Replace name={data.name} close={() => setReplacing(false)} />}
          </>
        )}
      </Show>
    </>
  );
}
