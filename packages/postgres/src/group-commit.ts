/*
 * Work that arrives together leaves together.
 *
 * B1  One batch is under way at a time, and the next leaves when it ends: no timer, so an idle service adds no delay and
 *     a busy one fills its batches by itself. A batch that takes longer than `slowMs` (a row that is locked, a
 *     commit that hangs) no longer holds the next one up; never more than `maxAtOnce` are under way.
 * B2  Two items with the same `lane` never share a batch, nor are they under way at the same time: the second waits for
 *     the first. (A statement meets a row once; and an act and its undo would be judged on the same snapshot.)
 * B3  A batch that fails is split in halves until the item that it fails for stands alone: it fails alone. The larger
 *     parts go first, so that one item that waits for a lock in vain does not make its neighbours wait at every split.
 *     A store that can't be reached fails every item, at once: asking again for each would only take longer.
 * B4  The queue is bounded. When it is full, `submit` rejects with QueueFull and nothing was done.
 * B5  What follows from a batch (`onSettled`) may hold the next one up too, for `slowMs` from its start at most. What goes on
 *     through further stages then stays together: few large groups are under way, not many small ones that meet at
 *     every stage and wait there again, each at several times the cost of its share in a large one.
 */

export interface BatcherOptions<Item, Result> {
  /** Carries out a batch; one result per item, in order. Must have no effect when it throws. */
  run(items: Item[]): Promise<Result[]>;
  /** What no two items under way may share. */
  lane(item: Item): string;
  /** Whether an error says nothing about the items: then the batch is not split. */
  concernsAll(error: unknown): boolean;
  /** Items in a batch at most. */
  maxBatch?: number;
  /** Items that may wait. */
  maxQueued?: number;
  slowMs?: number;
  maxAtOnce?: number;
  /** What goes on when an item has its result; until then its batch may hold up others (B5). Must not reject. */
  onSettled?(item: Item): Promise<unknown>;
  /** Batches that are not slow and whose items have not all settled: at this many the next one waits. */
  maxPipelined?: number;
}

/** The queue is full: nothing was done, ask again later. */
export class QueueFull extends Error {
  override name = 'QueueFull';
  constructor() {
    super('too much is waiting already: ask again with the same key');
  }
}

export interface Batcher<Item, Result> {
  /** @throws QueueFull, or what `run` throws for this item */
  submit(item: Item): Promise<Result>;
  /** Waiting and under way. */
  readonly size: number;
}

interface Entry<Item, Result> {
  item: Item;
  lane: string;
  settle: (result: Result) => void;
  fail: (error: unknown) => void;
}

export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  return new QueueingBatcher(options);
}

class QueueingBatcher<Item, Result> implements Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result> & Required<Omit<BatcherOptions<Item, Result>, 'onSettled'>>;
  #queue: Entry<Item, Result>[] = [];
  readonly #busyLanes = new Set<string>();
  /** Batches under way that still hold the next one up (B1). */
  #holding = 0;
  #underWay = 0;
  /** Batches from their start until `onSettled` of all their items has ended, or they are slow (B5). */
  #pipelined = 0;
  #entries = 0;
  #scheduled = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = { maxBatch: 256, maxQueued: 10_000, slowMs: 50, maxAtOnce: 4, maxPipelined: 1, ...options };
  }

  get size(): number {
    return this.#entries;
  }

  submit(item: Item): Promise<Result> {
    if (this.#entries >= this.#options.maxQueued) return Promise.reject(new QueueFull());
    return new Promise((settle, fail) => {
      this.#queue.push({ item, lane: this.#options.lane(item), settle, fail });
      this.#entries += 1;
      this.#schedule();
    });
  }

  /** In a microtask, so that what arrives in the same turn shares the batch. */
  #schedule(): void {
    const { maxAtOnce, maxPipelined } = this.#options;
    if (this.#scheduled || this.#holding > 0 || this.#underWay >= maxAtOnce || this.#pipelined >= maxPipelined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const batch = this.#take();
      if (batch.length > 0) void this.#carryOut(batch);
    });
  }

  /** The oldest entries whose lanes are free (B2). */
  #take(): Entry<Item, Result>[] {
    const taken: Entry<Item, Result>[] = [];
    const left: Entry<Item, Result>[] = [];
    for (const entry of this.#queue) {
      if (taken.length >= this.#options.maxBatch || this.#busyLanes.has(entry.lane)) left.push(entry);
      else {
        this.#busyLanes.add(entry.lane);
        taken.push(entry);
      }
    }
    this.#queue = left;
    return taken;
  }

  async #carryOut(batch: Entry<Item, Result>[]): Promise<void> {
    const { onSettled, slowMs } = this.#options;
    this.#holding += 1;
    this.#underWay += 1;
    this.#pipelined += 1;
    const releaseSlot = once(() => {
      this.#holding -= 1;
    });
    const leavePipeline = once(() => {
      this.#pipelined -= 1;
    });
    const slow = setTimeout(() => {
      releaseSlot();
      leavePipeline();
      this.#schedule();
    }, slowMs);
    await this.#attempt(batch);
    releaseSlot();
    this.#underWay -= 1;
    if (onSettled !== undefined) {
      this.#schedule();
      await Promise.all(batch.map(({ item }) => onSettled(item)));
    }
    clearTimeout(slow);
    leavePipeline();
    this.#schedule();
  }

  async #attempt(batch: Entry<Item, Result>[]): Promise<void> {
    const parts = [batch];
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const error = await this.#runPart(part);
      if (error === undefined) continue;
      if (this.#options.concernsAll(error.thrown)) {
        for (const entry of [part, ...parts].flat()) this.#ended(entry).fail(error.thrown);
        return;
      }
      const [only] = part;
      if (part.length === 1 && only !== undefined) this.#ended(only).fail(error.thrown);
      else {
        const middle = Math.ceil(part.length / 2);
        parts.push(part.slice(0, middle), part.slice(middle));
      }
    }
  }

  /** @returns what it failed with; undefined when every item has a result */
  async #runPart(part: Entry<Item, Result>[]): Promise<{ thrown: unknown } | undefined> {
    try {
      const results = await this.#options.run(part.map((entry) => entry.item));
      if (results.length !== part.length) throw new Error(`${part.length} items came to ${results.length} results`);
      part.forEach((entry, at) => {
        this.#ended(entry).settle(results[at] as Result);
      });
      return undefined;
    } catch (error) {
      return { thrown: error };
    }
  }

  #ended(entry: Entry<Item, Result>): Entry<Item, Result> {
    this.#busyLanes.delete(entry.lane);
    this.#entries -= 1;
    return entry;
  }
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}
