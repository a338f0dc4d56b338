/*
 * Taking in what payment tells of refunds: those that were made at the provider, and how far all have got.
 *
 * M1  Payment tells a change until it hears that it is stored here. Stored by its number, so every process may do it, at once
 *     and again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '@holdfast/postgres';
import type { Engine } from '@holdfast/saga';
import { type Log, newTraceparent } from '@holdfast/service';
import type { Participants } from '../saga/participants.ts';
import { REFUND_PAYMENT } from './refund.ts';
import { type RefundNews, storeRefundNews } from './refund-store.ts';

const PER_LOOK = 200;
const CALL_TIMEOUT_MS = 5_000;

export interface NewsParts {
  pool: Pool;
  payment: Participants['payment'];
  /** Wakes the sagas of refunds that have ended at the provider. */
  engine: Pick<Engine, 'signal'>;
  log: Log;
}

/** Looks every `everyMs`, and again at once where more is waiting. @returns ends it */
export function takeRefundNews(parts: NewsParts, everyMs: number): () => Promise<void> {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const isMore = await takeSome(parts).catch((error: Error) => {
        parts.log.warn({ message: error.message }, 'news of refunds could not be stored; trying again');
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
async function takeSome({ pool, payment, engine }: NewsParts): Promise<boolean> {
  const options = { timeoutMs: CALL_TIMEOUT_MS, traceparent: newTraceparent(undefined) };
  const listed = await payment.ListRefundNews({ limit: PER_LOOK }, options);
  // Not there now: the next look finds what waits.
  if (listed.kind !== 'completed' || listed.message.news.length === 0) return false;
  const news = listed.message.news.map(
    (one): RefundNews => ({
      ...one,
      origin: one.origin === 'provider' ? 'provider' : 'api',
      status: STATUSES[one.state] ?? 'pending',
      reason: one.reason || null,
    }),
  );
  await storeRefundNews(pool, news);
  for (const { refundId, origin, status, revision } of news) {
    // One that waits is asked again now; of one that has ended, nobody waits.
    if (origin === 'api' && status !== 'pending') {
      await engine.signal(refundId, REFUND_PAYMENT, { key: `${status}:${revision}` });
    }
  }
  // crash here: stored and not acknowledged: they are told again, and change nothing.
  const told = news.map(({ tenantId, orderId, refundId, revision }) => ({ tenantId, orderId, refundId, revision }));
  const forgotten = await payment.ForgetRefundNews({ news: told }, options);
  // What payment could not strike off it would tell at once again.
  return forgotten.kind === 'completed' && news.length === PER_LOOK;
}

const STATUSES: Readonly<Record<string, RefundNews['status']>> = {
  REFUND_STATUS_PENDING: 'pending',
  REFUND_STATUS_SUCCEEDED: 'succeeded',
  REFUND_STATUS_FAILED: 'failed',
};
