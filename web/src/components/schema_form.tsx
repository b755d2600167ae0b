// A value of a JSON Schema as a form. What a form cannot show is JSON in a text area, checked as it is typed.
import {useEffect, useState} from 'preact/hooks';

import type {Json} from '../api/types';
import {isObject, pointer, put, same, type JsonObject} from '../json_diff';
import {blank, choicesOf, controlOf, isRequired, propertiesOf, resolve, textOf, typesOf, valueOf,
  type Problems, type Schema} from '../schema_fields';

interface Of {
  schema: Schema;
  root: Schema;
  value: Json | undefined;  // undefined: not given, the default holds
  at: string;               // JSON pointer
  name: string;
  required: boolean;
  isEntry?: boolean;  // of a list, where it stands for itself
  readOnly: boolean;
  problems: Problems;
  set: (value: Json | undefined) => void;
  // What cannot be read as JSON is no value: the form is wrong until it can.
  unread: (at: string, words: string | null) => void;
}

const idOf = (at: string) => 'config' + at.replace(/[^A-Za-z0-9_-]/g, '-');
const text = (value: Json | undefined) => (typeof value === 'string' ? value : '');

// What is said of a value beside its description.
function remarks(schema: Schema, required: boolean): string {
  const words: string[] = [];
  const low = schema['minimum'] ?? schema['exclusiveMinimum'], high = schema['maximum'] ?? schema['exclusiveMaximum'];
  if (low !== undefined && high !== undefined) words.push(`${low} to ${high}`);
  else if (low !== undefined) words.push(`from ${low}`);
  else if (high !== undefined) words.push(`to ${high}`);
  if ('default' in schema && schema['default'] !== '') words.push(`default ${textOf(schema['default'])}`);
  if (required) words.push('required');
  if (schema['writeOnly'] === true) words.push('a secret');
  return words.join(' · ');
}

function read(words: string): Json | undefined {
  try {
    return JSON.parse(words) as Json;
  } catch {
    return undefined;
  }
}

function JsonArea({of, id, described}: {of: Of; id: string; described: string | undefined}) {
  const given = of.value === undefined ? '' : JSON.stringify(of.value, null, 2);
  const [words, setWords] = useState(given);
  const [wrong, setWrong] = useState(false);
  // Another value that did not come from here is shown; what is being typed stays as it is typed.
  useEffect(() => {
    if (!wrong && !same(read(words), of.value)) setWords(given);
  }, [given]);
  const typed = (input: string) => {
    setWords(input);
    if (input.trim() === '') {
      setWrong(false);
      of.unread(of.at, null);
      return of.set(undefined);
    }
    try {
      of.set(JSON.parse(input) as Json);
      setWrong(false);
      of.unread(of.at, null);
    } catch (error) {
      setWrong(true);
      of.unread(of.at, `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return <textarea id={id} class="json" spellcheck={false} disabled={of.readOnly} aria-describedby={described}
    aria-invalid={wrong || of.problems.has(of.at)} rows={Math.min(14, Math.max(3, words.split('\n').length))}
    value={words} onInput={(event) => typed(event.currentTarget.value)} />;
}

function Plain({of, id, described}: {of: Of; id: string; described: string | undefined}) {
  const {schema, value} = of;
  const common = {id, disabled: of.readOnly, 'aria-describedby': described, 'aria-invalid': of.problems.has(of.at),
    'aria-required': of.required};
  const fallback = 'default' in schema ? textOf(schema['default']) : '';
  // An optional text that is emptied is not given; a required one is empty.
  const typed = (input: string) => of.set(input === '' && !of.required ? undefined : valueOf(input, schema));
  switch (controlOf(schema)) {
    case 'choice':
    case 'boolean': {
      const choices: Json[] = choicesOf(schema).length > 0 ? choicesOf(schema) : [true, false];
      const say = (one: Json) => (one === true ? 'yes' : one === false ? 'no' : one === '' ? '(empty)' : String(one));
      const chosen = value === undefined ? '' : String(choices.findIndex((one) => one === value));
      return (
        <select {...common} value={chosen} onChange={(event) => {
          const at = event.currentTarget.value;
          of.set(at === '' ? undefined : choices[Number(at)]);
        }}>
          {(!of.required || value === undefined) && <option value="">
            {'default' in schema ? `default: ${say(schema['default']!)}` : 'not set'}</option>}
          {chosen === '-1' && <option value="-1">{textOf(value)}</option>}
          {choices.map((one, place) => <option key={place} value={String(place)}>{say(one)}</option>)}
        </select>
      );
    }
    case 'long':
    case 'mixed':
      if (typesOf(schema).includes('object') || Number(schema['maxLength'] ?? 0) > 1000) {
        return <textarea {...common} spellcheck={false} placeholder={fallback} value={textOf(value)}
          rows={Math.min(12, Math.max(3, textOf(value).split('\n').length))}
          onInput={(event) => typed(event.currentTarget.value)} />;
      }
      break;
    case 'number':
      return <input {...common} inputMode="decimal" placeholder={fallback} value={textOf(value)}
        onInput={(event) => typed(event.currentTarget.value)} />;
    case 'secret':
      return <input {...common} type="password" autocomplete="off" value={text(value)}
        onInput={(event) => typed(event.currentTarget.value)} />;
    default:
  }
  return <input {...common} spellcheck={false} placeholder={fallback} value={textOf(value)}
    onInput={(event) => typed(event.currentTarget.value)} />;
}

function Words({of, id}: {of: Of; id: string}) {
  const {schema} = of;
  const description = typeof schema['description'] === 'string' ? schema['description'] : '';
  const more = remarks(schema, of.required && !of.isEntry);
  const wrong = of.problems.get(of.at);
  return (
    <>
      {(description || more) && <p class="quiet small" id={id + '-words'}>{description}{description && more && ' – '}{more}</p>}
      {wrong && <p class="problem" id={id + '-wrong'}>{wrong}</p>}
    </>
  );
}

function Part({of}: {of: Of}) {
  const {schema, value, at} = of;
  const id = idOf(at);
  const control = controlOf(schema);
  const title = typeof schema['title'] === 'string' ? schema['title'] : of.name.replace(/_/g, ' ');
  const described = [`${id}-words`, of.problems.has(at) ? `${id}-wrong` : ''].filter(Boolean).join(' ');
  // What is there but is none of what the schema says is shown as it is.
  const fits = value === undefined || (control === 'object' ? isObject(value) : control === 'list' ? Array.isArray(value) : true);
  const isJson = control === 'json' || !fits;
  if (!isJson && (control === 'object' || control === 'list')) {
    return (
      <fieldset class="part" id={id} aria-describedby={described}>
        <legend>{title}</legend>
        <Words of={of} id={id} />
        {value === undefined
          ? !of.readOnly && <div><button type="button" class="small" aria-label={`Set ${title}`}
              onClick={() => of.set(blank(schema, of.root))}>Set it</button></div>
          : <>
              {control === 'object' ? <Fields of={of} value={value as JsonObject} /> : <List of={of} value={value as Json[]} />}
              {!of.required && !of.readOnly && at !== '' && <div><button type="button" class="small"
                aria-label={`Remove ${title}`} onClick={() => of.set(undefined)}>Remove</button></div>}
            </>}
      </fieldset>
    );
  }
  return (
    <div class="part">
      <label for={id}>{title}</label>
      {isJson ? <JsonArea of={of} id={id} described={described} /> : <Plain of={of} id={id} described={described} />}
      <Words of={of} id={id} />
    </div>
  );
}

function Fields({of, value}: {of: Of; value: JsonObject}) {
  const known = propertiesOf(of.schema);
  const others = Object.keys(value).filter((key) => !known.some(([name]) => name === key));
  const change = (key: string, inner: Json | undefined) => {
    const next = {...value};
    if (inner === undefined) delete next[key];
    else put(next, key, inner);
    of.set(next);
  };
  return (
    <>
      {[...known, ...others.map((key): [string, Json] => [key, {}])].map(([key, inner]) => (
        <Part key={key} of={{...of, schema: resolve(inner, of.root), name: key, at: of.at + pointer(key),
          value: Object.hasOwn(value, key) ? value[key] : undefined, isEntry: false, required: isRequired(of.schema, key),
          set: (next) => change(key, next)}} />
      ))}
    </>
  );
}

function List({of, value}: {of: Of; value: Json[]}) {
  const items = resolve(of.schema['items'], of.root);
  const most = of.schema['maxItems'];
  return (
    <>
      {value.map((one, place) => (
        <div class="entry" key={`${place} of ${value.length}`}>
          <Part of={{...of, schema: items, name: `${of.name} ${place + 1}`, at: of.at + pointer(String(place)), value: one,
            required: true, isEntry: true, set: (next) => of.set(next === undefined ? value.filter((_, i) => i !== place)
              : value.map((old, i) => (i === place ? next : old)))}} />
          {!of.readOnly && <button type="button" class="small" aria-label={`Remove ${of.name} ${place + 1}`}
            onClick={() => of.set(value.filter((_, i) => i !== place))}>✕</button>}
        </div>
      ))}
      {!of.readOnly && (typeof most !== 'number' || value.length < most) && <div><button type="button" class="small"
        aria-label={`Add to ${of.name}`} onClick={() => of.set([...value, blank(items, of.root)])}>Add</button></div>}
    </>
  );
}

// `schema` of null: nothing is known of it, so it is JSON as a whole. `unread`: how many texts are no JSON.
export function SchemaForm({schema, value, problems, readOnly, set, unread}: {schema: Schema | null; value: JsonObject;
  problems: Problems; readOnly: boolean; set: (value: JsonObject) => void;
  unread: (at: string, words: string | null) => void}) {
  const [whole, setWhole] = useState(false);
  const isForm = schema !== null && controlOf(schema) === 'object' && !whole;
  const of: Of = {schema: schema ?? {}, root: schema ?? {}, value, at: '', name: 'Configuration', required: true, readOnly,
    problems, unread, set: (next) => isObject(next) && set(next)};
  return (
    <div class="parts">
      {isForm ? <Fields of={of} value={value} /> : (
        <div class="part">
          <label for="config">Configuration as JSON</label>
          <JsonArea of={{...of, set: (next) => {
            if (isObject(next ?? {})) {
              unread('', null);
              set((next ?? {}) as JsonObject);
            } else unread('', 'must be an object');
          }}} id="config" described="config-words" />
          <p class="quiet small" id="config-words">{schema === null ? 'Its schema is not known here; the sensor checks it.'
            : 'Checked against its schema.'}</p>
        </div>
      )}
      {[...problems].filter(([at]) => !isForm || at === '').map(([at, words]) =>
        <p class="problem" key={at}><code>{at || 'the whole'}</code> {words}</p>)}
      {schema !== null && controlOf(schema) === 'object' && <div><button type="button" class="small" onClick={() => {
        unread('', null);
        setWhole(!whole);
      }}>{whole ? 'As a form' : 'As JSON'}</button></div>}
    </div>
  );
}
