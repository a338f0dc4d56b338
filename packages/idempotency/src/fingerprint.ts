import { hash, randomBytes } from 'node:crypto';
import { type Query, statement } from '@holdfast/postgres';
import canonicalize from 'canonicalize';

/**
 * What makes two requests the same request. Version 1: HMAC-SHA-256 over version, operation and the RFC 8785 form of
 * the decoded request, so that key order, white space and wire encoding make no difference. Keyed, so that a stored
 * print says nothing about a guessable body.
 */
export interface Fingerprint {
  version: number;
  digest: Buffer;
  /**
   * Short digests by top-level member, to name the ones that differ; null where nobody wants to know. Made when they are
   * first asked for: a duplicate whose digest is the same never needs them.
   */
  readonly members: Record<string, string> | null;
}

export interface Fingerprinter {
  of(operation: string, request: object, options?: { nameMembers?: boolean }): Fingerprint;
  /** A stable identifier derived from the parts, in the form of a UUID (version 8). */
  derivedId(...parts: string[]): string;
}

const VERSION = 1;
const MEMBER_DIGEST_BYTES = 9;

const keepOrCreateSecret = statement(
  'idempotency.keep-or-create-secret',
  `with created as (
     insert into fingerprint_secrets (version, secret) values ($1::smallint, $2::bytea)
     on conflict (version) do nothing returning secret
   )
   select secret from created union all select secret from fingerprint_secrets where version = $1::smallint limit 1`,
);

/** Reads this database's secret; the first process ever to ask makes it. */
export async function loadFingerprinter(
  db: Query,
  random: (size: number) => Buffer = randomBytes,
): Promise<Fingerprinter> {
  // Another process may be inserting it at this very moment: then neither branch sees a row, and the next look does.
  for (let look = 1; look <= 5; look++) {
    const { rows } = await db.query<{ secret: Buffer }>({ ...keepOrCreateSecret, values: [VERSION, random(32)] });
    if (rows[0]) return fingerprinter(rows[0].secret);
  }
  throw new Error('the fingerprint secret could not be read: check the table fingerprint_secrets');
}

function fingerprinter(secret: Buffer): Fingerprinter {
  const digest = hmacSha256(secret);
  const memberDigest = (operation: string, { name, value }: CanonicalMember) =>
    Buffer.from(
      digest(canonicalList(['member', VERSION, operation, name], value)).slice(0, MEMBER_DIGEST_BYTES),
      'latin1',
    ).toString('base64url');
  return {
    of(operation, request, options) {
      const members = canonicalMembers(request);
      let named: Record<string, string> | undefined;
      return {
        version: VERSION,
        digest: Buffer.from(
          digest(canonicalList(['request', VERSION, operation], canonicalOf(request, members))),
          'latin1',
        ),
        get members() {
          if (!options?.nameMembers) return null;
          named ??= Object.fromEntries(members.map((member) => [member.name, memberDigest(operation, member)]));
          return named;
        },
      };
    },
    derivedId(...parts) {
      const bytes = Buffer.from(digest(canonical(['id', ...parts])).slice(0, 16), 'latin1');
      bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
      bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
      return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
  };
}

interface CanonicalMember {
  name: string;
  /** Its RFC 8785 form. */
  value: string;
}

/** Each value once, in the order of RFC 8785: that of the names' UTF-16 units. Members without a value are none. */
function canonicalMembers(request: object): CanonicalMember[] {
  return Object.entries(request)
    .map(([name, value]) => ({ name, value: canonical(value) }))
    .filter(({ value }) => value !== '')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The whole request, put together from its members; a list, or an object with a form of its own, is none of them. */
function canonicalOf(request: object, members: CanonicalMember[]): string {
  if (Array.isArray(request) || 'toJSON' in request) return canonical(request);
  return `{${members.map(memberText).join()}}`;
}

const memberText = ({ name, value }: CanonicalMember): string => `${canonical(name)}:${value}`;

/** The canonical form of a list keeps its parts apart: ["ab","c"] and ["a","bc"] differ. @param last canonical already */
function canonicalList(parts: unknown[], last: string): string {
  return `${canonical(parts).slice(0, -1)},${last}]`;
}

const canonical = (value: unknown): string => canonicalize(value) ?? '';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Longer texts get a buffer of their own. */
const SHORT_BYTES = 8_192;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, of many short texts: two hashes in one call each over buffers that are there
 * already, passed on as strings. createHmac(), or a Buffer for the inner hash, makes an object outside V8's heap for each
 * text, which costs several times what the digest does, and again when it is collected.
 */
function hmacSha256(key: Buffer): (text: string) => string {
  const padded = (pad: number, bytes: number) => {
    const block = Buffer.alloc(BLOCK_BYTES + bytes, pad);
    const short = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
    for (const [at, byte] of short.entries()) block.writeUInt8(byte ^ pad, at);
    return block;
  };
  const inner = padded(0x36, SHORT_BYTES);
  const outer = padded(0x5c, DIGEST_BYTES);
  return (text) => {
    // A UTF-16 unit is three bytes of UTF-8 at most.
    const held = text.length * 3 <= SHORT_BYTES ? inner : padded(0x36, Buffer.byteLength(text));
    const end = BLOCK_BYTES + held.write(text, BLOCK_BYTES);
    outer.write(hash('sha256', held.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'binary');
  };
}
