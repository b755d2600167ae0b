// The configuration as a form: what is sent is what was changed, and all of it holds or none.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {AllowPreview, ConfigKey, Json} from '../api/types';
import {Badge, Problem, Section, SeverityBadge, Show, Time} from '../components/basics';
import {Sure} from '../components/fleet_bits';
import {percent, plural} from '../format';
import {useAction, useQuery} from '../state/query';
import {to} from '../state/router';
import {useMay} from '../state/store';
import {asText, asValue, fieldsOf, isLong, nested, type Field} from './config_fields';

function Input({field, text, wrong, readOnly, set}: {field: Field; text: string; wrong: string[];
  readOnly: boolean; set: (text: string) => void}) {
  const id = 'key-' + field.key;
  const short = field.key.split('.').slice(1).join(' · ').replace(/_/g, ' ');
  const common = {id, disabled: readOnly, 'aria-describedby': `${id}-words${wrong.length > 0 ? ` ${id}-wrong` : ''}`,
    'aria-invalid': wrong.length > 0};
  const fallback = field.default ?? (field.secret ? 'not set, or hidden' : 'not set');
  return (
    <div class="field">
      <label for={id} title={field.key}>{short}</label>
      <div>
        {field.type === 'boolean' || field.choices.length > 0
          ? <select {...common} value={text} onChange={(event) => set(event.currentTarget.value)}>
              {!text && <option value="">{fallback}</option>}
              {(field.type === 'boolean' ? ['true', 'false'] : field.choices).map((choice) => (
                <option key={choice} value={choice}>
                  {choice === 'true' ? 'yes' : choice === 'false' ? 'no' : choice}</option>
              ))}
            </select>
          : isLong(field)
            ? <textarea {...common} rows={Math.min(8, Math.max(2, text.split('\n').length))} value={text}
                placeholder={field.type === 'entries' ? 'name: value, one a line' : 'one a line'}
                onInput={(event) => set(event.currentTarget.value)} />
            : <input {...common} value={text} placeholder={fallback} spellcheck={false}
                inputMode={field.type === 'count' || field.type === 'number' ? 'decimal' : 'text'}
                onInput={(event) => set(event.currentTarget.value)} />}
        <p class="quiet small-words" id={id + '-words'}>{field.words.replace(/`/g, '')}
          {!isLong(field) && field.type !== 'boolean' && field.choices.length === 0 && ` Takes ${field.takes}.`}</p>
        {wrong.length > 0 && <p class="problem" id={id + '-wrong'}>{wrong.join(' ')}</p>}
      </div>
      <Badge tone="quiet" title={`${field.key}: ${field.origin}`}>
        {field.origin === 'default' ? 'default' : 'set'}</Badge>
    </div>
  );
}

// What an allow-list would hide: seen before it is saved.
function Hidden({preview}: {preview: AllowPreview}) {
  if (preview.beacons_hidden + preview.alerts_hidden === 0) {
    return <p>It hides none of the beacons that are listed now, and would have kept back no alert of the last days.</p>;
  }
  return (
    <>
      <p><strong>It would hide {plural(preview.beacons_hidden, 'beacon')} that{' '}
        {preview.beacons_hidden === 1 ? 'is' : 'are'} listed now, and would have kept back{' '}
        {plural(preview.alerts_hidden, 'alert')}</strong> since <Time at={preview.since} />.</p>
      <ul class="diff">
        {preview.beacons.map((one) => (
          <li key={one.identity}><SeverityBadge severity={one.severity} /> {percent(one.combined_score)}{' '}
            <a href={to('beacons', one.identity)}>{one.identity}</a></li>
        ))}
        {preview.alerts.map((one) => (
          <li key={one.alert_id}><SeverityBadge severity={one.severity} /> <Time at={one.timestamp} short />{' '}
            {one.title}</li>
        ))}
      </ul>
      {(preview.beacons_hidden > preview.beacons.length || preview.alerts_hidden > preview.alerts.length) &&
        <p class="quiet">The first {preview.beacons.length} beacons and {preview.alerts.length} alerts are shown.</p>}
    </>
  );
}

export function ConfigForm({config, schema, sections, done}: {config: {[key: string]: Json}; schema: ConfigKey[];
  sections: string[]; done: () => void}) {
  const allowed = useMay('operator');
  const fields = sections.flatMap((section) => fieldsOf(config, schema, section));
  const [edited, setEdited] = useState(new Map<string, string>());
  const [warnings, setWarnings] = useState<string[]>([]);
  const [preview, setPreview] = useState<AllowPreview | null>(null);
  // The version that the edits began with, by which the server knows whether somebody else came before.
  const [began, setBegan] = useState<Json | null>(null);
  const held = config['version'] ?? null;
  const changes = new Map<string, Json>();
  for (const field of fields) {
    const text = edited.get(field.key);
    if (text === undefined || text === asText(field.value)) continue;
    changes.set(field.key, asValue(text, field));
  }
  const body = {...nested(changes), version: began ?? held};
  const isOther = began !== null && began !== held && changes.size > 0;
  const hides = [...changes.keys()].some((key) => key.startsWith('whitelist.'));
  const save = useAction(async () => {
    if (hides && !preview) {
      setPreview(await api.previewConfig(body));
      return;
    }
    const answer = await api.changeConfig(body);
    setWarnings(answer.warnings);
    setEdited(new Map());
    setPreview(null);
    done();
  });
  const set = (key: string, text: string) => {
    setBegan(edited.size === 0 ? held : began);
    setEdited(new Map(edited).set(key, text));
    setPreview(null);
  };
  // Words of the server that name a key stand beside it.
  const wrongOf = (key: string) => (save.error?.all ?? []).filter((words) => words.includes(`'${key}'`));
  const others = (save.error?.all ?? []).filter((words) => !fields.some((field) => words.includes(`'${field.key}'`)));
  return (
    <form class="config" onSubmit={(event) => {
      event.preventDefault();
      void save.run();
    }}>
      {sections.map((section) => (
        <Section key={section} title={section === 'whitelist' ? 'Allow-list' : section}>
          {section === 'whitelist' && <p class="quiet">What is on it is trusted: its pairs are neither scored nor shown.
            Addresses and blocks; ports as 53 or 53/udp; pairs as source:destination:port with * for any; names as
            *.example.com. What a change would hide is shown before it is saved.</p>}
          {fields.filter((field) => field.key.startsWith(section + '.')).map((field) => (
            <Input key={field.key} field={field} readOnly={!allowed} wrong={wrongOf(field.key)}
              text={edited.get(field.key) ?? asText(field.value)} set={(text) => set(field.key, text)} />
          ))}
        </Section>
      ))}
      {preview && <Section title="What it would hide"><div role="status"><Hidden preview={preview} /></div></Section>}
      {isOther && (
        <div class="stale" role="alert">
          <span>It was changed meanwhile: version {String(held)} holds, and you began with version {String(began)}.</span>
          <button type="button" class="small" onClick={() => {
            setBegan(held);
            setPreview(null);
            save.clear();
          }}>Lay my changes over it</button>
        </div>
      )}
      {allowed ? (
        <div class="bar-below">
          <span role="status">{changes.size === 0 ? 'Nothing is changed' : `Changed: ${[...changes.keys()].join(', ')}`}</span>
          <button type="button" disabled={changes.size === 0} onClick={() => {
            setEdited(new Map());
            setPreview(null);
            save.clear();
          }}>Take back</button>
          <button class="primary" disabled={changes.size === 0 || save.busy}>
            {hides && !preview ? 'See what it would hide' : 'Save'}</button>
        </div>
      ) : <p class="quiet">Changing it needs the role operator.</p>}
      {others.length > 0 && save.error && <Problem error={new api.ApiError(save.error.status, others[0]!, others)} />}
      {warnings.map((words) => <p class="problem" role="status" key={words}>{words}</p>)}
    </form>
  );
}

export function ConfigHistory({done}: {done: () => void}) {
  const history = useQuery('config history', api.configHistory, ['status']);
  const allowed = useMay('operator');
  return (
    <Section title="Versions">
      <Show of={history} what="the history">
        {(data) => (
          <ol class="versions">
            {data.versions.map((version) => (
              <li key={version.version}>
                <div><strong>Version {version.version}</strong>{' '}
                  {version.version === data.current && <Badge tone="good">holds</Badge>}{' '}
                  <span class="quiet"><Time at={version.time} />, {version.who}, by {version.how}</span></div>
                {version.changes.length === 0 ? <p>{version.words}</p> : (
                  <ul class="diff">{version.changes.map((change) => (
                    <li key={change.key}><code>{change.key}</code> <del>{JSON.stringify(change.before)}</del>{' '}
                      <ins>{JSON.stringify(change.after)}</ins></li>
                  ))}</ul>
                )}
                {allowed && version.version !== data.current && <div class="buttons"><Sure small label="Roll back to it …"
                  name={`Roll back to version ${version.version} …`} sure={`Make version ${version.version} hold again`}
                  run={async () => {
                    await api.rollBack(version.version);
                    history.reload();
                    done();
                  }} /></div>}
              </li>
            ))}
          </ol>
        )}
      </Show>
    </Section>
  );
}
