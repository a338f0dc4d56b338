/*
 * Redis as the answer cache that all processes share: answers, runs in progress, and wake-ups for the calls that wait.
 *
 * K2, K6  It holds what Postgres has committed and nothing else. Each entry carries a MAC under this database's own secret,
 *         so an entry of another database, of this one's past or of a stranger is not an answer.
 * H7  A run is marked for at most a second: the mark of a dead process delays duplicates no longer.
 * H19 Away, flushed, stale or slow: every question is bounded, and no answer means that Postgres is asked.
 * H23 Neither keys nor tenants are readable there: entries are named by a keyed digest.
 *
 * All that belongs to a key shares a hash tag, so it lives in one slot of a Cluster.
 */
import { hash, randomUUID } from 'node:crypto';
import type { AnswerCache, CachedCall, Recalled, SettledAnswer } from '../core/answer-cache.ts';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { type BoundedRedisOptions, createBoundedRedis, type RedisClient } from './bounded-redis.ts';
import { createWakeUps } from './wake-ups.ts';

export interface RedisAnswersOptions extends BoundedRedisOptions {
  redis: RedisClient;
  /** Of the database whose answers these are. */
  fingerprinter: Fingerprinter;
  /** How long an answer is kept; at most the shortest retention of any route. Default 1 hour. */
  ttlMs?: number;
  /** Longer answers stay in Postgres only. Default 64 KiB. */
  maxAnswerBytes?: number;
}

export interface RedisAnswers extends AnswerCache {
  /** Closes what it has opened beside the client that was handed in, which stays open. */
  close(): void;
}

const TTL_MS = 60 * 60 * 1_000;
const MAX_ANSWER_BYTES = 64 * 1_024;
const RUNNING_MS = 1_000;
/** A waiting duplicate also looks by itself, in case no message wakes it. */
const POLL_MS = 50;

// Deletes our own mark only, never that of the next run.
const GIVE_UP = `if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end`;

export function createRedisAnswers(options: RedisAnswersOptions): RedisAnswers {
  const { fingerprinter, ttlMs = TTL_MS, maxAnswerBytes = MAX_ANSWER_BYTES } = options;
  const bounded = createBoundedRedis(options.redis, options);
  const wakeUps = createWakeUps(options.redis);

  const known = new WeakMap<CachedCall, Entry>();
  const entryOf = (call: CachedCall): Entry => {
    const existing = known.get(call);
    if (existing !== undefined) return existing;
    const tag = `holdfast:{${fingerprinter.derivedId('redis', call.tenantId, call.key)}}`;
    const entry = { tag, answer: `${tag}:answer`, running: `${tag}:running`, digest: digestOf(call), mark: '' };
    known.set(call, entry);
    return entry;
  };
  const seal = (tag: string, content: Buffer) =>
    fingerprinter.derivedId('redis answer', tag, hash('sha256', content, 'base64url'));

  const recall = async (call: CachedCall): Promise<Recalled | undefined> => {
    const { tag, answer, running, digest } = entryOf(call);
    const [stored, mark] = (await bounded.ask((redis) => redis.mgetBuffer(answer, running))) ?? [];
    const settled = stored ? openEntry(digest, stored, (content) => seal(tag, content)) : undefined;
    if (settled !== undefined || !mark?.toString().startsWith(`${digest} `)) return settled;
    // A mark that does not expire was not set by a run. One that has expired since leaves no run to wait for.
    const leftMs = (await bounded.ask((redis) => redis.pttl(running))) ?? 0;
    return leftMs > 0 && leftMs <= RUNNING_MS ? { kind: 'in_progress' } : undefined;
  };

  return {
    recall,
    begin(call) {
      const entry = entryOf(call);
      entry.mark = `${entry.digest} ${randomUUID()}`;
      bounded.send((redis) => redis.set(entry.running, entry.mark, 'PX', RUNNING_MS, 'NX'));
    },
    settle(call, settled) {
      const { tag, answer, running, digest } = entryOf(call);
      const content = entryContent(digest, settled);
      bounded.send(async (redis) => {
        if (content.length <= maxAnswerBytes) {
          await redis.set(answer, Buffer.concat([Buffer.from(seal(tag, content)), content]), 'PX', ttlMs);
        }
        await Promise.all([redis.del(running), redis.publish(tag, '')]);
      });
    },
    giveUp(call) {
      const { tag, running, mark } = entryOf(call);
      bounded.send((redis) => Promise.all([redis.eval(GIVE_UP, 1, running, mark), redis.publish(tag, '')]));
    },
    async untilSettled(call, ms) {
      const { tag } = entryOf(call);
      const mayBeWoken = bounded.isUsable && wakeUps.isUsable;
      await wakeUps.wait(tag, mayBeWoken ? ms : Math.min(ms, POLL_MS), async () => {
        // Settled between our look and our subscription: no message will come any more.
        const known = await recall(call);
        return known !== undefined && known.kind !== 'in_progress';
      });
    },
    close: () => wakeUps.close(),
  };
}

/** What a call's entries are called, and what they begin with; made once for a call, which asks several times. */
interface Entry {
  tag: string;
  answer: string;
  running: string;
  /** Of the very request. */
  digest: string;
  /** Of this process's run, once it has begun. */
  mark: string;
}

const SEAL_LENGTH = 36;
const NEWLINE = 0x0a;

function digestOf({ operation, fingerprint }: CachedCall): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${operation}\0`), fingerprint.digest]), 'base64url');
}

/** One line with the kind of answer and the digest of its request, then the answer's bytes. */
function entryContent(digest: string, { kind, answer }: SettledAnswer): Buffer {
  return Buffer.concat([Buffer.from(`1 ${kind} ${digest}\n`), answer]);
}

/** @param sent the digest of the request that asks */
function openEntry(sent: string, stored: Buffer, seal: (content: Buffer) => string): SettledAnswer | undefined {
  const content = stored.subarray(SEAL_LENGTH);
  if (stored.subarray(0, SEAL_LENGTH).toString() !== seal(content)) return undefined;
  const end = content.indexOf(NEWLINE);
  const [version, kind, digest] = content.subarray(0, end).toString().split(' ');
  // Another request under this key is Postgres's to refuse, and so is what another release has written.
  if (version !== '1' || digest !== sent || (kind !== 'completed' && kind !== 'refused')) return undefined;
  return { kind, answer: content.subarray(end + 1) };
}
