/*
 * Consumes a Redis stream as one of a group: each entry goes to one consumer, and comes again until it is handled.
 *
 * E4  An entry is acknowledged after its effects are committed. A consumer that dies in between leaves it pending; another
 *     claims it, and finds its note in the inbox (K1: `handle` writes the note in the transaction of the effects).
 * E5  A poison entry blocks no other: its batch is split, and it is tried again alone, each time later. After `maxAttempts` it
 *     goes to the dead-letter stream `<stream>:failed:<group>`, with the reason, for an operator.
 * E6  An unreachable store is no fault of an entry: the batch waits for it, and counts no attempt.
 * E7  Redis may be away, or have lost the stream, the group or what was pending: the consumer waits, and makes the group anew
 *     from the stream's beginning. What comes again finds its note. The stream is the relay's to make: were it made
 *     here, the relay would not see that Redis has lost it (E3).
 * E8  An entry without a right MAC never reaches `handle`: it is set aside at once, as much of it as is safe to keep.
 * K7  No transaction is open while Redis is asked, every wait ends; batches and the dead-letter stream are bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { classifyPostgresError } from '@holdfast/postgres';
import type { EventSeal } from './event-seal.ts';
import type { RedisClient } from './redis-client.ts';

export interface StreamEntry {
  /** The stream's own; another one each time that the event is relayed. */
  id: string;
  fields: Record<string, string>;
}

export interface StreamConsumerOptions {
  /** Its own, since it blocks on it. The caller closes it, after stop(). */
  redis: RedisClient;
  stream: string;
  /** Tells the publisher's entries from those of others. */
  seal: EventSeal;
  /** The consumer group: one for all processes of a service. Stored data. */
  group: string;
  /** Which process this is; unique. */
  consumer: string;
  /** Commits the effects of all of these entries in one transaction, or throws and has changed nothing. */
  handle: (entries: StreamEntry[]) => Promise<void>;
  /** Entries at a time. Default 100. */
  batch?: number;
  retry?: Partial<StreamRetry>;
  /** Called with the number of entries that were acknowledged. */
  onDone?: (entries: number) => void;
  /** Called with an entry that failed, and what happens to it next. */
  onFailed?: (failed: FailedEntry) => void;
  /** Called once when it begins to wait for Redis or the store, and once when it goes on. */
  onChange?: (state: 'waiting' | 'going on', reason: string) => void;
}

export interface StreamRetry {
  /** How long an entry stays with a consumer that does not acknowledge it; twice as long after each attempt. Default 5 s. */
  baseMs: number;
  /** Default 5 min. */
  capMs: number;
  /** Default 10, which takes about 20 minutes. */
  maxAttempts: number;
}

export interface FailedEntry {
  entry: StreamEntry;
  error: Error;
  attempts: number;
  next: 'tried again' | 'set aside';
}

/** An entry that its publisher has not written, or not like this. */
export class ForgedEntry extends Error {
  override name = 'ForgedEntry';
  constructor() {
    super('its MAC is missing, wrong, or of a key that is not given here: it was not believed and changed nothing');
  }
}

export interface StreamConsumer {
  /** Resolves when the entries it has are handled. */
  stop(): Promise<void>;
}

const BATCH = 100;
const RETRY: StreamRetry = { baseMs: 5_000, capMs: 300_000, maxAttempts: 10 };
/** Less than a client waits for an answer, and what a stop may take. */
const BLOCK_MS = 500;
const CONNECT_MS = 2_000;
const LOOK_EVERY_MS = 1_000;
const LOOK_AT_MOST = 1_000;
const PAUSE = { baseMs: 100, capMs: 5_000 };
/** Locked rows, a statement that takes too long: tried again at once, this often. */
const CONTENDED_ATTEMPTS = 3;
const SET_ASIDE_AT_MOST = 10_000;
const GONE_AFTER_MS = 24 * 60 * 60 * 1_000;
const MAX_REASON = 500;
/** Of an entry that a stranger has written: more could stop the script that sets it aside, or fill Redis. */
const FORGED_MEMBERS = 20;
const FORGED_CHARACTERS = 500;

// One consumer alone acknowledges it, and writes the dead letter.
const SET_ASIDE = `
  if redis.call('xack', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
  redis.call('xadd', KEYS[2], 'maxlen', '~', ARGV[3], '*', 'entryId', ARGV[2], unpack(ARGV, 4))
  return 1`;

// Every process has its own name in the group. Of those that hold nothing: the one that is named, and those long gone.
const FORGET_CONSUMERS = `
  for _, consumer in ipairs(redis.call('xinfo', 'consumers', KEYS[1], ARGV[1])) do
    local holdsNothing = consumer[4] == 0
    if holdsNothing and (consumer[2] == ARGV[2] or consumer[6] > tonumber(ARGV[3])) then
      redis.call('xgroup', 'delconsumer', KEYS[1], ARGV[1], consumer[2])
    end
  end`;

type Handled = { kind: 'completed' } | { kind: 'failed'; error: Error } | { kind: 'in_progress' };
type RawEntry = [id: string, fields: string[] | null] | null;
type PendingEntry = [id: string, consumer: string, idleMs: number, attempts: number];

/** Consumes in the background until stopped. */
export function consumeStream(options: StreamConsumerOptions): StreamConsumer {
  const member = new GroupMember(options);
  const running = member.run();
  return {
    async stop() {
      member.stop();
      await running;
    },
  };
}

class GroupMember {
  readonly #options: StreamConsumerOptions;
  readonly #redis: RedisClient;
  readonly #retry: StreamRetry;
  readonly #stopping = new AbortController();
  #isMember = false;
  #isWaiting = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamConsumerOptions) {
    this.#options = options;
    this.#redis = options.redis;
    this.#retry = { ...RETRY, ...options.retry };
  }

  stop(): void {
    this.#stopping.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    await untilConnected(this.#redis, signal);
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#consumeOnce(signal);
        this.#goOn();
        failures = 0;
      } catch (error) {
        // E7. Whatever it was, the group may be gone with it: asked for again, which does no harm.
        this.#isMember = false;
        failures += 1;
        await this.#wait(failures, error as Error);
      }
    }
    // Not done: its name stays in the group until others find it long gone.
    if (this.#isMember) await this.#forgetConsumers(this.#options.consumer).catch(() => undefined);
  }

  async #consumeOnce(signal: AbortSignal): Promise<void> {
    this.#isMember ||= await this.#join();
    if (!this.#isMember) return await pause(BLOCK_MS, signal);
    await this.#handleBatch(await this.#genuineOf(await this.#claimDue()));
    if (!signal.aborted) await this.#handleBatch(await this.#genuineOf(await this.#readNew()));
  }

  /** @returns false as long as the stream does not exist */
  async #join(): Promise<boolean> {
    const { stream, group } = this.#options;
    try {
      await this.#redis.xgroup('CREATE', stream, group, '0');
    } catch (error) {
      const { message } = error as Error;
      if (/requires the key to exist/.test(message)) return false;
      if (!message.startsWith('BUSYGROUP')) throw error;
    }
    await this.#forgetConsumers('');
    return true;
  }

  async #forgetConsumers(named: string): Promise<void> {
    const { stream, group } = this.#options;
    await this.#redis.eval(FORGET_CONSUMERS, 1, stream, group, named, GONE_AFTER_MS);
  }

  /**
   * What others have left, or this one has failed at: for long enough, by how often it was tried. XAUTOCLAIM would know one
   * time for all of them.
   */
  async #claimDue(): Promise<StreamEntry[]> {
    const { stream, group, consumer, batch = BATCH } = this.#options;
    const { baseMs, capMs } = this.#retry;
    if (performance.now() - this.#lookedAtMs < Math.min(LOOK_EVERY_MS, baseMs)) return [];
    this.#lookedAtMs = performance.now();
    const pending = await this.#redis.xpending(stream, group, 'IDLE', baseMs, '-', '+', LOOK_AT_MOST);
    const due = (pending as PendingEntry[])
      .filter(([, , idleMs, attempts]) => idleMs >= Math.min(capMs, baseMs * 2 ** (attempts - 1)))
      .slice(0, batch)
      .map(([id]) => id);
    if (due.length === 0) return [];
    // The first consumer to claim it gets it: then it is no longer idle. Trimmed entries do not come.
    return entriesOf((await this.#redis.call('xclaim', stream, group, consumer, baseMs, ...due)) as RawEntry[]);
  }

  async #readNew(): Promise<StreamEntry[]> {
    const { stream, group, consumer, batch = BATCH } = this.#options;
    const what = ['COUNT', batch, 'BLOCK', BLOCK_MS, 'STREAMS', stream, '>'] as const;
    const answer = await this.#redis.xreadgroup('GROUP', group, consumer, ...what);
    const [first] = (answer ?? []) as [string, RawEntry[]][];
    return entriesOf(first?.[1] ?? []);
  }

  /** E8. The others are set aside. */
  async #genuineOf(entries: StreamEntry[]): Promise<StreamEntry[]> {
    const { stream, seal } = this.#options;
    const { genuine = [], forged = [] } = Object.groupBy(entries, ({ fields }) =>
      seal.isGenuine(stream, fields) ? 'genuine' : 'forged',
    );
    for (const { id, fields } of forged) {
      const kept = Object.entries(fields)
        .slice(0, FORGED_MEMBERS)
        .map((member) => member.map((text) => text.slice(0, FORGED_CHARACTERS)));
      await this.#setAside({ id, fields: Object.fromEntries(kept) }, new ForgedEntry(), 1);
    }
    return genuine;
  }

  async #handleBatch(entries: StreamEntry[]): Promise<void> {
    const { stream, group, onDone = () => {} } = this.#options;
    const [entry] = entries;
    if (entry === undefined) return;
    const handled = await this.#tryToHandle(entries);
    // crash here: the effects are committed and the entries pending; they come again, and find their notes (E4).
    if (handled.kind === 'completed') {
      await this.#redis.xack(stream, group, ...entries.map(({ id }) => id));
      onDone(entries.length);
    } else if (handled.kind === 'failed' && entries.length > 1) {
      for (const one of entries) await this.#handleBatch([one]);
    } else if (handled.kind === 'failed') {
      await this.#fail(entry, handled.error);
    }
  }

  async #tryToHandle(entries: StreamEntry[]): Promise<Handled> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#options.handle(entries);
        this.#goOn();
        return { kind: 'completed' };
      } catch (thrown) {
        const error = thrown as Error;
        const fault = faultOf(error);
        const isTheirs = fault === 'of the entry' || (fault === 'contended' && attempt >= CONTENDED_ATTEMPTS);
        if (isTheirs) return { kind: 'failed', error };
        // E6. They stay pending, and the next consumer handles them.
        if (this.#stopping.signal.aborted) return { kind: 'in_progress' };
        await this.#wait(attempt, error);
      }
    }
  }

  /** E5 */
  async #fail(entry: StreamEntry, error: Error): Promise<void> {
    const { stream, group } = this.#options;
    const pending = await this.#redis.xpending(stream, group, entry.id, entry.id, 1);
    const attempts = (pending as PendingEntry[])[0]?.[3] ?? 1;
    if (attempts >= this.#retry.maxAttempts) return await this.#setAside(entry, error, attempts);
    this.#options.onFailed?.({ entry, error, attempts, next: 'tried again' });
  }

  async #setAside(entry: StreamEntry, error: Error, attempts: number): Promise<void> {
    const { stream, group } = this.#options;
    const reason = `${error.name}: ${error.message}`.slice(0, MAX_REASON);
    const fields = [...Object.entries(entry.fields).flat(), 'reason', reason, 'attempts', attempts];
    const keys = [stream, `${stream}:failed:${group}`];
    const done = await this.#redis.eval(SET_ASIDE, 2, ...keys, group, entry.id, SET_ASIDE_AT_MOST, ...fields);
    if (done === 1) this.#options.onFailed?.({ entry, error, attempts, next: 'set aside' });
  }

  async #wait(attempt: number, error: Error): Promise<void> {
    if (!this.#isWaiting) this.#options.onChange?.('waiting', error.message);
    this.#isWaiting = true;
    await pause(Math.min(PAUSE.capMs, PAUSE.baseMs * 2 ** Math.min(attempt, 10)), this.#stopping.signal);
  }

  #goOn(): void {
    if (this.#isWaiting) this.#options.onChange?.('going on', 'it answers');
    this.#isWaiting = false;
  }
}

/** 57014: the statement took too long, which may well be the entry's doing; every other silence is the store's. */
function faultOf(error: Error & { code?: string }): 'of the store' | 'contended' | 'of the entry' {
  const fault = classifyPostgresError(error);
  if (fault === 'contended' || error.code === '57014') return 'contended';
  return fault === 'unavailable' ? 'of the store' : 'of the entry';
}

function entriesOf(raw: RawEntry[]): StreamEntry[] {
  return raw.flatMap((entry) => {
    // Trimmed while it was pending.
    if (entry === null || entry[1] === null) return [];
    const [id, flat] = entry;
    const names = flat.filter((_, at) => at % 2 === 0);
    return [{ id, fields: Object.fromEntries(names.map((name, at) => [name, flat[at * 2 + 1] ?? ''])) }];
  });
}

/** A client that has just been made is not away: it is given a moment. */
async function untilConnected(redis: RedisClient, signal: AbortSignal): Promise<void> {
  if (redis.status === 'ready') return;
  const over = new AbortController();
  const end = () => over.abort();
  redis.once('ready', end);
  await pause(CONNECT_MS, AbortSignal.any([signal, over.signal]));
  redis.removeListener('ready', end);
}

/** Resolves after `ms`, or at once when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
