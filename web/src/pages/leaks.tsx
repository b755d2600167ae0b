// What got out of isolated segments.
import * as api from '../api/client';
import type {Leak} from '../api/types';
import {Badge, Empty, Show, Time, Title, useNow} from '../components/basics';
import {DecisionBadge} from '../components/triage_box';
import {Table, type Column} from '../components/table';
import {length, plural} from '../format';
import {useQuery} from '../state/query';
import {setQuery, to, usePlace} from '../state/router';
import {Coverage} from './leaks_coverage';

// What the server says ends with the last ping; an open leak is open until two cycles miss it.
export function OpenFor({leak}: {leak: Leak}) {
  const now = useNow();
  return <>{length(leak.closed ? leak.open_seconds : Math.max(0, (now - Date.parse(leak.opened)) / 1000))}</>;
}

export const LeakBadge = ({leak}: {leak: Leak}) =>
  <Badge tone={leak.state === 'open' ? (leak.two_way ? 'critical' : 'high') : 'good'}>{leak.state}</Badge>;

const kColumns: Column<Leak>[] = [
  {key: 'title', title: 'What gets out', width: 'minmax(14rem, 4fr)', narrow: true,
    cell: (leak) => <span title={leak.title}>{leak.title}</span>},
  {key: 'state', title: 'State', width: '4.6rem', narrow: true, cell: (leak) => <LeakBadge leak={leak} />},
  {key: 'way', title: 'Ways', width: '5rem', cell: (leak) => (leak.two_way ? 'both' : 'out only')},
  {key: 'path', title: 'Path', width: '10rem', wide: true, cell: (leak) => leak.path.replace(/-/g, ' ')},
  {key: 'opened', title: 'Opened', width: '6.2rem', cell: (leak) => <Time at={leak.opened} short />},
  {key: 'for', title: 'Open for', width: '6.5rem', right: true, cell: (leak) => <OpenFor leak={leak} />},
  {key: 'times', title: 'Times', width: '4rem', wide: true, right: true, cell: (leak) => leak.times_opened},
  {key: 'triage', title: 'Triage', width: '7.4rem', cell: (leak) => <DecisionBadge decision={leak.triage} />},
];

export function Leaks() {
  const {query} = usePlace();
  const state = query.get('state') ?? undefined, probe = query.get('probe') ?? undefined;
  const path = query.get('path') ?? undefined;
  const leaks = useQuery(`leaks ${state} ${probe} ${path}`, () => api.leaks({state, probe, path}),
    ['leak', 'alert', 'status']);
  const probes = useQuery('probes', api.probes, ['status']);
  const list = probes.data?.probes ?? [];
  return (
    <>
      <Title aside={leaks.data && <span class="quiet" role="status">{plural(leaks.data.total, 'leak')}</span>}>
        Leaks</Title>
      <form class="filters" aria-label="Filter leaks" onSubmit={(event) => event.preventDefault()}>
        <label>State <select value={state ?? ''} onChange={(event) => setQuery({state: event.currentTarget.value})}>
          <option value="">open and closed</option><option value="open">open</option>
          <option value="closed">closed</option></select></label>
        <label>Probe <select value={probe ?? ''} onChange={(event) => setQuery({probe: event.currentTarget.value})}>
          <option value="">any</option>
          {[...new Set(list.map((one) => one.name))].map((name) => <option key={name}>{name}</option>)}
        </select></label>
        <label>Path <select value={path ?? ''} onChange={(event) => setQuery({path: event.currentTarget.value})}>
          <option value="">any</option>
          {['direct', 'nat', 'un-natted', 'resolver', 'neighbour-forwards', 'neighbour-bounces', 'proxy', 'reflector']
            .map((word) => <option key={word} value={word}>{word.replace(/-/g, ' ')}</option>)}
        </select></label>
        <a href="/api/v1/leaks/report" target="_blank" rel="noopener">Report to print</a>
      </form>
      <Show of={leaks} what="leaks">
        {(data) => data.leaks.length > 0
          ? <Table label="Leaks" rows={data.leaks} columns={kColumns} id={(leak) => leak.id}
              href={(leak) => to('leaks', leak.id)} />
          : state || probe || path ? <Empty title="No leak fits these filters" />
          : list.length === 0
            ? <Empty title="Nothing looks for leaks yet">A probe inside and a home outside do:{' '}
                <code>beaconry probes add NAME</code> makes the probe's line.</Empty>
            : <Empty title="Nothing got out">{plural(list.filter((one) => one.last_heard).length, 'probe')} of{' '}
                {list.length} {list.length === 1 ? 'has' : 'have'} been heard by way of a control.</Empty>}
      </Show>
      {list.length > 0 && (
        <section class="card">
          <header><h2>Probes</h2></header>
          <div class="scroll" tabIndex={0} role="region" aria-label="Probes">
            <table class="plain-table">
              <thead><tr><th scope="col">Probe</th><th scope="col">State</th><th scope="col">Home</th>
                <th scope="col">Last heard</th><th scope="col">Positive control</th>
                <th scope="col" class="right">Open leaks</th></tr></thead>
              <tbody>{list.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.name}</th><td>{one.state}</td><td>{one.home_name ?? 'unknown'}</td>
                  <td><Time at={one.last_heard} short /></td>
                  <td>{one.control === 'none' ? <span class="quiet">none: silence proves nothing</span>
                    : <Time at={one.last_control} short />}</td>
                  <td class="right">{one.leaks_open}</td>
                </tr>
              ))}</tbody>
            </table>
          </div>
        </section>
      )}
      {list.length > 0 && <Coverage />}
    </>
  );
}
