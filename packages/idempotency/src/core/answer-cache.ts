/*
 * Caches of answers, asked before Postgres. A cache never grants the right to run, and may forget anything.
 *
 * K2, K6  Only what Postgres has committed is remembered, and only what can never change afterwards: the settled answer of
 *         a call without a fence. (A step of a saga may be sealed or fenced later, so its answers stay in Postgres.)
 */
import { hash } from 'node:crypto';
import type { Fingerprint } from './fingerprint.ts';
import { type Digest, isSameRequest } from './same-request.ts';

/** What a cache knows of a call. */
export interface CachedCall {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  /** The request as it came in, where its operation and these bytes say all that its fingerprint does. */
  bytes?: Buffer | undefined;
}

/** A request that has not been parsed yet. */
export type RawCall = Omit<CachedCall, 'fingerprint' | 'bytes'> & { bytes: Buffer };

export type SettledAnswer = { kind: 'completed' | 'refused'; answer: Buffer };

/** `in_progress`: another process seems to run it. Worth waiting for, never final. */
export type Recalled = SettledAnswer | { kind: 'in_progress' };

/** In the process, or shared by all processes. Its methods never throw: an unreachable cache behaves like an empty one. */
export interface AnswerCache {
  /** The answer to this very request, if it is known to be committed. */
  recall(call: CachedCall): Promise<Recalled | undefined>;
  /** Called when a run begins, before its transaction. */
  begin(call: CachedCall): void;
  /** Called after the commit. */
  settle(call: CachedCall, answer: SettledAnswer): void;
  /** Called when a run has ended without an answer. */
  giveUp(call: CachedCall): void;
  /** Returns when the key may have been settled, at the latest after `ms`. */
  untilSettled(call: CachedCall, ms: number): Promise<void>;
}

/** The cache of one process: the last answers, bounded by bytes. */
export interface LocalAnswers<Answer = SettledAnswer> {
  get(call: CachedCall): Answer | undefined;
  put(call: CachedCall, answer: Answer): void;
}

export interface RawAnswerCache<Answer> extends LocalAnswers<Answer> {
  /** As `get`, by the raw body that the answer was put with. */
  getByRawBody(call: RawCall): Answer | undefined;
}

interface Entry<Answer> {
  operation: string;
  /** Digests as strings: a Buffer is an object outside V8's heap, made and collected for 32 bytes. */
  print: string;
  bytesPrint: string | undefined;
  answer: Answer;
  size: number;
  forgetAtMs: number;
}

export interface LocalAnswersOptions {
  /** Of keys and answers together; the longest unused go first. */
  maxBytes?: number;
  /** How long an answer is given from here; shorter than any retention. */
  ttlMs?: number;
}

const ENTRY_OVERHEAD_BYTES = 400;
// The answers of ten seconds at 900 orders a second. What is kept is alive in the heap, which may grow by a share of that.
const DEFAULT_MAX_BYTES = 8 * 1_024 * 1_024;
const DEFAULT_TTL_MS = 60_000;

export function createLocalAnswers(options?: LocalAnswersOptions, now?: () => number): LocalAnswers {
  const answers = createLocalAnswersOf<SettledAnswer>(({ answer }) => answer.length, options, now);
  return { ...answers, put: (call, answer) => answers.put(call, { ...answer, answer: ownCopy(answer.answer) }) };
}

/** @param sizeOf how many bytes an answer takes */
export function createLocalAnswersOf<Answer>(
  sizeOf: (answer: Answer) => number,
  { maxBytes = DEFAULT_MAX_BYTES, ttlMs = DEFAULT_TTL_MS }: LocalAnswersOptions = {},
  now: () => number = () => performance.now(),
): RawAnswerCache<Answer> {
  const entries = new Map<string, Entry<Answer>>();
  let bytes = 0;
  const drop = (id: string, entry: Entry<Answer>) => {
    entries.delete(id);
    bytes -= entry.size;
  };
  const find = (
    call: Omit<RawCall, 'bytes'>,
    printIn: (entry: Entry<Answer>) => string | undefined,
    digest: Digest,
  ): Answer | undefined => {
    const id = callId(call);
    const entry = entries.get(id);
    if (entry === undefined) return undefined;
    if (entry.forgetAtMs <= now()) {
      drop(id, entry);
      return undefined;
    }
    // Another request under this key is Postgres's to refuse.
    const stored = { operation: entry.operation, fingerprint: printIn(entry) ?? null };
    if (!isSameRequest(stored, { operation: call.operation, fingerprint: { digest } })) return undefined;
    entries.delete(id);
    entries.set(id, entry);
    return entry.answer;
  };
  return {
    get: (call) => find(call, ({ print }) => print, call.fingerprint.digest),
    getByRawBody: (call) => find(call, ({ bytesPrint }) => bytesPrint, digestOf(call.bytes)),
    put(call, answer) {
      const id = callId(call);
      const known = entries.get(id);
      if (known !== undefined) drop(id, known);
      const { operation, fingerprint } = call;
      const size = 2 * (id.length + operation.length) + sizeOf(answer) + ENTRY_OVERHEAD_BYTES;
      const bytesPrint = call.bytes && digestOf(call.bytes);
      entries.set(id, {
        operation,
        print: printOf(fingerprint),
        bytesPrint,
        answer,
        size,
        forgetAtMs: now() + ttlMs,
      });
      bytes += size;
      if (bytes <= maxBytes) return;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        drop(oldest, entry);
      }
    },
  };
}

const printOf = ({ digest }: Fingerprint): string => digest.toString('latin1');

const digestOf = (bytes: Buffer): string => hash('sha256', bytes, 'binary');

/**
 * The bytes in memory of their own. A small Buffer is a part of a pool, all of which stays for as long as the part does: what
 * is remembered for a minute would hold several times what it counts.
 */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** Names a key within a process; a tenant's id has no space in it. */
export function callId({ tenantId, key }: Pick<CachedCall, 'tenantId' | 'key'>): string {
  return `${tenantId.length}:${tenantId} ${key}`;
}
