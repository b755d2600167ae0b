// What changes, value by value: as the server says it, or of two documents that are here.
import {changesOf, readLine} from '../json_diff';
import type {Json} from '../api/types';

export function DiffLines({lines, label}: {lines: string[]; label?: string}) {
  return (
    <ul class="diff" aria-label={label}>
      {lines.map((line) => {
        const read = readLine(line);
        return <li key={line}>{read ? <Line at={read.pointer} before={read.before} after={read.after} /> : <code>{line}</code>}</li>;
      })}
    </ul>
  );
}

export function Diff({before, after}: {before: Json; after: Json}) {
  const changes = changesOf(before, after);
  if (changes.length === 0) return <p class="quiet">Nothing differs.</p>;
  return (
    <ul class="diff">
      {changes.slice(0, 500).map((one) => (
        <li key={one.pointer}><Line at={one.pointer || '/'} before={written(one.before)} after={written(one.after)} /></li>
      ))}
      {changes.length > 500 && <li class="quiet">and {changes.length - 500} more</li>}
    </ul>
  );
}

const written = (value: Json | undefined) => (value === undefined ? 'nothing' : JSON.stringify(value));

function Line({at, before, after}: {at: string; before: string; after: string}) {
  return <><code>{at}</code> <del>{before}</del> <span aria-hidden="true">→</span><span class="hidden">, then </span>{' '}
    <ins>{after}</ins></>;
}
