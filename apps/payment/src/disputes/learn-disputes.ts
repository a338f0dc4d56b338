/*
 * Learning of disputes by asking: what a customer takes back through the bank is known here, whatever becomes of webhooks.
 *
 * M1  The provider's state is all that counts. A look that finds what is recorded already writes nothing.
 * K7  The provider is asked before a transaction begins.
 */
import type { OrderId } from '@holdfast/participant';
import { type Pool, transaction } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import type { Provider } from '../provider.ts';
import { notRecorded, openDisputes, writeDispute } from './dispute-store.ts';
import { listDisputes, type ProviderDispute, retrieveDispute } from './provider-disputes.ts';

export interface DisputeLook {
  pool: Pool;
  provider: Provider;
  /** Whether what happens is told in a stream. */
  publishes: boolean;
  /** Called for each dispute that is recorded or has changed. */
  onDispute: (status: string) => void;
  log: Log;
  /** How far back the provider's list is read, before it is begun anew. */
  lookBackMs?: number;
  now?: () => number;
}

/** Of those that have not ended: a dispute takes months, and the list shows the newest first. */
const OPEN_PER_LOOK = 20;
// A customer has 120 days as a rule: what was opened longer ago and has not ended is asked about one by one.
const LOOK_BACK_MS = 35 * 24 * 60 * 60_000;

/**
 * Reads the newest page of the provider's disputes and one further back, and asks about some of ours that have not ended.
 * @param after where the last look had come to; null begins anew. @returns where the next goes on. @throws pg errors
 */
export async function lookAtDisputes(look: DisputeLook, after: string | null): Promise<string | null> {
  const { pool, provider, now = Date.now, lookBackMs = LOOK_BACK_MS } = look;
  const newest = await listDisputes(provider, null);
  const older = after === null ? newest : await listDisputes(provider, after);
  const seen = [...(newest?.disputes ?? []), ...(older === newest ? [] : (older?.disputes ?? []))];
  for (const dispute of await notRecorded(pool, seen)) await learn(look, dispute, dispute);
  for (const { id, ...order } of await openDisputes(pool, OPEN_PER_LOOK)) {
    const dispute = await retrieveDispute(provider, id);
    if (dispute !== undefined) await learn(look, order, dispute);
  }
  return older !== undefined && older.downToMs > now() - lookBackMs ? older.next : null;
}

async function learn(look: DisputeLook, order: OrderId, dispute: ProviderDispute): Promise<void> {
  const { pool, publishes, onDispute, log } = look;
  const isNew = await transaction(pool, (tx) => writeDispute(tx, order, dispute, { publishes }));
  if (!isNew) return;
  // crash here: it is recorded, told and not counted.
  onDispute(dispute.status);
  log.info({ orderId: order.orderId, status: dispute.status }, 'a dispute was learned from the card provider');
}
