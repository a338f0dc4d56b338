/*
 * Charging many orders at once: those that have no charge yet, in a statement per table.
 *
 * K1  From accounts: debits, charges and stored answers are one transaction. By card: the charge is written before
 *     anything goes out, the provider's intent is stored before it is confirmed, the outcome with the stored answer.
 * K3  Every write of an outside charge locks its claim first: an attempt that was sealed or taken over writes nothing.
 * K5  A charge's primary key is its order. Everything else in the statement counts on every charge being new; when one is
 *     not, nothing is taken, and each order is served alone (charge.ts).
 * A1  Orders of one customer are served as they come, against the locked balance, which is written once.
 * Locks: fence, claim, charge, account, each in order of its key, so that two batches can't wait for each other in a circle.
 */

import { type Claim, heldClaimsSql, heldColumns } from '@holdfast/idempotency';
import { type Begun, byOrder, makeOrFind, type OrderId, orderColumns } from '@holdfast/participant';
import {
  classifyPostgresError,
  createBatcher,
  fewRowsHint,
  type Pool,
  statement,
  type Transaction,
} from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { type LockedAccount, lockAccounts } from './account.ts';
import { openAuthorizations } from './captures/authorization-store.ts';
import type { CardOutcome } from './card/card-payment.ts';
import {
  type BegunCharge,
  beginCardCharge,
  type ChargeOutcome,
  type ChargeRequest,
  captured,
  chargeAccount,
  FIRST_ATTEMPT,
  outcomeColumns,
  refusalOfAccount,
  taken,
} from './charge.ts';

const insertCharges = statement(
  'payment.insert-charges',
  `with made as (
     insert into charges (tenant_id, order_id, customer_id, method_kind, amount, currency, state, payment_id,
                          refusal_reason, refusal_message, provider_attempts, settled_at)
     select tenant_id, order_id, customer_id, method_kind, amount, currency, state, payment_id,
            refusal_reason, refusal_message, case when state = 'created' then 1 else 0 end,
            case when state <> 'created' then clock_timestamp() end
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                   $9::text[], $10::text[])
         as r (tenant_id, order_id, customer_id, method_kind, amount, currency, state, payment_id, refusal_reason,
               refusal_message)
     on conflict (tenant_id, order_id) do nothing
     returning order_id
   ), debited as (
     insert into account_entries (tenant_id, customer_id, entry_key, kind, delta)
     select tenant_id, customer_id, entry_key, 'debit', -amount
       from unnest($11::text[], $12::text[], $13::text[], $14::bigint[]) as d (tenant_id, customer_id, entry_key, amount)
      where (select count(*) from made) = cardinality($2::text[])
   ), written as (
     update accounts a set balance = balance - w.amount, version = version + 1
       from unnest($15::text[], $16::text[], $17::bigint[]) as w (tenant_id, customer_id, amount)
      where a.tenant_id = w.tenant_id and a.customer_id = w.customer_id
        and ${fewRowsHint('w.tenant_id', 'w.customer_id')}
        and (select count(*) from made) = cardinality($2::text[])
   )
   select count(*)::int as made from made`,
);

/**
 * Charges accounts, and writes down the charges that are to be made at the card provider.
 * @throws InvalidRequest CONFLICT for an order that has had another charge, or had it undone; DuplicateEffect when one order
 *   among several has a charge: its batch must be split
 */
export async function beginCharges(tx: Transaction, calls: Begun<ChargeRequest>[]): Promise<BegunCharge[]> {
  return await makeOrFind(
    calls,
    (fresh) => makeCharges(tx, fresh),
    // Resumed, or its claim is gone: its charge is there.
    async ({ request, call, resumed }) =>
      !resumed && staysHere(request) ? await chargeAccount(tx, request, call.key) : await beginCardCharge(tx, request),
  );
}

/** @returns undefined when one of them has its charge already */
async function makeCharges(tx: Transaction, calls: Begun<ChargeRequest>[]): Promise<BegunCharge[] | undefined> {
  const paidHere = calls.map(({ request }) => request).filter((request) => staysHere(request) && request.amount > 0);
  const debits = new AccountDebits(await lockAccounts(tx, paidHere));
  const outcomes = calls.map((call) => debits.charge(call));
  const { rows } = await tx.query<{ made: number }>({
    ...insertCharges,
    values: [
      ...chargeColumns(calls.map(({ request }) => request)),
      ...outcomesColumns(outcomes),
      ...debits.debitColumns(),
      ...debits.balanceColumns(),
    ],
  });
  return rows[0]?.made === calls.length ? outcomes : undefined;
}

/** An amount of 0 is captured here, whatever the method: the provider takes nothing below its smallest unit. */
function staysHere({ methodKind, amount }: ChargeRequest): boolean {
  return methodKind === 'balance' || amount === 0;
}

/** The debits of a batch from locked accounts: first come, first served; each balance is written once at the end. */
class AccountDebits {
  readonly #accounts: Map<string, LockedAccount>;
  readonly #debits: { request: ChargeRequest; entryKey: string }[] = [];

  constructor(accounts: LockedAccount[]) {
    this.#accounts = new Map(accounts.map((account) => [`${account.tenantId} ${account.customerId}`, account]));
  }

  charge({ request, call }: Begun<ChargeRequest>): BegunCharge {
    if (!staysHere(request)) return { kind: 'perform', plan: FIRST_ATTEMPT };
    if (request.amount > 0) {
      const account = this.#accounts.get(`${request.tenantId} ${request.customerId}`);
      const refusal = refusalOfAccount(account, request);
      if (account === undefined || refusal !== undefined) return refusal as ChargeOutcome;
      account.balance -= request.amount;
      this.#debits.push({ request, entryKey: call.key });
    }
    return captured(request, `pay_${request.orderId}`);
  }

  /** Tenant, customer, key and amount of each debit. */
  debitColumns(): unknown[] {
    return [
      this.#debits.map(({ request }) => request.tenantId),
      this.#debits.map(({ request }) => request.customerId),
      this.#debits.map(({ entryKey }) => entryKey),
      this.#debits.map(({ request }) => request.amount),
    ];
  }

  /** Tenant, customer and the sum of the debits of each account. */
  balanceColumns(): unknown[] {
    const sums = new Map<string, { request: ChargeRequest; sum: number }>();
    for (const { request } of this.#debits) {
      const account = `${request.tenantId} ${request.customerId}`;
      sums.set(account, { request, sum: (sums.get(account)?.sum ?? 0) + request.amount });
    }
    const each = [...sums.values()];
    return [
      each.map(({ request }) => request.tenantId),
      each.map(({ request }) => request.customerId),
      each.map(({ sum }) => sum),
    ];
  }
}

function chargeColumns(requests: ChargeRequest[]): unknown[] {
  return [
    ...orderColumns(requests),
    requests.map(({ customerId }) => customerId),
    requests.map(({ methodKind }) => methodKind),
    requests.map(({ amount }) => amount),
    requests.map(({ currency }) => currency),
  ];
}

/** States, payments' ids, refusals' reasons and messages. */
function outcomesColumns(outcomes: BegunCharge[]): unknown[] {
  const rows = outcomes.map(outcomeColumns);
  return [0, 1, 2, 3].map((column) => rows.map((row) => row[column]));
}

// One statement, and so one round trip and one transaction. To count who is held is to lock every claim before any charge.
const storeIntents = statement(
  'payment.store-intents',
  `with ${heldClaimsSql('order_id', 'intent_id')}
   update charges c
      set intent_id = h.intent_id, confirm_by = clock_timestamp() + $7::bigint * interval '1 millisecond'
     from held h
    where (select count(*) from held) > 0
      and c.tenant_id = h.tenant_id and c.order_id = h.order_id and c.state = 'created' and c.intent_id is null
      and ${fewRowsHint('h.tenant_id', 'h.order_id')}
   returning c.tenant_id, c.order_id, c.confirm_by`,
);

export interface NewIntent extends OrderId {
  held: Claim;
  intentId: string;
}

/**
 * @returns until when the customer may confirm it; undefined when the attempt is no longer ours, or another intent is stored:
 *   this one must never be confirmed
 */
export type StoreIntent = (intent: NewIntent) => Promise<Date | undefined>;

/**
 * Stores intents that are about to be confirmed, in transactions of their own between two calls (K7).
 * @param windowMs how long the customer has to confirm, from now on
 */
export function createIntentStore(pool: Pool, windowMs: number): StoreIntent {
  const batcher = createBatcher<NewIntent, Date | undefined>({
    run: (intents) => attachIntents(pool, intents, windowMs),
    lane: ({ tenantId, orderId }) => `${tenantId} ${orderId}`,
    concernsAll: (error) => classifyPostgresError(error) === 'unavailable',
  });
  return (intent) => batcher.submit(intent);
}

async function attachIntents(pool: Pool, intents: NewIntent[], windowMs: number): Promise<(Date | undefined)[]> {
  const claims = heldColumns(intents.map(({ held }) => held));
  const { rows } = await pool.query<{ tenant_id: string; order_id: string; confirm_by: Date }>({
    ...storeIntents,
    values: [...claims, intents.map(({ orderId }) => orderId), intents.map(({ intentId }) => intentId), windowMs],
  });
  const stored = byOrder(rows);
  return intents.map((intent) => stored(intent)?.confirm_by);
}

const settleCharges = statement(
  'payment.settle-charges',
  `update charges c
      set state = r.state, payment_id = r.payment_id, refusal_reason = r.refusal_reason,
          refusal_message = r.refusal_message, settled_at = clock_timestamp()
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       as r (tenant_id, order_id, state, payment_id, refusal_reason, refusal_message)
    where c.tenant_id = r.tenant_id and c.order_id = r.order_id and c.state = 'created'
      and ${fewRowsHint('r.tenant_id', 'r.order_id')}`,
);

/**
 * Writes what came of card charges, in the transaction that stores their answers; their claims are locked.
 * @throws InvalidRequest TRY_AGAIN when a call under another key has settled or undone one of the charges meanwhile
 */
export async function endCardCharges(
  tx: Transaction,
  ended: { request: ChargeRequest; result: CardOutcome }[],
): Promise<ChargeOutcome[]> {
  const outcomes = ended.map(
    ({ request, result }): ChargeOutcome =>
      result.kind === 'completed' ? taken(request, result.result.intentId, result.result.authorizedUntil) : result,
  );
  const requests = ended.map(({ request }) => request);
  const values = [...orderColumns(requests), ...outcomesColumns(outcomes)];
  const { rowCount } = await tx.query({ ...settleCharges, values });
  if (rowCount === ended.length) {
    await openAuthorizations(tx, requests, outcomes);
    return outcomes;
  }
  throw new InvalidRequest(
    'order_id',
    'a call under another key has settled this charge meanwhile: ask again with the same key',
    'TRY_AGAIN',
  );
}
