/* The matrix: every crash point in three ways, and every call in five, each on six paths of an order. */
import { STEP_POINTS } from '@holdfast/idempotency';
import { ENGINE_POINTS } from '@holdfast/saga';
import type { CrashScript, RpcFault } from './crash-script.ts';

/** How an order goes if nothing goes wrong, and what it may come to when something does. */
export interface OutcomePath {
  name: string;
  order: object;
  cancels: boolean;
  /** `status` or `status reason`. */
  outcomes: readonly string[];
}

const DEADLINE = 'failed DEADLINE_EXCEEDED';
const card = (method: string) => ({ payment: { method } });

/** An order that runs out of time because something was down for too long fails, and that is right. */
export const PATHS: readonly OutcomePath[] = [
  { name: 'completes', order: card('pm_card_visa'), cancels: false, outcomes: ['completed', DEADLINE] },
  {
    name: 'out of stock',
    order: { ...card('pm_card_visa'), items: [{ sku: 'sold-out', quantity: 1 }] },
    cancels: false,
    outcomes: ['failed OUT_OF_STOCK', DEADLINE],
  },
  {
    name: 'declined',
    order: card('pm_card_chargeDeclined'),
    cancels: false,
    outcomes: ['failed CARD_DECLINED', DEADLINE],
  },
  {
    name: 'address refused',
    order: {
      ...card('pm_card_visa'),
      shipTo: { name: 'Ann', line1: 'Nowhere 1', city: 'Undeliverable', postalCode: '00000', country: 'DE' },
    },
    cancels: false,
    outcomes: ['failed ADDRESS_REFUSED', DEADLINE],
  },
  {
    name: 'cancelled',
    order: { ...card('pm_card_visa'), customerId: 'hesitant' },
    cancels: true,
    outcomes: ['cancelled CANCELLED', 'completed', DEADLINE],
  },
  { name: 'deadline', order: { ...card('pm_card_visa'), customerId: 'late' }, cancels: false, outcomes: [DEADLINE] },
];

export interface MatrixCase {
  script: CrashScript;
  path: OutcomePath;
  title: string;
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

/** Every point there is, as `operation/point`, with the service that it is in. */
export const POINTS: readonly { service: string; point: string }[] = [
  ...ENGINE_POINTS.map((point) => ({ service: 'orchestrator', point: `/${point}` })),
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

export function matrix(leaseMs: number): MatrixCase[] {
  return [...crashes(leaseMs), ...calls()].flatMap((script) =>
    PATHS.map((path) => {
      const title = `${path.name}: ${script.caseId}`;
      return { script: { ...script, caseId: title }, path, title };
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
