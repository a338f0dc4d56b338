import { loadConfig } from '@holdfast/service';
import { expect, it } from 'vitest';
import { config, configFaults } from './config.ts';

const LOCAL = {
  DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x',
  INVENTORY_ADDR: '127.0.0.1:1',
  PAYMENT_ADDR: 'ipv4:127.0.0.1:2,127.0.0.2:3',
  SHIPPING_ADDR: 'dns:///localhost:4',
  API_KEYS: 'shop:a-key-of-the-shop',
};

function faultsOf(env: Record<string, string>): string[] {
  try {
    loadConfig(config, { ...LOCAL, ...env }, configFaults);
    return [];
  } catch (error) {
    return (error as { faults: string[] }).faults;
  }
}

it('T1: services beyond this machine are called in clear text only where that is asked for', () => {
  expect(faultsOf({})).toEqual([]);
  const far = { PAYMENT_ADDR: 'ipv4:127.0.0.1:2,10.0.0.7:3', SHIPPING_ADDR: 'dns:///shipping:4' };
  expect(faultsOf(far)).toEqual([
    expect.stringMatching(/^PAYMENT_ADDR: .*ALLOW_PLAINTEXT=true/),
    expect.stringMatching(/^SHIPPING_ADDR: .*ALLOW_PLAINTEXT=true/),
  ]);
  expect(faultsOf({ ...far, ALLOW_PLAINTEXT: 'true' })).toEqual([]);
});
