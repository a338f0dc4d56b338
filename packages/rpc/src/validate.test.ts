import { describe, expect, it } from 'vitest';
import { InvalidRequest } from './server-call.ts';
import { decodeStatus } from './status-details.ts';
import { checkCurrency, checkDistinct, checkIdentifier, checkInteger, checkShopId, checkText } from './validate.ts';

/** What a caller gets for a wrong value. */
function complaint(check: () => unknown): { field: string | undefined; reason: string | undefined; message: string } {
  try {
    check();
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    const detail = decodeStatus(error.rpcError.statusBytes);
    return { field: detail?.metadata.field, reason: detail?.reason, message: detail?.message ?? '' };
  }
  throw new Error('the check let it pass');
}

describe('the check of', () => {
  it.each<[string, () => unknown, unknown]>([
    ['an identifier', () => checkIdentifier('id', 'A.b_c-9'), 'A.b_c-9'],
    ['a currency', () => checkCurrency('currency', 'EUR'), 'EUR'],
    ['a shop’s id', () => checkShopId('sku', 'gid://shop/1 é|😀'), 'gid://shop/1 é|😀'],
    ['the longest id', () => checkShopId('sku', '😀'.repeat(128)), '😀'.repeat(128)],
    ['a name of joined figures', () => checkText('text', '👩‍👧', 9), '👩‍👧'],
    ['the lowest number', () => checkInteger('n', 1, 1, 9), 1],
    ['the highest number', () => checkInteger('n', 9, 1, 9), 9],
    ['the longest text', () => checkText('text', 'abc', 3), 'abc'],
    ['a list', () => checkDistinct('list', ['a', 'b'], 1, 2, (item) => item), ['a', 'b']],
  ])('%s gives a right value back', (_name, check, value) => {
    expect(check()).toEqual(value);
  });

  it.each<[string, string, () => unknown]>([
    ['text with a NUL', 'text', () => checkText('text', 'a\0b', 9)],
    ['an empty identifier', 'id', () => checkIdentifier('id', '')],
    ['a long identifier', 'id', () => checkIdentifier('id', 'x'.repeat(65))],
    // It would move the boundary between the order and the step in a key.
    ['an identifier with a colon', 'id', () => checkIdentifier('id', 'secret:step')],
    ['an identifier with a line break', 'id', () => checkIdentifier('id', 'secret\n')],
    ...['', ' a', 'a\u3000', '.', '..', '\u200b', 'secret\n', 'a\u2028b', '\ud800', 'x'.repeat(129)].map(
      (id): [string, string, () => unknown] => [
        `the id ${JSON.stringify(id).slice(0, 12)}`,
        'sku',
        () => checkShopId('sku', id),
      ],
    ),
    ['a currency that is no more', 'currency', () => checkCurrency('currency', 'DEM')],
    ['text that shows nothing', 'text', () => checkText('text', ' \u200b\u3164\u2800', 9)],
    ['a small currency', 'currency', () => checkCurrency('currency', 'eur')],
    ['a number too low', 'n', () => checkInteger('n', 0, 1, 9)],
    ['a number too high', 'n', () => checkInteger('n', 10, 1, 9)],
    ['a fraction', 'n', () => checkInteger('n', 1.5, 1, 9)],
    ['a number beyond 2^53', 'n', () => checkInteger('n', 2 ** 53, 1, Number.MAX_VALUE)],
    ['no number', 'n', () => checkInteger('n', Number.NaN, 1, 9)],
    ['no text', 'text', () => checkText('text', '', 3)],
    ['a long text', 'text', () => checkText('text', 'secret', 3)],
    ['a short list', 'list', () => checkDistinct('list', [], 1, 2, String)],
    ['a long list', 'list', () => checkDistinct('list', [1, 2, 3], 1, 2, String)],
    ['a repetition', 'list[2]', () => checkDistinct('list', ['a', 'b', 'a'], 1, 3, String)],
  ])('%s names the field and what to send, never the value', (_name, field, check) => {
    const complained = complaint(check);
    expect(complained).toMatchObject({ field, reason: 'INVALID_REQUEST' });
    expect(complained.message.startsWith(`${field}: `)).toBe(true);
    expect(complained.message).not.toContain('secret');
  });
});
