// All destinations of a host, or all hosts of a destination: what is kept of them, scored or not.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Connection} from '../api/types';
import {Empty, Failed, ListProblem, Loading, Time, Title} from '../components/basics';
import {Table, type Column} from '../components/table';
import {length, plural, whole} from '../format';
import {usePages} from '../state/pages';
import {to, withQuery} from '../state/router';

const kPage = 1000;

function usePairs(of: 'host' | 'destination', address: string) {
  const [total, setTotal] = useState(0);
  const list = usePages(`pairs ${of} ${address}`, kPage, async (cursor, limit) => {
    const page = await api.connections({...(of === 'host' ? {src_ip: address} : {dst_ip: address}), limit,
      ...(cursor ? {cursor} : {})});
    setTotal(page.total);
    return {rows: page.pairs, next: page.next_cursor};
  });
  return {...list, total, pairs: list.rows};
}

export function Peers({of, address}: {of: 'host' | 'destination'; address: string}) {
  const list = usePairs(of, address);
  const columns: Column<Connection>[] = [
    of === 'host'
      ? {key: 'to', title: 'Destination', width: 'minmax(8.5rem, 2fr)', narrow: true, cell: (pair) =>
          <span title={pair.pair_key}>{pair.server_name ? `${pair.server_name} · ${pair.dst_ip}` : pair.dst_ip}</span>}
      : {key: 'from', title: 'Host', width: 'minmax(8.5rem, 2fr)', narrow: true, cell: (pair) =>
          <span title={pair.pair_key}>{pair.src_ip}</span>},
    {key: 'port', title: 'Port', width: '5.5rem', narrow: true, cell: (pair) => `${pair.dst_port}/${pair.protocol}`},
    {key: 'check_ins', title: 'Check-ins', width: '7rem', right: true, cell: (pair) => whole(pair.check_ins)},
    {key: 'connections', title: 'Connections', width: '7rem', right: true, cell: (pair) => whole(pair.connection_count)},
    {key: 'length', title: 'Over', width: '8rem', right: true, cell: (pair) => length(pair.duration_seconds)},
    {key: 'last', title: 'Last seen', width: '6.5rem', narrow: true, cell: (pair) => <Time at={pair.last_seen} short />},
  ];
  return (
    <>
      <p class="crumbs"><a href={to('beacons')}>Beacons</a></p>
      <Title aside={<span class="quiet">{plural(list.total, 'pair')}</span>}>
        {of === 'host' ? `Destinations of ${address}` : `Hosts of ${address}`}</Title>
      <p><a href={withQuery(to('beacons'), of === 'host' ? {src: address} : {dst: address})}>
        Only the beacons among them</a></p>
      {list.pairs.length > 0 && <ListProblem error={list.error} retry={list.again} />}
      {list.pairs.length > 0
        ? <Table label={of === 'host' ? 'Destinations' : 'Hosts'} rows={list.pairs} columns={columns} total={list.total}
            id={(pair) => pair.pair_key + (pair.server_name ?? '')} href={(pair) => to('beacons', pair.pair_key)}
            onNearEnd={list.more} />
        : list.error ? <Failed error={list.error} retry={list.reload} />
        : list.loading ? <Loading what="pairs" />
        : <Empty title="Nothing is kept of this address">It did not talk within what the server retains, or the
            allow-list leaves it out.</Empty>}
    </>
  );
}
