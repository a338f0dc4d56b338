/*
 * The writing end of an outbox.
 *
 * E1  The writer commits an event together with the state that it describes: both are written by one statement.
 */
import { streamKeyOf } from '@holdfast/contracts';

/** What a service tells of: its events are rows of the table `outbox`, which its own statements write. */
export interface Outbox {
  /** Names the relay's lease, and the stream. Stored data: never renamed. */
  name: string;
  /** What the events are about: `order` in `order.accepted`. */
  subject: string;
  stream: string;
  /** The key in Redis of the last batch's number. */
  witness: string;
}

/** @throws RangeError for a name that is none */
export function defineOutbox({ name, subject }: Pick<Outbox, 'name' | 'subject'>): Outbox {
  if (!/^[a-z-]{1,60}$/.test(name)) throw new RangeError('name: give letters and hyphens, at most 60');
  // One hash tag: on a Cluster, stream and witness are on one node, and are lost together.
  const stream = streamKeyOf(name);
  return { name, subject, stream, witness: `${stream}:witness` };
}

/** SQL expressions over the rows of `source`. */
export interface NewEvents {
  tenantId: string;
  orderId: string;
  /** What has happened, such as `'completed'`. */
  kind: string;
  /** When; default: now. */
  at?: string;
  /** A `from` item, with its `where`; one event for each of its rows. */
  source: string;
}

/** An insert for a statement's `with`. An event that is there already fails, or does nothing by `on conflict do nothing`. */
export function newEventsSql({ tenantId, orderId, kind, at, source }: NewEvents): string {
  return `
     insert into holdfast.outbox (tenant_id, order_id, kind${at === undefined ? '' : ', at'})
     select ${tenantId}, ${orderId}, ${kind}${at === undefined ? '' : `, ${at}`} from ${source}`;
}
