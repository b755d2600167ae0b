import {useState} from 'preact/hooks';

import * as api from '../api/client';
import {Title} from '../components/basics';
import {enter, useStore} from '../state/store';

export function Login() {
  const expired = useStore((s) => s.expired);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [codeNeeded, setCodeNeeded] = useState(false);
  const [busy, setBusy] = useState(false);
  const [words, setWords] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setWords('');
    try {
      enter(await api.login({name, password, ...(code ? {code} : {})}));
    } catch (problem) {
      const error = api.asApiError(problem);
      if (error.codeNeeded && !codeNeeded) setCodeNeeded(true);
      else if (error.status === 429) {
        setWords(`Too many tries. Wait ${error.retryAfter ?? 60} seconds before the next.`);
      } else setWords(error.message);
      setCode('');
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login" id="main" tabIndex={-1}>
      <form class="card form" onSubmit={(event) => void submit(event)}>
        <Title>Log in</Title>
        {expired && <p role="status">Your session has ended. After the login you are where you were.</p>}
        <label>Name <input name="name" autocomplete="username" required autofocus value={name}
          onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required
          value={password} onInput={(event) => setPassword(event.currentTarget.value)} /></label>
        {codeNeeded && <label>Code of your authenticator <input name="code" inputMode="numeric"
          autocomplete="one-time-code" required maxLength={8} value={code}
          onInput={(event) => setCode(event.currentTarget.value)} /></label>}
        <div class="buttons"><button class="primary" disabled={busy}>Log in</button></div>
        {words && <p class="problem" role="alert">{words}</p>}
      </form>
    </main>
  );
}
