import { redisUrl } from '@holdfast/participant';
import { boolean, integer, optional, port, prepare, text, url } from '@holdfast/service';

/** Settings of the payment service. Without STRIPE_SECRET_KEY only payments from the customer's account work. */
export const config = {
  DATABASE_URL: url('postgres:', 'postgresql:'),
  HOST: optional(text('an address to listen on'), '127.0.0.1'),
  GRPC_PORT: optional(port(), 50_052),
  HTTP_PORT: optional(port(), 9_052),
  LOG_LEVEL: optional(
    text('trace, debug, info, warn, error or silent', /^(trace|debug|info|warn|error|silent)$/),
    'info',
  ),
  /** Optional: answers early what the database has committed; without it the answers are the same. */
  REDIS_URL: redisUrl(),
  /** `false`: the job `migrate` does it, and the service waits for it. */
  MIGRATE_ON_START: optional(boolean(), true),
  DATABASE_PREPARE: prepare(),
  STRIPE_SECRET_KEY: optional(text('a secret or restricted key of Stripe, sk_… or rk_…', /^[sr]k_\w{4,}$/), null),
  /** Where the provider is, when it is not Stripe itself: the sandbox, or a proxy. */
  STRIPE_API_BASE: optional(origin(), null),
  /** How long one call to the provider may take. */
  STRIPE_TIMEOUT_MS: optional(integer(100, 60_000), 10_000),
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
