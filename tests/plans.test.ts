import { idempotencyMigrations } from '@holdfast/idempotency';
import { createPool, type Migrations, type Pool } from '@holdfast/postgres';
import { sagaMigrations } from '@holdfast/saga';
import { type TestDatabase, testDatabase } from '@holdfast/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { inventoryMigrations } from '../apps/inventory/src/server.ts';
import { orderMigrations } from '../apps/orchestrator/src/order-store.ts';
import { paymentMigrations } from '../apps/payment/src/server.ts';
import { shippingMigrations } from '../apps/shipping/src/server.ts';

// A prepared statement settles on a generic plan after five executions, and one that was made while its table was empty
// would scan it whole ever after. So no plan, whenever it is made, may read more than its keys' rows.

const named = vi.hoisted(() => new Map<string, string>());
// Every statement that the imports above make, as it is made.
vi.mock('@holdfast/postgres', async (original) => {
  const postgres = await original<typeof import('@holdfast/postgres')>();
  const statement: typeof postgres.statement = (name, text) => {
    named.set(name, text);
    return postgres.statement(name, text);
  };
  return { ...postgres, statement };
});

const ROWS = 100_000;
const EXECUTIONS = 8;
