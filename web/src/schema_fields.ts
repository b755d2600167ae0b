// A JSON Schema as a form: what shows each value, and what is wrong with it. Pure: tests/web/units.mjs.
// The server and the sensor check what is sent; what this does not know, it lets pass.
import type {Json} from './api/types';
import {isObject, pointer, put, same, type JsonObject} from './json_diff';

export type Schema = JsonObject;
export type Control = 'text' | 'long' | 'secret' | 'number' | 'boolean' | 'choice' | 'list' | 'object' | 'mixed' | 'json';

const kBeyond = ['oneOf', 'anyOf', 'allOf', 'not', 'if', 'patternProperties', 'dependencies', 'dependentSchemas', 'contains',
  'prefixItems'];

// `#/definitions/…` of the same document; what leads nowhere, or in a circle, is any value.
export function resolve(schema: Json | undefined, root: Schema): Schema {
  let at: Json | undefined = schema;
  for (let steps = 0; steps < 8; steps++) {
    if (!isObject(at)) return {};
    const ref = at['$ref'];
    if (typeof ref !== 'string') return at;
    if (!ref.startsWith('#/')) return {};
    at = ref.slice(2).split('/').reduce<Json | undefined>((inner, part) => {
      const key = decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~');
      return isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined;
    }, root);
  }
  return {};
}

export const typesOf = (schema: Schema): string[] => {
  const type = schema['type'];
  return typeof type === 'string' ? [type] : Array.isArray(type) ? type.filter((one) => typeof one === 'string') : [];
};
export const propertiesOf = (schema: Schema): [string, Json][] =>
  isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
export const isRequired = (schema: Schema, key: string) =>
  Array.isArray(schema['required']) && schema['required'].includes(key);
export const choicesOf = (schema: Schema): Json[] =>
  'const' in schema ? [schema['const']!] : Array.isArray(schema['enum']) ? schema['enum'] : [];

export const isPlain = (value: Json) => value === null || typeof value !== 'object';

export function controlOf(schema: Schema): Control {
  const types = typesOf(schema);
  const choices = choicesOf(schema);
  if (choices.length > 0) return choices.every(isPlain) ? 'choice' : 'json';
  if (kBeyond.some((key) => key in schema)) return 'json';
  if (types.length > 1) {
    return types.includes('string') && !types.includes('array') ? 'mixed' : 'json';
  }
  switch (types[0] ?? (isObject(schema['properties']) ? 'object' : '')) {
    case 'string':
      return Number(schema['maxLength'] ?? 0) > 1000 ? 'long' : schema['writeOnly'] === true ? 'secret' : 'text';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return isObject(schema['items']) ? 'list' : 'json';
    case 'object':
      return propertiesOf(schema).length > 0 && !isObject(schema['additionalProperties']) ? 'object' : 'json';
    default:
      return 'json';
  }
}

// What is typed, as the value that is meant. What is no number stays as it is typed, and is wrong.
export function valueOf(text: string, schema: Schema): Json {
  const types = typesOf(schema);
  const number = types.includes('number') || types.includes('integer');
  if (number && /^\s*-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(text)) return Number(text);
  if (types.length > 1) {
    try {
      const value = JSON.parse(text) as Json;
      if (typeof value !== 'string' && types.some((type) => isOf(value, type))) return value;
    } catch {
      // plain words
    }
  }
  return text;
}
export const textOf = (value: Json | undefined): string =>
  value === undefined ? '' : typeof value === 'string' ? value : isPlain(value) ? String(value) : JSON.stringify(value, null, 2);

// A first value for an entry that is added.
export function blank(schema: Schema, root: Schema): Json {
  if ('default' in schema) return schema['default']!;
  const choices = choicesOf(schema);
  if (choices.length > 0) return choices[0]!;
  switch (typesOf(schema)[0]) {
    case 'integer':
    case 'number': {
      const least = schema['minimum'];
      return typeof least === 'number' && least > 0 ? least : 0;
    }
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object': {
      const out: JsonObject = {};
      for (const [key, inner] of propertiesOf(schema)) {
        if (isRequired(schema, key)) put(out, key, blank(resolve(inner, root), root));
      }
      return out;
    }
    default:
      return '';
  }
}

function isOf(value: Json, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    default:
      return true;
  }
}
const kWords: Record<string, string> = {
  null: 'null', boolean: 'yes or no', string: 'a text', number: 'a number', integer: 'a whole number', array: 'a list',
  object: 'an object',
};

// A pattern as JSON Schema means it, or nothing where this browser cannot read it.
function expression(pattern: string): RegExp | null {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      // The other way, or not at all.
    }
  }
  return null;
}

const kDeepest = 32;
export type Problems = Map<string, string>;  // by pointer

export function problemsOf(schema: Schema, value: Json, root = schema, at = '', depth = 0,
  found: Problems = new Map()): Problems {
  const say = (words: string) => {
    if (!found.has(at)) found.set(at, words);
  };
  if (depth > kDeepest) return found;
  const types = typesOf(schema);
  if (types.length > 0 && !types.some((type) => isOf(value, type))) {
    say(`must be ${types.map((type) => kWords[type] ?? type).join(' or ')}`);
    return found;
  }
  const choices = choicesOf(schema);
  if (choices.length > 0 && !choices.some((one) => same(one, value))) {
    say(`must be ${choices.map((one) => textOf(one)).join(', ')}`);
  }
  const limit = (key: string) => (typeof schema[key] === 'number' ? (schema[key] as number) : null);
  const check = (key: string, wrong: (bound: number) => boolean, words: (bound: number) => string) => {
    const bound = limit(key);
    if (bound !== null && wrong(bound)) say(words(bound));
  };
  if (typeof value === 'number') {
    check('minimum', (n) => value < n, (n) => `must be ${n} or more`);
    check('maximum', (n) => value > n, (n) => `must be ${n} or less`);
    check('exclusiveMinimum', (n) => value <= n, (n) => `must be more than ${n}`);
    check('exclusiveMaximum', (n) => value >= n, (n) => `must be less than ${n}`);
    check('multipleOf', (n) => n > 0 && Math.abs(value / n - Math.round(value / n)) > 1e-9, (n) => `must be a multiple of ${n}`);
  } else if (typeof value === 'string') {
    const characters = [...value].length;
    check('minLength', (n) => characters < n, (n) => (n === 1 ? 'must not be empty' : `must have ${n} characters or more`));
    check('maxLength', (n) => characters > n, (n) => `must have ${n} characters or fewer`);
    const pattern = schema['pattern'];
    if (typeof pattern === 'string' && expression(pattern)?.test(value) === false) say(`must fit ${pattern}`);
  } else if (Array.isArray(value)) {
    check('minItems', (n) => value.length < n, (n) => `must have ${n} entries or more`);
    check('maxItems', (n) => value.length > n, (n) => `must have ${n} entries or fewer`);
    if (schema['uniqueItems'] === true && value.some((one, i) => value.slice(i + 1).some((other) => same(one, other)))) {
      say('must not have an entry twice');
    }
    if (isObject(schema['items'])) {
      const items = resolve(schema['items'], root);
      value.forEach((one, i) => problemsOf(items, one, root, at + pointer(String(i)), depth + 1, found));
    }
  } else if (isObject(value)) {
    const known = new Map(propertiesOf(schema));
    for (const key of Array.isArray(schema['required']) ? schema['required'] : []) {
      if (typeof key === 'string' && !Object.hasOwn(value, key)) found.set(at + pointer(key), 'is required');
    }
    for (const [key, inner] of Object.entries(value)) {
      const here = at + pointer(key);
      if (known.has(key)) problemsOf(resolve(known.get(key), root), inner, root, here, depth + 1, found);
      else if (isObject(schema['additionalProperties'])) {
        problemsOf(resolve(schema['additionalProperties'], root), inner, root, here, depth + 1, found);
      } else if (schema['additionalProperties'] === false && !('patternProperties' in schema)) {
        found.set(here, 'is no key of this');
      }
    }
  }
  return found;
}
