// A leak's way drawn: the probe in its segment, what let it out, and home outside.
import type {Leak} from '../api/types';
import {useNarrow} from './table';

interface Hop {
  what: string;   // probe, gateway, neighbour, resolver, NAT, as, home
  which: string;  // its name or address
  where: string;  // the address of one that has a name
  role: 'probe' | 'door' | 'edge' | 'home';
}

export function hopsOf(leak: Pick<Leak, 'route' | 'inside'>): Hop[] {
  return leak.route.map((words, i) => {
    const space = words.indexOf(' ');
    const what = space < 0 ? words : words.slice(0, space);
    const [, which = '', where = ''] = /^(.*?)(?: \((.*)\))?$/.exec(space < 0 ? '' : words.slice(space + 1)) ?? [];
    const named = {what, which, where};
    if (i === 0) return {...named, role: 'probe'};
    if (i === leak.route.length - 1) return {...named, role: 'home'};
    return what === 'as' ? {...named, what: 'seen as', role: 'edge'}
                         : {...named, role: what === 'NAT' ? 'edge' : 'door'};
  });
}

const kWide = 168, kHigh = 78, kGap = 56;

export function LeakPath({leak}: {leak: Leak}) {
  const narrow = useNarrow();
  const hops = hopsOf(leak);
  const along = narrow ? kHigh + 38 : kWide + kGap;
  const width = narrow ? 300 : hops.length * along - kGap + 8;
  const height = narrow ? hops.length * along - 38 + 8 : kHigh + 34;
  const box = (i: number) => (narrow ? {x: 4, y: 4 + i * along} : {x: 4 + i * along, y: 26});
  const boxWidth = narrow ? 292 : kWide;
  const short = (text: string, most: number) => (text.length > most ? text.slice(0, most - 1) + '…' : text);
  const words = `The way out: ${leak.route.join(', then ')}. ${leak.two_way ? 'Open in both directions.'
                                                                               : 'Seen in one direction.'}`;
  // Inside and outside part before the last hop but those that stand for the outer address.
  const outside = hops.findIndex((hop) => hop.role === 'edge' || hop.role === 'home');
  const border = outside > 0 ? box(outside) : null;
  return (
    <svg class="path" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words}>
      <title>{words}</title>
      {border && !narrow && (
        <g class="border">
          <line x1={border.x - kGap / 2} x2={border.x - kGap / 2} y1={4} y2={height - 2} />
          <text x={border.x - kGap / 2 - 8} y={14} text-anchor="end">the segment</text>
          <text x={border.x - kGap / 2 + 8} y={14}>outside</text>
        </g>
      )}
      {hops.map((hop, i) => {
        const {x, y} = box(i);
        const next = hops[i + 1] && box(i + 1);
        return (
          <g key={i} class={hop.role}>
            <rect x={x} y={y} width={boxWidth} height={kHigh} rx={8} />
            <text x={x + 12} y={y + 24} class="what">{hop.what}</text>
            <text x={x + 12} y={y + 46} class="which">
              <title>{hop.which}</title>{short(hop.which, narrow ? 36 : 20)}
            </text>
            <text x={x + 12} y={y + 65} class="which">{short(hop.where, narrow ? 36 : 20)}</text>
            {next && (narrow
              ? <Arrow x1={150} y1={y + kHigh} x2={150} y2={next.y} both={leak.two_way} />
              : <Arrow x1={x + kWide} y1={y + kHigh / 2} x2={next.x} y2={y + kHigh / 2} both={leak.two_way} />)}
          </g>
        );
      })}
    </svg>
  );
}

function Arrow({x1, y1, x2, y2, both}: {x1: number; y1: number; x2: number; y2: number; both: boolean}) {
  const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
  const head = 'M0 0 L-9 -5 L-9 5 Z';
  return (
    <g class="arrow">
      <line x1={x1} y1={y1} x2={x2} y2={y2} />
      <path d={head} transform={`translate(${x2} ${y2}) rotate(${angle})`} />
      {both && <path d={head} transform={`translate(${x1} ${y1}) rotate(${angle + 180})`} />}
    </g>
  );
}
