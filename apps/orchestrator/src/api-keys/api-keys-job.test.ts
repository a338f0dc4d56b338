import { describe, expect, it } from 'vitest';
import { commandIn } from './api-keys-job.ts';

const MAKE = ['make', '--tenant', 'shop', '--name', 'till 7', '--scopes', 'orders:read,orders:write'];

describe('the command line of API keys', () => {
  it('takes what it says', () => {
    expect(commandIn([...MAKE, '--expires', '2030-01-01T00:00:00Z'])).toEqual({
      verb: 'make',
      tenantId: 'shop',
      name: 'till 7',
      scopes: ['orders:read', 'orders:write'],
      notBefore: undefined,
      expiresAt: new Date('2030-01-01T00:00:00Z'),
    });
    expect(commandIn(['list', '--tenant', 'shop'])).toEqual({ verb: 'list', tenantId: 'shop' });
    expect(commandIn(['revoke', '--tenant', 'shop', '--id', 'x'])).toEqual({
      verb: 'revoke',
      tenantId: 'shop',
      id: 'x',
    });
  });

  it.each([
    [[], 'say make, list or revoke'],
    [['destroy'], 'say make, list or revoke'],
    [['list'], '--tenant: '],
    [['list', '--tenant', 'a shop'], '--tenant: '],
    [['list', 'all', '--tenant', 'shop'], 'all: not understood'],
    [['list', '--tenant', 'shop', '--id', 'x'], '--id: list takes none'],
    [['list', '--tenant', 'shop', '--al'], "Unknown option '--al'"],
    [['revoke', '--tenant', 'shop'], '--id: missing'],
    [MAKE.slice(0, -2), '--scopes: '],
    [[...MAKE, '--scopes', 'orders:read,everything'], '--scopes: '],
    [[...MAKE, '--name', ''], '--name: '],
    [[...MAKE, '--expires', 'tomorrow'], '--not-before, --expires: '],
  ])('says what is wrong with %j', (args, said) => {
    expect(commandIn(args)).toEqual(expect.stringContaining(said));
  });
});
