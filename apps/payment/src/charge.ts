/*
 * The charge of one order, as this database knows it: what an act reads and writes when the order has, or may have, a
 * charge already. Charges of orders that are new here are made many at a time, in charge-batch.ts.
 *
 * K1  From an account: debit, charge and stored answer are one transaction. By card: the charge is written before
 *     anything goes out, the provider's intent is stored before it is confirmed, the outcome with the stored answer.
 * K5  A charge's primary key is its order: a second one can't exist, even when the claim is long gone.
 * S5  A refusal is kept with the charge: it stays the order's answer for as long as the charge is there.
 * Locks: always fence, claim, charge, account, so that act and undo of an order can't wait for each other in a circle.
 */
import type { EffectOutcome, OrderId, Refused } from '@holdfast/participant';
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { type Account, lockAccount, postEntry } from './account.ts';

export interface ChargeRequest extends OrderId {
  customerId: string;
  methodKind: 'balance' | 'card';
  /** Minor units, 0 or more. */
  amount: number;
  currency: string;
  /** By card: the amount is set aside, and captured later. */
  authorizeOnly: boolean;
}

export interface Payment {
  paymentId: string;
  amount: number;
  currency: string;
  /** Until when it can be captured; null where it was. */
  authorizedUntil: Date | null;
}

/** Stored data; what each means stands in sql/. */
export type ChargeState =
  | 'created'
  | 'authorized'
  | 'capturing'
  | 'expired'
  | 'captured'
  | 'refused'
  | 'undoing'
  | 'refunded'
  | 'cancelled';

export type RefusalReason = 'INSUFFICIENT_FUNDS' | 'CURRENCY_MISMATCH' | 'CARD_DECLINED' | 'PAYMENT_NOT_CONFIRMED';
export type ChargeOutcome = EffectOutcome<Payment, RefusalReason>;
/** `perform`: by card, at the provider. */
export type BegunCharge = ChargeOutcome | { kind: 'perform'; plan: CardPlan };

const insertSettled = statement(
  'payment.insert-settled-charge',
  `insert into charges (tenant_id, order_id, customer_id, method_kind, amount, currency,
                        state, payment_id, refusal_reason, refusal_message, settled_at)
   values ($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::text,
           $7::text, $8::text, $9::text, $10::text, clock_timestamp())`,
);

/**
 * Takes the amount from the customer's account, or refuses; nothing is taken for an amount of 0.
 * @param stepKey the debit's entry is known by it
 * @throws InvalidRequest CONFLICT when the order has had another charge, or had it undone
 */
export async function chargeAccount(tx: Transaction, request: ChargeRequest, stepKey: string): Promise<ChargeOutcome> {
  const earlier = await earlierOutcome(tx, request);
  if (earlier !== undefined) return earlier;
  const { tenantId, customerId, amount } = request;
  const refusal = amount === 0 ? undefined : refusalOfAccount(await lockAccount(tx, tenantId, customerId), request);
  if (refusal === undefined && amount > 0) {
    await postEntry(tx, { tenantId, customerId, entryKey: stepKey, kind: 'debit', delta: -amount });
  }
  const outcome = refusal ?? captured(request, `pay_${request.orderId}`);
  await tx.query({ ...insertSettled, values: [...chargeColumns(request), ...outcomeColumns(outcome)] });
  return outcome;
}

/** @param account locked; undefined when the customer has none */
export function refusalOfAccount(
  account: Pick<Account, 'balance' | 'currency'> | undefined,
  request: ChargeRequest,
): Refused<RefusalReason> | undefined {
  if (account === undefined) {
    return { kind: 'refused', reason: 'INSUFFICIENT_FUNDS', message: 'this customer has no account to pay from' };
  }
  if (account.currency !== request.currency) {
    const message = `the account is in ${account.currency}, the order is in ${request.currency}`;
    return { kind: 'refused', reason: 'CURRENCY_MISMATCH', message };
  }
  if (account.balance < request.amount) {
    // The balance itself stays out of it: whoever reads an order need not be who may read the account.
    const message = `the account holds less than ${request.amount}`;
    return { kind: 'refused', reason: 'INSUFFICIENT_FUNDS', message };
  }
  return undefined;
}

/** What an attempt at the provider needs to know from here. */
export interface CardPlan {
  /** Null when no intent is stored yet; else it must be asked about before anything else. */
  intentId: string | null;
  /** Counts up with every attempt at the provider for this order. */
  attempt: number;
  /** Until when the customer may confirm it; null before its intent is stored. */
  confirmBy: Date | null;
  /** From now on the database's clock, below 0 when it has passed; null before its intent is stored. */
  leftMs: number | null;
}

/** Of a charge that is new here. */
export const FIRST_ATTEMPT: CardPlan = { intentId: null, attempt: 1, confirmBy: null, leftMs: null };

const startAttempt = statement(
  'payment.start-card-attempt',
  `insert into charges as c (tenant_id, order_id, customer_id, method_kind, amount, currency, state, provider_attempts)
   values ($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::text, 'created', 1)
   on conflict (tenant_id, order_id) do update set provider_attempts = c.provider_attempts + 1
   returning intent_id as "intentId", provider_attempts as attempt, confirm_by as "confirmBy",
             (extract(epoch from confirm_by - clock_timestamp()) * 1000)::float8 as "leftMs"`,
);

/**
 * Writes down that the card is about to be charged, or finds that it has been. The order's fence is held, so nobody
 * else can be starting the same charge.
 * @throws InvalidRequest CONFLICT when the order has had another charge, or had it undone
 */
export async function beginCardCharge(tx: Transaction, request: ChargeRequest): Promise<BegunCharge> {
  const earlier = await earlierOutcome(tx, request);
  if (earlier !== undefined) return earlier;
  const { rows } = await tx.query<CardPlan>({ ...startAttempt, values: chargeColumns(request) });
  if (rows[0] === undefined) throw new Error('an upsert returned no row');
  return { kind: 'perform', plan: rows[0] };
}

interface ChargeRow {
  customer_id: string;
  method_kind: 'balance' | 'card';
  amount: number;
  currency: string;
  state: ChargeState;
  payment_id: string | null;
  authorized_until: Date | null;
  refusal_reason: RefusalReason | null;
  refusal_message: string | null;
}

const lockCharge = statement(
  'payment.lock-charge',
  `select customer_id, method_kind, amount, currency, state, payment_id, refusal_reason, refusal_message,
          (select expires_at from authorizations a where a.tenant_id = $1::text and a.order_id = $2::text) as authorized_until
     from charges where tenant_id = $1::text and order_id = $2::text for update`,
);

/** What came of this order's charge before, when its claim is gone but the effect is not (K5). */
async function earlierOutcome(tx: Transaction, request: ChargeRequest): Promise<ChargeOutcome | undefined> {
  const { rows } = await tx.query<ChargeRow>({ ...lockCharge, values: [request.tenantId, request.orderId] });
  const row = rows[0];
  if (row === undefined) return undefined;
  const isSame =
    row.customer_id === request.customerId &&
    row.method_kind === request.methodKind &&
    row.amount === request.amount &&
    row.currency === request.currency;
  if (isSame && row.state === 'created') return undefined;
  if (
    isSame &&
    TAKEN.has(row.state) &&
    row.payment_id !== null &&
    (row.authorized_until === null || request.authorizeOnly)
  )
    return taken(request, row.payment_id, row.authorized_until);
  if (isSame && row.state === 'refused' && row.refusal_reason !== null) {
    return { kind: 'refused', reason: row.refusal_reason, message: row.refusal_message ?? '' };
  }
  throw new InvalidRequest('order_id', 'this order has had its charge: an order is charged once', 'CONFLICT');
}

/** Whatever has become of the authorisation since. */
const TAKEN: ReadonlySet<ChargeState> = new Set(['captured', 'authorized', 'capturing', 'expired']);

export function captured(request: ChargeRequest, paymentId: string): ChargeOutcome {
  return taken(request, paymentId, null);
}

/** @param authorizedUntil null: it is captured */
export function taken(
  { amount, currency }: ChargeRequest,
  paymentId: string,
  authorizedUntil: Date | null,
): ChargeOutcome {
  return { kind: 'completed', result: { paymentId, amount, currency, authorizedUntil } };
}

function chargeColumns(request: ChargeRequest): unknown[] {
  const { tenantId, orderId, customerId, methodKind, amount, currency } = request;
  return [tenantId, orderId, customerId, methodKind, amount, currency];
}

/** State, payment's id, refusal's reason and message. */
export function outcomeColumns(outcome: BegunCharge): [string, ...(string | null)[]] {
  switch (outcome.kind) {
    case 'perform':
      return ['created', null, null, null];
    case 'completed':
      return [
        outcome.result.authorizedUntil === null ? 'captured' : 'authorized',
        outcome.result.paymentId,
        null,
        null,
      ];
    case 'refused':
      return ['refused', null, outcome.reason, outcome.message];
  }
}
