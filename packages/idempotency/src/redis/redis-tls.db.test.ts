import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { keepCertificates } from '@holdfast/certificates';
import { freePort, type RedisServer, skipsRedis, startRedis } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RedisClient } from './bounded-redis.ts';
import { connectRedis } from './connect-redis.ts';

describe.skipIf(skipsRedis('the tests of Redis with TLS'))('T1: Redis with TLS', () => {
  const usual = getCACertificates('default');
  const clients: RedisClient[] = [];
  let folder: string;
  let server: RedisServer;
  let port: number;
  let ca: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-redis-tls-'));
    const holder = { name: 'redis', otherNames: ['localhost'], use: ['server', 'client'] as const };
    const { redis } = await keepCertificates(folder, [holder], new Date());
    if (redis === undefined) throw new Error('no certificate was made');
    ca = readFileSync(redis.ca, 'utf8');
    port = await freePort();
    const tls = ['--tls-port', String(port), '--tls-cert-file', redis.cert, '--tls-key-file', redis.key];
    server = await startRedis({
      args: [...tls, '--tls-ca-cert-file', redis.ca, '--tls-auth-clients', 'no', '--save', ''],
    });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
    setDefaultCACertificates(usual);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const connect = (url: string) => {
    const faults: string[] = [];
    const client = connectRedis(url, (fault) => faults.push(fault));
    clients.push(client);
    return { client, faults };
  };

  it('is used when an authority that we believe has signed its certificate, which carries its host', async () => {
    setDefaultCACertificates([...usual, ca]);
    const { client, faults } = connect(`rediss://localhost:${port}`);
    await vi.waitFor(() => expect(client.status).toBe('ready'), 5_000);
    expect(await client.set('a', '1')).toBe('OK');
    expect(faults).toEqual([]);
  });

  it.each(['rediss://localhost', 'rediss+cluster://localhost', 'rediss+sentinel://localhost'])(
    'is not used, and the fault is said once, when nobody that we believe has signed it: %s',
    async (url) => {
      const { client, faults } = connect(`${url}:${port}${url.includes('sentinel') ? '/main' : ''}`);
      let attempts = 0;
      client.on('reconnecting', () => {
        attempts += 1;
      });
      client.on('error', () => {
        attempts += 1;
      });
      await vi.waitFor(() => expect(attempts).toBeGreaterThan(2), 10_000);
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(/self-signed certificate in certificate chain|unable to verify/i);
      expect(client.status).not.toBe('ready');
    },
  );

  it('is not used when its certificate carries another host', async () => {
    setDefaultCACertificates([...usual, ca]);
    const { client, faults } = connect(`rediss://127.0.0.1:${port}`);
    await vi.waitFor(() => expect(faults).toEqual([expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID')]), 5_000);
    expect(client.status).not.toBe('ready');
  });
});
