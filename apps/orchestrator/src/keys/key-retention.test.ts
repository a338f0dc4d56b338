import { describe, expect, it } from 'vitest';
import { isoDuration, isPastRetention, isTooOld } from './key-retention.ts';

const DAY_MS = 86_400_000;
const retention = { keyLifetimeMs: DAY_MS, tombstoneLifetimeMs: 30 * DAY_MS };

describe('a key', () => {
  it('H16: is expired once it is older than the tombstone window, and not before', () => {
    const key = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
    const made = Date.parse('2022-02-22T19:22:22Z');
    expect(isTooOld(retention, key, new Date(made + 30 * DAY_MS))).toBe(false);
    expect(isTooOld(retention, key, new Date(made + 30 * DAY_MS + 1))).toBe(true);
    expect(isTooOld(retention, 'undatable-key-0123', new Date(made + 90 * DAY_MS))).toBe(false);
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
