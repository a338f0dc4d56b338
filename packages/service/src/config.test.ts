import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boolean, ConfigError, integer, keyList, loadConfig, optional, port, text, url } from './config.ts';

const SPEC = {
  DATABASE_URL: url('postgres:', 'postgresql:'),
  GRPC_PORT: port(),
  LOG_LEVEL: optional(text('a level', /^(info|debug)$/), 'info'),
  LEASE_MS: optional(integer(100, 60_000), 3_000),
  API_KEYS: keyList(['orders:read', 'admin']),
  MIGRATE_ON_START: optional(boolean(), true),
};
const GOOD = { DATABASE_URL: 'postgres://localhost/x', GRPC_PORT: '0', API_KEYS: 'shop:0123456789abcdef' };

describe('settings', () => {
  it('are read with their fallbacks', () => {
    const config = loadConfig(SPEC, GOOD);
    expect(config.LOG_LEVEL).toBe('info');
    expect(config.LEASE_MS).toBe(3_000);
    expect(config.MIGRATE_ON_START).toBe(true);
    expect(config.API_KEYS.get('0123456789abcdef')).toEqual({
      tenantId: 'shop',
      scopes: new Set(['orders:read', 'admin']),
    });
  });

  it('T1: give a key the scopes that are named behind it, all of them where none is, and no unknown one', () => {
    const scopesOf = (keys: string) => loadConfig({ KEYS: keyList(['orders:read', 'admin']) }, { KEYS: keys }).KEYS;
    const granted = scopesOf('shop:0123456789abcdef:orders:read,shop:0123456789abcdeg:admin+orders:read');
    expect(granted.get('0123456789abcdef')?.scopes).toEqual(new Set(['orders:read']));
    expect(granted.get('0123456789abcdeg')?.scopes).toEqual(new Set(['admin', 'orders:read']));
    for (const wrong of ['orders:write', 'orders', 'orders:read+', '+admin', '', 'admin:orders:read']) {
      expect(() => scopesOf(`shop:0123456789abcdef:${wrong}`), wrong).toThrow(/entry 1 is malformed/);
    }
  });

  it('that are wrong are all listed at once, without their values', () => {
    const secret = 'shop:short';
    try {
      loadConfig(SPEC, {
        DATABASE_URL: 'mysql://x',
        GRPC_PORT: '70000',
        LEASE_MS: '1.5',
        API_KEYS: secret,
        MIGRATE_ON_START: 'no',
      });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const faults = (error as ConfigError).faults;
      expect(faults.map((fault) => fault.split(':')[0])).toEqual([
        'DATABASE_URL',
        'GRPC_PORT',
        'LEASE_MS',
        'API_KEYS',
        'MIGRATE_ON_START',
      ]);
      expect((error as ConfigError).message).not.toContain('short');
    }
  });

  it('may each be in a file, as the secrets are that Docker hands over', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'holdfast-config-')), 'secret');
    await writeFile(path, 'postgres://from-a-file/x\n');
    const { DATABASE_URL: _, ...others } = GOOD;
    try {
      expect(loadConfig(SPEC, { ...others, DATABASE_URL_FILE: path }).DATABASE_URL).toBe('postgres://from-a-file/x');
      expect(() => loadConfig(SPEC, { ...GOOD, DATABASE_URL_FILE: path })).toThrow(/DATABASE_URL: set twice/);
      await writeFile(path, '');
      expect(() => loadConfig(SPEC, { ...others, DATABASE_URL_FILE: path })).toThrow(/DATABASE_URL: missing/);
    } finally {
      await rm(dirname(path), { recursive: true });
    }
    const wrong = { ...others, GRPC_PORT: 'x', DATABASE_URL_FILE: path };
    expect(() => loadConfig(SPEC, wrong)).toThrow(
      /DATABASE_URL: DATABASE_URL_FILE can't be read.*GRPC_PORT: malformed/s,
    );
  });

  it('that are set to nothing count as missing', () => {
    expect(() => loadConfig(SPEC, { ...GOOD, DATABASE_URL: '' })).toThrow(/DATABASE_URL: missing/);
  });
});
