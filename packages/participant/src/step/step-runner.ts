/*
 * Running the calls of one operation in batches: an act or an undo, in this database or outside it.
 *
 * K1  begin: fences, look-up, the effects of all calls, and their claims with their answers, in one transaction. An effect
 *     outside is only prepared there; it is performed under its claim, and recorded together with its answer (record).
 * K2  A duplicate waits in memory for the call that runs, and shares its answer (run-idempotent.ts). One with another request or
 *     another epoch finds by itself what that left.
 * K3  An undo seals its act in the transaction of its own claim, before it looks at what there is to undo.
 * K9  The transaction is lent: `prepare` and `record` can't end it. Past that guard, the keys are marked, and never run again by
 *     themselves.
 * K7  Performing holds neither a transaction nor a connection.
 * K5  An answer past its last day is found again in the effect's own rows; nothing runs.
 * S4  When the outcome of the outside call is unknown, or somebody has to act first, the claim stays in progress and its lease
 *     ends: the next attempt may ask the provider at once. Neither is stored as the answer.
 *
 * Every call has its own outcome: one that throws does so alone (B3, group-commit.ts of @holdfast/postgres).
 */

import type { SingleFlight } from '@holdfast/idempotency';
import {
  type ActOutcome,
  actKeyOf,
  attachClaims,
  type Claim,
  ClaimedMeanwhile,
  type ClaimOutcome,
  type ClaimRequest,
  claimKeys,
  type Existing,
  endedEarlier,
  handleExisting,
  type IdempotentCall,
  insertClaims,
  markingEnds,
  type NewClaim,
  releaseClaims,
  runIdempotent,
  runInScopedTransaction,
  type SealedFrom,
  type Settled,
  type Settlement,
  scopedTransaction,
  sealClaims,
  settleClaims,
  TransactionEnded,
} from '@holdfast/idempotency';
import { classifyPostgresError, createBatcher, type Pool, type Transaction, transaction } from '@holdfast/postgres';
import type { ReachStepPoint, StepPoint } from './crash-points.ts';

/** One call of a batch that has the right to run. */
export interface Begun<Request> {
  call: IdempotentCall;
  request: Request;
  /** An earlier attempt at an effect outside has begun and not ended: ask what came of it before anything else. */
  resumed: boolean;
  /** For an undo: what its act was when it was sealed. */
  act: SealedFrom;
}

export interface Performed<Request, Result> {
  call: IdempotentCall;
  request: Request;
  held: Claim;
  result: Result;
}

export type Prepared<Plan> = Settlement | { kind: 'perform'; plan: Plan };

export interface StepSpec<Request, Plan, Result> {
  operation: string;
  /** How many days answers are given again; after that, what `prepare` finds. Default DEFAULT_KEEP_DAYS. */
  keepDays?: number;
  /** For an undo: the operation of its act, which is sealed. */
  undoes?: string;
  /**
   * Makes the effects of all these calls, or prepares them, in the transaction of their claims: set-based, whatever it
   * locks in one order. One result per call, in order. The calls belong to different sagas.
   * @throws whatever makes it impossible; the batch is then split until the one that it is impossible for stands alone
   */
  prepare(tx: Transaction, calls: Begun<Request>[]): Promise<Prepared<Plan>[]>;
  /** Only for effects outside this database. */
  outside?: OutsideSpec<Request, Plan, Result>;
}

/** Somebody else has to act first: nothing is decided, and nothing is stored as the answer. The next attempt asks (S4). */
export interface Waiting {
  kind: 'waiting';
  /** What is waited for: a stable code, for people and the journal. */
  reason: string;
  /** For whoever can act. It is told, and neither stored nor logged here. */
  data?: Record<string, unknown>;
  /** When asking again makes sense, unless something is heard before. */
  waitMs: number;
}

/** What an attempt outside came to; `unknown`: the next attempt asks (S4), after `retryAfterMs` at least. */
export type PerformOutcome<Result> =
  | { kind: 'completed'; result: Result }
  | { kind: 'unknown'; detail: string; retryAfterMs?: number }
  | Waiting;

/** What a step's call came to. */
export type StepOutcome = ActOutcome | Extract<PerformOutcome<never>, { kind: 'unknown' | 'waiting' }>;

export interface OutsideSpec<Request, Plan, Result> {
  /** How long an attempt keeps others from trying. */
  leaseMs: number;
  /** Calls out, under keys derived from the call's. Must first ask, when it may have been tried before. */
  perform(plan: Plan, held: Claim, request: Request): Promise<PerformOutcome<Result>>;
  /** Writes what came of it, in the transaction that stores the answers; the claims are held and locked. */
  record(tx: Transaction, performed: Performed<Request, Result>[]): Promise<Settlement[]>;
}

type Reached = (point: StepPoint, entries: { call: IdempotentCall }[]) => void;
type Lending = Parameters<Parameters<typeof markingEnds>[1]>[0];
type Opening<Plan> = Existing | { kind: 'perform'; plan: Plan; held: Claim };
type Entry<Request> = { call: IdempotentCall; request: Request };

/**
 * For effects that are made one at a time, of a service that has few calls at once: the `prepare` of a step whose effect takes one
 * call. It is slower than one that takes all calls of a batch in one statement.
 */
export function oneByOne<Request, Plan = never>(
  effect: (tx: Transaction, call: Begun<Request>) => Promise<Prepared<Plan>>,
): StepSpec<Request, Plan, never>['prepare'] {
  return async (tx, calls) => {
    const prepared: Prepared<Plan>[] = [];
    for (const call of calls) prepared.push(await effect(tx, call));
    return prepared;
  };
}

/** Runs one call; many at once share transactions. @throws QueueFull, and what the database or the effect throws */
export type RunStep<Request> = (call: IdempotentCall, request: Request) => Promise<StepOutcome>;

const MAX_CLAIMED_MEANWHILE = 5;
/** How often a duplicate looks whether the one in another process has ended. */
const POLL_MS = 50;

export function createStepRunner<Request, Plan = never, Result = never>(
  pool: Pool,
  singleFlight: SingleFlight,
  spec: StepSpec<Request, Plan, Result>,
  reach: ReachStepPoint = () => {},
): RunStep<Request> {
  const reachedBy = (point: StepPoint, call: IdempotentCall) => reach(point, spec.operation, call.key);
  const reached = (point: StepPoint, entries: { call: IdempotentCall }[]) => {
    for (const { call } of entries) reachedBy(point, call);
  };
  // Where the transaction was ended, all its effects may be committed: none of them is tried again.
  const concernsAll = (error: unknown) =>
    error instanceof TransactionEnded || classifyPostgresError(error) === 'unavailable';
  // Without an order there is nothing that two calls could share but their key, and that the single-flight keeps apart.
  const lane = ({ call }: Entry<Request>) => `${call.tenantId} ${call.fence?.orderId ?? call.key}`;
  const opening = createBatcher<Entry<Request>, Opening<Plan>>({
    run: (entries) => begin(pool, spec, entries, reached),
    lane,
    concernsAll,
  });
  const recording = createBatcher<Performed<Request, Result>, ActOutcome>({
    run: (performed) => record(pool, spec, performed, reached),
    lane,
    concernsAll,
  });
  const attempt = async ({ call, request }: Entry<Request>): Promise<StepOutcome> => {
    reachedBy('before-claim', call);
    const opened = await opening.submit({ call, request });
    if (opened.kind === 'ended') throw endedEarlier();
    if (opened.kind === 'answer_expired') return await recall(pool, spec, { call, request });
    if (opened.kind !== 'perform') {
      reachedBy('before-reply', call);
      return opened;
    }
    // crash here: the claim is in progress; when its lease has run out, the next attempt resumes and asks.
    const { plan, held } = opened;
    reachedBy('before-provider', call);
    // @guard K1 the end of the transaction before the provider is called: "await outsideOf(spec).perform(plan, held, request);" -> "await transaction(pool, () => outsideOf(spec).perform(plan, held, request));"
    const performed = await outsideOf(spec).perform(plan, held, request);
    if (performed.kind !== 'completed') {
      // crash here: the lease stands until it runs out; then the next attempt asks.
      await releaseClaims(pool, [held]);
      return performed;
    }
    // crash here: the effect exists, its answer isn't stored; the next attempt asks the provider and stores it.
    reachedBy('after-provider', call);
    const recorded = await recording.submit({ call, request, held, result: performed.result });
    reachedBy('before-reply', call);
    return recorded;
  };
  return (call, request) =>
    runIdempotent<StepOutcome>(singleFlight, call, {
      attempt: () => attempt({ call, request }),
      share: shared,
      // Another request waits, and finds what the key stands for by itself: its fence is judged too.
      reused: () => ({ kind: 'in_progress' }),
      inProgress: () => ({ kind: 'in_progress' }),
      async waitUntilSettled(ms) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(ms, POLL_MS)));
        return undefined;
      },
    });
}

/** Duplicates share an answer, and what is waited for; whatever else came of the attempt, each makes its own. */
function shared(outcome: StepOutcome): StepOutcome | undefined {
  if (outcome.kind === 'waiting') return outcome;
  return 'answer' in outcome ? { ...outcome, replayed: true } : undefined;
}

/** One transaction for all; again when a key was claimed under our eyes. */
async function begin<Request, Plan, Result>(
  pool: Pool,
  spec: StepSpec<Request, Plan, Result>,
  entries: Entry<Request>[],
  reached: Reached,
): Promise<Opening<Plan>[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await markingEnds(pool, (lending) => transaction(pool, (tx) => open(tx, spec, entries, reached, lending)));
    } catch (error) {
      if (!(error instanceof ClaimedMeanwhile) || attempt === MAX_CLAIMED_MEANWHILE) throw error;
    }
  }
}

async function open<Request, Plan, Result>(
  tx: Transaction,
  spec: StepSpec<Request, Plan, Result>,
  entries: Entry<Request>[],
  reached: Reached,
  lending: Lending,
): Promise<Opening<Plan>[]> {
  const requests = entries.map(({ call }) => claimRequest(call, spec));
  const outcomes = await claimKeys(tx, requests);
  const results = outcomes.map((outcome): Opening<Plan> | undefined => handleExisting(outcome));
  const mine = withRight(entries, outcomes);
  if (mine.length === 0) return results as Opening<Plan>[];

  reached('after-claim', mine);
  await sealActs(tx, spec, mine);
  const onEnded = lending(mine.map(({ at }) => requests[at] as ClaimRequest));
  const prepared = await runInScopedTransaction(tx, { onEnded }, (lent) => spec.prepare(lent, mine));
  if (prepared.length !== mine.length) throw new Error(`${spec.operation}: a call was left without a result`);
  reached('after-effect', mine);
  const rows: NewClaim[] = [];
  const settled: Settled[] = [];
  mine.forEach(({ at, claim, resumed }, i) => {
    const outcome = prepared[i] as Prepared<Plan>;
    const state = stateOf(outcome);
    const answer = outcome.kind === 'perform' ? null : outcome.answer;
    // @guard S5 the row of a refusal: "    if (!resumed) rows.push(" -> "    if (!resumed && state !== 'refused') rows.push("
    if (!resumed) rows.push({ claim, request: requests[at] as ClaimRequest, state, answer });
    else if (state !== 'in_progress' && answer !== null) settled.push({ claim, state, answer });
    results[at] = outcome.kind === 'perform' ? { ...outcome, held: claim } : answered(outcome);
  });
  await insertClaims(tx, rows);
  await settleClaims(tx, settled);
  reached('before-commit', mine);
  return results as Opening<Plan>[];
  // crash here: nothing is committed, the next attempt starts afresh. After the commit: the rows answer.
}

function claimRequest(
  { tenantId, key, operation, fingerprint, fence }: IdempotentCall,
  { keepDays, outside }: { keepDays?: number; outside?: { leaseMs: number } },
): ClaimRequest {
  const request: ClaimRequest = { tenantId, key, operation, fingerprint };
  if (fence !== undefined) request.fence = fence;
  if (outside !== undefined) request.leaseMs = outside.leaseMs;
  if (keepDays !== undefined) request.keepDays = keepDays;
  return request;
}

/** `at`: its place in the batch. */
type Mine<Request> = Begun<Request> & { at: number; claim: Claim };

/** The calls that have the right to run. */
function withRight<Request>(entries: Entry<Request>[], outcomes: ClaimOutcome[]): Mine<Request>[] {
  const mine: Mine<Request>[] = [];
  outcomes.forEach((outcome, at) => {
    const claim = claimIn(outcome);
    if (claim === undefined) return;
    const { call, request } = entries[at] as Entry<Request>;
    mine.push({ at, claim, call, request, resumed: outcome.kind === 'resumed', act: 'not_found' });
  });
  return mine;
}

/**
 * An answer past its last day: the effect's own rows tell what it would be now. They are unique (K5), so that asking for
 * the effect again finds it, and changes nothing.
 */
async function recall<Request, Plan, Result>(
  pool: Pool,
  spec: StepSpec<Request, Plan, Result>,
  { call, request }: Entry<Request>,
): Promise<ActOutcome> {
  const act = spec.undoes === undefined ? 'not_found' : 'sealed';
  const found = await scopedTransaction(pool, (tx) => spec.prepare(tx, [{ call, request, resumed: false, act }]));
  const [outcome] = found;
  if (outcome === undefined || outcome.kind === 'perform') {
    throw new Error(`${spec.operation} was executed and has left no effect: is something deleting effects?`);
  }
  return { ...answered(outcome), replayed: true };
}

/** Notes for each undo what its act was. */
async function sealActs<Request, Plan, Result>(
  tx: Transaction,
  { undoes }: StepSpec<Request, Plan, Result>,
  undos: Begun<Request>[],
): Promise<void> {
  // @guard K3 the seal: "if (undoes === undefined) return;" -> "if (undoes !== '') return;"
  if (undoes === undefined) return;
  const acts = undos.map(({ call }) => ({ tenantId: call.tenantId, key: actKeyOf(call.key), operation: undoes }));
  const sealed = await sealClaims(tx, acts);
  undos.forEach((undo, i) => {
    undo.act = sealed[i] ?? 'not_found';
  });
}

async function record<Request, Plan, Result>(
  pool: Pool,
  spec: StepSpec<Request, Plan, Result>,
  performed: Performed<Request, Result>[],
  reached: Reached,
): Promise<ActOutcome[]> {
  return await markingEnds(pool, (lending) =>
    transaction(pool, (tx) => recordIn(tx, spec, performed, reached, lending)),
  );
}

async function recordIn<Request, Plan, Result>(
  tx: Transaction,
  spec: StepSpec<Request, Plan, Result>,
  performed: Performed<Request, Result>[],
  reached: Reached,
  lending: Lending,
): Promise<ActOutcome[]> {
  const attached = await attachClaims(
    tx,
    performed.map(({ held }) => held),
  );
  const mine = performed.flatMap((one, at) => {
    const held = attached[at];
    return held === undefined ? [] : [{ ...one, held }];
  });
  // Sealed or taken over meanwhile: what was found out is not ours to tell.
  if (mine.length === 0) return performed.map(() => TAKEN_OVER);
  const onEnded = lending(mine.map(({ call }) => claimRequest(call, spec)));
  const settlements = await runInScopedTransaction(tx, { onEnded }, (lent) => outsideOf(spec).record(lent, mine));
  if (settlements.length !== mine.length) throw new Error(`${spec.operation}: a call was left without an answer`);
  await settleClaims(
    tx,
    settlements.map(({ kind, answer }, i) => ({
      claim: (mine[i] as Performed<Request, Result>).held,
      state: kind,
      answer,
    })),
  );
  reached('before-record', mine);
  return attached.map((held) => (held === undefined ? TAKEN_OVER : answered(settlements.shift() as Settlement)));
}

const TAKEN_OVER: ActOutcome = { kind: 'unknown', detail: 'this step was undone or taken over while it was running' };

function claimIn(outcome: ClaimOutcome): Claim | undefined {
  return outcome.kind === 'claimed' || outcome.kind === 'resumed' ? outcome.claim : undefined;
}

function stateOf(outcome: Prepared<unknown>): NewClaim['state'] {
  if (outcome.kind === 'perform') return 'in_progress';
  return outcome.kind;
}

function answered({ kind, answer }: Settlement): Extract<ActOutcome, { answer: Buffer }> {
  return { kind, answer, replayed: false };
}

function outsideOf<Request, Plan, Result>(spec: StepSpec<Request, Plan, Result>): OutsideSpec<Request, Plan, Result> {
  if (spec.outside === undefined) throw new Error(`${spec.operation} has nothing to perform outside this database`);
  return spec.outside;
}
