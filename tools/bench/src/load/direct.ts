import { type Cluster, TENANT_ID } from '@holdfast/cluster';
import { type CallOptions, type CallResult, createClient, operatorTls, services } from '@holdfast/rpc';
import type { Sold } from './shop.ts';
import type { MakeKey, OrderRequest } from './workload.ts';

const TIMEOUT_MS = 30_000;

export interface Direct {
  place(order: OrderRequest): Promise<Sold>;
  close(): void;
}

/**
 * The baseline: the same three participants, called one after the other, an RPC each, by a client that writes nothing
 * down. An order's id goes where the system's ids would go in the indexes: `makeId` makes it as the key is made there.
 * What it does not give is the point of the system: when it dies, nobody knows where an order stood.
 */
export function createDirect(cluster: Cluster, makeId: MakeKey): Direct {
  const address = (name: string) => cluster.run.services.find((service) => service.name === name)?.grpc ?? '';
  const tls = (name: string) => operatorTls(cluster.run.tls, name);
  const inventory = createClient(services.inventory, address('inventory'), tls('inventory'));
  const payment = createClient(services.payment, address('payment'), tls('payment'));
  const shipping = createClient(services.shipping, address('shipping'), tls('shipping'));
  return {
    async place(order) {
      const orderId = makeId();
      const options = (step: string): CallOptions => ({
        key: `${orderId}:${step}`,
        epoch: 1,
        tenantId: TENANT_ID,
        timeoutMs: TIMEOUT_MS,
      });
      const { currency, items, customerId, payment: paidBy, shipTo } = order;
      const reserved = await inventory.ReserveInventory(
        { orderId, currency, lines: items },
        options('reserve-inventory'),
      );
      if (reserved.kind === 'error') return failed(reserved);
      const amount = reserved.message.total;
      const charged = await payment.ChargePayment(
        { orderId, customerId, amount, currency, method: paidBy.method },
        options('charge-payment'),
      );
      if (charged.kind === 'error') return failed(charged);
      const shipped = await shipping.CreateShipment({ orderId, shipTo, parcels: items }, options('create-shipment'));
      return shipped.kind === 'error' ? failed(shipped) : { kind: 'ended', status: 'completed' };
    },
    close() {
      for (const client of [inventory, payment, shipping]) client.close();
    },
  };
}

function failed(error: Extract<CallResult<unknown>, { kind: 'error' }>): Sold {
  return { kind: 'failed', why: `${error.reason}: ${error.message}` };
}
