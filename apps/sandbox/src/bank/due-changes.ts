/*
 * What happens by itself: the bank decides about payments and refunds, authorisations run out, customers dispute.
 * Each is a change like any other, guarded by the version that it was decided on: of it and a caller's, one is decided again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { statement } from '@holdfast/postgres';
import type { PaymentApi } from '../api/payment-api.ts';
import type { Due } from '../cards/payment-intent.ts';
import { testCard } from '../cards/payment-methods.ts';
import { settleRefund } from '../cards/refunds.ts';
import { expireAuthorization, settlePayment } from './bank.ts';
import { openDispute } from './disputes.ts';

const DUE_INTENTS = statement(
  'sandbox.due-intents',
  `select intent_id as "intentId", due, payment_method as "paymentMethod" from payment_intents
    where due_at <= clock_timestamp() and (due <> 'dispute' or amount_refunded < amount_received)
    order by due_at limit $1::int`,
);
const DUE_REFUNDS = statement(
  'sandbox.due-refunds',
  `select refund_id as "refundId", due from refunds where due_at <= clock_timestamp() order by due_at limit $1::int`,
);

interface DueIntent {
  intentId: string;
  due: Due;
  paymentMethod: string | null;
}

const LOOK_EVERY_MS = 100;
const BATCH = 100;

export function startDueChanges(api: PaymentApi): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await makeDueChanges(api).catch((error: Error) => {
        api.log.warn({ message: error.message }, 'what is due could not be done; trying again');
      });
      await delay(LOOK_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function makeDueChanges(api: PaymentApi): Promise<void> {
  const intents = await api.pool.query<DueIntent>({ ...DUE_INTENTS, values: [BATCH] });
  for (const intent of intents.rows) await makeDue(api, intent);
  const refunds = await api.pool.query<{ refundId: string; due: string }>({ ...DUE_REFUNDS, values: [BATCH] });
  for (const { refundId, due } of refunds.rows) await settleRefund(api, refundId, due === 'succeed');
}

function makeDue(api: PaymentApi, { intentId, due, paymentMethod }: DueIntent): Promise<unknown> {
  switch (due) {
    case 'expire':
      return expireAuthorization(api, intentId);
    case 'dispute':
      return openDispute(api, intentId, testCard(paymentMethod ?? '')?.disputes ?? 'general');
    default:
      return settlePayment(api, intentId, due === 'succeed');
  }
}
