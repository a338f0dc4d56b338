/*
 * Authorisations that run out: who waits for them is warned before, and told when they have.
 *
 * M1  Only the provider says that one has run out: its time alone decides nothing, since clocks differ and it may be longer.
 * K7  The provider is asked before anything is written.
 */
import type { Pool } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import { ask } from '../card/charge-card.ts';
import type { Provider } from '../provider.ts';
import { dueAuthorizations, expireAuthorization, warnOfExpiring } from './authorization-store.ts';
import { captureStandingOf } from './capture-book.ts';

export interface AuthorizationLook {
  pool: Pool;
  provider: Provider;
  /** How long before its end an authorisation is told of. */
  warningMs: number;
  /** Called for each that is about to run out, or has. */
  onAuthorization: (state: 'expiring' | 'expired') => void;
  log: Log;
}

const WARNED_PER_LOOK = 500;
/** Each costs a call. */
const ASKED_PER_LOOK = 20;

/** @throws pg errors */
export async function lookAtAuthorizations(look: AuthorizationLook): Promise<null> {
  const { pool, provider, warningMs, onAuthorization, log } = look;
  for (const { orderId } of await warnOfExpiring(pool, warningMs, WARNED_PER_LOOK)) {
    onAuthorization('expiring');
    log.warn({ orderId }, 'an authorisation runs out soon: dispatch the order, or cancel it');
  }
  for (const { intentId, ...order } of await dueAuthorizations(pool, ASKED_PER_LOOK)) {
    const asked = intentId === null ? undefined : await ask(provider, intentId);
    // Not there now, or it still can be captured: the next look asks again.
    if (asked?.kind !== 'intent' || captureStandingOf(asked.intent).kind !== 'gone') continue;
    if (!(await expireAuthorization(pool, order))) continue;
    onAuthorization('expired');
    log.warn({ orderId: order.orderId }, 'an authorisation has run out: the order can only be cancelled');
  }
  return null;
}
