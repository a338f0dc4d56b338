/*
 * `POST /webhooks/stripe`, at the HTTP port of this service.
 *
 * T2  A request counts when the official SDK finds that one of our secrets has signed its very bytes, a few minutes ago at most.
 *     There are two of them while the secret is being changed.
 * K6  What can't be stored is not taken: the provider sends it again.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { storeFault } from '@holdfast/participant';
import type { HttpRoutes, Log, Metrics } from '@holdfast/service';
import Stripe from 'stripe';
import { type Heard, readEvent, type Told } from './provider-event.ts';

export interface WebhookSettings {
  /** Any of them may have signed. */
  secrets: readonly string[];
  log: Log;
  metrics: Metrics;
  /** @throws what the store or the provider can't do now */
  hear: (event: Told) => Promise<Heard>;
  now?: () => number;
}

export const WEBHOOK_PATH = '/webhooks/stripe';

// The largest that the provider sends, an intent with its charges, has some tens of kilobytes.
const MAX_BODY_BYTES = 256 * 1024;
const TOLERANCE_S = 300;

export function webhookRoutes(settings: WebhookSettings): HttpRoutes {
  const { secrets, log, metrics, hear, now = Date.now } = settings;
  const heard = metrics.counter('payment_webhooks_total', 'Webhooks of the card provider', ['type', 'outcome']);
  const take = async (request: IncomingMessage): Promise<[number, string]> => {
    const body = await readBody(request);
    if (body === undefined) return [413, `send at most ${MAX_BODY_BYTES} bytes`];
    const signature = request.headers['stripe-signature'];
    const event = verified(body, typeof signature === 'string' ? signature : '', secrets, now());
    if (event === undefined) {
      heard.inc({ type: 'unknown', outcome: 'not_signed' });
      return [400, 'not signed by a secret of ours, or too long ago: set STRIPE_WEBHOOK_SECRET to the endpoint’s'];
    }
    const told = readEvent(event);
    if (told.kind === 'ignored') return [200, 'not of interest here'];
    try {
      const outcome = await hear(told);
      heard.inc({ type: told.about, outcome });
      return [200, outcome];
    } catch (error) {
      heard.inc({ type: told.about, outcome: 'failed' });
      // crash here, or any fault: nothing is stored, and the provider sends it again.
      log.warn({ eventId: told.id, about: told.about, reason: reasonOf(error) }, 'a webhook could not be dealt with');
      return [503, 'try again later'];
    }
  };
  return {
    [`POST ${WEBHOOK_PATH}`]: async (request, response) => {
      const [status, text] = await take(request).catch((): [number, string] => [400, 'the request broke off']);
      answer(response, status, text);
    },
  };
}

function reasonOf(error: unknown): string {
  const isStore = storeFault(error) !== undefined;
  // The store's message alone: the error carries the statement, with its values.
  return isStore
    ? 'the database can not do it now'
    : error instanceof Error
      ? `${error.name}: ${error.message}`
      : 'unknown';
}

function answer(response: ServerResponse, status: number, text: string): void {
  // What was not read of a body that is too long would be read by nobody.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** @returns undefined when it is longer than it may be */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @returns undefined when none of the secrets has signed it */
function verified(
  body: Buffer,
  signature: string,
  secrets: readonly string[],
  nowMs: number,
): Stripe.Event | undefined {
  for (const secret of secrets) {
    try {
      return Stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_S, undefined, nowMs);
    } catch (error) {
      // Signed with another secret, or not at all; or a body that is no JSON, under a signature that holds.
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError || error instanceof SyntaxError))
        throw error;
    }
  }
  return undefined;
}
