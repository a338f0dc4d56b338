import { describe, expect, it } from 'vitest';
import { datedAt } from './datable-key.ts';
import { isForgotten, isoDuration, isPastRetention } from './key-retention.ts';

const DAY_MS = 86_400_000;
const retention = { keyLifetimeMs: DAY_MS, tombstoneLifetimeMs: 30 * DAY_MS };

describe('a key', () => {
  it.each([
    // The examples of RFC 9562 and of the ULID specification.
    ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f', '2022-02-22T19:22:22.000Z'],
    ['017F22E2-79B0-7CC3-98C4-DC0C0C07398F', '2022-02-22T19:22:22.000Z'],
    ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '2016-07-30T23:54:10.259Z'],
    ['01arz3ndektsv4rrffq69g5fav', '2016-07-30T23:54:10.259Z'],
  ])('H16: %s says when it was made', (key, madeAt) => {
    expect(datedAt(key)?.toISOString()).toBe(madeAt);
  });

  it.each([
    'c232ab00-9414-41ec-b3c8-9f6bdeced846', // UUIDv4
    '01ARZ3NDEKTSV4RRFFQ69G5FAU', // U is no digit of a ULID
    '81ARZ3NDEKTSV4RRFFQ69G5FAV', // beyond its 48 bits
    '01ARZ3NDEKTSV4RRFFQ69G5FAVX',
    'first-order-1763942400',
  ])('%s says nothing about its age', (key) => {
    expect(datedAt(key)).toBeUndefined();
  });

  it('H16: is forgotten once it is older than the tombstone window, and not before', () => {
    const key = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
    const made = Date.parse('2022-02-22T19:22:22Z');
    expect(isForgotten(retention, key, new Date(made + 30 * DAY_MS))).toBe(false);
    expect(isForgotten(retention, key, new Date(made + 30 * DAY_MS + 1))).toBe(true);
    expect(isForgotten(retention, 'undatable-key-0123', new Date(made + 90 * DAY_MS))).toBe(false);
  });

  it('H15: is past its retention from the instant that its answer expires', () => {
    const claimedAt = new Date('2026-01-01T00:00:00Z');
    expect(isPastRetention(retention, claimedAt, new Date('2026-01-01T23:59:59.999Z'))).toBe(false);
    expect(isPastRetention(retention, claimedAt, new Date('2026-01-02T00:00:00Z'))).toBe(true);
  });

  it.each([
    [30 * DAY_MS, 'P30D'],
    [36 * 3_600_000, 'PT129600S'],
    [1_500, 'PT1.5S'],
  ])('H22: of %i ms is kept for %s', (ms, iso) => {
    expect(isoDuration(ms)).toBe(iso);
  });
});
