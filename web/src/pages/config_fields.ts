// The configuration's values as a form has them. Pure: tests/web/units.mjs.
import type {ConfigKey, Json} from '../api/types';
import {isObject} from '../json_diff';

export interface Field extends ConfigKey {
  value: Json;
  origin: string;  // "default", or which file and line, or who
}

function valueAt(config: {[key: string]: Json}, key: string): Json {
  let at: Json = config;
  for (const part of key.split('.')) at = isObject(at) ? at[part] ?? null : null;
  return at;
}

// The schema's keys of a section, as they now hold.
export function fieldsOf(config: {[key: string]: Json}, schema: ConfigKey[], section: string): Field[] {
  const origins = config['origins'] ?? null;
  return schema.filter((one) => one.key.startsWith(section + '.')).map((one) => {
    const weight = one.key.replace(/^weights\.(.*)$/, 'detection.$1_weight');
    const known = isObject(origins) ? origins[weight] : undefined;
    return {...one, value: valueAt(config, one.key), origin: typeof known === 'string' ? known : 'default'};
  });
}

export function asText(value: Json): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map(String).join('\n');
  if (isObject(value)) return Object.entries(value).map(([name, text]) => `${name}: ${String(text)}`).join('\n');
  return String(value);
}

const lines = (words: string) => words.split('\n').map((line) => line.trim()).filter(Boolean);

// What is typed, as it is sent. Empty takes a key back to its default; the server checks the rest.
export function asValue(text: string, field: Pick<Field, 'type'>): Json {
  const words = text.trim();
  if (words === '') return null;
  switch (field.type) {
    case 'boolean': return words === 'true';
    case 'texts': return lines(words);
    case 'entries': return Object.fromEntries(lines(words).map((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }));
    case 'text': return words;
    default: return /^-?\d+(\.\d+)?$/.test(words) ? Number(words) : words;
  }
}
export const isLong = (field: Pick<Field, 'type'>) => field.type === 'texts' || field.type === 'entries';

// {"detection.cv_threshold": 0.2} -> {detection: {cv_threshold: 0.2}}
export function nested(changes: Map<string, Json>): {[section: string]: Json} {
  const whole: {[section: string]: Json} = {};
  for (const [key, value] of changes) {
    const parts = key.split('.');
    let at: {[key: string]: Json} = whole;
    for (const part of parts.slice(0, -1)) {
      const inner = at[part];
      at = isObject(inner) ? inner : ((at[part] = {}) as {[key: string]: Json});
    }
    at[parts[parts.length - 1]!] = value;
  }
  return whole;
}
