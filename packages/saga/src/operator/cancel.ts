import { statement } from '@holdfast/postgres';
import type { SagaDefinition } from '../definition/definition.ts';
import { mayTurnBack } from '../definition/transitions.ts';
import type { Database } from '../engine/ports.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import type { Sleeper } from '../recovery/wake.ts';

/** What has become of a request to cancel. */
export type CancelOutcome =
  /** The saga undoes what it did; it ends `cancelled`, or `failed` when something else had turned it back first. */
  | { kind: 'turning_back'; snapshot: SagaSnapshot }
  | { kind: 'cancelled'; snapshot: SagaSnapshot }
  /** Too late: it has ended otherwise, is past its pivot, or is parked (then resume it first). */
  | { kind: 'refused'; snapshot: SagaSnapshot }
  /** The request is durable and will be decided; ask again. */
  | { kind: 'in_progress' }
  | { kind: 'not_found' };

// Behind the pivot a cancel is refused, so it ends neither a wait nor a delay there.
// By the primary key: that it has not ended is not said, since the index of live sagas would then do, and be read whole.
// Only a request: the decision is the owner's, as a checkpoint, so that it cannot contradict an act that is done.
const REQUEST_CANCEL = statement(
  'saga.request-cancel',
  `update holdfast.sagas
      set cancel_requested_at = clock_timestamp(),
          wake_at = case when state = 'waiting' and (waiting -> 'mayTurnBack')::boolean then clock_timestamp() else wake_at end
    where id = $1::text and state in ('running', 'waiting') and cancel_requested_at is null
   returning epoch, state = 'waiting' and (waiting -> 'mayTurnBack')::boolean as waits`,
);

/** @returns the saga when it waits: nobody owns it who could decide, so it is to be taken */
export async function requestCancel(db: Database, id: string): Promise<Sleeper | null> {
  const { rows } = await db.query<{ epoch: number; waits: boolean | null }>({ ...REQUEST_CANCEL, values: [id] });
  return rows[0]?.waits ? { id, epoch: rows[0].epoch } : null;
}

/** Null while it is not decided. */
export function judgeCancel(definition: SagaDefinition | undefined, snapshot: SagaSnapshot): CancelOutcome | null {
  switch (snapshot.state) {
    case 'cancelled':
      return { kind: 'cancelled', snapshot };
    case 'compensating':
      return { kind: 'turning_back', snapshot };
    case 'completed':
    case 'failed':
    case 'parked':
      return { kind: 'refused', snapshot };
    case 'running':
    case 'waiting':
      // Without its definition (a newer release's saga) only its owner knows where the pivot stands.
      return definition === undefined || mayTurnBack(definition, snapshot) ? null : { kind: 'refused', snapshot };
  }
}
