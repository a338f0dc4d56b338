/* The matrix: every crash point in three ways, and every call in five, each on seven paths of an order. */
import { STEP_POINTS } from '@holdfast/participant';
import { ENGINE_POINTS } from '@holdfast/saga';
import type { CrashScript, RpcFault } from './crash-script.ts';

/** When the customer cancels: not, as soon as the order is accepted, or once it is paid and the carrier has been asked. */
export type Cancel = 'never' | 'at-once' | 'once-paid';

/** How an order goes if nothing goes wrong: it has to go so whatever dies, since it has time enough. */
export interface OutcomePath {
  name: string;
  order: object;
  cancels: Cancel;
  /** `status` or `status reason`. */
  outcome: string;
}

const DEADLINE = 'failed DEADLINE_EXCEEDED';
const card = (method: string) => ({ payment: { method } });

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

/** Inventory has nobody outside to call. */
const OUTSIDE = new Set<string>(['before-provider', 'after-provider', 'before-record']);

/** No step of an order waits: the engine's own matrix comes by these (packages/saga, waiting-matrix.db.test.ts). */
const OF_WAITS = /-(wait|wake|signal)$/;

/** Every point there is, as `operation/point`, with the service that it is in. */
export const POINTS: readonly { service: string; point: string }[] = [
  ...ENGINE_POINTS.filter((point) => !OF_WAITS.test(point)).map((point) => ({
    service: 'orchestrator',
    point: `/${point}`,
  })),
  ...STEPS.flatMap(({ service, act, undo }) =>
    [act, undo].flatMap(([operation]) =>
      STEP_POINTS.filter((point) => service !== 'inventory' || !OUTSIDE.has(point)).map((point) => ({
        service,
        point: `${operation}/${point}`,
      })),
    ),
  ),
];

const FAULTS: readonly RpcFault[] = ['request-lost', 'reply-lost', 'duplicated', 'past-the-deadline', 'after-its-undo'];

/** Faults by which a call takes longer than its caller has time. */
const HOLDING_UP = new Set<RpcFault | null>(['past-the-deadline', 'after-its-undo']);

export function matrix(leaseMs: number): MatrixCase[] {
  return [...crashes(leaseMs), ...calls()].flatMap((script) =>
    PATHS.map((path) => {
      const title = `${path.name}: ${script.caseId}`;
      const hasty = path.outcome === DEADLINE || HOLDING_UP.has(script.fault);
      return { script: { ...script, caseId: title }, path, title, hasty };
    }),
  );
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
