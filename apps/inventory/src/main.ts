import { inboxRetention, type StreamEntry } from '@holdfast/messaging';
import { consumeEvents, eventsRoute, startParticipant } from '@holdfast/participant';
import { FULFILMENT, fulfilDispatched, SHIPMENT_STREAM } from './fulfilment.ts';
import { config, inventoryMigrations, inventoryService } from './index.ts';

await startParticipant(
  'inventory',
  config,
  inventoryMigrations,
  (settings) => {
    const route = eventsRoute(settings);
    return (participant) => {
      if (route !== undefined) {
        const handle = (entries: StreamEntry[]) => fulfilDispatched(participant.pool, entries);
        consumeEvents(route, { stream: SHIPMENT_STREAM, group: FULFILMENT, handle }, participant);
      }
      return inventoryService(participant);
    };
  },
  [inboxRetention],
);
