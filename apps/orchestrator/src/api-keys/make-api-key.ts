/*
 * Making an API key under a client's idempotency key.
 *
 * K1  The key's row, the answer to its maker and its outcome in the audit log are one transaction: a process that dies before it has made nothing, and the next
 *     attempt makes another secret; one that dies after it has an answer, which is replayed.
 * K2  The stored answer holds the key sealed (sealed-key.ts): the same credential gets the same bytes.
 * K5  The id is derived from tenant and idempotency key: when the claim is gone, the same request finds the key that it made,
 *     and shows it without its secret.
 */
import { randomBytes } from 'node:crypto';
import type { KeyedOperation } from '@holdfast/contracts';
import { transaction } from '@holdfast/postgres';
import { type ChangeAnswer, type ChangeDesk, outcomeOf } from '../keys/change-once.ts';
import { settleChangeKey } from '../keys/key-store.ts';
import { keyId } from '../orders/accept-order.ts';
import { apiKeyIdOf, apiKeyOf, apiKeyPrefix, digestOf, SECRET_BYTES } from './api-key.ts';
import { type ApiKey, countApiKeys, insertApiKey, type NewApiKey, readApiKey } from './api-key-store.ts';
import { openKey, sealKey } from './sealed-key.ts';

export const MAKE_API_KEY = 'POST /v1/api-keys' satisfies KeyedOperation;
const MADE = 201;
/** Of a tenant, that count or will: every key takes room in every replica. */
export const MAX_API_KEYS = 1_000;

export type WantedApiKey = Pick<NewApiKey, 'name' | 'scopes' | 'notBefore' | 'expiresAt'>;

export interface Making {
  tenantId: string;
  /** The client's, which the key is made under. */
  idempotencyKey: string;
  /** The API key in the clear that the maker has shown. */
  credential: string;
  /** When the idempotency key was claimed. */
  claimedAt: Date;
}

/** A key and its secret, which is nowhere else. */
export function newApiKey(id: string): { key: string; digest: Buffer } {
  const key = apiKeyOf(id, randomBytes(SECRET_BYTES));
  return { key, digest: digestOf(key) };
}

/** For a key that no request stands for. */
export function randomApiKeyId(): string {
  return apiKeyIdOf(randomBytes(16));
}

/** The id of the key that is made under this idempotency key. */
export function madeApiKeyId(
  { fingerprinter }: Pick<ChangeDesk, 'fingerprinter'>,
  { tenantId, idempotencyKey }: Pick<Making, 'tenantId' | 'idempotencyKey'>,
): string {
  const id = fingerprinter.derivedId('api-key', tenantId, idempotencyKey);
  return apiKeyIdOf(Buffer.from(id.replaceAll('-', ''), 'hex'));
}

export type MakeOutcome =
  | { kind: 'made'; answer: ChangeAnswer }
  /** The tenant has MAX_API_KEYS. */
  | { kind: 'too_many' }
  /** It would end before it begins. */
  | { kind: 'never_counts' };

/** @throws pg errors; nothing is made then, or it is not known: the same request finds out */
export async function makeApiKey(desk: ChangeDesk, making: Making, wanted: WantedApiKey): Promise<MakeOutcome> {
  const { tenantId, idempotencyKey, credential, claimedAt } = making;
  const { pool, fingerprinter } = desk;
  const id = madeApiKeyId(desk, making);
  const { key, digest } = newApiKey(id);
  // Before the transaction: it takes its time, and a connection would wait for it.
  const sealed = await sealKey(key, credential, id);
  const claim = { tenantId, id: keyId(fingerprinter, tenantId, idempotencyKey), operation: MAKE_API_KEY } as const;
  return await transaction(pool, async (tx): Promise<MakeOutcome> => {
    const isFull = (await countApiKeys(tx, tenantId, MAX_API_KEYS)) >= MAX_API_KEYS;
    const made = isFull
      ? undefined
      : await insertApiKey(tx, { ...wanted, id, tenantId, digest, createdAt: desk.now() });
    // It is there already, by an attempt whose answer is stored with it; or by one whose claim is gone.
    const shown = made ?? (await readApiKey(tx, tenantId, id));
    if (shown === undefined) return { kind: isFull ? 'too_many' : 'never_counts' };
    const body = JSON.stringify({ ...showApiKey(shown), ...(made && { sealed }) });
    const answer = { status: MADE, body, replayed: false, effect: { after: { id, scopes: wanted.scopes } } };
    const stored = await settleChangeKey(tx, claim, { ...answer, claimedAt, outcome: outcomeOf(answer) });
    return { kind: 'made', answer: { ...answer, status: stored.status, body: stored.answer ?? body } };
  });
}

/** What a stored answer shows to this credential: with the key, if it is the one that made it. */
export async function openAnswer(body: string, credential: string): Promise<string> {
  const { sealed, ...shown } = JSON.parse(body) as ShownApiKey & { sealed?: string };
  if (sealed === undefined) return body;
  const key = await openKey(sealed, credential, shown.id);
  return JSON.stringify(key === undefined ? shown : { ...shown, key });
}

type ShownApiKey = ReturnType<typeof showApiKey>;

/** As the API and the command line show it. */
export function showApiKey({ id, name, scopes, status, ...instants }: ApiKey) {
  return {
    id,
    name,
    prefix: apiKeyPrefix(id),
    scopes,
    status,
    notBefore: instants.notBefore.toISOString(),
    expiresAt: instants.expiresAt?.toISOString() ?? null,
    createdAt: instants.createdAt.toISOString(),
    revokedAt: instants.revokedAt?.toISOString() ?? null,
    lastUsedAt: instants.lastUsedAt?.toISOString() ?? null,
  };
}
