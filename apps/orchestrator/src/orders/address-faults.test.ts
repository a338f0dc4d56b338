import { describe, expect, it } from 'vitest';
import { addressFaults } from './address-faults.ts';

const faults = (country: string, postalCode?: string) =>
  addressFaults({
    name: 'Ann',
    line1: 'Road 1',
    city: 'x',
    country,
    ...(postalCode !== undefined && { postalCode }),
  }).map(({ pointer }) => pointer);

describe('a postal code', () => {
  it.each([
    ['DE', '53111'],
    ['GB', 'SW1A1AA'],
    ['GB', 'sw1a 1aa'],
    ['NL', '1012 ab'],
    ['PL', '00950'],
    ['PL', '00-950'],
    ['BR', '01310100'],
    ['US', '94103-1234'],
    ['US', '941031234'],
    ['SE', '114 55'],
    // None at all, and some all the same.
    ['HK', undefined],
    ['AE', undefined],
    ['AE', '00000'],
    // Not everybody there has one.
    ['BH', undefined],
  ])('of %s may be %s', (country, code) => {
    expect(faults(country, code)).toEqual([]);
  });

  it.each([
    ['DE', '5311'],
    ['DE', 'D-53111'],
    ['US', '9410'],
    ['FR', '75O01'],
    ['CH', undefined],
  ])('of %s is never %s', (country, code) => {
    expect(faults(country, code)).toEqual(['/shipTo/postalCode']);
  });

  it('is not looked at where the country is none: toString, lower case, reserved, former', () => {
    for (const country of ['__', 'de', 'EU', 'UK', 'YU', 'toString'])
      expect(faults(country, '1')).toEqual(['/shipTo/country']);
  });
});
