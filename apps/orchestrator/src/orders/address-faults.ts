import { iso31661Alpha2ToNumeric } from 'iso-3166/1-a2-to-1-n.js';
import { postcodeValidator, postcodeValidatorExistsForCountry } from 'postcode-validator';
import type { Fault } from '../http/problem.ts';
import type { ShipTo } from './order.ts';

/** What a schema can't say of an address: that its country is one, and its postal code one of that country's. */
export function addressFaults({ country, postalCode }: ShipTo): Fault[] {
  if (!Object.hasOwn(iso31661Alpha2ToNumeric, country)) {
    return [{ pointer: '/shipTo/country', detail: 'send an ISO 3166-1 alpha-2 code that is assigned' }];
  }
  if (!postcodeValidatorExistsForCountry(country) || isPostalCode(postalCode ?? '', country)) return [];
  const detail = postalCode === undefined ? `missing: ${country} has postal codes` : `send a postal code of ${country}`;
  return [{ pointer: '/shipTo/postalCode', detail }];
}

const SEPARATORS = ['-', ' '];
const SEPARATED_AT = [2, 3, 4, 5];

/** Written in capitals or not, with separators or without: each is the same code. */
function isPostalCode(code: string, country: string): boolean {
  const written = code.toUpperCase();
  if (postcodeValidator(written, country)) return true;
  const bare = written.replaceAll(/[\s-]/g, '');
  if (postcodeValidator(bare, country)) return true;
  return SEPARATED_AT.some((at) =>
    SEPARATORS.some((separator) => postcodeValidator(bare.slice(0, at) + separator + bare.slice(at), country)),
  );
}
