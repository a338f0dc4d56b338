import type { PricesNow } from '@holdfast/contracts';
import type { Failure } from '@holdfast/saga';

/** Why an order has failed, as the API shows it. */
export interface OrderFailure {
  step: string;
  reason: string;
  message: string;
  /** Of `PRICE_CHANGED`: what the customer is to be shown now. */
  prices?: ChangedPrices;
}

/** The prices as they were when the order failed, beside those that the customer had been shown. */
export interface ChangedPrices {
  /** All items, in the order's order. `shownUnitPrice` is null where the order told none. */
  items: { sku: string; unitPrice: number; shownUnitPrice: number | null }[];
  /** Of the items and the lines beside them; below 0 where the discounts are more. Null when it passes 2^53 - 1. */
  total: number | null;
  shownTotal: number | null;
}

/** What an order says that its customer was shown. */
interface ShownPrices {
  items: { sku: string; unitPrice?: number }[];
  expectedTotal?: number;
}

/** @param order as it was accepted: the failure's data has the prices alone, line by line */
export function viewFailure(failure: Failure | null, order: ShownPrices): OrderFailure | null {
  if (failure === null) return null;
  const { step, reason, message, data } = failure;
  // Only the refusal of a reservation has data (participants.ts).
  return data === undefined
    ? { step, reason, message }
    : { step, reason, message, prices: changedPrices(data as PricesNow, order) };
}

function changedPrices({ unitPrices, total }: PricesNow, { items, expectedTotal }: ShownPrices): ChangedPrices {
  return {
    items: items.map(({ sku, unitPrice }, at) => ({
      sku,
      unitPrice: priceAt(unitPrices, at),
      shownUnitPrice: unitPrice ?? null,
    })),
    total,
    shownTotal: expectedTotal ?? null,
  };
}

function priceAt(unitPrices: number[], at: number): number {
  const price = unitPrices[at];
  if (price === undefined) throw new Error(`the failure of an order has no price of its item ${at}`);
  return price;
}
