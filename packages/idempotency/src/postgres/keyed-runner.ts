/*
 * Running an effect of this database under a key, for servers of any kind (the Fastify plugin, the gRPC interceptor).
 *
 * K1  Claim, effect and stored answer are one transaction. A refusal is stored; what the effect had written is rolled back.
 * K2  The same request gets the same bytes; another one under the key is refused.
 * K6  Postgres decides; a cache only repeats what Postgres has committed.
 * K7  Duplicates wait in memory, without a connection or a lock.
 *
 * K9  The effect can't end its scoped transaction (scoped-transaction.ts). One that does, by a way past that guard, gets
 *     TransactionEnded, and so does every later call: the key is marked by a claim without an answer.
 *
 * Crash window: before the commit nothing has happened; after it, the row answers. Past the guard there is one more: from a
 * COMMIT that came past it until the mark, a few milliseconds later, a crash of this process, or a duplicate in another one,
 * lets the effect run again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Ending, inSchema, type Pool, type Transaction } from '@holdfast/postgres';
import {
  type AnswerCache,
  createLocalAnswers,
  type LocalAnswers,
  type Recalled,
  type SettledAnswer,
} from '../core/answer-cache.ts';
import type { Settlement } from '../core/outcome.ts';
import { runIdempotent } from '../core/run-idempotent.ts';
import { differingMembers } from '../core/same-request.ts';
import { type ClaimedRequest, createSingleFlight } from '../core/single-flight.ts';
import { type ClaimOutcome, claimKeys, insertClaimsQuery, settleClaims } from './claims/claims.ts';
import { endedEarlier, markingEnds } from './claims/ended-claims.ts';
import { handleExisting } from './claims/existing-claim.ts';
import { type KeyedRequest, withKeyLock } from './key-lock.ts';
import { RolledBack } from './scope/rolled-back.ts';
import { runInScopedTransaction } from './scope/scoped-transaction.ts';

export interface KeyedRun extends KeyedRequest {
  /** How long a duplicate may wait for the one that runs. */
  waitMs: number;
  /** How long its effect may take before it is rolled back. Default: the runner's. */
  timeoutMs?: number;
}

export type KeyedOutcome =
  | { kind: 'completed'; answer: Buffer; replayed: boolean }
  | { kind: 'refused'; answer: Buffer; replayed: boolean }
  /** `differing`: names of members of the request, where they are known. */
  | { kind: 'reused'; differing: string[] }
  | { kind: 'in_progress' }
  /** It completed, and its answer is past its last day. Nothing runs; the effect's own rows have the current state. */
  | { kind: 'answer_expired' }
  /** An undo has sealed the key: it shall never run. */
  | { kind: 'sealed' };

/** @throws any error: nothing is stored then, and everything it wrote is rolled back */
export type Effect = (tx: Transaction) => Promise<Settlement>;

export interface KeyedRunnerOptions {
  pool: Pool;
  /** Where the tables of keys are. Default `holdfast`. */
  schema?: string | undefined;
  /** Shared by all processes, such as Redis. Without it: the same answers, slower. */
  cache?: AnswerCache | undefined;
  /** The answer cache of this process. */
  local?: LocalAnswers | undefined;
  /** How long an effect may take before it is rolled back. Default 10 s. */
  effectTimeoutMs?: number | undefined;
  /** Duplicates that wait at a time in this process; any more get `in_progress` at once. Default 10,000. */
  maxWaiting?: number | undefined;
}

export interface KeyedRunner {
  /**
   * @param effect gets the open transaction, runs at most once per key, and must not call the network
   * @throws what `effect` throws, after the rollback; EffectTimeout; TransactionEnded; what the database throws
   */
  run(call: KeyedRun, effect: Effect): Promise<KeyedOutcome>;
}

const EFFECT_TIMEOUT_MS = 10_000;
/** How often a duplicate looks whether the run in another process has ended; a shared cache wakes it. */
const POLL_MS = 50;
const POLL_WOKEN_MS = 500;

/** How long even a call with no time to wait waits for the one that is taking the key's lock. */
const CLAIM_MS = 1_000;

export function createKeyedRunner(options: KeyedRunnerOptions): KeyedRunner {
  const { cache, local = createLocalAnswers(), effectTimeoutMs = EFFECT_TIMEOUT_MS } = options;
  const pool = inSchema(options.pool, options.schema);
  const singleFlight = createSingleFlight({ maxWaiting: options.maxWaiting });
  const keep = (call: KeyedRun, outcome: KeyedOutcome) => {
    const settled = settledAnswer(outcome);
    if (settled === undefined) return;
    local.put(call, settled);
    cache?.settle(call, settled);
  };
  return {
    run: (call, effect) =>
      runIdempotent<KeyedOutcome>(singleFlight, call, {
        claimMs: CLAIM_MS,
        recall() {
          const answer = local.get(call);
          if (answer !== undefined) return { ...answer, replayed: true };
          return cache?.recall(call).then(recalledOutcome);
        },
        async attempt(claimed) {
          const outcome = await attempt(
            pool,
            call,
            announced(cache, call, effect),
            call.timeoutMs ?? effectTimeoutMs,
            claimed,
          );
          keep(call, outcome);
          return outcome;
        },
        share(outcome) {
          const settled = settledAnswer(outcome);
          return settled && { ...settled, replayed: true };
        },
        reused: (claimedFor) => reusedBy(claimedFor, call),
        inProgress: () => ({ kind: 'in_progress' }),
        async waitUntilSettled(ms) {
          if (cache === undefined) await delay(Math.min(ms, POLL_MS));
          else await cache.untilSettled(call, Math.min(ms, POLL_WOKEN_MS));
          return undefined;
        },
      }),
  };
}

/** Announces a run only after it has the key's lock, and its end when there is no answer to announce, so that waiters retry. */
function announced(cache: AnswerCache | undefined, call: KeyedRun, effect: Effect): Effect {
  if (cache === undefined) return effect;
  return async (tx) => {
    cache.begin(call);
    try {
      return await effect(tx);
    } catch (error) {
      cache.giveUp(call);
      throw error;
    }
  };
}

function recalledOutcome(recalled: Recalled | undefined): KeyedOutcome | undefined {
  if (recalled?.kind === 'in_progress') return { kind: 'in_progress' };
  return recalled && { ...recalled, replayed: true };
}

/** The members of another operation are not named: they would reveal what the key was used for. */
function reusedBy({ operation, members }: ClaimedRequest, call: KeyedRun): KeyedOutcome {
  return {
    kind: 'reused',
    differing: operation === call.operation ? differingMembers(members, call.fingerprint.members) : [],
  };
}

/** One attempt: from the key lock to the commit. */
async function attempt(
  pool: Pool,
  request: KeyedRequest,
  effect: Effect,
  timeoutMs: number,
  claimed: (request: ClaimedRequest) => void,
): Promise<KeyedOutcome> {
  const first = await markingEnds(pool, (scoping) =>
    withKeyLock(pool, request, async (tx, proof): Promise<Ending<KeyedOutcome | Settlement>> => {
      // No row, and the lock is ours: no other process can claim it before we end.
      if (proof !== undefined) claimed(claimedRequestOf(request));
      return await settleBy(tx, request, proof, async () => {
        const settlement = await runInScopedTransaction(tx, { onEnded: scoping([request]), timeoutMs }, effect);
        // What it had written must go, and the refusal must stay: two transactions, and the key decides again.
        if (settlement.kind === 'refused') throw new RolledBack<Settlement>(settlement);
        return settlement;
      });
    }),
  );
  if (first.kind !== 'refused' || 'replayed' in first) return first as KeyedOutcome;
  // crash here: nothing is stored, and the next attempt decides anew.
  return await withKeyLock(pool, request, (tx, proof) => settleBy(tx, request, proof, async () => first));
}

/** Stores what `decide` returns, unless the key was claimed before. */
async function settleBy(
  tx: Transaction,
  request: KeyedRequest,
  proof: string | undefined,
  decide: () => Promise<Settlement>,
): Promise<Ending<KeyedOutcome>> {
  const [claimed] = proof === undefined ? await claimKeys(tx, [request]) : [newlyClaimed(request, proof)];
  if (claimed?.kind !== 'claimed' && claimed?.kind !== 'resumed') return { result: existing(claimed) };
  const { claim } = claimed;
  const result = outcomeOf(await decide());
  const { kind: state, answer } = result;
  // Claim and answer in one statement, the last one of the effect's transaction: no other transaction could see the claim earlier.
  if (claimed.kind === 'claimed') return { result, last: insertClaimsQuery([{ claim, request, state, answer }]) };
  await settleClaims(tx, [{ claim, state, answer }]);
  return { result };
}

function claimedRequestOf({ operation, fingerprint }: KeyedRequest): ClaimedRequest {
  return {
    operation,
    fingerprint: fingerprint.digest,
    get members() {
      return fingerprint.members;
    },
  };
}

/** The key has no row, and this transaction its lock. */
function newlyClaimed(request: KeyedRequest, proof: string): ClaimOutcome {
  return { kind: 'claimed', claim: { tenantId: request.tenantId, key: request.key, attempt: 1, proof } };
}

/** @throws TransactionEnded */
function existing(outcome: ClaimOutcome | undefined): KeyedOutcome {
  const known = outcome && handleExisting(outcome);
  if (known?.kind === 'ended') throw endedEarlier();
  if (known === undefined || known.kind === 'fenced' || known.kind === 'fence_rising')
    throw new Error('a call without an epoch was fenced or forgotten');
  return known;
}

function outcomeOf({ kind, answer }: Settlement): KeyedOutcome & SettledAnswer {
  return { kind, answer, replayed: false };
}

function settledAnswer(outcome: KeyedOutcome | undefined): SettledAnswer | undefined {
  if (outcome?.kind !== 'completed' && outcome?.kind !== 'refused') return undefined;
  return { kind: outcome.kind, answer: outcome.answer };
}
