import { inventoryMigrations } from '@holdfast/inventory';
import { orchestratorMigrations } from '@holdfast/orchestrator';
import { paymentMigrations } from '@holdfast/payment';
import type { Migrations } from '@holdfast/postgres';
import { shippingMigrations } from '@holdfast/shipping';

/** Every database, the migrations that make it, and where its schema is written down. */
export const schemas: { service: string; migrations: Migrations[]; file: URL }[] = [
  { service: 'orchestrator', migrations: orchestratorMigrations, file: schemaFile('orchestrator') },
  { service: 'inventory', migrations: inventoryMigrations, file: schemaFile('inventory') },
  { service: 'payment', migrations: paymentMigrations, file: schemaFile('payment') },
  { service: 'shipping', migrations: shippingMigrations, file: schemaFile('shipping') },
];

function schemaFile(service: string): URL {
  return new URL(`../apps/${service}/sql/schema.txt`, import.meta.url);
}
