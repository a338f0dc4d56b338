/*
 * The claims of clients' Idempotency-Keys, in @holdfast/idempotency, under an id derived from tenant and key. An order's claim
 * has the order's id.
 *
 * K1  An answer is stored before it is sent: with the order (order-store.ts), by the saga's terminal checkpoint, or
 *     by settleKey(). It is written once.
 * K2  One claim per key over all operations: a key used for an order can't be used for anything else.
 * T4  Who asks for a change is written by the statement that claims its key, and what came of it by the one that stores its answer.
 */
import type { KeyedOperation } from '@holdfast/contracts';
import {
  type ClaimAnswer,
  type ClaimRow,
  type Fingerprint,
  newClaimsSql,
  readClaims,
  settleOpenClaim,
  settleOpenClaimSql,
} from '@holdfast/idempotency';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import type { AuditEntry, AuditOutcome } from '../audit/audit-entry.ts';
import { auditEntrySql, auditOutcomeSql, entryValue, outcomeValue } from '../audit/audit-store.ts';

export const PLACE_ORDER: KeyedOperation = 'POST /v1/orders';
export const REFUND_ORDER = 'POST /v1/orders/{id}/refunds' satisfies KeyedOperation;

/** The status of a completed operation. A refusal's status is stored in front of its body. */
const COMPLETED_STATUS: Readonly<Record<KeyedOperation, number>> = {
  'POST /v1/orders': 201,
  'POST /v1/orders/{id}/refunds': 201,
  'POST /v1/stock/{sku}/adjust': 200,
  'POST /v1/accounts/{customerId}/adjust': 200,
  'PUT /v1/stock/{sku}': 200,
  'PUT /v1/accounts/{customerId}': 200,
  'POST /v1/orders/{id}/cancel': 200,
  'POST /v1/orders/{id}/dispatch': 200,
  'POST /v1/sagas/{id}/resume': 200,
  'POST /v1/sagas/{id}/retry': 200,
  'POST /v1/sagas/{id}/compensate': 200,
  'POST /v1/api-keys': 201,
  'DELETE /v1/api-keys/{id}': 200,
};

/** The HTTP status of every first answer to an order: a refusal by a step is not an HTTP error. */
export const ORDER_ACCEPTED = COMPLETED_STATUS[PLACE_ORDER];

/** Where a key's claim is. */
export interface KeyId {
  tenantId: string;
  /** Derived from tenant and key (keyId). */
  id: string;
}

export interface StoredAnswer {
  status: number;
  /** Null past its retention. */
  answer: string | null;
}

export interface StoredKey {
  tenantId: string;
  operation: KeyedOperation;
  resource: string | null;
  fingerprint: Buffer | null;
  /** Null past the answer's retention, and for an order, whose row has the request itself. */
  members: Record<string, string> | null;
  /** Null while the answer is open. */
  status: number | null;
  answer: string | null;
  createdAt: Date;
}

/** The claims of these keys, by id; keys without one are missing. */
export async function findStoredKeys(db: Query, ids: KeyId[]): Promise<Map<string, StoredKey>> {
  const rows = await readClaims(db, ids.map(claimKeyOf));
  return new Map(rows.map((row) => [row.key, storedKey(row)]));
}

export async function findStoredKey(db: Query, id: KeyId): Promise<StoredKey | undefined> {
  return (await findStoredKeys(db, [id])).get(id.id);
}

/** Those of the given keys that have been answered by now. */
export async function findSettled(db: Query, ids: KeyId[]): Promise<(StoredAnswer & { id: string })[]> {
  const rows = await readClaims(db, ids.map(claimKeyOf), { onlySettled: true });
  return rows.map((row) => ({ id: row.key, ...answerOf(operationOf(row), row) }));
}

export interface NewKey extends KeyId {
  operation: KeyedOperation;
  resource: string;
  fingerprint: Fingerprint;
  createdAt: Date;
  entry: AuditEntry;
}

// The claim is the guard: of a key that was claimed before, nothing is entered.
const claimChange = statement(
  'keys.claim-change',
  `with claimed as (${newClaimsSql({
    tenantId: '$1::text',
    key: '$2::text',
    operation: '$3::text',
    resource: '$4::text',
    fingerprint: '$5::bytea',
    fingerprintVersion: '$6::smallint',
    members: '$7::jsonb',
    answer: 'null::bytea',
    claimedAt: '$8::timestamptz',
    source: '(select 1) as one',
  })}), entered as (${auditEntrySql({
    tenantId: '$1::text',
    at: '$8::timestamptz',
    id: 'claimed.key',
    entry: '$9::jsonb',
    source: 'claimed',
  })})
   select key from claimed`,
);

/** Claims a key for an operation other than an order. @returns false when it was claimed before */
export async function claimKey(db: Query, { id, tenantId, operation, resource, ...key }: NewKey): Promise<boolean> {
  const { digest, version, members } = key.fingerprint;
  const { rowCount } = await db.query({
    ...claimChange,
    values: [
      ...[tenantId, id, operation, resource, digest, version, members && JSON.stringify(members), key.createdAt],
      entryValue(key.entry),
    ],
  });
  return rowCount === 1;
}

/** Stores the key's answer, unless one is stored. @returns the stored answer */
export async function settleKey(
  db: Query,
  id: KeyId & { operation: KeyedOperation },
  status: number,
  answer: string,
): Promise<StoredAnswer> {
  const { state, bytes } = settled(id.operation, status, answer);
  return storedAnswer(id, await settleOpenClaim(db, claimKeyOf(id), state, bytes));
}

const settleChange = statement(
  'keys.settle-change',
  `with settled as (${settleOpenClaimSql({
    tenantId: '$1::text',
    key: '$2::text',
    state: '$3::text',
    answer: '$4::bytea',
  })}), decided as (${auditOutcomeSql({
    tenantId: '$1::text',
    at: '$5::timestamptz',
    id: '$2::text',
    outcome: '$6::jsonb',
    source: 'settled',
  })})
   select state, answer from settled`,
);

/** As settleKey(), with what came of the change that was entered when the key was claimed. */
export async function settleChangeKey(
  db: Query,
  id: KeyId & { operation: KeyedOperation },
  { status, body, claimedAt, outcome }: { status: number; body: string; claimedAt: Date; outcome: AuditOutcome },
): Promise<StoredAnswer> {
  const { state, bytes } = settled(id.operation, status, body);
  const { rows } = await db.query<ClaimAnswer>({
    ...settleChange,
    values: [id.tenantId, id.id, state, bytes, claimedAt, outcomeValue(outcome)],
  });
  return storedAnswer(id, rows[0]);
}

/** What is put together from the library's parts and this module's. */
export const changeStatements: readonly Statement[] = [claimChange, settleChange];

function settled(operation: KeyedOperation, status: number, body: string) {
  const isCompleted = status === COMPLETED_STATUS[operation];
  const bytes = Buffer.from(isCompleted ? body : `${status}\n${body}`);
  return { state: isCompleted ? 'completed' : 'refused', bytes } as const;
}

function storedAnswer({ id, operation }: KeyId & { operation: KeyedOperation }, stored: ClaimAnswer | undefined) {
  if (stored === undefined) throw new Error(`the key ${id} has vanished: is something deleting claims?`);
  return answerOf(operation, stored);
}

function claimKeyOf({ tenantId, id }: KeyId): { tenantId: string; key: string } {
  return { tenantId, key: id };
}

function storedKey({ tenantId, resource, fingerprint, members, claimedAt, ...row }: ClaimRow): StoredKey {
  const operation = operationOf(row);
  const settled = row.state === 'in_progress' ? { status: null, answer: null } : answerOf(operation, row);
  return { tenantId, operation, resource, fingerprint, members, createdAt: claimedAt, ...settled };
}

/** Only keys of this API are in this database. */
function operationOf({ operation }: Pick<ClaimRow, 'operation'>): KeyedOperation {
  return operation as KeyedOperation;
}

function answerOf(operation: KeyedOperation, { state, answer }: ClaimAnswer): StoredAnswer {
  const text = answer?.toString() ?? null;
  if (state !== 'refused' || text === null) return { status: COMPLETED_STATUS[operation], answer: text };
  const end = text.indexOf('\n');
  return { status: Number(text.slice(0, end)), answer: text.slice(end + 1) };
}
