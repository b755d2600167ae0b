// Documents compared and changed, leaf by leaf. Pure: tests/web/units.mjs.
import type {Json} from './api/types';

export type JsonObject = {[key: string]: Json};
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// Keys' order says nothing.
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, i) => same(one, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

export const pointer = (...parts: string[]) =>
  parts.map((part) => '/' + part.replace(/~/g, '~0').replace(/\//g, '~1')).join('');

// What `at` points to; null where nothing is.
export const pointedAt = (document: Json, at: string): Json =>
  at.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~')).reduce<Json>((inner, key) =>
    (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? (inner as JsonObject)[key]! : null), document);

// As an entry of its own, whatever the key is called: `__proto__` would set no entry.
export const put = (object: JsonObject, key: string, value: Json) => {
  Object.defineProperty(object, key, {value, enumerable: true, configurable: true, writable: true});
};
const own = (object: JsonObject, key: string): Json | undefined => (Object.hasOwn(object, key) ? object[key] : undefined);

export interface Change {
  pointer: string;
  before: Json | undefined;  // undefined: it is not there
  after: Json | undefined;
}
export function changesOf(before: Json | undefined, after: Json | undefined, at = ''): Change[] {
  if (same(before, after)) return [];
  const inner = [before, after].filter(isObject);
  const leaf = [before, after].some((one) => one !== undefined && !isObject(one));
  if (leaf || inner.every((one) => Object.keys(one).length === 0)) return [{pointer: at, before, after}];
  const [a, b] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .flatMap((key) => changesOf(own(a, key), own(b, key), at + pointer(key)));
}

// The server's lines, "/instances/…: before -> after", ": added after" and ": removed before", values as JSON
// (long ones cut). Values may hold the marks themselves: the split is where both sides are JSON.
export function readLine(line: string): {pointer: string; before: string; after: string} | null {
  for (let colon = line.indexOf(': '); colon >= 0; colon = line.indexOf(': ', colon + 1)) {
    const rest = line.slice(colon + 2);
    const one = /^(added|removed) (.*)$/s.exec(rest);
    if (one && (isJson(one[2]!) || !rest.includes(' -> '))) {
      const [before, after] = one[1] === 'added' ? ['nothing', one[2]!] : [one[2]!, 'nothing'];
      return {pointer: line.slice(0, colon), before, after};
    }
    let first: [string, string] | null = null;
    for (let arrow = rest.indexOf(' -> '); arrow >= 0; arrow = rest.indexOf(' -> ', arrow + 1)) {
      const sides: [string, string] = [rest.slice(0, arrow), rest.slice(arrow + 4)];
      first ??= sides;
      if (sides.every(isJson)) return {pointer: line.slice(0, colon), before: sides[0], after: sides[1]};
    }
    if (first) return {pointer: line.slice(0, colon), before: first[0], after: first[1]};
  }
  return null;
}
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

// What `layer` has to say so that what was `before` becomes `after`: it sets what changed, takes back
// what it said of what goes, and removes by null what others say. `isOthers`: whether a layer besides
// this one has something at a pointer.
export function laidOver(layer: JsonObject, before: JsonObject, after: JsonObject,
  isOthers: (at: string) => boolean, at = ''): JsonObject {
  const out: JsonObject = {...layer};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const was = own(before, key), is = own(after, key), said = own(out, key), here = at + pointer(key);
    if (same(was, is)) continue;
    if (is === undefined) {
      delete out[key];
      if (isOthers(here)) put(out, key, null);
    } else if (isObject(is) && isObject(was)) {
      const inner = laidOver(isObject(said) ? said : {}, was, is, isOthers, here);
      if (Object.keys(inner).length > 0) put(out, key, inner);
      else delete out[key];
    } else {
      put(out, key, is);
    }
  }
  return out;
}
