// All sensors: first what is wrong with them, collapsed to causes, then the list.
import {useMemo} from 'preact/hooks';

import * as api from '../api/client';
import type {FleetCause, FleetOverview, Sensor} from '../api/types';
import {Badge, Copy, Empty, Fact, Failed, Loading, Section, Show, Time, Title} from '../components/basics';
import {FleetTabs, SensorBadge} from '../components/fleet_bits';
import {Table, type Column} from '../components/table';
import {Words} from '../components/words';
import {plural, whole} from '../format';
import {useQuery} from '../state/query';
import {setQuery, to, usePlace, withQuery} from '../state/router';
import {useSensors} from '../state/sensor_list';
import {useMay} from '../state/store';
import {causeTitle, kStates, labelWords, stateTone} from './fleet_words';

const kColumns: Column<Sensor>[] = [
  {key: 'name', title: 'Sensor', width: 'minmax(6.5rem, 1.4fr)', narrow: true, cell: (one) =>
    <span title={one.fingerprint}>{one.name}</span>},
  {key: 'state', title: 'State', width: '8.6rem', narrow: true, cell: (one) => one.conflict
    ? <Badge tone="critical" title="Two systems live with its key">conflict</Badge>
    : <SensorBadge state={one.state} late={one.late} title={one.why} />},
  {key: 'why', title: 'Why', width: 'minmax(9rem, 2fr)', cell: (one) => <span title={one.why}>{one.why}</span>},
  {key: 'since', title: 'Since', width: '6.5rem', narrow: true, cell: (one) => <Time at={one.since} short />},
  {key: 'instruments', title: 'Instruments', width: '7.5rem', cell: (one) => one.unwell > 0
    ? <><Badge tone="high">{one.unwell} unwell</Badge> of {one.instances}</> : String(one.instances)},
  {key: 'labels', title: 'Labels', width: 'minmax(7rem, 1.2fr)', cell: (one) => {
    const words = labelWords(one.labels);
    return <span title={words}>{words}</span>;
  }},
  {key: 'groups', title: 'Groups', width: 'minmax(5rem, .8fr)', wide: true, cell: (one) => one.groups.join(', ')},
  {key: 'version', title: 'Version', width: '6rem', wide: true, cell: (one) => one.version},
  {key: 'document', title: 'Document', width: '7rem', cell: (one) => one.drift > 0
    ? <Badge tone="medium" title={`${plural(one.drift, 'value')} other than wished`}>drift {one.drift}</Badge>
    : one.reported_version < one.desired_version
      ? <span class="quiet">{one.reported_version} of {one.desired_version}</span> : String(one.desired_version)},
  {key: 'heard', title: 'Heard', width: '6.5rem', wide: true, cell: (one) => <Time at={one.heard} short />},
];

export function CauseCard({cause}: {cause: FleetCause}) {
  const few = cause.sensors.slice(0, 5);
  return (
    <li class="matter medium">
      <h3><a href={withQuery(to('fleet'), {cause: cause.cause})}>{causeTitle(cause)}</a></h3>
      {cause.evidence && <p class="clamp">{cause.evidence}</p>}
      {cause.fix && <p class="fix">{cause.fix}</p>}
      <p class="quiet">{few.map((name, place) => <span key={name}>{place > 0 && ', '}
        <a href={to('fleet', 'sensors', name)}>{name}</a></span>)}
        {cause.sensors.length > few.length && ` and ${cause.sensors.length - few.length} more`}
        {' · since '}<Time at={cause.since} short /></p>
    </li>
  );
}

function Counts({of, chosen}: {of: FleetOverview; chosen: string}) {
  return (
    <div class="views" role="group" aria-label="Sensors by state">
      {kStates.map((state) => (
        <button type="button" key={state} class={`chip${state === chosen ? ' on' : ''}`} aria-pressed={state === chosen}
          onClick={() => setQuery({state: state === chosen ? null : state})}>
          <Badge tone={stateTone(state)}>{whole(of.states[state] ?? 0)}</Badge> {state}</button>
      ))}
      {of.late > 0 && <span class="quiet">{of.late} late</span>}
      {of.drift > 0 && <button type="button" class={`chip${chosen === 'drift' ? ' on' : ''}`}
        aria-pressed={chosen === 'drift'} onClick={() => setQuery({state: chosen === 'drift' ? null : 'drift'})}>
        <Badge tone="medium">{of.drift}</Badge> other than wished</button>}
    </div>
  );
}

export function Fleet() {
  const {query} = usePlace();
  const admin = useMay('admin');
  const overview = useQuery('fleet', api.fleet, ['fleet'], 2000);
  const state = query.get('state') ?? '';
  const list = useSensors({state: state === 'drift' ? '' : state, labels: query.get('labels') ?? '',
    text: query.get('text') ?? ''});
  const conflict = query.get('conflict') !== null, cause = query.get('cause');
  const met = useMemo(() => (cause === null ? null
    : new Set(overview.data?.causes.find((one) => one.cause === cause)?.sensors ?? [])), [cause, overview.data]);
  const rows = useMemo(() => (list.sensors ?? []).filter((one) => (!conflict || one.conflict) &&
    (!met || met.has(one.name)) && (state !== 'drift' || one.drift > 0)), [list.sensors, conflict, met, state]);
  const filtered = [...query.keys()].length > 0;
  return (
    <>
      <Title aside={admin && <a href={to('edges')}>Enrol a sensor</a>}>Fleet</Title>
      <FleetTabs at="" />
      <Show of={overview} what="the fleet">
        {(data) => (
          <>
            {data.causes.length > 0 ? (
              <ul class="matters" aria-label="What is wrong, by cause">
                {data.causes.slice(0, 12).map((one) => <CauseCard key={one.cause + one.evidence} cause={one} />)}
              </ul>
            ) : data.sensors > 0 && <section class="card calm"><p>Nothing is wrong with any sensor that is heard.</p></section>}
            {data.causes.length > 12 && <p class="quiet">and {data.causes.length - 12} more causes</p>}
            {data.sensors > 0 && <Counts of={data} chosen={state} />}
          </>
        )}
      </Show>
      {overview.data?.sensors !== 0 && (
        <form class="filters" role="search" aria-label="Filter sensors" onSubmit={(event) => event.preventDefault()}>
          <Words name="text" label="Search" example="name, label, address" />
          <Words name="labels" label="Labels" example="site=oulu,!spare" />
          {conflict && <button type="button" class="chip on" onClick={() => setQuery({conflict: null})}>conflicts ✕</button>}
          {cause !== null && <button type="button" class="chip on" aria-label="Remove the filter cause"
            onClick={() => setQuery({cause: null})}>{cause} ✕</button>}
          {list.sensors && <span class="quiet" role="status">{rows.length === list.total ? plural(list.total, 'sensor')
            : `${whole(rows.length)} of ${plural(list.total, 'sensor')}`}</span>}
        </form>
      )}
      {list.error && list.error.status !== 0 && list.sensors && <p class="problem" role="alert">{list.error.message}</p>}
      {list.sensors === null
        ? list.error ? <Failed error={list.error} retry={list.reload} /> : <Loading what="sensors" />
        : rows.length > 0 ? <Table label="Sensors" rows={rows} columns={kColumns} id={(one) => one.fingerprint}
            href={(one) => to('fleet', 'sensors', one.name)} />
        : filtered ? <Empty title="No sensor fits these filters" />
        : (
          <Empty title="There is no sensor yet">
            <Copy label="on this server" text="beaconry enroll sensor NAME" />
            {admin ? <p>or <a href={to('edges')}>enrol one here</a>; it appears once it has joined.</p>
              : <p>An admin enrols it; it appears once it has joined.</p>}
          </Empty>
        )}
      {overview.data && overview.data.sensors > 0 && (
        <Section title="Instruments">
          <dl class="facts">
            <Fact name="In all">{whole(overview.data.instances.total)}</Fact>
            {Object.entries(overview.data.instances.by_state).map(([name, n]) =>
              <Fact key={name} name={name}>{whole(n)}</Fact>)}
          </dl>
          <Copy label="key of the fleet" text={overview.data.key} />
        </Section>
      )}
    </>
  );
}
