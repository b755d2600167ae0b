// All beacons, ranked. Filters and order stand in the address; saved views are addresses with names.
import {useState} from 'preact/hooks';

import type {ListedBeacon} from '../api/types';
import {Badge, Empty, Failed, ListProblem, Loading, SeverityBadge, Time, Title} from '../components/basics';
import {DecisionBadge} from '../components/triage_box';
import {Table, type Column} from '../components/table';
import {Words} from '../components/words';
import {length, percent, whole} from '../format';
import {savedViews, saveViews, type SavedView} from '../state/kept';
import {useBeacons} from '../state/beacon_list';
import {go, setQuery, to, usePlace} from '../state/router';

const nameOf = (beacon: ListedBeacon) => beacon.server_name ?? beacon.dst_name ?? beacon.dst_ip;
const kGivenViews: SavedView[] = [
  {name: 'All', query: ''},
  {name: 'Nothing decided', query: 'triage=open'},
  {name: 'High and critical', query: 'severity=HIGH'},
  {name: 'Newest first', query: 'sort=first'},
];

const kColumns: Column<ListedBeacon>[] = [
  {key: 'score', title: 'Score', width: '4.4rem', sortable: true, right: true, narrow: true,
    cell: (beacon) => percent(beacon.combined_score)},
  {key: 'severity', title: 'Severity', width: '5.2rem', sortable: true,
    cell: (beacon) => <SeverityBadge severity={beacon.severity} />},
  {key: 'source', title: 'Host', width: 'minmax(6.5rem, 1fr)', sortable: true, narrow: true,
    cell: (beacon) => <span title={beacon.src_ip}>{beacon.src_name ?? beacon.src_ip}</span>},
  {key: 'destination', title: 'Calls', width: 'minmax(9.5rem, 1.7fr)', sortable: true, narrow: true,
    cell: (beacon) => <span title={beacon.identity}>{nameOf(beacon)}
      <span class="quiet">:{beacon.dst_port}/{beacon.protocol}</span></span>},
  {key: 'interval', title: 'Every', width: '6.4rem', sortable: true, right: true,
    cell: (beacon) => length(beacon.interval_seconds)},
  {key: 'check_ins', title: 'Check-ins', width: '6rem', wide: true, sortable: true, right: true,
    cell: (beacon) => whole(beacon.check_ins)},
  {key: 'last', title: 'Last seen', width: '6.2rem', sortable: true, cell: (beacon) =>
    <Time at={beacon.last_seen} short />},
  {key: 'why', title: 'Why', width: 'minmax(7rem, 1.7fr)', cell: (beacon) =>
    <span title={beacon.summary}>{beacon.summary}</span>},
  {key: 'triage', title: 'Triage', width: '7.4rem', cell: (beacon) =>
    beacon.ours ? <Badge tone="quiet" title={beacon.ours}>ours</Badge> : <DecisionBadge decision={beacon.triage} />},
];

function Views({query}: {query: URLSearchParams}) {
  const [own, setOwn] = useState(() => savedViews('beacons'));
  const now = query.toString();
  const save = () => {
    const name = window.prompt('A name for this view')?.trim();
    if (!name) return;
    const views = [...own.filter((view) => view.name !== name), {name, query: now}];
    setOwn(views);
    saveViews('beacons', views);
  };
  const forget = (view: SavedView) => {
    const views = own.filter((one) => one !== view);
    setOwn(views);
    saveViews('beacons', views);
  };
  return (
    <nav class="views" aria-label="Saved views">
      {[...kGivenViews, ...own].map((view) => (
        <span key={view.name}>
          <a class={`chip${view.query === now ? ' on' : ''}`} aria-current={view.query === now ? 'true' : undefined}
            href={to('beacons') + (view.query ? '?' + view.query : '')}>{view.name}</a>
          {own.includes(view) && <button type="button" class="small plain" onClick={() => forget(view)}
            aria-label={`Forget the view ${view.name}`}>✕</button>}
        </span>
      ))}
      <button type="button" class="small" onClick={save}>Save this view …</button>
    </nav>
  );
}

function Filters({query}: {query: URLSearchParams}) {
  const select = (name: string) => (event: {currentTarget: HTMLSelectElement}) =>
    setQuery({[name]: event.currentTarget.value});
  return (
    <form class="filters" role="search" aria-label="Filter beacons" onSubmit={(event) => event.preventDefault()}>
      <Words name="q" label="Search" example="address, name, words" />
      <label>At least <select value={query.get('severity') ?? ''} onChange={select('severity')}>
        <option value="">any severity</option><option value="MEDIUM">medium</option>
        <option value="HIGH">high</option><option value="CRITICAL">critical</option>
      </select></label>
      <label>Triage <select value={query.get('triage') ?? ''} onChange={select('triage')}>
        <option value="">any</option><option value="open">nothing decided</option>
        <option value="acknowledged">acknowledged</option><option value="benign">benign</option>
      </select></label>
      <label class="check"><input type="checkbox" checked={query.get('gone') === '1'}
        onChange={(event) => setQuery({gone: event.currentTarget.checked ? '1' : null})} /> also gone ones</label>
      {['src', 'dst'].map((name) => query.get(name) && (
        <button type="button" class="chip on" key={name} onClick={() => setQuery({[name]: null})}
          aria-label={`Remove the filter ${name} ${query.get(name)}`}>
          {name === 'src' ? 'host' : 'destination'} {query.get(name)} ✕</button>
      ))}
    </form>
  );
}

export function Beacons() {
  const {query} = usePlace();
  const given = (name: string) => query.get(name) ?? undefined;
  const sort = (query.get('sort') ?? 'score').replace(/^-/, '');
  const down = !(query.get('sort') ?? '').startsWith('-');
  const list = useBeacons({sort: given('sort'), q: given('q'), min_severity: given('severity'),
    triage: given('triage'), src: given('src'), dst: given('dst'), with_gone: query.get('gone') === '1'});
  const filtered = ['q', 'severity', 'triage', 'src', 'dst'].some((name) => query.get(name));

  return (
    <>
      <Title aside={<span class="quiet" role="status">{whole(list.total)}{filtered ? ' fit' : ''}</span>}>Beacons</Title>
      <Views query={query} />
      <Filters query={query} />
      {list.beacons.length > 0 && <ListProblem error={list.error} retry={list.again} />}
      {list.beacons.length === 0 && list.error ? <Failed error={list.error} retry={list.again} />
        : list.beacons.length === 0 && list.loading ? <Loading what="beacons" />
        : list.beacons.length === 0 ? (
          filtered
            ? <Empty title="No beacon fits these filters">
                <button type="button" onClick={() => go(to('beacons'))}>Remove all filters</button></Empty>
            : <Empty title="No beacon has been found">
                The server looks at all traffic that edges send, every analysis anew. <a href={to('edges')}>
                See who sends</a>.</Empty>
        ) : (
          <Table label="Beacons" rows={list.beacons} columns={kColumns} id={(beacon) => beacon.identity}
            href={(beacon) => to('beacons', beacon.identity)} sort={{key: sort, down}} total={list.total}
            onSort={(key) => setQuery({sort: key === sort && down ? '-' + key : key === 'score' ? null : key})}
            onNearEnd={list.more} onView={list.view} />
        )}
    </>
  );
}
