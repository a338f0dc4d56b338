/*
 * What every Idempotency-Key stands for, in Postgres.
 *
 * K1  An answer is stored before anyone hears it: with the order (order-store.ts), by the saga's terminal checkpoint, or
 *     by settleKey(). It is written once.
 * K2  The primary key is derived from tenant and key: one row per key over all operations. Nobody changes what it stands for.
 */
import type { KeyedOperation } from '@holdfast/contracts';
import type { Fingerprint } from '@holdfast/idempotency';
import { type Query, statement } from '@holdfast/postgres';

export const PLACE_ORDER: KeyedOperation = 'POST /v1/orders';

export interface StoredAnswer {
  status: number;
  /** Null past its retention. */
  answer: string | null;
}

export interface StoredKey {
  operation: KeyedOperation;
  resource: string | null;
  fingerprint: Buffer;
  /** Null past the answer's retention, and of an order: what differs from it, it says itself. */
  members: Record<string, string> | null;
  /** Null while the answer is open. */
  status: number | null;
  answer: string | null;
  createdAt: Date;
}

const findKey = statement(
  'keys.find',
  `select operation, resource, fingerprint, members, status, answer, created_at as "createdAt"
     from keys where id = $1::text`,
);

export async function findStoredKey(db: Query, id: string): Promise<StoredKey | undefined> {
  const { rows } = await db.query<StoredKey>({ ...findKey, values: [id] });
  return rows[0];
}

const findKeys = statement(
  'keys.find-all',
  `select id, operation, resource, fingerprint, members, status, answer, created_at as "createdAt"
     from keys where id = any($1::text[])`,
);

/** What each of these keys stands for; those that stand for nothing are missing. */
export async function findStoredKeys(db: Query, ids: string[]): Promise<Map<string, StoredKey>> {
  const { rows } = await db.query<StoredKey & { id: string }>({ ...findKeys, values: [ids] });
  return new Map(rows.map((row) => [row.id, row]));
}

export interface NewKey {
  id: string;
  tenantId: string;
  operation: KeyedOperation;
  resource: string;
  fingerprint: Fingerprint;
  createdAt: Date;
}

const claimKeyRow = statement(
  'keys.claim',
  `insert into keys (id, tenant_id, operation, resource, fingerprint, fingerprint_version, members, created_at)
   values ($1::text, $2::text, $3::text, $4::text, $5::bytea, $6::smallint, $7::jsonb, $8::timestamptz)
   on conflict (id) do nothing`,
);

/** Takes a key for an operation other than an order. @returns false when it stands for something already */
export async function claimKey(db: Query, key: NewKey): Promise<boolean> {
  const { digest, version, members } = key.fingerprint;
  const { rowCount } = await db.query({
    ...claimKeyRow,
    values: [
      key.id,
      key.tenantId,
      key.operation,
      key.resource,
      digest,
      version,
      members && JSON.stringify(members),
      key.createdAt,
    ],
  });
  return rowCount === 1;
}

const settleOpenKey = statement(
  'keys.settle',
  `update keys set answer = case when status is null then $3::text else answer end,
                   status = coalesce(status, $2::smallint)
    where id = $1::text returning status, answer`,
);

/** Settles what this key is answered, if nothing has yet. @returns the answer that stands */
export async function settleKey(db: Query, id: string, status: number, answer: string): Promise<StoredAnswer> {
  const { rows } = await db.query<StoredAnswer>({ ...settleOpenKey, values: [id, status, answer] });
  const stands = rows[0];
  if (stands === undefined) throw new Error(`the key ${id} has vanished: is something deleting keys?`);
  return stands;
}

const findSettledKeys = statement(
  'keys.find-settled',
  `select id, status, answer from keys where id = any($1::text[]) and status is not null`,
);

/** Those of the given keys that have been answered by now. */
export async function findSettled(db: Query, ids: string[]): Promise<(StoredAnswer & { id: string })[]> {
  const { rows } = await db.query<StoredAnswer & { id: string }>({ ...findSettledKeys, values: [ids] });
  return rows;
}
