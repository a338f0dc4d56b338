// How a waiting saga comes to run again. Nobody owns it, so whoever finds it due takes it: a sweep, or the process that was told
// of a signal or a cancel. Upholds:
// S2 The update that takes it compares the epoch and raises it: of two that find it due one gets it, and what its last owner, or a
//    copy of that owner's last checkpoint, still has under way changes nothing any more.
// S7 What ends a wait is in the row before anybody acts on it (`wake_at`), so a process that dies here leaves a saga that is due.

import { statement } from '@holdfast/postgres';
import type { CrashPointListener } from '../engine/crash-points.ts';
import type { Database } from '../engine/ports.ts';
import type { Slot } from '../engine/running-sagas.ts';
import { SAGA_ROW_COLUMNS, type SagaRow } from '../journal/saga-row.ts';
import type { SweepFaults } from './sweep-faults.ts';

// One look into the index for each definition, so that nothing is read of what other processes know, nor of what is not due:
// the index could not be asked by clock_timestamp(), which changes from row to row.
export const DUE = statement(
  'saga.due',
  `select due.id, due.epoch
     from unnest($1::text[]) as known(definition)
    cross join lateral (
      select id, epoch, wake_at from holdfast.sagas
       where state = 'waiting' and definition = known.definition and wake_at <= statement_timestamp()
       order by wake_at, id limit $2::integer) as due
    order by due.wake_at, due.id limit $2::integer`,
);
// That it waits is said by what only waiting sagas have: by its state, the list of due sagas would be read instead of its key.
export const WAKE = statement(
  'saga.wake',
  `update holdfast.sagas
      set state = 'running', wake_at = null, owner_id = $1::bigint, epoch = epoch + 1, revision = revision + 1,
          driven_at = clock_timestamp(),
          changed_at = greatest(changed_at + interval '1 millisecond', $5::timestamptz)
    where id = $2::text and epoch = $3::bigint and wake_at is not null and definition = any($4::text[])
  returning ${SAGA_ROW_COLUMNS}`,
);

/** A waiting saga, as it was seen. */
export interface Sleeper {
  id: string;
  epoch: number;
}

/** What waking needs of the engine. */
export interface WakeContext {
  db: Database;
  ownerId: number;
  /** Definitions that this process knows; sagas of others are left to other processes. */
  definitions: string[];
  /** This process's wall clock, for what callers are shown. */
  wallNow: () => number;
  /** A waiting saga was taken, and is about to run. */
  woken: (row: SagaRow) => void;
  crashPoint: CrashPointListener;
}

export interface SweepWakeContext extends WakeContext {
  active: () => boolean;
  /** How many that have waited may run beside those that run already. */
  room: () => number;
  takeSlot: (id: string) => Slot | 'here' | 'full';
}

const PAGE = 100;
/** Of one sweep: what else it looks for must not wait for all that has become due at once. */
const PAGES = 5;
const WAKINGS_AT_ONCE = 4;

/** Takes what is due: as much of it as there is room for, and a sweep's share. @returns how many @throws what `pg` throws */
export async function wakeDue(context: SweepWakeContext, faults: SweepFaults): Promise<number> {
  let woken = 0;
  for (let page = 1; page <= PAGES; page++) {
    if (context.room() <= 0 || !context.active()) return woken;
    // A whole page, whatever room there is: those at its head may be some that can't be taken.
    const { rows } = await context.db.query<Sleeper>({ ...DUE, values: [context.definitions, PAGE] });
    let taken = 0;
    for (let at = 0; at < rows.length && context.active(); ) {
      const atOnce = Math.min(WAKINGS_AT_ONCE, context.room());
      if (atOnce <= 0) return woken + taken;
      const wakings = rows.slice(at, at + atOnce).map((saga) => faults.ofSaga(saga.id, () => wakeOne(context, saga)));
      taken += (await Promise.all(wakings)).filter((isTaken) => isTaken === true).length;
      at += atOnce;
    }
    woken += taken;
    // A page of which others had everything is no reason to look again at once.
    if (rows.length < PAGE || taken === 0) return woken;
  }
  return woken;
}

async function wakeOne(context: SweepWakeContext, saga: Sleeper): Promise<boolean> {
  const slot = context.takeSlot(saga.id);
  if (slot === 'full' || slot === 'here') return false;
  return await wake(context, saga, slot);
}

/** Takes one that is due. Its slot is released in any case. @returns whether it was still there @throws what `pg` throws */
export async function wake(context: WakeContext, { id, epoch }: Sleeper, slot: Slot): Promise<boolean> {
  try {
    context.crashPoint('before-wake', id);
    const now = new Date(context.wallNow()).toISOString();
    const values = [context.ownerId, id, epoch, context.definitions, now];
    const { rows } = await context.db.query<SagaRow>({ ...WAKE, values });
    // crash here: the saga is ours and does not run; when our lease has run out, it is adopted.
    const row = rows[0];
    if (row === undefined) return false;
    context.crashPoint('after-wake', id);
    context.woken(row);
    slot.run(row);
    return true;
  } finally {
    slot.release();
  }
}
