// Finding sagas that no process runs. Upholds:
// S1 Every live saga has an owner, and an owner whose lease has run out loses it to the first process that looks. A waiting saga
//    has none: it is taken by the first process that finds it due (wake.ts).
// S2 Adopting a saga raises its epoch in the same statement, so that the owner before can write nothing any more.

import { statement } from '@holdfast/postgres';
import type { SagaLog } from '../engine/ports.ts';
import type { Slot } from '../engine/running-sagas.ts';
import { SAGA_ROW_COLUMNS, type SagaRow } from '../journal/saga-row.ts';
import { SweepFaults } from './sweep-faults.ts';
import { type SweepWakeContext, wakeDue } from './wake.ts';

// An owner without a running lease is dead, also when its row has been deleted: no saga can be orphaned by an insert that
// was held up until long after its owner's end.
const DEAD_OWNERS = statement(
  'saga.dead-owners',
  `select distinct s.owner_id from holdfast.sagas s
    where s.ended_at is null and s.state <> 'parked' and s.state <> 'waiting' and s.owner_id <> $1::bigint
      and not exists (select 1 from holdfast.owners o where o.owner_id = s.owner_id and o.lease_until > clock_timestamp())`,
);
const SAGAS_OF_OWNER = statement(
  'saga.sagas-of-owner',
  `select id, epoch from holdfast.sagas
    where owner_id = $1::bigint and ended_at is null and state <> 'parked' and state <> 'waiting'
      and definition = any($2::text[]) and id > $3::text
    order by id limit $4::integer`,
);
const OWN_NEGLECTED = statement(
  'saga.own-neglected',
  `select id, epoch, cancel_requested_at is not null as cancel_requested from holdfast.sagas
    where owner_id = $1::bigint and ended_at is null and state <> 'parked' and state <> 'waiting'
      and definition = any($2::text[]) and id > $3::text
      and (cancel_requested_at is not null or driven_at < clock_timestamp() - $5::integer * interval '1 millisecond')
    order by id limit $4::integer`,
);
// No lock is held while looking: of two adopters that have seen the same saga, the update of the second meets another
// epoch and changes nothing. That the owner before is dead needs no second look, since expired is final.
export const ADOPT = statement(
  'saga.adopt',
  `update holdfast.sagas set owner_id = $1::bigint, epoch = epoch + 1, driven_at = clock_timestamp()
    where id = $2::text and owner_id = $3::bigint and epoch = $4::bigint
      and ended_at is null and state <> 'parked' and state <> 'waiting'
  returning ${SAGA_ROW_COLUMNS}`,
);
const FORGET_OWNERS = statement(
  'saga.forget-owners',
  `delete from holdfast.owners where lease_until < clock_timestamp() - interval '10 minutes'`,
);

const PAGE = 100;
const ADOPTIONS_AT_ONCE = 4;

/** What recovery needs of the engine. */
export interface RecoveryContext extends SweepWakeContext {
  log: SagaLog;
  /** How old an own saga's last checkpoint is before the sweep asks whether it still runs. */
  neglectedAfterMs: number;
  /** False when this process has lost its lease or is stopping. */
  active: () => boolean;
  /** Takes a slot for a saga; `here` when it has one or runs already, `full` when there is no room. */
  takeSlot: (id: string) => Slot | 'here' | 'full';
  /** A cancel was requested of a saga that runs here. */
  cancelRequested: (id: string) => void;
}

export interface SweepResult {
  /** Sagas adopted from dead owners. */
  adopted: number;
  /** Own sagas that did not run: their insert was committed, but its reply was lost. */
  restarted: number;
  /** Sagas that had waited until now. */
  woken: number;
}

/** One look at everything; repeated by the engine as long as it lives. Each part is had, whatever keeps the others from it. */
export async function sweep(context: RecoveryContext): Promise<SweepResult> {
  const faults = new SweepFaults(context.log);
  const restarted = await faults.ofPart('own sagas', () => sweepOwn(context, faults));
  const adopted = await faults.ofPart('sagas of dead owners', () => adoptAll(context, faults));
  // Last: what is due can wait a little longer, what a dead process has left has nobody.
  const woken = await faults.ofPart('due sagas', () => wakeDue(context, faults));
  await faults.ofPart('dead owners', async () => (await context.db.query(FORGET_OWNERS)).rowCount ?? 0);
  faults.end();
  return { adopted, restarted, woken };
}

async function adoptAll(context: RecoveryContext, faults: SweepFaults): Promise<number> {
  const { rows } = await context.db.query<{ owner_id: number }>({ ...DEAD_OWNERS, values: [context.ownerId] });
  let adopted = 0;
  for (const { owner_id } of rows) adopted += await adoptFrom(context, faults, owner_id);
  return adopted;
}

type Candidate = { id: string; epoch: number; cancel_requested?: boolean };

async function sweepOwn(context: RecoveryContext, faults: SweepFaults): Promise<number> {
  const { ownerId } = context;
  return await eachPage(
    context,
    faults,
    (after) => [ownerId, context.definitions, after, PAGE, context.neglectedAfterMs],
    {
      statement: OWN_NEGLECTED,
      visit: async (saga) => {
        if (saga.cancel_requested) context.cancelRequested(saga.id);
        return await adopt(context, saga, ownerId);
      },
    },
  );
}

async function adoptFrom(context: RecoveryContext, faults: SweepFaults, deadOwnerId: number): Promise<number> {
  return await eachPage(context, faults, (after) => [deadOwnerId, context.definitions, after, PAGE], {
    statement: SAGAS_OF_OWNER,
    visit: (saga) => adopt(context, saga, deadOwnerId),
  });
}

type Adoption = 'adopted' | 'left' | 'full';

/** Visits candidates page by page, a few at once. @returns how many were adopted */
async function eachPage(
  context: RecoveryContext,
  faults: SweepFaults,
  values: (after: string) => unknown[],
  work: { statement: { name: string; text: string }; visit: (saga: Candidate) => Promise<Adoption> },
): Promise<number> {
  let adopted = 0;
  let after = '';
  while (context.active()) {
    const { rows } = await context.db.query<Candidate>({ ...work.statement, values: values(after) });
    for (let at = 0; at < rows.length; at += ADOPTIONS_AT_ONCE) {
      const outcomes = await Promise.all(
        rows.slice(at, at + ADOPTIONS_AT_ONCE).map((saga) => faults.ofSaga(saga.id, () => work.visit(saga))),
      );
      adopted += outcomes.filter((outcome) => outcome === 'adopted').length;
      if (outcomes.includes('full') || !context.active()) return adopted;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return adopted;
    after = last.id;
  }
  return adopted;
}

async function adopt(context: RecoveryContext, saga: Candidate, fromOwnerId: number): Promise<Adoption> {
  const slot = context.takeSlot(saga.id);
  if (slot === 'full') return 'full';
  if (slot === 'here') return 'left';
  try {
    context.crashPoint('before-adoption', saga.id);
    const { rows } = await context.db.query<SagaRow>({
      ...ADOPT,
      values: [context.ownerId, saga.id, fromOwnerId, saga.epoch],
    });
    // crash here: the saga is ours and does not run; when our lease has run out, it is adopted again.
    const row = rows[0];
    if (row === undefined) return 'left';
    context.crashPoint('after-adoption', saga.id);
    slot.run(row);
    return 'adopted';
  } finally {
    slot.release();
  }
}
