import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSystem, newKey, type System, setUpCatalogue } from './system.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const PYTHON = await pythonWithGrpc();
const REQUIRE_ALL = process.env.HOLDFAST_REQUIRE_ALL === '1';

/** Debian's own first: that is where python3-grpcio lives. */
async function pythonWithGrpc(): Promise<string | undefined> {
  for (const python of ['/usr/bin/python3', 'python3']) {
    const found = await run(python, ['-c', 'import grpc, grpc_tools']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return undefined;
}

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const address = (name: string) => system.cluster.run.services.find((service) => service.name === name)?.grpc ?? '';

describe('a client that none of us wrote', () => {
  if (PYTHON === undefined && !REQUIRE_ALL) {
    console.warn(
      'skipped: the Python client needs python3 with grpcio and grpc_tools (Debian: python3-grpcio python3-grpc-tools)',
    );
  }
  it.skipIf(PYTHON === undefined && !REQUIRE_ALL)(
    'G3: in Python, places an order and reserves twice under one key, with stubs made from the protos',
    async () => {
      expect(PYTHON, 'install python3-grpcio and python3-grpc-tools').toBeDefined();
      const before = (await system.send('GET', '/v1/stock/pear')).body.reserved;
      const script = join(root, 'tests/python_client.py');
      const runId = String(Date.now());
      const { run: where, tenantId } = system.cluster;
      const { stdout } = await run(
        PYTHON ?? '',
        [
          ...[
            script,
            join(root, 'protos'),
            address('orchestrator'),
            address('inventory'),
            where.apiKey,
            tenantId,
            runId,
          ],
          ...[where.tls?.ca ?? '', where.tls?.cert ?? '', where.tls?.key ?? ''],
        ],
        { timeout: 60_000 },
      );
      const told = JSON.parse(stdout);
      expect(told.order).toMatchObject({ status: 'ORDER_STATUS_COMPLETED', total: 500, same: true, replayed: 'true' });
      expect(told.reservation).toEqual({
        reservationId: `rsv_python-${runId}`,
        total: 297,
        same: true,
        replayed: 'true',
        late: 'FAILED_PRECONDITION',
      });
      expect((await system.send('GET', '/v1/stock/pear')).body.reserved).toBe(before);
      expect((await system.send('GET', `/v1/orders/${told.order.id}`)).body.status).toBe('completed');
    },
  );

  it('the official Stripe SDK creates, confirms, is declined, refunds, and is replayed', async () => {
    const sandbox = new URL(system.cluster.run.sandbox);
    const stripe = new Stripe('sk_test_holdfast', {
      host: sandbox.hostname,
      port: Number(sandbox.port),
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
    });
    const wanted = { amount: 1_250, currency: 'eur', payment_method: 'pm_card_visa' };
    const created = await stripe.paymentIntents.create(wanted, { idempotencyKey: newKey() });
    expect(created.status).toBe('requires_confirmation');
    const key = newKey();
    const confirmed = await stripe.paymentIntents.confirm(created.id, {}, { idempotencyKey: key });
    const replayed = await stripe.paymentIntents.confirm(created.id, {}, { idempotencyKey: key });
    expect([confirmed.status, confirmed.amount_received]).toEqual(['succeeded', 1_250]);
    expect(replayed).toEqual(expect.objectContaining({ id: confirmed.id, status: 'succeeded' }));
    expect(replayed.lastResponse.headers['idempotent-replayed']).toBe('true');
    const refund = await stripe.refunds.create({ payment_intent: created.id });
    expect([refund.status, refund.amount]).toEqual(['succeeded', 1_250]);
    const declined = stripe.paymentIntents.create({
      ...wanted,
      payment_method: 'pm_card_chargeDeclined',
      confirm: true,
    });
    await expect(declined).rejects.toMatchObject({ type: 'StripeCardError', code: 'card_declined', statusCode: 402 });
  });

  it('a linter of OpenAPI finds no error in /openapi.json', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-openapi-'));
    try {
      const description = await system.send('GET', '/openapi.json');
      const file = join(folder, 'openapi.json');
      writeFileSync(file, description.text);
      const redocly = join(root, 'node_modules/@redocly/cli/bin/cli.js');
      const { stdout, stderr } = await run(process.execPath, [redocly, 'lint', file], {
        cwd: folder,
        timeout: 60_000,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      }).catch((error: Error & { stdout?: string }) => {
        throw new Error(`the linter refuses the API's description:\n${error.stdout}`, { cause: error });
      });
      expect(stdout + stderr).toContain('Your API description is valid');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
