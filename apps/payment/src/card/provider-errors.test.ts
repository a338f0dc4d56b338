import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { CODES, codeIn, meaningOf, retryAfterMs, TYPES } from './provider-errors.ts';

/** The literals of a union type in the SDK's declarations: those of its first definition of that name. */
function literalsOf(file: string, definition: RegExp): string[] {
  const folder = new URL('./', import.meta.resolve('stripe'));
  const text = readFileSync(fileURLToPath(new URL(file, folder)), 'utf8');
  const [, union = ''] = definition.exec(text) ?? [];
  return [...union.matchAll(/'([a-z_0-9]+)'/g)].map(([, literal]) => literal as string);
}

const SDK_CODES = literalsOf(
  'resources/PaymentIntents.d.ts',
  /interface LastPaymentError[\s\S]*?type Code = ([^;]*account_closed[^;]*);/,
);
const SDK_TYPES = literalsOf('Types.d.ts', /type RawErrorType = ([^;]*);/);

/**
 * Codes of the SDK that are not listed and mean that a person has to look: all about things that a charge never asks for, and
 * our own set-up. A code that a new SDK brings makes this count wrong: decide what it means, then correct the count.
 */
const LEFT_TO_THE_OPERATOR = 116;

describe('the table of what the provider’s errors mean', () => {
  it('knows every code of the SDK, each once, and no other', () => {
    expect(SDK_CODES.length).toBeGreaterThan(150);
    const listed = Object.values(CODES).flat();
    expect(listed.filter((code) => !SDK_CODES.includes(code))).toEqual([]);
    expect(listed.length).toBe(new Set(listed).size);
    const left = SDK_CODES.filter((code) => !listed.includes(code));
    expect(left.length, left.join(' ')).toBe(LEFT_TO_THE_OPERATOR);
  });

  it('knows every type of the SDK, and no other', () => {
    expect(SDK_TYPES.length).toBeGreaterThan(20);
    expect(Object.keys(TYPES).sort()).toEqual(SDK_TYPES.sort());
  });
});

const thrown = (statusCode: number, raw: object) =>
  Stripe.errors.StripeError.generate({ statusCode, message: 'no', ...raw } as never) as Stripe.errors.StripeError;

describe('an error of the provider', () => {
  it.each([
    ['a declined card', 402, { type: 'card_error', code: 'card_declined' }, 'declined'],
    ['a card error of a kind that is new', 402, { type: 'card_error', code: 'made_up_tomorrow' }, 'declined'],
    ['a bank that wants its customer', 402, { type: 'card_error', code: 'authentication_required' }, 'not-confirmed'],
    [
      'an amount that is too small, without naming it',
      400,
      { type: 'invalid_request_error', code: 'amount_too_small' },
      'order',
    ],
    ['a payment method that is not known', 400, { code: 'resource_missing', param: 'payment_method' }, 'order'],
    ['an intent that is not known', 404, { code: 'resource_missing', param: 'intent' }, 'operator'],
    [
      'a parameter of ours',
      400,
      { type: 'invalid_request_error', code: 'parameter_unknown', param: 'colour' },
      'operator',
    ],
    ['a currency that it does not take', 400, { type: 'invalid_request_error', param: 'currency' }, 'order'],
    ['a key that is wrong', 401, { type: 'invalid_request_error' }, 'operator'],
    ['a key that may not do it', 403, { type: 'invalid_request_error', code: 'card_declined' }, 'operator'],
    ['too many requests', 429, { type: 'invalid_request_error', code: 'card_declined' }, 'later'],
    ['a key in use', 409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }, 'later'],
    ['a key of another request', 400, { type: 'idempotency_error' }, 'operator'],
    ['a payment that has moved on', 400, { code: 'payment_intent_unexpected_state' }, 'moved'],
    ['a fault of its own', 500, { type: 'api_error' }, 'later'],
    [
      'a fault of its own, with a code that would be final',
      500,
      { type: 'card_error', code: 'card_declined' },
      'later',
    ],
  ])('S4, S5: %s', (_, status, raw, meaning) => {
    expect(meaningOf(thrown(status, raw))).toBe(meaning);
  });

  it('S4: that is no answer at all says nothing', () => {
    expect(meaningOf(new Stripe.errors.StripeConnectionError({ message: 'gone', type: 'api_error' } as never))).toBe(
      'later',
    );
  });

  it('is read where it is kept with an intent, too', () => {
    expect(meaningOf({ type: 'card_error', code: 'expired_card' })).toBe('declined');
    expect(meaningOf({ type: 'invalid_request_error', code: 'payment_intent_authentication_failure' })).toBe(
      'declined',
    );
  });

  it('says how long to wait, in seconds, and nothing else', () => {
    expect(retryAfterMs({ headers: { 'retry-after': '7' } })).toBe(7_000);
    expect(retryAfterMs({ headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } })).toBeUndefined();
    expect(retryAfterMs({})).toBeUndefined();
  });

  it('H23: shows people its code, and nothing that is none', () => {
    expect(codeIn({ code: 'card_declined', decline_code: 'generic_decline' })).toBe(' (generic_decline)');
    expect(codeIn({ code: 'card_declined', decline_code: '' })).toBe(' (card_declined)');
    expect(codeIn({ code: 'No such PaymentMethod: pm_1' })).toBe('');
  });
});
