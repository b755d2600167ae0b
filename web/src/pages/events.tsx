// What sensors and their instruments told, newest first.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {InstrumentEvent} from '../api/types';
import {Badge, Copy, Empty, Fact, Failed, ListProblem, Loading, NotHere, Time, Title} from '../components/basics';
import {Dialog} from '../components/dialog';
import {Table, type Column} from '../components/table';
import {Words} from '../components/words';
import {useChosen, usePages} from '../state/pages';
import {setQuery, to, usePlace, withQuery} from '../state/router';

const kPage = 500;

const kColumns: Column<InstrumentEvent>[] = [
  {key: 'type', title: 'Event', width: 'minmax(11rem, 1.4fr)', narrow: true,
    cell: (event) => <span title={event.type}>{event.type}</span>},
  {key: 'source', title: 'From', width: 'minmax(9rem, 1fr)', cell: (event) => event.source},
  {key: 'message', title: 'Words', width: 'minmax(10rem, 2fr)',
    cell: (event) => <span title={event.message}>{event.message}</span>},
  {key: 'alert', title: 'Alert', width: '5rem', cell: (event) => event.alert && <Badge tone="high">alert</Badge>},
  {key: 'time', title: 'When', width: '7rem', narrow: true, cell: (event) => <Time at={event.time} short />},
];

function One({event, close}: {event: InstrumentEvent; close: () => void}) {
  return (
    <Dialog title={event.type} close={close}>
      {event.message && <p class="pre">{event.message}</p>}
      <dl class="facts">
        <Fact name="From">{event.source}</Fact>
        <Fact name="When, by its clock"><Time at={event.time} /></Fact>
        <Fact name="Came here"><Time at={event.accepted} /></Fact>
        <Fact name="Alert">{event.alert
          ? <a href={withQuery(to('alerts'), {id: event.alert})}>the alert it made</a> : 'none came of it'}</Fact>
        <Fact name="Belongs to">{event.context_uuid
          ? <a href={withQuery(to('events'), {context: event.context_uuid})}>events of {event.context_uuid}</a>
          : <a href={withQuery(to('events'), {context: event.uuid})}>events that name it</a>}</Fact>
      </dl>
      <Copy label="uuid" text={event.uuid} />
      <pre tabIndex={0}>{JSON.stringify(event.data, null, 2)}</pre>
    </Dialog>
  );
}

// A time by the reader's clock; in the address it is UTC, so that a colleague elsewhere sees the same.
function TimeInput({name, label}: {name: string; label: string}) {
  const {query} = usePlace();
  const given = query.get(name);
  const at = given ? new Date(given) : null;
  const two = (n: number) => String(n).padStart(2, '0');
  const value = at && !Number.isNaN(at.getTime()) ? `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
    + `T${two(at.getHours())}:${two(at.getMinutes())}` : '';
  return <label>{label} <input type="datetime-local" value={value} onChange={(event) => {
    const chosen = new Date(event.currentTarget.value);
    setQuery({[name]: Number.isNaN(chosen.getTime()) ? null : chosen.toISOString()});
  }} /></label>;
}

const isLength = (text: string) => /^\d+[smhdw]$/.test(text);

export function Events() {
  const {query} = usePlace();
  const since = query.get('since') ?? '';
  const [ranged, setRanged] = useState(false);
  const span = ranged || query.get('until') || (since && !isLength(since)) ? 'range' : since;
  const setSpan = (chosen: string) => {
    setRanged(chosen === 'range');
    setQuery({since: chosen === 'range' ? null : chosen, until: null});
  };
  const asked: Record<string, string> = {};
  for (const name of ['q', 'type', 'instance', 'edge', 'context', 'since', 'until']) {
    const value = query.get(name);
    if (value) asked[name] = value;
  }
  const list = usePages('events ' + JSON.stringify(asked), kPage, async (cursor, limit) => {
    const page = await api.events({...asked, limit, ...(cursor ? {cursor} : {})});
    return {rows: page.events, next: page.next_cursor};
  }, ['alert', 'instrument_event']);
  const chosen = useChosen(list.rows, query.get('id'), (event) => String(event.number));
  return (
    <>
      <Title>Events</Title>
      <form class="filters" role="search" aria-label="Filter events" onSubmit={(event) => event.preventDefault()}>
        <Words name="q" label="Search" example="words in type, message or data" />
        <Words name="type" label="Type" example="*.ev.alert" />
        <Words name="instance" label="Instrument" example="beacon_0@sensor001" />
        <Words name="edge" label="Sensor" example="sensor001" />
        <label>Since <select value={span} onChange={(event) => setSpan(event.currentTarget.value)}>
          <option value="">ever</option><option value="1h">an hour ago</option><option value="24h">a day ago</option>
          <option value="7d">a week ago</option><option value="range">between two times</option></select></label>
        {span === 'range' && <>
          <TimeInput name="since" label="From" /><TimeInput name="until" label="To" />
        </>}
        {query.get('context') && <button type="button" class="chip on" onClick={() => setQuery({context: null})}
          aria-label="Remove the filter context">context {query.get('context')} ✕</button>}
      </form>
      {list.rows.length > 0 && <ListProblem error={list.error} retry={list.again} />}
      <NotHere of={query.get('id')} found={chosen} list={list} />
      {list.rows.length > 0
        ? <Table label="Events" rows={list.rows} columns={kColumns} id={(event) => String(event.number)}
            onOpen={(event) => setQuery({id: String(event.number)})} onNearEnd={list.more}
            href={(event) => withQuery(to('events'), {...Object.fromEntries(query), id: String(event.number)})} />
        : list.error ? <Failed error={list.error} retry={list.reload} />
        : list.loading ? <Loading what="events" />
        : Object.keys(asked).length > 0 ? <Empty title="No event fits these filters" />
        : <Empty title="No instrument has told anything">Sensors send what their instruments report.</Empty>}
      {chosen && <One event={chosen} close={() => setQuery({id: null})} />}
    </>
  );
}
