import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRetryBudget, fullJitterMs, withDeadline } from './index.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('full jitter', () => {
  it('is between nothing and a bound that doubles up to its cap', () => {
    const bounds = [0, 1, 2, 3, 9].map((attempt) => fullJitterMs({ baseMs: 100, capMs: 500 }, attempt, () => 1));
    expect(bounds).toEqual([100, 200, 400, 500, 500]);
    expect(fullJitterMs({ baseMs: 100, capMs: 500 }, 3, () => 0)).toBe(0);
    expect(fullJitterMs({ baseMs: 100, capMs: 500 }, 2, () => 0.25)).toBe(100);
  });
});

describe('a budget of retries', () => {
  it('allows retries while more than half of its tokens are there, and earns them back by successes', () => {
    const budget = createRetryBudget({ maxTokens: 4, tokenRatio: 0.5 });
    expect([budget.failed(), budget.failed(), budget.failed()]).toEqual([true, false, false]);
    for (let n = 0; n < 4; n++) budget.succeeded();
    expect(budget.failed()).toBe(false);
    for (let n = 0; n < 20; n++) budget.succeeded();
    expect(budget.failed()).toBe(true);
  });
});

describe('a wait with a deadline', () => {
  it('gives the work’s result in time, and throws what it throws in time', async () => {
    expect(await withDeadline(10, Promise.resolve(7))).toEqual({ kind: 'completed', value: 7 });
    await expect(withDeadline(10, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is late after its time, and a failure after that is unheard', async () => {
    const work = Promise.withResolvers<number>();
    const waiting = withDeadline(10, work.promise);
    await vi.advanceTimersByTimeAsync(10);
    expect(await waiting).toEqual({ kind: 'late' });
    work.reject(new Error('too late'));
    await vi.advanceTimersByTimeAsync(1);
  });

  it('is late at once when its signal aborts, or has', async () => {
    const stop = new AbortController();
    const waiting = withDeadline(10_000, new Promise(() => {}), stop.signal);
    stop.abort();
    expect(await waiting).toEqual({ kind: 'late' });
    expect(await withDeadline(10_000, new Promise(() => {}), stop.signal)).toEqual({ kind: 'late' });
    expect(vi.getTimerCount()).toBe(0);
  });
});
