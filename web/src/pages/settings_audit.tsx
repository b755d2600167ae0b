// Who changed what, newest first.
import * as api from '../api/client';
import type {AuditEntry, Json} from '../api/types';
import {Badge, Empty, Fact, Failed, ListProblem, Loading, NotHere, Time} from '../components/basics';
import {Diff} from '../components/diff';
import {Dialog} from '../components/dialog';
import {Table, type Column} from '../components/table';
import {Words} from '../components/words';
import {useChosen, usePages} from '../state/pages';
import {setQuery, to, usePlace, withQuery} from '../state/router';

const kColumns: Column<AuditEntry>[] = [
  {key: 'who', title: 'Who', width: 'minmax(6rem, .8fr)', narrow: true, cell: (one) => one.who || <span class="quiet">nobody</span>},
  {key: 'action', title: 'Did', width: 'minmax(8.5rem, 1.6fr)', narrow: true, cell: (one) => <span title={one.action}>{one.action}</span>},
  {key: 'object', title: 'To', width: 'minmax(8rem, 1.2fr)', cell: (one) => <span title={one.object}>{one.object}</span>},
  {key: 'outcome', title: 'Outcome', width: '8rem', cell: (one) => <Badge tone={one.outcome === 'done' ? 'good' : 'high'}>{one.outcome}</Badge>},
  {key: 'address', title: 'From', width: '9rem', wide: true, cell: (one) => one.address},
  {key: 'time', title: 'When', width: '6.5rem', narrow: true, cell: (one) => <Time at={one.time} short />},
];

const kPage = 500;

export function AuditLog() {
  const {query} = usePlace();
  const who = query.get('who') ?? '', since = query.get('since') ?? '', words = (query.get('q') ?? '').toLowerCase();
  const list = usePages(`audit ${who} ${since}`, kPage, async (cursor, limit) => {
    const page = await api.audit({who, since, limit, ...(cursor ? {cursor} : {})});
    return {rows: page.entries, next: page.next_cursor};
  });
  const rows = list.rows.filter((one) => !words || `${one.action} ${one.object} ${one.outcome} ${one.address}`.toLowerCase().includes(words));
  const chosen = useChosen(list.rows, query.get('id'), (one) => String(one.id));
  return (
    <>
      <form class="filters" role="search" aria-label="Filter the audit log" onSubmit={(event) => event.preventDefault()}>
        <Words name="who" label="Who" example="ana" />
        <Words name="q" label="What" example="fleet/desired, refused" />
        <label>Since <select value={since} onChange={(event) => setQuery({since: event.currentTarget.value})}>
          <option value="">ever</option><option value="1h">an hour ago</option><option value="24h">a day ago</option>
          <option value="7d">a week ago</option></select></label>
      </form>
      {list.rows.length > 0 && <ListProblem error={list.error} retry={list.again} />}
      <NotHere of={query.get('id')} found={chosen} list={list} />
      {rows.length > 0 ? <Table label="Audit log" rows={rows} columns={kColumns} id={(one) => String(one.id)} onNearEnd={list.more}
        href={(one) => withQuery(to('settings', 'audit'), {...Object.fromEntries(query), id: String(one.id)})}
        onOpen={(one) => setQuery({id: String(one.id)})} />
        : list.rows.length === 0 && list.error ? <Failed error={list.error} retry={list.reload} />
        : list.loading ? <Loading what="the audit log" />
        : <Empty title={who || since || words ? 'Nothing fits these filters' : 'Nothing was changed yet'} />}
      {chosen && (
        <Dialog title={chosen.action} close={() => setQuery({id: null})}>
          <dl class="facts">
            <Fact name="Who">{chosen.who || 'nobody'} ({chosen.role})</Fact><Fact name="From">{chosen.address}</Fact>
            <Fact name="When"><Time at={chosen.time} /></Fact><Fact name="Outcome">{chosen.outcome}</Fact>
            <Fact name="To">{chosen.object}</Fact>
          </dl>
          {(chosen.before !== undefined || chosen.after !== undefined) &&
            <Diff before={(chosen.before ?? {}) as Json} after={(chosen.after ?? {}) as Json} />}
        </Dialog>
      )}
    </>
  );
}
