/*
 * Keys whose effects may have been committed without an answer, because an effect ended its scoped transaction.
 *
 * K9  Such a key is marked by a claim that is in progress and has no lease. It never runs again by itself.
 */
import { type Pool, type Query, statement } from '@holdfast/postgres';
import { TransactionEnded } from '../scope/scoped-transaction.ts';
import { type ClaimRequest, keyColumns } from './claims.ts';

/**
 * Runs `work`, and marks the keys whose transaction was ended by other code.
 *
 * @param work first calls `scoping(requests)` with the requests whose effects it is about to run. It calls the function that
 *   this returns when it learns that the transaction was ended. The marks are made at once and on another connection,
 *   since the end has freed the keys' locks. Where the pool has no other connection, they wait until the transaction's is given back.
 * @throws what `work` throws; TransactionEnded once the keys are marked
 */
export async function markingEnds<T>(
  pool: Pool,
  work: (scoping: (requests: ClaimRequest[]) => () => void) => Promise<T>,
): Promise<T> {
  let scoped: ClaimRequest[] = [];
  let marked: Promise<void> | undefined;
  const scoping = (requests: ClaimRequest[]) => {
    scoped = requests;
    return () => {
      marked = markEnded(pool, requests);
      marked.catch(() => {});
    };
  };
  try {
    return await work(scoping);
  } catch (error) {
    if (!(error instanceof TransactionEnded) || error.when === 'earlier') throw error;
    // crash here: nothing marks the keys, and their effects may run again.
    await (marked ?? markEnded(pool, scoped)).catch(() => markEnded(pool, scoped)).catch(notMarked(error));
    throw error;
  }
}

const notMarked = (ended: TransactionEnded) => (error: unknown) => {
  const message = `${ended.message}. The key could not be marked: a retry may run the handler again`;
  throw new TransactionEnded(message, 'now', new AggregateError([ended, error]));
};

// An adopted claim has a row already. It loses its lease, so that no later attempt adopts it.
const markRows = statement(
  'idempotency.mark-ended',
  // @guard H17 the tenant in the unique key: "on conflict (tenant_id, scope, name)" -> "on conflict (scope, name)"
  `insert into holdfast.claims as c (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members)
   select tenant_id, scope, name, operation, 'in_progress', fingerprint, fingerprint_version, members
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::smallint[], $7::jsonb[])
       as r(tenant_id, scope, name, operation, fingerprint, fingerprint_version, members)
    order by tenant_id, scope, name
   on conflict (tenant_id, scope, name) do update set lease_until = null where c.state = 'in_progress'`,
);

async function markEnded(db: Query, requests: ClaimRequest[]): Promise<void> {
  await db.query({
    ...markRows,
    values: [
      ...keyColumns(requests),
      requests.map(({ operation }) => operation),
      requests.map(({ fingerprint }) => fingerprint.digest),
      requests.map(({ fingerprint }) => fingerprint.version),
      requests.map(({ fingerprint }) => fingerprint.members && JSON.stringify(fingerprint.members)),
    ],
  });
}

const ENDED_EARLIER =
  'an earlier attempt under this key ended its transaction, and its effect may exist: nothing was run. Check whether it does. To let the key run again, delete its row from holdfast.claims';

/** What a call gets whose key is marked. */
export function endedEarlier(): TransactionEnded {
  return new TransactionEnded(ENDED_EARLIER, 'earlier');
}
