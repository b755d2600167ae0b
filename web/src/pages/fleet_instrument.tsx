// One instrument on one sensor: how it is and why, what it may touch, its configuration and data.
import {useEffect, useRef, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {FleetNews, ImageView, ReportedInstance, SensorView} from '../api/types';
import {Badge, Copy, Empty, Fact, Problem, Section, Show, Time, Title} from '../components/basics';
import {DocumentHistory} from '../components/document_history';
import {FleetTabs, InstanceBadge, Order, ShortTable, Storage, Sure} from '../components/fleet_bits';
import {HealthTree} from '../components/health';
import {bytes, plural, whole} from '../format';
import {pointer} from '../json_diff';
import {useAction, useQuery} from '../state/query';
import {to, withQuery} from '../state/router';
import {listen, useMay} from '../state/store';
import {EventsOf} from './events_of';
import {concernsSensor, targetWords} from './fleet_words';
import {InstrumentConfig} from './instrument_config';

function Orders({instance, one, wished}: {instance: string; one: ReportedInstance | undefined; wished: boolean}) {
  const [told, setTold] = useState('');
  const order = (what: 'start' | 'stop' | 'restart' | 'update', words: string) => async () => {
    setTold('');
    await api.orderInstance(instance, what);
    setTold(words);
  };
  return (
    <>
      <div class="buttons">
        {!wished && <Order run={order('start', 'It is to start.')}>Start</Order>}
        {wished && <Sure label="Stop …" sure="Stop it" run={order('stop', 'It is to stop.')} />}
        {wished && <Sure label="Restart …" sure="Restart it" run={order('restart', 'It is to restart.')} />}
        {(one?.resources?.length ?? 0) > 0 && <Order run={order('update', 'It looks for newer files now.')}>Update its files now</Order>}
      </div>
      <p role="status">{told}</p>
    </>
  );
}

// What the wished image may do more waits for a person.
function Approval({instance, words, done}: {instance: string; words: string[]; done: () => void}) {
  const allowed = useMay('operator');
  return (
    <section class="card matter high">
      <p class="lead">Its new image may do more than the one that runs, and waits for approval:</p>
      <ul class="bullets">{words.map((one) => <li key={one}>{one}</li>)}</ul>
      {allowed ? <div class="buttons"><Order primary run={() => api.orderInstance(instance, 'approve').then(done)}>Approve these</Order></div>
        : <p class="quiet">Approving needs the role operator.</p>}
    </section>
  );
}

function Standing({one, instance, wished}: {one: ReportedInstance | undefined; instance: string; wished: boolean}) {
  const operator = useMay('operator');
  return (
    <Section title="State" aside={<InstanceBadge state={one?.state} />}>
      {one?.cause && <p class="lead">{one.cause}</p>}
      {operator && <Orders instance={instance} one={one} wished={wished} />}
      {one && (
        <dl class="facts">
          <Fact name="So since"><Time at={one.since} /></Fact>
          <Fact name="Wished">{wished ? 'running' : 'stopped'}</Fact>
          <Fact name="Version">{one.version}</Fact>
          <Fact name="Starts">{whole(one.starts ?? 0)}{(one.failures ?? 0) > 0 && <span class="warn">, {one.failures} failures in a row</span>}
            {one.retry && <>, again <Time at={one.retry} short /></>}</Fact>
          {one.update && one.update.state !== 'NONE' && <Fact name="Update of its image">{one.update.state}
            {one.update.reason && <span class={one.update.state === 'FAILED' ? 'warn' : ''}>: {one.update.reason}</span>}</Fact>}
          <Fact name="Memory">{bytes(one.memory ?? null)}</Fact>
          <Fact name="Processes">{one.processes ?? 'unknown'}</Fact>
        </dl>
      )}
      {one?.last_log && <details open={one.state === 'BROKEN' || one.state === 'ERRORED'}><summary>The end of its log at its last failure</summary>
        <pre tabIndex={0}>{one.last_log}</pre></details>}
    </Section>
  );
}

function Interfaces({sensor, name, one, image}: {sensor: SensorView; name: string; one: ReportedInstance | undefined; image: ImageView | null}) {
  const wished = sensor.desired.instances?.[name]?.interfaces ?? [];
  const reported = one?.interfaces ?? [];
  const names = [...new Set([...(image?.interfaces ?? []), ...wished, ...reported].map((each) => each.name))];
  return (
    <Section title="Interfaces">
      {names.length === 0 ? <p class="quiet">It has none.</p> : (
        <ShortTable label="Interfaces" heads={['Interface', 'May', 'On', 'Is', 'Received', 'Sent', 'Refused']}>
          {names.map((each) => {
            const is = reported.find((two) => two.name === each);
            const wish = wished.find((two) => two.name === each);
            const contract = image?.interfaces?.find((two) => two.name === each);
            return (
              <tr key={each}>
                <th scope="row">{each}</th>
                <td>{contract?.contract ?? 'unknown'}{contract?.words && <p class="quiet">{contract.words}</p>}</td>
                <td>{wish ? `${wish.kind ?? ''} ${wish.parent ?? ''}` : <span class="quiet">not set</span>}
                  <p class="quiet">{is?.address || wish?.address}</p></td>
                <td>{!is ? <span class="quiet">not reported</span> : is.cause ? <Badge tone="high">{is.cause}</Badge>
                  : is.present === false ? <Badge tone="high">missing</Badge>
                  : is.carrier === false ? <Badge tone="medium">no carrier</Badge> : <Badge tone="good">up</Badge>}
                  {is?.evidence && <p class="quiet">{is.evidence}</p>}{is?.fix && <p class="fix">{is.fix}</p>}</td>
                <td>{whole(is?.received ?? 0)}</td><td>{whole(is?.sent ?? 0)}</td>
                <td>{whole((is?.refused_sent ?? 0) + (is?.refused_received ?? 0))}</td>
              </tr>
            );
          })}
        </ShortTable>
      )}
    </Section>
  );
}

function Data({one}: {one: ReportedInstance}) {
  const receipt = one.retention;
  return (
    <Section title="Storage and retention">
      <dl class="facts">
        <Fact name="Kept data"><Storage of={one.persistent} name="Kept data" /></Fact>
        <Fact name="Passing data"><Storage of={one.transient} name="Passing data" /></Fact>
        {one.relayed && (one.relayed.taken > 0 || one.relayed.waiting > 0) && <Fact name="Sent to this server">
          {plural(one.relayed.taken, 'batch', 'batches')}, {bytes(one.relayed.waiting)} waiting
          {one.relayed.refused > 0 && <span class="warn">, {whole(one.relayed.refused)} refused</span>}</Fact>}
        {one.events && <Fact name="Events">{whole(one.events.stored)} stored
          {one.events.refused + one.events.malformed > 0 && <span class="warn">, {whole(one.events.refused + one.events.malformed)} not taken</span>}</Fact>}
      </dl>
      {receipt?.commanded ? (
        <p>{receipt.overdue ? <Badge tone="high">overdue</Badge> : <Badge tone="good">receipt</Badge>} Told <Time at={receipt.commanded} /> to
          delete what is older than <Time at={receipt.before} />; {receipt.answered
          ? <>answered <Time at={receipt.answered} />: {plural(receipt.items, 'item')}, {bytes(receipt.bytes)} deleted.</> : 'it has not answered.'}
          {receipt.error && <span class="warn"> {receipt.error}</span>}</p>
      ) : <p class="quiet">It was never told to delete anything.</p>}
      {(one.resources?.length ?? 0) > 0 && (
        <ShortTable label="Files that it wished for" heads={['File', 'State', 'From', 'Last look']}>
          {one.resources!.map((each) => (
            <tr key={each.name}><th scope="row">{each.name}</th>
              <td><Badge tone={each.state === 'INSTALLED' ? 'good' : each.state === 'FAILED' ? 'high' : 'low'}>{each.state}</Badge> {each.reason}</td>
              <td>{each.url}</td><td><Time at={each.looked} short /></td></tr>
          ))}
        </ShortTable>
      )}
    </Section>
  );
}

// The end of its log, asked of the sensor.
function Log({sensor, instance}: {sensor: string; instance: string}) {
  const [text, setText] = useState<string | null>(null);
  const [words, setWords] = useState('');
  const gone = useRef(false);
  useEffect(() => () => {
    gone.current = true;
  }, []);
  const act = useAction(async () => {
    setWords('Asking the sensor …');
    try {
      const {id} = await api.askSensor(sensor, {what: 'log', instance, bytes: 65536});
      for (let told = await api.ask(id); !gone.current; told = await api.ask(id)) {
        if (told.state === 'expired') return setWords('The sensor did not answer within 30 seconds.');
        if (told.state === 'answered') {
          setWords(told.answer?.ok ? '' : told.answer?.error ?? 'The sensor has no log of it.');
          if (told.answer?.ok) setText(told.answer.text ?? '');
          return;
        }
        await heardOf(id);
      }
    } catch (error) {
      setWords('');
      throw error;
    }
  });
  return (
    <Section title="Log" aside={<button type="button" class="small" disabled={act.busy} onClick={() => void act.run()}>
      {text === null ? 'Read its end' : 'Read it again'}</button>}>
      {words && <p role="status">{words}</p>}
      {text !== null && (text === '' ? <p class="quiet">It is empty.</p>
        : <pre tabIndex={0} class="log" aria-label="End of the log">{text}</pre>)}
      {text === null && !words && !act.error && <p class="quiet">Read from the sensor when you ask.</p>}
      <Problem error={act.error} />
    </Section>
  );
}
// Until the stream tells of the answer, or a second is over.
function heardOf(id: string): Promise<void> {
  return new Promise((done) => {
    const finish = () => {
      window.clearTimeout(late);
      end();
      done();
    };
    const late = window.setTimeout(finish, 1000);
    const end = listen('fleet', (news: FleetNews) => {
      if (news.what === 'ask' && news.id === id) finish();
    });
  });
}

function Whole({sensor, name, done}: {sensor: SensorView; name: string; done: () => void}) {
  const operator = useMay('operator');
  const one = sensor.reported?.instances?.find((each) => each.name === name);
  const wish = sensor.desired.instances?.[name];
  const fingerprint = wish?.image ?? one?.image ?? '';
  const image = useQuery('image ' + fingerprint, () => (fingerprint ? api.image(fingerprint).catch((error: unknown) => {
    if (error instanceof api.ApiError && error.status === 404) return null;
    throw error;
  }) : Promise.resolve(null)));
  const [layer, setLayer] = useState(`sensor:${sensor.name}`);
  const instance = `${name}@${sensor.name}`;
  // Where its image is said: there another one goes.
  const from = sensor.origin[pointer('instances', name, 'image')];
  const layerOf = from === 'sensor' ? `sensor:${sensor.name}` : from;
  if (!one && !wish) return <Empty title={`${sensor.name} has no ${name}`}>Neither is it wished, nor did the sensor tell of it.</Empty>;
  return (
    <>
      {(one?.wants_approval?.length ?? 0) > 0 && <Approval instance={instance} words={one!.wants_approval!} done={done} />}
      <div class="sides">
        <div>
          <Standing one={one} instance={instance} wished={wish?.running ?? one?.wished_running ?? false} />
          <Show of={image} what="its image">{(data) =>
            <InstrumentConfig key={fingerprint} sensor={sensor} name={name} image={data} done={done} />}</Show>
          <Interfaces sensor={sensor} name={name} one={one} image={image.data} />
          {one && <Data one={one} />}
          {operator && <Log sensor={sensor.name} instance={name} />}
        </div>
        <div>
          <Section title="Health"><HealthTree health={one?.health} label={`Health of ${name}`} /></Section>
          <Section title="Events" aside={<a href={withQuery(to('events'), {instance})}>All</a>}><EventsOf query={{instance}} /></Section>
          <Section title="History" aside={<label class="quiet">of <select value={layer} onChange={(event) => setLayer(event.currentTarget.value)}>
            {[`sensor:${sensor.name}`, ...sensor.groups.map((group) => `group:${group}`), 'fleet'].map((target) =>
              <option key={target} value={target}>{targetWords(target)}</option>)}</select></label>}>
            <DocumentHistory key={layer} target={layer} done={done} />
          </Section>
          <Section title="Image" aside={operator && layerOf && <a href={withQuery(to('fleet', 'install'),
            {instrument: name, target: layerOf})}>Another version</a>}>
            {image.data && <p><a href={to('fleet', 'images', fingerprint)}>{image.data.name} {image.data.version}</a>, signed by {image.data.signer}</p>}
            {image.data === null && !image.loading && <p class="quiet">It is not kept on this server.</p>}
            {fingerprint && <Copy label="fingerprint" text={fingerprint} />}
          </Section>
        </div>
      </div>
    </>
  );
}

export function FleetInstrument({sensor: of, name}: {sensor: string; name: string}) {
  const sensor = useQuery('sensor ' + of, () => api.sensor(of), ['fleet', 'status'], 1000, concernsSensor(of));
  return (
    <>
      <p class="crumbs"><a href={to('fleet')}>Fleet</a> › <a href={to('fleet', 'sensors', of)}>{of}</a></p>
      <Title>{`${name} on ${of}`}</Title>
      <FleetTabs at="" />
      <Show of={sensor} what={name}>{(data) => <Whole sensor={data} name={name} done={sensor.reload} />}</Show>
    </>
  );
}
