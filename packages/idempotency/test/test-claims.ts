import type { Query } from '@holdfast/postgres';
import {
  type Claim,
  type ClaimOutcome,
  type ClaimRequest,
  claimKeys,
  insertClaims,
  settleClaims,
} from '../src/postgres/claims/claims.ts';
import { attachClaims } from '../src/postgres/claims/held-claims.ts';
import { type SealedFrom, sealClaims } from '../src/postgres/claims/seals.ts';

// For tests only: single calls, each a batch of one.

export async function claimOne(tx: Query, request: ClaimRequest): Promise<ClaimOutcome> {
  const [outcome] = await claimKeys(tx, [request]);
  if (outcome === undefined) throw new Error('a call was left without an outcome');
  return outcome;
}

/** Claims the key for an effect outside: durable, in progress, with the request's lease. */
export async function holdOne(tx: Query, request: ClaimRequest): Promise<ClaimOutcome> {
  const outcome = await claimOne(tx, request);
  if (outcome.kind === 'claimed') {
    await insertClaims(tx, [{ claim: outcome.claim, request, state: 'in_progress', answer: null }]);
  }
  return outcome;
}

/** Claims the key and stores its answer, where it stands for nothing yet. */
export async function claimAndSettle(
  tx: Query,
  request: ClaimRequest,
  answer: Buffer,
  state: 'completed' | 'refused' = 'completed',
): Promise<ClaimOutcome> {
  const outcome = await claimOne(tx, request);
  if (outcome.kind === 'claimed') await insertClaims(tx, [{ claim: outcome.claim, request, state, answer }]);
  return outcome;
}

/** Stores the answer of a claim that is held. @returns false when it is no longer ours */
export async function settleHeld(tx: Query, held: Claim, answer: Buffer): Promise<boolean> {
  const [claim] = await attachClaims(tx, [held]);
  if (claim === undefined) return false;
  await settleClaims(tx, [{ claim, state: 'completed', answer }]);
  return true;
}

export async function sealOne(tx: Query, tenantId: string, key: string, operation: string): Promise<SealedFrom> {
  const [from] = await sealClaims(tx, [{ tenantId, key, operation }]);
  if (from === undefined) throw new Error('a seal was left without an outcome');
  return from;
}
