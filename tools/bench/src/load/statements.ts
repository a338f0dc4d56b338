import { type Cluster, TENANT_ID } from '@holdfast/cluster';
import { createKeyedRunner, createSingleFlight, loadFingerprinter } from '@holdfast/idempotency';
import { inventoryService } from '@holdfast/inventory';
import type { Participant } from '@holdfast/participant';
import { paymentService } from '@holdfast/payment';
import { createPool } from '@holdfast/postgres';
import { type Answer, type ServerCall, type ServiceBinding, services } from '@holdfast/rpc';
import { createLog, createMetrics } from '@holdfast/service';
import { shippingService } from '@holdfast/shipping';
import type { Direct } from './direct.ts';
import type { MakeKey } from './workload.ts';

const POOL_SIZE = 16;
const TIMEOUT_MS = 30_000;

/**
 * The floor: the participants' own code on their own databases, all three in this process. What is left is the price of
 * the statements and of the code around them; no RPC, no HTTP, no orchestrator.
 */
export async function createStatements(cluster: Cluster, makeId: MakeKey): Promise<Direct> {
  const parts = await Promise.all(
    (['inventory', 'payment', 'shipping'] as const).map((name) => participant(cluster, name)),
  );
  const [inventoryPart, paymentPart, shippingPart] = parts as [Participant, Participant, Participant];
  const inventory = inventoryService(inventoryPart);
  const noCards = {
    STRIPE_SECRET_KEY: null,
    STRIPE_API_BASE: null,
    STRIPE_TIMEOUT_MS: 1,
    PAYMENT_WINDOW_MS: 1,
    STRIPE_WEBHOOK_SECRET: null,
  };
  const payment = paymentService(noCards)(paymentPart);
  const shipping = shippingService()(shippingPart);
  return {
    async place({ currency, items, customerId, payment: paidBy, shipTo }) {
      const orderId = makeId();
      const call = (step: string) => callOf(`${orderId}:${step}`);
      const reserve = await run(
        inventory,
        'ReserveInventory',
        { orderId, currency, lines: items },
        call('reserve-inventory'),
      );
      if (reserve === undefined) return { kind: 'failed', why: 'the reservation was refused' };
      const { total: amount } = services.inventory.ReserveInventory.responseDeserialize(reserve);
      const charged = await run(
        payment,
        'ChargePayment',
        { orderId, customerId, amount, currency, method: paidBy.method },
        call('charge-payment'),
      );
      if (charged === undefined) return { kind: 'failed', why: 'the charge was refused' };
      const shipped = await run(
        shipping,
        'CreateShipment',
        { orderId, shipTo, parcels: items },
        call('create-shipment'),
      );
      return shipped === undefined
        ? { kind: 'failed', why: 'the shipment was refused' }
        : { kind: 'ended', status: 'completed' };
    },
    close() {
      for (const { pool } of parts) void pool.end();
    },
  };
}

async function participant(cluster: Cluster, name: 'inventory' | 'payment' | 'shipping'): Promise<Participant> {
  const pool = createPool({
    databaseUrl: cluster.databaseUrl(name),
    applicationName: `bench-${name}`,
    max: POOL_SIZE,
    keyLookupsOnly: true,
  });
  const fingerprinter = await loadFingerprinter(pool);
  const keyedRunner = createKeyedRunner({ pool });
  const [log, metrics] = [createLog(name, 'error'), createMetrics(name)];
  return { pool, singleFlight: createSingleFlight(), keyedRunner, fingerprinter, log, metrics };
}

function callOf(key: string): ServerCall {
  return {
    key: () => key,
    keyIfSent: () => key,
    epoch: () => 1,
    tenantId: () => TENANT_ID,
    authorization: () => undefined,
    traceparent: () => undefined,
    header: () => undefined,
    remainingMs: () => TIMEOUT_MS,
    signal: NEVER,
  };
}

const NEVER = new AbortController().signal;

/** @returns the stored answer; undefined when it was refused */
async function run(
  { handlers }: ServiceBinding,
  method: string,
  request: object,
  call: ServerCall,
): Promise<Buffer | undefined> {
  const handler = handlers[method] as unknown as (request: object, call: ServerCall) => Promise<Answer<unknown>>;
  const answer = await handler(request, call);
  return 'bytes' in answer ? answer.bytes : undefined;
}
