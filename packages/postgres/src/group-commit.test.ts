import { describe, expect, it, vi } from 'vitest';
import { type BatcherOptions, createBatcher, QueueFull } from './group-commit.ts';

/** Batches that end when the test says so. */
function heldBatcher(options: Partial<BatcherOptions<string, string>> = {}) {
  const batches: { items: string[]; end(): void; fail(error: Error): void }[] = [];
  const batcher = createBatcher<string, string>({
    lane: (item) => item,
    concernsAll: () => false,
    ...options,
    run(items) {
      const { promise, resolve, reject } = Promise.withResolvers<string[]>();
      batches.push({ items, end: () => resolve(items.map((item) => `done ${item}`)), fail: reject });
      return promise;
    },
  });
  return { batcher, batches, taken: () => batches.map(({ items }) => items) };
}

/** Lets everything run that waits for nothing but its turn. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const far = { slowMs: 60_000 };

describe('a batcher', () => {
  it('B1: takes what came in one turn as one batch, at once, and gives each item its own result', async () => {
    const { batcher, batches, taken } = heldBatcher(far);
    const results = Promise.all(['a', 'b', 'c'].map((item) => batcher.submit(item)));
    await settled();
    expect(taken()).toEqual([['a', 'b', 'c']]);
    batches[0]?.end();
    expect(await results).toEqual(['done a', 'done b', 'done c']);
    expect(batcher.size).toBe(0);
  });

  it('B1: has one batch under way; what comes meanwhile leaves together when it ends', async () => {
    const { batcher, batches, taken } = heldBatcher(far);
    const first = batcher.submit('a');
    await settled();
    const second = [batcher.submit('b'), batcher.submit('c')];
    await settled();
    expect(taken()).toEqual([['a']]);
    batches[0]?.end();
    expect(await first).toBe('done a');
    await settled();
    expect(taken()).toEqual([['a'], ['b', 'c']]);
    batches[1]?.end();
    await Promise.all(second);
  });

  it('B1: takes at most maxBatch items at a time, oldest first', async () => {
    const { batcher, batches, taken } = heldBatcher({ ...far, maxBatch: 2 });
    const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => batcher.submit(item)));
    for (const at of [0, 1, 2]) {
      await vi.waitFor(() => expect(batches).toHaveLength(at + 1));
      batches[at]?.end();
    }
    await all;
    expect(taken()).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('B1: is not held up by a slow batch, but never has more than maxAtOnce under way', async () => {
    const { batcher, batches, taken } = heldBatcher({ slowMs: 5, maxAtOnce: 3 });
    const all: Promise<string>[] = [];
    for (const [at, item] of ['a', 'b', 'c'].entries()) {
      all.push(batcher.submit(item));
      await vi.waitFor(() => expect(batches).toHaveLength(at + 1));
    }
    all.push(batcher.submit('d'));
    // Longer than it takes a slow batch to let the next one go.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken()).toEqual([['a'], ['b'], ['c']]);
    batches[1]?.end();
    await vi.waitFor(() => expect(taken()[3]).toEqual(['d']));
    for (const batch of batches) batch.end();
    expect(await Promise.all(all)).toEqual(['done a', 'done b', 'done c', 'done d']);
  });

  it('B5: what follows from a batch holds the next one up too; its results are there before', async () => {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const { batcher, batches, taken } = heldBatcher({ ...far, onSettled: () => over });
    const first = batcher.submit('a');
    await settled();
    const second = [batcher.submit('b'), batcher.submit('c')];
    batches[0]?.end();
    expect(await first).toBe('done a');
    await settled();
    expect(taken()).toEqual([['a']]);
    end();
    await settled();
    expect(taken()).toEqual([['a'], ['b', 'c']]);
    batches[1]?.end();
    await Promise.all(second);
  });

  it('B5: does so for slowMs at most, and only when maxPipelined batches do', async () => {
    const never = new Promise<void>(() => {});
    const { batcher, batches, taken } = heldBatcher({ slowMs: 100, maxPipelined: 2, onSettled: () => never });
    const askedAtMs = performance.now();
    for (const item of ['a', 'b']) {
      const result = batcher.submit(item);
      await settled();
      batches.at(-1)?.end();
      await result;
    }
    const third = batcher.submit('c');
    await settled();
    expect(taken()).toEqual([['a'], ['b']]);
    await vi.waitFor(() => expect(taken()).toEqual([['a'], ['b'], ['c']]));
    expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(99);
    batches[2]?.end();
    await third;
  });

  it('B2: two items of one lane never share a batch, and the second waits while the first is under way', async () => {
    const { batcher, batches, taken } = heldBatcher({ slowMs: 5, lane: (item) => item.slice(0, 1) });
    const all = Promise.all(['a1', 'a2', 'b1'].map((item) => batcher.submit(item)));
    await settled();
    expect(taken()).toEqual([['a1', 'b1']]);
    // The batch is slow by now, and lets others go: not those whose lane it holds.
    const other = batcher.submit('c1');
    await vi.waitFor(() => expect(taken()).toEqual([['a1', 'b1'], ['c1']]));
    batches[1]?.end();
    await other;
    expect(taken()).toHaveLength(2);
    batches[0]?.end();
    await vi.waitFor(() => expect(taken()[2]).toEqual(['a2']));
    batches[2]?.end();
    expect(await all).toEqual(['done a1', 'done a2', 'done b1']);
  });

  it('B3: an item that fails fails alone, and its neighbours get their results', async () => {
    const batcher = createBatcher<number, number>({
      lane: String,
      concernsAll: () => false,
      async run(items) {
        if (items.includes(7)) throw new Error('seven');
        return items.map((item) => item * 2);
      },
    });
    const all = await Promise.allSettled(Array.from({ length: 20 }, (_, item) => batcher.submit(item)));
    expect(all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))).toEqual(
      [...Array(20).keys()].filter((item) => item !== 7).map((item) => item * 2),
    );
    expect(all[7]).toMatchObject({ status: 'rejected', reason: new Error('seven') });
    expect(batcher.size).toBe(0);
  });

  it('B3: the larger parts of a batch that failed go first, so that a neighbour waits for few of its splits', async () => {
    const sizes: number[] = [];
    const doneAfter = new Map<number, number>();
    const batcher = createBatcher<number, number>({
      lane: String,
      concernsAll: () => false,
      async run(items) {
        sizes.push(items.length);
        if (items.includes(0)) throw new Error('the lock that 0 wants is not given');
        for (const item of items) doneAfter.set(item, sizes.length);
        return items;
      },
    });
    await Promise.allSettled(Array.from({ length: 64 }, (_, item) => batcher.submit(item)));
    // The second half has to wait for two failures only: the whole, and the half that holds 0.
    expect(doneAfter.get(63)).toBe(3);
    expect(sizes).toEqual([64, 32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1]);
  });

  it('B3: a failure that says nothing about the items is everybody’s at once, and is not asked for again', async () => {
    const run = vi.fn((_items: string[]) => Promise.reject<string[]>(new Error('gone')));
    const batcher = createBatcher<string, string>({ lane: (item) => item, concernsAll: () => true, run });
    const all = await Promise.allSettled(['a', 'b', 'c', 'd'].map((item) => batcher.submit(item)));
    expect(all.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('B3: a store that goes while a batch is split fails what is left, without another try', async () => {
    const run = vi.fn(async (items: string[]) => {
      if (items.length > 2) throw new Error('a');
      throw new Error('gone');
    });
    const concernsAll = (error: unknown) => error instanceof Error && error.message === 'gone';
    const batcher = createBatcher<string, string>({ lane: (item) => item, concernsAll, run });
    const all = await Promise.allSettled(['a', 'b', 'c', 'd'].map((item) => batcher.submit(item)));
    for (const result of all) expect(result).toMatchObject({ reason: new Error('gone') });
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('B3: a run that leaves an item without a result is detected, and no item gets another’s', async () => {
    const batcher = createBatcher<string, string>({
      lane: (item) => item,
      concernsAll: () => false,
      run: async (items) => items.slice(0, 1),
    });
    // Alone, each has as many results as it should.
    expect(await Promise.all(['a', 'b', 'c'].map((item) => batcher.submit(item)))).toEqual(['a', 'b', 'c']);
  });

  it('B4: a full queue rejects at once; there is room again when a batch has ended', async () => {
    const { batcher, batches } = heldBatcher({ ...far, maxQueued: 3 });
    const accepted = ['a', 'b', 'c'].map((item) => batcher.submit(item));
    await expect(batcher.submit('d')).rejects.toThrow(QueueFull);
    expect(batcher.size).toBe(3);
    await settled();
    batches[0]?.end();
    await Promise.all(accepted);
    const late = batcher.submit('d');
    await settled();
    batches[1]?.end();
    expect(await late).toBe('done d');
  });

  it('B4: an item whose lane can’t be computed takes no room in the queue', async () => {
    const { batcher } = heldBatcher({
      lane: () => {
        throw new Error('no lane');
      },
    });
    await expect(batcher.submit('a')).rejects.toThrow('no lane');
    expect(batcher.size).toBe(0);
  });
});
