import { describe, expect, it } from 'vitest';
import { createOrderAnswerCache } from './order-answer-cache.ts';

const KEY_LIFETIME_MS = 1_000;
const CLAIMED_AT = new Date('2026-01-01T00:00:00.000Z');
const KEY = 'k'.repeat(16);
const ANSWER = { id: 'order', body: '{"id":"é"}', claimedAt: CLAIMED_AT };
const SENT = Buffer.from('{ }');

/** Caches one answer and looks it up at another instant, by request and by raw body. */
async function foundAfter(ms: number, asked: { tenantId?: string; key?: string; print?: string }) {
  let now = CLAIMED_AT;
  const known = createOrderAnswerCache(
    undefined,
    { keyLifetimeMs: KEY_LIFETIME_MS, tombstoneLifetimeMs: 2 * KEY_LIFETIME_MS },
    () => now,
  );
  const order = ({ tenantId = 'shop', key = KEY, print = 'same' }) => ({
    tenantId,
    key,
    fingerprint: { version: 1, digest: Buffer.from(print), members: null },
  });
  known.keep({ ...order({}), bytes: SENT }, ANSWER);
  now = new Date(CLAIMED_AT.getTime() + ms);
  const { tenantId, key, fingerprint } = order(asked);
  return [
    await known.find('order', { tenantId, key, fingerprint }),
    known.findByRawBody({ tenantId, key, bytes: asked.print === undefined ? SENT : Buffer.from(asked.print) }),
  ];
}

describe('a cached answer', () => {
  it('K2: is found by the same request, byte for byte, with the instant of its claim', async () => {
    expect(await foundAfter(KEY_LIFETIME_MS - 1, {})).toEqual([ANSWER, ANSWER]);
  });

  it('K5: is not found when its retention is over', async () => {
    expect(await foundAfter(KEY_LIFETIME_MS, {})).toEqual([undefined, undefined]);
  });

  it('K2: is not given to another request, another key, another tenant', async () => {
    for (const other of [{ print: 'other' }, { key: 'o'.repeat(16) }, { tenantId: 'other' }]) {
      expect(await foundAfter(0, other)).toEqual([undefined, undefined]);
    }
  });
});
