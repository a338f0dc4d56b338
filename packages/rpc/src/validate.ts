import { CURRENCIES, SHOP_ID_PATTERN, SHOP_ID_RULE, TEXT_PATTERN } from '@holdfast/contracts';
import { InvalidRequest } from './server-call.ts';

// Checks of a request's fields. Each names the field, says what a right value looks like, and never repeats the value.

const IDENTIFIER = /^[A-Za-z0-9._-]{1,64}$/;
const SHOP_ID = new RegExp(SHOP_ID_PATTERN, 'u');
const VISIBLE = new RegExp(TEXT_PATTERN, 'u');

/** @throws InvalidRequest */
export function checkIdentifier(field: string, value: string): string {
  if (!IDENTIFIER.test(value)) throw new InvalidRequest(field, 'send 1 to 64 of [A-Za-z0-9._-]');
  return value;
}

/** The shop's own name of an item or a customer. @throws InvalidRequest */
export function checkShopId(field: string, value: string): string {
  if (!SHOP_ID.test(value)) throw new InvalidRequest(field, SHOP_ID_RULE);
  return value;
}

/** @throws InvalidRequest */
export function checkCurrency(field: string, value: string): string {
  if (!CURRENCIES.has(value)) throw new InvalidRequest(field, 'send an ISO 4217 code that is in use');
  return value;
}

/** @throws InvalidRequest */
export function checkInteger(field: string, value: number, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new InvalidRequest(field, `send a whole number from ${min} to ${max}`);
  }
  return value;
}

/** @throws InvalidRequest */
export function checkText(field: string, value: string, maxLength: number): string {
  if (value.length < 1 || value.length > maxLength)
    throw new InvalidRequest(field, `send 1 to ${maxLength} characters`);
  // Postgres keeps no NUL: every retry would fail the same way, as a fault of ours.
  if (!VISIBLE.test(value)) throw new InvalidRequest(field, 'send text that can be seen, without control characters');
  return value;
}

/** @throws InvalidRequest when there are too few, too many, or two with the same `keyOf` */
export function checkDistinct<T>(field: string, list: T[], min: number, max: number, keyOf: (item: T) => string): T[] {
  if (list.length < min || list.length > max) throw new InvalidRequest(field, `send ${min} to ${max} of them`);
  if (list.length === 1) return list;
  const seen = new Set<string>();
  list.forEach((item, at) => {
    const key = keyOf(item);
    if (seen.has(key))
      throw new InvalidRequest(`${field}[${at}]`, 'this one repeats an earlier one: add the quantities up');
    seen.add(key);
  });
  return list;
}
