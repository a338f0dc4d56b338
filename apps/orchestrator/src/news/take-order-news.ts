/*
 * Taking in what payment tells of orders: disputes, and authorisations that run out.
 *
 * E2  Payment tells a change until it hears that it is stored here. Stored by its number, so every process may do it, at once
 *     and again: a change is counted and published by the one that was first.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '@holdfast/postgres';
import { type Log, newTraceparent } from '@holdfast/service';
import type { Participants } from '../saga/participants.ts';
import { type AuthorizationNews, type DisputeNews, storeAuthorizationNews, storeDisputeNews } from './news-store.ts';

const PER_LOOK = 200;
const CALL_TIMEOUT_MS = 5_000;

export interface OrderNewsParts {
  pool: Pool;
  payment: Participants['payment'];
  /** Whether what happens to orders is told in a stream. */
  publishesEvents: boolean;
  /** Called for each change that is new here. */
  onDispute: (status: string) => void;
  onAuthorization: (state: AuthorizationNews['state']) => void;
  log: Log;
}

/** Looks every `everyMs`, and again at once where more is waiting. @returns ends it */
export function takeOrderNews(parts: OrderNewsParts, everyMs: number): () => Promise<void> {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const isMore = await takeSome(parts).catch((error: Error) => {
        parts.log.warn({ message: error.message }, 'news of orders could not be stored; trying again');
        return false;
      });
      if (!isMore) await delay(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await running;
  };
}

/** @returns whether more may be waiting. @throws pg errors */
async function takeSome(parts: Omit<OrderNewsParts, 'log'>): Promise<boolean> {
  const { pool, payment, publishesEvents, onDispute, onAuthorization } = parts;
  const options = { timeoutMs: CALL_TIMEOUT_MS, traceparent: newTraceparent(undefined) };
  const listed = await payment.ListOrderNews({ limit: PER_LOOK }, options);
  // Not there now: the next look finds what waits.
  if (listed.kind !== 'completed' || listed.message.news.length === 0) return false;
  const { news } = listed.message;
  const disputes = news.flatMap(({ dispute, tenantId, orderId, revision }): DisputeNews[] =>
    dispute ? [{ tenantId, orderId, revision, ...dispute }] : [],
  );
  const authorizations = news.flatMap(({ authorization, tenantId, orderId, revision }): AuthorizationNews[] =>
    authorization
      ? [{ tenantId, orderId, revision, state: authorization.state === 'expired' ? 'expired' : 'expiring' }]
      : [],
  );
  for (const status of await storeDisputeNews(pool, disputes, { publishesEvents })) onDispute(status);
  for (const state of await storeAuthorizationNews(pool, authorizations, { publishesEvents })) onAuthorization(state);
  // crash here: stored and not acknowledged: they are told again, and change nothing.
  const told = news.map(({ tenantId, orderId, revision, dispute }) => {
    return { tenantId, orderId, revision, disputeId: dispute?.disputeId ?? '' };
  });
  const forgotten = await payment.ForgetOrderNews({ news: told }, options);
  const isFull = disputes.length === PER_LOOK || authorizations.length === PER_LOOK;
  // What payment could not strike off it would tell at once again.
  return forgotten.kind === 'completed' && isFull;
}
