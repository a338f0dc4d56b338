import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { type Authority, issueCertificate, makeAuthority } from '@holdfast/certificates';
import { startProcess, type TestDatabase, type TestProcess, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { orchestratorMigrations } from '../run-orchestrator.ts';

const VALID = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
let authority: Authority;
let folder: string;
let database: TestDatabase;
let orchestrator: TestProcess;

beforeAll(async () => {
  authority = await makeAuthority('Test', VALID);
  folder = mkdtempSync(join(tmpdir(), 'holdfast-https-'));
  await putCertificate('api.example.org');
  database = await testDatabase('https', orchestratorMigrations);
  orchestrator = await startProcess(new URL('../main.ts', import.meta.url), {
    DATABASE_URL: database.databaseUrl,
    // All addresses of this machine, without ALLOW_PLAINTEXT: both ports have to be protected.
    HOST: '0.0.0.0',
    HTTP_PORT: '0',
    GRPC_PORT: '0',
    OPS_PORT: '0',
    INVENTORY_ADDR: '127.0.0.1:1',
    PAYMENT_ADDR: '127.0.0.1:1',
    SHIPPING_ADDR: '127.0.0.1:1',
    API_KEYS: 'shop:a-key-of-the-shop',
    ...files('HTTP_TLS'),
    ...files('GRPC_TLS'),
    GRPC_TLS_CA: authority.cert,
  });
});
afterAll(async () => {
  await orchestrator?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const files = (name: string) => ({
  [`${name}_CERT_FILE`]: join(folder, 'tls.crt'),
  [`${name}_KEY_FILE`]: join(folder, 'tls.key'),
});

async function putCertificate(name: string): Promise<void> {
  const { cert, key } = await issueCertificate(authority, { name, use: ['server'], ...VALID });
  writeFileSync(join(folder, 'tls.key'), key);
  writeFileSync(join(folder, 'tls.crt'), cert);
}

/** What a client sees that believes the authority and expects `servername`. */
function get(path: string, servername: string): Promise<{ status: number | undefined; names: string | undefined }> {
  return new Promise((resolve, reject) => {
    const options = { port: orchestrator.ports.httpPort, path, servername, ca: authority.cert, agent: false };
    const sent = request({ host: '127.0.0.1', ...options }, (response) => {
      const { subjectaltname } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      response.once('end', () => resolve({ status: response.statusCode, names: subjectaltname }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

it('T1: the API over HTTPS proves its name, takes keys, and shows a new certificate without a restart', async () => {
  expect(await get('/livez', 'api.example.org')).toEqual({ status: 200, names: 'DNS:api.example.org' });
  expect((await get('/v1/orders', 'api.example.org')).status).toBe(401);
  await expect(get('/livez', 'other.example.org')).rejects.toThrow(/does not match/);
  await expect(fetch(`http://127.0.0.1:${orchestrator.ports.httpPort}/livez`)).rejects.toThrow();
  await putCertificate('renewed.example.org');
  await vi.waitFor(async () => expect((await get('/livez', 'renewed.example.org')).status).toBe(200), 10_000);
});
