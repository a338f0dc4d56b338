/*
 * The captures of charges in Postgres.
 *
 * M1  Every change of a charge's captures locks the charge first (lockChargesOf), and writes both in one statement.
 * K5  A capture's primary key is its id: it counts once, even when its claim is long gone.
 * Locks: charges, then their captures, each in order of its key.
 */
import { type OrderId, orderColumns } from '@holdfast/participant';
import { fewRowsHint, statement, type Transaction } from '@holdfast/postgres';
import type { ChargeState } from '../charge.ts';

export interface CaptureId extends OrderId {
  captureId: string;
}

export interface StoredCapture extends CaptureId {
  /** Minor units: to be captured; once it is, what was. */
  amount: number;
  state: 'reserved' | 'captured' | 'failed' | 'released';
  reason: string | null;
  attempts: number;
  keyNumber: number;
}

const findCaptures = statement(
  'payment.find-captures',
  `select c.tenant_id as "tenantId", c.order_id as "orderId", c.capture_id as "captureId", c.amount, c.state, c.reason,
          c.attempts, c.key_number as "keyNumber"
     from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, capture_id),
          lateral (select * from captures c
                    where c.tenant_id = r.tenant_id and c.order_id = r.order_id and c.capture_id = r.capture_id offset 0) c`,
);

/** @returns finds a capture's row; read under the locks of the charges */
export async function readCaptures(
  tx: Transaction,
  captures: CaptureId[],
): Promise<(capture: CaptureId) => StoredCapture | undefined> {
  const { rows } = await tx.query<StoredCapture>({ ...findCaptures, values: captureColumns(captures) });
  const found = new Map(rows.map((row) => [rowKey(row), row]));
  return (capture) => found.get(rowKey(capture));
}

/** What a capture has become, and what its charge is then. */
export type CaptureChange = CaptureId &
  Pick<StoredCapture, 'amount' | 'state' | 'reason'> & {
    chargeState: Extract<ChargeState, 'authorized' | 'capturing' | 'captured' | 'expired'>;
  };

const writeRows = statement(
  'payment.write-captures',
  // Of a charge that is being given back nothing is changed: its undo says what it is.
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[])
       as r (tenant_id, order_id, capture_id, amount, state, reason, charge_state)
   ), written as (
     insert into captures (tenant_id, order_id, capture_id, amount, state, reason, settled_at)
     select tenant_id, order_id, capture_id, amount, state, reason,
            case when state <> 'reserved' then clock_timestamp() end from r
     on conflict (tenant_id, order_id, capture_id) do update
       set state = excluded.state, amount = excluded.amount, reason = excluded.reason, settled_at = excluded.settled_at
   ), changed as (
     update charges c
        set state = r.charge_state, settled_at = clock_timestamp(),
            captured_amount = case when r.charge_state = 'captured' then r.amount end
       from r where c.tenant_id = r.tenant_id and c.order_id = r.order_id and c.state in ('authorized', 'capturing')
        and ${fewRowsHint('r.tenant_id', 'r.order_id')}
     returning c.tenant_id, c.order_id, c.state
   )
   update authorizations a
      set state = case c.state when 'expired' then 'expired' else 'closed' end, revision = a.revision + 1,
          changed_at = clock_timestamp()
     from changed c where a.tenant_id = c.tenant_id and a.order_id = c.order_id and c.state in ('expired', 'captured')
      and ${fewRowsHint('c.tenant_id', 'c.order_id')}`,
);

/** Their charges are locked. @throws pg errors */
export async function writeCaptures(tx: Transaction, changes: CaptureChange[]): Promise<void> {
  if (changes.length === 0) return;
  await tx.query({
    ...writeRows,
    values: [
      ...captureColumns(changes),
      changes.map(({ amount }) => amount),
      changes.map(({ state }) => state),
      changes.map(({ reason }) => reason),
      changes.map(({ chargeState }) => chargeState),
    ],
  });
}

export function captureColumns(captures: CaptureId[]): [string[], string[], string[]] {
  return [...orderColumns(captures), captures.map(({ captureId }) => captureId)];
}

function rowKey({ tenantId, orderId, captureId }: CaptureId): string {
  return `${tenantId} ${orderId} ${captureId}`;
}
