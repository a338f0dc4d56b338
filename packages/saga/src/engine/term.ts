import type { SagaDefinition } from '../definition/definition.ts';
import { CheckpointWriter, type WriterStats } from '../journal/checkpoint-writer.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import type { EngineOptions } from './engine-options.ts';
import type { Clock } from './ports.ts';
import { ProcessLease } from './process-lease.ts';
import type { SagaRunContext } from './saga-run.ts';

/** What exists from one registration of this process to the loss of its lease. */
export interface Term {
  ownerId: number;
  lease: ProcessLease;
  writer: CheckpointWriter;
  /** By definition's name. */
  contexts: Map<string, SagaRunContext>;
}

export interface TermParts {
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

/** Registers this process. @throws what `pg` throws when the database cannot be reached */
export async function openTerm(parts: TermParts): Promise<Term> {
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
  const contexts = definitions.map((known) => [known.name, contextOf(parts, known, lease, writer)] as const);
  return { ownerId, lease, writer, contexts: new Map(contexts) };
}

function contextOf(
  { options, random, clock, publish }: TermParts,
  definition: SagaDefinition,
  lease: ProcessLease,
  writer: CheckpointWriter,
): SagaRunContext {
  const { log, metrics, hookPayload, crashPoint } = options;
  return {
    definition,
    leaseHeld: () => lease.isHeld(),
    write: (checkpoint) => writer.write(checkpoint),
    journal: (attempts) => writer.journal(attempts),
    publish,
    hookPayload: hookPayload ?? (() => null),
    crashPoint: crashPoint ?? (() => {}),
    random,
    clock,
    log,
    metrics,
  };
}
