/*
 * A keyed call of a method, from its request to its outcome: what the servers of grpc-js and of Connect have in common. It knows
 * neither.
 *
 * K1  The handler's effect, the key's claim and the stored answer are one transaction. Nothing leaves before it commits.
 * K2  Replays are the stored bytes, of the message or of the refusal. A request that differs is refused.
 * G13 A caller that hangs up, or whose deadline has passed, ends nothing: the handler goes on, and its answer is stored.
 */
import { inSchema, type Pool } from '@holdfast/postgres';
import type { AnswerCache } from '../core/answer-cache.ts';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { parseKey } from '../core/new-key.ts';
import type { Settlement } from '../core/outcome.ts';
import { KEY_FAULT_REASONS } from '../core/outcome-reasons.ts';
import { isKeyExpired, TOMBSTONE_MS } from '../core/retention-clock.ts';
import { ask } from '../postgres/claims/read-claims.ts';
import { loadFingerprinter } from '../postgres/fingerprint-secret.ts';
import { createKeyedRunner, type KeyedOutcome, type KeyedRunner } from '../postgres/keyed-runner.ts';
import type { IdempotentCall } from './idempotent-call.ts';
import { KeyError } from './key-errors.ts';

/** Of a server, whatever its framework. */
export interface KeyedCallsOptions {
  /** Of the database that holds both the claims and the handlers' own tables. */
  pool: Pool;
  /** Where the tables of keys are. Default `holdfast`. */
  schema?: string | undefined;
  /** Shared by all processes, such as Redis. None: the same answers. */
  cache?: AnswerCache | undefined;
  /** How long a handler may run before it is rolled back. Default 10 s. */
  handlerTimeoutMs?: number;
  /** A key whose date is older than this and that is not known was forgotten, not new (H16). Default 30 days. */
  tombstoneMs?: number;
  /** In the ErrorInfo of errors of its own. Default `holdfast`. */
  domain?: string;
  /** Called with a handler's error that is not for the caller, who gets INTERNAL. */
  onError?: (error: unknown, path: string) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export interface KeyedRequest {
  /** `/shop.v1.Payments/Charge`: stored with the key. */
  path: string;
  /** What was sent as `idempotency-key`. */
  keys: string | string[] | undefined;
  /** Whose key it is. @throws what the caller is answered with who has no credentials */
  tenantOf: () => string;
  /** The message's fields, as JSON has them. */
  members: () => object;
  /** How long the caller goes on waiting. */
  remainingMs: number;
}

const HANDLER_TIMEOUT_MS = 10_000;
const MAX_WAIT_MS = 2_000;
const LOWEST_WAIT_MS = 20;

export class KeyedCalls {
  readonly domain: string;
  readonly onError: (error: unknown, path: string) => void;
  readonly now: () => number;
  readonly #pool: Pool;
  readonly #runner: KeyedRunner;
  readonly #tombstoneMs: number;
  #fingerprinter: Fingerprinter | undefined;

  constructor(options: KeyedCallsOptions) {
    this.domain = options.domain ?? 'holdfast';
    this.onError = options.onError ?? (() => {});
    this.now = options.now ?? Date.now;
    this.#tombstoneMs = options.tombstoneMs ?? TOMBSTONE_MS;
    this.#pool = inSchema(options.pool, options.schema);
    this.#runner = createKeyedRunner({
      pool: this.#pool,
      cache: options.cache,
      effectTimeoutMs: options.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS,
    });
  }

  /** @throws KeyError; what `effect`, `tenantOf` and the database throw: nothing is stored then */
  async run(
    { path, keys, tenantOf, members, remainingMs }: KeyedRequest,
    effect: (inHand: IdempotentCall) => Promise<Settlement>,
  ): Promise<KeyedOutcome> {
    this.#fingerprinter ??= await loadFingerprinter(this.#pool);
    const fingerprinter = this.#fingerprinter;
    const parsed = parseKey(keys);
    if (parsed.kind !== 'key') throw new KeyError(KEY_FAULT_REASONS[parsed.kind]);
    const { key } = parsed;
    const tenantId = tenantOf();
    if (isKeyExpired(key, this.#tombstoneMs, this.now())) {
      const known = await ask(this.#pool, tenantId, key);
      if (known.kind === 'not_found') throw new KeyError(KEY_FAULT_REASONS.key_expired);
    }
    const fingerprint = fingerprinter.of(path, members(), { nameMembers: true });
    const childKey = (name: string) => fingerprinter.derivedId('child', tenantId, key, name);
    // G5: half of what the caller has left.
    const waitMs = Math.max(Math.min(remainingMs / 2, MAX_WAIT_MS), LOWEST_WAIT_MS);
    return await this.#runner.run({ tenantId, key, operation: path, fingerprint, waitMs }, (tx) =>
      effect({ tx, key, tenantId, childKey }),
    );
  }
}
