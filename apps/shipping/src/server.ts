import { idempotencyMigrations } from '@holdfast/idempotency';
import type { Participant } from '@holdfast/participant';
import type { Migrations } from '@holdfast/postgres';
import { type ServiceBinding, service, services } from '@holdfast/rpc';
import { type CarrierSettings, createCarrier, noCarrier } from './carrier.ts';
import { shippingHandlers } from './handlers.ts';

/** Everything that its database is made of. */
export const shippingMigrations: Migrations[] = [
  idempotencyMigrations,
  { module: 'shipping', folder: new URL('../sql/', import.meta.url) },
];

/**
 * `holdfast.shipping.v1.ShippingService`, bound to this process's database.
 * @param settings who carries the parcels; without a carrier, shipments are our own
 * @param tells whether a dispatch is told to others
 */
export function shippingService(
  settings?: CarrierSettings,
  tells = { tellsEvents: false },
): (participant: Participant) => ServiceBinding {
  return (participant) => {
    const carrier = settings === undefined ? noCarrier : createCarrier(settings, participant);
    return service(services.shipping, shippingHandlers(participant, carrier, tells));
  };
}
