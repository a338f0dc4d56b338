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
  checkShopId,
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
import { dispatch, withhold } from './dispatch.ts';
import { beginCancels, beginShipments, type ShipmentRequest, settleBookings, settleCancel } from './shipment.ts';

/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
const CREATE = 'create-shipment';
const CANCEL = 'cancel-shipment';

const MAX_PARCELS = 100;
const MAX_QUANTITY = 10_000;
const MAX_ADDRESS_LINE = 200;
const COUNTRY = /^[A-Z]{2}$/;
const REQUIRED = ['name', 'line1', 'city'] as const;
/** With their names in the message. */
const OPTIONAL = [
  ['line2', 'line2'],
  ['region', 'region'],
  ['postalCode', 'postal_code'],
  ['phone', 'phone'],
  ['company', 'company'],
] as const;

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
        const dispatched = await transaction(pool, (tx) =>
          dispatch(tx, { tenantId, orderId }, { ...events, returning: request.returning, key: call.keyIfSent() }),
        );
        const { shipmentId, dispatchedAt } = dispatched;
        return { kind: 'completed', message: { shipmentId, dispatchedAt: dispatchedAt.toISOString() } };
      },

      async WithholdShipment(request, call) {
        const orderId = checkIdentifier('order_id', request.orderId);
        const tenantId = call.tenantId();
        const dispatched = await transaction(pool, (tx) => withhold(tx, { tenantId, orderId }));
        return { kind: 'completed', message: { dispatched } };
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

/** Whether a country has such an address is checked where the order is accepted. */
function checkAddress(shipTo: Address | null): Address {
  if (shipTo === null) throw new InvalidRequest('ship_to', 'send the address to deliver to');
  if (!COUNTRY.test(shipTo.country)) {
    throw new InvalidRequest('ship_to.country', 'send an ISO 3166-1 alpha-2 code, two capitals');
  }
  const address: Address = { name: '', line1: '', city: '', country: shipTo.country };
  for (const member of REQUIRED) address[member] = checkText(`ship_to.${member}`, shipTo[member], MAX_ADDRESS_LINE);
  for (const [member, field] of OPTIONAL) {
    const value = shipTo[member];
    if (value) address[member] = checkText(`ship_to.${field}`, value, MAX_ADDRESS_LINE);
  }
  return address;
}

function checkParcels(parcels: Parcel[]): Parcel[] {
  checkDistinct('parcels', parcels, 1, MAX_PARCELS, (parcel) => parcel.sku);
  return parcels.map(({ sku, quantity }, at) => ({
    sku: checkShopId(`parcels[${at}].sku`, sku),
    quantity: checkInteger(`parcels[${at}].quantity`, quantity, 1, MAX_QUANTITY),
  }));
}
