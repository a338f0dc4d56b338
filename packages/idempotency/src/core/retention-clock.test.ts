import { describe, expect, it } from 'vitest';
import { DAY_MS, isAnswerExpired, isKeyExpired, TOMBSTONE_MS } from './retention-clock.ts';

const KEY = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
const MADE_MS = Date.parse('2022-02-22T19:22:22Z');

describe('the clock of retention', () => {
  it('H15: an answer expires at the end of its lifetime', () => {
    expect(isAnswerExpired(MADE_MS, DAY_MS, MADE_MS + DAY_MS - 1)).toBe(false);
    expect(isAnswerExpired(MADE_MS, DAY_MS, MADE_MS + DAY_MS)).toBe(true);
  });

  it('H16: a key expires when it says that it is older than anything that is remembered; others never do', () => {
    expect(isKeyExpired(KEY, TOMBSTONE_MS, MADE_MS + 30 * DAY_MS)).toBe(false);
    expect(isKeyExpired(KEY, TOMBSTONE_MS, MADE_MS + 30 * DAY_MS + 1)).toBe(true);
    expect(isKeyExpired('undatable-key-0123', TOMBSTONE_MS, MADE_MS + 90 * DAY_MS)).toBe(false);
  });
});
