import { chmodSync, copyFileSync, lchownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateFiles, keepCertificates } from '@holdfast/certificates';
import { type PostgresServer, startPostgres } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDatabase } from './migrations/prepare-database.ts';
import { createPool, type Pool } from './pool.ts';
import { classifyPostgresError } from './sqlstate.ts';

let folder: string;
let server: PostgresServer;
let ca: string;
let strangersCa: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-verify-full-'));
  chmodSync(folder, 0o755);
  const holder = { name: 'postgres', otherNames: ['localhost'], use: ['server'] as const };
  const made = async (at: string) => (await keepCertificates(join(folder, at), [holder], new Date())).postgres;
  const [own, stranger] = [await made('own'), await made('stranger')];
  ca = own?.ca ?? '';
  strangersCa = stranger?.ca ?? '';
  const settings = { fsync: 'off' };
  const dataDir = join(folder, 'data');
  server = await startPostgres({ dataDir, settings });
  await server.stop();
  const files = withServer(own as CertificateFiles, server.dataDir);
  server = await startPostgres({ dataDir, settings: { ...settings, ssl: 'on', ...files } });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Copies that belong to the server's user, who alone may read the key. */
function withServer({ cert, key }: CertificateFiles, dataDir: string): Record<string, string> {
  const { uid, gid } = statSync(dataDir);
  for (const [from, name] of [
    [cert, 'server.crt'],
    [key, 'server.key'],
  ] as const) {
    const to = join(dataDir, name);
    copyFileSync(from, to);
    chmodSync(to, 0o600);
    lchownSync(to, uid, gid);
  }
  return { ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' };
}

function poolOf(host: string, trusted: string): Pool {
  const url = new URL(server.adminUrl);
  url.hostname = host;
  url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', trusted);
  return createPool({ databaseUrl: url.href, applicationName: 'test', max: 1 });
}

describe('T1: sslmode=verify-full', () => {
  it('connects by TLS to a server whose certificate is signed by the authority given, and carries its host', async () => {
    const pool = poolOf('localhost', ca);
    const { rows } = await pool.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    expect(rows).toEqual([{ ssl: true }]);
    await pool.end();
  });

  it.each([
    ['of another authority', 'localhost', () => strangersCa, /self-signed certificate|unable to verify/i],
    ['of another host', '127.0.0.1', () => ca, /altname|does not match/i],
  ])(
    'sends nothing to a server with a certificate %s: the database is away, and why is said',
    async (_what, host, trusted, why) => {
      const pool = poolOf(host, trusted());
      const fault = await pool.query('select 1').catch((error: Error) => error);
      expect(fault).toBeInstanceOf(Error);
      expect(classifyPostgresError(fault)).toBe('unavailable');
      const said: string[] = [];
      const options = { migrateOnStart: true, onWait: (reason: string) => said.push(reason), timeoutMs: 500 };
      await expect(prepareDatabase(pool, [], options)).rejects.toThrow(why);
      expect(said).toEqual([expect.stringMatching(why)]);
      await pool.end();
    },
  );

  it('sends nothing to a server that speaks no TLS', async () => {
    const plain = await startPostgres({ dataDir: join(folder, 'plain'), settings: { fsync: 'off' } });
    const url = new URL(plain.adminUrl);
    url.searchParams.set('sslmode', 'verify-full');
    const pool = createPool({ databaseUrl: url.href, applicationName: 'test', max: 1 });
    const fault = await pool.query('select 1').catch((error: Error) => error);
    expect(String(fault)).toContain('does not support SSL');
    expect(classifyPostgresError(fault)).toBe('unavailable');
    await pool.end();
    await plain.stop();
  });
});
