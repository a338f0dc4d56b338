import { inboxRetention, type StreamEntry } from '@holdfast/messaging';
import { consumeEvents, eventsUrl, startParticipant } from '@holdfast/participant';
import { FULFILMENT, fulfilDispatched, SHIPMENT_STREAM } from './fulfilment.ts';
import { config, inventoryMigrations, inventoryService } from './index.ts';

await startParticipant(
  'inventory',
  config,
  inventoryMigrations,
  (settings) => {
    const eventsAt = eventsUrl(settings);
    return (participant) => {
      if (eventsAt !== undefined) {
        const handle = (entries: StreamEntry[]) => fulfilDispatched(participant.pool, entries);
        consumeEvents(eventsAt, { stream: SHIPMENT_STREAM, group: FULFILMENT, handle }, participant);
      }
      return inventoryService(participant);
    };
  },
  [inboxRetention],
);
