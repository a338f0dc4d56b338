import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { dateOfKey } from './new-key.ts';

/**
 * What makes two requests the same request. Version 1: HMAC-SHA-256 over version, operation and the RFC 8785 form of
 * the decoded request, so that key order, white space and wire encoding make no difference. Keyed, so that a stored
 * print says nothing about a guessable body.
 */
export interface Fingerprint {
  version: number;
  digest: Buffer;
  /**
   * Short digests by top-level member, to name the ones that differ; null where no caller needs them. Made when they are
   * first asked for (a duplicate whose digest is the same never needs them), of the request as it is then.
   */
  readonly members: Record<string, string> | null;
}

export interface Fingerprinter {
  of(operation: string, request: object, options?: { nameMembers?: boolean }): Fingerprint;
  /** A stable identifier derived from the parts, in the form of a UUID (version 8). */
  derivedId(...parts: string[]): string;
  /**
   * The id of what a tenant's key stands for: as `derivedId`, and where the key carries its time (`dateOfKey`) it begins with
   * that. What comes together then lies together: it goes to the right edge of every index, not to a page of its own in each
   * one, which would be logged whole.
   *
   * The time is the client's: a wrong one costs its place in the indexes and nothing else.
   */
  idOfKey(kind: string, tenantId: string, key: string): string;
}

/** Of fingerprints; it is part of what they are made of. */
const VERSION = 1;
const MEMBER_DIGEST_BYTES = 9;

export function createFingerprinter(secret: Buffer): Fingerprinter {
  const digest = hmacSha256(secret);
  const idBytes = (...parts: string[]) => Buffer.from(digest(JSON.stringify(['id', ...parts])).slice(0, 16), 'latin1');
  const memberDigest = (operation: string, name: string, value: string) =>
    Buffer.from(
      digest(canonicalList(['member', VERSION, operation, name], value)).slice(0, MEMBER_DIGEST_BYTES),
      'latin1',
    ).toString('base64url');
  const membersOf = (operation: string, request: object) =>
    Object.fromEntries(
      canonicalMembers(request).map(([name, value]) => [name, memberDigest(operation, name, value)] as const),
    );
  return {
    of(operation, request, options) {
      const form = canonicalList(['request', VERSION, operation], canonical(request));
      const own = { version: VERSION, digest: Buffer.from(digest(form), 'latin1') };
      if (!options?.nameMembers) return { ...own, members: null };
      let named: Record<string, string> | undefined;
      return {
        ...own,
        get members() {
          named ??= membersOf(operation, request);
          return named;
        },
      };
    },
    derivedId: (...parts) => uuidOf(idBytes(...parts)),
    idOfKey(kind, tenantId, key) {
      const bytes = idBytes(kind, tenantId, key);
      // @guard K2 the form of ids: "const madeAt = dateOfKey(key);" -> "const madeAt = undefined as Date | undefined;"
      const madeAt = dateOfKey(key);
      // The 74 bits that are left keep keys of one millisecond apart.
      if (madeAt !== undefined) bytes.writeUIntBE(madeAt.getTime(), 0, 6);
      return uuidOf(bytes);
    },
  };
}

/** In the form of a UUID of version 8 (RFC 9562). */
function uuidOf(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Members without a value are none. */
function canonicalMembers(request: object): [name: string, value: string][] {
  return Object.entries(request)
    .map(([name, value]): [string, string] => [name, canonical(value)])
    .filter(([, value]) => value !== '');
}

/**
 * The canonical form of a list keeps its parts apart: ["ab","c"] and ["a","bc"] differ. Of texts and whole numbers that is
 * what JSON.stringify writes. @param last canonical already
 */
function canonicalList(parts: (string | number)[], last: string): string {
  return `${JSON.stringify(parts).slice(0, -1)},${last}]`;
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
    const block = text.length * 3 <= SHORT_BYTES ? inner : padded(0x36, Buffer.byteLength(text));
    const end = BLOCK_BYTES + block.write(text, BLOCK_BYTES);
    outer.write(hash('sha256', block.subarray(0, end), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'binary');
  };
}
