/*
 * The matrix: every crash point in three ways, and every call in six, each on ten paths of an order, two of a refund and four of a
 * capture.
 */
import { STEP_POINTS } from '@holdfast/participant';
import { ENGINE_POINTS } from '@holdfast/saga';
import type { CrashScript, RpcFault } from './crash-script.ts';

/** When the customer cancels: not, as soon as the order is accepted, once it is paid and the carrier has been asked, or once it waits. */
export type Cancel = 'never' | 'at-once' | 'once-paid' | 'once-waiting';

/** How an order goes if nothing goes wrong: it has to go so whatever dies, since it has time enough. */
export interface OutcomePath {
  name: string;
  order: object;
  cancels: Cancel;
  /** `status` or `status reason`; of a refund, that of the refund. */
  outcome: string;
  /** What the customer answers to the bank, once the order waits for that. */
  bank?: 'succeed' | 'fail';
  /** What is given back once the order is completed. Nothing goes wrong before. */
  refund?: object;
  /** What is decided of an authorised order once it is completed, likewise; its outcome is that of `capture`. */
  settles?: 'dispatch' | 'cancel';
  /** Its authorisation has run out by then, and payment has heard of that or not. */
  expired?: 'heard' | 'unheard';
}

const DEADLINE = 'failed DEADLINE_EXCEEDED';
const card = (method: string) => ({ payment: { method } });
/** Its payment is only authorised. */
const AUTHORIZED = { payment: { method: 'pm_card_visa', capture: 'on_dispatch' } };
/** Its bank wants an answer of the customer. */
const ASKED = card('pm_card_authenticationRequired');

const PATHS: readonly OutcomePath[] = [
  { name: 'completes', order: card('pm_card_visa'), cancels: 'never', outcome: 'completed' },
  {
    name: 'out of stock',
    order: { ...card('pm_card_visa'), items: [{ sku: 'sold-out', quantity: 1 }] },
    cancels: 'never',
    outcome: 'failed OUT_OF_STOCK',
  },
  { name: 'declined', order: card('pm_card_chargeDeclined'), cancels: 'never', outcome: 'failed CARD_DECLINED' },
  {
    name: 'address refused',
    order: {
      ...card('pm_card_visa'),
      shipTo: { name: 'Ann', line1: 'Nowhere 1', city: 'Undeliverable', postalCode: '00000', country: 'DE' },
    },
    cancels: 'never',
    outcome: 'failed ADDRESS_REFUSED',
  },
  {
    name: 'cancelled',
    order: { ...card('pm_card_visa'), customerId: 'hesitant' },
    cancels: 'at-once',
    outcome: 'cancelled CANCELLED',
  },
  {
    // The carrier has booked, and the orchestrator never hears of it.
    name: 'cancelled when shipped',
    order: {
      ...card('pm_card_visa'),
      shipTo: { name: 'Ann', line1: 'Far Road 1', city: 'Silence', postalCode: '53111', country: 'DE' },
    },
    cancels: 'once-paid',
    outcome: 'cancelled CANCELLED',
  },
  { name: 'deadline', order: { ...card('pm_card_visa'), customerId: 'late' }, cancels: 'never', outcome: DEADLINE },
  { name: 'confirmed', order: ASKED, cancels: 'never', outcome: 'completed', bank: 'succeed' },
  { name: 'not confirmed', order: ASKED, cancels: 'never', outcome: 'failed CARD_DECLINED', bank: 'fail' },
  { name: 'cancelled while it waits', order: ASKED, cancels: 'once-waiting', outcome: 'cancelled CANCELLED' },
  {
    name: 'returned',
    order: card('pm_card_visa'),
    cancels: 'never',
    outcome: 'succeeded',
    refund: { lines: [{ sku: 'apple', quantity: 1, restock: true }] },
  },
  {
    name: 'returned for too much',
    order: card('pm_card_visa'),
    cancels: 'never',
    outcome: 'failed REFUND_EXCEEDS_CAPTURED',
    refund: { lines: [{ sku: 'apple', quantity: 1, restock: true }], amount: 1_000_000 },
  },
  { name: 'captured', order: AUTHORIZED, cancels: 'never', outcome: 'captured', settles: 'dispatch' },
  {
    name: 'run out',
    order: AUTHORIZED,
    cancels: 'never',
    outcome: 'expired',
    settles: 'dispatch',
    expired: 'heard',
  },
  {
    name: 'run out unheard',
    order: AUTHORIZED,
    cancels: 'never',
    outcome: 'expired',
    settles: 'dispatch',
    expired: 'unheard',
  },
  { name: 'released', order: AUTHORIZED, cancels: 'never', outcome: 'released', settles: 'cancel' },
];

export interface MatrixCase {
  script: CrashScript;
  path: OutcomePath;
  title: string;
  /** Whether the order has so little time that it runs out when a call is held up. */
  hasty: boolean;
}

/**
 * Whether an order may have ended so.
 * @param cancel how the customer's cancel was answered: 409 when it came too late, as it may when an answer was lost
 * @param outOfTime whether the order's time has run out since it was placed
 */
export function mayEnd({ path }: MatrixCase, outcome: string, cancel: number | null, outOfTime: boolean): boolean {
  if (outcome === DEADLINE) return outOfTime;
  return outcome === path.outcome ? cancel !== 409 : outcome === 'completed' && cancel === 409;
}

interface Way {
  name: string;
  times: number;
  leasesDown: number;
}
const WAYS: readonly Way[] = [
  { name: 'once', times: 1, leasesDown: 0 },
  { name: 'twice', times: 2, leasesDown: 0 },
  { name: 'down for two leases', times: 1, leasesDown: 2 },
];

const STEPS = [
  {
    service: 'inventory',
    act: ['reserve-inventory', 'ReserveInventory'],
    undo: ['release-inventory', 'ReleaseInventory'],
  },
  { service: 'payment', act: ['charge-payment', 'ChargePayment'], undo: ['refund-payment', 'RefundPayment'] },
  { service: 'shipping', act: ['create-shipment', 'CreateShipment'], undo: ['cancel-shipment', 'CancelShipment'] },
] as const;

/** Steps of a refund, likewise. Those without an undo go on until they are done. */
const REFUND_STEPS = [
  {
    service: 'inventory',
    calls: { 'reserve-restock': 'ReserveRestock', 'release-restock': 'ReleaseRestock', restock: 'Restock' },
  },
  {
    service: 'payment',
    calls: { 'reserve-refund': 'ReserveRefund', 'release-refund': 'ReleaseRefund', 'refund-charge': 'RefundCharge' },
  },
] as const;

/** Steps of a capture, likewise. A release makes the undos of the order's own steps. */
const CAPTURE_STEPS = [
  {
    service: 'payment',
    calls: {
      'reserve-capture': 'ReserveCapture',
      'release-capture': 'ReleaseCapture',
      'capture-payment': 'CapturePayment',
    },
  },
] as const;

const OUTSIDE = new Set<string>(['before-provider', 'after-provider', 'before-record']);
/** All other operations change their own database alone. */
const CALLS_OUTSIDE = new Set([
  'charge-payment',
  'refund-payment',
  'create-shipment',
  'cancel-shipment',
  'refund-charge',
  'capture-payment',
]);

/** Nobody tells these orders of anything, so that they ask: the engine's own matrix comes by signals (waiting-matrix.db.test.ts). */
const OF_SIGNALS = /-signal$/;

/** Every point there is, as `operation/point`, with the service that it is in. */
export const POINTS: readonly { service: string; point: string }[] = [
  ...ENGINE_POINTS.filter((point) => !OF_SIGNALS.test(point)).map((point) => ({
    service: 'orchestrator',
    point: `/${point}`,
  })),
  ...STEPS.flatMap(({ service, act, undo }) => [act, undo].flatMap(([operation]) => pointsOf(service, operation))),
  ...[...REFUND_STEPS, ...CAPTURE_STEPS].flatMap(({ service, calls }) =>
    Object.keys(calls).flatMap((operation) => pointsOf(service, operation)),
  ),
];

function pointsOf(service: string, operation: string): { service: string; point: string }[] {
  const points = STEP_POINTS.filter((point) => CALLS_OUTSIDE.has(operation) || !OUTSIDE.has(point));
  return points.map((point) => ({ service, point: `${operation}/${point}` }));
}

const FAULTS: readonly RpcFault[] = [
  'request-lost',
  'reply-lost',
  'duplicated',
  'past-the-deadline',
  'after-its-undo',
  'after-a-forged-epoch',
];

/** Faults by which a call takes longer than its caller has time. */
const HOLDING_UP = new Set<RpcFault | null>(['past-the-deadline', 'after-its-undo']);

export function matrix(leaseMs: number): MatrixCase[] {
  return [...crashes(leaseMs), ...calls(), ...laterCalls()].flatMap((script) =>
    PATHS.filter((path) => fits(script, path)).map((path) => {
      const title = `${path.name}: ${script.caseId}`;
      const hasty = path.outcome === DEADLINE || HOLDING_UP.has(script.fault);
      return { script: { ...script, caseId: title }, path, title, hasty };
    }),
  );
}

const placesOf = (steps: readonly { calls: object }[]) =>
  new Set<string>(steps.flatMap(({ calls }) => Object.entries(calls).flat()));
const REFUND_PLACES = placesOf(REFUND_STEPS);
const CAPTURE_PLACES = placesOf(CAPTURE_STEPS);
const UNDO_PLACES = new Set<string>(STEPS.flatMap(({ undo }) => undo));

/** None of order, refund, capture and release comes by the steps of another; all by the engine, and a release by an order's undos. */
function fits({ point, rpc, fault }: CrashScript, { refund, settles }: OutcomePath): boolean {
  const place = rpc ?? point?.split('/')[0] ?? '';
  // K4: a fence is the same whoever's it is; those of orders and refunds are parked and freed on the other paths.
  if (settles !== undefined && fault === 'after-a-forged-epoch') return false;
  if (place === '') return true;
  if (settles === 'cancel') return UNDO_PLACES.has(place);
  if (settles === 'dispatch') return CAPTURE_PLACES.has(place);
  return !CAPTURE_PLACES.has(place) && REFUND_PLACES.has(place) === (refund !== undefined);
}

function crashes(leaseMs: number): CrashScript[] {
  return POINTS.flatMap(({ service, point }) =>
    WAYS.map(({ name, times, leasesDown }) => ({
      ...{ caseId: `${service} dies ${name} at ${point}`, service, point, times, downMs: leasesDown * leaseMs },
      before: point.endsWith('-adoption') ? '/after-act' : null,
      rpc: null,
      fault: null,
    })),
  );
}

function calls(): CrashScript[] {
  return STEPS.flatMap(({ service, act, undo }) =>
    [act, undo].flatMap(([, rpc]) =>
      FAULTS.filter((fault) => fault !== 'after-its-undo' || rpc === act[1]).map((fault) => ({
        ...{ caseId: `${rpc} ${fault}`, service, point: null, times: 0, downMs: 0, before: null },
        ...{ rpc, fault },
      })),
    ),
  );
}

/** Of a refund's and a capture's calls. Both have an hour, so none of them is overtaken by its undo. */
function laterCalls(): CrashScript[] {
  return [...REFUND_STEPS, ...CAPTURE_STEPS].flatMap(({ service, calls }) =>
    Object.values(calls).flatMap((rpc) =>
      FAULTS.filter((fault) => fault !== 'after-its-undo').map((fault) => ({
        ...{ caseId: `${rpc} ${fault}`, service, point: null, times: 0, downMs: 0, before: null },
        ...{ rpc, fault },
      })),
    ),
  );
}
