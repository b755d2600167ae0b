// People who may log in, and what each may do.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Session, User} from '../api/types';
import {Badge, Copy, Problem, Section, Show, Time} from '../components/basics';
import {Dialog} from '../components/dialog';
import {Order, ShortTable, Sure} from '../components/fleet_bits';
import {useAction, useQuery} from '../state/query';
import {changed, useStore} from '../state/store';

const kRoles: [string, string][] = [
  ['viewer', 'viewer: sees everything'], ['analyst', 'analyst: and decides of beacons and alerts'],
  ['operator', 'operator: and changes the fleet'], ['admin', 'admin: and users, images and settings'],
];
const Roles = () => <>{kRoles.map(([role, words]) => <option key={role} value={role}>{words}</option>)}</>;

function AddUser({close, done}: {close: () => void; done: () => void}) {
  const [name, setName] = useState('');
  const [role, setRole] = useState('viewer');
  const [password, setPassword] = useState('');
  const act = useAction(async () => {
    await api.makeUser({name, role, password});
    done();
    close();
  });
  return (
    <Dialog title="Add a user" close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void act.run();
      }}>
        <label>Name <input required maxLength={63} autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label>Role <select value={role} onChange={(event) => setRole(event.currentTarget.value)}><Roles /></select></label>
        <label>First password <input required type="password" minLength={10} autocomplete="new-password" value={password}
          onInput={(event) => setPassword(event.currentTarget.value)} /></label>
        <p class="quiet">10 characters or more. The user changes it under Settings, You. From the first user on, nobody comes in
          without a login or a token.</p>
        <div class="buttons"><button class="primary" disabled={act.busy}>Add</button></div>
        <Problem error={act.error} />
      </form>
    </Dialog>
  );
}

function ChangeUser({user, close, done}: {user: User; close: () => void; done: () => void}) {
  const [role, setRole] = useState(user.role);
  const [password, setPassword] = useState('');
  const [secret, setSecret] = useState<User | null>(null);
  const act = useAction(async () => {
    await api.changeUser(user.name, {...(role === user.role ? {} : {role}), ...(password ? {password} : {})});
    done();
    close();
  });
  const factor = async (on: boolean) => {
    const answer = await api.changeUser(user.name, {totp: on});
    setSecret(answer.totp_secret ? answer : null);
    done();
  };
  return (
    <Dialog title={user.name} close={close}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void act.run();
      }}>
        <label>Role <select value={role} onChange={(event) => setRole(event.currentTarget.value)}><Roles /></select></label>
        <label>New password <input type="password" minLength={10} autocomplete="new-password" value={password}
          onInput={(event) => setPassword(event.currentTarget.value)} /></label>
        <p class="quiet">Another role or password ends the user’s sessions.</p>
        <div class="buttons"><button class="primary" disabled={act.busy || (role === user.role && !password)}>Save</button></div>
        <Problem error={act.error} />
      </form>
      <h3>Second factor: {user.totp}</h3>
      {secret ? <Factor of={secret} /> : <div class="buttons">{user.totp === 'on'
        ? <Sure label="Turn it off …" sure="Turn the second factor off" run={() => factor(false)} />
        : <Order run={() => factor(true)}>Make a secret</Order>}</div>}
      <div class="buttons">
        {user.disabled ? <Order run={async () => {
          await api.changeUser(user.name, {disabled: false});
          done();
          close();
        }}>Let in again</Order> : <Sure label="Disable …" sure={`Disable ${user.name} and end the sessions`} run={async () => {
          await api.changeUser(user.name, {disabled: true});
          done();
          close();
        }} />}
        <Sure label="Remove …" sure={`Remove ${user.name}`} run={async () => {
          await api.removeUser(user.name);
          done();
          close();
        }} />
      </div>
    </Dialog>
  );
}

function Factor({of}: {of: {totp_secret?: string; totp_uri?: string}}) {
  return (
    <>
      <p>Enter this into an authenticator. It is shown this once, and holds from the first right code on.</p>
      {of.totp_secret && <Copy label="secret" text={of.totp_secret} />}
      {of.totp_uri && <Copy label="address" text={of.totp_uri} />}
    </>
  );
}

export function Users() {
  const users = useQuery('users', api.users);
  const [adding, setAdding] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const one = users.data?.users.find((user) => user.name === chosen);
  return (
    <>
      <Section title="Users" aside={<button type="button" class="primary" onClick={() => setAdding(true)}>Add a user …</button>}>
        <Show of={users} what="users">
          {(data) => data.users.length === 0
            ? <p class="quiet">There is none yet: whoever reaches this server from its own machine may do everything.</p>
            : (
              <ShortTable label="Users" heads={['Name', 'Role', 'Second factor', 'Last login', 'Made', 'Change']}>
                {data.users.map((user) => (
                  <tr key={user.name}>
                    <th scope="row">{user.name}</th>
                    <td>{user.role} {user.disabled && <Badge tone="high">disabled</Badge>}</td>
                    <td>{user.totp === 'on' ? <Badge tone="good">on</Badge> : user.totp}</td>
                    <td><Time at={user.last_login} short /></td>
                    <td><Time at={user.created} /> by {user.created_by}</td>
                    <td><button type="button" class="small" aria-label={`Change ${user.name} …`} onClick={() => setChosen(user.name)}>Change …</button></td>
                  </tr>
                ))}
              </ShortTable>
            )}
        </Show>
      </Section>
      {adding && <AddUser close={() => setAdding(false)} done={users.reload} />}
      {one && <ChangeUser user={one} close={() => setChosen(null)} done={users.reload} />}
    </>
  );
}

// One's own password and second factor.
export function You() {
  const session = useStore((s) => s.session);
  const [password, setPassword] = useState('');
  const [fresh, setFresh] = useState('');
  const [code, setCode] = useState('');
  const [told, setTold] = useState('');
  const [secret, setSecret] = useState<Session | null>(null);
  const send = async (body: {new_password?: string; totp?: boolean; code?: string}, words: string) => {
    setTold('');
    const answer = await api.changeOwn({password, ...(code ? {code} : {}), ...body});
    changed(answer);
    setSecret(answer.totp_secret ? answer : null);
    setFresh('');
    setCode('');
    setTold(words);
  };
  const change = useAction(() => send({new_password: fresh}, 'The password is changed; your other sessions are over.'));
  const factor = useAction((on: boolean) => send({totp: on}, on ? '' : 'The second factor is off.'));
  const confirm = useAction(() => send({}, 'The second factor is on.'));
  if (!session?.expires) return <Section title="You"><p>You are {session?.name}: nobody has logged in here, so there is no password.</p></Section>;
  const busy = change.busy || factor.busy || confirm.busy;
  return (
    <Section title={`You: ${session.name}`} aside={<Badge tone="quiet">{session.role}</Badge>}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void change.run();
      }}>
        <label>Password as it is <input required type="password" autocomplete="current-password" value={password}
          onInput={(event) => setPassword(event.currentTarget.value)} /></label>
        {session.totp && session.totp !== 'off' && <label>Code of your authenticator <input inputMode="numeric" autocomplete="one-time-code"
          maxLength={8} value={code} onInput={(event) => setCode(event.currentTarget.value)} /></label>}
        <label>New password <input type="password" minLength={10} autocomplete="new-password" value={fresh}
          onInput={(event) => setFresh(event.currentTarget.value)} /></label>
        <div class="buttons">
          <button class="primary" disabled={busy || !password || !fresh}>Change the password</button>
          {session.totp === 'pending' && <button type="button" disabled={busy || !password || !code} onClick={() => void confirm.run()}>
            Confirm the second factor</button>}
          {session.totp === 'on'
            ? <button type="button" class="danger" disabled={busy || !password || !code} onClick={() => void factor.run(false)}>Turn the second factor off</button>
            : <button type="button" disabled={busy || !password} onClick={() => void factor.run(true)}>Make a second factor</button>}
        </div>
      </form>
      {secret && <Factor of={secret} />}
      {told && <p role="status">{told}</p>}
      {[change, factor, confirm].map((act, place) => <Problem key={place} error={act.error} />)}
    </Section>
  );
}
