/*
 * The transport below the card provider's official SDK.
 *
 * S4  A call is sent once, and has one deadline from connecting to the last byte of the answer. The SDK sends once more,
 *     whatever its settings say, what fails with a code of a closed connection: so no failure leaves here with a code,
 *     but for the time-out, which it does not repeat.
 */
import { createExchange, type ExchangeAnswer, ExchangeFailed } from '@holdfast/http-exchange';
import Stripe from 'stripe';

// The largest that is asked for, an intent with its latest charge, has a few kilobytes.
const MAX_ANSWER_BYTES = 1024 * 1024;

export function createProviderHttp(): Stripe.HttpClient {
  const exchange = createExchange(MAX_ANSWER_BYTES);
  return {
    getClientName: () => 'undici',
    async makeRequest(host, port, path, method, headers, body, protocol, timeoutMs) {
      const origin = `${protocol}://${host}:${port}`;
      try {
        const request = { origin, path, method, headers, timeoutMs };
        return responseOf(await exchange(body === '' ? request : { ...request, body }));
      } catch (error) {
        const late = error instanceof ExchangeFailed && error.reason === 'TIMEOUT';
        throw late ? Stripe.HttpClient.makeTimeoutError() : error;
      }
    },
  };
}

function responseOf({ status, headers, body }: ExchangeAnswer): Awaited<ReturnType<Stripe.HttpClient['makeRequest']>> {
  return {
    getStatusCode: () => status,
    getHeaders: () => headers,
    // The SDK hangs its own fields on it.
    getRawResponse: () => ({}),
    toStream: () => {
      throw new Error('no call to the card provider is answered with a stream');
    },
    toJSON: async () => JSON.parse(body ?? ''),
  };
}
