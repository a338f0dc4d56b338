import { idempotencyMigrations } from '@holdfast/idempotency';
import { messagingMigrations } from '@holdfast/messaging';
import type { Participant } from '@holdfast/participant';
import type { Migrations } from '@holdfast/postgres';
import { type ServiceBinding, service, services } from '@holdfast/rpc';
import { inventoryHandlers } from './handlers.ts';

/** Everything that its database is made of. */
export const inventoryMigrations: Migrations[] = [
  idempotencyMigrations,
  messagingMigrations,
  { module: 'inventory', folder: new URL('../sql/', import.meta.url) },
];

/** `holdfast.inventory.v1.InventoryService`, bound to this process's database. */
export function inventoryService(participant: Participant): ServiceBinding {
  return service(services.inventory, inventoryHandlers(participant));
}
