import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEY_PATTERN } from './key.ts';
import { dateOfKey, newKey, newKeyFor, parseKey } from './new-key.ts';

describe('a new key', () => {
  it('is a valid key that carries its time, and no two of one millisecond are the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (now) => {
        const key = newKey(now);
        expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(KEY_PATTERN.test(key)).toBe(true);
        expect(dateOfKey(key)?.getTime()).toBe(now);
        expect(newKey(now)).not.toBe(key);
      }),
    );
  });

  it('sorts by when it was made', () => {
    const keys = [1, 2, 65_536, 2 ** 40].map((now) => newKey(1_700_000_000_000 + now));
    expect(keys.toSorted()).toEqual(keys);
  });
});

describe('a key of who, when and what', () => {
  const at = new Date('2026-03-14T09:26:53.589Z');

  it('is the same for the same three, and valid', () => {
    expect(newKeyFor('till-7', at, 'refund')).toBe('till-7~20260314T092653589Z~refund');
    expect(KEY_PATTERN.test(newKeyFor('t', at, 'r'))).toBe(true);
    expect(KEY_PATTERN.test(newKeyFor('c'.repeat(48), at, 'o'.repeat(48)))).toBe(true);
    expect(newKeyFor('till-8', at, 'refund')).not.toBe(newKeyFor('till-7', at, 'refund'));
    expect(newKeyFor('till-7', new Date(at.getTime() + 1), 'refund')).not.toBe(newKeyFor('till-7', at, 'refund'));
  });

  it('refuses parts that would not fit into a key, naming them', () => {
    expect(() => newKeyFor('', at, 'refund')).toThrow('client');
    expect(() => newKeyFor('a:b', at, 'refund')).toThrow('client');
    expect(() => newKeyFor('till-7', at, 'o'.repeat(49))).toThrow('operation');
    expect(() => newKeyFor('till-7', new Date(Number.NaN), 'refund')).toThrow(RangeError);
  });
});

describe('H16: how old a key is', () => {
  it.each([
    // The examples of RFC 9562 and of the ULID specification.
    ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f', '2022-02-22T19:22:22.000Z'],
    ['017F22E2-79B0-7CC3-98C4-DC0C0C07398F', '2022-02-22T19:22:22.000Z'],
    ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '2016-07-30T23:54:10.259Z'],
    ['01ARYZ6S41TSV4RRFFQ69G5FAV', '2016-07-30T22:36:16.385Z'],
    ['01aryz6s41tsv4rrffq69g5fav', '2016-07-30T22:36:16.385Z'],
  ])('H16: is read from %s, in any case', (key, madeAt) => {
    expect(dateOfKey(key)?.toISOString()).toBe(madeAt);
  });

  it.each([
    '7c7b1d5e-8a4b-4b7e-9f0c-2f1d3c4b5a69', // UUIDv4
    '017f22e2-79b0-7cc3-18c4-dc0c0c07398f', // of no variant
    '81ARYZ6S41TSV4RRFFQ69G5FAV', // beyond its 48 bits
    '01ARYZ6S41TSV4RRFFQ69G5FAU', // U is no digit of a ULID
    '01ARZ3NDEKTSV4RRFFQ69G5FAVX',
    'till-7~20260314T092653589Z~refund',
    'first-order-1763942400',
  ])('can’t be read from %s', (key) => {
    expect(dateOfKey(key)).toBeUndefined();
  });
});

describe('H2: what a header says', () => {
  const valid = 'x'.repeat(16);
  it('is a key, quoted or not', () => {
    for (const raw of [valid, `"${valid}"`, [valid]]) expect(parseKey(raw)).toEqual({ kind: 'key', key: valid });
  });

  it.each([[undefined], [''], [[]]])('%j is missing', (raw) => {
    expect(parseKey(raw)).toMatchObject({ kind: 'missing' });
  });

  it.each([
    ['x'.repeat(15)],
    ['x'.repeat(129)],
    [`"${valid}`],
    [`${valid}"`],
    [`${valid}, ${valid}`],
    [[valid, valid]],
    ['""'],
    [`""${valid}""`],
  ])('%j is invalid', (raw) => {
    expect(parseKey(raw)).toMatchObject({ kind: 'invalid' });
  });
});
