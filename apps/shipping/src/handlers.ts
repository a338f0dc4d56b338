import { attach, runOutsideAct, runOutsideUndo, type Settlement } from '@holdfast/idempotency';
import {
  askStep,
  checkDistinct,
  checkIdentifier,
  checkInteger,
  checkText,
  type Handlers,
  InvalidRequest,
  keyedCall,
  type Participant,
  services,
  statusBytes,
  stepAnswer,
} from '@holdfast/rpc';
import { type BookResult, bookOnce, cancelOnce, MAX_CALLS_TO_BOOK } from './book-at-carrier.ts';
import type { Address, Carrier, Parcel } from './carrier.ts';
import { beginCancel, beginShipment, referenceOf, settleBooking, settleCancel } from './shipment.ts';

const CREATE = 'create-shipment';
const CANCEL = 'cancel-shipment';

const MAX_PARCELS = 100;
const MAX_QUANTITY = 10_000;
const MAX_ADDRESS_LINE = 200;
const CONTROL_CHARACTER = /\p{Cc}/u;
const POSTAL_CODE = /^[A-Za-z0-9 -]{1,16}$/;
const COUNTRY = /^[A-Z]{2}$/;

// Beyond the carrier's own time-outs, for our own work in between.
const LEASE_MARGIN_MS = 1_000;
// When a process dies in the middle, the next attempt waits until its lease has run out: so it is short. A second attempt
// beside a slow first one is safe: the carrier keeps one booking per reference, and the first can store nothing any more.
const MAX_LEASE_MS = 3_000;

const shipping = services.shipping;

/** What each method checks, under which key it runs, and what it stores. */
export function shippingHandlers(
  { pool, flights, fingerprinter }: Participant,
  carrier: Carrier,
): Handlers<typeof shipping> {
  return {
    async CreateShipment(request, call) {
      const orderId = checkIdentifier('order_id', request.orderId);
      const shipTo = checkAddress(request.shipTo);
      const parcels = checkParcels(request.parcels);
      const keyed = keyedCall(call, { name: CREATE, orderId }, request, fingerprinter);
      const wanted = { tenantId: keyed.tenantId, orderId, shipTo, parcels };
      const reference = referenceOf(keyed.tenantId, orderId);
      const outcome = await runOutsideAct(pool, flights, keyed, {
        leaseMs: Math.min(MAX_CALLS_TO_BOOK * carrier.timeoutMs + LEASE_MARGIN_MS, MAX_LEASE_MS),
        async prepare(tx) {
          const begun = await beginShipment(tx, wanted, carrier.configured);
          if (begun.kind !== 'requested') return settlementOf(begun);
          const plan = { booking: { reference, shipTo, parcels }, sentBefore: begun.sentBefore };
          return { kind: 'perform', plan };
        },
        perform: (plan) => bookOnce(carrier, plan),
        async record(tx, result, held) {
          // Sealed or taken over meanwhile: nothing is written, and the answer below will not be stored or heard.
          if (await attach(tx, held)) await settleBooking(tx, wanted, result);
          return settlementOf(result);
        },
      });
      return stepAnswer(outcome);
    },

    async CancelShipment(request, call) {
      const orderId = checkIdentifier('order_id', request.orderId);
      const keyed = keyedCall(call, { name: CANCEL, undo: true, orderId }, request, fingerprinter);
      const { tenantId } = keyed;
      const answer = (shipmentId: string) => shipping.CancelShipment.responseSerialize({ shipmentId });
      const outcome = await runOutsideUndo(pool, flights, keyed, CREATE, {
        leaseMs: Math.min(carrier.timeoutMs + LEASE_MARGIN_MS, MAX_LEASE_MS),
        async prepare(tx) {
          const begun = await beginCancel(tx, tenantId, orderId);
          if (begun.kind === 'with_carrier') return { kind: 'perform', plan: referenceOf(tenantId, orderId) };
          return { kind: 'done', answer: answer(begun.shipmentId) };
        },
        perform: (reference) => cancelOnce(carrier, reference),
        record: async (tx, shipmentId) => answer(await settleCancel(tx, tenantId, orderId, shipmentId)),
      });
      return stepAnswer(outcome);
    },

    async GetStep(request, call) {
      const { state, refusal, executed } = await askStep(pool, call, request.key);
      const answer =
        executed === undefined
          ? {}
          : executed.operation === CREATE
            ? { created: shipping.CreateShipment.responseDeserialize(executed.answer) }
            : { cancelled: shipping.CancelShipment.responseDeserialize(executed.answer) };
      return { kind: 'ok', message: { state, ...(refusal && { refusal }), ...answer } };
    },
  };
}

function settlementOf(result: BookResult): Settlement {
  if (result.kind === 'booked') {
    return { kind: 'done', answer: shipping.CreateShipment.responseSerialize({ shipmentId: result.shipmentId }) };
  }
  const message = 'nothing can be delivered to this address: place a new order with another one';
  return { kind: 'refused', answer: statusBytes('ADDRESS_REFUSED', message) };
}

function checkAddress(shipTo: Address | null): Address {
  if (shipTo === null) throw new InvalidRequest('ship_to', 'send the address to deliver to');
  if (!POSTAL_CODE.test(shipTo.postalCode)) {
    throw new InvalidRequest('ship_to.postal_code', 'send 1 to 16 letters, digits, spaces and hyphens');
  }
  if (!COUNTRY.test(shipTo.country)) {
    throw new InvalidRequest('ship_to.country', 'send an ISO 3166-1 alpha-2 code, two capitals');
  }
  return {
    name: checkAddressLine('ship_to.name', shipTo.name),
    line1: checkAddressLine('ship_to.line1', shipTo.line1),
    city: checkAddressLine('ship_to.city', shipTo.city),
    postalCode: shipTo.postalCode,
    country: shipTo.country,
  };
}

function checkAddressLine(field: string, value: string): string {
  // A label is printed from it; and Postgres can't keep a NUL, which would fail the same way at every retry.
  if (CONTROL_CHARACTER.test(value)) throw new InvalidRequest(field, 'send text without control characters');
  return checkText(field, value, MAX_ADDRESS_LINE);
}

function checkParcels(parcels: Parcel[]): Parcel[] {
  checkDistinct('parcels', parcels, 1, MAX_PARCELS, (parcel) => parcel.sku);
  return parcels.map(({ sku, quantity }, at) => ({
    sku: checkIdentifier(`parcels[${at}].sku`, sku),
    quantity: checkInteger(`parcels[${at}].quantity`, quantity, 1, MAX_QUANTITY),
  }));
}
