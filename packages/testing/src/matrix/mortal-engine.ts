/*
 * An engine that dies as a process does, inside the process of a test: from that instant on nothing leaves it any more,
 * and nothing that comes back reaches it. What is under way in the database and at the participants goes on there.
 * A new one can be started at once; it adopts what the dead one owned when its lease has run out.
 */
import type { Pool } from '@holdfast/postgres';
import { createEngine, type Database, type Engine, type EnginePoint, type SagaDefinition } from '@holdfast/saga';

export interface MortalEngineOptions {
  /** The sagas' database. It survives the engine. */
  pool: Pool;
  definition: SagaDefinition;
  leaseMs: number;
  /** Whether it dies here, now. */
  diesAt: (point: EnginePoint, sagaId: string) => boolean;
  /** Uniform in [0, 1). */
  random?: () => number;
}

const LOG = { info() {}, warn() {}, error() {} };

export class MortalEngine {
  readonly engine: Engine;
  readonly died: Promise<void>;
  #isDead = false;
  readonly #announce: () => void;

  constructor(options: MortalEngineOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.#announce = resolve;
    const { pool, definition, leaseMs, diesAt, random } = options;
    const query = (...given: unknown[]) => this.#alive(() => (pool.query as (...args: unknown[]) => unknown)(...given));
    this.engine = createEngine({
      // The engine asks nothing of its pool but `query`.
      pool: { query } as unknown as Database,
      definitions: [{ ...definition, steps: definition.steps.map((step) => this.#mortal(step)) }],
      name: 'mortal',
      leaseMs,
      log: LOG,
      ...(random !== undefined && { random }),
      crashPoint: (point, sagaId) => {
        if (!this.#isDead && diesAt(point, sagaId)) this.die();
      },
    });
  }

  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.engine.abandon();
    this.#announce();
  }

  #mortal(step: SagaDefinition['steps'][number]): SagaDefinition['steps'][number] {
    const { act, undo } = step;
    return {
      ...step,
      act: (context) => this.#alive(() => act(context)),
      ...(undo !== undefined && { undo: (context) => this.#alive(() => undo(context)) }),
    };
  }

  async #alive<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#isDead) return await never();
    try {
      const result = await work();
      return this.#isDead ? await never() : result;
    } catch (error) {
      if (this.#isDead) return await never();
      throw error;
    }
  }
}

/** The dead wait for nothing: whoever is left with this is garbage. */
function never(): Promise<never> {
  return new Promise(() => {});
}
