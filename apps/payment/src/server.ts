import { idempotencyMigrations } from '@holdfast/idempotency';
import type { Participant } from '@holdfast/participant';
import type { Migrations } from '@holdfast/postgres';
import { type ServiceBinding, service, services } from '@holdfast/rpc';
import { type Cards, createCards, noCards } from './card.ts';
import { paymentHandlers } from './handlers.ts';

/** Everything that its database is made of. */
export const paymentMigrations: Migrations[] = [
  idempotencyMigrations,
  { module: 'payment', folder: new URL('../sql/', import.meta.url) },
];

export interface ProviderSettings {
  STRIPE_SECRET_KEY: string | null;
  STRIPE_API_BASE: URL | null;
  STRIPE_TIMEOUT_MS: number;
}

/** `holdfast.payment.v1.PaymentService`, bound to this process's database and to the card provider. */
export function paymentService(participant: Participant, settings: ProviderSettings): ServiceBinding {
  return service(services.payment, paymentHandlers(participant, cardsFor(participant, settings)));
}

function cardsFor({ log, metrics }: Participant, settings: ProviderSettings): Cards {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: apiBase, STRIPE_TIMEOUT_MS: timeoutMs } = settings;
  if (secretKey !== null) return createCards({ secretKey, apiBase, timeoutMs }, log, metrics);
  log.warn('STRIPE_SECRET_KEY is not set: payments by card stay unanswered until it is; accounts work');
  return noCards;
}
