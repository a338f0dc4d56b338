import { randomBytes } from 'node:crypto';
import { KEY_PATTERN } from '@holdfast/contracts/key';
import { reasons } from '@holdfast/contracts/reasons';

// Making keys, and reading a key's age.

/** Why a key can't be used; `message` is what its reason says in every catalogue. */
export type KeyFault = { kind: 'missing' | 'invalid'; message: string };

/**
 * One header or metadata value as a key: `"k"` (a structured-field string) and `k` are the same key.
 * @param raw undefined or '' when none was sent; a list when several were
 */
export function parseKey(raw: string | string[] | undefined): { kind: 'key'; key: string } | KeyFault {
  if (raw === undefined || raw === '' || (Array.isArray(raw) && raw.length === 0)) {
    return { kind: 'missing', message: reasons.IDEMPOTENCY_KEY_MISSING.detail };
  }
  const value = Array.isArray(raw) && raw.length === 1 ? raw[0] : raw;
  const key = typeof value === 'string' ? value.replace(/^"(.*)"$/, '$1') : '';
  if (KEY_PATTERN.test(key)) return { kind: 'key', key };
  return { kind: 'invalid', message: reasons.IDEMPOTENCY_KEY_INVALID.detail };
}

/**
 * A new key for a new operation: a UUIDv7, unique without coordination, and datable.
 * @param now milliseconds since 1970; `random` 10 bytes
 */
export function newKey(now: number = Date.now(), random: Buffer = randomBytes(10)): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now, 0, 6);
  random.copy(bytes, 6, 0, 10);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const PART = /^[A-Za-z0-9._~-]{1,48}$/;

/**
 * A key made of what the caller already knows: client, instant, operation (`till-7~20260314T092653589Z~refund`). The same three give the
 * same key, so a client that lost its memory finds its operation again; `at` is the operation's own instant, stored
 * with it, never the instant of sending.
 *
 * @throws RangeError when a part doesn't fit into a key
 */
export function newKeyFor(client: string, at: Date, operation: string): string {
  for (const [name, part] of [['client', client] as const, ['operation', operation] as const]) {
    if (!PART.test(part)) throw new RangeError(`${name}: give 1 to 48 of [A-Za-z0-9._~-]`);
  }
  // No colon: a key's row lives where its part before the first colon does.
  return `${client}~${at.toISOString().replaceAll(/[-:.]/g, '')}~${operation}`;
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * When a key was made, where the key carries its time (UUIDv7, ULID); undefined for every other key. Ids are made of it
 * (`idOfKey`): were another kind of key dated, or one no longer, its retry would be a second order.
 */
export function dateOfKey(key: string): Date | undefined {
  if (UUID_V7.test(key)) return new Date(Number.parseInt(key.slice(0, 8) + key.slice(9, 13), 16));
  if (!ULID.test(key)) return undefined;
  const ms = [...key.slice(0, 10).toUpperCase()].reduce((sum, digit) => sum * 32 + CROCKFORD.indexOf(digit), 0);
  return new Date(ms);
}
