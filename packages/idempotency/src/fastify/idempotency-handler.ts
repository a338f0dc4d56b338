/*
 * From a keyed request to its answer.
 *
 * K1  The handler's effect, the key's claim and the stored answer are one transaction. Nothing is sent before it commits.
 * K2  Replays are the stored bytes. A request that differs is refused.
 * H9  No response hook stores anything: the answer to a duplicate, or of an error handler, can't overwrite a record.
 */
import type { Transaction } from '@holdfast/postgres';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Fingerprint, Fingerprinter } from '../core/fingerprint.ts';
import { KEY_FAULT_REASONS } from '../core/outcome-reasons.ts';
import { DAY_MS, DEFAULT_KEEP_DAYS, isKeyExpired, TOMBSTONE_MS } from '../core/retention-clock.ts';
import { EXPIRES_HEADER, KEY_HEADER, keyHeaders, keyIn, REPLAYED_HEADER } from '../http/key-headers.ts';
import { preferredWaitMs } from '../http/prefer.ts';
import { type IdempotencyProblem, problemFor, RETRY_AFTER_SECONDS } from '../http/problem.ts';
import { decodeAnswer, encodeAnswer, type StoredAnswer, storedHeaders } from '../http/stored-answer.ts';
import { ask } from '../postgres/claims/read-claims.ts';
import { loadFingerprinter } from '../postgres/fingerprint-secret.ts';
import { createKeyedRunner, type KeyedOutcome, type KeyedRunner } from '../postgres/keyed-runner.ts';
import { RolledBack, rolledBackOr } from '../postgres/scope/rolled-back.ts';
import { scopedTransaction } from '../postgres/scope/scoped-transaction.ts';
import type { HandlerAnswer, IdempotentCall } from './idempotent.ts';
import type { KeyedRoute } from './keyed-route.ts';
import type { IdempotencyOptions } from './options.ts';
import { problemOfError, problemOfOutcome, sendProblem } from './problem.ts';
import { requestMembers } from './request-members.ts';

const MAX_WAIT_MS = 5_000;
const HANDLER_TIMEOUT_MS = 10_000;

/** What the hooks have read before the handler runs. */
interface Keyed {
  key: string;
  fingerprinter: Fingerprinter;
  fingerprint: Fingerprint;
}

export class IdempotencyHandler {
  readonly #options: IdempotencyOptions;
  readonly #runner: KeyedRunner;
  readonly #now: () => number;
  readonly #handlerTimeoutMs: number;
  readonly #keys = new WeakMap<FastifyRequest, string>();
  readonly #keyed = new WeakMap<FastifyRequest, Keyed>();
  #fingerprinter: Fingerprinter | undefined;

  constructor(options: IdempotencyOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#handlerTimeoutMs = options.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS;
    const { pool, cache } = options;
    this.#runner = createKeyedRunner({ pool, cache, effectTimeoutMs: this.#handlerTimeoutMs });
  }

  /** Answers a request whose key is missing or malformed (H1, H2). */
  checkKey(route: KeyedRoute, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const parsed = keyIn(request.headers);
    if (parsed.kind === 'key') {
      this.#keys.set(request, parsed.key);
      // Until an answer is found that has an expiry of its own.
      reply.headers(keyHeaders({ key: parsed.key, replayed: false, expiresAt: this.#expiresAt(route) }));
      return undefined;
    }
    if (parsed.kind === 'missing' && !route.required) return undefined;
    return this.#send(reply, problemFor(KEY_FAULT_REASONS[parsed.kind]));
  }

  async takeFingerprint(
    route: KeyedRoute,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> {
    const key = this.#keys.get(request);
    if (key === undefined) return undefined;
    try {
      this.#fingerprinter ??= await loadFingerprinter(this.#options.pool);
    } catch (error) {
      return this.#fail(reply, error);
    }
    const members = requestMembers(request, route.redact);
    const fingerprint = this.#fingerprinter.of(route.operation, members, { nameMembers: true });
    this.#keyed.set(request, { key, fingerprinter: this.#fingerprinter, fingerprint });
    return undefined;
  }

  /** @throws what the handler throws, after the rollback; the application's error handler answers it */
  async handle(route: KeyedRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const keyed = this.#keyed.get(request);
    try {
      return keyed === undefined
        ? await this.#handleWithoutKey(route, request, reply)
        : await this.#handleKeyed(route, keyed, request, reply);
    } catch (error) {
      return this.#fail(reply, error);
    }
  }

  async #handleKeyed(
    route: KeyedRoute,
    { key, fingerprint, fingerprinter }: Keyed,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    // Status and headers are wanted past the body's retention, for as long as the key is remembered (H15).
    const keepDays = Math.max(DEFAULT_KEEP_DAYS, Math.ceil(route.retentionMs / DAY_MS));
    const call = { tenantId: this.#tenantOf(request), key, operation: route.operation, fingerprint, keepDays };
    if (await this.#isKeyExpired(call.tenantId, key)) {
      return this.#send(reply, problemFor(KEY_FAULT_REASONS.key_expired));
    }
    const inHand: IdempotentCall = {
      key,
      tenantId: call.tenantId,
      childKey: (name) => fingerprinter.derivedId('child', call.tenantId, key, name),
    };
    const waitMs = preferredWaitMs(request.headers.prefer, this.#options.maxWaitMs ?? MAX_WAIT_MS);
    let fresh: StoredAnswer | undefined;
    const outcome = await this.#runner.run({ ...call, waitMs }, async (tx) => {
      const made = await route.handler(request, tx, inHand);
      // Serialised inside the transaction: an answer that can't be leaves nothing done.
      const stored = this.#storedAnswer(route, reply, made);
      const answer = encodeAnswer(stored);
      // The bytes that are stored leave. Headers that are not on the route's list leave with the first answer only.
      const body = answer.subarray(answer.length - stored.body.length);
      fresh = { ...stored, body, headers: { ...made.headers, ...stored.headers } };
      return { kind: made.kind, answer };
    });
    return await this.#answer(route, request, reply, outcome, fresh);
  }

  async #answer(
    route: KeyedRoute,
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: KeyedOutcome,
    fresh: StoredAnswer | undefined,
  ): Promise<FastifyReply> {
    switch (outcome.kind) {
      case 'completed':
      case 'refused':
        if (fresh !== undefined && !outcome.replayed) return this.#reply(reply, fresh);
        return await this.#replay(route, request, reply, decodeAnswer(outcome.answer));
      default:
        return this.#send(reply, problemOfOutcome(outcome));
    }
  }

  async #replay(
    route: KeyedRoute,
    request: FastifyRequest,
    reply: FastifyReply,
    stored: StoredAnswer,
  ): Promise<FastifyReply> {
    reply.header(REPLAYED_HEADER, 'true');
    if (Date.parse(stored.expiresAt) > this.#now()) return this.#reply(reply, stored);
    if (route.current === undefined) {
      return this.#send(reply, problemOfOutcome({ kind: 'answer_expired' }));
    }
    const { body: _, ...head } = stored;
    reply.code(stored.status);
    const body = serialised(reply, await route.current(request, head));
    return this.#reply(reply, { ...stored, body });
  }

  async #handleWithoutKey(route: KeyedRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const work = async (tx: Transaction): Promise<StoredAnswer> => {
      const made = await route.handler(request, tx, undefined);
      const stored = this.#storedAnswer(route, reply, made);
      const answer = { ...stored, headers: { ...made.headers, ...stored.headers } };
      if (made.kind === 'refused') throw new RolledBack(answer);
      return answer;
    };
    const scope = { timeoutMs: this.#handlerTimeoutMs };
    const answer = await rolledBackOr(scopedTransaction(this.#options.pool, work, scope));
    return this.#reply(reply, answer);
  }

  /** H16: a key that is too old to be remembered, and that is not, may have been used. */
  async #isKeyExpired(tenantId: string, key: string): Promise<boolean> {
    if (!isKeyExpired(key, this.#options.tombstoneMs ?? TOMBSTONE_MS, this.#now())) return false;
    return (await ask(this.#options.pool, tenantId, key)).kind === 'not_found';
  }

  #storedAnswer(route: KeyedRoute, reply: FastifyReply, { status, body, headers }: HandlerAnswer): StoredAnswer {
    // The response schema is chosen by the status.
    reply.code(status);
    const typed = contentTypeOf(body);
    const kept = storedHeaders(route.headers, headers);
    if (typed !== undefined) kept['content-type'] ??= typed;
    const expiresAt = this.#expiresAt(route);
    return { status, headers: kept, expiresAt, body: serialised(reply, body) };
  }

  #reply(reply: FastifyReply, { status, headers, expiresAt, body }: StoredAnswer): FastifyReply {
    reply.code(status).headers(headers);
    if (reply.hasHeader(KEY_HEADER)) reply.header(EXPIRES_HEADER, expiresAt);
    return body.length === 0 && headers['content-type'] === undefined ? reply.send() : reply.send(body);
  }

  #expiresAt({ retentionMs }: KeyedRoute): string {
    return new Date(this.#now() + retentionMs).toISOString();
  }

  #tenantOf(request: FastifyRequest): string {
    const tenantId = this.#options.tenantOf(request);
    if (typeof tenantId !== 'string' || tenantId === '') {
      throw new Error(
        'tenantOf(request) gave no tenant: authenticate in an earlier hook, and return whose request it is',
      );
    }
    return tenantId;
  }

  /** @throws `error` itself when it is not the store's */
  #fail(reply: FastifyReply, error: unknown): FastifyReply {
    const known = problemOfError(error);
    if (known === undefined) throw error;
    return this.#send(reply, known);
  }

  #send(reply: FastifyReply, problem: IdempotencyProblem): FastifyReply {
    if (problem.retryable) reply.header('retry-after', RETRY_AFTER_SECONDS);
    return (this.#options.sendProblem ?? sendProblem)(reply, problem);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

function contentTypeOf(body: unknown): string | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return 'text/plain; charset=utf-8';
  return Buffer.isBuffer(body) ? 'application/octet-stream' : JSON_TYPE;
}

/** The body's bytes as they will leave: JSON by the route's response schema, strings and buffers as they are. */
function serialised(reply: FastifyReply, body: unknown): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : (reply.serialize(body as object) as string));
}
