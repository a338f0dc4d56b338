import { eventsRoute, relayEvents, startParticipant } from '@holdfast/participant';
import { SHIPMENT_OUTBOX } from './dispatch.ts';
import { config, shippingMigrations, shippingService } from './index.ts';

await startParticipant('shipping', config, shippingMigrations, (settings) => {
  const { CARRIER_URL: baseUrl, CARRIER_TIMEOUT_MS: timeoutMs, ORDER_EVENTS_KEPT_MS: keptMs } = settings;
  const carrier = baseUrl === undefined ? undefined : { baseUrl, timeoutMs };
  const route = eventsRoute(settings);
  const bind = shippingService(carrier, { publishes: route !== undefined });
  return (participant) => {
    if (route !== undefined) relayEvents(route, SHIPMENT_OUTBOX, keptMs, participant);
    return bind(participant);
  };
});
