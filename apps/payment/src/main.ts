import { inboxRetention } from '@holdfast/messaging';
import { eventsRoute, relayEvents, startParticipant } from '@holdfast/participant';
import { config, paymentMigrations, paymentService } from './index.ts';
import { PAYMENT_OUTBOX } from './webhooks/hear-event.ts';

await startParticipant(
  'payment',
  config,
  paymentMigrations,
  (settings) => {
    const route = eventsRoute(settings);
    const bind = paymentService(settings, { publishes: route !== undefined });
    return (participant) => {
      if (route !== undefined) relayEvents(route, PAYMENT_OUTBOX, settings.ORDER_EVENTS_KEPT_MS, participant);
      return bind(participant);
    };
  },
  [inboxRetention],
);
