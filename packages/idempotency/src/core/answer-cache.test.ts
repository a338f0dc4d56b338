import { describe, expect, it } from 'vitest';
import { createLocalAnswers, createLocalAnswersOf, type RememberedCall, type SettledAnswer } from './answer-cache.ts';

const call = (key: string): RememberedCall => ({
  tenantId: 'shop',
  key,
  operation: 'POST /v1/orders',
  fingerprint: { version: 1, digest: Buffer.from('print'), members: null },
});
const executed = (text: string): SettledAnswer => ({ kind: 'completed', answer: Buffer.from(text) });

describe('what a process remembers of its answers', () => {
  it('takes the memory that it counts, not the pool that the bytes came from', () => {
    const answers = createLocalAnswers();
    const told = executed('{"id":1}');
    expect(told.answer.buffer.byteLength).toBeGreaterThan(told.answer.length);
    answers.put(call('a'), told);
    const kept = answers.get(call('a'));
    expect(kept).toEqual(told);
    expect(kept?.answer.buffer.byteLength).toBe(told.answer.length);
  });

  it('is bounded: the longest unused answers go first', () => {
    const answers = createLocalAnswers({ maxBytes: 1_000 });
    answers.put(call('a'), executed('1'));
    answers.put(call('b'), executed('2'));
    // Used again, so that b is the longest unused.
    expect(answers.get(call('a'))).toBeDefined();
    answers.put(call('c'), executed('3'));
    expect(answers.get(call('b'))).toBeUndefined();
    expect(answers.get(call('a'))).toEqual(executed('1'));
    expect(answers.get(call('c'))).toEqual(executed('3'));
  });

  it('is forgotten after its time', () => {
    let nowMs = 0;
    const answers = createLocalAnswers({ ttlMs: 10 }, () => nowMs);
    answers.put(call('a'), executed('1'));
    nowMs = 9;
    expect(answers.get(call('a'))).toBeDefined();
    nowMs = 10;
    expect(answers.get(call('a'))).toBeUndefined();
  });
});

describe('K2: a request that nobody has read', () => {
  const bytes = Buffer.from('{"delta":1}');
  const answers = () => createLocalAnswersOf<string>((answer) => answer.length);
  const unread = (sent: string) => ({
    tenantId: 'shop',
    key: 'a',
    operation: 'POST /v1/orders',
    bytes: Buffer.from(sent),
  });

  it('is known when it comes in as the very bytes that were answered, and so is the request itself', () => {
    const told = answers();
    told.put({ ...call('a'), bytes }, 'one');
    expect(told.getUnread(unread('{"delta":1}'))).toBe('one');
    expect(told.get(call('a'))).toBe('one');
  });

  it('is not known in other bytes, under another operation, key or tenant, or when no bytes were answered', () => {
    const told = answers();
    told.put({ ...call('a'), bytes }, 'one');
    told.put(call('b'), 'two');
    const others = [{ key: 'b' }, { tenantId: 'other' }, { operation: 'POST /v1/stock/{sku}/adjust' }];
    for (const other of others) expect(told.getUnread({ ...unread('{"delta":1}'), ...other })).toBeUndefined();
    expect(told.getUnread(unread('{"delta":2}'))).toBeUndefined();
    expect(told.getUnread(unread(''))).toBeUndefined();
  });
});
