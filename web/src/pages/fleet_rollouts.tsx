// Changes on their way: a few sensors first, then the others; and what a person has to decide of them.
import * as api from '../api/client';
import type {Rollout, RolloutView, Stage} from '../api/types';
import {Badge, Empty, Fact, Section, Show, Time, Title, type Tone} from '../components/basics';
import {DiffLines} from '../components/diff';
import {FleetTabs, Order, PhaseBadge, Sure} from '../components/fleet_bits';
import {Table, type Column} from '../components/table';
import {length, plural} from '../format';
import {useQuery} from '../state/query';
import {to} from '../state/router';
import {useMay} from '../state/store';
import {concernsRollouts, isOver, targetWords} from './fleet_words';

const kStages: Stage[] = ['done', 'changing', 'waiting', 'failed', 'returning', 'returned', 'gone'];
const kTones: Record<Stage, Tone> = {
  waiting: 'quiet', changing: 'low', done: 'good', failed: 'critical', returning: 'medium', returned: 'medium', gone: 'quiet',
};
const countWords = (one: Rollout) => kStages.filter((stage) => one.counts[stage] > 0)
  .map((stage) => `${one.counts[stage]} ${stage}`).join(', ');

const kColumns: Column<Rollout>[] = [
  {key: 'target', title: 'To', width: 'minmax(6rem, 1fr)', narrow: true, cell: (one) => targetWords(one.target)},
  {key: 'phase', title: 'Is', width: '9.2rem', narrow: true, cell: (one) => <PhaseBadge phase={one.phase} />},
  {key: 'counts', title: 'Sensors', width: 'minmax(9rem, 1.2fr)', cell: (one) => `${countWords(one)} of ${one.total}`},
  {key: 'words', title: 'Why', width: 'minmax(9rem, 1.6fr)', cell: (one) => <span title={one.words}>{one.words}</span>},
  {key: 'started', title: 'Started', width: '6.2rem', narrow: true, cell: (one) => <Time at={one.started} short />},
  {key: 'who', title: 'By', width: '7rem', wide: true, cell: (one) => one.who},
];

export function FleetRollouts() {
  const list = useQuery('rollouts', api.rollouts, ['fleet'], 1000, concernsRollouts);
  return (
    <>
      <Title aside={<a href={to('fleet', 'install')}>Install an instrument</a>}>Rollouts</Title>
      <FleetTabs at="rollouts" />
      <Show of={list} what="rollouts">
        {(data) => data.rollouts.length > 0
          ? <Table label="Rollouts" rows={data.rollouts} columns={kColumns} id={(one) => String(one.id)} href={(one) => to('fleet', 'rollouts', String(one.id))} />
          : <Empty title="Nothing was rolled out yet">A rollout brings an image or a configuration to a few sensors first, and goes back by
              itself if they get sick.</Empty>}
      </Show>
    </>
  );
}

function Widened({one, done}: {one: RolloutView; done: () => void}) {
  const allowed = useMay('operator');
  if (one.phase !== 'approval') return null;
  return (
    <section class="card matter high">
      <p class="lead">It waits for approval{one.widened.length > 0 && ': the new image may do more than the one before'}.</p>
      <ul class="bullets" aria-label="Widened permissions">{one.widened.map((words) => <li key={words}><ins>{words}</ins></li>)}</ul>
      {allowed ? <div class="buttons"><Order primary run={() => api.orderRollout(one.id, 'approve').then(done)}>Approve and go on</Order></div>
        : <p class="quiet">Approving needs the role operator.</p>}
    </section>
  );
}

const kTurns: Column<RolloutView['turns'][number]>[] = [
  {key: 'sensor', title: 'Sensor', width: 'minmax(8rem, 1fr)', narrow: true, cell: (turn) => turn.sensor},
  {key: 'stage', title: 'Is', width: '7rem', narrow: true, cell: (turn) => <Badge tone={kTones[turn.stage] ?? 'quiet'}>{turn.stage}</Badge>},
  {key: 'words', title: 'Why', width: 'minmax(9rem, 2fr)', cell: (turn) => <span title={turn.words}>{turn.words}</span>},
  {key: 'since', title: 'Since', width: '6.5rem', narrow: true, cell: (turn) => <Time at={turn.since} short />},
];

export function FleetRollout({id}: {id: string}) {
  const rollout = useQuery('rollout ' + id, () => api.rollout(id), ['fleet'], 1000, concernsRollouts);
  const allowed = useMay('operator');
  const order = (what: 'pause' | 'resume' | 'abort') => async () => {
    await api.orderRollout(id, what);
    rollout.reload();
  };
  return (
    <>
      <p class="crumbs"><a href={to('fleet', 'rollouts')}>Rollouts</a></p>
      <Title>{rollout.data ? `Rollout to ${targetWords(rollout.data.target)}` : 'Rollout'}</Title>
      <FleetTabs at="rollouts" />
      <Show of={rollout} what="the rollout">
        {(data) => (
          <>
            <Widened one={data} done={rollout.reload} />
            <Section title="How it goes" aside={<PhaseBadge phase={data.phase} />}>
              {data.words && <p class="lead">{data.words}</p>}
              <p role="status"><progress max={Math.max(1, data.total)} value={data.counts.done} aria-label="Sensors that are done" />{' '}
                {countWords(data)} of {plural(data.total, 'sensor')}</p>
              {allowed && !isOver(data) && (
                <div class="buttons">
                  {data.phase === 'running' && <Order run={order('pause')}>Pause</Order>}
                  {data.phase === 'paused' && <Order primary run={order('resume')}>Resume</Order>}
                  {data.phase !== 'reverting' && <Sure label="Abort …" sure="Abort it: all that changed goes back" run={order('abort')} />}
                </div>
              )}
              <dl class="facts">
                <Fact name="Started"><Time at={data.started} /> by {data.who}</Fact>
                <Fact name="So since"><Time at={data.since} short /></Fact>
                <Fact name="First">{data.plan.canary > 0 ? plural(data.plan.canary, 'sensor') : 'no canary'}</Fact>
                <Fact name="At once">{data.plan.max_parallel}</Fact>
                <Fact name="Stops at">more than {plural(data.plan.max_failures, 'failure')}</Fact>
                <Fact name="Done after">{length(data.plan.min_healthy_time)} healthy, failed after {length(data.plan.healthy_deadline)}</Fact>
                <Fact name="What failed">{data.plan.auto_revert ? 'goes back by itself' : 'waits for a person'}</Fact>
              </dl>
            </Section>
            <Section title="What it changes"><DiffLines lines={data.changes} /></Section>
            {data.turns.length > 0 && <Table label="Turns" rows={data.turns} columns={kTurns} id={(turn) => turn.sensor}
              href={(turn) => to('fleet', 'sensors', turn.sensor)} />}
          </>
        )}
      </Show>
    </>
  );
}
