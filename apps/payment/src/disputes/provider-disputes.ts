/* Disputes at the card provider, as the official SDK has them. */
import type { OrderId } from '@holdfast/participant';
import type Stripe from 'stripe';
import type { Provider } from '../provider.ts';

export interface ProviderDispute {
  id: string;
  intentId: string;
  /** Minor units that the bank has taken back, or is about to. */
  amount: number;
  /** ISO 4217. */
  currency: string;
  /** The provider's words, as is `status`. */
  reason: string;
  status: string;
  openedAtMs: number;
}

const PAGE = 100;

/** @returns undefined when the provider could not be asked */
export async function retrieveDispute(provider: Provider, id: string): Promise<ProviderDispute | undefined> {
  const asked = await provider.call('dispute', provider.stripe.disputes.retrieve(id));
  return asked.kind === 'completed' ? disputeOf(asked.result) : undefined;
}

/** With whose it is, as we have told the provider when the payment was made. */
export type ListedDispute = ProviderDispute & OrderId;

export interface DisputePage {
  disputes: ListedDispute[];
  /** Where the next page begins; null on the last. */
  next: string | null;
  /** When the last of the page was opened. */
  downToMs: number;
}

/** A page of all disputes, newest first. @param after the `next` of the page before; null begins. @returns undefined as above */
export async function listDisputes(provider: Provider, after: string | null): Promise<DisputePage | undefined> {
  const listed = await provider.call(
    'list-disputes',
    provider.stripe.disputes.list({
      limit: PAGE,
      expand: ['data.payment_intent'],
      ...(after !== null && { starting_after: after }),
    }),
  );
  if (listed.kind === 'failed') return undefined;
  const { data, has_more: hasMore } = listed.result;
  const disputes = data.flatMap((made): ListedDispute[] => {
    const { payment_intent: intent } = made;
    if (intent === null || typeof intent !== 'object') return [];
    const { tenant_id: tenantId, order_id: orderId } = intent.metadata;
    return tenantId === undefined || orderId === undefined ? [] : [{ ...disputeOf(made), tenantId, orderId }];
  });
  const last = data.at(-1);
  return { disputes, next: hasMore && last !== undefined ? last.id : null, downToMs: (last?.created ?? 0) * 1_000 };
}

function disputeOf({ id, payment_intent: intent, amount, currency, reason, status, created }: Stripe.Dispute) {
  const intentId = typeof intent === 'string' ? intent : (intent?.id ?? '');
  return { id, intentId, amount, currency: currency.toUpperCase(), reason, status, openedAtMs: created * 1_000 };
}
