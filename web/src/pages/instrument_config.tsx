// An instrument's configuration: a form made from its schema, said of this sensor or of a group, looked at
// before it is saved, and followed until the sensor says what became of it.
import {useMemo, useState} from 'preact/hooks';

import * as api from '../api/client';
import type {DesiredChanged, FleetDocument, ImageView, Json, ReportedInstance, SensorView} from '../api/types';
import {Badge, Problem, Section} from '../components/basics';
import {Diff, DiffLines} from '../components/diff';
import {Dialog} from '../components/dialog';
import {SchemaForm} from '../components/schema_form';
import {plural} from '../format';
import {isObject, laidOver, pointer, put, same, type JsonObject} from '../json_diff';
import {problemsOf, type Schema} from '../schema_fields';
import {useAction} from '../state/query';
import {go, to} from '../state/router';
import {useMay} from '../state/store';
import {configTone, targetWords} from './fleet_words';

const object = (value: unknown): JsonObject => (isObject(value) ? value : {});

// The document of `layer` that makes the instance's configuration `after`; `sharing`: which layer each
// value of the sensor is from.
function edited(layer: FleetDocument, target: string, instance: string, before: JsonObject, after: JsonObject,
  origin: {[at: string]: string}): FleetDocument {
  const mine = target.startsWith('sensor:') ? 'sensor' : target;
  const root = pointer('instances', instance, 'config');
  const isOthers = (at: string) => Object.entries(origin).some(([leaf, from]) => from !== mine &&
    from !== target && (leaf === root + at || leaf.startsWith(root + at + '/')));
  const instances: JsonObject = {...object(layer.instances)};
  const said = object(instances[instance]);
  put(instances, instance, {...said, config: laidOver(object(said['config']), before, after, isOthers)});
  return {...layer, instances: instances as NonNullable<FleetDocument['instances']>};
}

interface Look {
  document: FleetDocument;
  before: FleetDocument;
  version: number;
  answer: DesiredChanged;
}

function Saving({look, target, close, saved}: {look: Look; target: string; close: () => void; saved: () => void}) {
  const many = look.answer.sensors > 1;
  const [canary, setCanary] = useState(many ? '1' : '');
  const act = useAction(async () => {
    if (canary) {
      const made = await api.startRollout({target, document: look.document, expected_version: look.version, canary: Number(canary)});
      return go(to('fleet', 'rollouts', String(made.id)));
    }
    await api.setDesired(target, {document: look.document, expected_version: look.version});
    saved();
    close();
  });
  const names = Object.entries(look.answer.changed);
  return (
    <Dialog title={`Save for ${targetWords(target)}`} close={close}>
      <h3>In the document of {targetWords(target)}</h3>
      <Diff before={look.before as Json} after={look.document as Json} />
      <h3>What changes on {plural(look.answer.sensors, 'sensor')}</h3>
      {names.length === 0 && <p class="quiet">Nothing: another layer says otherwise, or it is so already.</p>}
      {names.slice(0, 5).map(([name, lines]) => <div key={name}><strong>{name}</strong><DiffLines lines={lines} /></div>)}
      {look.answer.sensors > 5 && names.length > 0 && <p class="quiet">and so on the others</p>}
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void act.run();
      }}>
        {many && <label>How <select value={canary} onChange={(event) => setCanary(event.currentTarget.value)}>
          <option value="1">as a rollout: one sensor first, back by itself if it fails</option>
          <option value="">everywhere at once</option></select></label>}
        <div class="buttons"><button class="primary" disabled={act.busy}>{canary ? 'Start the rollout' : 'Save'}</button></div>
        <Problem error={act.error} />
      </form>
    </Dialog>
  );
}

// What the sensor says of the configuration, as it says it. `before`: the sensor's version when something was
// saved that changes it.
function Outcome({one, sensor, before}: {one: ReportedInstance | undefined; sensor: SensorView; before: number | null}) {
  const state = one?.config?.state;
  const waits = sensor.reported_version < sensor.desired_version || (before !== null && sensor.desired_version <= before);
  return (
    <p role="status" aria-label="Configuration state">
      {waits ? <><Badge tone="low">SENT</Badge> {sensor.state === 'offline' || sensor.state === 'inactive'
        ? 'The sensor is away; it gets it when it is back.' : 'On its way to the sensor.'}</>
        : state ? <><Badge tone={configTone(state)}>{state}</Badge> {one?.config?.reason}
            {state === 'APPLYING' && 'The instrument is taking it.'}</>
        : <span class="quiet">The sensor has said nothing of it.</span>}
    </p>
  );
}

export function InstrumentConfig({sensor, name, image, done}: {sensor: SensorView; name: string; image: ImageView | null;
  done: () => void}) {
  const allowed = useMay('operator');
  const wish = sensor.desired.instances?.[name];
  const one = sensor.reported?.instances?.find((each) => each.name === name);
  const before = useMemo(() => object(wish?.config), [JSON.stringify(wish?.config)]);
  // What is edited, and what it was when that began: what others change meanwhile is theirs.
  const [edit, setEdit] = useState<{base: JsonObject; value: JsonObject} | null>(null);
  const [unread, setUnread] = useState(new Map<string, string>());
  const [target, setTarget] = useState(`sensor:${sensor.name}`);
  const [look, setLook] = useState<Look | null>(null);
  const [savedAt, setSavedAt] = useState<number | null>(null);
  const [turn, setTurn] = useState(0);  // of editing: the form begins anew with each
  const schema = image?.schema ? (image.schema as Schema) : null;
  const base = edit?.base ?? before, draft = edit?.value ?? before;
  const problems = useMemo(() => {
    const found = schema ? problemsOf(schema, draft) : new Map<string, string>();
    unread.forEach((words, at) => found.set(at, words));
    return found;
  }, [schema, draft, unread]);
  const changed = unread.size > 0 || !same(base, draft);
  const reset = () => {
    setEdit(null);
    setUnread(new Map());
    setTurn(turn + 1);
    see.clear();
  };
  const see = useAction(async () => {
    const layer = await api.desired(target);
    const document = edited(layer.document, target, name, base, draft, sensor.origin);
    setLook({document, before: layer.document, version: layer.version,
      answer: await api.setDesired(target, {document, expected_version: layer.version, dry_run: true})});
  });
  // The defaults of the image hold where nothing was said.
  const defaults = object(image?.defaults);
  return (
    <Section title="Configuration" aside={<Outcome one={one} sensor={sensor} before={savedAt} />}>
      {!wish ? <p class="quiet">No document wishes for it: it is {one ? 'being removed, or of a file of the sensor’s own' : 'not here'}.</p> : (
        <form onSubmit={(event) => {
          event.preventDefault();
          void see.run();
        }}>
          {wish.config === undefined || wish.config === null
            ? <p class="quiet">Nothing is set: the image’s defaults hold{Object.keys(defaults).length > 0 && <>, <code>{JSON.stringify(defaults)}</code></>}.</p>
            : null}
          <SchemaForm key={turn} schema={schema} value={draft} problems={problems} readOnly={!allowed}
            set={(value) => setEdit({base, value})}
            unread={(at, words) => {
              const next = new Map(unread);
              if (words === null) next.delete(at);
              else next.set(at, words);
              if (next.size > 0 || unread.size > 0) setUnread(next);
              if (next.size > 0) setEdit((old) => old ?? {base, value: draft});
            }} />
          {changed && !same(base, before) && (
            <div class="problem" role="alert">
              <p>It was changed meanwhile. What you changed is laid over that:</p>
              <Diff before={base} after={before} />
            </div>
          )}
          {allowed ? (
            <div class="bar-below">
              <span role="status">{problems.size > 0 && changed ? plural(problems.size, 'value') + ' cannot be taken'
                : changed ? 'Changed, and not saved' : 'Nothing is changed'}</span>
              <label>For <select value={target} onChange={(event) => setTarget(event.currentTarget.value)}>
                <option value={`sensor:${sensor.name}`}>this sensor</option>
                {sensor.groups.map((group) => <option key={group} value={`group:${group}`}>group {group}</option>)}
                <option value="fleet">the whole fleet</option></select></label>
              <button type="button" disabled={!changed} onClick={reset}>Take back</button>
              <button class="primary" disabled={!changed || problems.size > 0 || see.busy}>See what changes …</button>
            </div>
          ) : <p class="quiet">Changing it needs the role operator.</p>}
          <Problem error={see.error} />
        </form>
      )}
      {look && <Saving look={look} target={target} close={() => setLook(null)} saved={() => {
        if (look.answer.changed[sensor.name]) setSavedAt(sensor.desired_version);
        reset();
        done();
      }} />}
    </Section>
  );
}
