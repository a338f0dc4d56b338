/** Keys that are made, used and revoked while the system runs: two orchestrators, over HTTP and gRPC, and the command line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { mainOf } from '@holdfast/cluster';
import { createClient, operatorTls, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSystem, newKey, orderFor, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const replicas = () => system.cluster.run.services.filter(({ name }) => name === 'orchestrator');

async function makeKey(scopes: string[], more: object = {}): Promise<{ id: string; key: string }> {
  const made = await system.send('POST', '/v1/api-keys', { name: 'till', scopes, ...more }, { key: newKey() });
  expect(made.status, made.text).toBe(201);
  return made.body;
}
const statusesWith = (key: string) =>
  Promise.all(
    replicas().map(async ({ http }) => {
      const reply = await fetch(`${http}/v1/orders`, { headers: { authorization: `Bearer ${key}` } });
      await reply.text();
      return reply.status;
    }),
  );

describe('a key that is made while the system runs', () => {
  it('T3: counts on every replica at once, and on none 10 s after it was revoked', async () => {
    const { id, key } = await makeKey(['orders:read']);
    expect(await statusesWith(key)).toEqual([200, 200]);
    const revoked = await system.send('DELETE', `/v1/api-keys/${id}`, undefined, { key: newKey() });
    expect(revoked.status, revoked.text).toBe(200);
    const isOut = async () => ((await statusesWith(key)).every((status) => status === 401) ? true : undefined);
    await system.until('no replica takes it', isOut, 10_000);
  });

  it('T1: places orders over HTTP and gRPC by its scopes, and does nothing else', async () => {
    const { key } = await makeKey(['orders:write']);
    const placed = await system.place({}, { apiKey: key, prefer: 'wait=20' });
    expect(placed.body, placed.text).toMatchObject({ status: 'completed' });
    const refused = await system.send('PUT', '/v1/accounts/ann', { balance: 1 }, { apiKey: key });
    expect([refused.status, refused.body.code]).toEqual([403, 'insufficient-scope']);
    expect(refused.body.detail).toContain('`accounts:write`');
    for (const { grpc } of replicas()) {
      const tls = operatorTls(system.cluster.run.tls, 'orchestrator');
      const orders = createClient(services.orders, grpc ?? '', tls);
      const options = { timeoutMs: 20_000, authorization: `Bearer ${key}`, key: newKey() };
      const request = { ...orderFor(), paymentMethod: 'balance', waitMs: 10_000 };
      expect(await orders.PlaceOrder(request as never, options)).toMatchObject({ kind: 'completed' });
      const read = await orders.GetOrder({ id: placed.body.id }, options);
      expect(read).toMatchObject({ kind: 'error', reason: 'INSUFFICIENT_SCOPE' });
      orders.close();
    }
  });

  it('T3: is the end of a stream of events that it has opened', async () => {
    const slow = { lostAnswer: 0, slow: 1, slowMs: 30_000, error500: 0, refused: 0 };
    await system.setFaults({ payments: slow });
    const { id, key } = await makeKey(['orders:read']);
    const placed = await system.place({ payment: { method: 'pm_card_visa' } });
    const url = `${system.cluster.run.http}/v1/orders/${placed.body.id}/events`;
    const stream = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
    expect(stream.status).toBe(200);
    await system.send('DELETE', `/v1/api-keys/${id}`, undefined, { key: newKey() });
    const events = await stream.text();
    expect(events).toContain('event: processing');
    expect(events).not.toContain('event: completed');
    await system.setFaults({});
    await system.untilEnded(placed.body.id, 60_000);
  });

  it('H23: stands in no log', async () => {
    const { key } = await makeKey(['orders:read']);
    await statusesWith(key);
    const { logDir } = system.cluster;
    const logs = readdirSync(logDir).map((name) => readFileSync(join(logDir, name), 'utf8'));
    expect(logs.join('').length).toBeGreaterThan(0);
    expect(logs.filter((log) => log.includes(key.slice(-49)))).toEqual([]);
  });
});

/** `main.ts api-keys …`, as an operator runs it. */
async function apiKeys(...args: string[]): Promise<{ code: number; lines: object[]; stderr: string }> {
  const env = { DATABASE_URL: system.cluster.databaseUrl('orchestrator') };
  const child = spawn(process.execPath, [mainOf('orchestrator'), 'api-keys', ...args], { env });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, lines: lines.map((line) => JSON.parse(line)), stderr };
}

describe('the command line', () => {
  it('T3: makes a key that counts at once, lists it without its secret, and revokes it', async () => {
    const { tenantId } = system.cluster;
    const made = await apiKeys('make', '--tenant', tenantId, '--name', 'from the shell', '--scopes', 'orders:read');
    expect([made.code, made.stderr]).toEqual([0, '']);
    const { key, ...shown } = made.lines[0] as { key: string; id: string };
    expect(await statusesWith(key)).toEqual([200, 200]);
    const listed = (await apiKeys('list', '--tenant', tenantId)).lines;
    expect(listed.map((line) => ({ ...line, lastUsedAt: null }))).toContainEqual(shown);
    const revoked = await apiKeys('revoke', '--tenant', tenantId, '--id', shown.id);
    expect(revoked.lines).toMatchObject([{ id: shown.id, status: 'revoked' }]);
    const isOut = async () => ((await statusesWith(key)).every((status) => status === 401) ? true : undefined);
    await system.until('no replica takes it', isOut, 10_000);
  });

  it('says how to call it, and which key there is none of', async () => {
    const wrong = await apiKeys('make', '--tenant', 'shop');
    expect([wrong.code, wrong.lines]).toEqual([64, []]);
    expect(wrong.stderr).toContain('main.ts api-keys make --tenant TENANT --name NAME --scopes SCOPE,SCOPE');
    const missing = await apiKeys('revoke', '--tenant', 'shop', '--id', 'nobodys');
    expect([missing.code, missing.lines]).toEqual([1, []]);
    expect(missing.stderr).toContain('the tenant shop has no API key nobodys');
  });
});
