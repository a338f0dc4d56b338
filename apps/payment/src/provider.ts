/*
 * How a call goes out to the card provider's official SDK, and what a failed one says. What calls are made, and why
 * that is safe, is in card.ts.
 */
import type { Log, Metrics } from '@holdfast/service';
import Stripe from 'stripe';
import { meaningOf } from './card/provider-errors.ts';
import { createProviderHttp } from './provider-http.ts';

export interface CardSettings {
  secretKey: string;
  /** Scheme, host and port; null for Stripe itself. */
  apiBase: URL | null;
  /** For one call, from connecting to the last byte of the answer. */
  timeoutMs: number;
}

export type CallName =
  | 'create'
  | 'confirm'
  | 'retrieve'
  | 'cancel'
  | 'capture'
  | 'refund'
  | 'list-refunds'
  | 'dispute'
  | 'list-disputes';
export type Called<T> = { kind: 'completed'; result: T } | { kind: 'failed'; error: Stripe.errors.StripeError };

export interface Provider {
  stripe: Stripe;
  /** Waits for the SDK's answer and makes a value of what it throws. */
  call<T>(name: CallName, answer: Promise<T>): Promise<Called<T>>;
}

export function createProvider(settings: CardSettings, log: Log, metrics: Metrics): Provider {
  const stripe = new Stripe(settings.secretKey, {
    ...(settings.apiBase && addressOf(settings.apiBase)),
    timeout: settings.timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
    // The SDK's default client times each stage of a call by itself, and sends once more when a connection closes, whatever
    // maxNetworkRetries says. This one has a single deadline for the whole call and sends once: one retry layer, the
    // saga's, is enough.
    httpClient: createProviderHttp(),
  });
  const calls = metrics.counter('payment_provider_calls_total', 'Calls to the card provider', ['call', 'outcome']);
  return {
    stripe,
    async call(name, answer) {
      try {
        const value = await answer;
        calls.inc({ call: name, outcome: 'ok' });
        return { kind: 'completed', result: value };
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeError)) throw error;
        calls.inc({ call: name, outcome: error.type });
        tellOperator(log, name, error);
        return { kind: 'failed', error };
      }
    },
  };
}

function addressOf({ protocol, hostname, port }: URL): { protocol: 'http' | 'https'; host: string; port: string } {
  const secure = protocol === 'https:';
  return { protocol: secure ? 'https' : 'http', host: hostname, port: port || (secure ? '443' : '80') };
}

/** At most 64 + 128 characters, the call's name and a count: within the provider's 255. */
export function keyOf(
  { tenantId, key, attempt }: { tenantId: string; key: string; attempt: number },
  call: CallName,
): string {
  return `${tenantId}:${key}:${call}:${attempt}`;
}

function tellOperator(log: Log, call: CallName, error: Stripe.errors.StripeError): void {
  const meaning = meaningOf(error);
  // What an order brings, and what a race leaves behind, is nobody's fault.
  if (meaning === 'declined' || meaning === 'not-confirmed' || meaning === 'moved') return;
  // The provider's own message may quote the payment method, or a part of our key (H23): its codes say enough.
  const { type, code, statusCode: status, param, requestId } = error;
  const about = { call, type, code, status, param, requestId };
  if (status === 401 || status === 403) {
    log.error(about, 'the card provider refuses our key: set a valid STRIPE_SECRET_KEY; payments by card wait for it');
  } else if (status === 404 && call !== 'create') {
    log.error(
      about,
      'the card provider does not know a payment of ours: does STRIPE_SECRET_KEY belong to this account?',
    );
  } else {
    log.warn(about, 'a call to the card provider failed');
  }
}
