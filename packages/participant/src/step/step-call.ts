import type { Refusal, StepState } from '@holdfast/contracts';
import {
  type ActOutcome,
  ask,
  ClaimedMeanwhile,
  type Fingerprinter,
  isUndoKey,
  KEY_PATTERN,
  type KeyedCall,
  type UndoOutcome,
} from '@holdfast/idempotency';
import { classifyPostgresError, type Query, QueueFull } from '@holdfast/postgres';
import { type Answer, decodeStatus, errorOf, InvalidRequest, type RpcError, type ServerCall } from '@holdfast/rpc';

// A participant's border: what came of a keyed call, in gRPC's terms. The only place where the two meet.

const MAX_WAIT_MS = 2_000;
const LOWEST_WAIT_MS = 20;

export interface Operation {
  name: string;
  /** The key of an undo is its act's key followed by `:undo`; no other key may end so. */
  undo?: boolean;
  /** The order whose fence the call must pass, and whose id its key begins with; none for calls that belong to no saga. */
  orderId?: string;
}

/** Reads the call's key, tenant and epoch. @throws InvalidRequest */
export function keyedCall(
  call: ServerCall,
  { name, undo = false, orderId }: Operation,
  request: object,
  fingerprinter: Fingerprinter,
): KeyedCall {
  const key = call.key();
  if (isUndoKey(key) !== undo) {
    const hint = undo
      ? 'an undo’s key is its act’s key followed by :undo'
      : 'a key that ends in :undo belongs to an undo';
    throw new InvalidRequest('idempotency-key', hint, 'IDEMPOTENCY_KEY_INVALID');
  }
  // Else an undo could seal one order's act under the fence of another, whose effect it would then undo.
  if (orderId !== undefined && !key.startsWith(`${orderId}:`)) {
    const hint = 'a step’s key is the id of the order that its request names, a colon, and the step’s name';
    throw new InvalidRequest('idempotency-key', hint, 'IDEMPOTENCY_KEY_INVALID');
  }
  const keyed: KeyedCall = {
    tenantId: call.tenantId(),
    key,
    operation: name,
    // Calls that belong to no order come from people, who want to know what differed.
    fingerprint: fingerprinter.of(name, request, { nameMembers: orderId === undefined }),
    waitMs: Math.max(Math.min(call.remainingMs() / 2, MAX_WAIT_MS), LOWEST_WAIT_MS),
  };
  if (orderId !== undefined) keyed.fence = { orderId, epoch: call.epoch() };
  return keyed;
}

/** The answer to an act or an undo; stored bytes leave as they were stored. */
export function stepAnswer(outcome: ActOutcome | UndoOutcome): Answer<never> {
  switch (outcome.kind) {
    case 'executed':
      return { kind: 'stored', bytes: outcome.answer, replayed: outcome.replayed };
    case 'refused':
      return { kind: 'error', statusBytes: outcome.answer, pushbackMs: -1, replayed: outcome.replayed };
    case 'expired':
      return errorOf('CONFLICT', 'it was done, and its answer is no longer kept: ask for what is now');
    case 'sealed':
      return errorOf('SEALED', 'this step was undone: it shall never run; place a new order instead');
    case 'fenced':
      return errorOf(
        'FENCED',
        'a higher epoch has been seen for this order: its saga has another owner, stop driving it',
      );
    case 'reused':
      return errorOf(
        'IDEMPOTENCY_KEY_REUSED',
        'this key stands for another request: send a new key, or the same request',
        {
          differing: outcome.differing.join(','),
        },
      );
    case 'in_flight':
      return errorOf('REQUEST_IN_PROGRESS', 'the same request is running: ask again with the same key');
    case 'unknown':
      return errorOf('OUTCOME_UNKNOWN', `${outcome.detail}: ask again with the same key`);
  }
}

/** What a thrown database error means to a caller; undefined when it is no fault of the store's availability. */
export function storeFault(error: unknown): RpcError | undefined {
  if (error instanceof QueueFull) return errorOf('TRY_AGAIN', error.message);
  const fault = error instanceof ClaimedMeanwhile ? 'contended' : classifyPostgresError(error);
  switch (fault) {
    case 'contended':
      return errorOf('TRY_AGAIN', 'somebody else held the same rows, nothing was changed: ask again with the same key');
    case 'unavailable':
      return errorOf('STORE_UNAVAILABLE', 'the database does not answer: ask again with the same key');
    case 'other':
      return undefined;
  }
}

/** What GetStep tells about a key: the state, and what is stored for it. */
export interface AskedStep {
  state: StepState;
  refusal?: Refusal;
  executed?: { operation: string; answer: Buffer };
}

/** Looks a step up for a caller that lost the answer (G16). Changes nothing. @throws InvalidRequest */
export async function askStep(db: Query, call: ServerCall, key: string): Promise<AskedStep> {
  if (!KEY_PATTERN.test(key)) {
    throw new InvalidRequest('key', 'send one key of 16 to 128 of [A-Za-z0-9._~:-]', 'IDEMPOTENCY_KEY_INVALID');
  }
  const asked = await ask(db, call.tenantId(), key);
  switch (asked.kind) {
    case 'executed':
      return { state: 'STEP_STATE_EXECUTED', executed: { operation: asked.operation, answer: asked.answer } };
    case 'refused': {
      const refusal = decodeStatus(asked.answer);
      return {
        state: 'STEP_STATE_REFUSED',
        refusal: { reason: refusal?.reason ?? '', message: refusal?.message ?? '' },
      };
    }
    case 'expired':
      return { state: 'STEP_STATE_EXECUTED' };
    case 'sealed':
      return { state: 'STEP_STATE_SEALED' };
    case 'in_flight':
      return { state: 'STEP_STATE_IN_FLIGHT' };
    case 'unknown_key':
      return { state: 'STEP_STATE_UNKNOWN_KEY' };
  }
}
