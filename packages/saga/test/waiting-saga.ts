import type { Waiting } from '../src/definition/definition.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { SagaSnapshot } from '../src/journal/saga-row.ts';
import type { SagaTest } from './test-participants.ts';

export const WAIT_MS = 15_000;
/** Longer than any test: what is asked again sooner was woken. */
export const LONG_MS = 600_000;
export const WAITING: Waiting = {
  kind: 'waiting',
  reason: 'AUTHENTICATION',
  data: { url: 'https://bank' },
  waitMs: LONG_MS,
};

/** @throws Error when it has not ended within WAIT_MS */
export async function settledBy(engine: Engine, id: string): Promise<SagaSnapshot> {
  const outcome = await engine.waitForEnd(id, WAIT_MS);
  if (outcome.kind !== 'ended') throw new Error(`saga ${id} is ${outcome.kind}`);
  return outcome.snapshot;
}

/** The saga's row as it is stored. */
export async function rowOf(test: SagaTest, id: string): Promise<Record<string, unknown>> {
  return (await test.database.pool.query('select * from holdfast.sagas where id = $1', [id])).rows[0];
}
