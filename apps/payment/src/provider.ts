/*
 * How a call goes out to the card provider's official SDK, and what a failed one says. What calls are made, and why
 * that is safe, is in card.ts.
 */
import type { Log, Metrics } from '@holdfast/service';
import Stripe from 'stripe';
import { createProviderHttp } from './provider-http.ts';

export interface CardSettings {
  secretKey: string;
  /** Scheme, host and port; null for Stripe itself. */
  apiBase: URL | null;
  /** For one call, from connecting to the last byte of the answer. */
  timeoutMs: number;
}

export type CallName = 'create' | 'confirm' | 'retrieve' | 'cancel' | 'refund' | 'list-refunds';
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

function tellOperator(log: Log, call: CallName, error: Stripe.errors.StripeError): void {
  if (isDecline(error)) return;
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

/** The bank has refused this card: nothing was taken, and asking again would not change it. */
export function isDecline(error: Stripe.errors.StripeError): boolean {
  return error instanceof Stripe.errors.StripeCardError && error.rawType === 'card_error';
}

// What the order itself brings. A fault that names one of these is the order's own, not one of our set-up.
const PARAMS_OF_THE_ORDER = new Set(['amount', 'currency', 'payment_method']);

/** @returns which part of the order the provider refuses to take at all; undefined for any other fault */
export function refusedParam(error: Stripe.errors.StripeError): string | undefined {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return undefined;
  return error.param !== undefined && PARAMS_OF_THE_ORDER.has(error.param) ? error.param : undefined;
}

/** The provider's code, for people. Only what looks like one: its messages may hold more than we want to repeat. */
export function codeIn(error: { code?: string; decline_code?: string }): string {
  const code = error.decline_code ?? error.code ?? '';
  return /^[a-z_]{1,64}$/.test(code) ? ` (${code})` : '';
}
