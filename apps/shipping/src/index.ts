// What main.ts, tools and tests run this service by.
import { idempotencyMigrations } from '@holdfast/idempotency';
import { outboxMigrations } from '@holdfast/messaging';
import type { Migrations } from '@holdfast/postgres';

export * from './config.ts';
export { shippingService } from './handlers.ts';

/** Everything that its database is made of. */
export const shippingMigrations: Migrations[] = [
  idempotencyMigrations,
  outboxMigrations,
  { module: 'shipping', folder: new URL('../sql/', import.meta.url) },
];
