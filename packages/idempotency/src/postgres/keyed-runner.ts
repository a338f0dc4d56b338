/*
 * Running an effect of this database under a key, for servers of any kind (the Fastify plugin, the gRPC interceptor).
 *
 * K1  Claim, effect and stored answer are one transaction. A refusal is stored without whatever the effect had written.
 * K2  The same request gets the same bytes; another one under the key is refused.
 * K6  Postgres decides; a memory may only repeat what it has committed.
 * K7  Duplicates wait in memory, without a connection or a lock.
 *
 * K9  The effect can't end the transaction it is lent (scoped-transaction.ts). One that does, by a way past that guard, gets
 *     TransactionEnded, and so does every later call: the key is marked by a claim without an answer.
 *
 * Crash window: before the commit nothing has happened; after it, the row answers. Past the guard there is one more: from a
 * COMMIT that came past it until the mark, a few milliseconds later, a crash of this process, or a duplicate in another one,
 * lets the effect run again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ending, Pool, Transaction } from '@holdfast/postgres';
import {
  type AnswerMemory,
  callId,
  createLocalAnswers,
  type LocalAnswers,
  type Recalled,
  type SettledAnswer,
} from '../core/answer-cache.ts';
import type { Fingerprint } from '../core/fingerprint.ts';
import type { Settlement } from '../core/outcome.ts';
import { differingMembers, isSameRequest } from '../core/same-request.ts';
import { type ClaimOutcome, claimKeys, insertClaimsQuery, settleClaims } from './claims.ts';
import { endedEarlier, markingEnds } from './ended-claims.ts';
import { handleExisting } from './existing-claim.ts';
import { inTurn, type TurnRequest } from './key-lock.ts';
import { RolledBack } from './rolled-back.ts';
import { runInScopedTransaction } from './scoped-transaction.ts';

export interface KeyedRun extends TurnRequest {
  /** How long a duplicate may wait for the one that runs. */
  waitMs: number;
}

export type KeyedOutcome =
  | { kind: 'completed'; answer: Buffer; replayed: boolean }
  | { kind: 'refused'; answer: Buffer; replayed: boolean }
  /** `differing`: names of members of the request, where they are known. */
  | { kind: 'reused'; differing: string[] }
  | { kind: 'in_progress' }
  /** It was executed; its answer is past its last day. Nothing runs; the effect's own rows say what is now. */
  | { kind: 'expired' }
  /** An undo has sealed the key: it shall never run. */
  | { kind: 'sealed' };

/** @throws whatever it likes: nothing is stored then, and everything it wrote is rolled back */
export type Effect = (tx: Transaction) => Promise<Settlement>;

export interface KeyedRunnerOptions {
  pool: Pool;
  /** What all processes share beside Postgres, such as Redis. None: the same answers. */
  memory?: AnswerMemory | undefined;
  /** This process's own memory of answers. */
  local?: LocalAnswers | undefined;
  /** How long an effect may take before it is rolled back. Default 10 s. */
  effectTimeoutMs?: number | undefined;
  /** Duplicates that wait at a time in this process; more are told at once that the request is in flight. Default 10,000. */
  maxWaiting?: number | undefined;
}

export interface KeyedRunner {
  /**
   * @param effect gets the open transaction, runs at most once per key, and must not call the network
   * @throws what `effect` throws, after the rollback; EffectTimeout; TransactionEnded; what the database throws
   */
  run(call: KeyedRun, effect: Effect): Promise<KeyedOutcome>;
}

export function createKeyedRunner(options: KeyedRunnerOptions): KeyedRunner {
  return new Runner(options);
}

const EFFECT_TIMEOUT_MS = 10_000;
const MAX_WAITING = 10_000;
/** How often a duplicate looks whether the one in another process has ended; with a shared memory it is woken. */
const POLL_MS = 50;
const POLL_WOKEN_MS = 500;

interface Turn {
  operation: string;
  fingerprint: Fingerprint;
  /** How it ended; undefined when it threw. Never rejects. */
  ended: Promise<KeyedOutcome | undefined>;
}

class Runner implements KeyedRunner {
  readonly #pool: Pool;
  readonly #memory: AnswerMemory | undefined;
  readonly #local: LocalAnswers;
  readonly #effectTimeoutMs: number;
  readonly #maxWaiting: number;
  /** What runs in this process now, by key. */
  readonly #turns = new Map<string, Turn>();
  #waiting = 0;

  constructor(options: KeyedRunnerOptions) {
    this.#pool = options.pool;
    this.#memory = options.memory;
    this.#local = options.local ?? createLocalAnswers();
    this.#effectTimeoutMs = options.effectTimeoutMs ?? EFFECT_TIMEOUT_MS;
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
  }

  async run(call: KeyedRun, effect: Effect): Promise<KeyedOutcome> {
    const deadlineAtMs = performance.now() + call.waitMs;
    for (;;) {
      const leftMs = deadlineAtMs - performance.now();
      const outcome = await this.#look(call, effect, leftMs);
      if (outcome === undefined) continue;
      if (outcome.kind !== 'in_progress' || leftMs <= 0 || this.#waiting >= this.#maxWaiting) return outcome;
      await this.#waitElsewhere(call, leftMs);
    }
  }

  /** One look at the key: its answer, or the run itself. @returns undefined when somebody else's run has just ended */
  async #look(call: KeyedRun, effect: Effect, leftMs: number): Promise<KeyedOutcome | undefined> {
    const id = callId(call);
    const turn = this.#turns.get(id);
    if (turn !== undefined) return await this.#waitHere(turn, call, leftMs);
    const known = await this.#recall(call);
    if (known?.kind === 'running') return { kind: 'in_progress' };
    if (known !== undefined) return { ...known, replayed: true };
    // While a shared memory was asked, a duplicate may have taken the turn.
    if (this.#turns.has(id)) return undefined;
    return await this.#runHere(id, call, effect);
  }

  async #recall(call: KeyedRun): Promise<Recalled | undefined> {
    return this.#local.get(call) ?? (await this.#memory?.recall(call));
  }

  async #runHere(id: string, call: KeyedRun, effect: Effect): Promise<KeyedOutcome> {
    const ended = Promise.withResolvers<KeyedOutcome | undefined>();
    this.#turns.set(id, { operation: call.operation, fingerprint: call.fingerprint, ended: ended.promise });
    let outcome: KeyedOutcome | undefined;
    try {
      outcome = await attempt(this.#pool, call, this.#announced(call, effect), this.#effectTimeoutMs);
      return outcome;
    } finally {
      const settled = settledAnswer(outcome);
      if (settled !== undefined) this.#local.put(call, settled);
      if (settled !== undefined) this.#memory?.settle(call, settled);
      this.#turns.delete(id);
      ended.resolve(outcome);
    }
  }

  /** Others hear of a run when it really has the turn, and of its end when there is no answer to hear of. */
  #announced(call: KeyedRun, effect: Effect): Effect {
    const memory = this.#memory;
    if (memory === undefined) return effect;
    return async (tx) => {
      memory.begin(call);
      try {
        return await effect(tx);
      } catch (error) {
        memory.giveUp(call);
        throw error;
      }
    };
  }

  async #waitHere(turn: Turn, call: KeyedRun, leftMs: number): Promise<KeyedOutcome | undefined> {
    const { operation, fingerprint } = turn;
    if (!isSameRequest({ operation, fingerprint: fingerprint.digest }, call)) {
      const isOther = operation !== call.operation;
      return {
        kind: 'reused',
        differing: isOther ? [] : differingMembers(fingerprint.members, call.fingerprint.members),
      };
    }
    const mayWait = leftMs > 0 && this.#waiting < this.#maxWaiting;
    const ended = mayWait ? await this.#counted(() => endsWithin(turn.ended, leftMs)) : 'late';
    if (ended === 'late') return { kind: 'in_progress' };
    const settled = settledAnswer(ended);
    return settled === undefined ? undefined : { ...settled, replayed: true };
  }

  async #waitElsewhere(call: KeyedRun, leftMs: number): Promise<void> {
    const memory = this.#memory;
    const pollMs = Math.min(leftMs, memory === undefined ? POLL_MS : POLL_WOKEN_MS);
    await this.#counted(() => (memory === undefined ? delay(pollMs) : memory.untilSettled(call, pollMs)));
  }

  async #counted<T>(wait: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    try {
      return await wait();
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** One try at the key: from its turn to the commit. */
async function attempt(pool: Pool, request: TurnRequest, effect: Effect, timeoutMs: number): Promise<KeyedOutcome> {
  const first = await markingEnds(pool, (lending) =>
    inTurn(pool, request, async (tx, proof): Promise<Ending<KeyedOutcome | Settlement>> => {
      return await settleBy(tx, request, proof, async () => {
        const settlement = await runInScopedTransaction(tx, { onEnded: lending([request]), timeoutMs }, effect);
        // What it had written must go, and the refusal must stay: two transactions, and the key decides again.
        if (settlement.kind === 'refused') throw new RolledBack<Settlement>(settlement);
        return settlement;
      });
    }),
  );
  if (first.kind !== 'refused' || 'replayed' in first) return first as KeyedOutcome;
  // crash here: nothing is stored, and the next attempt decides anew.
  return await inTurn(pool, request, (tx, proof) => settleBy(tx, request, proof, async () => first));
}

/** Stores what `decide` comes to, unless the key stands for something already. */
async function settleBy(
  tx: Transaction,
  request: TurnRequest,
  proof: string | undefined,
  decide: () => Promise<Settlement>,
): Promise<Ending<KeyedOutcome>> {
  const [claimed] = proof === undefined ? await claimKeys(tx, [request]) : [newlyClaimed(request, proof)];
  if (claimed?.kind !== 'claimed' && claimed?.kind !== 'resumed') return { result: existing(claimed) };
  const { claim } = claimed;
  const result = outcomeOf(await decide());
  const { kind: state, answer } = result;
  // Claim and answer in one statement, the last one of the effect's transaction: nobody could have seen the claim before.
  if (claimed.kind === 'claimed') return { result, last: insertClaimsQuery([{ claim, request, state, answer }]) };
  await settleClaims(tx, [{ claim, state, answer }]);
  return { result };
}

/** The key has no row, and this transaction its lock. */
function newlyClaimed(request: TurnRequest, proof: string): ClaimOutcome {
  return { kind: 'claimed', claim: { tenantId: request.tenantId, key: request.key, attempt: 1, proof } };
}

/** @throws TransactionEnded */
function existing(outcome: ClaimOutcome | undefined): KeyedOutcome {
  const known = outcome && handleExisting(outcome);
  if (known?.kind === 'ended') throw endedEarlier();
  if (known === undefined || known.kind === 'fenced')
    throw new Error('a call without an epoch was fenced or forgotten');
  return known;
}

function outcomeOf({ kind, answer }: Settlement): KeyedOutcome & SettledAnswer {
  return { kind: kind === 'done' ? 'completed' : 'refused', answer, replayed: false };
}

function settledAnswer(outcome: KeyedOutcome | undefined): SettledAnswer | undefined {
  if (outcome?.kind !== 'completed' && outcome?.kind !== 'refused') return undefined;
  return { kind: outcome.kind, answer: outcome.answer };
}

async function endsWithin<T>(ended: Promise<T>, ms: number): Promise<T | 'late'> {
  const late = new AbortController();
  try {
    return await Promise.race([ended, delay(ms, 'late' as const, { signal: late.signal })]);
  } finally {
    late.abort();
  }
}
