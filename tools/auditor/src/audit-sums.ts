import type { MoneyLine } from '@holdfast/testing/audit';

type Side = Exclude<keyof MoneyLine, 'currency'>;

/** Adds up money by currency and side, in minor units. */
export interface Sums {
  add(currency: string, side: Side, amount: number): void;
  lines(): MoneyLine[];
}

export function createSums(): Sums {
  const byCurrency = new Map<string, MoneyLine>();
  return {
    add(currency, side, amount) {
      const line = byCurrency.get(currency) ?? { currency, completed: 0, refunded: 0, accounts: 0, provider: 0 };
      line[side] += amount;
      if (!Number.isSafeInteger(line[side])) {
        throw new RangeError(`the sums in ${currency} pass 2^53 - 1: audit in parts`);
      }
      byCurrency.set(currency, line);
    },
    lines: () => [...byCurrency.values()].sort((a, b) => a.currency.localeCompare(b.currency)),
  };
}
