// Who sends to this server, and what became of what they saw.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Edge, Enrolment} from '../api/types';
import {Badge, Copy, Empty, Fact, Problem, Show, Time, Title, useNow, type Tone} from '../components/basics';
import {Dialog} from '../components/dialog';
import {Sure} from '../components/fleet_bits';
import {Ledger} from '../components/ledger';
import {Table, type Column} from '../components/table';
import {Words} from '../components/words';
import {length, plural, whole} from '../format';
import {useAction, useQuery} from '../state/query';
import {setQuery, to, usePlace, withQuery} from '../state/router';
import {useMay} from '../state/store';
import {kLate} from './matters';

type Heard = 'revoked' | 'twice' | 'never' | 'silent' | 'heard';
function heardOf(edge: Edge, now: number): Heard {
  if (edge.revoked) return 'revoked';
  if (edge.name_conflict) return 'twice';
  if (!edge.last_seen) return 'never';
  return (now - Date.parse(edge.last_seen)) / 1000 > kLate ? 'silent' : 'heard';
}
const kBadges: Record<Heard, [Tone, string]> = {
  revoked: ['quiet', 'revoked'], twice: ['critical', 'two of this name'], never: ['medium', 'never heard'],
  silent: ['high', 'silent'], heard: ['good', 'heard'],
};

function StateBadge({edge}: {edge: Edge}) {
  const now = useNow();
  const [tone, words] = kBadges[heardOf(edge, now)];
  return <Badge tone={tone}>{words}</Badge>;
}

const kColumns: Column<Edge>[] = [
  {key: 'name', title: 'Name', width: 'minmax(7rem, 2fr)', narrow: true, cell: (edge) =>
    <span title={edge.id}>{edge.name}{edge.via && <span class="quiet"> by {edge.via}</span>}</span>},
  {key: 'kind', title: 'Kind', width: '7rem', cell: (edge) => edge.kind ?? <span class="quiet">{edge.state}</span>},
  {key: 'state', title: 'State', width: '8.2rem', narrow: true, cell: (edge) => <StateBadge edge={edge} />},
  {key: 'seen', title: 'Last heard', width: '6.5rem', narrow: true, cell: (edge) => <Time at={edge.last_seen} short />},
  {key: 'batches', title: 'Batches', width: '6rem', right: true, wide: true, cell: (edge) => whole(edge.batches)},
  {key: 'events', title: 'Events', width: '7rem', right: true, cell: (edge) => whole(edge.events)},
  {key: 'lost', title: 'Lost', width: '6rem', right: true, cell: (edge) => {
    return edge.lost > 0 ? <Badge tone="high">{whole(edge.lost)}</Badge> : <span class="quiet">nothing</span>;
  }},
  {key: 'complete', title: 'Complete up to', width: '9rem', cell: (edge) =>
    edge.complete_up_to ? <Time at={edge.complete_up_to} short /> : <span class="quiet">not told</span>},
  {key: 'skew', title: 'Clock', width: '6rem', right: true, cell: (edge) =>
    edge.clock_skew_seconds === null ? <span class="quiet">not told</span>
      : Math.abs(edge.clock_skew_seconds) < 2 ? 'right'
      : <Badge tone="medium">{length(edge.clock_skew_seconds)}</Badge>},
];

function EdgeDialog({edge, close, done}: {edge: Edge; close: () => void; done: () => void}) {
  const allowed = useMay('admin');
  const ledger = useQuery('edge ' + edge.id, () => api.edge(edge.id), ['status']);
  return (
    <Dialog title={edge.name} close={close}>
      <div class="badges"><StateBadge edge={edge} /><Badge tone="quiet">{edge.state}</Badge></div>
      <Show of={ledger} what="the ledger">{(view) => <Ledger edge={view} />}</Show>
      <dl class="facts">
        <Fact name="Last heard"><Time at={edge.last_seen} />{edge.last_address && `, from ${edge.last_address}`}</Fact>
        <Fact name="Enrolled"><Time at={edge.enrolled_at} />{edge.enrolments > 1 && `, ${edge.enrolments} times`}</Fact>
        <Fact name="Repeated">{plural(edge.repeated, 'batch', 'batches')}, each counted once</Fact>
        {edge.clock_skew_seconds !== null && <Fact name="Its clock less ours">{length(edge.clock_skew_seconds)}</Fact>}
      </dl>
      {edge.fingerprint && <Copy label="fingerprint of its key" text={edge.fingerprint} />}
      {Object.keys(edge.counters).length > 0 && (
        <details><summary>All that it counts</summary>
          <pre tabIndex={0}>{JSON.stringify(edge.counters, null, 2)}</pre></details>
      )}
      {allowed && edge.enrolled && !edge.revoked && (
        <div class="buttons">
          <Sure label="Revoke …" sure="Revoke it: nothing more is taken from it" run={async () => {
            await api.revokeEdge(edge.id);
            done();
            close();
          }} />
        </div>
      )}
    </Dialog>
  );
}

function Enrol({close}: {close: () => void}) {
  const [kind, setKind] = useState('collector');
  const [name, setName] = useState('');
  const [made, setMade] = useState<Enrolment | null>(null);
  const act = useAction(async () => setMade(await api.enrol({kind, name})));
  return (
    <Dialog title="Enrol a machine" close={close}>
      {made ? (
        <>
          <p>Run this on it, as root, before <Time at={made.expires} />. It is shown this once.</p>
          <Copy label="join" text={made.join} />
        </>
      ) : (
        <form class="form" onSubmit={(event) => {
          event.preventDefault();
          void act.run();
        }}>
          <label>Kind <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="collector">collector: watches traffic</option>
            <option value="home">home: waits outside for probes</option>
            <option value="sensor">sensor: runs instruments</option></select></label>
          <label>Name <input required maxLength={63} value={name}
            onInput={(event) => setName(event.currentTarget.value)} /></label>
          <div class="buttons"><button class="primary" disabled={act.busy}>Make its line</button></div>
          <Problem error={act.error} />
        </form>
      )}
    </Dialog>
  );
}

export function Edges() {
  const {query} = usePlace();
  const edges = useQuery('edges', api.edges, ['status']);
  const allowed = useMay('admin');
  const [enrolling, setEnrolling] = useState(false);
  const now = useNow();
  const words = (query.get('q') ?? '').toLowerCase(), state = query.get('state');
  const fits = (edge: Edge) => (!words || `${edge.name} ${edge.kind} ${edge.via} ${edge.id}`.toLowerCase().includes(words)) &&
    (!state || (state === 'lost' ? edge.lost > 0 : heardOf(edge, now) === state));
  const chosen = edges.data?.edges.find((edge) => edge.id === query.get('id'));
  return (
    <>
      <Title aside={allowed && <button type="button" class="primary" onClick={() => setEnrolling(true)}>
        Enrol a machine …</button>}>Edges</Title>
      {(edges.data?.total ?? 0) > 0 && (
        <form class="filters" role="search" aria-label="Filter edges" onSubmit={(event) => event.preventDefault()}>
          <Words name="q" label="Search" example="name, kind, fingerprint" />
          <label>State <select value={state ?? ''} onChange={(event) => setQuery({state: event.currentTarget.value})}>
            <option value="">any</option><option value="heard">heard</option><option value="silent">silent</option>
            <option value="never">never heard</option><option value="twice">two of one name</option>
            <option value="revoked">revoked</option><option value="lost">with losses</option></select></label>
        </form>
      )}
      <Show of={edges} what="edges">
        {(data) => data.edges.length > 0 && !data.edges.some(fits) ? <Empty title="No edge fits these filters" />
          : data.edges.length > 0
          ? <Table label="Edges" rows={data.edges.filter(fits)} columns={kColumns} id={(edge) => edge.id}
              onOpen={(edge) => setQuery({id: edge.id})}
              href={(edge) => withQuery(to('edges'), {...Object.fromEntries(query), id: edge.id})} />
          : <Empty title="Nobody sends to this server yet">
              Enrol a collector where traffic passes, a home outside, or a sensor.</Empty>}
      </Show>
      {chosen && <EdgeDialog edge={chosen} close={() => setQuery({id: null})} done={edges.reload} />}
      {enrolling && <Enrol close={() => setEnrolling(false)} />}
    </>
  );
}
