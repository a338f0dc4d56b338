/** What a refusal with PRICE_CHANGED tells programs: the prices as they are. */
export interface PricesNow {
  /** Minor units, each; line by line, as the request has its lines. */
  unitPrices: number[];
  /** Of the items and what is beside them; below 0 where the discounts are more. Null when it passes 2^53 - 1. */
  total: number | null;
}

/** As it travels in the metadata of the refusal. */
export function pricesMetadata({ unitPrices, total }: PricesNow): Record<string, string> {
  return { unit_prices: unitPrices.join(','), ...(total !== null && { total: String(total) }) };
}

const UNIT_PRICES = /^\d{1,16}(,\d{1,16})*$/;
const TOTAL = /^-?\d{1,16}$/;

/** @returns undefined when it is not there, or can't be read */
export function pricesIn({ unit_prices, total }: Readonly<Record<string, string>>): PricesNow | undefined {
  if (unit_prices === undefined || !UNIT_PRICES.test(unit_prices)) return undefined;
  if (total !== undefined && !TOTAL.test(total)) return undefined;
  return { unitPrices: unit_prices.split(',').map(Number), total: total === undefined ? null : Number(total) };
}
