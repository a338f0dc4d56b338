import type { Transaction } from '@holdfast/postgres';

/** An effect that took too long; everything it had written is rolled back, so the same key may be sent again. */
export class EffectTimeout extends Error {
  override name = 'EffectTimeout';
  constructor(ms: number) {
    super(`the effect did not end within ${ms} ms and was rolled back: do slow work outside the transaction`);
  }
}

/**
 * Lends the transaction's client for as long as `work` runs. Whoever still holds it afterwards (a query that was not
 * awaited, a handler that was given up) gets an error, instead of writing into the next caller's transaction.
 *
 * @throws what `work` throws; EffectTimeout
 */
export async function lendTransaction<T>(
  tx: Transaction,
  timeoutMs: number,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  let open = true;
  const lent = new Proxy(tx, {
    get(client, property) {
      if (!open) throw new Error('this transaction has ended: await every query before the handler returns');
      if (property === 'release') throw new Error('this transaction is lent: whoever began it ends it');
      const value: unknown = Reflect.get(client, property);
      return typeof value === 'function' ? value.bind(client) : value;
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EffectTimeout(timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([work(lent), late]);
  } finally {
    clearTimeout(timer);
    open = false;
  }
}
