/* What an orchestrator that was replaced might still send: the act of each step, under the right key, with the epoch of
   its time. A participant that has heard of the new owner refuses it; one that has not gives the stored answer again.
   Undos it can't send: before the first it would have to write that it turns back, and its checkpoints change nothing. */

import type { Cluster } from '@holdfast/cluster';
import { createClient, operatorTls, services } from '@holdfast/rpc';
import { INPUT, type Order, send } from './load.ts';

export interface LateCalls {
  /** FENCED: nothing was changed. */
  refused: number;
  /** The stored answer: nothing ran. */
  replayed: number;
  /** Neither: must not be. */
  other: string[];
}

const OLD_EPOCH = 1;
const TIMEOUT_MS = 10_000;

export async function sendLateCalls(cluster: Cluster, ids: string[], replica: number): Promise<LateCalls> {
  const address = (name: string) => cluster.run.services.find((service) => service.name === name)?.grpc ?? '';
  const tls = (name: string) => operatorTls(cluster.run.tls, name);
  const inventory = createClient(services.inventory, address('inventory'), tls('inventory'));
  const payment = createClient(services.payment, address('payment'), tls('payment'));
  const shipping = createClient(services.shipping, address('shipping'), tls('shipping'));
  const late: LateCalls = { refused: 0, replayed: 0, other: [] };
  try {
    for (const orderId of ids) {
      const order = (await send(cluster, replica, 'GET', `/v1/orders/${orderId}`))?.body as Order | undefined;
      const options = (step: string) => ({
        key: `${orderId}:${step}`,
        epoch: OLD_EPOCH,
        tenantId: cluster.tenantId,
        timeoutMs: TIMEOUT_MS,
      });
      const { customerId, currency, items, payment: paidBy, shipTo } = INPUT;
      const amount = order?.total as number;
      const reserve = { orderId, currency, lines: items };
      const charge = { orderId, customerId, amount, currency, method: paidBy.method };
      const results = await Promise.all([
        inventory.ReserveInventory(reserve, options('reserve-inventory')),
        payment.ChargePayment(charge, options('charge-payment')),
        shipping.CreateShipment({ orderId, shipTo, parcels: items }, options('create-shipment')),
      ]);
      for (const result of results) {
        if (result.kind === 'error' && result.reason === 'FENCED') late.refused += 1;
        else if (result.replayed) late.replayed += 1;
        else late.other.push(result.kind === 'completed' ? 'ran' : `${result.reason}: ${result.message}`);
      }
    }
  } finally {
    for (const client of [inventory, payment, shipping]) client.close();
  }
  return late;
}
