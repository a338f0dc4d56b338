import { createHmac } from 'node:crypto';
import canonicalize from 'canonicalize';
import { describe, expect, it } from 'vitest';
import { createFingerprinter } from './fingerprint.ts';
import { newKey } from './new-key.ts';

const DATED = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
const UNDATED = '7c7b1d5e-8a4b-4b7e-9f0c-2f1d3c4b5a69';
const SECRET = Buffer.alloc(32, 7);
const fingerprinter = createFingerprinter(SECRET);

/** An id without a time in it, made by Node's own HMAC. */
function randomId(key: string): string {
  const digest = createHmac('sha256', SECRET)
    .update(canonicalize(['id', 'order', 'shop', key]) ?? '')
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

describe('the id of a key', () => {
  it('K2: begins with the time of a key that carries it, and is random for every other key; always the same', () => {
    expect(fingerprinter.idOfKey('order', 'shop', DATED)).toBe(`017f22e2-79b0${randomId(DATED).slice(13)}`);
    expect(fingerprinter.idOfKey('order', 'shop', UNDATED)).toBe(randomId(UNDATED));
    expect(createFingerprinter(SECRET).idOfKey('order', 'shop', DATED)).toBe(
      fingerprinter.idOfKey('order', 'shop', DATED),
    );
  });

  it('orders ids as their keys were made, and tells keys of one millisecond and of two tenants apart', () => {
    const at = [0, 1, 255, 65_536, 2 ** 40, 2 ** 48 - 1];
    const ids = at.map((ms) => fingerprinter.idOfKey('order', 'shop', newKey(ms)));
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const same = Array.from({ length: 1_000 }, () => fingerprinter.idOfKey('order', 'shop', newKey(at[4])));
    expect(new Set(same).size).toBe(1_000);
    expect(fingerprinter.idOfKey('order', 'other', DATED)).not.toBe(fingerprinter.idOfKey('order', 'shop', DATED));
  });
});
