import { describe, expect, it } from 'vitest';
import { actKeyOf, isUndoKey, KEY_PATTERN, splitKey, undoKeyOf } from './key.ts';

describe('a key', () => {
  it('G2, H2: is 16 to 128 of [A-Za-z0-9._~:-]', () => {
    for (const good of ['x'.repeat(16), 'x'.repeat(128), 'A-z.0_9~:abcdefgh'])
      expect(KEY_PATTERN.test(good)).toBe(true);
    for (const bad of [
      'x'.repeat(15),
      'x'.repeat(129),
      'has a space in it',
      'comma,comma,comma',
      'umläut-umläut-umläut',
    ]) {
      expect(KEY_PATTERN.test(bad)).toBe(false);
    }
  });

  it('of a step shares its scope with the undo, so that both live on one shard', () => {
    const act = 'order-1:charge-payment';
    expect(splitKey(act)).toEqual({ scope: 'order-1', name: 'charge-payment' });
    expect(splitKey(undoKeyOf(act))).toEqual({ scope: 'order-1', name: 'charge-payment:undo' });
    expect(splitKey('no-colon-in-this')).toEqual({ scope: 'no-colon-in-this', name: '' });
  });

  it('K2: shares its parts with no other key, wherever its colons are', () => {
    const keys = ['', ':', '::', ':::', ':b', ':b:', '::b', 'b', 'b:'].map((end) => `0123456789abcdef${end}`);
    const parts = keys.map((key) => JSON.stringify(splitKey(key)));
    expect(new Set(parts).size).toBe(keys.length);
  });

  it('of an undo leads back to its act, and no other key does', () => {
    expect(actKeyOf(undoKeyOf('order-1:charge-payment'))).toBe('order-1:charge-payment');
    expect(isUndoKey('order-1:undo-payment')).toBe(false);
    expect(() => actKeyOf('order-1:charge-payment')).toThrow(RangeError);
  });
});
