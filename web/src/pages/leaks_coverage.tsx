// What probes tried, and which probe heard which: what the silence of homes is worth.
import {useRef, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Coverage as CoverageOf} from '../api/types';
import {Badge, Problem, Section, Show, Time, type Tone} from '../components/basics';
import {plural, whole} from '../format';
import {useAction, useQuery} from '../state/query';
import {useMay} from '../state/store';

type Probe = CoverageOf['probes'][number];
type Cell = CoverageOf['matrix']['rows'][number]['cells'][number];

function Bring({done}: {done: () => void}) {
  const allowed = useMay('analyst');
  const [said, setSaid] = useState('');
  const chosen = useRef<HTMLInputElement>(null);
  const bring = useAction(async (file: File) => {
    setSaid('');
    const taken = await api.bringRecord(file);
    setSaid(`The record of ${taken.name} is taken: its chain and signatures are whole.`);
    done();
  });
  if (!allowed) return null;
  return (
    <>
      <label class="file">Bring a probe's record <input type="file" ref={chosen} disabled={bring.busy}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) void bring.run(file).then(() => {
            if (chosen.current) chosen.current.value = '';
          });
        }} /></label>
      <p role="status">{said}</p>
      <Problem error={bring.error} />
    </>
  );
}

function Record({probe}: {probe: Probe}) {
  const {record} = probe;
  if (!record) {
    return <p class="quiet">Nobody brought its record (<code>--evidence FILE</code>) here yet: what it tried is only known
      of what got out.</p>;
  }
  const cycle = record.last_long_cycle ?? record.last_short_cycle;
  return (
    <p>Its record tells from <Time at={record.first} /> to <Time at={record.last} />,{' '}
      {plural(record.entries, 'entry', 'entries')}, signed up to <Time at={record.last_signed} />.{' '}
      {cycle ? <>The last whole {record.last_long_cycle ? 'long' : 'short'} cycle ended <Time at={cycle.completed} />.</>
        : 'No cycle is whole.'}
      {record.unsigned_entries > 0 && ` ${plural(record.unsigned_entries, 'entry', 'entries')} at its end ${
        record.unsigned_entries === 1 ? 'is' : 'are'} not signed.`}
      {record.lost_tries > 0 && ` ${plural(record.lost_tries, 'try', 'tries')} could not be written.`}</p>
  );
}

function Methods({probe}: {probe: Probe}) {
  return (
    <details open={probe.record !== null}>
      <summary><strong>{probe.name}</strong>{' '}
        {probe.record
          ? <span class="quiet">{plural(probe.methods.filter((one) => one.tried).length, 'method')} tried,{' '}
              {probe.methods.filter((one) => one.not_tried_because).length} not</span>
          : <span class="quiet">no record here</span>}</summary>
      <Record probe={probe} />
      {probe.methods.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Coverage of ${probe.name}`}>
          <table class="plain-table">
            <caption class="hidden">What {probe.name} tried, by method</caption>
            <thead><tr><th scope="col">Method</th><th scope="col" class="right">Tried</th>
              <th scope="col" class="right">Answered</th><th scope="col">Last tried</th><th scope="col">Leaks</th>
              <th scope="col">Not tried because</th></tr></thead>
            <tbody>{probe.methods.map((one) => (
              <tr key={one.method}>
                <th scope="row">{one.method}</th>
                <td class="right">{one.tried === null ? 'not told' : whole(one.tried)}</td>
                <td class="right">{one.answered === null ? '' : whole(one.answered)}</td>
                <td><Time at={one.last_tried} short /></td>
                <td>{one.leaks_open > 0 ? <Badge tone="high">{plural(one.leaks_open, 'open leak')}</Badge>
                  : one.leaks > 0 ? <Badge tone="quiet">{one.leaks} closed</Badge> : <span class="quiet">none</span>}</td>
                <td>{one.not_tried_because ?? ''}</td>
              </tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function cellWords(cell: Cell): [Tone, string] {
  switch (cell.state) {
    case 'unknown': return ['quiet', 'not known'];
    case 'silent': return cell.may_reach ? ['medium', 'silent, though meant to reach'] : ['good', 'silent'];
    default: return cell.may_reach ? ['good', `reached, as meant: ${whole(cell.pings)}`]
      : ['critical', `reached: ${plural(cell.pings, 'ping')}`];
  }
}

function Matrix({matrix}: {matrix: CoverageOf['matrix']}) {
  return (
    <Section title="Zone to zone">
      <p class="quiet">A row is a probe that listens, a column one that sends. “Not known”: the listener's record is not
        here.</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Zone to zone">
        <table class="plain-table matrix">
          <caption class="hidden">Which probe heard which</caption>
          <thead><tr><th scope="col">Heard by, from</th>
            {matrix.from.map((name) => <th scope="col" key={name}>{name}</th>)}</tr></thead>
          <tbody>{matrix.rows.map((row) => (
            <tr key={row.heard_by}>
              <th scope="row">{row.heard_by}</th>
              {row.cells.map((cell, i) => {
                if (matrix.from[i] === row.heard_by) return <td key={i}><span class="quiet">itself</span></td>;
                const [tone, words] = cellWords(cell);
                return <td key={i}><Badge tone={tone}>{words}</Badge>{cell.last && <div class="quiet">last{' '}
                  <Time at={cell.last} short /></div>}</td>;
              })}
            </tr>
          ))}</tbody>
        </table>
      </div>
    </Section>
  );
}

export function Coverage() {
  const coverage = useQuery('coverage', api.coverage, ['leak', 'status']);
  return (
    <Show of={coverage} what="coverage">
      {(data) => data.probes.length === 0 ? null : (
        <>
          <Section title="Coverage">
            <p class="quiet">Silence proves isolation only as far as somebody tried. Carry the file that a probe keeps
              to this page: it is checked by the probe's own key.</p>
            {data.probes.map((probe) => <Methods key={probe.id} probe={probe} />)}
            <Bring done={coverage.reload} />
          </Section>
          {data.matrix.rows.length > 0 && <Matrix matrix={data.matrix} />}
        </>
      )}
    </Show>
  );
}
