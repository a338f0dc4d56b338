import { ConfigError, loadConfig } from '@holdfast/service';
import { describe, expect, it } from 'vitest';
import { config } from './config.ts';

describe('the settings', () => {
  it('need nothing but a database: shipments are our own then', () => {
    expect(loadConfig(config, { DATABASE_URL: 'postgres://localhost/shipping' })).toEqual({
      ALLOW_PLAINTEXT: false,
      DATABASE_URL: 'postgres://localhost/shipping',
      DATABASE_RUNNER: undefined,
      HOST: '127.0.0.1',
      GRPC_PORT: 50_053,
      GRPC_REFLECTION: false,
      HTTP_PORT: 9_053,
      DATABASE_PREPARE: 'auto',
      LOG_LEVEL: 'info',
      REDIS_URL: undefined,
      MIGRATE_ON_START: true,
      ORDER_EVENTS: false,
      ORDER_EVENTS_KEYS: undefined,
      ORDER_EVENTS_KEPT_MS: 604_800_000,
      CARRIER_URL: undefined,
      CARRIER_TIMEOUT_MS: 5_000,
    });
  });

  it('that are wrong are all listed at once', () => {
    const load = () => loadConfig(config, { CARRIER_URL: 'ftp://carrier', CARRIER_TIMEOUT_MS: '1e3' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/DATABASE_URL: missing[\s\S]*CARRIER_URL: malformed[\s\S]*CARRIER_TIMEOUT_MS: malformed/);
  });
});
