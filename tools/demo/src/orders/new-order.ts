import type { Random } from './random.ts';

/**
 * The workload: TPC-C's New-Order profile (5 to 15 lines, skewed items and customers, one order in a hundred with an
 * unused item) as a shop's customers would send it, with everything that can go wrong with an order among it.
 */

/** The body of `POST /v1/orders`. */
export interface OrderRequest {
  customerId: string;
  currency: string;
  items: { sku: string; quantity: number }[];
  /** Without a method: the customer pays on the shop's page. */
  payment: { method?: string };
  shipTo: { name: string; line1: string; city: string; postalCode: string; country: string };
}

/** An order that a customer is about to place. */
export interface NewOrder {
  /** From 1, in the order in which they are drawn. */
  number: number;
  request: OrderRequest;
  /** How many times it is sent at once under its one key: 1, or 2 to 4 for an impatient customer. */
  copies: number;
  /** `Prefer: wait=N`; 0 asks for the answer at once. */
  waitSeconds: number;
  /** Cancelled as soon as it is placed. */
  cancel: boolean;
  /** The share of the total that is given back once the order has completed; 0: none. */
  refunded: number;
  /** What its customer does when the payment has to be confirmed. */
  customer: 'confirms' | 'fails' | 'leaves';
}

/** How many items and customers the shop has. */
export interface ShopSize {
  items: number;
  customers: number;
}

export const SHOP_SIZE: ShopSize = { items: 2_000, customers: 300 };
export const CURRENCY = 'EUR';

export const skuOf = (item: number): string => `item-${String(item).padStart(5, '0')}`;
export const customerIdOf = (customer: number): string => `customer-${String(customer).padStart(4, '0')}`;
/** In nobody's catalogue. */
export const UNUSED_SKU = 'item-unused';
/** What no carrier delivers to: a code that the country could have, and the carrier knows no place of. */
const UNDELIVERABLE = { postalCode: '00000', country: 'DE' };

const LINES = { from: 5, to: 15 };
const QUANTITY = { from: 1, to: 10 };
const COPIES = { from: 2, to: 4 };
const WAIT_SECONDS = 10;
const ITEM_SKEW = 8_191;
const CUSTOMER_SKEW = 255;

/**
 * Shares of all orders, from 0 to 1; of card orders for `cardDeclined`, `checked` (3-D Secure), `page` and `bank` (which decides
 * later); of those that have to be confirmed for `fails` and `leaves`.
 */
const RATES = {
  unusedItem: 0.01,
  otherCurrency: 0.01,
  undeliverable: 0.01,
  cancelled: 0.02,
  refunded: 0.1,
  card: 0.5,
  cardDeclined: 0.04,
  checked: 0.06,
  page: 0.04,
  bank: 0.03,
  fails: 0.1,
  leaves: 0.1,
  sentAtOnce: 0.1,
  waits: 0.5,
};

const REFUNDED_SHARES = [0.1, 0.5, 1];
const GOOD_CARDS = ['pm_card_visa', 'pm_card_mastercard'];
const DECLINED_CARDS = ['pm_card_chargeDeclined', 'pm_card_chargeDeclinedInsufficientFunds'];
/** By Stripe's names: the bank asks its customer. */
const CHECKED_CARDS = ['pm_card_authenticationRequired', 'pm_card_threeDSecure2Required'];
const BANK_ACCOUNTS = ['pm_usBankAccount_success', 'pm_usBankAccount_insufficientFunds'];
const OTHER_CURRENCIES = ['USD', 'GBP', 'CHF'];
const PLACES = [
  { city: 'Berlin', postalCode: '10115', country: 'DE' },
  { city: 'Wien', postalCode: '1010', country: 'AT' },
  { city: 'Utrecht', postalCode: '3511 AA', country: 'NL' },
  { city: 'Lyon', postalCode: '69001', country: 'FR' },
];

/** TPC-C's skew constants, drawn once per run. */
interface Skew {
  item: number;
  customer: number;
}

/**
 * Numbers in `from`..`to` of which some come far more often than others (TPC-C 2.1.6).
 *
 * @param a 2^n - 1: the more bits, the stronger the skew
 * @param c from 0 to `a`: decides which numbers are the frequent ones; the same for a whole run
 */
export function nuRand(random: Random, a: number, c: number, from: number, to: number): number {
  const mixed = random.integer(0, a) | random.integer(from, to);
  return ((mixed + c) % (to - from + 1)) + from;
}

/** `count` orders; the same ones for the same stream. */
export function* newOrders(random: Random, count: number, size: ShopSize = SHOP_SIZE): Generator<NewOrder, void, void> {
  const skew = { item: random.integer(0, ITEM_SKEW), customer: random.integer(0, CUSTOMER_SKEW) };
  for (let number = 1; number <= count; number++) yield newOrder(random, number, size, skew);
}

function newOrder(random: Random, number: number, size: ShopSize, skew: Skew): NewOrder {
  const customer = nuRand(random, CUSTOMER_SKEW, skew.customer, 1, size.customers);
  return {
    number,
    request: {
      customerId: customerIdOf(customer),
      currency: random.chance(RATES.otherCurrency) ? random.pick(OTHER_CURRENCIES) : CURRENCY,
      items: drawItems(random, size, skew),
      payment: drawPayment(random),
      shipTo: drawAddress(random, customer),
    },
    copies: random.chance(RATES.sentAtOnce) ? random.integer(COPIES.from, COPIES.to) : 1,
    waitSeconds: random.chance(RATES.waits) ? WAIT_SECONDS : 0,
    cancel: random.chance(RATES.cancelled),
    refunded: random.chance(RATES.refunded) ? random.pick(REFUNDED_SHARES) : 0,
    customer: drawCustomer(random),
  };
}

function drawItems(random: Random, size: ShopSize, skew: Skew): OrderRequest['items'] {
  const lines = Math.min(random.integer(LINES.from, LINES.to), size.items);
  const skus = new Set<string>();
  // An item that is drawn a second time is drawn again: an order lists every item once.
  while (skus.size < lines) skus.add(skuOf(nuRand(random, ITEM_SKEW, skew.item, 1, size.items)));
  const items = [...skus].map((sku) => ({ sku, quantity: random.integer(QUANTITY.from, QUANTITY.to) }));
  if (random.chance(RATES.unusedItem)) items[items.length - 1] = { sku: UNUSED_SKU, quantity: 1 };
  return items;
}

function drawPayment(random: Random): OrderRequest['payment'] {
  if (!random.chance(RATES.card)) return { method: 'balance' };
  const kind = random.fraction();
  if (kind < RATES.page) return {};
  if (kind < RATES.page + RATES.checked) return { method: random.pick(CHECKED_CARDS) };
  if (kind < RATES.page + RATES.checked + RATES.bank) return { method: random.pick(BANK_ACCOUNTS) };
  return { method: random.pick(random.chance(RATES.cardDeclined) ? DECLINED_CARDS : GOOD_CARDS) };
}

function drawCustomer(random: Random): NewOrder['customer'] {
  const what = random.fraction();
  if (what < RATES.leaves) return 'leaves';
  return what < RATES.leaves + RATES.fails ? 'fails' : 'confirms';
}

function drawAddress(random: Random, customer: number): OrderRequest['shipTo'] {
  const place = random.pick(PLACES);
  return {
    name: `Customer ${customer}`,
    line1: `${random.integer(1, 200)} Example Street`,
    ...place,
    ...(random.chance(RATES.undeliverable) && UNDELIVERABLE),
  };
}
