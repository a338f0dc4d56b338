import { randomUUID } from 'node:crypto';
import { createStepClient } from '@holdfast/participant';
import { type CallResult, type Client, services } from '@holdfast/rpc';
import { startProcess, type TestDatabase, type TestProcess, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inventoryMigrations } from './index.ts';

const MAIN = new URL('./main.ts', import.meta.url);
const TENANT = 'shop';

let database: TestDatabase;
let process: TestProcess;
let port: number;
let client: Client<typeof services.inventory>;
const start = (grpcPort: number) =>
  startProcess(MAIN, {
    DATABASE_URL: database.databaseUrl,
    HOST: '127.0.0.1',
    GRPC_PORT: String(grpcPort),
    HTTP_PORT: '0',
    LOG_LEVEL: 'info',
  });

beforeAll(async () => {
  database = await testDatabase('reserve_killed', inventoryMigrations);
  process = await start(0);
  port = process.ports.grpcPort ?? 0;
  client = createStepClient(services.inventory, `127.0.0.1:${port}`);
});
afterAll(async () => {
  client?.close();
  await process?.end();
  await database?.drop();
});

const reserve = (orderId: string, sku: string) =>
  client.ReserveInventory(
    { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] },
    { timeoutMs: 5_000, tenantId: TENANT, key: `${orderId}:reserve-inventory` },
  );

/** As the saga does: asks until the outcome is known (S4). */
async function untilKnown(call: () => Promise<CallResult<unknown>>): Promise<{ kind: string; attempts: number }> {
  for (let attempts = 1; attempts <= 200; attempts++) {
    const result = await call();
    if (result.kind === 'completed') return { kind: 'completed', attempts };
    await new Promise((resolve) => setTimeout(resolve, Math.max(result.pushbackMs ?? 50, 50)));
  }
  return { kind: 'never', attempts: 200 };
}

describe('a participant that is killed in the middle of its streams', () => {
  it('S4, G17: leaves calls unknown; asked again when it is back, each order has one reservation', async () => {
    const sku = 'hot';
    await client.PutStock(
      { sku, onHand: 100_000, unitPrice: 1, currency: 'EUR' },
      { timeoutMs: 5_000, tenantId: TENANT, key: 'put-of-a-hot-item' },
    );
    let known = 0;
    const wave = async () => {
      const orders = Array.from({ length: 300 }, () => randomUUID());
      return await Promise.all(
        orders.map(async (orderId) => {
          const ended = await untilKnown(() => reserve(orderId, sku));
          known += 1;
          return ended;
        }),
      );
    };
    const waves = Promise.all([wave(), wave(), wave(), wave()]);
    for (const after of [100, 500, 900]) {
      await vi.waitFor(() => expect(known).toBeGreaterThan(after), { timeout: 40_000, interval: 1 });
      await process.end('SIGKILL');
      process = await start(port);
    }
    const ended = (await waves).flat();
    expect(new Set(ended.map(({ kind }) => kind))).toEqual(new Set(['completed']));
    // The kills did hit calls that were under way.
    expect(ended.some(({ attempts }) => attempts > 1)).toBe(true);
    const { rows } = await database.pool.query(
      `select (select count(*) from reservations) as reservations, reserved, (select count(*) from holdfast.claims where operation <> 'put-stock') as claims
         from stock where sku = $1`,
      [sku],
    );
    expect(rows).toEqual([{ reservations: 1_200, reserved: 1_200, claims: 1_200 }]);
  }, 180_000);
});
