// The loss ledger of an edge: what it saw, sent, and what came, hop by hop, as far as it is told.
import type {EdgeView} from '../api/types';
import {plural, whole} from '../format';
import {Badge, Time} from './basics';

export function Ledger({edge}: {edge: EdgeView}) {
  return (
    <>
      <ol class="ledger" aria-label={`Loss ledger of ${edge.name}`}>
        {edge.ledger.map((hop) => (
          <li key={hop.hop}>
            <span class="quiet">{hop.what}</span>
            <strong>{hop.count === null ? 'not told' : whole(hop.count)}</strong>
            {hop.lost === null ? null : hop.lost > 0
              ? <Badge tone="high">{whole(hop.lost)} {hop.how}</Badge>
              : <span class="quiet">none {hop.how}</span>}
          </li>
        ))}
      </ol>
      <p>{edge.complete_up_to === null
        ? 'It does not tell times, so up to when all has come cannot be said.'
        : <>Complete up to <Time at={edge.complete_up_to} /> of its clock: what it had taken by then is here or
          counted above.</>}
        {edge.batches_unexplained > 0 && ` ${plural(edge.batches_unexplained, 'batch', 'batches')} neither came nor
          are said to be lost.`}</p>
    </>
  );
}
