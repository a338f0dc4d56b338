import { classifyPostgresError, createBatcher, type Pool, type Statement, transactionOf } from '@holdfast/postgres';

/** A statement that decides everything about its request by itself. */
export interface Write extends Statement {
  values: unknown[];
}

/** Where the sandbox keeps what it knows. */
export interface Store {
  /** For what is only read. */
  pool: Pool;
  /**
   * Runs a write, and commits it with those that arrive together: they share the round trip and the wait for the disk.
   *
   * - K1 Each is its own claim, effect and stored answer; its caller hears of it when the transaction is committed.
   * - One that fails takes nobody with it: the others are tried again without it.
   *
   * @param subject the object that it may have to wait for: batches take them in order, and can't wait in a circle
   */
  commit<Row>(subject: string, write: Write): Promise<Row[]>;
}

export function createStore(pool: Pool): Store {
  let count = 0;
  const batcher = createBatcher<{ subject: string; write: Write }, unknown[]>({
    run: async (batch) => {
      const inOrder = batch.toSorted((a, b) => Number(a.subject > b.subject) - Number(a.subject < b.subject));
      const results = await transactionOf(
        pool,
        inOrder.map(({ write }) => write),
      );
      const rows = new Map(inOrder.map((item, at) => [item, results[at]?.rows ?? []]));
      return batch.map((item) => rows.get(item) ?? []);
    },
    // None: a second request under a key that is in use is to be refused, not kept waiting.
    lane: () => `${++count}`,
    concernsAll: (error) => classifyPostgresError(error) === 'unavailable',
  });
  return {
    pool,
    commit: async <Row>(subject: string, write: Write) => (await batcher.submit({ subject, write })) as Row[],
  };
}
