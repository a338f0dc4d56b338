import type { Migrations } from '@holdfast/postgres';
import { type Participant, type ServiceBinding, service, services } from '@holdfast/rpc';
import { inventoryHandlers } from './handlers.ts';

export const inventoryMigrations: Migrations = { module: 'inventory', folder: new URL('../sql/', import.meta.url) };

/** `holdfast.inventory.v1.InventoryService`, bound to this process's database. */
export function inventoryService(participant: Participant): ServiceBinding {
  return service(services.inventory, inventoryHandlers(participant));
}
