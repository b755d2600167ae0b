// The newest events of one sensor or instrument, within its page.
import * as api from '../api/client';
import {Badge, Show, Time} from '../components/basics';
import {useQuery} from '../state/query';
import {to, withQuery} from '../state/router';

export function EventsOf({query}: {query: {edge?: string; instance?: string}}) {
  const list = useQuery('events of ' + JSON.stringify(query), () => api.events({...query, limit: 10}), ['fleet', 'alert', 'instrument_event'], 5000);
  return (
    <Show of={list} what="events">
      {(data) => data.events.length === 0 ? <p class="quiet">It has told of nothing.</p> : (
        <ul class="links">
          {data.events.map((event) => (
            <li key={event.number}>
              <span class="quiet"><Time at={event.time} short /></span>{' '}
              <a href={withQuery(to('events'), {...query, id: String(event.number)})}>{event.type}</a>{' '}
              {event.alert && <Badge tone="high">alert</Badge>} <span class="clamp">{event.message}</span>
            </li>
          ))}
        </ul>
      )}
    </Show>
  );
}
