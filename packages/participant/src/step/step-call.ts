import { KEY_PATTERN, KEY_RULE, type Refusal, reasons, type StepState } from '@holdfast/contracts';
import {
  ask,
  type Fingerprinter,
  type IdempotentCall,
  isUndoKey,
  OUTCOME_REASONS,
  storeFaultReason,
} from '@holdfast/idempotency';
import { type Query, sqlstateOf } from '@holdfast/postgres';
import { type Answer, decodeStatus, errorOf, InvalidRequest, type RpcError, type ServerCall } from '@holdfast/rpc';
import type { StepOutcome, Waiting } from './step-runner.ts';

// A participant's border: what came of a keyed call, in gRPC's terms. The only place where the two meet.

const MAX_WAIT_MS = 2_000;
const LOWEST_WAIT_MS = 20;
/** Trailers are small: grpc-js takes 8 KiB of them, and base64 makes these a third longer. */
const MAX_WAITING_DATA_BYTES = 4_096;

export interface Operation {
  name: string;
  /** The key of an undo is its act's key followed by `:undo`; no other key may end so. */
  undo?: boolean;
  /** The saga whose fence the call must pass, and whose id its key begins with; none for calls that belong to no saga. */
  sagaId?: string;
}

/** Reads the call's key, tenant and epoch. @throws InvalidRequest */
export function keyedCall(
  call: ServerCall,
  { name, undo = false, sagaId }: Operation,
  request: object,
  fingerprinter: Fingerprinter,
): IdempotentCall {
  const key = call.key();
  if (isUndoKey(key) !== undo) {
    const hint = undo
      ? 'an undo’s key is its act’s key followed by :undo'
      : 'a key that ends in :undo belongs to an undo';
    throw new InvalidRequest('idempotency-key', hint, 'IDEMPOTENCY_KEY_INVALID');
  }
  // Else an undo could seal one order's act under the fence of another, whose effect it would then undo.
  // @guard G2 the order that a step’s key begins with: "!key.startsWith(" -> "key === ("
  if (sagaId !== undefined && !key.startsWith(`${sagaId}:`)) {
    const hint = 'a step’s key is the id of the order (or refund) that its request names, a colon, and the step’s name';
    throw new InvalidRequest('idempotency-key', hint, 'IDEMPOTENCY_KEY_INVALID');
  }
  const keyed: IdempotentCall = {
    tenantId: call.tenantId(),
    key,
    operation: name,
    // Calls that belong to no order come from people, who want to know what differed.
    fingerprint: fingerprinter.of(name, request, { nameMembers: sagaId === undefined }),
    waitMs: Math.max(Math.min(call.remainingMs() / 2, MAX_WAIT_MS), LOWEST_WAIT_MS),
  };
  if (sagaId !== undefined) keyed.fence = { orderId: sagaId, epoch: call.epoch() };
  return keyed;
}

/** The answer to an act or an undo; stored bytes leave as they were stored. */
export function stepAnswer(outcome: StepOutcome): Answer<never> {
  switch (outcome.kind) {
    case 'completed':
      return { kind: 'completed', bytes: outcome.answer, replayed: outcome.replayed };
    case 'refused':
      return { kind: 'error', statusBytes: outcome.answer, pushbackMs: -1, replayed: outcome.replayed };
    case 'reused':
      return errorOf(OUTCOME_REASONS.reused, undefined, { differing: outcome.differing.join(',') });
    case 'unknown':
      // Why the provider's answer is not known is what an operator looks for in the saga's journal.
      return pushedBack(
        errorOf(OUTCOME_REASONS.unknown, `${outcome.detail}. ${reasons.OUTCOME_UNKNOWN.detail}`),
        'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined,
      );
    case 'waiting':
      return waitingAnswer(outcome);
    case 'fenced':
      // What an operator's resume has to raise the saga's epoch above, when the saga's own row names no other owner.
      return errorOf(OUTCOME_REASONS.fenced, undefined, { fence_epoch: String(outcome.epoch) });
    default:
      return errorOf(OUTCOME_REASONS[outcome.kind]);
  }
}

function pushedBack(error: RpcError, retryAfterMs: number | undefined): RpcError {
  return retryAfterMs === undefined
    ? error
    : { ...error, pushbackMs: Math.max(error.pushbackMs, Math.ceil(retryAfterMs)) };
}

/** @throws Error where there is more to tell than a status can carry */
function waitingAnswer({ reason, data, waitMs }: Waiting): RpcError {
  const json = data === undefined ? undefined : JSON.stringify(data);
  if (json !== undefined && Buffer.byteLength(json) > MAX_WAITING_DATA_BYTES) {
    throw new Error(`what a waiting step tells has more than ${MAX_WAITING_DATA_BYTES} bytes: tell less`);
  }
  const pauseMs = Math.max(Math.ceil(waitMs), 0);
  const metadata = { wait_reason: reason, wait_ms: String(pauseMs), ...(json !== undefined && { data: json }) };
  return { ...errorOf('WAITING', undefined, metadata), pushbackMs: pauseMs };
}

/** What a thrown error of the store means to a caller; undefined when it is no fault of the store. */
export function storeFault(error: unknown): RpcError | undefined {
  const reason = storeFaultReason(error);
  const sqlstate = sqlstateOf(error);
  // For the journal of a saga, where an operator looks for what its steps wait for.
  return reason && errorOf(reason, undefined, sqlstate === undefined ? {} : { sqlstate });
}

/** Of each operation under a key: the member of GetStep's answer that shows what is stored. */
type ShownAnswers = Record<string, (answer: Buffer) => object>;
type StepShown<Shown extends ShownAnswers> = { state: StepState; refusal?: Refusal } & Partial<
  ReturnType<Shown[keyof Shown]>
>;

/** The method GetStep: looks a step up for a caller that lost the answer (G16). Changes nothing. */
export function getStep<Shown extends ShownAnswers>(db: Query, shown: Shown) {
  return async ({ key }: { key: string }, call: ServerCall): Promise<Answer<StepShown<Shown>>> => {
    if (!KEY_PATTERN.test(key)) throw new InvalidRequest('key', KEY_RULE, 'IDEMPOTENCY_KEY_INVALID');
    const asked = await ask(db, call.tenantId(), key);
    const message: { state: StepState; refusal?: Refusal } = { state: STATES[asked.kind] };
    if (asked.kind === 'completed') Object.assign(message, shown[asked.operation]?.(asked.answer));
    if (asked.kind === 'refused') {
      const refusal = decodeStatus(asked.answer);
      message.refusal = { reason: refusal?.reason ?? '', message: refusal?.message ?? '' };
    }
    return { kind: 'completed', message: message as StepShown<Shown> };
  };
}

const STATES: Readonly<Record<Awaited<ReturnType<typeof ask>>['kind'], StepState>> = {
  completed: 'STEP_STATE_EXECUTED',
  answer_expired: 'STEP_STATE_EXECUTED',
  refused: 'STEP_STATE_REFUSED',
  sealed: 'STEP_STATE_SEALED',
  in_progress: 'STEP_STATE_IN_FLIGHT',
  not_found: 'STEP_STATE_UNKNOWN_KEY',
};
