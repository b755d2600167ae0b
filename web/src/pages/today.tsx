// What needs a person now, newest first; and when nothing does, since when and on what evidence.
import type {ComponentChild} from 'preact';
import {useMemo, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Alert, Coverage, Edge, FleetOverview, Health, Probe, Status} from '../api/types';
import {Badge, Copy, Fact, Problem, Section, SeverityBadge, Show, Time, Title, useNow, type Tone} from '../components/basics';
import {Dialog} from '../components/dialog';
import {length, plural, whole} from '../format';
import {useAction, useQuery} from '../state/query';
import {to, withQuery} from '../state/router';
import {useMay, useStore} from '../state/store';
import {concernsRollouts, fleetMatters, type FleetMatter} from './fleet_words';
import {byTime, canariesOf, controlsOf, isHeard, kLate, mattersOf, quietSince, sickOf, triedOf, type Matter} from './matters';

export function linkOf(alert: Alert): string {
  if (alert.kind.startsWith('beacon.')) return to('beacons', alert.subject);
  if (alert.kind.startsWith('leak.')) return to('leaks', alert.subject);
  if (alert.kind === 'digest') return to('beacons');
  return withQuery(to('alerts'), {id: alert.alert_id});
}
const whatOf = (kind: string): [string, Tone] =>
  kind.startsWith('beacon.') || kind === 'digest' ? ['beacon', 'quiet']
  : kind.startsWith('leak.') ? ['leak', 'quiet']
  : kind.startsWith('probe.') ? ['probe', 'quiet'] : ['instrument', 'quiet'];

function Acknowledge({matter, close, done}: {matter: Matter; close: () => void; done: () => void}) {
  const [reason, setReason] = useState('');
  const act = useAction(async () => {
    for (const alert of matter.alerts) {
      await api.decide({alert_id: alert.alert_id, decision: 'acknowledged', reason});
    }
    done();
    close();
  });
  return (
    <Dialog title="Acknowledge" close={close}>
      <p>{matter.newest.title}</p>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void act.run();
      }}>
        <label>What is done about it
          <input required autofocus maxLength={500} value={reason}
            onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <p class="quiet">{plural(matter.alerts.length, 'alert')} of this leave the list. What it is about
          stays as it is, and tells again if it gets worse.</p>
        <div class="buttons"><button class="primary" disabled={act.busy}>Acknowledge</button></div>
        <Problem error={act.error} />
      </form>
    </Dialog>
  );
}

function MatterCard({matter, done}: {matter: Matter; done: () => void}) {
  const [asking, setAsking] = useState(false);
  const allowed = useMay('analyst');
  const {newest} = matter;
  const [what, tone] = whatOf(newest.kind);
  return (
    <li class={`matter ${newest.severity.toLowerCase()}`}>
      <div class="badges">
        <SeverityBadge severity={newest.severity} /><Badge tone={tone}>{what}</Badge>
        {matter.over && <Badge tone="good" title={matter.over.title}>ended by itself</Badge>}
        <span class="quiet"><Time at={newest.timestamp} short /></span>
      </div>
      <h3><a href={linkOf(newest)}>{newest.title}</a></h3>
      <p class="clamp">{newest.description}</p>
      <div class="buttons">
        {allowed && <button type="button" class="primary" onClick={() => setAsking(true)}
          aria-label={`Acknowledge: ${newest.title}`}>Acknowledge …</button>}
        {matter.alerts.length > 1 && (
          <a href={withQuery(to('alerts'), {subject: matter.subject})}>all {matter.alerts.length} alerts</a>
        )}
      </div>
      {asking && <Acknowledge matter={matter} close={() => setAsking(false)} done={done} />}
    </li>
  );
}

// What of the fleet needs a person; its one action leads to where that is done.
function FleetCard({matter}: {matter: FleetMatter}) {
  const place = withQuery(to(...matter.at), matter.query ?? {});
  return (
    <li class={`matter ${matter.tone}`}>
      <div class="badges"><Badge tone={matter.tone}>{matter.what}</Badge>
        {matter.since && <span class="quiet"><Time at={matter.since} short /></span>}</div>
      <h3><a href={place}>{matter.title}</a></h3>
      {matter.words && <p class="clamp">{matter.words}</p>}
      {matter.fix && <p class="fix">{matter.fix}</p>}
      <div class="buttons"><a class="button" href={place}>{matter.act}</a></div>
    </li>
  );
}

// Of the first so many sensors: each is asked for what it reports.
const kWithCanaries = 20;
interface Canaries {
  all: Health[];
  sensors: number;
}
async function readCanaries(): Promise<Canaries> {
  const {sensors} = await api.sensors({limit: kWithCanaries});
  const views = await Promise.all(sensors.filter((one) => one.instances > 0).map((one) => api.sensor(one.name)));
  return {sensors: sensors.length, all: views.flatMap((one) => one.reported?.instances ?? []).flatMap((one) => canariesOf(one.health))};
}

function Evidence({status, edges, probes, fleet, coverage, canaries}: {status: Status; edges: Edge[]; probes: Probe[];
  fleet: FleetOverview | null; coverage: Coverage | null; canaries: Canaries | null}) {
  const now = useNow();
  const heard = edges.filter((edge) => !edge.revoked && edge.last_seen &&
    now - Date.parse(edge.last_seen) < kLate * 1000);
  const known = edges.filter((edge) => !edge.revoked);
  const lost = edges.reduce((sum, edge) => sum + edge.batches_missing + edge.batches_dropped, 0);
  const {expected, missing} = controlsOf(probes, now);
  const tried = coverage && triedOf(coverage);
  return (
    <dl class="facts">
      <Fact name="Last analysis"><Time at={status.analyzer.last_run} short />,{' '}
        {plural(status.storage.pair_count, 'pair')} in {length(status.analyzer.last_duration_seconds)}</Fact>
      <Fact name="Traffic from">{status.storage.oldest
        ? <><Time at={status.storage.oldest} /> to <Time at={status.storage.newest} short />,{' '}
            {plural(status.storage.unique_src_ips, 'host')}</> : 'nowhere yet'}</Fact>
      <Fact name="Edges heard in 15 minutes">{heard.length} of {known.length}</Fact>
      <Fact name="Lost on the way">{lost === 0 ? 'no batch is missing'
        : <span class="warn">{plural(lost, 'batch', 'batches')} missing: what they held was not looked at</span>}</Fact>
      <Fact name="Events dropped by kernels and buffers">
        {whole(status.ebpf_drops_total + status.buffer_overflow_total)}</Fact>
      <Fact name="Probes heard">{status.leaks.probes === 0 ? 'there is none: leaks are not looked for'
        : `${status.leaks.probes_heard} of ${status.leaks.probes}`}</Fact>
      {expected.length > 0 && <Fact name="Positive controls that arrive">
        {expected.length - missing.length} of {expected.length}</Fact>}
      {tried && tried.probes > 0 && <Fact name="Coverage"><a href={to('leaks')}>{tried.records === 0
        ? 'no probe’s record is here: what was tried is not known'
        : `${tried.tried} of ${plural(tried.methods, 'method')} tried, by ${tried.records} of ${plural(tried.probes, 'probe')}`}</a></Fact>}
      {fleet && fleet.sensors > 0 && <Fact name="Sensors that are well">
        {fleet.states.healthy ?? 0} of {fleet.sensors}, {plural(fleet.instances.by_state['RUNNING'] ?? 0, 'instrument')} running</Fact>}
      {fleet && fleet.sensors > 0 && canaries && <Fact name="Detection canaries that are found">{canaries.all.length === 0
        ? 'there is none: no detector looks for known traffic'
        : `${canaries.all.filter((one) => one.state === 'healthy').length} of ${canaries.all.length}`}
        {fleet.sensors > canaries.sensors && `, of the first ${canaries.sensors} sensors`}</Fact>}
    </dl>
  );
}

// Nothing is open: what that is worth.
function Quiet({since, edges, probes}: {since: string | null; edges: Edge[]; probes: Probe[]}) {
  const now = useNow();
  const {missing} = controlsOf(probes, now);
  const isDeaf = !isHeard(edges, now);
  if (!isDeaf && missing.length === 0) {
    return (
      <section class="card calm">
        <p class="big">Nothing needs you.</p>
        <p>So since <Time at={since} />. What this rests on is below.</p>
      </section>
    );
  }
  return (
    <section class="card">
      <p class="big">Nothing is known.</p>
      {isDeaf && <p>Nothing is open, but no edge was heard in 15 minutes: silence says nothing.</p>}
      {missing.length > 0 && <p>Nothing is open, but the positive control of {missing.slice(0, 5).map((one) => one.name).join(', ')}
        {missing.length > 5 && ` and ${missing.length - 5} more`} does not arrive: that nothing got out there is not known.</p>}
    </section>
  );
}

interface Card {
  key: string;
  since: string | null;
  show: () => ComponentChild;
}

export function Today() {
  const now = useNow();
  const alerts = useQuery('open alerts', () => api.alerts({acknowledged: false, limit: 1000}), ['alert']);
  const last = useQuery('last alerts', () => api.alerts({limit: 1000}), ['alert'], 5000);
  const decided = useQuery('triage', api.triaged, ['beacon']);
  const edges = useQuery('edges', api.edges, ['status']);
  const probes = useQuery('probes', api.probes, ['status']);
  const fleet = useQuery('fleet', api.fleet, ['fleet'], 2000);
  const rollouts = useQuery('rollouts', api.rollouts, ['fleet'], 2000, concernsRollouts);
  const coverage = useQuery('coverage', api.coverage, ['leak', 'status'], 30_000);
  const canaries = useQuery('canaries', readCanaries, ['fleet'], 30_000);
  const asked = useQuery('status', api.status);
  const told = useStore((s) => s.status);
  const status = told ?? asked.data;
  const [all, setAll] = useState(false);

  const matters = useMemo(
    () => mattersOf(alerts.data?.alerts ?? [], new Map((decided.data?.triage ?? []).map((one) => [one.subject, one.made]))),
    [alerts.data, decided.data]);
  const sick = sickOf(status, edges.data?.edges ?? [], now);
  const open = matters.filter((one) => !one.over), over = matters.filter((one) => one.over);
  const done = () => {
    alerts.reload();
    decided.reload();
    last.reload();
  };
  const ofFleet = useMemo(() => fleetMatters(fleet.data, rollouts.data?.rollouts ?? []), [fleet.data, rollouts.data]);
  const cards = byTime<Card>([
    ...sick.map((one) => ({key: one.key, since: one.since, show: () =>
      <FleetCard matter={{...one, tone: 'medium', what: 'sick', fix: ''}} key={one.key} />})),
    ...ofFleet.map((one) => ({key: one.key, since: one.since, show: () => <FleetCard matter={one} key={one.key} />})),
    ...open.map((one) => ({key: one.subject, since: one.newest.timestamp, show: () =>
      <MatterCard key={one.subject} matter={one} done={done} />})),
  ]);
  const shown = all ? cards : cards.slice(0, 30);
  // A cause that ended leaves no trace of its own but the sensor's state, which is better since then.
  const isQuiet = cards.length === 0;
  const well = useQuery(isQuiet ? 'well' : '', () => (isQuiet ? api.sensors({state: 'healthy', limit: 1000}) : Promise.resolve(null)),
    ['fleet'], 30_000);
  const since = quietSince([status?.start_time, ...(decided.data?.triage ?? []).map((one) => one.made),
    ...(last.data?.alerts ?? []).flatMap((one) => [one.timestamp, one.acknowledged_at]),
    ...(rollouts.data?.rollouts ?? []).map((one) => one.since), ...(well.data?.sensors ?? []).map((one) => one.since)]);
  return (
    <>
      <Title>Today</Title>
      <Show of={alerts} what="what is open">
        {() => !isQuiet ? (
          <>
            <p class="lead" role="status">{plural(cards.length, 'matter needs', 'matters need')} a person.</p>
            <ul class="matters" aria-label="What needs a person">{shown.map((one) => one.show())}</ul>
            {shown.length < cards.length && <p><button type="button" onClick={() => setAll(true)}>
              Show {cards.length - shown.length} more</button></p>}
          </>
        ) : (
          <Show of={decided} what="what was decided">{() => <Show of={edges} what="who sends">{(sent) =>
            <Show of={fleet} what="the fleet">{() => <Show of={rollouts} what="rollouts">{() =>
              <Show of={probes} what="probes">{(asked) => <Show of={last} what="the last alerts">{() =>
                <Show of={well} what="sensors">{() => status &&
                  <Quiet since={since} edges={sent.edges} probes={asked.probes} />}</Show>}</Show>}</Show>}</Show>}</Show>}</Show>}</Show>
        )}
      </Show>
      {over.length > 0 && (
        <details class="card">
          <summary>{plural(over.length, 'matter')} ended by {over.length === 1 ? 'itself' : 'themselves'} and nobody has
            said that it was seen</summary>
          <ul class="matters">
            {over.slice(0, 100).map((matter) => <MatterCard key={matter.subject} matter={matter} done={done} />)}
          </ul>
        </details>
      )}
      <Section title="What this rests on">
        {status ? <Evidence status={status} edges={edges.data?.edges ?? []} probes={probes.data?.probes ?? []}
            fleet={fleet.data} coverage={coverage.data} canaries={canaries.data} />
          : <Show of={asked} what="the server's state">{() => null}</Show>}
        {status && edges.data?.total === 0 && (
          <div class="hint">
            <p>Nobody sends to this server yet. On a machine that sees traffic, join a collector:</p>
            <Copy label="on this server" text="beaconry enroll collector NAME" />
          </div>
        )}
      </Section>
    </>
  );
}
