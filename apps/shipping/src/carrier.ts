/*
 * The carrier's HTTP API.
 *
 * S4  What a call could not find out (time-out, lost connection, 5xx, an answer that makes no sense) is `unknown`,
 *     never a guess. Whoever called looks the reference up, or asks again later.
 *
 * Every call has a deadline and a bounded answer, and at most MAX_CALLS run at a time: a carrier that is slower than
 * orders come in must not fill this process with waiting calls. Nothing is retried here; the saga does that.
 */

import { createExchange, type Exchange, ExchangeFailed } from '@holdfast/http-exchange';
import type { EffectOutcome, Participant, PerformOutcome, Refused } from '@holdfast/participant';

export interface Address {
  name: string;
  line1: string;
  city: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** These are there only if they were sent. */
  postalCode?: string;
  line2?: string;
  region?: string;
  phone?: string;
  company?: string;
}

export interface Parcel {
  sku: string;
  quantity: number;
}

export interface Booking {
  /** Ours, one per order: the carrier books it once, however often it is sent. */
  reference: string;
  shipTo: Address;
  parcels: Parcel[];
}

/** `detail` says what happened, and holds nothing of the request. */
type Unknown = { kind: 'unknown'; detail: string };

/** Nothing can be delivered to this address, from any caller and at any time. */
export const ADDRESS_REFUSED: Refused<'ADDRESS_REFUSED'> = {
  kind: 'refused',
  reason: 'ADDRESS_REFUSED',
  message: 'nothing can be delivered to this address: place a new order with another one',
};

export type BookResult = EffectOutcome<{ shipmentId: string }, 'ADDRESS_REFUSED'>;

export type BookOutcome =
  | BookResult
  /** The reference was cancelled, before or after a booking: it never ships. */
  | { kind: 'cancelled' }
  | Unknown;

export type FindOutcome =
  | { kind: 'completed'; result: { shipmentId: string } }
  | { kind: 'cancelled' }
  /** The carrier has no booking: there never was one, or it was refused, or it is still on its way there. */
  | { kind: 'not_found' }
  | Unknown;

/** The shipment that was cancelled; null when nothing had been booked. */
export type CancelOutcome = PerformOutcome<string | null>;

/** None of its methods throws. */
export interface Carrier {
  /** False when there is none, so that new shipments are our own. */
  configured: boolean;
  /** How long one call takes at most. */
  timeoutMs: number;
  book(booking: Booking): Promise<BookOutcome>;
  find(reference: string): Promise<FindOutcome>;
  /** Cancels what was booked, and leaves word that a booking which comes later is to be refused. */
  cancel(reference: string): Promise<CancelOutcome>;
}

export interface CarrierSettings {
  /** The API is at `<baseUrl>/v1/shipments`. */
  baseUrl: string;
  timeoutMs: number;
}

const MAX_CALLS = 256;
const MAX_ANSWER_BYTES = 64 * 1024;
const JSON_BODY = { 'content-type': 'application/json' };
// Any other (a wrong CARRIER_URL, a carrier in trouble) is for the operator to see.
const MEANT_STATUSES: ReadonlySet<number> = new Set([200, 201, 409, 422]);

type Reply = { kind: 'completed'; status: number; body: unknown } | Unknown;
type Send = (call: 'book' | 'find' | 'cancel', path: string, body?: object) => Promise<Reply>;

export function createCarrier(settings: CarrierSettings, participant: Pick<Participant, 'log' | 'metrics'>): Carrier {
  const send = sender(settings, participant);
  return {
    configured: true,
    timeoutMs: settings.timeoutMs,
    async book(booking) {
      return booked(await send('book', '/v1/shipments', booking), booking.reference);
    },
    async find(reference) {
      return found(await send('find', `/v1/shipments?reference=${encodeURIComponent(reference)}`), reference);
    },
    async cancel(reference) {
      return cancelled(await send('cancel', '/v1/shipments/cancel', { reference }));
    },
  };
}

const NO_CARRIER: Unknown = {
  kind: 'unknown',
  detail: 'this order is with a carrier and none is configured; the operator must set CARRIER_URL again',
};

/** In place of a carrier: shipments are our own, and whatever an earlier carrier has stays unknown. */
export const noCarrier: Carrier = {
  configured: false,
  timeoutMs: 0,
  book: async () => NO_CARRIER,
  find: async () => NO_CARRIER,
  cancel: async () => NO_CARRIER,
};

function sender(settings: CarrierSettings, { log, metrics }: Pick<Participant, 'log' | 'metrics'>): Send {
  const { origin, pathname } = new URL(settings.baseUrl);
  const base = pathname.replace(/\/+$/, '');
  const exchange = createExchange(MAX_ANSWER_BYTES);
  const seconds = metrics.histogram('carrier_call_seconds', 'Time to get the carrier’s answer', ['call', 'status']);
  let running = 0;
  return async (call, path, body) => {
    if (running >= MAX_CALLS) return unknown(`${MAX_CALLS} calls wait for the carrier already: it was not asked`);
    running += 1;
    const startedAtMs = performance.now();
    const reply = await ask(exchange, { origin, path: base + path, timeoutMs: settings.timeoutMs }, body).finally(
      () => {
        running -= 1;
      },
    );
    const status = reply.kind === 'completed' ? reply.status : 'none';
    seconds.observe({ call, status }, (performance.now() - startedAtMs) / 1_000);
    if (reply.kind === 'unknown') log.warn({ call, detail: reply.detail }, 'no answer from the carrier');
    else if (!MEANT_STATUSES.has(reply.status))
      log.warn({ call, status }, 'the carrier could not do what it was asked');
    return reply;
  };
}

/** One request and its answer; a POST where there is a body. */
async function ask(
  exchange: Exchange,
  request: { origin: string; path: string; timeoutMs: number },
  body?: object,
): Promise<Reply> {
  try {
    const answer = await exchange(
      body === undefined
        ? { ...request, method: 'GET' }
        : { ...request, method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) },
    );
    return { kind: 'completed', status: answer.status, body: jsonIn(answer.body) };
  } catch (error) {
    if (!(error instanceof ExchangeFailed)) throw error;
    if (error.reason === 'TIMEOUT') return unknown(`the carrier did not answer within ${request.timeoutMs} ms`);
    return unknown(`the connection to the carrier failed (${error.reason})`);
  }
}

/** @returns undefined for what is too long or no JSON: a gateway's error page says nothing, its status says enough */
function jsonIn(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function booked(reply: Reply, reference: string): BookOutcome {
  if (reply.kind === 'unknown') return reply;
  const { status, body } = reply;
  if ((status === 200 || status === 201) && isShipment(body, reference)) return shipmentOutcome(body);
  if (status === 422 && codeOf(body) === 'ADDRESS_REFUSED') return ADDRESS_REFUSED;
  if (status === 409 && codeOf(body) === 'REFERENCE_CANCELLED') return { kind: 'cancelled' };
  return notUnderstood(reply);
}

function found(reply: Reply, reference: string): FindOutcome {
  if (reply.kind === 'unknown') return reply;
  const list = (reply.body as { shipments?: unknown } | undefined)?.shipments;
  if (reply.status !== 200 || !Array.isArray(list)) return notUnderstood(reply);
  if (list.length === 0) return { kind: 'not_found' };
  // A carrier that overlooks the query would list somebody else's shipments.
  const ours = list.find((item) => isShipment(item, reference));
  return ours === undefined ? notUnderstood(reply) : shipmentOutcome(ours);
}

function cancelled(reply: Reply): CancelOutcome {
  if (reply.kind === 'unknown') return reply;
  const { id, status } = (reply.body ?? {}) as { id?: unknown; status?: unknown };
  if (reply.status !== 200 || status !== 'cancelled') return notUnderstood(reply);
  return { kind: 'completed', result: typeof id === 'string' ? id : null };
}

interface CarrierShipment {
  id: string;
  reference: string;
  status: 'booked' | 'cancelled';
}

function isShipment(body: unknown, reference: string): body is CarrierShipment {
  const shipment = (body ?? {}) as Partial<Record<keyof CarrierShipment, unknown>>;
  const known = shipment.status === 'booked' || shipment.status === 'cancelled';
  return known && typeof shipment.id === 'string' && shipment.id !== '' && shipment.reference === reference;
}

function shipmentOutcome(shipment: CarrierShipment): Extract<FindOutcome, { kind: 'completed' | 'cancelled' }> {
  const { id: shipmentId, status } = shipment;
  return status === 'booked' ? { kind: 'completed', result: { shipmentId } } : { kind: 'cancelled' };
}

function codeOf(body: unknown): unknown {
  return (body as { code?: unknown } | undefined)?.code;
}

function notUnderstood({ status }: { status: number }): Unknown {
  return unknown(`the carrier answered ${status}, which tells nothing about the shipment`);
}

function unknown(detail: string): Unknown {
  return { kind: 'unknown', detail };
}
