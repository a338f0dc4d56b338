/*
 * Deciding that an authorised charge is captured, before anybody is asked for it; and its undo.
 *
 * M1  Decided under the charge's lock: a second capture, or one of a charge that is given back, is refused here.
 * K3  The undo comes only while nothing was asked for at the provider.
 */
import type { EffectOutcome } from '@holdfast/participant';
import type { Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { lockChargesOf } from '../refunds/refund-store.ts';
import { type CaptureRefusal, captureRefusal } from './capture-book.ts';
import { type CaptureChange, type CaptureId, readCaptures, writeCaptures } from './capture-store.ts';

export interface ReserveCapture extends CaptureId {
  /** Minor units, 0 or more. */
  amount: number;
  currency: string;
}

export type ReserveOutcome = EffectOutcome<{ amount: number; currency: string }, CaptureRefusal>;

/** @throws InvalidRequest CONFLICT for a capture that was another one before */
export async function reserveCaptures(tx: Transaction, requests: ReserveCapture[]): Promise<ReserveOutcome[]> {
  const chargeOf = await lockChargesOf(tx, requests);
  const rowOf = await readCaptures(tx, requests);
  const made: CaptureChange[] = [];
  const outcomes = requests.map((request): ReserveOutcome => {
    const { amount, currency } = request;
    const reserved = { kind: 'completed' as const, result: { amount, currency } };
    const row = rowOf(request);
    if (row !== undefined) {
      // Its claim is gone, the row is not (K5).
      if (row.state === 'released' || (row.state === 'reserved' && row.amount !== amount)) conflict();
      return reserved;
    }
    const charge = chargeOf(request);
    const refusal = captureRefusal(charge, amount);
    if (refusal !== undefined || charge === undefined) return refusal as ReserveOutcome;
    if (charge.currency !== currency) conflict();
    // Of the same batch, another capture of this charge is too late.
    charge.state = 'capturing';
    made.push({ ...request, state: 'reserved', reason: null, chargeState: 'capturing' });
    return reserved;
  });
  await writeCaptures(tx, made);
  return outcomes;
}

function conflict(): never {
  throw new InvalidRequest('capture_id', 'this capture was made before, and was another one', 'CONFLICT');
}

/** Nothing of these is captured. @throws InvalidRequest CONFLICT when one of them is being made */
export async function releaseCaptures(tx: Transaction, captures: CaptureId[]): Promise<void> {
  await lockChargesOf(tx, captures);
  const rowOf = await readCaptures(tx, captures);
  const released = captures.flatMap((capture): CaptureChange[] => {
    const row = rowOf(capture);
    if (row === undefined || row.state === 'released') return [];
    if (row.state !== 'reserved' || row.attempts > 0) {
      throw new InvalidRequest('capture_id', 'this capture is being made: it can’t be undone', 'CONFLICT');
    }
    return [{ ...row, state: 'released', chargeState: 'authorized' }];
  });
  await writeCaptures(tx, released);
}
