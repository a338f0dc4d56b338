// What is told to a step from outside. Upholds:
// S7 A signal is stored, and the saga's row says so, in one statement: the checkpoint of a wait writes the same row, so either it
//    sees that there is one more, or this statement finds the saga waiting and makes it due. No signal is lost, whichever comes
//    first; the same key again changes nothing.

import { statement } from '@holdfast/postgres';
import type { Database } from '../engine/ports.ts';
import type { Sleeper } from '../recovery/wake.ts';

/** What has become of a signal. */
export type SignalOutcome =
  /** It is stored. The step is asked again if it waits, and sees the signal whenever it is asked. */
  | { kind: 'signalled' }
  /** This key was stored before; nothing was changed, whatever data came with it. */
  | { kind: 'repeated' }
  /** The saga has ended: nobody waits for it any more. */
  | { kind: 'ended' }
  /** The saga has as many signals as are kept. */
  | { kind: 'full' }
  | { kind: 'not_found' };

export interface SignalOptions {
  /** The sender's name for this one signal, such as the id of the event that it tells of; 200 characters at most. */
  key: string;
  /** Stored as JSON; 8,192 characters at most. */
  data?: unknown;
}

/** Of one saga, all its steps together. */
const MOST_SIGNALS = 100;
const KEY_MAX = 200;
const DATA_MAX = 8_192;

// The row is locked first, so that of two signals the second counts the first.
const SIGNAL = statement(
  'saga.signal',
  `with saga as (
     select id, ended_at is not null as ended,
            (select coalesce(sum(n::integer), 0) from jsonb_each_text(signals) as t(step, n)) as signals
       from holdfast.sagas where id = $1::text for update
   ), fresh as (
     insert into holdfast.saga_signals (saga_id, step, key, data)
     select id, $2::text, $3::text, $4::jsonb from saga where not ended and signals < $5::integer
     on conflict (saga_id, step, key) do nothing
     returning saga_id
   ), raised as (
     update holdfast.sagas
        set signals = coalesce(signals, '{}')
                      || jsonb_build_object($2::text, coalesce((signals ->> $2::text)::integer, 0) + 1),
            wake_at = case when state = 'waiting' and not waiting ? 'isDelay'
                                and (waiting ->> 'step' = $2::text or waiting -> 'beside' ? $2::text)
                           then clock_timestamp() else wake_at end
      where id = $1::text and exists (select from fresh)
     returning epoch, wake_at <= clock_timestamp() as due
   )
   select saga.ended, raised.epoch is not null as fresh, coalesce(raised.due, false) as due, raised.epoch,
          saga.signals >= $5::integer
            and not exists (select from holdfast.saga_signals
                             where saga_id = $1::text and step = $2::text and key = $3::text) as full
     from saga left join raised on true`,
);

interface Signalled {
  ended: boolean;
  fresh: boolean;
  due: boolean;
  full: boolean;
  epoch: number | null;
}

/**
 * @returns with the outcome the saga, when the signal has made it due: it is to be taken
 * @throws RangeError for a signal that is too large; what `pg` throws: it may be stored then, and asking again does no harm
 */
export async function storeSignal(
  db: Database,
  id: string,
  step: string,
  { key, data }: SignalOptions,
): Promise<{ outcome: SignalOutcome; due: Sleeper | null }> {
  const json = (JSON.stringify(data) as string | undefined) ?? 'null';
  if (key === '' || key.length > KEY_MAX) throw new RangeError(`a signal's key has 1 to ${KEY_MAX} characters`);
  if (json.length > DATA_MAX) throw new RangeError(`a signal's data is over ${DATA_MAX} characters of JSON: send less`);
  const { rows } = await db.query<Signalled>({ ...SIGNAL, values: [id, step, key, json, MOST_SIGNALS] });
  const row = rows[0];
  return { outcome: outcomeOf(row), due: row?.due && row.epoch !== null ? { id, epoch: row.epoch } : null };
}

function outcomeOf(row: Signalled | undefined): SignalOutcome {
  if (row === undefined) return { kind: 'not_found' };
  if (row.fresh) return { kind: 'signalled' };
  if (row.ended) return { kind: 'ended' };
  return row.full ? { kind: 'full' } : { kind: 'repeated' };
}
