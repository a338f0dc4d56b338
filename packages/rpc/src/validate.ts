import { InvalidRequest } from './server-call.ts';

// Checks of a request's fields. Each names the field, says what a right value looks like, and never repeats the value.

const IDENTIFIER = /^[A-Za-z0-9._-]{1,64}$/;
const CURRENCY = /^[A-Z]{3}$/;

/** @throws InvalidRequest */
export function checkIdentifier(field: string, value: string): string {
  if (!IDENTIFIER.test(value)) throw new InvalidRequest(field, 'send 1 to 64 of [A-Za-z0-9._-]');
  return value;
}

/** @throws InvalidRequest */
export function checkCurrency(field: string, value: string): string {
  if (!CURRENCY.test(value)) throw new InvalidRequest(field, 'send an ISO 4217 code, three capitals');
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
  // Postgres keeps no NUL: every retry would fail the same way, as a fault of ours.
  if (value.includes('\0')) throw new InvalidRequest(field, 'send text without NUL characters');
  if (value.length < 1 || value.length > maxLength)
    throw new InvalidRequest(field, `send 1 to ${maxLength} characters`);
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
