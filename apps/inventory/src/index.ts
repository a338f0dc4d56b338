// What main.ts, tools and tests run this service by.
import { idempotencyMigrations } from '@holdfast/idempotency';
import { inboxMigrations } from '@holdfast/messaging';
import type { Migrations } from '@holdfast/postgres';

export * from './config.ts';
export { fulfilDispatched } from './fulfilment.ts';
export { inventoryService } from './handlers.ts';

/** Everything that its database is made of. */
export const inventoryMigrations: Migrations[] = [
  idempotencyMigrations,
  inboxMigrations,
  { module: 'inventory', folder: new URL('../sql/', import.meta.url) },
];
