import { randomBytes } from 'node:crypto';

/**
 * A new idempotency key: a UUIDv7 (RFC 9562). It says when it was made, so that a server which has forgotten it can tell
 * an old request from a new one.
 */
export function newKey(nowMs: number = Date.now(), random: (size: number) => Uint8Array = randomBytes): string {
  const bytes = Buffer.from(random(16));
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
