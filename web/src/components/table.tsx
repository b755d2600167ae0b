// A table of any number of rows: only those in view are in the document. One stop for the Tab key;
// arrows, Page Up and Down, Home and End move, Enter opens.
import type {ComponentChildren} from 'preact';
import {useEffect, useLayoutEffect, useMemo, useRef, useState} from 'preact/hooks';

import {go} from '../state/router';

export interface Column<R> {
  key: string;
  title: string;
  width: string;  // of a grid's track: "7rem", "minmax(12rem, 2fr)"
  cell: (row: R) => ComponentChildren;
  sortable?: boolean;
  narrow?: boolean;  // also shown on a narrow screen
  wide?: boolean;    // only on a wide one
  right?: boolean;
}

interface Props<R> {
  label: string;
  rows: R[];
  columns: Column<R>[];
  id: (row: R) => string;
  href?: (row: R) => string;
  onOpen?: (row: R) => void;
  sort?: {key: string; down: boolean};
  onSort?: (key: string) => void;
  total?: number;  // of rows, where not all are here yet
  onNearEnd?: () => void;
  onView?: (first: number, end: number) => void;  // which rows are drawn
}

const kRow = 44;  // pixels, as in style.css
const kAhead = 8;
const kNarrow = window.matchMedia('(max-width: 760px)');
const kWide = window.matchMedia('(min-width: 1400px)');

function useMedia(query: MediaQueryList): boolean {
  const [matches, setMatches] = useState(query.matches);
  useEffect(() => {
    const tell = () => setMatches(query.matches);
    query.addEventListener('change', tell);
    return () => query.removeEventListener('change', tell);
  }, []);
  return matches;
}
export const useNarrow = () => useMedia(kNarrow);

export function Table<R>(props: Props<R>) {
  const {rows, id, href} = props;
  const narrow = useNarrow(), wide = useMedia(kWide);
  const columns = props.columns.filter((column) => (narrow ? column.narrow : wide || !column.wide));
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState<string | null>(null);  // of the row: its place changes as others come
  const [focused, setFocused] = useState(false);
  const place = useRef(0);
  const at = useMemo(() => {
    const found = active === null ? -1 : rows.findIndex((row) => id(row) === active);
    return found >= 0 ? found : Math.min(place.current, rows.length - 1);
  }, [rows, active]);
  place.current = Math.max(0, at);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setHeight(element.clientHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / kRow) - kAhead);
  const end = Math.min(rows.length, Math.ceil((top + height) / kRow) + kAhead);
  useEffect(() => {
    if (end >= rows.length - kAhead) props.onNearEnd?.();
  }, [end, rows.length]);
  useEffect(() => props.onView?.(first, end), [first, end]);

  const open = (row: R) => {
    if (props.onOpen) props.onOpen(row);
    else if (href) go(href(row));
  };
  const show = (index: number) => {
    setActive(id(rows[index]!));
    const element = box.current;
    if (!element) return;
    const head = kRow;
    const from = index * kRow;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + kRow + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = from + kRow + head - element.clientHeight;
    }
  };
  const keys = (event: KeyboardEvent) => {
    if (event.target !== box.current || rows.length === 0) return;
    const page = Math.max(1, Math.floor(height / kRow) - 2);
    const where: Record<string, number> = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1,
    };
    const next = where[event.key];
    if (next !== undefined) {
      event.preventDefault();
      show(Math.max(0, Math.min(rows.length - 1, next)));
    } else if (event.key === 'Enter' && rows[at]) {
      event.preventDefault();
      open(rows[at]);
    }
  };
  const rowId = (index: number) => `row-${index}`;
  const tracks = {gridTemplateColumns: columns.map((column) => column.width).join(' ')};
  const opens = props.onOpen || href;

  return (
    <div class="table" role="grid" tabIndex={0} ref={box} aria-label={props.label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      aria-activedescendant={focused && at >= first && at < end ? rowId(at) : undefined} onKeyDown={keys}
      onFocus={(event) => setFocused(event.target === box.current)} onBlur={() => setFocused(false)}
      onScroll={() => box.current && setTop(box.current.scrollTop)}>
      <div class="row head" role="row" aria-rowindex={1} style={tracks}>
        {columns.map((column) => {
          const sorted = props.sort?.key === column.key;
          return (
            <div role="columnheader" key={column.key} class={column.right ? 'right' : ''}
              aria-sort={sorted ? (props.sort!.down ? 'descending' : 'ascending') : undefined}>
              {column.sortable && props.onSort ? (
                <button type="button" class="plain" onClick={() => props.onSort!(column.key)}>
                  {column.title}{sorted && <span aria-hidden="true">{props.sort!.down ? ' ↓' : ' ↑'}</span>}
                </button>
              ) : column.title}
            </div>
          );
        })}
      </div>
      <div role="rowgroup" class="rows" style={{height: `${rows.length * kRow}px`}}>
        {rows.slice(first, end).map((row, offset) => {
          const index = first + offset;
          return (
            <div role="row" key={id(row)} id={rowId(index)} aria-rowindex={index + 2}
              class={`row${index === at && focused ? ' active' : ''}${opens ? ' opens' : ''}`}
              style={{...tracks, top: `${index * kRow}px`}}
              onClick={(event) => {
                setActive(id(row));
                if (!(event.target as Element).closest('a, button') && opens &&
                    !window.getSelection()?.toString()) open(row);
              }}>
              {columns.map((column, place) => (
                <div role="gridcell" key={column.key} class={column.right ? 'right' : ''}>
                  {place === 0 && href
                    ? <a href={href(row)} tabIndex={-1}>{column.cell(row)}</a> : column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
