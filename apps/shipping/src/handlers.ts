import type { Settlement } from '@holdfast/idempotency';
import {
  getStep,
  type OrderId,
  type Participant,
  type StepSpec,
  settlementOf,
  stepMethod,
} from '@holdfast/participant';
import { transaction } from '@holdfast/postgres';
import {
  checkDistinct,
  checkIdentifier,
  checkInteger,
  checkText,
  InvalidRequest,
  type ServiceBinding,
  service,
  services,
} from '@holdfast/rpc';
import { type BookingPlan, bookOnce, MAX_CALLS_TO_BOOK } from './book-at-carrier.ts';
import {
  type Address,
  type BookResult,
  type Carrier,
  type CarrierSettings,
  createCarrier,
  noCarrier,
  type Parcel,
} from './carrier.ts';
import { dispatch } from './dispatch.ts';
import { beginCancels, beginShipments, type ShipmentRequest, settleBookings, settleCancel } from './shipment.ts';

/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
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

/**
 * `holdfast.shipping.v1.ShippingService`: what each method checks, under which key it runs, and what it stores.
 * @param settings who carries the parcels; without a carrier, shipments are our own
 * @param events whether a dispatch is published
 */
export const shippingService =
  (settings?: CarrierSettings, events = { publishes: false }) =>
  (participant: Participant): ServiceBinding => {
    const { pool } = participant;
    const carrier = settings === undefined ? noCarrier : createCarrier(settings, participant);
    return service(shipping, {
      CreateShipment: stepMethod(participant, createStep(carrier), ({ shipTo, parcels }) => ({
        shipTo: checkAddress(shipTo),
        parcels: checkParcels(parcels),
      })),

      CancelShipment: stepMethod(participant, cancelStep(carrier), () => ({})),

      async DispatchShipment(request, call) {
        const orderId = checkIdentifier('order_id', request.orderId);
        const tenantId = call.tenantId();
        const dispatched = await transaction(pool, (tx) => dispatch(tx, { tenantId, orderId }, events));
        const { shipmentId, dispatchedAt } = dispatched;
        return { kind: 'completed', message: { shipmentId, dispatchedAt: dispatchedAt.toISOString() } };
      },

      GetStep: getStep(pool, {
        [CREATE]: (answer) => ({ created: shipping.CreateShipment.responseDeserialize(answer) }),
        [CANCEL]: (answer) => ({ cancelled: shipping.CancelShipment.responseDeserialize(answer) }),
      }),
    });
  };

function createStep(carrier: Carrier): StepSpec<ShipmentRequest, BookingPlan, BookResult> {
  const serialize = shipping.CreateShipment.responseSerialize;
  return {
    operation: CREATE,
    keepDays: KEEP_DAYS,
    async prepare(tx, calls) {
      const begun = await beginShipments(tx, calls, carrier.configured);
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : settlementOf(outcome, serialize)));
    },
    outside: {
      leaseMs: Math.min(MAX_CALLS_TO_BOOK * carrier.timeoutMs + LEASE_MARGIN_MS, MAX_LEASE_MS),
      perform: (plan) => bookOnce(carrier, plan),
      async record(tx, booked) {
        await settleBookings(tx, booked);
        return booked.map(({ result }) => settlementOf(result, serialize));
      },
    },
  };
}

/** `result`: the shipment that was cancelled, null when nothing had been booked. */
function cancelStep(carrier: Carrier): StepSpec<OrderId, string, string | null> {
  const done = (shipmentId: string) => ({
    kind: 'completed' as const,
    answer: shipping.CancelShipment.responseSerialize({ shipmentId }),
  });
  return {
    operation: CANCEL,
    keepDays: KEEP_DAYS,
    undoes: CREATE,
    async prepare(tx, calls) {
      const begun = await beginCancels(
        tx,
        calls.map(({ request }) => request),
      );
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : done(outcome.result)));
    },
    outside: {
      leaseMs: Math.min(carrier.timeoutMs + LEASE_MARGIN_MS, MAX_LEASE_MS),
      perform: (reference) => carrier.cancel(reference),
      async record(tx, cancelled) {
        const settlements: Settlement[] = [];
        for (const { request, result } of cancelled) settlements.push(done(await settleCancel(tx, request, result)));
        return settlements;
      },
    },
  };
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
