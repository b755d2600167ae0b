// All alerts, newest first.
import * as api from '../api/client';
import {useState} from 'preact/hooks';

import type {Alert} from '../api/types';
import {Badge, Empty, Fact, NotHere, Problem, SeverityBadge, Show, Time, Title} from '../components/basics';
import {Dialog} from '../components/dialog';
import {Table, type Column} from '../components/table';
import {plural, whole} from '../format';
import {useChosen} from '../state/pages';
import {useAction, useQuery} from '../state/query';
import {setQuery, to, usePlace, withQuery} from '../state/router';
import {useMay} from '../state/store';
import {linkOf} from './today';

// What instruments tell has kinds of its own: those that are here are offered, too.
const kKinds = ['beacon.new', 'beacon.worse', 'beacon.gone', 'digest', 'leak.new', 'leak.reopened', 'leak.widened',
  'leak.two_way', 'leak.closed', 'probe.silent', 'probe.heard', 'probe.retired_call', 'home.changed',
  'instruments.detector.ev.alert'];

const kColumns: Column<Alert>[] = [
  {key: 'title', title: 'Alert', width: 'minmax(12rem, 3fr)', narrow: true,
    cell: (alert) => <span title={alert.title}>{alert.title}</span>},
  {key: 'severity', title: 'Severity', width: '6.5rem', cell: (alert) => <SeverityBadge severity={alert.severity} />},
  {key: 'kind', title: 'Kind', width: '10rem', cell: (alert) => alert.kind},
  {key: 'time', title: 'When', width: '8rem', narrow: true, cell: (alert) => <Time at={alert.timestamp} short />},
  {key: 'seen', title: 'Acknowledged', width: '10rem', cell: (alert) => alert.acknowledged_by
    ? <Badge tone="quiet" title={alert.acknowledged_reason ?? ''}>by {alert.acknowledged_by}</Badge>
    : <Badge tone="medium">open</Badge>},
];

function One({alert, close, done}: {alert: Alert; close: () => void; done: () => void}) {
  const allowed = useMay('analyst');
  const [reason, setReason] = useState('');
  const act = useAction(async () => {
    await api.decide({alert_id: alert.alert_id, decision: 'acknowledged', reason});
    done();
    close();
  });
  const link = linkOf(alert);
  return (
    <Dialog title={alert.title} close={close}>
      <div class="badges"><SeverityBadge severity={alert.severity} /><Badge tone="quiet">{alert.kind}</Badge></div>
      <p class="pre">{alert.description}</p>
      <dl class="facts">
        <Fact name="When"><Time at={alert.timestamp} /></Fact>
        <Fact name="About">{link.includes('/alerts') ? alert.subject : <a href={link}>{alert.subject || 'all beacons'}</a>}</Fact>
        {alert.acknowledged_by && <Fact name="Acknowledged">“{alert.acknowledged_reason}” — {alert.acknowledged_by},{' '}
          <Time at={alert.acknowledged_at} /></Fact>}
      </dl>
      {!alert.acknowledged_by && allowed && (
        <form class="form" onSubmit={(event) => {
          event.preventDefault();
          void act.run();
        }}>
          <label>What is done about it
            <input required maxLength={500} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
          <div class="buttons"><button class="primary" disabled={act.busy}>Acknowledge</button></div>
          <Problem error={act.error} />
        </form>
      )}
      <details><summary>Details as they were sent</summary>
        <pre tabIndex={0}>{JSON.stringify(alert.details, null, 2)}</pre></details>
    </Dialog>
  );
}

export function Alerts() {
  const {query} = usePlace();
  const kind = query.get('kind') ?? undefined, least = query.get('min') ?? undefined;
  const state = query.get('state'), subject = query.get('subject');
  const alerts = useQuery(`alerts ${kind} ${least} ${state} ${subject}`, () => api.alerts({
    limit: 2000, kind, min_severity: least, acknowledged: state ? state === 'acknowledged' : undefined,
    ...(subject ? {subject} : {})}), ['alert']);
  const rows = alerts.data?.alerts ?? [];
  const chosen = useChosen(rows, query.get('id'), (alert) => alert.alert_id);
  const select = (name: string) => (event: {currentTarget: HTMLSelectElement}) =>
    setQuery({[name]: event.currentTarget.value});
  return (
    <>
      <Title aside={alerts.data && <span class="quiet" role="status">
        {plural(alerts.data.total, 'alert')}
        {alerts.data.next_cursor && `, the newest ${whole(alerts.data.count)} shown`}</span>}>
        Alerts</Title>
      <form class="filters" aria-label="Filter alerts" onSubmit={(event) => event.preventDefault()}>
        <label>At least <select value={least ?? ''} onChange={select('min')}>
          <option value="">any severity</option><option value="MEDIUM">medium</option><option value="HIGH">high</option>
          <option value="CRITICAL">critical</option></select></label>
        <label>State <select value={state ?? ''} onChange={select('state')}>
          <option value="">open and acknowledged</option><option value="open">open</option>
          <option value="acknowledged">acknowledged</option></select></label>
        <label>Kind <select value={kind ?? ''} onChange={select('kind')}>
          <option value="">any</option>
          {[...new Set([...kKinds, ...rows.map((one) => one.kind), ...(kind ? [kind] : [])])]
            .map((word) => <option key={word}>{word}</option>)}</select></label>
        {subject && <button type="button" class="chip on" onClick={() => setQuery({subject: null})}
          aria-label={`Remove the filter ${subject}`}>about {subject} ✕</button>}
      </form>
      {alerts.data && <NotHere of={query.get('id')} found={chosen} list={{rows, loading: false, complete: !alerts.data.next_cursor}} />}
      <Show of={alerts} what="alerts">
        {(data) => data.alerts.length > 0
          ? <Table label="Alerts" rows={data.alerts} columns={kColumns} id={(alert) => alert.alert_id}
              onOpen={(alert) => setQuery({id: alert.alert_id})}
              href={(alert) => withQuery(to('alerts'), {...Object.fromEntries(query), id: alert.alert_id})} total={data.total} />
          : kind || least || state || subject ? <Empty title="No alert fits these filters" />
          : <Empty title="No alert so far">New beacons, leaks and sick instruments make alerts.</Empty>}
      </Show>
      {chosen && <One alert={chosen} close={() => setQuery({id: null})} done={alerts.reload} />}
    </>
  );
}
