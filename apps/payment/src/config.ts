import { orderEvents, orderEventsKeys, serviceConfig } from '@holdfast/participant';
import { integer, optional, text, url } from '@holdfast/service';

/** Settings of the payment service. Without STRIPE_SECRET_KEY only payments from the customer's account work. */
export const config = {
  ...serviceConfig(50_052, 9_052),
  STRIPE_SECRET_KEY: optional(text('a secret or restricted key of Stripe, sk_… or rk_…', /^[sr]k_\w{4,}$/), null),
  /** Where the provider is, when it is not Stripe itself: the sandbox, or a proxy. */
  STRIPE_API_BASE: optional(origin(), null),
  /** How long one call to the provider may take. */
  STRIPE_TIMEOUT_MS: optional(integer(100, 60_000), 10_000),
  /** How often the provider is asked for refunds and disputes, whether its webhooks have told of them or not. */
  PROVIDER_LOOK_MS: optional(integer(100, 3_600_000), 15_000),
  /** How long before it runs out an authorisation that nobody has captured is told of. */
  CAPTURE_WARNING_MS: optional(integer(1_000, 6 * 86_400_000), 86_400_000),
  /**
   * What the provider signs its webhooks with (`whsec_…`); two, with a comma between them, while it is being changed. Without
   * it, payments that wait are asked about more often.
   */
  STRIPE_WEBHOOK_SECRET: optional(
    text('whsec_… of the endpoint /webhooks/stripe, or two of them: whsec_…,whsec_…', /^whsec_\w{4,}(,whsec_\w{4,})?$/),
    null,
  ),
  /** `true`: what the provider tells is published in a stream of the Redis at REDIS_URL; for all services alike. */
  ORDER_EVENTS: orderEvents(),
  /** What events are signed with (the first), and believed by (each); the same for all services. */
  ORDER_EVENTS_KEYS: orderEventsKeys(),
  /** How long an event is kept after it was published, to be published again when Redis has lost it. */
  ORDER_EVENTS_KEPT_MS: optional(integer(1_000, 30 * 86_400_000), 3_600_000),
  /** How long a customer has to confirm a payment (3-D Secure, or on the shop's page) before the order is turned back. */
  PAYMENT_WINDOW_MS: optional(integer(1_000, 24 * 60 * 60 * 1_000), 15 * 60 * 1_000),
};

function origin() {
  const hint = 'scheme, host and port only, such as http://127.0.0.1:12111';
  return {
    read(raw: string | undefined): URL {
      const parsed = new URL(url('http:', 'https:').read(raw));
      // The SDK takes these three; anything else would be dropped without a word.
      if (parsed.href !== `${parsed.origin}/`) throw new Error(`malformed; expected ${hint}`);
      return parsed;
    },
  };
}
