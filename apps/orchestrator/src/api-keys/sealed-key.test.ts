import { describe, expect, it } from 'vitest';
import { openKey, sealKey } from './sealed-key.ts';

const KEY = 'hf_main_the-key-itself';

describe('a sealed key', () => {
  it('K2: is opened by the credential that it was sealed under, and by no other', async () => {
    const sealed = await sealKey(KEY, 'the maker', 'id-1');
    expect(await openKey(sealed, 'the maker', 'id-1')).toBe(KEY);
    expect(await openKey(sealed, 'the Maker', 'id-1')).toBeUndefined();
    expect(await openKey(sealed, '', 'id-1')).toBeUndefined();
  });

  it('is of its id: in the answer to another request it stays shut', async () => {
    expect(await openKey(await sealKey(KEY, 'the maker', 'id-1'), 'the maker', 'id-2')).toBeUndefined();
  });

  it('says nothing of the key, and not even that two are the same', async () => {
    const [one, other] = await Promise.all([sealKey(KEY, 'the maker', 'id-1'), sealKey(KEY, 'the maker', 'id-1')]);
    expect(one).not.toBe(other);
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('the-key');
  });

  it('stays shut when a byte of it was changed', async () => {
    const bytes = Buffer.from(await sealKey(KEY, 'the maker', 'id-1'), 'base64url');
    for (const at of [0, 20, 30, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other.writeUInt8(other.readUInt8(at) ^ 1, at);
      expect(await openKey(other.toString('base64url'), 'the maker', 'id-1'), `at ${at}`).toBeUndefined();
    }
  });
});
