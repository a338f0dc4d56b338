import { describe, expect, it } from 'vitest';
import { type CachedCall, createLocalAnswers, createLocalAnswersOf, type SettledAnswer } from './answer-cache.ts';

const call = (key: string): CachedCall => ({
  tenantId: 'shop',
  key,
  operation: 'POST /v1/orders',
  fingerprint: { version: 1, digest: Buffer.from('print'), members: null },
});
const completed = (text: string): SettledAnswer => ({ kind: 'completed', answer: Buffer.from(text) });

describe('the answer cache of a process', () => {
  it('takes the memory that it counts, not the pool that the bytes came from', () => {
    const answers = createLocalAnswers();
    const cached = completed('{"id":1}');
    expect(cached.answer.buffer.byteLength).toBeGreaterThan(cached.answer.length);
    answers.put(call('a'), cached);
    const kept = answers.get(call('a'));
    expect(kept).toEqual(cached);
    expect(kept?.answer.buffer.byteLength).toBe(cached.answer.length);
  });

  it('is bounded: the longest unused answers go first', () => {
    const answers = createLocalAnswers({ maxBytes: 1_000 });
    answers.put(call('a'), completed('1'));
    answers.put(call('b'), completed('2'));
    // Used again, so that b is the longest unused.
    expect(answers.get(call('a'))).toBeDefined();
    answers.put(call('c'), completed('3'));
    expect(answers.get(call('b'))).toBeUndefined();
    expect(answers.get(call('a'))).toEqual(completed('1'));
    expect(answers.get(call('c'))).toEqual(completed('3'));
  });

  it('is forgotten after its time', () => {
    let nowMs = 0;
    const answers = createLocalAnswers({ ttlMs: 10 }, () => nowMs);
    answers.put(call('a'), completed('1'));
    nowMs = 9;
    expect(answers.get(call('a'))).toBeDefined();
    nowMs = 10;
    expect(answers.get(call('a'))).toBeUndefined();
  });
});

describe('K2: a request that is not parsed yet', () => {
  const bytes = Buffer.from('{"delta":1}');
  const answers = () => createLocalAnswersOf<string>((answer) => answer.length);
  const raw = (sent: string) => ({
    tenantId: 'shop',
    key: 'a',
    operation: 'POST /v1/orders',
    bytes: Buffer.from(sent),
  });

  it('is known when it comes in as the very bytes that were answered, and so is the request itself', () => {
    const cached = answers();
    cached.put({ ...call('a'), bytes }, 'one');
    expect(cached.getByRawBody(raw('{"delta":1}'))).toBe('one');
    expect(cached.get(call('a'))).toBe('one');
  });

  it('is not known in other bytes, under another operation, key or tenant, or when no bytes were answered', () => {
    const cached = answers();
    cached.put({ ...call('a'), bytes }, 'one');
    cached.put(call('b'), 'two');
    const others = [{ key: 'b' }, { tenantId: 'other' }, { operation: 'POST /v1/stock/{sku}/adjust' }];
    for (const other of others) expect(cached.getByRawBody({ ...raw('{"delta":1}'), ...other })).toBeUndefined();
    expect(cached.getByRawBody(raw('{"delta":2}'))).toBeUndefined();
    expect(cached.getByRawBody(raw(''))).toBeUndefined();
  });
});
