import { createPool } from '@holdfast/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, intercept, SagaTest } from '../../test/test-participants.ts';
import type { Attempt, Checkpoint } from './checkpoint.ts';
import { CheckpointWriter, type WriterOptions } from './checkpoint-writer.ts';
import { readSaga } from './read.ts';

const OWNER = 7;
const log = { info() {}, warn() {}, error() {} };
let test: SagaTest;

beforeAll(async () => {
  test = await SagaTest.create('writer');
});
afterAll(() => test.drop());

function writer(options: Partial<WriterOptions> = {}): CheckpointWriter {
  return new CheckpointWriter({ pool: test.database.pool, ownerId: OWNER, log, ...options });
}

const CHANGED_AT = new Date('2026-01-02T03:04:05.678Z');

function checkpoint(id: string, changes: Partial<Checkpoint> = {}): Checkpoint {
  const progress = { state: 'running', position: 1, outputs: { reserve: 1 }, failure: null } as const;
  const rest = {
    parked: null,
    resumeState: null,
    waiting: null,
    wait: null,
    leftMs: null,
    changedAt: CHANGED_AT,
    payload: null,
    attempts: [],
  };
  return { id, epoch: 1, revision: 1, ...progress, ...rest, ...changes };
}

function attempt(sagaId: string, changes: Partial<Attempt> = {}): Attempt {
  const now = performance.now();
  const call = { step: 'reserve', direction: 'act', attempt: 1, outcome: 'completed', detail: null } as const;
  return { sagaId, epoch: 1, seq: 1, ...call, startedAt: now - 5, endedAt: now, ...changes };
}

async function row(id: string): Promise<Record<string, unknown>> {
  const { rows } = await test.database.pool.query('select * from holdfast.sagas where id = $1', [id]);
  return rows[0];
}

/** What stands in saga_attempts. */
async function journal(id: string): Promise<unknown[]> {
  const { rows } = await test.database.pool.query(
    'select epoch, seq, outcome from holdfast.saga_attempts where saga_id = $1 order by epoch, seq',
    [id],
  );
  return rows;
}

/** The saga's attempts, wherever they stand. */
async function attemptsOf(id: string): Promise<string[]> {
  const { attempts = [] } = (await readSaga(test.database.pool, id)) ?? {};
  return attempts.map(({ epoch, step, attempt, outcome }) => `${epoch} ${step} ${attempt} ${outcome}`);
}

describe('a checkpoint', () => {
  it('S2: of another epoch, of another owner or older than what is stored changes nothing', async () => {
    await test.insert('guarded', OWNER);
    await test.database.pool.query(`update holdfast.sagas set epoch = 3, revision = 5 where id = 'guarded'`);
    const before = await row('guarded');
    const mine = writer();
    const current = { epoch: 3, revision: 6 };
    const stale = { attempts: [attempt('guarded')] };
    expect(await mine.write(checkpoint('guarded', { ...current, ...stale, epoch: 2 }))).toEqual({ kind: 'fenced' });
    expect(await mine.write(checkpoint('guarded', { ...current, ...stale, epoch: 4 }))).toEqual({ kind: 'fenced' });
    expect(await mine.write(checkpoint('guarded', { ...current, ...stale, revision: 4 }))).toEqual({ kind: 'fenced' });
    const other = writer({ ownerId: OWNER + 1 });
    expect(await other.write(checkpoint('guarded', { ...current, ...stale }))).toEqual({ kind: 'fenced' });
    expect(await row('guarded')).toEqual(before);
    expect(await journal('guarded')).toEqual([]);
    expect((await mine.write(checkpoint('guarded', current))).kind).toBe('durable');
    expect(await row('guarded')).toMatchObject({ epoch: 3, revision: 6, position: 1, outputs: { reserve: 1 } });
  });

  it('S2: whose statement is delivered late, after the saga has moved on, changes nothing', async () => {
    await test.insert('late', OWNER);
    const copies: (() => Promise<unknown>)[] = [];
    const pool = intercept(test.database.pool, async (_sql, _values, run) => {
      copies.push(run);
      return await run();
    });
    const mine = writer({ pool });
    await mine.write(checkpoint('late', { attempts: [attempt('late')] }));
    await mine.write(checkpoint('late', { revision: 2, state: 'completed', position: 4 }));
    const ended = await row('late');
    await copies[0]?.();
    expect(await row('late')).toEqual(ended);
    expect(ended).toMatchObject({ state: 'completed', revision: 2 });
  });

  it('S1: whose reply was lost is sent again, and is written once', async () => {
    await test.insert('lost', OWNER);
    let replies = 0;
    const pool = intercept(test.database.pool, async (_sql, _values, run) => {
      const result = await run();
      replies += 1;
      if (replies === 1) throw new Error('Connection terminated unexpectedly');
      return result;
    });
    const ending = { state: 'completed', position: 4, attempts: [attempt('lost')] } as const;
    const outcome = await writer({ pool }).write(checkpoint('lost', { ...ending, attempts: [...ending.attempts] }));
    expect(outcome.kind).toBe('durable');
    expect(replies).toBe(2);
    expect(await row('lost')).toMatchObject({ state: 'completed', revision: 1 });
    expect(await attemptsOf('lost')).toEqual(['1 reserve 1 completed']);
  });

  it('S1: journals its attempts once, however many copies of it arrive, and when', async () => {
    await test.insert('copied', OWNER);
    const copies: (() => Promise<unknown>)[] = [];
    const pool = intercept(test.database.pool, async (_sql, _values, run) => {
      copies.push(run);
      return await run();
    });
    const mine = writer({ pool });
    await mine.write(checkpoint('copied', { attempts: [attempt('copied')] }));
    await Promise.all([copies[0]?.(), copies[0]?.()]);
    expect(await attemptsOf('copied')).toEqual(['1 reserve 1 completed']);
    const second = [attempt('copied', { seq: 2, step: 'charge' })];
    expect((await mine.write(checkpoint('copied', { revision: 2, attempts: second }))).kind).toBe('durable');
    await Promise.all(copies.map((copy) => copy()));
    expect(await attemptsOf('copied')).toEqual(['1 reserve 1 completed', '1 charge 1 completed']);
    expect(await journal('copied')).toEqual([]);
  });

  it('reports a cancel that another process has requested', async () => {
    await test.insert('flag', OWNER);
    const mine = writer();
    expect(await mine.write(checkpoint('flag'))).toMatchObject({ kind: 'durable', cancelRequested: false });
    await test.database.pool.query(
      `update holdfast.sagas set cancel_requested_at = clock_timestamp() where id = 'flag'`,
    );
    expect(await mine.write(checkpoint('flag', { revision: 2 }))).toMatchObject({ cancelRequested: true });
  });

  it('that the database refuses fails alone, its neighbours in the flush are written', async () => {
    const ids = ['good-1', 'bad', 'good-2', 'good-3'];
    for (const id of ids) await test.insert(id, OWNER);
    const mine = writer();
    const outcomes = await Promise.all(
      ids.map((id) => mine.write(checkpoint(id, id === 'bad' ? { outputs: { reserve: '\u0000' } } : {}))),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(['durable', 'failed', 'durable', 'durable']);
    expect(await row('bad')).toMatchObject({ revision: 0, outputs: {} });
  });

  it.each([
    // Somebody else's statement of that name is on the server connection that a pooler has handed out.
    ['42P05', `prepare "saga.flush-checkpoints" as select 1`],
    // It was handed out to a session that knows nothing of ours.
    ['26000', 'deallocate all'],
    // A replica, or a primary that has become one.
    ['25006', 'set default_transaction_read_only = on'],
  ])('S1: that fails for its connection (%s) is no rejected one: it is written on another', async (sqlstate, spoil) => {
    await test.insert(`session-${sqlstate}`, OWNER);
    const pool = createPool({ databaseUrl: test.database.databaseUrl, applicationName: 'session', max: 1 });
    const failures: unknown[] = [];
    const warn = (fields: { err?: { code?: string } }) => failures.push(fields.err?.code);
    const mine = writer({ pool, prepared: true, log: { ...log, warn } });
    try {
      if (sqlstate === '26000') await mine.write(checkpoint(`session-${sqlstate}`));
      await pool.query(spoil);
      const outcome = await mine.write(checkpoint(`session-${sqlstate}`, { revision: 2 }));
      expect(failures).toEqual([sqlstate]);
      expect(outcome).toMatchObject({ kind: 'durable' });
      expect(await row(`session-${sqlstate}`)).toMatchObject({ revision: 2 });
    } finally {
      await pool.end();
    }
  });

  it('between two steps touches no index', async () => {
    const own = await SagaTest.create('hot');
    await own.insert('hot', OWNER);
    const mine = writer({ pool: own.database.pool });
    for (let revision = 1; revision <= 20; revision++) {
      await mine.write(checkpoint('hot', { revision, position: revision }));
    }
    const counts = 'select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_user_tables where relname = $1';
    let seen: { all: number; hot: number } | undefined;
    await eventually(async () => {
      seen = (await own.database.pool.query<{ all: number; hot: number }>(counts, ['sagas'])).rows[0];
      return seen?.all === 20;
    });
    expect(seen).toEqual({ all: 20, hot: 20 });
    await own.drop();
  });
});

describe('a flush', () => {
  it('takes along everything that has piled up while the one before was under way', async () => {
    const ids = Array.from({ length: 50 }, (_, n) => `pile-${n}`);
    for (const id of ids) await test.insert(id, OWNER);
    const mine = writer();
    const outcomes = await Promise.all(ids.map((id) => mine.write(checkpoint(id, { attempts: [attempt(id)] }))));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['durable']));
    expect(mine.stats).toEqual({ flushes: 1, checkpoints: 50, attempts: 50 });
  });

  it('holds one checkpoint of a saga at most', async () => {
    await test.insert('twice', OWNER);
    const mine = writer();
    const outcomes = await Promise.all([
      mine.write(checkpoint('twice', { revision: 1, position: 1 })),
      mine.write(checkpoint('twice', { revision: 2, position: 2 })),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['durable', 'durable']);
    expect(mine.stats.flushes).toBe(2);
    expect(await row('twice')).toMatchObject({ revision: 2, position: 2 });
  });

  it('K1: runs the commit hook over the checkpoints that it has really written, and says what the hook has stored', async () => {
    await test.database.pool.query('create table answers (id text primary key, answer text)');
    await test.database.pool.query(
      `insert into answers values ('ends', null), ('fenced', null), ('goes-on', null), ('was-answered', 'before')`,
    );
    for (const id of ['ends', 'fenced', 'goes-on', 'was-answered']) await test.insert(id, OWNER);
    const text = `update answers set answer = w.payload || ' ' || w.state from written w
                   where answers.id = w.id and w.ended and answers.answer is null returning answers.id`;
    const mine = writer({ commitHook: { name: 'fix-answer', text, returnsStored: true } });
    const ended = { state: 'completed', payload: 'answered' } as const;
    const write = () =>
      Promise.all([
        mine.write(checkpoint('ends', ended)),
        mine.write(checkpoint('fenced', { ...ended, epoch: 9 })),
        mine.write(checkpoint('goes-on', { payload: 'early' })),
        mine.write(checkpoint('was-answered', ended)),
      ]);
    const durable = { kind: 'durable', cancelRequested: false, isDue: false };
    expect(await write()).toEqual([
      { ...durable, isHookStored: true },
      { kind: 'fenced' },
      { ...durable, isHookStored: false },
      { ...durable, isHookStored: false },
    ]);
    const { rows } = await test.database.pool.query('select id, answer from answers order by id');
    expect(rows).toEqual([
      { id: 'ends', answer: 'answered completed' },
      { id: 'fenced', answer: null },
      { id: 'goes-on', answer: null },
      { id: 'was-answered', answer: 'before' },
    ]);
    expect(mine.stats.flushes).toBe(1);
    // A copy of the flush stores nothing, so it reports nothing: the caller has to read what stands.
    expect((await write())[0]).toEqual({ ...durable, isHookStored: false });
  });

  it('S6: carries the instant that callers are shown, and the database keeps its own for the sweep', async () => {
    await test.insert('shown', OWNER);
    const { driven_at: before } = (await row('shown')) as { driven_at: Date };
    await writer().write(checkpoint('shown'));
    const stored = (await row('shown')) as { changed_at: Date; driven_at: Date };
    expect(stored.changed_at).toEqual(CHANGED_AT);
    expect(stored.driven_at.getTime()).toBeGreaterThanOrEqual(before.getTime());
  });
});

describe('the journal', () => {
  it('gets attempts that no caller waits for, if their saga still has their epoch', async () => {
    await test.insert('noted', OWNER);
    const mine = writer();
    await mine.journal([attempt('noted', { outcome: 'unknown' }), attempt('noted', { seq: 2, epoch: 2 })]);
    expect(await journal('noted')).toEqual([]);
    await mine.drain();
    expect(await journal('noted')).toEqual([{ epoch: 1, seq: 1, outcome: 'unknown' }]);
  });

  it('gets them without a checkpoint to go with, too', async () => {
    await test.insert('quiet', OWNER);
    await writer().journal([attempt('quiet')]);
    await eventually(async () => (await journal('quiet')).length === 1);
  });

  it('has a bounded queue: who has more to write waits for room', async () => {
    await test.insert('bound', OWNER);
    const gate = Promise.withResolvers<void>();
    const pool = intercept(test.database.pool, async (_sql, _values, run) => {
      await gate.promise;
      return await run();
    });
    const mine = writer({ pool, maxQueued: 2 });
    const first = mine.write(checkpoint('bound'));
    await new Promise((resolve) => setImmediate(resolve));
    await mine.journal([attempt('bound', { seq: 1 }), attempt('bound', { seq: 2 })]);
    let third = false;
    const waiting = mine.journal([attempt('bound', { seq: 3 })]).then(() => {
      third = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(third).toBe(false);
    gate.resolve();
    await Promise.all([first, waiting]);
    await mine.drain();
    expect(await journal('bound')).toHaveLength(3);
  });
});

describe('the attempts of a saga', () => {
  it('are read in the order of their numbers, wherever they stand', async () => {
    await test.insert('ordered', OWNER);
    const mine = writer();
    await mine.journal([attempt('ordered', { outcome: 'unknown' })]);
    const refused = { step: 'charge', outcome: 'refused', detail: 'no'.repeat(150) } as const;
    await mine.write(checkpoint('ordered', { attempts: [attempt('ordered', { seq: 2, attempt: 2 })] }));
    await mine.write(checkpoint('ordered', { revision: 2, attempts: [attempt('ordered', { seq: 3, ...refused })] }));
    await mine.write(checkpoint('ordered', { revision: 3, attempts: [attempt('ordered', { seq: 4, step: 'ship' })] }));
    await test.database.pool.query(`update holdfast.sagas set epoch = 2 where id = 'ordered'`);
    const later = { epoch: 2, revision: 4, attempts: [attempt('ordered', { epoch: 2, step: 'notify' })] };
    await mine.write(checkpoint('ordered', later));
    const all = [
      '1 reserve 1 unknown',
      '1 reserve 2 completed',
      '1 charge 1 refused',
      '1 ship 1 completed',
      '2 notify 1 completed',
    ];
    expect(await attemptsOf('ordered')).toEqual(all);
    // The two of them that no caller waited for, or that explain themselves at length, have rows of their own.
    expect(await journal('ordered')).toEqual([
      { epoch: 1, seq: 1, outcome: 'unknown' },
      { epoch: 1, seq: 3, outcome: 'refused' },
    ]);
    const latest = await readSaga(test.database.pool, 'ordered', 2);
    expect(latest?.attempts.map(({ step }) => step)).toEqual(['ship', 'notify']);
    expect(latest?.attemptCount).toBe(5);
    expect(latest?.attempts[0]).toEqual(expect.not.objectContaining({ seq: expect.anything() }));
  });

  it('never make its row grow without end', async () => {
    await test.insert('long', OWNER);
    const mine = writer();
    let bytes = 0;
    for (let revision = 1; revision <= 40; revision++) {
      await mine.write(checkpoint('long', { revision, attempts: [attempt('long', { seq: revision })] }));
      const { rows } = await test.database.pool.query(
        `select pg_column_size(s) as n from holdfast.sagas s where id = 'long'`,
      );
      if (revision <= 20) bytes = rows[0].n;
      else expect(rows[0].n).toBe(bytes);
    }
    expect(await attemptsOf('long')).toHaveLength(40);
  });

  it('have their instants by the database’s clock, in the row and beside it', async () => {
    await test.insert('timed', OWNER);
    await test.database.pool.query(
      `update holdfast.sagas set started_at = started_at - interval '1 hour' where id = 'timed'`,
    );
    const now = async () => (await test.database.pool.query('select clock_timestamp() as now')).rows[0].now.getTime();
    const from = await now();
    const [startedAt, endedAt] = [performance.now() - 60_000, performance.now() - 20_000];
    const attempts = [attempt('timed', { startedAt, endedAt })];
    const mine = writer();
    await mine.write(checkpoint('timed', { attempts }));
    await mine.journal([attempt('timed', { seq: 2, startedAt, endedAt })]);
    await mine.drain();
    const to = await now();
    const stored = (await readSaga(test.database.pool, 'timed'))?.attempts ?? [];
    expect(stored).toHaveLength(2);
    for (const each of stored) {
      expect(each.startedAt.getTime()).toBeGreaterThanOrEqual(from - 60_002);
      expect(each.startedAt.getTime()).toBeLessThanOrEqual(to - 59_998);
      expect(each.endedAt.getTime()).toBeGreaterThanOrEqual(from - 20_002);
      expect(each.endedAt.getTime()).toBeLessThanOrEqual(to - 19_998);
    }
  });
});

describe('a closed writer', () => {
  it('writes nothing more, and answers `unavailable` to its callers', async () => {
    await test.insert('closed', OWNER);
    const pool = intercept(test.database.pool, () => Promise.reject(new Error('Connection terminated')));
    const mine = writer({ pool });
    const waiting = mine.write(checkpoint('closed'));
    await new Promise((resolve) => setImmediate(resolve));
    const queued = mine.write(checkpoint('closed', { revision: 2 }));
    mine.close();
    expect(await waiting).toEqual({ kind: 'unavailable' });
    expect(await queued).toEqual({ kind: 'unavailable' });
    expect(await mine.write(checkpoint('closed'))).toEqual({ kind: 'unavailable' });
    expect(await row('closed')).toMatchObject({ revision: 0 });
  });
});
