import { serviceConfig } from '@holdfast/participant';
import { integer, optional, text, url } from '@holdfast/service';

/** Settings of the payment service. Without STRIPE_SECRET_KEY only payments from the customer's account work. */
export const config = {
  ...serviceConfig(50_052, 9_052),
  STRIPE_SECRET_KEY: optional(text('a secret or restricted key of Stripe, sk_… or rk_…', /^[sr]k_\w{4,}$/), null),
  /** Where the provider is, when it is not Stripe itself: the sandbox, or a proxy. */
  STRIPE_API_BASE: optional(origin(), null),
  /** How long one call to the provider may take. */
  STRIPE_TIMEOUT_MS: optional(integer(100, 60_000), 10_000),
  /** How often refunds that were made at the provider, or are pending there, are looked for. */
  REFUND_LOOK_MS: optional(integer(100, 3_600_000), 15_000),
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
