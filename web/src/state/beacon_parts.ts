// The parts of a ranked list that is read page by page. Pure: tests/web/units.mjs.
import type {ListedBeacon} from '../api/types';

// `from`: the server's cursor where it begins, "" for the first.
export interface Part {
  from: string;
  rows: ListedBeacon[];
  isOld: boolean;  // something changed since it was read
}
// `parts` with the one at `place` read anew: each beacon once. What others pushed out of its end begins the next
// part, which begins where this one now ends, and is old.
export function renewed(parts: Part[], place: number, page: {beacons: ListedBeacon[]; next_cursor: string | null},
  isOld: boolean): Part[] {
  const came = new Set(page.beacons.map((one) => one.identity));
  const had = parts[place]!.rows;
  let kept = had.length;
  while (kept > 0 && !came.has(had[kept - 1]!.identity)) kept--;
  const pushed = had.slice(kept);
  return parts.map((part, at) => {
    if (at === place) return {...part, rows: page.beacons, isOld};
    const rows = part.rows.filter((one) => !came.has(one.identity));
    if (at !== place + 1) return rows.length === part.rows.length ? part : {...part, rows};
    return {from: page.next_cursor ?? part.from, rows: [...pushed, ...rows], isOld: part.isOld || isOld || pushed.length > 0};
  }).slice(0, page.next_cursor === null ? place + 1 : parts.length);
}
