import { describe, expect, it } from 'vitest';
import { errorOf, RETRYABLE_REASONS, toServiceError } from './status.ts';
import { decodeStatus, encodeStatus } from './status-details.ts';

describe('status details', () => {
  it('come back as they were sent', () => {
    const detail = { code: 9, message: 'nicht genug da', reason: 'OUT_OF_STOCK', metadata: { differing: 'a,b' } };
    expect(decodeStatus(encodeStatus(detail))).toEqual(detail);
  });

  it('G3: are the same bytes for the same refusal', () => {
    const detail = { code: 9, message: 'x', reason: 'OUT_OF_STOCK', metadata: {} };
    expect(encodeStatus(detail).equals(encodeStatus(detail))).toBe(true);
  });

  it.each([
    ['of none', Buffer.alloc(0)],
    ['damaged', Buffer.from([0x1a, 0xff, 0x01])],
    ['of another server', Buffer.from('\x08\x09\x12\x01x')],
  ])('%s are none of ours', (_, bytes) => {
    expect(decodeStatus(bytes)).toBeUndefined();
  });
});

describe('an error on the wire', () => {
  it('says in digits when to come back, and −1 when not to: grpc-js retries at once on anything else', () => {
    const pushback = (reason: Parameters<typeof errorOf>[0]) =>
      toServiceError(errorOf(reason, 'x')).metadata.get('grpc-retry-pushback-ms')[0];
    expect(pushback('STORE_UNAVAILABLE')).toBe('200');
    expect(pushback('SEALED')).toBe('-1');
    expect(RETRYABLE_REASONS.has('REQUEST_IN_PROGRESS')).toBe(true);
    expect(RETRYABLE_REASONS.has('FENCED')).toBe(false);
  });
});
