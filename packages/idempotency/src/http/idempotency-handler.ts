/*
 * From a keyed request to its answer: what every HTTP adapter has in common. It knows no framework.
 *
 * K1  The handler's effect, the key's claim and the stored answer are one transaction. Nothing is sent before it commits.
 * K2  Replays are the stored bytes. A request that differs is refused.
 * H9  Nothing is stored by a response hook: what a duplicate gets, or an error handler answers, can't overwrite a record.
 */
import { inSchema, type Pool, type Transaction } from '@holdfast/postgres';
import type { AnswerCache } from '../core/answer-cache.ts';
import type { Fingerprint, Fingerprinter } from '../core/fingerprint.ts';
import { KEY_FAULT_REASONS, OUTCOME_REASONS } from '../core/outcome-reasons.ts';
import { DAY_MS, DEFAULT_KEEP_DAYS, isKeyExpired, TOMBSTONE_MS } from '../core/retention-clock.ts';
import { ask } from '../postgres/claims/read-claims.ts';
import { loadFingerprinter } from '../postgres/fingerprint-secret.ts';
import { createKeyedRunner, type KeyedOutcome, type KeyedRunner } from '../postgres/keyed-runner.ts';
import { RolledBack, rolledBackOr } from '../postgres/scope/rolled-back.ts';
import { scopedTransaction } from '../postgres/scope/scoped-transaction.ts';
import { storeFaultReason } from '../postgres/store-fault.ts';
import type { IdempotentCall, SerialisedAnswer } from './handler-answer.ts';
import { EXPIRES_HEADER, keyHeaders, keyIn, REPLAYED_HEADER } from './key-headers.ts';
import type { KeyedRoute } from './keyed-route.ts';
import { preferredWaitMs } from './prefer.ts';
import { differingFaults, type IdempotencyProblem, problemAnswer, problemFor, RETRY_AFTER_SECONDS } from './problem.ts';
import { type RequestParts, requestMembers } from './request-members.ts';
import { decodeAnswer, encodeAnswer, type StoredAnswer, storedHeaders } from './stored-answer.ts';

/** Of an adapter, whatever its framework. */
export interface EdgeOptions {
  /** Of the database that holds both the claims and the handlers' own tables. */
  pool: Pool;
  /** Where the tables of keys are. Default `holdfast`. */
  schema?: string | undefined;
  /** Shared by all processes, such as Redis. None: the same answers. */
  cache?: AnswerCache | undefined;
  /** How long a duplicate may ask to wait with `Prefer: wait`. Default 5 s. */
  maxWaitMs?: number;
  /** How long a handler may run before it is rolled back. Default 10 s. */
  handlerTimeoutMs?: number;
  /** A key whose date is older than this and that is not known was forgotten, not new (H16). Default 30 days. */
  tombstoneMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

type Headers = Record<string, string>;

/** What leaves. A problem is for the adapter to write in its application's form. */
export type EdgeReply =
  | { kind: 'answer'; status: number; headers: Headers; body: Buffer }
  | { kind: 'problem'; problem: IdempotencyProblem; headers: Headers };

/** A key whose syntax is right, with the headers of every answer to its request: errors too. */
export interface CheckedKey {
  kind: 'key';
  key: string;
  headers: Headers;
}

/** One request and its handler, as the adapter calls them. */
export interface EdgeCall {
  /** As Node.js gives them: lower case, repeated ones joined or in a list. */
  headers: Readonly<Record<string, unknown>>;
  /** Whose key it is. */
  tenantOf(): string | Promise<string>;
  /** The application's handler. Its body is serialised here: an answer that can't be leaves nothing done. */
  handle(tx: Transaction, inHand: IdempotentCall | undefined): Promise<SerialisedAnswer>;
  /** The resource as it is now, for a replay past the retention (H15). Without it such a replay gets 410. */
  current?: ((stored: Omit<StoredAnswer, 'body'>) => Promise<Buffer>) | undefined;
}

/** The request under its key, ready to run. */
export interface PreparedKey extends CheckedKey {
  fingerprinter: Fingerprinter;
  fingerprint: Fingerprint;
}

const MAX_WAIT_MS = 5_000;
const HANDLER_TIMEOUT_MS = 10_000;

export class IdempotencyHandler {
  readonly #options: EdgeOptions;
  /** The pool, with the keys' tables where they are. */
  readonly #keys: Pool;
  readonly #runner: KeyedRunner;
  readonly #now: () => number;
  readonly #handlerTimeoutMs: number;
  #fingerprinter: Fingerprinter | undefined;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#handlerTimeoutMs = options.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS;
    this.#keys = inSchema(options.pool, options.schema);
    const { cache } = options;
    this.#runner = createKeyedRunner({ pool: this.#keys, cache, effectTimeoutMs: this.#handlerTimeoutMs });
  }

  /**
   * All of it at once, for frameworks that have no phase between the key and the handler.
   * @param onKey gets the headers of every answer to the request, before anything else can fail
   * @throws what the handler throws, after the rollback; the application's error handler answers it
   */
  async serve(
    route: KeyedRoute,
    call: EdgeCall,
    partsOf: () => RequestParts | Promise<RequestParts>,
    onKey: (headers: Headers) => void = () => {},
  ): Promise<EdgeReply> {
    const checked = this.checkKey(route, call.headers);
    if (checked?.kind === 'problem') return checked;
    if (checked !== undefined) onKey(checked.headers);
    const prepared = checked && (await this.prepare(route, checked, await partsOf()));
    return prepared?.kind === 'problem' ? prepared : await this.run(route, prepared, call);
  }

  /** H1, H2. @returns undefined when the route does without a key and none was sent */
  checkKey(
    route: KeyedRoute,
    headers: EdgeCall['headers'],
  ): CheckedKey | Extract<EdgeReply, { kind: 'problem' }> | undefined {
    const parsed = keyIn(headers);
    if (parsed.kind === 'key') {
      // Until an answer is found that has an expiry of its own.
      const { key } = parsed;
      return { kind: 'key', key, headers: keyHeaders({ key, replayed: false, expiresAt: this.#expiresAt(route) }) };
    }
    if (parsed.kind === 'missing' && !route.required) return undefined;
    return problemReply(problemFor(KEY_FAULT_REASONS[parsed.kind]), {});
  }

  /** Takes the fingerprint of the request as it was sent: before validation, which may change it. */
  async prepare(
    route: KeyedRoute,
    checked: CheckedKey,
    parts: RequestParts,
  ): Promise<PreparedKey | Extract<EdgeReply, { kind: 'problem' }>> {
    try {
      this.#fingerprinter ??= await loadFingerprinter(this.#keys);
    } catch (error) {
      return problemOfFault(error, checked.headers);
    }
    const members = requestMembers(parts, route.redact);
    const fingerprint = this.#fingerprinter.of(route.operation, members, { nameMembers: true });
    return { ...checked, fingerprinter: this.#fingerprinter, fingerprint };
  }

  /** @throws what the handler throws, after the rollback; the application's error handler answers it */
  async run(route: KeyedRoute, prepared: PreparedKey | undefined, call: EdgeCall): Promise<EdgeReply> {
    try {
      return prepared === undefined ? await this.#runWithoutKey(call) : await this.#runKeyed(route, prepared, call);
    } catch (error) {
      return problemOfFault(error, prepared?.headers ?? {});
    }
  }

  async #runKeyed(route: KeyedRoute, prepared: PreparedKey, edgeCall: EdgeCall): Promise<EdgeReply> {
    const { key, fingerprint, fingerprinter } = prepared;
    const tenantId = tenantOrThrow(await edgeCall.tenantOf());
    if (await this.#isKeyExpired(tenantId, key)) {
      return problemReply(problemFor(KEY_FAULT_REASONS.key_expired), prepared.headers);
    }
    // Status and headers are wanted past the body's retention, for as long as the key is remembered (H15).
    const keepDays = Math.max(DEFAULT_KEEP_DAYS, Math.ceil(route.retentionMs / DAY_MS));
    const waitMs = preferredWaitMs(
      edgeCall.headers.prefer as string | string[] | undefined,
      this.#options.maxWaitMs ?? MAX_WAIT_MS,
    );
    const call = { tenantId, key, operation: route.operation, fingerprint, keepDays, waitMs };
    const childKey = (name: string) => fingerprinter.derivedId('child', tenantId, key, name);
    let fresh: EdgeReply | undefined;
    const outcome = await this.#runner.run(call, async (tx) => {
      const made = await edgeCall.handle(tx, { key, tenantId, childKey });
      const expiresAt = this.#expiresAt(route);
      const headers = storedHeaders(route.headers, made.headers);
      const answer = encodeAnswer({ status: made.status, headers, expiresAt, body: made.body });
      // The bytes that are stored leave. Headers that are not on the route's list leave with the first answer only.
      const body = answer.subarray(answer.length - made.body.length);
      const answered = { status: made.status, headers: { ...made.headers, ...headers }, expiresAt, body };
      fresh = replyOf(answered, prepared.headers);
      return { kind: made.kind, answer };
    });
    if (outcome.kind !== 'completed' && outcome.kind !== 'refused') {
      return problemReply(problemOfOutcome(outcome), prepared.headers);
    }
    if (fresh !== undefined && !outcome.replayed) return fresh;
    return await this.#replay(prepared, edgeCall, decodeAnswer(outcome.answer));
  }

  async #replay({ headers }: PreparedKey, { current }: EdgeCall, stored: StoredAnswer): Promise<EdgeReply> {
    const replayed = { ...headers, [REPLAYED_HEADER]: 'true' };
    if (Date.parse(stored.expiresAt) > this.#now()) return replyOf(stored, replayed);
    if (current === undefined) return problemReply(problemOfOutcome({ kind: 'answer_expired' }), replayed);
    const { body: _, ...head } = stored;
    return replyOf({ ...stored, body: await current(head) }, replayed);
  }

  async #runWithoutKey({ handle }: EdgeCall): Promise<EdgeReply> {
    const work = async (tx: Transaction): Promise<SerialisedAnswer> => {
      const made = await handle(tx, undefined);
      if (made.kind === 'refused') throw new RolledBack(made);
      return made;
    };
    const scope = { timeoutMs: this.#handlerTimeoutMs };
    const { status, headers, body } = await rolledBackOr(scopedTransaction(this.#options.pool, work, scope));
    return { kind: 'answer', status, headers, body };
  }

  /** H16: a key that is too old to be remembered, and that is not, may have been used. */
  async #isKeyExpired(tenantId: string, key: string): Promise<boolean> {
    if (!isKeyExpired(key, this.#options.tombstoneMs ?? TOMBSTONE_MS, this.#now())) return false;
    return (await ask(this.#keys, tenantId, key)).kind === 'not_found';
  }

  #expiresAt({ retentionMs }: KeyedRoute): string {
    return new Date(this.#now() + retentionMs).toISOString();
  }
}

function replyOf({ status, headers, expiresAt, body }: StoredAnswer, keyed: Headers): EdgeReply {
  return { kind: 'answer', status, headers: { ...headers, ...keyed, [EXPIRES_HEADER]: expiresAt }, body };
}

function problemReply(problem: IdempotencyProblem, headers: Headers): Extract<EdgeReply, { kind: 'problem' }> {
  const again: Headers = problem.retryable ? { 'retry-after': RETRY_AFTER_SECONDS } : {};
  return { kind: 'problem', problem, headers: { ...headers, ...again } };
}

/** The one place where an outcome without an answer becomes a problem. */
function problemOfOutcome(outcome: Exclude<KeyedOutcome, { kind: 'completed' | 'refused' }>): IdempotencyProblem {
  const errors = outcome.kind === 'reused' ? differingFaults(outcome.differing) : undefined;
  return problemFor(OUTCOME_REASONS[outcome.kind], { errors });
}

/** @throws `error` itself when it is the application's own to answer */
function problemOfFault(error: unknown, headers: Headers): Extract<EdgeReply, { kind: 'problem' }> {
  const reason = storeFaultReason(error);
  if (reason === undefined) throw error;
  return problemReply(problemFor(reason), headers);
}

/** A reply as it leaves, where the application has no form of its own for problems: RFC 9457. */
export function writtenReply(reply: EdgeReply): { status: number; headers: Headers; body: Buffer } {
  if (reply.kind === 'answer') return reply;
  const { status, headers, body } = problemAnswer(reply.problem);
  return { status, headers: { ...headers, ...reply.headers }, body: Buffer.from(body) };
}

function tenantOrThrow(tenantId: unknown): string {
  if (typeof tenantId === 'string' && tenantId !== '') return tenantId;
  throw new Error('tenantOf(request) gave no tenant: authenticate in an earlier hook, and return whose request it is');
}
