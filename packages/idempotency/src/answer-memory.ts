/*
 * What may answer before Postgres is asked. It never grants the right to run, and nothing is lost when it forgets.
 *
 * K2, K6  Only what Postgres has committed is remembered, and only what can never change afterwards: the settled answer of
 *         a call without a fence. (A step of a saga may be sealed or fenced later, so its answers stay in Postgres.)
 */
import type { Fingerprint } from './fingerprint.ts';

/** A key, as far as a memory has to know it. */
export interface RememberedCall {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
}

export type SettledAnswer = { kind: 'executed' | 'refused'; answer: Buffer };

/** `running`: another process is at it, as far as is known; worth waiting for, never a final word. */
export type Recalled = SettledAnswer | { kind: 'running' };

/** In the process, or shared by all of them. Its methods never throw: what cannot be reached is as if it were empty. */
export interface AnswerMemory {
  /** The answer to this very request, if it is known to be committed. */
  recall(call: RememberedCall): Promise<Recalled | undefined>;
  /** Called when a run begins, before its transaction. */
  begin(call: RememberedCall): void;
  /** Called after the commit. */
  settle(call: RememberedCall, answer: SettledAnswer): void;
  /** Called when a run has ended without an answer. */
  giveUp(call: RememberedCall): void;
  /** Returns when the key may have been settled, at the latest after `ms`. */
  untilSettled(call: RememberedCall, ms: number): Promise<void>;
}

/** The in-process memory: the last answers, bounded by bytes. */
export interface LocalAnswers {
  get(call: RememberedCall): SettledAnswer | undefined;
  put(call: RememberedCall, answer: SettledAnswer): void;
}

interface Entry {
  operation: string;
  digest: Buffer;
  answer: SettledAnswer;
  bytes: number;
  forgetAtMs: number;
}

const ENTRY_OVERHEAD_BYTES = 300;
const DEFAULT_MAX_BYTES = 16 * 1_024 * 1_024;
const DEFAULT_TTL_MS = 60_000;

/**
 * @param maxBytes of keys and answers together; the longest unused go first
 * @param ttlMs how long an answer is given from here; shorter than any retention
 */
export function createLocalAnswers(
  { maxBytes = DEFAULT_MAX_BYTES, ttlMs = DEFAULT_TTL_MS } = {},
  now: () => number = () => performance.now(),
): LocalAnswers {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const drop = (id: string, entry: Entry) => {
    entries.delete(id);
    bytes -= entry.bytes;
  };
  return {
    get(call) {
      const id = callId(call);
      const entry = entries.get(id);
      if (entry === undefined) return undefined;
      if (entry.forgetAtMs <= now()) {
        drop(id, entry);
        return undefined;
      }
      // Another request under this key is Postgres's to refuse.
      if (entry.operation !== call.operation || !entry.digest.equals(call.fingerprint.digest)) return undefined;
      entries.delete(id);
      entries.set(id, entry);
      return entry.answer;
    },
    put(call, answer) {
      const id = callId(call);
      const known = entries.get(id);
      if (known !== undefined) drop(id, known);
      const { operation, fingerprint } = call;
      const size = 2 * (id.length + operation.length) + answer.answer.length + ENTRY_OVERHEAD_BYTES;
      const kept = { digest: ownCopy(fingerprint.digest), answer: { ...answer, answer: ownCopy(answer.answer) } };
      entries.set(id, { operation, ...kept, bytes: size, forgetAtMs: now() + ttlMs });
      bytes += size;
      if (bytes <= maxBytes) return;
      for (const [oldest, entry] of entries) {
        if (bytes <= maxBytes) break;
        drop(oldest, entry);
      }
    },
  };
}

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
export function callId({ tenantId, key }: Pick<RememberedCall, 'tenantId' | 'key'>): string {
  return `${tenantId.length}:${tenantId} ${key}`;
}
