/*
 * The claims of clients' Idempotency-Keys, in @holdfast/idempotency, under an id derived from tenant and key. An order's claim
 * has the order's id.
 *
 * K1  An answer is stored before it is sent: with the order (order-store.ts), by the saga's terminal checkpoint, or
 *     by settleKey(). It is written once.
 * K2  One claim per key over all operations: a key used for an order can't be used for anything else.
 */
import type { KeyedOperation } from '@holdfast/contracts';
import {
  type ClaimAnswer,
  type ClaimRow,
  type Fingerprint,
  openClaim,
  readClaims,
  settleOpenClaim,
} from '@holdfast/idempotency';
import type { Query } from '@holdfast/postgres';

export const PLACE_ORDER: KeyedOperation = 'POST /v1/orders';
export const REFUND_ORDER: KeyedOperation = 'POST /v1/orders/{id}/refunds';

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
}

/** Claims a key for an operation other than an order. @returns false when it was claimed before */
export async function claimKey(db: Query, { id, createdAt, ...key }: NewKey): Promise<boolean> {
  return await openClaim(db, { ...key, key: id, claimedAt: createdAt });
}

/** Stores the key's answer, unless one is stored. @returns the stored answer */
export async function settleKey(
  db: Query,
  id: KeyId & { operation: KeyedOperation },
  status: number,
  answer: string,
): Promise<StoredAnswer> {
  const isCompleted = status === COMPLETED_STATUS[id.operation];
  const bytes = Buffer.from(isCompleted ? answer : `${status}\n${answer}`);
  const stored = await settleOpenClaim(db, claimKeyOf(id), isCompleted ? 'completed' : 'refused', bytes);
  if (stored === undefined) throw new Error(`the key ${id.id} has vanished: is something deleting claims?`);
  return answerOf(id.operation, stored);
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
