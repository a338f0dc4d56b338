import { fullJitterMs } from '@holdfast/resilience';
import type { SagaDefinition } from '../definition/definition.ts';
import { CheckpointWriter, type WriterStats } from '../journal/checkpoint-writer.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import { FencedSagas } from '../run/fenced-sagas.ts';
import type { SagaRunContext } from '../run/saga-run-context.ts';
import type { EngineOptions } from './engine-options.ts';
import type { Clock } from './ports.ts';
import { ProcessLease } from './process-lease.ts';

/** What exists from one registration of this process to the loss of its lease. */
export interface Term {
  ownerId: number;
  lease: ProcessLease;
  writer: CheckpointWriter;
  /** By definition's name. */
  contexts: Map<string, SagaRunContext>;
}

interface TermParts {
  options: EngineOptions;
  leaseMs: number;
  clock: Clock;
  random: () => number;
  /** Counted into, so that counts outlive the term. */
  stats: WriterStats;
  publish: (snapshot: SagaSnapshot) => void;
  /** Called once, when the lease is lost for good. */
  onLost: (why: string) => void;
}

/** What all terms of a process share. */
export interface TermsParts extends Omit<TermParts, 'onLost'> {
  /** Whether this process is to run sagas. */
  isWanted: () => boolean;
  /** Called when a lease is lost for good, before a new one is asked for. */
  lost: (ownerId: number | null, why: string) => void;
}

const REOPEN = { baseMs: 100, capMs: 2_000 };

/** The term of this process, and after a lost lease the next one, as long as it is wanted. */
export class Terms {
  #current: Term | null = null;
  #cancelReopen = () => {};
  readonly #parts: TermsParts;

  constructor(parts: TermsParts) {
    this.#parts = parts;
  }

  get current(): Term | null {
    return this.#current;
  }

  /** @throws what `pg` throws when the database cannot be reached */
  async open(): Promise<void> {
    this.#current = await openTerm({ ...this.#parts, onLost: (why) => this.#lose(why) });
  }

  /** No other follows the current one. */
  endWithCurrent(): void {
    this.#cancelReopen();
  }

  /** Nothing more is written under it. @returns the one that was current */
  end(): Term | null {
    const term = this.#current;
    term?.writer.close();
    this.#current = null;
    return term;
  }

  /** Ends it as a crash would: the lease is left to run out. */
  abandon(): void {
    this.endWithCurrent();
    this.#current?.lease.abandon();
    this.end();
  }

  /** Others may own this process's sagas from now on: come back as a new owner. */
  #lose(why: string): void {
    const term = this.end();
    this.#parts.lost(term?.ownerId ?? null, why);
    if (this.#parts.isWanted()) this.#reopen(0);
  }

  #reopen(attempt: number): void {
    const { clock, random, options, isWanted } = this.#parts;
    const waitMs = fullJitterMs(REOPEN, attempt, random);
    this.#cancelReopen = clock.after(waitMs, async () => {
      try {
        await this.open();
        // Stopped while registering: the row runs out by itself.
        if (!isWanted()) this.abandon();
      } catch (error) {
        options.log.warn({ err: error }, 'this process could not register again; it tries again');
        if (isWanted()) this.#reopen(attempt + 1);
      }
    });
  }
}

/** Registers this process. @throws what `pg` throws when the database cannot be reached */
async function openTerm(parts: TermParts): Promise<Term> {
  const { options, leaseMs, clock, random, stats, onLost } = parts;
  const { pool, name, log, metrics, commitHook, prepared, definitions } = options;
  const lease = await ProcessLease.register({ pool, name, log, clock, leaseMs, onLost });
  const { ownerId } = lease;
  const writer = new CheckpointWriter({
    pool,
    ownerId,
    log,
    metrics,
    commitHook,
    ...(prepared !== undefined && { prepared }),
    random,
    clock,
    stats,
  });
  const fenced = new FencedSagas();
  const contexts = definitions.map((known) => [known.name, contextOf(parts, known, lease, writer, fenced)] as const);
  return { ownerId, lease, writer, contexts: new Map(contexts) };
}

function contextOf(
  { options, random, clock, publish }: TermParts,
  definition: SagaDefinition,
  lease: ProcessLease,
  writer: CheckpointWriter,
  fenced: FencedSagas,
): SagaRunContext {
  const { log, metrics, hookPayload, crashPoint } = options;
  return {
    definition,
    leaseHeld: () => lease.isHeld(),
    write: (checkpoint) => writer.write(checkpoint),
    journal: (attempts) => writer.journal(attempts),
    isFencedAgain: (sagaId) => fenced.isFencedAgain(sagaId, clock.now()),
    publish,
    hookPayload: hookPayload ?? (() => null),
    crashPoint: crashPoint ?? (() => {}),
    random,
    clock,
    log,
    metrics,
  };
}
