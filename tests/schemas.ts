import { idempotencyMigrations } from '@holdfast/idempotency';
import type { Migrations } from '@holdfast/postgres';
import { inventoryMigrations } from '../apps/inventory/src/server.ts';
import { orchestratorMigrations } from '../apps/orchestrator/src/run-orchestrator.ts';
import { paymentMigrations } from '../apps/payment/src/server.ts';
import { shippingMigrations } from '../apps/shipping/src/server.ts';

/** Every database, the migrations that make it, and where its schema is written down. */
export const schemas: { service: string; migrations: Migrations[]; file: URL }[] = [
  { service: 'orchestrator', migrations: orchestratorMigrations, file: schemaFile('orchestrator') },
  { service: 'inventory', migrations: [idempotencyMigrations, inventoryMigrations], file: schemaFile('inventory') },
  { service: 'payment', migrations: [idempotencyMigrations, paymentMigrations], file: schemaFile('payment') },
  { service: 'shipping', migrations: [idempotencyMigrations, shippingMigrations], file: schemaFile('shipping') },
];

function schemaFile(service: string): URL {
  return new URL(`../apps/${service}/sql/schema.txt`, import.meta.url);
}
