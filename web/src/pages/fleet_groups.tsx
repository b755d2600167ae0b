// Groups: which sensors each chooses, which of them has the last word, and what its document says.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Desired, DesiredChanged, FleetDocument, Group, Json} from '../api/types';
import {Badge, Empty, Fact, Problem, Section, Show, Time, Title} from '../components/basics';
import {Diff, DiffLines} from '../components/diff';
import {Dialog} from '../components/dialog';
import {DocumentHistory} from '../components/document_history';
import {FleetTabs, Lost, SaveButton, Sure} from '../components/fleet_bits';
import {Table, type Column} from '../components/table';
import {plural} from '../format';
import {isObject, laidOver, same, type JsonObject} from '../json_diff';
import {useAction, useQuery} from '../state/query';
import {go, to, withQuery} from '../state/router';
import {useMay} from '../state/store';
import {concernsDocuments, targetWords} from './fleet_words';

const kColumns: Column<Group>[] = [
  {key: 'name', title: 'Group', width: 'minmax(7rem, 1fr)', narrow: true, cell: (one) => one.name},
  {key: 'selector', title: 'Chooses', width: 'minmax(8rem, 1.5fr)', narrow: true, cell: (one) => <code>{one.selector}</code>},
  {key: 'priority', title: 'Priority', width: '6rem', right: true, cell: (one) => String(one.priority)},
  {key: 'sensors', title: 'Sensors', width: '5rem', right: true, narrow: true, cell: (one) => String(one.sensors)},
  {key: 'instances', title: 'Instruments', width: 'minmax(7rem, 1.5fr)', cell: (one) => one.instances.join(', ')},
  {key: 'version', title: 'Version', width: '6rem', right: true, wide: true, cell: (one) => String(one.version)},
];

function GroupForm({group, close, done}: {group: Group | null; close: () => void; done: () => void}) {
  const [name, setName] = useState(group?.name ?? '');
  const [selector, setSelector] = useState(group?.selector ?? '');
  const [priority, setPriority] = useState(String(group?.priority ?? 0));
  const [lost, setLost] = useState<string[]>([]);  // what goes with what is written here, if that was asked
  const act = useAction(async () => {
    const wanted = {selector: selector.trim(), priority: Number(priority)};
    if (group && lost.length === 0) {
      const trial = await api.tryGroup(name, wanted);
      if (trial.lost.length > 0) return setLost(trial.lost);
    }
    await api.setGroup(name, wanted);
    done();
    close();
    if (!group) go(to('fleet', 'groups', `group:${name}`));
  });
  return (
    <Dialog title={group ? `Group ${group.name}` : 'Make a group'} close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void act.run();
      }}>
        {!group && <label>Name <input required maxLength={63} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>}
        <label>It chooses sensors by labels <input required value={selector} spellcheck={false} placeholder="site=oulu,role!=lab,!spare"
          onInput={(event) => {
            setSelector(event.currentTarget.value);
            setLost([]);
          }} /></label>
        <label>Priority <input required type="number" step={1} value={priority} onInput={(event) => {
          setPriority(event.currentTarget.value);
          setLost([]);
        }} /></label>
        <p class="quiet">All terms must hold. Where two groups say different things, the higher priority holds.</p>
        <Lost lost={lost} />
        <div class="buttons"><SaveButton lost={lost} label="Save" busy={act.busy} /></div>
        <Problem error={act.error} />
      </form>
    </Dialog>
  );
}

export function FleetGroups() {
  const groups = useQuery('groups', api.groups, ['fleet'], 1000, concernsDocuments);
  const allowed = useMay('operator');
  const [making, setMaking] = useState(false);
  return (
    <>
      <Title aside={allowed && <button type="button" class="primary" onClick={() => setMaking(true)}>Make a group …</button>}>Groups</Title>
      <FleetTabs at="groups" />
      <p class="hint"><a href={to('fleet', 'groups', 'fleet')}>What all sensors shall be</a> comes before every group’s document; a
        sensor’s own comes last.</p>
      <Show of={groups} what="groups">
        {(data) => data.groups.length > 0
          ? <Table label="Groups" rows={data.groups} columns={kColumns} id={(one) => one.name} href={(one) => to('fleet', 'groups', `group:${one.name}`)} />
          : <Empty title="There is no group yet">A group gives sensors with the same labels the same instruments.</Empty>}
      </Show>
      {making && <GroupForm group={null} close={() => setMaking(false)} done={groups.reload} />}
    </>
  );
}

const written = (document: FleetDocument) => JSON.stringify(document, null, 2);

function Editor({target, desired, done}: {target: string; desired: Desired; done: () => void}) {
  const allowed = useMay('operator');
  // What is edited, and what it was when that began: what others change meanwhile is theirs.
  const [edit, setEdit] = useState<{began: Desired; text: string} | null>(null);
  const began = edit?.began ?? desired;
  const given = written(began.document);
  const text = edit?.text ?? given;
  const [look, setLook] = useState<{document: FleetDocument; answer: DesiredChanged} | null>(null);
  let document: FleetDocument | null = null, wrong = '';
  try {
    const read: unknown = JSON.parse(text);
    if (isObject(read)) document = read;
    else wrong = 'It must be an object, such as {"instances": {}}.';
  } catch (error) {
    wrong = `It is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  const changed = document === null || !same(document, began.document);
  const isOther = changed && began.version !== desired.version;
  const see = useAction(async () => {
    if (!document) return;
    setLook({document, answer: await api.setDesired(target, {document, expected_version: began.version, dry_run: true})});
  });
  const save = useAction(async () => {
    if (!look) return;
    await api.setDesired(target, {document: look.document, expected_version: began.version});
    setLook(null);
    setEdit(null);
    done();
  });
  return (
    <>
      <label for="document" class="hidden">Document</label>
      <textarea id="document" class="json" spellcheck={false} rows={Math.min(24, Math.max(8, text.split('\n').length))} disabled={!allowed}
        value={text} aria-invalid={wrong !== ''} aria-describedby="document-wrong" onInput={(event) => setEdit({began, text: event.currentTarget.value})} />
      <p class="problem" id="document-wrong">{wrong}</p>
      {isOther && (
        <div class="problem" role="alert">
          <p>It was changed meanwhile, by {desired.who}: version {desired.version} holds, and you began with version {began.version}.</p>
          <Diff before={began.document as Json} after={desired.document as Json} />
          {document && <button type="button" class="small" onClick={() => {
            const over = laidOver(desired.document as JsonObject, began.document as JsonObject, document as JsonObject, () => false);
            setEdit({began: desired, text: written(over as FleetDocument)});
            see.clear();
          }}>Lay my changes over it</button>}
        </div>
      )}
      {allowed && <div class="bar-below">
        <span role="status">{changed ? 'Changed, and not saved' : 'Nothing is changed'}</span>
        <button type="button" disabled={text === given} onClick={() => {
          setEdit(null);
          see.clear();
        }}>Take back</button>
        <button type="button" class="primary" disabled={!changed || wrong !== '' || see.busy} onClick={() => void see.run()}>See what changes …</button>
      </div>}
      <Problem error={see.error} />
      {look && (
        <Dialog title={`Save for ${targetWords(target)}`} close={() => setLook(null)}>
          <Diff before={began.document as Json} after={look.document as Json} />
          <h3>What changes on {plural(look.answer.sensors, 'sensor')}</h3>
          <Lost lost={look.answer.lost} />
          {Object.keys(look.answer.changed).length === 0 && <p class="quiet">Nothing.</p>}
          {Object.entries(look.answer.changed).map(([name, lines]) => <div key={name}><strong>{name}</strong><DiffLines lines={lines} /></div>)}
          <div class="buttons"><button type="button" class="primary" disabled={save.busy} onClick={() => void save.run()}>Save at once</button></div>
          <Problem error={save.error} />
        </Dialog>
      )}
    </>
  );
}

// The document of a group, of the whole fleet, or of a sensor alone.
export function FleetTarget({target}: {target: string}) {
  const desired = useQuery('desired ' + target, () => api.desired(target), ['fleet'], 1000, concernsDocuments);
  const groups = useQuery('groups', api.groups, ['fleet'], 1000, concernsDocuments);
  const allowed = useMay('operator');
  const [editing, setEditing] = useState(false);
  const group = groups.data?.groups.find((one) => `group:${one.name}` === target) ?? null;
  const reload = () => {
    desired.reload();
    groups.reload();
  };
  return (
    <>
      <p class="crumbs"><a href={to('fleet', 'groups')}>Groups</a></p>
      <Title>{targetWords(target)}</Title>
      <FleetTabs at="groups" />
      <Show of={desired} what={targetWords(target)}>
        {(data) => (
          <>
            {data.rollout && <p class="stale"><span>A <a href={to('fleet', 'rollouts', String(data.rollout))}>rollout</a> to it is under way: it
              cannot be changed until that is over.</span></p>}
            {group && (
              <Section title="Which sensors" aside={allowed && <button type="button" class="small" onClick={() => setEditing(true)}>Change …</button>}>
                <dl class="facts">
                  <Fact name="Chooses"><code>{group.selector}</code></Fact><Fact name="Priority">{group.priority}</Fact>
                  <Fact name="Sensors"><a href={withQuery(to('fleet'), {labels: group.selector})}>{plural(group.sensors, 'sensor')}</a></Fact>
                </dl>
                {allowed && <div class="buttons"><Sure label="Remove the group …"
                  sure={`Remove ${group.name}: ${plural(group.sensors, 'sensor')} lose what it says`}
                  trial={() => api.tryRemoveGroup(group.name)} run={async () => {
                    await api.removeGroup(group.name);
                    go(to('fleet', 'groups'));
                  }} /></div>}
              </Section>
            )}
            <Section title="Document" aside={<span class="quiet">{data.version > 0 ? <>version {data.version}, <Time at={data.time} />, {data.who}</>
              : 'nothing is said yet'} {data.rollout && <Badge tone="low">rollout</Badge>}</span>}>
              <p class="quiet">It reaches {data.sensors.length === 0 ? 'no sensor' : data.sensors.length > 8 ? plural(data.sensors.length, 'sensor') : data.sensors.join(', ')}.
                To try it on one first, <a href={withQuery(to('fleet', 'install'), {target})}>install by a rollout</a>.</p>
              <Editor key={target} target={target} desired={data} done={reload} />
            </Section>
            <Section title="History"><DocumentHistory target={target} done={reload} /></Section>
          </>
        )}
      </Show>
      {editing && group && <GroupForm group={group} close={() => setEditing(false)} done={reload} />}
    </>
  );
}
