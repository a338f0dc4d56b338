/*
 * What payment tells of charges that wait: their sagas are asked again.
 *
 * S7  A signal is stored before its event is acknowledged; the engine counts the same key once, however often it comes.
 * It decides nothing: the charge is asked about, and answers what it is. Without events, asking now and then finds the same.
 */
import { PAYMENT_EVENTS, streamKeyOf } from '@holdfast/contracts';
import type { StreamEntry } from '@holdfast/messaging';
import type { Engine } from '@holdfast/saga';

/** Where payment tells what the card provider has told it. */
export const PAYMENT_STREAM = streamKeyOf(PAYMENT_EVENTS);
/** Who deals with it: stored data. */
export const SIGNALS = 'signal-orders';

const CHANGED = 'payment.changed:';
const STEP = 'charge-payment';

/** An event that nobody can read. */
class Unreadable extends Error {
  override name = 'Unreadable';
}

/** @throws Unreadable; what the store can't do now: the event comes again then */
export async function signalOrders(engine: Pick<Engine, 'signal'>, entries: StreamEntry[]): Promise<void> {
  for (const { fields } of entries) {
    const { id, type, orderId } = fields;
    if (type !== undefined && !type.startsWith(CHANGED)) continue;
    if (!id || !type || !orderId) throw new Unreadable('an event without id, type or orderId');
    // Ended, or none of ours: there is nobody to tell.
    await engine.signal(orderId, STEP, { key: id });
  }
}
