import { CAPTURE_REFUSALS, pricesIn, REFUND_REFUSALS, STEP_REFUSALS } from '@holdfast/contracts';
import { createStepClient } from '@holdfast/participant';
import {
  type CallOptions,
  type CallResult,
  type Certificates,
  type Client,
  channelTls,
  createClient,
  services,
} from '@holdfast/rpc';
import type { ActOutcome, RetriableOutcome, StepContext, UndoOutcome, Waiting } from '@holdfast/saga';
import { type AcceptedOrder, besideItems, type OrderOutputs } from '../orders/order.ts';

/** Typed clients of the three participants. */
export interface Participants {
  inventory: Client<typeof services.inventory>;
  payment: Client<typeof services.payment>;
  shipping: Client<typeof services.shipping>;
  /**
   * Payment again, for looks in the background. They begin before payment listens, where all services start together, and a
   * connection that was refused is not tried again for up to a second: calls that callers wait for would be refused with it.
   */
  paymentNews: Client<typeof services.payment>;
  close(): void;
}

interface Addresses {
  INVENTORY_ADDR: string;
  PAYMENT_ADDR: string;
  SHIPPING_ADDR: string;
}

/** @param certificates who we are, and who may answer; undefined: in clear text */
export function connectParticipants(addresses: Addresses, certificates?: Certificates): Participants {
  const tls = (address: string, name: string) => certificates && channelTls(certificates, address, name);
  const connect = <D extends object>(definition: D, address: string, name: string): Client<D> =>
    createStepClient(definition, address, tls(address, name));
  const inventory = connect(services.inventory, addresses.INVENTORY_ADDR, 'inventory');
  const payment = connect(services.payment, addresses.PAYMENT_ADDR, 'payment');
  const shipping = connect(services.shipping, addresses.SHIPPING_ADDR, 'shipping');
  const { PAYMENT_ADDR } = addresses;
  const paymentNews = createClient(services.payment, PAYMENT_ADDR, tls(PAYMENT_ADDR, 'payment'), { isAlone: true });
  return {
    inventory,
    payment,
    shipping,
    paymentNews,
    close() {
      for (const client of [inventory, payment, shipping, paymentNews]) client.close();
    },
  };
}

const REFUSALS: ReadonlySet<string> = new Set([...STEP_REFUSALS, ...REFUND_REFUSALS, ...CAPTURE_REFUSALS]);

type Attempt = StepContext<AcceptedOrder, OrderOutputs>;
type Acts<Name extends keyof OrderOutputs> = (attempt: Attempt) => Promise<ActOutcome<OrderOutputs[Name]>>;
type Undoes = (attempt: Attempt) => Promise<UndoOutcome>;

/** Of each step: the request that an order makes of its participant, and what the answer means to the saga. */
export interface StepCalls {
  reserve: Acts<'reserve-inventory'>;
  release: Undoes;
  charge: (attempt: Attempt) => Promise<ActOutcome<OrderOutputs['charge-payment']> | Waiting>;
  refund: Undoes;
  ship: Acts<'create-shipment'>;
  cancel: Undoes;
}

export function stepCalls({ inventory, payment, shipping }: Participants): StepCalls {
  return {
    async reserve(attempt) {
      const { currency, items, expectedTotal } = attempt.input;
      const beside = besideItems(attempt.input);
      const shown = expectedTotal !== undefined && { expectedTotal };
      const request = { orderId: attempt.sagaId, currency, lines: items, beside, ...shown };
      const called = await inventory.ReserveInventory(request, callOptions(attempt));
      const outcome = actOutcome(called, (reserved) => ({
        reservationId: reserved.reservationId,
        total: reserved.total,
        unitPrices: Object.fromEntries(reserved.lines.map((line) => [line.sku, line.unitPrice])),
      }));
      return withPrices(outcome, called, items.length);
    },
    async release(attempt) {
      return undoOutcome(await inventory.ReleaseInventory({ orderId: attempt.sagaId }, callOptions(attempt)));
    },
    async charge(attempt) {
      const { customerId, currency, payment: paidBy } = attempt.input;
      const reserved = attempt.outputs['reserve-inventory'];
      if (reserved === undefined) throw new Error('charge-payment cannot start before the reservation has its total');
      const amount = reserved.total + besideItems(attempt.input);
      const { method = 'card', customer: providerCustomer = '', offSession = false, returnUrl = '', capture } = paidBy;
      const by = { method, providerCustomer, offSession, returnUrl, authorizeOnly: capture === 'on_dispatch' };
      const request = { orderId: attempt.sagaId, customerId, amount, currency, ...by };
      const called = await payment.ChargePayment(request, callOptions(attempt));
      return (
        waitingOutcome(called) ??
        actOutcome(called, ({ paymentId, authorizedUntil }) =>
          authorizedUntil === '' ? { paymentId } : { paymentId, authorizedUntil },
        )
      );
    },
    async refund(attempt) {
      return undoOutcome(await payment.RefundPayment({ orderId: attempt.sagaId }, callOptions(attempt)));
    },
    async ship(attempt) {
      const { items, shipTo } = attempt.input;
      const request = { orderId: attempt.sagaId, shipTo, parcels: items };
      return actOutcome(await shipping.CreateShipment(request, callOptions(attempt)), ({ shipmentId }) => ({
        shipmentId,
      }));
    },
    async cancel(attempt) {
      return undoOutcome(await shipping.CancelShipment({ orderId: attempt.sagaId }, callOptions(attempt)));
    },
  };
}

/** Key, epoch, tenant and deadline of one attempt. */
export function callOptions(step: {
  key: string;
  epoch: number;
  timeoutMs: number;
  signal: AbortSignal;
  input: { tenantId: string; traceparent: string };
}): CallOptions {
  return {
    key: step.key,
    epoch: step.epoch,
    tenantId: step.input.tenantId,
    traceparent: step.input.traceparent,
    timeoutMs: step.timeoutMs,
    signal: step.signal,
  };
}

/** The border between gRPC and the saga: what an answer means for an act. */
export function actOutcome<Response, Output>(
  result: CallResult<Response>,
  output: (response: Response) => Output,
): ActOutcome<Output> {
  if (result.kind === 'completed') return { kind: 'completed', output: output(result.message) };
  if (REFUSALS.has(result.reason)) return { kind: 'refused', reason: result.reason, message: result.message };
  // Sealed while we own the saga: an operator undid the step from outside, so the order can't complete any more.
  // A former owner of the saga gets this too; its checkpoint is refused then, and nothing comes of it (S2).
  if (result.reason === 'SEALED') {
    return { kind: 'refused', reason: 'CANCELLED', message: 'the step was undone from outside' };
  }
  return notKnown(result);
}

/** A refusal for a price carries the prices as they are, where inventory tells one of every item. */
function withPrices<Output>(
  outcome: ActOutcome<Output>,
  called: CallResult<unknown>,
  items: number,
): ActOutcome<Output> {
  if (outcome.kind !== 'refused' || called.kind !== 'error' || called.reason !== 'PRICE_CHANGED') return outcome;
  const data = pricesIn(called.metadata);
  return data?.unitPrices.length === items ? { ...outcome, data } : outcome;
}

/** What an answer means for an act behind the pivot, which can't be refused: done, or ask again. */
export function retriableOutcome<Response, Output>(
  result: CallResult<Response>,
  output: (response: Response) => Output,
): RetriableOutcome<Output> {
  return result.kind === 'completed' ? { kind: 'completed', output: output(result.message) } : notKnown(result);
}

/** The participant waits for somebody else. @returns undefined for any other answer, and for one that can't be read (S4) */
export function waitingOutcome(result: CallResult<unknown>): Waiting | undefined {
  if (result.kind !== 'error' || result.reason !== 'WAITING') return undefined;
  const { wait_reason: reason, wait_ms: waitMs = '', data } = result.metadata;
  if (reason === undefined || !/^\d{1,10}$/.test(waitMs)) return undefined;
  const told = data === undefined ? undefined : objectIn(data);
  if (data !== undefined && told === undefined) return undefined;
  // At least a moment: an answer that says "at once" again and again must not keep the saga busy.
  const wait = {
    kind: 'waiting' as const,
    reason: reason.slice(0, 200),
    waitMs: Math.max(Number(waitMs), MIN_WAIT_MS),
  };
  return told === undefined ? wait : { ...wait, data: told };
}

const MIN_WAIT_MS = 50;

function objectIn(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Cut off on the way, or no JSON: the step is asked again.
    return undefined;
  }
}

/** What an answer means for an undo, which can't be refused: done, or ask again. */
export function undoOutcome(result: CallResult<unknown>): UndoOutcome {
  return result.kind === 'completed' ? { kind: 'completed' } : notKnown(result);
}

type CallError = Extract<CallResult<unknown>, { kind: 'error' }>;

// Everything else says nothing about the effect (S4): the same key is asked again, and the journal shows why.
function notKnown(error: CallError): Extract<UndoOutcome, { kind: 'fenced' | 'unknown' }> {
  const { sqlstate } = error.metadata;
  const reason = sqlstate === undefined ? error.reason : `${error.reason} (${sqlstate})`;
  const detail = `${reason}: ${error.message}`.slice(0, 500);
  if (error.reason === 'FENCED') {
    const { fence_epoch: epoch } = error.metadata;
    return { kind: 'fenced', detail, ...(epoch !== undefined && /^\d{1,15}$/.test(epoch) && { epoch: Number(epoch) }) };
  }
  const retryAfterMs = error.pushbackMs !== null && error.pushbackMs > 0 ? error.pushbackMs : undefined;
  return { kind: 'unknown', detail, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
