// What the server is told: configuration, allow-list, sinks, tokens; and this page's own theme.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type * as T from '../api/types';
import {Badge, Copy, Empty, Failed, Problem, Section, Show, Time, Title} from '../components/basics';
import {Dialog} from '../components/dialog';
import {Sure} from '../components/fleet_bits';
import {whole} from '../format';
import {applyTheme, keptTheme, type Theme} from '../state/kept';
import {useAction, useQuery} from '../state/query';
import {to} from '../state/router';
import {useMay, useStore} from '../state/store';
import {AuditLog} from './settings_audit';
import {ConfigForm, ConfigHistory} from './settings_config';
import {Users, You} from './settings_users';

const kTabs: [string, string][] = [
  ['config', 'Configuration'], ['allow', 'Allow-list'], ['history', 'History'], ['sinks', 'Sinks'],
  ['users', 'Users'], ['tokens', 'Tokens'], ['audit', 'Audit'], ['you', 'You'], ['page', 'This page'],
];

function SinkTest({name}: {name: string}) {
  const allowed = useMay('operator');
  const [said, setSaid] = useState<T.SinkTest | null>(null);
  const test = useAction(async () => {
    setSaid(null);
    setSaid(await api.testSink(name));
  });
  if (!allowed) return null;
  return (
    <>
      <button type="button" class="small" disabled={test.busy} aria-label={`Send a test to ${name}`}
        onClick={() => void test.run()}>{test.busy ? 'Sending …' : 'Send a test'}</button>
      <span role="status">{said && <> <Badge tone={said.delivered ? 'good' : 'high'}>
        {said.delivered ? 'taken' : 'failed'}</Badge> {said.words}</>}</span>
      <Problem error={test.error} />
    </>
  );
}

function Sinks() {
  const asked = useQuery('status', api.status, ['status']);
  return (
    <Show of={asked} what="sinks">
      {({alerter}) => alerter.sinks.length === 0
        ? <Empty title="Alerts go nowhere but here">Switch on a file, syslog or a web hook under{' '}
            <a href={to('settings', 'config')}>alerting</a>.</Empty>
        : (
          <Section title="Sinks">
            <div class="scroll" tabIndex={0} role="region" aria-label="Sinks">
              <table class="plain-table">
                <thead><tr><th scope="col">Sink</th><th scope="col">State</th><th scope="col">Last success</th>
                  <th scope="col" class="right">Sent</th><th scope="col" class="right">Waiting</th>
                  <th scope="col" class="right">Given up</th><th scope="col">Try it</th></tr></thead>
                <tbody>{alerter.sinks.map((sink) => (
                  <tr key={sink.name}>
                    <th scope="row">{sink.name}</th>
                    <td>{sink.last_error ? <><Badge tone="high">failed</Badge> {sink.last_error}</>
                      : <Badge tone="good">well</Badge>}</td>
                    <td><Time at={sink.last_success} short /></td>
                    <td class="right">{whole(sink.sent)}</td><td class="right">{whole(sink.waiting)}</td>
                    <td class="right">{whole(sink.undeliverable)}</td>
                    <td><SinkTest name={sink.name} /></td>
                  </tr>
                ))}</tbody>
              </table>
            </div>
          </Section>
        )}
    </Show>
  );
}

function MakeToken({close, done}: {close: () => void; done: () => void}) {
  const [name, setName] = useState('');
  const [role, setRole] = useState('read');
  const [expires, setExpires] = useState('90d');
  const [secret, setSecret] = useState<string | null>(null);
  const act = useAction(async () => {
    const made = await api.makeToken({name, role, ...(expires ? {expires} : {})});
    setSecret(made.token);
    done();
  });
  return (
    <Dialog title="Make a token" close={close}>
      {secret ? <><p>It is shown this once.</p><Copy label="token" text={secret} /></> : (
        <form class="form" onSubmit={(event) => {
          event.preventDefault();
          void act.run();
        }}>
          <label>Name <input required maxLength={63} value={name}
            onInput={(event) => setName(event.currentTarget.value)} /></label>
          <label>It may <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>
            <option value="read">read</option><option value="ingest">send telemetry</option>
            <option value="analyst">what an analyst may</option><option value="operator">what an operator may</option>
            <option value="admin">do everything</option></select></label>
          <label>Until <select value={expires} onChange={(event) => setExpires(event.currentTarget.value)}>
            <option value="30d">30 days from now</option><option value="90d">90 days from now</option>
            <option value="365d">a year from now</option><option value="">it is revoked</option></select></label>
          <p class="quiet">From the first token on, nobody comes without one or a login, not even from this
            machine.</p>
          <div class="buttons"><button class="primary" disabled={act.busy}>Make it</button></div>
          <Problem error={act.error} />
        </form>
      )}
    </Dialog>
  );
}

function Tokens() {
  const tokens = useQuery('tokens', api.tokens);
  const [making, setMaking] = useState(false);
  return (
    <>
      <Section title="Tokens of machines" aside={<button type="button" class="primary"
        onClick={() => setMaking(true)}>Make a token …</button>}>
        <Show of={tokens} what="tokens">
          {(data) => data.tokens.length === 0
            ? <p class="quiet">There is none. Machines and scripts come in by tokens; edges by their keys.</p>
            : (
              <div class="scroll" tabIndex={0} role="region" aria-label="Tokens">
                <table class="plain-table">
                  <thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col">Made</th>
                    <th scope="col">Until</th><th scope="col"><span class="hidden">Revoke</span></th></tr></thead>
                  <tbody>{data.tokens.map((token) => (
                    <tr key={token.name}>
                      <th scope="row">{token.name}</th><td>{token.role}</td>
                      <td><Time at={token.created} /> by {token.created_by}</td>
                      <td>{token.expires ? <Time at={token.expires} /> : 'it is revoked'}</td>
                      <td class="right"><Sure small label="Revoke …" name={`Revoke ${token.name} …`} sure={`Revoke ${token.name}`}
                        run={async () => {
                          await api.revokeToken(token.name);
                          tokens.reload();
                        }} /></td>
                    </tr>
                  ))}</tbody>
                </table>
              </div>
            )}
        </Show>
      </Section>
      {making && <MakeToken close={() => setMaking(false)} done={tokens.reload} />}
    </>
  );
}

function ThisPage() {
  const [theme, setTheme] = useState(keptTheme);
  const status = useStore((s) => s.status);
  const session = useStore((s) => s.session);
  return (
    <Section title="This page">
      <form class="form">
        <label>Theme <select value={theme} onChange={(event) => {
          const chosen = event.currentTarget.value as Theme;
          setTheme(chosen);
          applyTheme(chosen);
        }}>
          <option value="system">as the system</option><option value="light">light</option>
          <option value="dark">dark</option></select></label>
      </form>
      <p class="quiet">You are {session?.name}, with the role {session?.role}.
        {status && ` The server is beaconry-control ${status.version}.`}</p>
      <p class="quiet">Contains Preact and uPlot, both under the{' '}
        <a href={`${import.meta.env.BASE_URL}licences.txt`} target="_blank" rel="noopener">MIT licence</a>.</p>
    </Section>
  );
}

export function Settings({tab}: {tab: string}) {
  const config = useQuery('config', api.config, ['status']);
  const schema = useQuery('config schema', api.configSchema);
  const admin = useMay('admin');
  const one = kTabs.some(([key]) => key === tab) ? tab : 'config';
  return (
    <>
      <Title aside={config.data && <span class="quiet">version {String(config.data['version'])}</span>}>Settings</Title>
      <nav class="views" aria-label="Settings">
        {kTabs.map(([key, title]) => (
          <a key={key} class={`chip${key === one ? ' on' : ''}`} href={to('settings', key)}
            aria-current={key === one ? 'page' : undefined}>{title}</a>
        ))}
      </nav>
      {(one === 'config' || one === 'allow') && (
        <Show of={config} what="the configuration">
          {(data) => (
            <Show of={schema} what="what it takes">
              {({keys}) => <ConfigForm key={one} config={data} schema={keys}
                done={config.reload} sections={one === 'allow' ? ['whitelist'] : ['detection', 'weights', 'alerting']} />}
            </Show>
          )}
        </Show>
      )}
      {one === 'history' && <ConfigHistory done={config.reload} />}
      {one === 'sinks' && <Sinks />}
      {one === 'tokens' && (admin ? <Tokens />
        : <Failed error={new api.ApiError(403, 'Tokens are for admins.')} />)}
      {one === 'users' && (admin ? <Users />
        : <Failed error={new api.ApiError(403, 'Users are for admins. Your own password is under You.')} />)}
      {one === 'audit' && (admin ? <AuditLog />
        : <Failed error={new api.ApiError(403, 'The audit log is for admins.')} />)}
      {one === 'you' && <You />}
      {one === 'page' && <ThisPage />}
    </>
  );
}
