// One leak: its way out drawn, what to do, since when, and what home saw.
import * as api from '../api/client';
import type {LeakView} from '../api/types';
import {Badge, Copy, Fact, Section, Show, Time, Title, useNow} from '../components/basics';
import {LeakPath} from '../components/leak_path';
import {TriageBox} from '../components/triage_box';
import {length, whole} from '../format';
import {useQuery} from '../state/query';
import {to} from '../state/router';
import {LeakBadge, OpenFor} from './leaks';

const portsOf = (leak: LeakView) =>
  leak.ports.slice(0, 20).map(([from, until]) => (from === until ? `${from}` : `${from}–${until}`)).join(', ') +
  (leak.ports.length > 20 ? ` and ${leak.ports.length - 20} ranges more` : '');

function OpenTimes({leak}: {leak: LeakView}) {
  const now = useNow();
  // The newest is still open: as long as it is by now, not up to the last ping.
  const lengths = leak.open_times.map((one, place) => (leak.state === 'open' && place === leak.open_times.length - 1
    ? Math.max(one.seconds, (now - Date.parse(one.from)) / 1000) : one.seconds));
  const most = Math.max(...lengths, 1);
  return (
    <Section title="Open times">
      <ol class="spans">
        {leak.open_times.map((one, place) => ({...one, seconds: lengths[place]!})).reverse().map((one, i) => (
          <li key={one.from}>
            <Time at={one.from} />
            <span class="span"><span style={{width: `${Math.max(2, (one.seconds / most) * 100)}%`}} /></span>
            <strong>{i === 0 && leak.state === 'open' ? <>open for <OpenFor leak={leak} /></> : length(one.seconds)}</strong>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Seen({leak}: {leak: LeakView}) {
  return (
    <Section title="What home saw" aside={<span class="quiet">the newest {leak.observations.length} of{' '}
      {whole(leak.observations_kept)}</span>}>
      <div class="scroll" tabIndex={0} role="region" aria-label="Observations">
        <table class="plain-table">
          <thead><tr><th scope="col">Received</th><th scope="col">From</th><th scope="col">To</th><th scope="col">As</th>
            <th scope="col">Class</th><th scope="col" class="right">Delay</th></tr></thead>
          <tbody>{leak.observations.slice(0, 50).map((one) => (
            <tr key={one.number}>
              <td><Time at={one.received} /></td>
              <td>{one.source ?? 'unknown'}{one.source_port ? `:${one.source_port}` : ''}</td>
              <td>{one.destination ?? 'unknown'}{one.destination_port ? `:${one.destination_port}` : ''}</td>
              <td>{one.carrier}, by {one.receiver}</td>
              <td>{one.class}</td>
              <td class="right">{one.delay_seconds === undefined ? '' : length(one.delay_seconds)}</td>
            </tr>
          ))}</tbody>
        </table>
      </div>
    </Section>
  );
}

export function Leak({id}: {id: string}) {
  const view = useQuery('leak ' + id, () => api.leak(id), ['leak', 'alert', 'status']);
  return (
    <>
      <p class="crumbs"><a href={to('leaks')}>Leaks</a></p>
      <Show of={view} what="this leak">
        {(leak) => (
          <>
            <Title aside={<span class="badges">
              <LeakBadge leak={leak} />
              {leak.two_way && <Badge tone="critical">both ways</Badge>}</span>}>{leak.title}</Title>
            <Section title="The way out"><LeakPath leak={leak} /><p>{leak.explanation}</p></Section>
            <div class="sides">
              <div>
                <Section title="What to do"><p class="pre">{leak.fix}</p><Copy label="leak" text={leak.id} /></Section>
                <OpenTimes leak={leak} />
                <Seen leak={leak} />
              </div>
              <div>
                <TriageBox subject={leak.id} decision={leak.triage} steps={leak.history} done={view.reload} />
                <Section title="Facts">
                  <dl class="facts">
                    <Fact name={leak.state === 'open' ? 'Open since' : 'Was opened'}><Time at={leak.opened} /></Fact>
                    {leak.closed && <Fact name="Closed"><Time at={leak.closed} /></Fact>}
                    <Fact name="First seen"><Time at={leak.first} /></Fact>
                    <Fact name="Last seen"><Time at={leak.last} /></Fact>
                    <Fact name="Opened">{leak.times_opened === 1 ? 'once' : `${leak.times_opened} times`}</Fact>
                    <Fact name="Probe"><a href={`${to('leaks')}?probe=${encodeURIComponent(leak.probe_name)}`}>
                      {leak.probe_name}</a></Fact>
                    <Fact name="Method">{leak.method}, {leak.family === 'ipv6' ? 'IPv6' : 'IPv4'}</Fact>
                    {leak.inside && <Fact name="Inside address">{leak.inside}</Fact>}
                    {leak.via && <Fact name="By way of">{leak.via}</Fact>}
                    {leak.outer_source && <Fact name="Seen as">{leak.outer_source}</Fact>}
                    {leak.ports.length > 0 && <Fact name="Ports">{portsOf(leak)}</Fact>}
                    <Fact name="Seen">{whole(leak.count)} times, {whole(leak.duplicates)} repeated,{' '}
                      {whole(leak.late)} late, {whole(leak.replayed)} replayed</Fact>
                  </dl>
                </Section>
              </div>
            </div>
          </>
        )}
      </Show>
    </>
  );
}
