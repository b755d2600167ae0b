// What people decided of a beacon or a leak, and deciding it.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Decision, TriageStep} from '../api/types';
import {useAction} from '../state/query';
import {useMay} from '../state/store';
import {Badge, Problem, Section, Time} from './basics';

interface Props {
  subject: string;
  decision: Decision | null;
  by?: {reason: string; author: string; made: string; expires: string | null} | null;
  steps: TriageStep[];
  done: () => void;
}

export function DecisionBadge({decision}: {decision: Decision | null | undefined}) {
  if (!decision) return <Badge tone="medium">open</Badge>;
  return <Badge tone={decision === 'benign' ? 'good' : 'quiet'}>{decision}</Badge>;
}

export function TriageBox({subject, decision, by, steps, done}: Props) {
  const allowed = useMay('analyst');
  const [choice, setChoice] = useState<Decision>('acknowledged');
  const [reason, setReason] = useState('');
  const [expires, setExpires] = useState('');
  const act = useAction(async (what: Decision | 'reopen') => {
    if (what === 'reopen') await api.reopen(subject, reason || 'reopened');
    else await api.decide({subject, decision: what, reason, ...(expires ? {expires} : {})});
    setReason('');
    done();
  });
  return (
    <Section title="Triage" aside={<DecisionBadge decision={decision} />}>
      {by && (
        <p>
          “{by.reason}” — {by.author}, <Time at={by.made} />
          {by.expires && <>, until <Time at={by.expires} /></>}
        </p>
      )}
      {allowed ? (
        <form class="form" onSubmit={(event) => {
          event.preventDefault();
          void act.run(choice);
        }}>
          <fieldset>
            <legend>Decision</legend>
            <label><input type="radio" name="decision" checked={choice === 'acknowledged'}
              onChange={() => setChoice('acknowledged')} /> Acknowledged: known, being dealt with</label>
            <label><input type="radio" name="decision" checked={choice === 'benign'}
              onChange={() => setChoice('benign')} /> Benign: it may go on</label>
          </fieldset>
          <label>Reason
            <input name="reason" required maxLength={500} value={reason}
              onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
          <label>Until
            <select name="expires" value={expires} onChange={(event) => setExpires(event.currentTarget.value)}>
              <option value="">it is something else</option>
              <option value="1d">a day from now</option>
              <option value="7d">a week from now</option>
              <option value="30d">30 days from now</option>
              <option value="365d">a year from now</option>
            </select>
          </label>
          <div class="buttons">
            <button type="submit" class="primary" disabled={act.busy}>Decide</button>
            {decision && <button type="button" disabled={act.busy} onClick={() => void act.run('reopen')}>
              Reopen</button>}
          </div>
          <Problem error={act.error} />
        </form>
      ) : <p class="quiet">Deciding needs the role analyst.</p>}
      {steps.length > 0 && (
        <ol class="steps" aria-label="What was decided before">
          {steps.map((step) => (
            <li key={step.time + step.what}><Time at={step.time} /> {step.who}: {step.what} “{step.words}”</li>
          ))}
        </ol>
      )}
    </Section>
  );
}
