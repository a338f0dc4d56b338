/*
 * Capturing a charge of which that is decided: at once where nothing was taken outside, at the provider else.
 *
 * K1  The attempt is counted before anything goes out; what the provider has said is stored before anybody hears of it.
 * K5  A row that is settled gives its answer again.
 * S4  Behind the pivot nothing refuses: a capture that the provider won't make is an outcome, `failed`, with its reason.
 */
import { type Claim, lockHeldClaim } from '@holdfast/idempotency';
import type { Begun, Performed } from '@holdfast/participant';
import { type Pool, statement, type Transaction, transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { lockChargesOf } from '../refunds/refund-store.ts';
import { settledCapture } from './capture-book.ts';
import {
  type CaptureChange,
  type CaptureId,
  captureColumns,
  readCaptures,
  type StoredCapture,
  writeCaptures,
} from './capture-store.ts';
import type { Captured, CardCapture } from './provider-capture.ts';

export interface CaptureAnswer {
  status: 'CAPTURE_STATUS_CAPTURED' | 'CAPTURE_STATUS_FAILED';
  /** Minor units that were taken. */
  amount: number;
  reason: string;
}

export type CapturePlan = Omit<CardCapture, 'tenantId' | 'key'>;
export type BegunCapture = { kind: 'completed'; result: CaptureAnswer } | { kind: 'perform'; plan: CapturePlan };

const startAttempts = statement(
  'payment.start-capture-attempts',
  `update captures c set attempts = c.attempts + 1
     from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, capture_id)
    where c.tenant_id = r.tenant_id and c.order_id = r.order_id and c.capture_id = r.capture_id`,
);

export async function beginCaptures(tx: Transaction, calls: Begun<CaptureId>[]): Promise<BegunCapture[]> {
  const requests = calls.map(({ request }) => request);
  const chargeOf = await lockChargesOf(tx, requests);
  const rowOf = await readCaptures(tx, requests);
  const here: CaptureChange[] = [];
  const outside: StoredCapture[] = [];
  const begun = requests.map((request): BegunCapture => {
    const [charge, row] = [chargeOf(request), rowOf(request)];
    if (charge === undefined || row === undefined) {
      throw new InvalidRequest('capture_id', 'nothing is decided of this capture', 'CONFLICT');
    }
    if (row.state !== 'reserved') return { kind: 'completed', result: answerOf(row) };
    const { intentId } = charge;
    // Nothing is taken of 0, and nothing is asked for of a charge that is being given back.
    if (intentId === null || row.amount === 0 || charge.state !== 'capturing') {
      const settled = { ...row, ...settledCapture(charge, row.amount, { kind: 'captured', amount: 0 }) };
      here.push(settled);
      return { kind: 'completed', result: answerOf(settled) };
    }
    outside.push(row);
    const { amount, keyNumber, attempts } = row;
    return { kind: 'perform', plan: { intentId, amount, keyNumber, attempt: attempts + 1 } };
  });
  await writeCaptures(tx, here);
  if (outside.length > 0) await tx.query({ ...startAttempts, values: captureColumns(outside) });
  return begun;
}

/** Writes what the provider has said for good, in the transaction that stores the answers; the claims are locked. */
export async function endCaptures(tx: Transaction, ended: Performed<CaptureId, Captured>[]): Promise<CaptureAnswer[]> {
  const requests = ended.map(({ request }) => request);
  const chargeOf = await lockChargesOf(tx, requests);
  const rowOf = await readCaptures(tx, requests);
  const settled = ended.map(({ request, result }) => {
    const [charge, row] = [chargeOf(request), rowOf(request)];
    if (charge === undefined || row === undefined) {
      throw new Error('a capture vanished between two statements: is something deleting captures?');
    }
    return { ...row, ...settledCapture(charge, row.amount, result) };
  });
  await writeCaptures(tx, settled);
  return settled.map(answerOf);
}

function answerOf({ state, amount, reason }: Pick<StoredCapture, 'state' | 'amount' | 'reason'>): CaptureAnswer {
  if (state === 'captured') return { status: 'CAPTURE_STATUS_CAPTURED', amount, reason: '' };
  return { status: 'CAPTURE_STATUS_FAILED', amount: 0, reason: reason ?? 'released' };
}

const spendKeyRow = statement(
  'payment.spend-capture-key',
  `update captures set key_number = key_number + 1
    where tenant_id = $1::text and order_id = $2::text and capture_id = $3::text and key_number = $4::int`,
);

/** The provider keeps a fault under the key: the next attempt takes another. Nothing where the attempt is not ours any more. */
export async function spendCaptureKey(
  pool: Pool,
  held: Claim,
  { tenantId, orderId, captureId, keyNumber }: CaptureId & { keyNumber: number },
): Promise<void> {
  await transaction(pool, async (tx) => {
    if (!(await lockHeldClaim(tx, held))) return;
    await tx.query({ ...spendKeyRow, values: [tenantId, orderId, captureId, keyNumber] });
  });
}
