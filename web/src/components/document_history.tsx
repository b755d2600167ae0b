// The versions of one layer's document, what each changed, and back to one.
import {useState} from 'preact/hooks';

import * as api from '../api/client';
import type {Json} from '../api/types';
import {concernsDocuments} from '../pages/fleet_words';
import {useQuery} from '../state/query';
import {useMay} from '../state/store';
import {Badge, Loading, Show, Time} from './basics';
import {Diff} from './diff';
import {Sure} from './fleet_bits';

function Against({target, version, now}: {target: string; version: number; now: number}) {
  const both = useQuery(`${target} ${version} ${now}`, async () => {
    const [old, current] = await Promise.all([api.desired(target, version), api.desired(target)]);
    return {old: old.document as Json, current: current.document as Json};
  });
  if (!both.data && !both.error) return <Loading what={`version ${version}`} />;
  return <Show of={both} what={`version ${version}`}>{({old, current}) =>
    <><p class="quiet">What a return to it would change:</p><Diff before={current} after={old} /></>}</Show>;
}

export function DocumentHistory({target, done}: {target: string; done: () => void}) {
  const history = useQuery('history ' + target, () => api.desiredHistory(target), ['fleet'], 1000, concernsDocuments);
  const allowed = useMay('operator');
  const [open, setOpen] = useState<number | null>(null);
  return (
    <Show of={history} what="the history">
      {({versions}) => {
        const newest = Math.max(...versions.map((one) => one.number));
        if (versions.length === 0) return <p class="quiet">Nothing was said here yet.</p>;
        return (
          <ol class="versions">
            {[...versions].sort((a, b) => b.number - a.number).slice(0, 50).map((one) => (
              <li key={one.number}>
                <strong>Version {one.number}</strong> {one.number === newest && <Badge tone="good">holds</Badge>}{' '}
                <span class="quiet"><Time at={one.time} />, {one.who}, by {one.how}</span>
                {one.number !== newest && (
                  <div class="buttons">
                    <button type="button" class="small" aria-expanded={open === one.number}
                      aria-label={`Compare with version ${one.number}`}
                      onClick={() => setOpen(open === one.number ? null : one.number)}>Compare</button>
                    {allowed && <Sure small label="Roll back to it …" name={`Roll back to version ${one.number} …`}
                      sure={`Make version ${one.number} hold again`}
                      trial={async () => {
                        const {document} = await api.desired(target, one.number);
                        return api.setDesired(target, {document, expected_version: newest, dry_run: true});
                      }} run={async () => {
                        await api.rollBackDesired(target, one.number, newest);
                        history.reload();
                        done();
                      }} />}
                  </div>
                )}
                {open === one.number && <Against target={target} version={one.number} now={newest} />}
              </li>
            ))}
          </ol>
        );
      }}
    </Show>
  );
}
