/** docker-compose.yml, as a user starts it: the images are those of this tree, everything else is as it stands there. */
import { freePort } from '@holdfast/testkit';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { docker } from './docker.ts';

const PROJECT = `holdfast-test-${process.pid}`;
const HEALTHY_WITHIN_MS = 60_000;
const UP_TIMEOUT_MS = 240_000;

let env: Record<string, string> | undefined;

async function compose(args: string[], timeoutMs = UP_TIMEOUT_MS): Promise<string> {
  env ??= {
    HOLDFAST_VERSION: 'test',
    API_PORT: String(await freePort()),
    API_PORT_2: String(await freePort()),
    DEMO_ORDERS: '150',
  };
  return await docker(['compose', '--project-name', PROJECT, ...args], { env, timeoutMs });
}

async function call(port: string, method: string, path: string, body?: object, key?: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      authorization: 'Bearer local-key-for-this-machine-only',
      ...(body && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': key, prefer: 'wait=20' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: (await response.json()) as { status?: string } };
}

async function placeOrder(port: string, key: string): Promise<void> {
  const stock = await call(port, 'PUT', '/v1/stock/tea', { onHand: 100, unitPrice: 250, currency: 'EUR' });
  expect(stock.status).toBe(200);
  const order = {
    customerId: 'ada',
    currency: 'EUR',
    items: [{ sku: 'tea', quantity: 2 }],
    payment: { method: 'pm_card_visa' },
    shipTo: { name: 'Ada', line1: 'Main Street 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
  };
  expect(await call(port, 'POST', '/v1/orders', order, key)).toMatchObject({
    status: 201,
    body: { status: 'completed' },
  });
}

describe.skipIf(inject('engine') === undefined)('docker compose', () => {
  afterAll(() => compose(['--profile', 'demo', '--profile', 'replicas', 'down', '--volumes', '--timeout', '20']));

  it('up: everything is healthy within 60 s, and an order completes through the published port', async () => {
    const startedAtMs = performance.now();
    await compose(['up', '--detach', '--wait', '--no-build']);
    const tookMs = performance.now() - startedAtMs;
    console.log(`docker compose up: healthy after ${(tookMs / 1_000).toFixed(1)} s`);
    await placeOrder(env?.API_PORT ?? '', 'compose-first-order');
    expect(tookMs).toBeLessThan(HEALTHY_WITHIN_MS);
  });

  it('--profile replicas up: a second of everything joins, and both orchestrators take orders', async () => {
    await compose(['--profile', 'replicas', 'up', '--detach', '--wait', '--no-build']);
    for (const port of [env?.API_PORT, env?.API_PORT_2]) await placeOrder(port ?? '', `compose-replicas-${port}`);
    const both = await compose(['exec', '-T', 'orchestrator', 'getent', 'ahostsv4', 'inventory']);
    expect(new Set(both.split('\n').map((line) => line.split(' ')[0])).size).toBe(2);
  });

  it('a service cannot open the database of another', async () => {
    const connect = (database: string) =>
      compose([
        ...['exec', '-T', '--env', 'PGPASSWORD=inventory-local', 'postgres'],
        ...['psql', '--host=127.0.0.1', '--username=inventory', `--dbname=${database}`, '--command=select 1'],
      ]);
    await connect('inventory');
    for (const other of ['orchestrator', 'payment', 'shipping', 'sandbox', 'postgres', 'template1']) {
      await expect(connect(other), other).rejects.toThrow('permission denied for database');
    }
  });

  it('--profile demo up: the demo runs, the auditor is content, the exit code says so', async () => {
    const said = await compose(
      ['--profile', 'demo', 'up', '--no-build', '--no-color', '--abort-on-container-exit', '--exit-code-from', 'demo'],
      UP_TIMEOUT_MS + 60_000,
    );
    expect(said).toMatch(/✔ +money/);
    expect(said).toContain('Nothing charged twice, nothing oversold, nothing lost.');
    expect(said).toMatch(/cut off {4}[1-9]/);
  });

  it('down --volumes leaves nothing', async () => {
    await compose(['--profile', 'demo', '--profile', 'replicas', 'down', '--volumes', '--timeout', '20']);
    const label = `label=com.docker.compose.project=${PROJECT}`;
    for (const list of [
      ['ps', '--all'],
      ['volume', 'ls'],
      ['network', 'ls'],
    ]) {
      expect(await docker([...list, '--quiet', '--filter', label]), list.join(' ')).toBe('');
    }
  });
});
