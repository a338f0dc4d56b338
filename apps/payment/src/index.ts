// What main.ts, tools and tests run this service by.
import { idempotencyMigrations } from '@holdfast/idempotency';
import { inboxMigrations, outboxMigrations } from '@holdfast/messaging';
import type { Migrations } from '@holdfast/postgres';

export * from './config.ts';
export { paymentService } from './handlers.ts';

/** Everything that its database is made of. */
export const paymentMigrations: Migrations[] = [
  idempotencyMigrations,
  inboxMigrations,
  outboxMigrations,
  { module: 'payment', folder: new URL('../sql/', import.meta.url) },
];
