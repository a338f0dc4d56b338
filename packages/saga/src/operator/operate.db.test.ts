import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, SagaTest, type StepName } from '../../test/test-participants.ts';
import type { Engine } from '../engine/engine.ts';

const WAIT_MS = 15_000;
const BUSY_MS = 60_000;
let test: SagaTest;
/** Two processes; the first one drives what the tests start. */
let engine: Engine;
let other: Engine;

beforeAll(async () => {
  test = await SagaTest.create('operate');
  const definitions = [test.define({ name: 'hasty', maxAttempts: 1 })];
  engine = await test.engine({ definitions });
  other = await test.engine({ definitions });
});
afterAll(() => test.drop());

async function settled(id: string) {
  const outcome = await engine.waitForEnd(id, WAIT_MS);
  if (outcome.kind !== 'ended') throw new Error(`saga ${id} is ${outcome.kind}`);
  return outcome.snapshot;
}

const start = (id: string) => test.start(engine, id, test.define({ name: 'hasty' }));
const liveEffects = async (id: string) =>
  (await test.effects(id)).filter(({ state }) => state === 'done').map(({ step }) => step);

/** Parks a saga whose act at `step` is done, and whose answer the database refuses to store. */
async function parkForward(id: string, step: StepName): Promise<void> {
  test.onAct(id, step, async (_, effect) => {
    await effect();
    return { kind: 'completed', output: { done: 'a\u0000b' } };
  });
  await start(id);
  expect(await settled(id)).toMatchObject({ state: 'parked' });
  test.onAct(id, step, (_, effect) => effect());
}

/** Parks a saga that was refused at `ship` and whose undo of `charge` fails. */
async function parkBackward(id: string): Promise<void> {
  test.onAct(id, 'ship', async () => ({ kind: 'refused', reason: 'ADDRESS_REFUSED', message: 'nowhere' }));
  test.onUndo(id, 'charge', async () => ({ kind: 'unknown', detail: 'the provider is down' }));
  await start(id);
  expect(await settled(id)).toMatchObject({ state: 'parked' });
  test.onUndo(id, 'charge', (_, effect) => effect());
}

/** Has a saga wait a minute before it attempts `step` again. */
async function holdAt(id: string, step: StepName): Promise<void> {
  let attempts = 0;
  test.onAct(id, step, (_, effect) =>
    attempts++ === 0 ? Promise.resolve({ kind: 'unknown', detail: 'busy', retryAfterMs: BUSY_MS }) : effect(),
  );
  await test.start(engine, id, test.define({ name: 'hasty' }));
  await eventually(async () => attempts === 1);
}

const ALL = ['reserve', 'charge', 'ship', 'notify'];
type Verb = (id: string) => Promise<{ kind: string }>;
const VERBS: [string, Verb][] = [
  ['resume', (id) => engine.operator.resume(id)],
  ['retryNow', (id) => other.operator.retryNow(id)],
  ['compensate', (id) => engine.operator.compensate(id, WAIT_MS)],
];

describe.each(VERBS)('S3: %s', (name, verb) => {
  const turnsBack = name === 'compensate';

  it.each(['reserve', 'charge', 'ship'] as const)(
    'of a saga that is parked forward at %s, whose act may be done, ends it with every effect or with none',
    async (step) => {
      const id = `${name}-forward-${step}`;
      await parkForward(id, step);
      await verb(id);
      expect(await settled(id)).toMatchObject({ state: turnsBack ? 'cancelled' : 'completed' });
      expect(await liveEffects(id)).toEqual(turnsBack ? [] : ALL);
    },
  );

  it('of a saga that is parked behind its pivot goes forward or changes nothing', async () => {
    const id = `${name}-behind`;
    await parkForward(id, 'notify');
    expect((await verb(id)).kind).toBe({ resume: 'resumed', retryNow: 'resumed', compensate: 'past_pivot' }[name]);
    expect((await settled(id)).state).toBe(turnsBack ? 'parked' : 'completed');
    expect(await liveEffects(id)).toEqual(ALL);
  });

  it('of a saga that is parked on its way back goes on undoing', async () => {
    const id = `${name}-backward`;
    await parkBackward(id);
    await verb(id);
    expect(await settled(id)).toMatchObject({ state: 'failed', failure: { reason: 'ADDRESS_REFUSED' } });
    expect(await liveEffects(id)).toEqual([]);
    const record = await engine.readSaga(id);
    expect(record?.interventions).toMatchObject([
      { verb: 'resume', epoch: 2, parked: { step: 'charge', detail: 'the provider is down' } },
    ]);
  });

  it('of a saga that has ended, and of none, changes nothing', async () => {
    const id = `${name}-ended`;
    await start(id);
    const before = await settled(id);
    expect((await verb(id)).kind).toBe(name === 'resume' ? 'not_parked' : 'ended');
    expect(await engine.readSaga(id)).toMatchObject({ state: 'completed', revision: before.revision, epoch: 1 });
    expect((await verb('no such saga')).kind).toBe('not_found');
  });

  it('S2: by two operators at once is done once', async () => {
    const id = `${name}-twice`;
    await parkForward(id, 'charge');
    await Promise.all([verb(id), verb(id), verb(id)]);
    await settled(id);
    expect(await liveEffects(id)).toEqual(turnsBack ? [] : ALL);
    const parkings = (await engine.readSaga(id))?.interventions.filter(({ parked }) => parked !== null);
    expect(parkings).toHaveLength(1);
  });
});

describe('what a verb has done', () => {
  it('K8: is in the journal under the key it was asked for with, and under no other', async () => {
    const id = 'keyed';
    await parkForward(id, 'ship');
    expect(await engine.operator.resume(id, 'the first key')).toMatchObject({ kind: 'resumed' });
    await settled(id);
    expect((await engine.operator.resume(id, 'the second key')).kind).toBe('not_parked');
    const done = (await engine.readSaga(id))?.interventions.map(({ verb, key }) => ({ verb, key }));
    expect(done).toEqual([{ verb: 'resume', key: 'the first key' }]);
  });

  it.each([
    ['retryNow', () => engine.operator.retryNow('keyed-retryNow', 'a key')],
    ['compensate', () => engine.operator.compensate('keyed-compensate', WAIT_MS, 'a key')],
  ] as const)('K8: by %s of a parked saga carries the key', async (name, verb) => {
    await parkForward(`keyed-${name}`, 'charge');
    await verb();
    await settled(`keyed-${name}`);
    expect((await engine.readSaga(`keyed-${name}`))?.interventions).toMatchObject([{ key: 'a key' }]);
  });
});

describe('a retry', () => {
  it('ends the wait between two attempts', async () => {
    await holdAt('waits-here', 'charge');
    expect(await engine.operator.retryNow('waits-here')).toMatchObject({ kind: 'resumed' });
    expect(await settled('waits-here')).toMatchObject({ state: 'completed' });
    expect((await engine.readSaga('waits-here'))?.epoch).toBe(1);
  });

  it('S2: of a saga that another process drives takes it over, and that process can write nothing more', async () => {
    await holdAt('waits-there', 'ship');
    expect(await other.operator.retryNow('waits-there')).toMatchObject({ kind: 'resumed' });
    expect(await other.waitForEnd('waits-there', WAIT_MS)).toMatchObject({ snapshot: { state: 'completed' } });
    const record = await engine.readSaga('waits-there');
    expect(record).toMatchObject({ epoch: 2, interventions: [{ verb: 'retry', epoch: 2, parked: null }] });
    // Woken up, it calls with the old epoch, is refused, and lets go of the saga.
    await engine.operator.retryNow('waits-there');
    expect(await settled('waits-there')).toMatchObject({ state: 'completed' });
    expect(await engine.readSaga('waits-there')).toEqual(record);
    expect(await liveEffects('waits-there')).toEqual(ALL);
  });
});

describe('a forced compensation', () => {
  it.each(['reserve', 'charge', 'ship'] as const)('S3: turns a running saga back that waits at %s', async (step) => {
    const id = `runs-${step}`;
    await holdAt(id, step);
    // Ended already, where the other process has looked too late to see it turning back.
    expect((await other.operator.compensate(id, WAIT_MS)).kind).toMatch(/turning_back|ended/);
    expect(await settled(id)).toMatchObject({ state: 'cancelled', failure: { step, reason: 'CANCELLED' } });
    expect(await liveEffects(id)).toEqual([]);
  });

  it('is refused once the pivot is known to be done', async () => {
    await holdAt('runs-notify', 'notify');
    expect(await engine.operator.compensate('runs-notify', WAIT_MS)).toMatchObject({ kind: 'past_pivot' });
    await engine.operator.retryNow('runs-notify');
    expect(await settled('runs-notify')).toMatchObject({ state: 'completed' });
    expect(await liveEffects('runs-notify')).toEqual(ALL);
  });
});
