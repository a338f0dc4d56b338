/*
 * The API keys in Postgres, by their digests. Whether one counts now is said by the database's clock alone: the clocks of
 * replicas differ.
 */
import type { Scope } from '@holdfast/contracts';
import { type Query, statement } from '@holdfast/postgres';
import { encodeCursor, type Page } from '../orders/page.ts';

export type ApiKeyStatus = 'active' | 'pending' | 'expired' | 'revoked';

/** A key without its secret, which nobody has but its owner. */
export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  status: ApiKeyStatus;
  notBefore: Date;
  expiresAt: Date | null;
  createdAt: Date;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}

const COLUMNS = `id, name, array_to_json(scopes) as scopes, not_before as "notBefore", expires_at as "expiresAt",
  created_at as "createdAt", revoked_at as "revokedAt", last_used_at as "lastUsedAt",
  case when revoked_at is not null then 'revoked'
       when expires_at <= clock_timestamp() then 'expired'
       when not_before > clock_timestamp() then 'pending'
       else 'active' end as status`;

export interface NewApiKey {
  id: string;
  tenantId: string;
  name: string;
  scopes: readonly Scope[];
  digest: Buffer;
  /** Undefined: from now on. */
  notBefore: Date | undefined;
  expiresAt: Date | undefined;
  createdAt: Date;
}

const insertKey = statement(
  'api-keys.insert',
  `insert into api_keys (id, tenant_id, name, scopes, digest, not_before, expires_at, created_at)
   select $1::text, $2::text, $3::text, $4::text[], $5::bytea, begins.at, $7::timestamptz, $8::timestamptz
     from (select coalesce($6::timestamptz, clock_timestamp()) as at) as begins
    where $7::timestamptz is null or $7::timestamptz > greatest(begins.at, clock_timestamp())
   on conflict (id) do nothing
   returning ${COLUMNS}`,
);

/** @returns undefined when there is a key with this id (K5), or when this one would end before it begins */
export async function insertApiKey(db: Query, key: NewApiKey): Promise<ApiKey | undefined> {
  const { id, tenantId, name, scopes, digest, notBefore = null, expiresAt = null, createdAt } = key;
  const values = [id, tenantId, name, [...scopes], digest, notBefore, expiresAt, createdAt];
  return (await db.query<ApiKey>({ ...insertKey, values })).rows[0];
}

const findKey = statement(
  'api-keys.find',
  `select ${COLUMNS} from api_keys where id = $1::text and (tenant_id = $2::text) is true`,
);

/** @returns undefined when this tenant has no such key */
export async function readApiKey(db: Query, tenantId: string, id: string): Promise<ApiKey | undefined> {
  return (await db.query<ApiKey>({ ...findKey, values: [id, tenantId] })).rows[0];
}

const listKeys = statement(
  'api-keys.list',
  `select ${COLUMNS} from api_keys
    where tenant_id = $1::text and ($2::timestamptz is null or (created_at, id) < ($2::timestamptz, $3::text))
    order by created_at desc, id desc limit $4::integer`,
);

export interface ApiKeyPageRequest {
  limit: number;
  after?: { createdAt: string; id: string } | undefined;
}

/** A tenant's keys, newest first, those that count no more too. */
export async function readApiKeys(
  db: Query,
  tenantId: string,
  { limit, after }: ApiKeyPageRequest,
): Promise<Page<ApiKey>> {
  const values = [tenantId, after?.createdAt ?? null, after?.id ?? null, limit + 1];
  const { rows } = await db.query<ApiKey>({ ...listKeys, values });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isMore = rows.length > limit && last !== undefined;
  const nextCursor = isMore ? encodeCursor({ createdAt: last.createdAt.toISOString(), id: last.id }) : null;
  return { rows: shown, nextCursor };
}

const countKeys = statement(
  'api-keys.count',
  `select count(*) as keys from (
     select from api_keys where tenant_id = $1::text and revoked_at is null
        and (expires_at is null or expires_at > clock_timestamp()) limit $2::integer
   ) as counted`,
);

/** Keys of a tenant that count, or will; `most` when there are more. */
export async function countApiKeys(db: Query, tenantId: string, most: number): Promise<number> {
  const { rows } = await db.query<{ keys: number }>({ ...countKeys, values: [tenantId, most] });
  return rows[0]?.keys ?? 0;
}

const revokeKey = statement(
  'api-keys.revoke',
  `update api_keys set revoked_at = coalesce(revoked_at, clock_timestamp())
    where id = $1::text and (tenant_id = $2::text) is true
   returning ${COLUMNS}`,
);

/** For good; again, it changes nothing. @returns undefined when this tenant has no such key */
export async function revokeApiKey(db: Query, tenantId: string, id: string): Promise<ApiKey | undefined> {
  return (await db.query<ApiKey>({ ...revokeKey, values: [id, tenantId] })).rows[0];
}

/** What a replica keeps of a key that counts, or will. */
export interface LiveKey {
  id: string;
  tenantId: string;
  scopes: Scope[];
  digest: Buffer;
  /** From the look on; below 0: it has begun. */
  beginsInMs: number;
  /** Null: it does not end by itself. */
  endsInMs: number | null;
}

const readLive = statement(
  'api-keys.live',
  `select id, tenant_id as "tenantId", array_to_json(scopes) as scopes, digest,
          (extract(epoch from not_before - clock_timestamp()) * 1000)::float8 as "beginsInMs",
          (extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as "endsInMs"
     from api_keys
    where id = any($1::text[]) and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`,
);

/** Of these keys, those that are neither revoked nor at their end. */
export async function readLiveKeys(db: Query, ids: readonly string[]): Promise<LiveKey[]> {
  return (await db.query<LiveKey>({ ...readLive, values: [[...ids]] })).rows;
}

const noteUse = statement(
  'api-keys.note-use',
  `with used as (
     select id from api_keys
      where id = any($1::text[]) and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 hour')
      order by id for update
   )
   update api_keys k set last_used_at = clock_timestamp() from used where k.id = used.id`,
);

/** Written once in an hour for each key, however many replicas have seen it used. */
export async function noteApiKeyUse(db: Query, ids: readonly string[]): Promise<void> {
  await db.query({ ...noteUse, values: [[...ids]] });
}
