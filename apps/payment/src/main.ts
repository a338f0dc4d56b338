import { inboxRetention } from '@holdfast/messaging';
import { eventsUrl, relayEvents, startParticipant } from '@holdfast/participant';
import { config, paymentMigrations, paymentService } from './index.ts';
import { PAYMENT_OUTBOX } from './webhooks/hear-event.ts';

await startParticipant(
  'payment',
  config,
  paymentMigrations,
  (settings) => {
    const eventsAt = eventsUrl(settings);
    const bind = paymentService(settings, { publishes: eventsAt !== undefined });
    return (participant) => {
      if (eventsAt !== undefined) relayEvents(eventsAt, PAYMENT_OUTBOX, settings.ORDER_EVENTS_KEPT_MS, participant);
      return bind(participant);
    };
  },
  [inboxRetention],
);
